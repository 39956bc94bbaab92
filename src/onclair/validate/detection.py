"""Two detectors on the same scans: lesions found at a fixed number of false alarms, and the difference, patients drawn together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.estimate import Estimate, not_available
from onclair.validate.froc import RATES, Froc, case_curve, froc_of
from onclair.validate.lesion_ratios import Drawing
from onclair.validate.lesions import LesionCase

Floats = npt.NDArray[np.float64]
Map = Callable[..., Iterable[Any]]
#: The rule under which a candidate answers a lesion here.
RULE = "iou0.1"
METHOD = "largest sensitivity at no more than {rate} false positives a scan; matched one to one from an intersection over union of 0.1 on"
DIFFERENCE = "difference of the sensitivities at no more than {rate} false positives a scan, patients drawn together"
NO_LESION = "no scan has a true lesion"


def curve_of(cases: Sequence[LesionCase]) -> Froc:
    """Return the free-response curve of a detector.

    Raises
    ------
    BadInput
        Without a scan, or for a candidate without a score.
    """
    return froc_of([case_curve(case.overlaps, case.scores or {}, RULE, aside=case.aside) for case in cases])


@dataclass(frozen=True, slots=True, eq=False)
class _Beside:
    """Sensitivity of either detector at one rate, and the difference, under weights of the scans."""

    model: Froc
    rival: Froc
    rate: float

    def __call__(self, weights: Floats) -> Floats:
        one, other = (float(curve.at((self.rate,), weights)[0]) for curve in (self.model, self.rival))
        return np.array([one, other, one - other])


def beside(
    model: Sequence[LesionCase], rival: Sequence[LesionCase], name: str, *, rate: str = "1", drawing: Drawing | None = None
) -> list[Estimate]:
    """Return the sensitivity of a model and of a rival at a rate of false alarms, and the difference.

    Parameters
    ----------
    model, rival : sequence of LesionCase
        The same scans in the same order, with scores.
    name : str
        Of the rival.
    rate : str
        One of :data:`onclair.validate.froc.RATES`.
    drawing : Drawing, optional

    Returns
    -------
    list of Estimate
        ``froc:sens@RATE:model``, ``froc:sens@RATE:rival:NAME``, ``froc:sens@RATE:model-minus-NAME``; not available without a lesion.
    """
    names = [f"froc:sens@{rate}:{who}" for who in ("model", f"rival:{name}", f"model-minus-{name}")]
    patients = [case.patient for case in model]
    lesions = sum(len(case.overlaps.truth) for case in model)
    if not lesions:
        return [not_available(each, NO_LESION, n=len(set(patients)), events=0) for each in names]
    said = [METHOD.format(rate=rate)] * 2 + [DIFFERENCE.format(rate=rate)]
    statistic = _Beside(curve_of(model), curve_of(rival), RATES[rate])
    return (drawing or Drawing()).estimates(names, said, statistic, patients, events=lesions)


@dataclass(frozen=True, slots=True, eq=False)
class _At:
    """The sensitivity of one detector at one rate, under weights of the scans."""

    curve: Froc
    rate: float

    def __call__(self, weights: Floats) -> Floats:
        return self.curve.at((self.rate,), weights)


def sensitivity_at(cases: Sequence[LesionCase], name: str, *, rate: str = "1", drawing: Drawing | None = None) -> Estimate:
    """Return the sensitivity of one detector at a rate of false alarms, under a name of the caller's."""
    patients = [case.patient for case in cases]
    lesions = sum(len(case.overlaps.truth) for case in cases)
    if not lesions:
        return not_available(name, NO_LESION, n=len(set(patients)), events=0)
    statistic = _At(curve_of(cases), RATES[rate])
    return (drawing or Drawing()).estimates([name], [METHOD.format(rate=rate)], statistic, patients, events=lesions)[0]
