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
from onclair.core.errors import BadInput, BadTable
from onclair.io.chainlog import Problem
from onclair.io.files import sha256_file
from onclair.io.models import MANIFEST_FORMAT, load_formula
from onclair.validate.protocol.formula import Formula, logistic_formula
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
    formula = logistic_formula(record)
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
        logistic_formula(load_formula(folder / BUNDLE / MODEL)),
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
