"""Model files: what was saved comes back; what was changed, added or could run is refused and never opened."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import zipfile
import zlib
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from onclair.core.errors import BadInput, BadModelFile, NoRoom
from onclair.io.executable import executable_kind, refuse_executable_file
from onclair.io.models import FORMAT, ModelRecord, load_formula, load_model, save_model
from onclair.io.trees import ALLOWED_TYPES, trees_from_bytes, trees_to_bytes, zipped

DOCUMENT = {
    "format": FORMAT,
    "name": "risk",
    "family": "logistic",
    "outcome": "relapse",
    "inputs": [{"name": "volume", "unit": "mL", "low": 0.0, "high": 900.0, "missing": None}],
    "terms": [{"input": "volume", "transform": "log", "coefficient": 0.7}],
    "intercept": -1.5,
    "thresholds": [0.2, 0.4],
    "extra": {"calibrator": {"slope": np.float64(0.9)}},
}


class Payload:
    """A pickle that creates a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.mkdir, (str(self.path), 0o700)


def forest() -> RandomForestClassifier:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    return RandomForestClassifier(5, max_depth=3, random_state=1).fit(X, X[:, 0] > 0)


def record() -> ModelRecord:
    return ModelRecord(DOCUMENT, {"knots": np.array([0.1, 0.2]), "names": np.array(["a", "é"])}, forest())


def saved(tmp_path: Path) -> Path:
    return save_model(tmp_path / "model", record())


def test_a_model_survives_the_disk(tmp_path: Path):
    again = load_model(saved(tmp_path))
    assert again.document == record().document
    assert again.document["extra"]["calibrator"]["slope"] == 0.9
    assert again.arrays["names"].tolist() == ["a", "é"]
    X = np.random.default_rng(1).normal(size=(7, 3))
    assert np.array_equal(again.trees.predict_proba(X), forest().predict_proba(X))


def test_equal_models_give_equal_bytes(tmp_path: Path):
    a, b = save_model(tmp_path / "a", record()), save_model(tmp_path / "b", record())
    assert sorted(p.name for p in a.iterdir()) == ["arrays.npz", "manifest.json", "model.json", "trees.skops"]
    for path in a.iterdir():
        assert path.read_bytes() == (b / path.name).read_bytes(), path.name


@pytest.mark.parametrize("name", ["model.json", "arrays.npz", "trees.skops"])
def test_a_flipped_bit_is_refused(tmp_path: Path, name: str):
    folder = saved(tmp_path)
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(BadModelFile, match=f"{name} of the model model was changed after it was saved"):
        load_model(folder)


def test_a_missing_and_an_added_file_are_refused(tmp_path: Path):
    folder = saved(tmp_path)
    (folder / "notes.txt").write_text("hello")
    with pytest.raises(BadModelFile, match=r"holds notes.txt, which its manifest does not allow"):
        load_model(folder)
    (folder / "notes.txt").unlink()
    (folder / "arrays.npz").unlink()
    with pytest.raises(BadModelFile, match=r"lacks arrays.npz"):
        load_model(folder)


def test_a_model_without_manifest_is_refused(tmp_path: Path):
    folder = saved(tmp_path)
    (folder / "manifest.json").unlink()
    with pytest.raises(BadModelFile, match=r"has no manifest.json"):
        load_model(folder)


def test_a_model_never_replaces_another(tmp_path: Path):
    saved(tmp_path)
    with pytest.raises(NoRoom, match="nothing was replaced"):
        saved(tmp_path)


def torch_like(payload: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", payload)
        archive.writestr("archive/version", "3")
    return buffer.getvalue()


def objects_npz(payload: Payload) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.array([payload], dtype=object))
    return buffer.getvalue()


def joblib_bytes(payload: object, compress: int) -> bytes:
    buffer = io.BytesIO()
    joblib.dump({"w": np.zeros(5), "p": payload}, buffer, compress=compress)
    return buffer.getvalue()


def dresses(payload: Payload) -> dict[str, bytes]:
    bare = pickle.dumps(payload)
    return {
        **{f"protocol {n}": pickle.dumps(payload, protocol=n) for n in range(6)},
        "zip with data.pkl": torch_like(bare),
        "zlib": zlib.compress(bare),
        "gzip": gzip.compress(bare),
        "bz2": bz2.compress(bare),
        "xz": lzma.compress(bare),
        "lzma": lzma.compress(bare, format=lzma.FORMAT_ALONE),
        "joblib": joblib_bytes(payload, 0),
        "compressed joblib": joblib_bytes(payload, 3),
        "objects in NPZ": objects_npz(payload),
        "gzip twice": gzip.compress(gzip.compress(bare)),
        "zip in a renamed member": zipped({"weights.npy": bare}),
    }


