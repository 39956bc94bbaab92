"""A network and a cohort in: the same ten gates as for a card, the controls of deep models, and a run that holds the network."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from commandline import onclair_here
from onclair.core.errors import BadCohort, BadInput, BadModelFile, BadSetting
from onclair.io.cohorts import read_cohort
from onclair.io.networks import network_record, save_network
from onclair.learn.adapters import network_extra
from onclair.learn.network_input import NetworkInput, image_sha256
from onclair.run.store import read_seal
from onclair.studies.tasks.radiomics_audit import Audit, Audited, audit, replay_audit
from onclair.studies.tasks.radiomics_audit_deep import DEEP
from onclair.studies.tasks.radiomics_audit_measure import read_case
from onclair.studies.tasks.radiomics_audit_plan import network_reading
from onclair.studies.tasks.radiomics_audit_scorer import network_engine
from onclair.virtual.radiomics import VirtualRadiomics, write

SIZE, PATIENTS = 14, 20
CARD = f"""
[card]
name = "NAME"
claim = "predicts the event"
modality = "PET"
outcome = "event"
[preprocessing]
spacing = [6.0, 6.0, 6.0]
[model]
kind = "KIND"
file = "NAME.onnx"
[network]
size = {SIZE}
channels = ["image", "mask"]
normalise = "NORMALISE"
"""


def onnx_file(path: Path, nodes: list[Any], constants: dict[str, Any], width: int = 1) -> Path:
    """Write a network from ``volume`` (n, 2, x, y, z) to ``scores`` (n, width) made of a few nodes."""
    volume = helper.make_tensor_value_info("volume", TensorProto.FLOAT, ["n", 2, SIZE, SIZE, SIZE])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", width])
    kept = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "hand-made", [volume], [scores], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def summed_mask(path: Path) -> Path:
    """A network that answers how many voxels the outline has."""
    nodes = [
        helper.make_node("Gather", ["volume", "one"], ["mask"], axis=1),
        helper.make_node("ReduceSum", ["mask", "space"], ["scores"], keepdims=0),
    ]
    return onnx_file(path, nodes, {"one": np.array([1], np.int64), "space": np.array([2, 3, 4], np.int64)})


def grain(path: Path) -> Path:
    """A network of two members that answers the mean difference of neighbours within the outline, and a hundredth more."""
    apart = [np.array([0], np.int64), np.array([SIZE - 1], np.int64), np.array([1], np.int64), np.array([SIZE], np.int64)]
    nodes = [
        helper.make_node("Slice", ["volume", "first", "last", "axis"], ["left"]),
        helper.make_node("Slice", ["volume", "second", "end", "axis"], ["right"]),
        helper.make_node("Gather", ["left", "zero"], ["left_image"], axis=1),
        helper.make_node("Gather", ["right", "zero"], ["right_image"], axis=1),
        helper.make_node("Gather", ["left", "one"], ["left_mask"], axis=1),
        helper.make_node("Gather", ["right", "one"], ["right_mask"], axis=1),
        helper.make_node("Mul", ["left_mask", "right_mask"], ["both"]),
        helper.make_node("Sub", ["left_image", "right_image"], ["signed"]),
        helper.make_node("Abs", ["signed"], ["step"]),
        helper.make_node("Mul", ["step", "both"], ["counted"]),
        helper.make_node("ReduceSum", ["counted", "space"], ["total"], keepdims=0),
        helper.make_node("ReduceSum", ["both", "space"], ["pairs"], keepdims=0),
        helper.make_node("Div", ["total", "pairs"], ["mean"]),
        helper.make_node("Mul", ["mean", "members"], ["scores"]),
    ]
    constants = {
        **dict(zip(("first", "last", "second", "end"), apart, strict=True)),
        "axis": np.array([2], np.int64),
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "space": np.array([2, 3, 4], np.int64),
        "members": np.array([[1.0, 1.01]], np.float32),
    }
    return onnx_file(path, nodes, constants, width=2)


def carded(network: Path, *, kind: str = "onnx", normalise: str = "none", more: str = "") -> Path:
    path = network.with_suffix(".toml")
    path.write_text(CARD.replace("NAME", network.stem).replace("KIND", kind).replace("NORMALISE", normalise) + more)
    return path


def virtual(place: Path, patients: int, form: str = "nifti") -> Path:
    asked = {"patients": patients, "centres": 2, "seed": 3, "truth": "volume", "field_mm": 96.0, "card_patients": 0}
    return write(VirtualRadiomics(**asked, form=form), place)


def named(done: Audited) -> dict[str, Any]:
    return {estimate.name: estimate for estimate in done.claim.estimates}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return virtual(tmp_path_factory.mktemp("cohort") / "cohort", PATIENTS)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same six virtual patients as NIfTI and as DICOM."""
    place = tmp_path_factory.mktemp("few")
    return {form: virtual(place / form, 6, form) for form in ("nifti", "dicom")}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("models")
    return {
        "size": carded(summed_mask(place / "size.onnx")),
        "grain": carded(grain(place / "grain.onnx"), normalise="z-score", more="members = 2\n"),
    }


