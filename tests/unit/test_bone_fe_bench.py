"""What `bench fe` makes of what its processes say, and what it refuses."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from onclair.core.errors import BadInput, BadSetting
from onclair.run.benches.bone_fe import loaded_case
from onclair.studies.tasks.bone_fe_bench import bench


def test_the_cube_spans_four_decades_and_is_the_same_each_time():
    modulus = loaded_case("cube64", Path("nowhere")).problem.modulus_mpa
    assert modulus.shape == (64, 64, 64)
    assert 9.3e3 < modulus.max() / modulus.min() < 1e7
    assert (modulus == loaded_case("cube64", Path("nowhere")).problem.modulus_mpa).all()


def test_a_folder_without_the_published_models_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(BadInput, match="--data"):
        bench(tmp_path, "none")


def test_an_unknown_peer_is_refused(tmp_path):
    with pytest.raises(BadSetting, match="no peer 'abaqus'"):
        bench(tmp_path, "abaqus", cases=())


@pytest.mark.skipif(find_spec("parosol_py") is not None, reason="the peer is installed beside the tests")
def test_a_missing_peer_is_said(tmp_path):
    found = bench(tmp_path, "parosol-py", tmp_path, cases=())
    assert found.warnings[0]["code"] == "peer_missing"
    assert "make peers" in found.warnings[0]["text"]