@pytest.mark.parametrize("name", ["model.json", "arrays.npz", "trees.skops", "weights.safetensors", "model.pkl"])
def test_pickle_in_any_dress_is_refused_by_content_and_never_opened(tmp_path: Path, name: str):
    canary = tmp_path / "canary"
    for dress, data in dresses(Payload(canary)).items():
        assert executable_kind(data), dress
        folder = tmp_path / dress.replace(" ", "-")
        folder.mkdir()
        (folder / name).write_bytes(data)
        (folder / "manifest.json").write_text("{}")
        for load in (lambda f=folder: load_model(f), lambda f=folder: load_model(f / name), lambda f=folder: load_formula(f / name)):
            with pytest.raises(BadModelFile, match="loading it would run code, so it was not opened"):
                load()
        with pytest.raises(BadModelFile):
            refuse_executable_file(folder / name)
    assert not canary.exists()


def test_the_payload_of_these_tests_would_run_if_it_were_loaded(tmp_path: Path):
    pickle.loads(pickle.dumps(Payload(tmp_path / "canary")))
    assert (tmp_path / "canary").is_dir()


def test_honest_files_are_not_taken_for_pickle(tmp_path: Path):
    for path in saved(tmp_path).iterdir():
        assert executable_kind(path.read_bytes()) is None, path.name
    safetensors = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    assert executable_kind(len(safetensors).to_bytes(8, "little") + safetensors + bytes(4)) is None


def test_a_type_outside_our_own_list_is_refused_on_both_sides(tmp_path: Path):
    import skops.io

    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(BadInput, match=r"sklearn.linear_model._logistic.LogisticRegression"):
        trees_to_bytes(model)
    with pytest.raises(BadModelFile, match=r"LogisticRegression, which is not among the types that Onclair builds"):
        trees_from_bytes(skops.io.dumps(model), "trees.skops")
    assert not any("linear_model" in name or "function" in name for name in ALLOWED_TYPES)


def test_a_forest_that_names_another_function_is_refused():
    data = trees_to_bytes(forest())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["schema.json"] = members["schema.json"].replace(b'"RandomForestClassifier"', b'"_parallel_build_trees"')
    with pytest.raises(BadModelFile, match="_parallel_build_trees"):
        trees_from_bytes(zipped(members), "trees.skops")


def test_extra_trees_are_read_back():
    X = np.random.default_rng(0).normal(size=(30, 2))
    model = ExtraTreesRegressor(4, random_state=0).fit(X, X[:, 0])
    assert np.array_equal(trees_from_bytes(trees_to_bytes(model), "t").predict(X), model.predict(X))


def formula(tmp_path: Path, **changes: object) -> Path:
    path = tmp_path / "formula.json"
    path.write_text(json.dumps({**DOCUMENT, "extra": {}, **changes}))
    return path


def test_a_formula_typed_by_hand_is_read(tmp_path: Path):
    assert load_formula(formula(tmp_path)).document["terms"] == [{"input": "volume", "transform": "log", "coefficient": 0.7}]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"intercpt": 1}, "unknown key 'intercpt'; did you mean 'intercept'"),
        ({"terms": [{"input": "volume", "coeficient": 1}]}, "unknown key 'coeficient'; did you mean 'coefficient'"),
        ({"terms": [{"input": "volum", "coefficient": 1}]}, "uses the input 'volum', which is not listed; did you mean 'volume'"),
        ({"terms": [{"input": "volume", "coefficient": "0,7"}]}, "coefficient of 'volume' of formula.json is '0,7'; it must be a number"),
        ({"intercept": float("nan")}, "NaN is no number"),
        ({"format": "onclair-model/2"}, "this version reads 'onclair-model/1'"),
        ({"outcome": ""}, "'outcome' of formula.json is ''"),
    ],
)
def test_a_formula_with_a_slip_is_refused_with_the_nearest_name(tmp_path: Path, changes: dict[str, object], sentence: str):
    with pytest.raises(BadModelFile, match=sentence):
        load_formula(formula(tmp_path, **changes))


def test_arrays_of_objects_and_nan_in_the_document_are_not_saved(tmp_path: Path):
    with pytest.raises(BadModelFile, match="'a' of the model holds Python objects"):
        ModelRecord(DOCUMENT, {"a": np.array([{}], dtype=object)})
    with pytest.raises(BadInput, match="write None for NaN"):
        save_model(tmp_path / "m", ModelRecord({**DOCUMENT, "extra": {"x": float("nan")}}))