@pytest.fixture(scope="module")
def size(cohort: Path, models: dict[str, Path]) -> Audited:
    return audit(Audit(None, cohort, seeds=2, model=models["size"]))


@pytest.fixture(scope="module")
def kept(few: dict[str, Path], models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Audited, Path]:
    """The network that counts, on the few, in a folder."""
    out = tmp_path_factory.mktemp("kept") / "run"
    return audit(Audit(None, few["nifti"], seeds=1, out=out, model=models["size"])), out


@pytest.fixture(scope="module")
def texture(cohort: Path, models: dict[str, Path]) -> Audited:
    return audit(Audit(None, cohort, seeds=2, model=models["grain"]))


def test_a_network_that_counts_the_outline_is_explained_by_volume(size: Audited) -> None:
    found = named(size)
    assert "volume" in size.claim.facts["verdict"]["explained_by"]
    assert found["spearman:model:volume"].value > 0.95
    assert found["r2:model:volume"].value > 0.9
    assert len(size.as_dict()["gates"]) == 10


def test_a_network_that_counts_the_outline_keeps_its_score_without_intensities_and_loses_it_at_one_size(size: Audited) -> None:
    found = named(size)
    assert all(f"auc:model:{name}" in found and f"auc:model-minus-{name}" in found for name in DEEP)
    for kept in ("blank-outside", "mask-only", "rescaled"):
        assert found[f"spearman:model:{kept}"].value == 1.0
    assert abs(found["spearman:model:size-matched"].value or 0.0) < 0.9
    assert found["share:model:occlusion-inside"].status != "ok"


def test_a_network_that_reads_grain_is_not_explained_by_volume_and_loses_its_score_without_intensities(texture: Audited) -> None:
    found = named(texture)
    assert texture.claim.facts["verdict"]["explained_by"] == []
    assert found["spearman:model:blank-outside"].value > 0.9
    assert found["spearman:model:rescaled"].value > 0.99
    assert found["spearman:model:mask-only"].value is None
    assert found["spearman:model:shuffled-voxels"].value < 0.9
    assert found["share:model:occlusion-inside-minus-even"].value > 0.1


def test_the_members_of_an_ensemble_are_compared_and_a_single_network_says_that_it_has_none(texture: Audited, size: Audited) -> None:
    found = named(texture)
    assert found["icc:model:members"].value > 0.9
    assert found["sd:model:members"].value > 0
    assert named(size)["icc:model:members"].status == "not_available"


