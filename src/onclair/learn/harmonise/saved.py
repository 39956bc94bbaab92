"""A fitted harmoniser to and from its record on disk: readable JSON beside its arrays, with exactly equal outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadModelFile, BadSetting
from onclair.core.names import did_you_mean
from onclair.io.models import FORMAT, ModelRecord
from onclair.learn.harmonise.covbat import FittedCovBat
from onclair.learn.harmonise.location_scale import LocationScale
from onclair.learn.harmonise.nested import FittedNested
from onclair.learn.harmonise.protocol import FittedHarmoniser
from onclair.learn.harmonise.samples import Coding

#: What the key ``outcome`` of the document says: no outcome was looked at.
NO_OUTCOME = "none (harmonisation)"

_FAMILIES = ("combat", "zscore", "covbat", "nested")
_ARRAYS = ("centre", "grand", "scale", "coefficients", "location", "spread")

Arrays = dict[str, npt.NDArray[Any]]


def harmoniser_record(fitted: FittedHarmoniser) -> ModelRecord:
    """Return the record of a fitted harmoniser, ready for ``io.models.save_model``.

    Raises
    ------
    BadSetting
        When it is none of this room's.

    Examples
    --------
    >>> import pandas as pd
    >>> from onclair.learn.harmonise.zscore import ZScore
    >>> table, batch = pd.DataFrame({"f": [1.0, 3.0, 10.0, 14.0]}), pd.Series(list("xxyy"))
    >>> fitted = ZScore().fit(table, batch)
    >>> harmoniser_of(harmoniser_record(fitted)).transform(table, batch).equals(fitted.transform(table, batch))
    True
    """
    family, steps, arrays, more = _parts(fitted)
    document = {
        "format": FORMAT,
        "name": "harmoniser",
        "family": family,
        "outcome": NO_OUTCOME,
        "inputs": [{"name": column} for column in fitted.columns],
        "extra": {"steps": steps, **more},
    }
    return ModelRecord(document, arrays)


def harmoniser_of(record: ModelRecord) -> FittedHarmoniser:
    """Return the fitted harmoniser in a record.

    Raises
    ------
    BadModelFile
        When the record holds another kind of model, or lacks or mangles an entry.
    """
    family = str(record.document["family"])
    if family not in _FAMILIES:
        raise BadModelFile(f"The model is of the family '{family}', which is no harmoniser; {did_you_mean(family, _FAMILIES)}", item=family)
    try:
        extra, arrays = record.document["extra"], record.arrays
        columns = tuple(str(item["name"]) for item in record.document["inputs"])
        if family == "covbat":
            names = tuple(f"component_{i + 1}" for i in range(len(arrays["axes"])))
            first, scores = (_step(s, n, arrays, f"{i}.") for i, (s, n) in enumerate(zip(extra["steps"], (columns, names), strict=True)))
            return FittedCovBat(first, scores, _floats(arrays["mean"]), _floats(arrays["deviation"]), _floats(arrays["axes"]))
        steps = tuple(_step(step, columns, arrays, f"{i}.") for i, step in enumerate(extra["steps"]))
        if family == "nested":
            return FittedNested(steps, {tuple(order): int(count) for order, count in extra["differing"]})
        return steps[0]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BadModelFile(f"The harmoniser lacks or mangles an entry ({error}); fetch it again, or learn and save it anew.") from error


def _parts(fitted: FittedHarmoniser) -> tuple[str, list[dict[str, Any]], Arrays, dict[str, Any]]:
    """Return family, steps, arrays and further entries of a harmoniser."""
    if isinstance(fitted, LocationScale):
        return fitted.method, [_document(fitted)], _arrays_of(fitted, "0."), {}
    if isinstance(fitted, FittedCovBat):
        arrays = {"mean": fitted.mean, "deviation": fitted.deviation, "axes": fitted.axes}
        steps = (fitted.first, fitted.scores)
        return "covbat", [_document(s) for s in steps], {**arrays, **_arrays_of(steps[0], "0."), **_arrays_of(steps[1], "1.")}, {}
    if isinstance(fitted, FittedNested):
        parts: Arrays = {}
        for i, step in enumerate(fitted.steps):
            parts |= _arrays_of(step, f"{i}.")
        return "nested", [_document(s) for s in fitted.steps], parts, {"differing": [[list(o), n] for o, n in fitted.differing.items()]}
    raise BadSetting(f"There is no file format for a {type(fitted).__name__}; save a harmoniser of Onclair.")


def _document(step: LocationScale) -> dict[str, Any]:
    return {
        "method": step.method,
        "variable": step.variable,
        "batches": dict(zip(step.names, step.sizes, strict=True)),
        "covariates": [[name, list(levels)] for name, levels in zip(step.coding.names, step.coding.levels, strict=True)],
        "prior": step.prior,
        "adjusts": step.adjusts,
        "reference": step.reference,
        "untouched": dict(step.untouched),
    }


def _arrays_of(step: LocationScale, prefix: str) -> Arrays:
    return {prefix + name: getattr(step, name) for name in _ARRAYS}


def _step(said: Mapping[str, Any], columns: tuple[str, ...], arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> LocationScale:
    values = {name: _floats(arrays[prefix + name]) for name in _ARRAYS}
    expected = {"location": (len(said["batches"]), len(columns)), "spread": (len(said["batches"]), len(columns)), "scale": (len(columns),)}
    for name, shape in expected.items():
        if values[name].shape != shape:
            raise ValueError(f"'{name}' has shape {values[name].shape} in the place of {shape}")
    coding = Coding(tuple(str(n) for n, _ in said["covariates"]), tuple(tuple(map(str, levels)) for _, levels in said["covariates"]))
    return LocationScale(
        str(said["method"]),
        str(said["variable"]),
        tuple(said["batches"]),
        tuple(int(size) for size in said["batches"].values()),
        columns,
        **values,
        coding=coding,
        prior=said["prior"],
        adjusts=said["adjusts"],
        reference=said["reference"],
        untouched=dict(said["untouched"]),
    )


def _floats(array: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return np.asarray(array, dtype=np.float64)
