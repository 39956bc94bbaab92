"""Calibrators by name: fit one, keep it as a model file, and read it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import numpy.typing as npt

from onclair.core.errors import BadModelFile, BadSetting
from onclair.core.names import did_you_mean
from onclair.io.models import FORMAT, ModelRecord
from onclair.learn.calibrate import Calibrator, FittedCalibrator, platt, refuse_seen
from onclair.learn.calibrate_curves import BetaCurve, Temperature, beta, temperature
from onclair.learn.calibrate_isotonic import Isotonic, isotonic

Method = Literal["platt", "isotonic", "temperature", "beta"]

_READ: Mapping[str, Callable[[Mapping[str, Any]], FittedCalibrator]] = MappingProxyType(
    {"platt": Calibrator.from_dict, "isotonic": Isotonic.from_record, "temperature": Temperature.from_record, "beta": BetaCurve.from_record}
)


def fit_calibrator(
    method: Method,
    score: npt.ArrayLike,
    truth: npt.ArrayLike,
    *,
    patients: npt.ArrayLike | None = None,
    seen: npt.ArrayLike | None = None,
) -> FittedCalibrator:
    """Fit a calibrator on scores that the model gave to rows it had not seen.

    Parameters
    ----------
    method : {"platt", "isotonic", "temperature", "beta"}
    score : array_like in [0, 1], shape (n,)
        In-sample scores would be called calibrated by construction.
    truth : array_like, shape (n,), 0 or 1
    patients : array_like, shape (n,), optional
        Of each row; Platt's covariance is summed by patient, and `seen` is checked against them.
    seen : array_like, optional
        The patients that the model was trained on, where they are known; none of them may be among `patients`.

    Returns
    -------
    FittedCalibrator
        With status ``not_available`` and a reason where the method has no answer (separation, one class).

    Raises
    ------
    BadSetting
        For an unknown method.
    BadCohort
        When a patient was seen by the model, or, for Platt's, when only one class is present.
    BadInput
        When lengths differ, a score lies outside [0, 1] or a truth is neither 0 nor 1.

    Examples
    --------
    >>> fit_calibrator("temperature", [0.9] * 4 + [0.1] * 4, [1, 1, 1, 0, 0, 0, 0, 1]).apply([0.9]).round(6).tolist()
    [0.75]
    """
    if method not in _READ:
        raise BadSetting(f"The calibration method '{method}' is not known; {did_you_mean(str(method), _READ)}", item="calibration")
    refuse_seen(patients, seen)
    if method == "platt":
        return platt(score, truth, patients)
    fits: Mapping[str, Callable[[npt.ArrayLike, npt.ArrayLike], FittedCalibrator]]
    fits = {"isotonic": isotonic, "temperature": temperature, "beta": beta}
    return fits[method](score, truth)


def calibrator_from_record(record: Mapping[str, Any]) -> FittedCalibrator:
    """Return the calibrator that its ``as_record`` wrote.

    Raises
    ------
    BadModelFile
        When its kind is unknown, or an entry is absent or mangled.

    Examples
    --------
    >>> calibrator_from_record(Temperature(2.0).as_record())
    Temperature(temperature=2.0, status='ok', reason=None, n=0, events=0, fitted_on='')
    """
    kind = str(record.get("kind"))
    if kind not in _READ:
        raise BadModelFile(f"The calibrator is of kind '{kind}'; {did_you_mean(kind, _READ)}", item="calibrator")
    return _READ[kind](record)


def calibrator_model(calibrator: FittedCalibrator, name: str, outcome: str) -> ModelRecord:
    """Return a calibrator as a model of family ``calibrator``, ready for ``io.models.save_model``.

    Parameters
    ----------
    calibrator : FittedCalibrator
    name, outcome : str
        What the file says of it.

    Examples
    --------
    >>> calibrator_of(calibrator_model(Temperature(2.0), "network", "relapse")).apply([0.9]).round(6).tolist()
    [0.75]
    """
    document = {"format": FORMAT, "name": name, "family": "calibrator", "outcome": outcome, "inputs": [_SCORE]}
    return ModelRecord({**document, "extra": {"calibrator": calibrator.as_record()}})


def calibrator_of(record: ModelRecord) -> FittedCalibrator:
    """Return the calibrator in a model file.

    Raises
    ------
    BadModelFile
        When the model is of another family, or its calibrator absent or mangled.
    """
    if record.document["family"] != "calibrator":
        found = record.document["family"]
        raise BadModelFile(f"The model '{record.document['name']}' is of the family '{found}'; expected a calibrator.", item="family")
    extra = record.document.get("extra") or {}
    return calibrator_from_record(extra.get("calibrator") or {})


_SCORE = {"name": "score", "unit": "1", "low": 0.0, "high": 1.0, "missing": None}
