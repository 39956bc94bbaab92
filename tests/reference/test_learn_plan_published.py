"""The stages that nnU-Net published for its data sets come out of the same spacings and patches."""

from __future__ import annotations

from onclair.learn.plan_topology import topology_of


def test_the_cardiac_network_of_nnunet() -> None:
    """ACDC, 5 x 1.5625 x 1.5625 mm, patch 20 x 256 x 224 (Isensee et al. 2021, supplementary: network topologies), here in-plane first."""
    found = topology_of((1.5625, 1.5625, 5.0), (224, 256, 20))
    assert found.strides == ((1, 1, 1), (2, 2, 1), (2, 2, 2), (2, 2, 2), (2, 2, 1), (2, 2, 1))
    assert found.kernels == ((3, 3, 1), *[(3, 3, 3)] * 5)


def test_the_prostate_network_of_nnunet() -> None:
    """Decathlon task 5, 3.6 x 0.625 x 0.625 mm, patch 20 x 320 x 256: the same source."""
    found = topology_of((0.625, 0.625, 3.6), (256, 320, 20))
    assert found.strides == ((1, 1, 1), (2, 2, 1), (2, 2, 1), (2, 2, 2), (2, 2, 2), (2, 2, 1), (2, 2, 1))
    assert found.kernels == ((3, 3, 1), (3, 3, 1), *[(3, 3, 3)] * 5)


def test_cubes_of_128_are_pooled_five_times() -> None:
    """Decathlon task 3, liver, 1 mm: patch 128 x 128 x 128, features 32 to 320."""
    found = topology_of((1.0, 0.767578125, 0.767578125), (128, 128, 128))
    assert len(found.strides) == 6
    assert found.features(32, 320) == (32, 64, 128, 256, 320, 320)
