"""ONNX export: one file of standard operators that answers as the network does, for any number of cases; anything else is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from onclair.core.errors import BadInput, OnclairError
from onclair.io.networks import Inference, network_record, open_network
from onclair.io.onnx_graph import inspect_onnx
from onclair.learn.determinism import deterministic
from onclair.learn.export import to_onnx
from onclair.learn.weights import arrays_of

RNG = np.random.default_rng(1)


def spectral() -> nn.Module:
    pooled = (nn.AvgPool1d(2), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 2))
    return nn.Sequential(nn.Conv1d(1, 4, 5, padding=2), nn.BatchNorm1d(4), nn.LeakyReLU(), *pooled)


def photographic() -> nn.Module:
    down = (nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4), nn.SiLU(), nn.MaxPool2d(2))
    return nn.Sequential(*down, nn.ConvTranspose2d(4, 4, 2, stride=2), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(4, 1, 1))


def volumetric() -> nn.Module:
    first = (nn.Conv3d(2, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(4, 4, 3), nn.InstanceNorm3d(4))
    return nn.Sequential(*first, nn.PReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, 1), nn.Sigmoid())


CASES = pytest.mark.parametrize(
    ("build", "shape"),
    [(spectral, (1, 32)), (photographic, (3, 16, 16)), (volumetric, (2, 8, 8, 8))],
    ids=lambda case: getattr(case, "__name__", None),
)


def moved(build: Callable[[], nn.Module], shape: tuple[int, ...]) -> nn.Module:
    """Return a network whose running statistics are not those it was born with."""
    with deterministic(1):
        module = build()
        module(torch.randn(6, *shape) * 2 + 1)
    return module


def drawn(cases: int, shape: tuple[int, ...]) -> np.ndarray:
    return RNG.normal(size=(cases, *shape)).astype(np.float32)


def opened(graph: bytes) -> Inference:
    return open_network(network_record("net", "relapse", graph=graph))


@CASES
def test_a_file_answers_as_its_network_for_any_number_of_cases(build: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
    module = moved(build, shape)
    inference = opened(to_onnx(module, (drawn(1, shape),), ["x"], ["y"]))
    module.eval()
    for cases in (1, 5):
        x = drawn(cases, shape)
        np.testing.assert_allclose(inference.run({"x": x})["y"], module(torch.from_numpy(x)).detach().numpy(), rtol=0, atol=1e-5)
    assert inference.inputs[0].shape == (None, *shape)
    assert inference.outputs[0].shape[0] is None


@CASES
def test_equal_networks_give_equal_bytes_whatever_the_example(build: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
    one, two = (to_onnx(moved(build, shape), (drawn(cases, shape),), ["x"], ["y"]) for cases in (1, 4))
    assert one == two


def test_a_file_names_standard_operators_and_no_place_on_this_machine(repository: Path) -> None:
    graph = to_onnx(volumetric(), (drawn(1, (2, 8, 8, 8)),), ["x"], ["y"])
    assert {domain for domain, _ in inspect_onnx(graph, "graph").operators} == {""}
    for place in (repository, Path(torch.__file__).parent, Path.home()):
        assert str(place).encode() not in graph
    assert b".py" not in graph


def test_a_network_in_training_stays_so_and_keeps_its_weights() -> None:
    module = moved(spectral, (1, 32))
    before = arrays_of(module)
    to_onnx(module, (drawn(2, (1, 32)),), ["x"], ["y"])
    assert all(layer.training for layer in module.modules())
    assert all(before[name].tobytes() == array.tobytes() for name, array in arrays_of(module).items())


class TwoOfTwo(nn.Module):
    """Two inputs of different types and two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.of_arm, self.last = nn.Embedding(3, 4), nn.Linear(4, 1)

    def forward(self, image: torch.Tensor, arm: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mixed = image + self.of_arm(arm)
        return self.last(mixed), mixed


def test_several_inputs_and_outputs_keep_their_names_in_the_order_of_the_network() -> None:
    example = {"arm": np.array([0, 2]), "image": drawn(2, (4,))}
    module = TwoOfTwo()
    inference = opened(to_onnx(module, example, ["image", "arm"], ["score", "mixed"]))
    answers = inference.run(example)
    score, mixed = module(torch.from_numpy(example["image"]), torch.from_numpy(example["arm"]))
    assert [(tensor.name, tensor.dtype) for tensor in inference.inputs] == [("image", "float32"), ("arm", "int64")]
    np.testing.assert_allclose(answers["score"], score.detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(answers["mixed"], mixed.detach().numpy(), atol=1e-6)


class By(nn.Module):
    """A network of one function."""

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: torch.Tensor) -> object:
        return self.function(*inputs)


ROWS = np.array([[1.0, 2.0], [3.0, -4.0]], dtype=np.float32)


def refused(function: Callable[..., object], *example: np.ndarray, names: tuple[str, ...] = ("x",)) -> None:
    to_onnx(By(function), example or (ROWS,), names, ["y"])


def test_a_network_that_looks_at_the_number_of_cases_is_refused() -> None:
    with pytest.raises(OnclairError, match=r"'y' for \d cases is .* from the network's"):
        refused(lambda x: x * float(len(x)))


def test_a_network_that_mixes_its_cases_into_one_answer_is_refused() -> None:
    with pytest.raises(BadInput, match="let the first axis of each be the cases"):
        refused(lambda x: x.mean(0, keepdim=True))


def test_an_answer_that_is_no_number_is_refused() -> None:
    with pytest.raises(OnclairError, match="'y' for 2 cases is nan"):
        refused(lambda x: x.sqrt())


def test_a_network_that_draws_at_random_is_refused() -> None:
    with pytest.raises(OnclairError, match="draws at random"):
        refused(lambda x: x + torch.randn_like(x))


def test_an_operation_that_onnx_lacks_is_refused() -> None:
    with pytest.raises(BadInput, match="cannot be written as ONNX"):
        refused(torch.special.bessel_j0)


def test_an_input_that_is_not_used_is_refused() -> None:
    with pytest.raises(BadInput, match="does not use all of its inputs"):
        refused(lambda x, _: x + 1, ROWS, ROWS, names=("x", "idle"))


def test_an_answer_that_is_no_tensor_is_refused() -> None:
    with pytest.raises(BadInput, match="answers a dict"):
        refused(lambda x: {"y": x})


def test_an_example_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BadInput, match=r"2 inputs .* where 1 names"):
        refused(lambda x: x, ROWS, ROWS)
    with pytest.raises(BadInput, match="at least one case"):
        refused(lambda x: x, ROWS[:0])
    with pytest.raises(BadInput, match="cannot compute with the example"):
        to_onnx(nn.Linear(3, 1), (ROWS,), ["x"], ["y"])
