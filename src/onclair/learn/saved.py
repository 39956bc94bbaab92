"""A locked model to and from its record on disk, with exactly equal predictions.

The document holds what a person reads: inputs, and for a linear model its formula in the features' own units. What the model
computes with are the arrays and trees beside it, so that no digit is lost; the manifest of the file binds the two together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadModelFile, BadSetting
from onclair.io.models import FORMAT, ModelRecord
from onclair.learn.calibrate import Calibrator
from onclair.learn.conformal import Conformal
from onclair.learn.estimators import LinearModel
from onclair.learn.locked import Locked
from onclair.learn.novelty import NoveltyGate
from onclair.learn.pipeline import FittedPipeline, Preparation
from onclair.learn.saved_estimators import estimator_of, parts_of


def to_record(locked: Locked) -> ModelRecord:
    """Return the record of a locked model, ready for ``io.models.save_model``.

    Raises
    ------
    BadSetting
        When its estimator is none of this room's.
    """
    pipeline = locked.pipeline
    parts, medians = parts_of(pipeline.estimator, pipeline.name), pipeline.reference
    document: dict[str, Any] = {
        "format": FORMAT,
        "name": pipeline.name,
        "family": parts.family,
        "outcome": str(locked.about["outcome"]),
        "inputs": [{"name": name, "missing": float(medians[name])} for name in pipeline.columns],
        **(formula(pipeline) if isinstance(pipeline.estimator, LinearModel) else {}),
        "extra": {
            "columns": list(pipeline.preparation.columns),
            "calibrator": locked.calibrator.as_dict(),
            "conformal": locked.conformal.as_dict(),
            "level": locked.level,
            "about": dict(locked.about),
            **parts.extra,
        },
    }
    return ModelRecord(document, {**_arrays(locked), **parts.arrays}, parts.trees, parts.weights)


def from_record(record: ModelRecord) -> Locked:
    """Return the locked model in a record; its predictions equal those of the model that was saved, bit for bit.

    Raises
    ------
    BadModelFile
        When an entry or array is absent, or the family is not one of this room's.
    """
    try:
        extra, arrays = record.document["extra"], record.arrays
        preparation = Preparation(
            tuple(extra["columns"]),
            _numbers(arrays["preparation.medians"]),
            _numbers(arrays["preparation.log_scale"]) if "preparation.log_scale" in arrays else None,
            _numbers(arrays["preparation.centre"]),
            _numbers(arrays["preparation.scale"]),
        )
        chosen = np.asarray(arrays["chosen"], dtype=np.int64)
        of_gate = {name.removeprefix("gate."): array for name, array in arrays.items() if name.startswith("gate.")}
        gate = NoveltyGate.from_arrays(preparation.columns, of_gate)
        calibrator, conformal = Calibrator.from_dict(extra["calibrator"]), Conformal.from_dict(extra["conformal"])
        estimator = estimator_of(record, [preparation.columns[j] for j in chosen])
        pipeline = FittedPipeline(str(record.document["name"]), preparation, chosen, estimator)
        return Locked(pipeline, calibrator, conformal, gate, dict(extra["about"]), float(extra["level"]))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BadModelFile(f"The model lacks or mangles an entry ({error}); fetch it again, or learn and save it anew.") from error


def formula(pipeline: FittedPipeline) -> dict[str, Any]:
    """Return a linear pipeline as ``terms`` and ``intercept`` in the features' own units, before calibration.

    For Cox the intercept is the log of the cumulative hazard at the horizon where all terms are 0; ``baseline`` says so.

    Raises
    ------
    BadSetting
        When the pipeline is not linear.

    Examples
    --------
    Half a logit a standard deviation of 5 mL about a mean of 20 mL: 0.1 a mL, and 1 - 0.1 x 20 at 0 mL.

    >>> ready = Preparation(("volume",), np.array([30.0]), None, np.array([20.0]), np.array([5.0]))
    >>> formula(FittedPipeline("m", ready, np.array([0]), LinearModel(np.array([0.5]), 1.0, "logit")))
    {'terms': [{'input': 'volume', 'coefficient': 0.1}], 'intercept': -1.0}
    """
    model, ready, at = pipeline.estimator, pipeline.preparation, pipeline.chosen
    if not isinstance(model, LinearModel):
        raise BadSetting(f"The model '{pipeline.name}' is not linear, so it has no formula; save it as it is.", item=pipeline.name)
    own = model.coefficients / ready.scale[at]
    terms = [{"input": name, "coefficient": float(b)} for name, b in zip(pipeline.columns, own, strict=True)]
    if ready.log_scale is not None:
        for term, scale in zip(terms, ready.log_scale[at], strict=True):
            term["transform"] = f"sign(x) log(1 + |x| / {float(scale)!r})"
    written: dict[str, Any] = {"terms": terms, "intercept": float(model.intercept - own @ ready.centre[at])}
    if model.horizon is not None:
        written["baseline"] = {"horizon": model.horizon, "intercept": "log of the cumulative hazard at the horizon"}
    return written


def _arrays(locked: Locked) -> dict[str, npt.NDArray[Any]]:
    ready = locked.pipeline.preparation
    arrays: dict[str, npt.NDArray[Any]] = {f"gate.{name}": array for name, array in locked.gate.arrays().items()}
    arrays["chosen"] = locked.pipeline.chosen
    arrays["preparation.medians"], arrays["preparation.centre"], arrays["preparation.scale"] = ready.medians, ready.centre, ready.scale
    if ready.log_scale is not None:
        arrays["preparation.log_scale"] = ready.log_scale
    return arrays


def _numbers(array: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return np.asarray(array, dtype=np.float64)