def test_a_run_holds_its_network_verifies_and_is_replayed_without_the_place_that_it_came_from(
    kept: tuple[Audited, Path], models: dict[str, Path], tmp_path: Path
) -> None:
    done, out = kept
    assert sorted(path.name for path in (out / "validate" / "model").iterdir()) == ["card.toml", "size.onnx"]
    assert onclair_here("verify", out, "--json").json["valid"]
    away = models["size"].with_name("away.toml")
    models["size"].rename(away)
    try:
        said = onclair_here("replay", out, "--workers", "1", "--json")
    finally:
        away.rename(models["size"])
    assert said.json["equal"], said.err
    moved = shutil.copytree(out, tmp_path / "moved")
    (moved / "validate" / "model" / "size.onnx").write_bytes(b"another")
    assert [p["file"] for p in onclair_here("verify", moved, "--json").json["problems"]] == ["validate/model/size.onnx"]
    assert done.claim.facts["network"]["sha256"] == read_seal(out).settings["model"]


def test_an_audit_given_again_reuses_all_and_a_changed_network_is_another_audit(
    kept: tuple[Audited, Path], models: dict[str, Path], few: dict[str, Path], tmp_path: Path
) -> None:
    done, out = kept
    again = audit(Audit(None, few["nifti"], seeds=1, out=out, model=models["size"]))
    assert (again.reused, again.computed, again.seal.id) == (6, 0, done.seal.id)
    other = tmp_path / "size.onnx"
    shutil.copy(models["size"], tmp_path / "size.toml")
    grown = onnx.load(models["size"].with_suffix(".onnx"))
    grown.producer_name = "another"
    other.write_bytes(grown.SerializeToString())
    said = onclair_here(
        "radiomics", "audit", "--model", tmp_path / "size.toml", "--data", few["nifti"], "--seeds", "1", "--out", out, "--workers", "1"
    )
    assert said.code == 2
    assert "another model" in said.err


def test_the_dicom_twin_of_a_cohort_comes_to_the_same_verdict(
    kept: tuple[Audited, Path], models: dict[str, Path], few: dict[str, Path]
) -> None:
    one, other = kept[0], audit(Audit(None, few["dicom"], seeds=1, model=models["size"]))
    assert one.claim.facts["verdict"] == other.claim.facts["verdict"]
    assert [gate["status"] for gate in one.claim.facts["gates"]] == [gate["status"] for gate in other.claim.facts["gates"]]
    assert named(one)["auc:model"].value == named(other)["auc:model"].value


def test_a_changed_slice_of_a_dicom_series_is_another_input(few: dict[str, Path]) -> None:
    from onclair.run.describe import input_hashes

    cohort = read_cohort(few["dicom"])
    patient = cohort.patients[0]
    before = input_hashes(cohort, patient)
    last = sorted((few["dicom"] / "images" / patient / "pet").iterdir())[-1]
    content = last.read_bytes()
    try:
        last.write_bytes(content[:-2] + bytes([content[-2] ^ 1, content[-1]]))
        assert input_hashes(cohort, patient) != before
    finally:
        last.write_bytes(content)


def folder_of(models: dict[str, Path], out: Path, images: tuple[str, ...]) -> Path:
    """The network that counts as a folder of Onclair, trained on some images."""
    how = NetworkInput((6.0, 6.0, 6.0), (SIZE, SIZE, SIZE), ("image", "mask"), "none")
    extra = network_extra({"card": {"name": "size", "modality": "PET", "outcome": "event"}}, how, images)
    graph = models["size"].with_suffix(".onnx").read_bytes()
    return save_network(out, network_record("size", "event", graph=graph, extra=extra))


def test_a_patient_whom_the_network_was_trained_on_is_refused(few: dict[str, Path], models: dict[str, Path], tmp_path: Path) -> None:
    cohort, (card, engine) = read_cohort(few["nifti"]), network_engine(models["size"])
    known = cohort.patients[4]
    image, _ = read_case(cohort, known, network_reading(card, engine))
    folder = folder_of(models, tmp_path / "net", (image_sha256(image.array),))
    with pytest.raises(BadCohort, match=rf"trained on 1 of the 6 patients .*{known}"):
        audit(Audit(None, few["nifti"], seeds=1, model=folder))


