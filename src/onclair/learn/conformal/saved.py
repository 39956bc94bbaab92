"""Conformal answers as model files of their own, for networks and published formulas that come without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from onclair.core.errors import BadModelFile
from onclair.core.names import did_you_mean
from onclair.io.models import FORMAT, ModelRecord
from onclair.learn.conformal.binary import Conformal
from onclair.learn.conformal.classes import PredictionSets
from onclair.learn.conformal.intervals import ConformalIntervals

ConformalAnswer = Conformal | PredictionSets | ConformalIntervals

_READ: Mapping[str, Callable[[Mapping[str, Any]], ConformalAnswer]] = MappingProxyType(
    {"lac": Conformal.from_dict, "sets": PredictionSets.from_record, "intervals": ConformalIntervals.from_record}
)


def conformal_model(answer: ConformalAnswer, name: str, outcome: str) -> ModelRecord:
    """Return prediction sets or intervals as a model of family ``conformal``, ready for ``io.models.save_model``.

    Parameters
    ----------
    answer : Conformal, PredictionSets or ConformalIntervals
    name, outcome : str
        What the file says of it.

    Examples
    --------
    >>> conformal_of(conformal_model(Conformal(0.1, 0.4, 50), "network", "relapse"))
    Conformal(alpha=0.1, threshold=0.4, patients=50)
    """
    record = answer.as_dict() if isinstance(answer, Conformal) else answer.as_record()
    document = {"format": FORMAT, "name": name, "family": "conformal", "outcome": outcome}
    return ModelRecord({**document, "extra": {"conformal": record}})


def conformal_of(record: ModelRecord) -> ConformalAnswer:
    """Return the prediction sets or intervals in a model file.

    Raises
    ------
    BadModelFile
        When the model is of another family, or the kind of its answer unknown (nearest name offered), or an entry mangled.
    """
    family, extra = record.document["family"], record.document.get("extra") or {}
    if family != "conformal":
        raise BadModelFile(f"The model '{record.document['name']}' is of the family '{family}'; expected conformal.", item="family")
    answer = extra.get("conformal") or {}
    kind = str(answer.get("kind"))
    if kind not in _READ:
        raise BadModelFile(f"The conformal answer is of kind '{kind}'; {did_you_mean(kind, _READ)}", item="conformal")
    return _READ[kind](answer)
