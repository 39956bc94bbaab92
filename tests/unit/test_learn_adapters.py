"""Networks as scorers: what is opened, what is refused, and that nothing runs code unasked."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from onclair.core.errors import BadInput, BadModelFile, BadSetting
from onclair.io.cards import read_card
from onclair.io.networks import network_record, save_network
from onclair.learn.adapters import card_of_model, network_extra, scorer_of, training_hashes
from onclair.learn.network_input import NetworkInput, prepared

HOW = NetworkInput((2.0, 2.0, 2.0), (4, 4, 4), ("image", "mask"), "none")

CARD = """
[card]
name = "net"
outcome = "event"
modality = "PET"
[preprocessing]
spacing = 2.0
[model]
kind = "onnx"
file = "net.onnx"
[network]
size = 4
channels = ["image", "mask"]
normalise = "none"
"""
CODE = """
import torch

class Brightest(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, volume):
        return volume[:, :1].amax((2, 3, 4)) * self.scale
"""


def graph(outputs: int = 1, *, cases: int | None = None, several: bool = False) -> bytes:
    """Return a network that answers with the mean of each channel: image, and mask where two outputs are asked for."""
    shape = [cases or "n", 2, 4, 4, 4]
    axes = helper.make_tensor("axes", TensorProto.INT64, [3], [2, 3, 4])
    starts, ends = (helper.make_tensor(name, TensorProto.INT64, [1], [at]) for name, at in (("from", 0), ("to", outputs)))
    along = helper.make_tensor("along", TensorProto.INT64, [1], [1])
    nodes = [
        helper.make_node("ReduceMean", ["volume", "axes"], ["means"], keepdims=0),
        helper.make_node("Slice", ["means", "from", "to", "along"], ["scores"]),
    ]
    answers = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [cases or "n", outputs])]
    if several:
        nodes.append(helper.make_node("Neg", ["means"], ["others"]))
        answers.append(helper.make_tensor_value_info("others", TensorProto.FLOAT, [cases or "n", 2]))
    taken = [helper.make_tensor_value_info("volume", TensorProto.FLOAT, shape)]
    made = helper.make_graph(nodes, "net", taken, answers, [axes, starts, ends, along])
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    return bytes(model.SerializeToString())


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Write a card, changed as one likes, with its network beside it, and return the card."""

    def write(old: str = "", new: str = "", data: bytes | None = None, more: str = "") -> Path:
        (tmp_path / "net.onnx").write_bytes(graph() if data is None else data)
        (tmp_path / "card.toml").write_text(CARD.replace(old, new) + more)
        return tmp_path / "card.toml"

    return write


def lesion() -> tuple[np.ndarray, np.ndarray]:
    image = np.random.default_rng(0).uniform(0, 9, (9, 9, 9))
    region = np.zeros((9, 9, 9), bool)
    region[3:6, 3:6, 3:6] = True
    return image, region


def test_an_onnx_file_beside_its_card_scores_what_the_card_says_it_is_shown(written: Callable[..., Path]) -> None:
    image, region = lesion()
    scorer = scorer_of(card_of_model(written()))
    assert scorer.how == HOW
    assert scorer.score(image, region, (2.0, 2.0, 2.0)) == pytest.approx(prepared(image, region, (2.0, 2.0, 2.0), HOW)[0].mean(), rel=1e-6)
    assert scorer.members(image, region, (2.0, 2.0, 2.0)).shape == (1,)


def test_a_card_of_a_network_has_one_feature_and_names_what_it_does_not_say(written: Callable[..., Path]) -> None:
    card = card_of_model(written("size = 4", ""))
    assert [(each.tag, each.coefficient) for each in card.features] == [("network_score", 1.0)]
    assert "network.size" in card.missing
    assert not any(item.startswith("feature.") for item in card.missing)
    with pytest.raises(BadInput, match=r"network\.size"):
        scorer_of(card)


def test_a_network_of_fixed_cases_is_asked_in_parts(written: Callable[..., Path]) -> None:
    run = scorer_of(card_of_model(written(data=graph(cases=2)))).run
    shown = np.random.default_rng(1).normal(size=(5, 2, 4, 4, 4)).astype(np.float32)
    assert np.allclose(run(shown)[:, 0], shown[:, 0].mean((1, 2, 3)), atol=1e-6)


