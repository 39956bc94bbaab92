"""What a protocol locks: model, preprocessing, thresholds and reference, each under its SHA-256, and the plan beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from onclair.core.canonical import canonical_json
from onclair.core.errors import BadInput, BadModelFile, BadTable
from onclair.io.chainlog import Problem
from onclair.io.files import sha256_file
from onclair.io.models import MANIFEST_FORMAT, ModelRecord, load_formula
from onclair.science.statistics.formula import Formula, formula_of
from onclair.validate.protocol.plan import ProtocolPlan, read_protocol_plan

PLAN, BUNDLE, MANIFEST = "plan.toml", "bundle", "manifest.json"
MODEL, PREPROCESSING, THRESHOLDS, REFERENCE = "model.json", "preprocessing.json", "thresholds.json", "reference.json"
#: Sorted values of an input that the bundle keeps as its reference, so that no patient's row can be put together again.
REFERENCE_VALUES = 500


@dataclass(frozen=True, slots=True)
class Bundle:
    """A locked bundle, read after every hash was found to hold.

    Attributes
    ----------
    plan : ProtocolPlan
    formula : Formula
    reference : mapping of input to tuple of float
        Sorted; empty when no reference table was locked.
    """

    plan: ProtocolPlan
    formula: Formula
    reference: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def write_bundle(folder: Path, model: Path, plan: bytes, reference: pd.DataFrame | None) -> dict[str, Any]:
    """Write plan and bundle into an empty folder, and return what the log's first record seals.

    Parameters
    ----------
    folder : Path
    model : Path
        A logistic formula as one JSON file; it is kept byte for byte.
    plan : bytes
        Of the TOML file; kept byte for byte.
    reference : DataFrame or None
        One column an input; of each only quantiles are kept.

    Raises
    ------
    BadModelFile, BadSetting, BadTable
        When one of the three cannot be used.
    """
    read_protocol_plan(plan)
    record = load_formula(model)
    formula = locked_formula(record)
    contents = {
        MODEL: model.read_bytes(),
        PREPROCESSING: canonical_json(_preprocessing(formula)) + b"\n",
        THRESHOLDS: canonical_json({"thresholds": list(formula.thresholds)}) + b"\n",
    }
    if reference is not None:
        contents[REFERENCE] = canonical_json({"inputs": _quantiles(reference, formula)}) + b"\n"
    files = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    contents[MANIFEST] = canonical_json({"format": MANIFEST_FORMAT, "files": files}) + b"\n"
    (folder / BUNDLE).mkdir()
    for name, data in contents.items():
        (folder / BUNDLE / name).write_bytes(data)
    (folder / PLAN).write_bytes(plan)
    hashes = {"plan": hashlib.sha256(plan).hexdigest(), "manifest": hashlib.sha256(contents[MANIFEST]).hexdigest()}
    return {"model": formula.name, "outcome": record.document["outcome"], "inputs": [each.name for each in formula.inputs], **hashes}


def locked_formula(record: ModelRecord) -> Formula:
    """Return the logistic formula in a model record, of numbers only: a protocol fills nothing in and takes no word.

    Raises
    ------
    BadModelFile
        For another family, arrays or trees, whatever a formula cannot hold (:func:`onclair.science.statistics.formula.formula_of`), an
        input with levels or a value for missing ones, or a threshold outside (0, 1).

    Examples
    --------
    >>> locked_formula(ModelRecord({"format": "onclair-model/1", "name": "m", "family": "logistic", "outcome": "y", "intercept": 0,
    ...     "inputs": [], "terms": [{"input": "age", "coefficient": 0.1}]})).inputs[0].name
    'age'
    """
    name, family = str(record.document["name"]), record.document["family"]
    if family != "logistic" or record.arrays or record.trees is not None:
        said = f"The model '{name}' is of the family '{family}'"
        raise BadModelFile(f"{said}; a protocol takes a logistic formula in one JSON file.", item=name)
    formula = formula_of(record.document)
    for each in formula.inputs:
        if each.text or each.missing is not None:
            what = "has levels" if each.text else "says what stands for a missing value"
            said = f"The input '{each.name}' {what}"
            raise BadModelFile(f"{said}, which a protocol does not take; code levels as inputs of 0 and 1.", item=each.name)
    for value in formula.thresholds:
        if not 0 < value < 1:
            raise BadModelFile(f"A threshold of the model is {value:g}; thresholds are risks between 0 and 1.", item="thresholds")
    return formula


def bundle_problems(folder: Path, sealed: Mapping[str, Any]) -> list[Problem]:
    """Return every byte of plan and bundle that is not as the log's first record sealed it.

    Parameters
    ----------
    folder : Path
        Of the protocol.
    sealed : mapping
        As :func:`write_bundle` returned it.
    """
    try:
        found = {path.name: sha256_file(path) for path in sorted((folder / BUNDLE).iterdir())}
        plan = sha256_file(folder / PLAN)
        files = json.loads((folder / BUNDLE / MANIFEST).read_bytes())["files"]
        expected = {str(name): str(digest) for name, digest in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return [Problem("bundle", None, f"The plan or the bundle cannot be read ({_brief(error)}); it was changed after it was locked.")]
    changed = [PLAN] if plan != sealed.get("plan") else []
    if found.pop(MANIFEST, None) != sealed.get("manifest"):
        changed.append(f"{BUNDLE}/{MANIFEST}")
    changed += [f"{BUNDLE}/{name}" for name in sorted({*found, *expected}) if found.get(name) != expected.get(name)]
    return [Problem("bundle", None, f"{name} was changed, added or removed after it was locked.") for name in changed]


def read_bundle(folder: Path, sealed: Mapping[str, Any]) -> Bundle:
    """Return the bundle of a protocol.

    Raises
    ------
    BadInput
        When any byte of it was changed after it was locked.
    """
    problems = bundle_problems(folder, sealed)
    if problems:
        raise BadInput(f"{problems[0].message} Nothing was predicted or logged: put back what was locked.", item=problems[0].code)
    reference: Mapping[str, Sequence[float]] = {}
    if (folder / BUNDLE / REFERENCE).exists():
        reference = json.loads((folder / BUNDLE / REFERENCE).read_bytes())["inputs"]
    return Bundle(
        read_protocol_plan((folder / PLAN).read_bytes()),
        locked_formula(load_formula(folder / BUNDLE / MODEL)),
        {name: tuple(values) for name, values in reference.items()},
    )


def _preprocessing(formula: Formula) -> dict[str, Any]:
    """Return what happens to a table before the formula: values are taken as they are, and refused where they cannot be."""
    inputs = [{"name": each.name, "unit": each.unit, "low": each.low, "high": each.high} for each in formula.inputs]
    return {"format": "onclair-preprocessing/1", "inputs": inputs, "missing": "refused", "outside_range": "refused"}


def _quantiles(frame: pd.DataFrame, formula: Formula) -> dict[str, list[float]]:
    found = {}
    for each in formula.inputs:
        if each.name not in frame:
            raise BadTable(f"The reference table has no column '{each.name}', an input of the model; add it.", item=each.name)
        values = pd.to_numeric(frame[each.name], errors="coerce").to_numpy(dtype=np.float64)
        values = np.sort(values[np.isfinite(values)])
        if values.size < 20:
            said = f"The reference table holds {values.size} numbers in '{each.name}'; drift needs at least 20."
            raise BadTable(said, item=each.name)
        at = (np.arange(REFERENCE_VALUES) + 0.5) / REFERENCE_VALUES
        found[each.name] = (values if values.size <= REFERENCE_VALUES else np.quantile(values, at)).tolist()
    return found


def _brief(error: Exception) -> str:
    return (error.strerror or "it does not open").lower() if isinstance(error, OSError) else "its manifest is no table"