def test_a_network_folder_is_audited_and_replayed_as_its_card_is(
    kept: tuple[Audited, Path], few: dict[str, Path], models: dict[str, Path], tmp_path: Path
) -> None:
    folder = folder_of(models, tmp_path / "net", ("somebody else",))
    done = audit(Audit(None, few["nifti"], seeds=1, out=tmp_path / "run", model=folder))
    assert named(done)["spearman:model:volume"] == named(kept[0])["spearman:model:volume"]
    shutil.rmtree(folder)
    assert replay_audit(tmp_path / "run").equal


def test_a_card_and_a_network_together_or_neither_are_refused_in_one_sentence(few: dict[str, Path], models: dict[str, Path]) -> None:
    for words in ((), ("--card", "suvmax-only", "--model", models["size"])):
        said = onclair_here("radiomics", "audit", *words, "--data", few["nifti"], "--json")
        assert (said.code, said.out) == (2, "")
        assert "one of the two" in said.err


def test_torch_code_needs_leave_to_run(few: dict[str, Path], tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"w": np.zeros(1, np.float32)}, tmp_path / "m.onnx")
    card = carded(tmp_path / "m.onnx", kind="torch", more='module = "nobody.wrote:this"\n')
    with pytest.raises(BadInput, match="--allow-code"):
        audit(Audit(None, few["nifti"], model=card))


def test_a_torch_module_scores_as_its_onnx_twin_does_and_is_replayed_with_leave_only(
    kept: tuple[Audited, Path], few: dict[str, Path], tmp_path: Path
) -> None:
    from safetensors.numpy import save_file

    (tmp_path / "code.py").write_text(
        "import torch\n\nclass Size(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.w = torch.nn.Parameter(torch.zeros(1))\n\n    def forward(self, x):\n"
        "        return self.w * x[:, 1].sum(dim=(1, 2, 3))[:, None]\n"
    )
    save_file({"w": np.ones(1, np.float32)}, tmp_path / "size.onnx")
    card = carded(tmp_path / "size.onnx", kind="torch", more='module = "code.py:Size"\n')
    done = audit(Audit(None, few["nifti"], seeds=1, out=tmp_path / "run", model=card, allow_code=True))
    assert named(done)["spearman:model:volume"] == named(kept[0])["spearman:model:volume"]
    scores = [(run / "validate" / "scores.csv").read_text() for run in (tmp_path / "run", kept[1])]
    assert scores[0] == scores[1]
    assert (tmp_path / "run" / "validate" / "model" / "code.py").is_file()
    assert replay_audit(tmp_path / "run", allow_code=True).equal
    with pytest.raises(BadInput, match="--allow-code"):
        replay_audit(tmp_path / "run")


def test_a_network_of_another_input_and_a_torch_file_are_refused(few: dict[str, Path], models: dict[str, Path], tmp_path: Path) -> None:
    shutil.copy(models["size"].with_suffix(".onnx"), tmp_path / "size.onnx")
    card = tmp_path / "size.toml"
    card.write_text(models["size"].read_text().replace(f"size = {SIZE}", "size = 20"))
    with pytest.raises(BadInput, match="size and channels"):
        audit(Audit(None, few["nifti"], model=card))
    import torch

    torch.save({"w": torch.zeros(2)}, tmp_path / "weights.pt")
    with pytest.raises(BadModelFile):
        audit(Audit(None, few["nifti"], model=tmp_path / "weights.pt"))


def test_a_network_given_as_a_card_is_sent_to_the_other_option(few: dict[str, Path], models: dict[str, Path]) -> None:
    with pytest.raises(BadSetting, match="--model"):
        audit(Audit(models["size"], few["nifti"]))