def test_columns_are_members_or_classes_as_the_card_says_and_refused_unsaid(written: Callable[..., Path]) -> None:
    shown = np.random.default_rng(1).normal(size=(3, 2, 4, 4, 4)).astype(np.float32)
    assert scorer_of(card_of_model(written(data=graph(2), more="members = 2"))).run(shown).shape == (3, 2)
    assert np.allclose(
        scorer_of(card_of_model(written(data=graph(2), more="column = 1"))).run(shown)[:, 0], shown[:, 1].mean((1, 2, 3)), atol=1e-6
    )
    with pytest.raises(BadInput, match="give members or column"):
        scorer_of(card_of_model(written(data=graph(2)))).run(shown)
    with pytest.raises(BadSetting, match="keep one"):
        card_of_model(written(more="members = 2\ncolumn = 1"))


def test_the_answer_is_named_where_there_are_several(written: Callable[..., Path]) -> None:
    with pytest.raises(BadInput, match="one of scores, others"):
        scorer_of(card_of_model(written(data=graph(several=True))))
    with pytest.raises(BadInput, match="did you mean 'others'"):
        scorer_of(card_of_model(written(data=graph(several=True), more='output = "other"')))
    assert scorer_of(card_of_model(written(data=graph(several=True), more='output = "scores"'))).about["kind"] == "onnx"


def test_a_network_of_other_inputs_than_its_card_says_is_refused(written: Callable[..., Path]) -> None:
    with pytest.raises(BadInput, match="correct size and channels"):
        scorer_of(card_of_model(written("size = 4", "size = 5")))
    with pytest.raises(BadInput, match="correct size and channels"):
        scorer_of(card_of_model(written('["image", "mask"]', '["image"]')))


def test_cards_that_contradict_themselves_or_hold_unknown_keys_are_refused(written: Callable[..., Path]) -> None:
    for old, new, said in (
        ("size = 4", "sizes = 4", "did you mean 'size'"),
        ('"image", "mask"', '"image", "maks"', "did you mean 'mask'"),
        ('normalise = "none"', 'normalise = "zscore"', "did you mean 'z-score'"),
        ('file = "net.onnx"', "", "add file under"),
        ('kind = "onnx"', 'kind = "torch"', "add module"),
        ("[network]", '[[feature]]\ntag = "stat_max"\n[network]', "no features"),
        ("size = 4", "size = 0", "three numbers of voxels"),
    ):
        with pytest.raises(BadSetting, match=said):
            card_of_model(written(old, new))


def test_a_sum_with_a_table_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sum.toml"
    path.write_text('[card]\nname = "m"\n[[feature]]\ntag = "stat_max"\n[model]\nkind = "logistic"\n[network]\nsize = 4\n')
    with pytest.raises(BadSetting, match="take the table away"):
        read_card(path)


def test_native_spacing_is_refused_since_a_network_has_one_grid(written: Callable[..., Path]) -> None:
    with pytest.raises(BadInput, match="three lengths"):
        scorer_of(card_of_model(written("spacing = 2.0", 'spacing = "native"')))


def test_a_bare_onnx_file_is_refused_with_what_to_write(written: Callable[..., Path]) -> None:
    file = written().with_name("net.onnx")
    with pytest.raises(BadInput, match=r"write a card beside it.*file = \"net.onnx\""):
        card_of_model(file)


@pytest.mark.parametrize("name", ["net.pt", "net.onnx", "net.toml.bin"])
def test_a_pickle_is_refused_by_content_whatever_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(pickle.dumps({"weights": [1.0]}))
    with pytest.raises(BadModelFile, match="would run code"):
        card_of_model(path)


def test_a_pickle_behind_a_card_is_refused_too(written: Callable[..., Path]) -> None:
    with pytest.raises(BadModelFile, match="would run code"):
        scorer_of(card_of_model(written(data=pickle.dumps([1.0]))))


def test_a_file_of_another_hash_or_no_file_is_refused(written: Callable[..., Path]) -> None:
    path = written(more=f'sha256 = "{hashlib.sha256(graph()).hexdigest()}"')
    assert scorer_of(card_of_model(path)).how == HOW
    path.with_name("net.onnx").write_bytes(graph(2))
    with pytest.raises(BadModelFile, match="has not the SHA-256"):
        scorer_of(card_of_model(path))
    path.with_name("net.onnx").unlink()
    with pytest.raises(BadModelFile, match="put it there"):
        scorer_of(card_of_model(path))


def test_a_model_that_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sum.toml"
    path.write_text('[card]\nname = "m"\n[[feature]]\ntag = "stat_max"\n[model]\nkind = "logistic"\n')
    with pytest.raises(BadInput, match="give it by --card"):
        card_of_model(path)
    with pytest.raises(BadInput, match="There is no model"):
        card_of_model(tmp_path / "nothing")
    (tmp_path / "note.txt").write_text("a note")
    with pytest.raises(BadInput, match="is no network"):
        card_of_model(tmp_path / "note.txt")


def folder(place: Path, **tables: dict[str, object]) -> Path:
    extra = network_extra(dict(tables), HOW, ("bb", "aa"))
    return save_network(place, network_record("net", "event", graph=graph(2), extra=extra))


def test_a_network_folder_brings_its_card_and_the_patients_it_was_trained_on(tmp_path: Path) -> None:
    card = card_of_model(folder(tmp_path / "m", card={"modality": "PET"}, network={"members": 2}, roi={"structure": "lesion"}))
    assert (card.name, card.about.outcome, card.about.modality, card.roi.structure) == ("net", "event", "PET", "lesion")
    assert training_hashes(card) == {"aa", "bb"}
    image, region = lesion()
    shown = prepared(image, region, (2.0, 2.0, 2.0), HOW)
    assert np.allclose(scorer_of(card).members(image, region, (2.0, 2.0, 2.0)), shown.mean((1, 2, 3)), atol=1e-6)


def test_where_a_folder_lies_does_not_change_its_card(tmp_path: Path) -> None:
    one, other = (card_of_model(folder(tmp_path / name, network={"members": 2})) for name in ("a", "b"))
    assert one.sha256 == other.sha256


def test_a_card_beside_a_network_folder_may_name_it(tmp_path: Path) -> None:
    folder(tmp_path / "m")
    (tmp_path / "card.toml").write_text(CARD.replace("net.onnx", "m") + "members = 2\n")
    card = card_of_model(tmp_path / "card.toml")
    assert scorer_of(card).how == HOW
    assert training_hashes(card) == {"aa", "bb"}


def test_a_changed_folder_is_refused_and_so_is_one_that_does_not_say_what_it_is_shown(tmp_path: Path) -> None:
    changed = folder(tmp_path / "m")
    (changed / "network.onnx").write_bytes(graph(1))
    with pytest.raises(BadModelFile, match="was changed"):
        card_of_model(changed)
    silent = save_network(tmp_path / "s", network_record("net", "event", graph=graph()))
    with pytest.raises(BadInput, match="does not say what it is shown"):
        card_of_model(silent)
    with pytest.raises(BadInput, match="unknown table"):
        card_of_model(folder(tmp_path / "u", nonsense={"a": 1}))


@pytest.fixture
def torch_card(tmp_path: Path) -> Path:
    from safetensors.numpy import save_file

    (tmp_path / "net.py").write_text(CODE)
    save_file({"scale": np.array([2.0], dtype=np.float32)}, tmp_path / "weights.safetensors")
    text = CARD.replace('kind = "onnx"', 'kind = "torch"').replace("net.onnx", "weights.safetensors")
    (tmp_path / "card.toml").write_text(text + 'module = "net.py:Brightest"\n')
    return tmp_path / "card.toml"


def test_a_torch_module_runs_only_with_leave(torch_card: Path) -> None:
    torch_card.with_name("net.py").write_text("raise SystemExit('this code ran')")
    with pytest.raises(BadInput, match="--allow-code"):
        scorer_of(card_of_model(torch_card))


def test_with_leave_a_torch_module_scores_with_its_weights(torch_card: Path) -> None:
    image, region = lesion()
    found = scorer_of(card_of_model(torch_card), allow_code=True).score(image, region, (2.0, 2.0, 2.0))
    assert found == pytest.approx(2 * prepared(image, region, (2.0, 2.0, 2.0), HOW)[0].max(), rel=1e-6)
    assert training_hashes(card_of_model(torch_card)) == frozenset()


def test_code_that_fails_or_builds_something_else_is_told_in_one_sentence(torch_card: Path) -> None:
    for code, said in (
        ("1 / 0", "division by zero"),
        ("def Brightest():\n    return 3", "returns a int"),
        ("", "has no attribute 'Brightest'"),
    ):
        torch_card.with_name("net.py").write_text(code)
        with pytest.raises(BadInput, match=said):
            scorer_of(card_of_model(torch_card), allow_code=True)


def test_torch_weights_are_safetensors_and_never_a_pickle(torch_card: Path) -> None:
    weights = torch_card.with_name("weights.safetensors")
    weights.write_bytes(pickle.dumps({"scale": 2.0}))
    with pytest.raises(BadModelFile, match="would run code"):
        scorer_of(card_of_model(torch_card), allow_code=True)
    weights.write_bytes(b"nonsense that is no file of weights")
    with pytest.raises(BadModelFile, match="safetensors"):
        scorer_of(card_of_model(torch_card), allow_code=True)


def test_the_graph_of_these_tests_is_valid() -> None:
    onnx.checker.check_model(onnx.load_from_string(graph(2, several=True)))
