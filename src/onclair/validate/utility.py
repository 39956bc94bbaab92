"""Does acting on the risk help? Net benefit at the thresholds that were declared, beside treating all and treating none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.core.estimate import Estimate
from onclair.validate.curves import Curve
from onclair.validate.rows import Floats, Rows, judged_risks


def net_benefit(
    who: str,
    truth: npt.ArrayLike,
    risks: npt.ArrayLike,
    thresholds: Sequence[float],
    *,
    patients: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> list[Estimate]:
    """Return the net benefit of treating whoever's risk is at or above each threshold.

    ``NB = share of true positives - share of false positives * t / (1 - t)``, in true positives per patient. It is a mean
    of the rows' own contributions (1, -t / (1 - t) or 0), and its error that of a mean, clustered by patient.

    Parameters
    ----------
    who : str
        Names are ``nb:WHO@T``.
    truth : array_like, shape (n,), 0 or 1
    risks : array_like, shape (n,) or (repeats, n), in [0, 1]
        With repeats, the mean of their net benefits.
    thresholds : sequence of float, each in (0, 1)
        Those declared beforehand.
    patients : array_like, shape (n,), optional

    Returns
    -------
    list of Estimate

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.
    BadSetting
        For a threshold outside (0, 1).

    References
    ----------
    Vickers & Elkin 2006, doi:10.1177/0272989X06295361.

    Examples
    --------
    One of four is a true positive and one a false positive, at odds of 1: 1/4 - 1/4.

    >>> net_benefit("model", [1, 0, 0, 1], [0.9, 0.6, 0.1, 0.2], [0.5])[0].value
    0.0
    """
    rows = judged_risks(truth, risks, patients, level=level)
    return [
        _mean(f"nb:{who}@{t:g}", _contributions(rows, t), rows, "net benefit, risk >= threshold; Wald interval")
        for t in _checked(thresholds)
    ]


def net_benefit_of_all_or_none(
    truth: npt.ArrayLike, thresholds: Sequence[float], *, patients: npt.ArrayLike | None = None, level: float = 0.95
) -> list[Estimate]:
    """Return the net benefit of treating everyone, ``nb:all@T``, and no one, ``nb:none@T`` (0 by definition).

    Parameters
    ----------
    truth, thresholds, patients
        As :func:`net_benefit`.

    Raises
    ------
    BadInput, BadSetting
        As :func:`net_benefit`.

    Examples
    --------
    Half have the event, at odds of 1/4: 1/2 - 1/2 * 1/4.

    >>> [e.value for e in net_benefit_of_all_or_none([0, 1], [0.2])]
    [0.375, 0.0]
    """
    everyone = net_benefit("all", truth, np.ones(np.shape(truth)), thresholds, patients=patients, level=level)
    rows = judged_risks(truth, np.zeros(np.shape(truth)), patients, level=level)
    return everyone + [rows.estimate(f"nb:none@{t:g}", 0.0, 0.0, "no one is treated: 0 by definition") for t in thresholds]


def decision_curve(who: str, estimates: Sequence[Estimate]) -> Curve:
    """Return the net benefits of `who` among `estimates` as one curve over the declared thresholds.

    Parameters
    ----------
    who : str
    estimates : sequence of Estimate
        Those named ``nb:WHO@T`` are drawn; the others are passed over.

    Returns
    -------
    Curve
        ``"decision"``; empty with a reason where there is none.

    Examples
    --------
    >>> decision_curve("all", net_benefit_of_all_or_none([0, 1], [0.2, 0.1])).x
    (0.1, 0.2)
    """
    start = f"nb:{who}@"
    drawn = sorted((float(e.name.removeprefix(start)), e) for e in estimates if e.name.startswith(start) and e.value is not None)
    if not drawn:
        return Curve("decision", who, (), (), reason=f"there is no net benefit of {who}")
    points = [e for _, e in drawn]
    y = np.array([e.value for e in points], dtype=np.float64)
    low, high = (
        np.array([np.nan if end is None else end for end in ends]) for ends in zip(*((e.low, e.high) for e in points), strict=True)
    )
    banded = bool(np.isfinite(low).all() and np.isfinite(high).all())
    return Curve(
        "decision",
        who,
        tuple(t for t, _ in drawn),
        tuple(y),
        tuple(low) if banded else None,
        tuple(high) if banded else None,
        x_label="threshold probability",
        y_label="net benefit",
        method=points[0].method,
        level=points[0].level,
        n=points[0].n,
        events=points[0].events,
    )


def _checked(thresholds: Sequence[float]) -> Sequence[float]:
    for t in thresholds:
        if not 0 < t < 1:
            raise BadSetting(f"The threshold {t} is not a probability between 0 and 1; correct it (20 percent is 0.2).", item=str(t))
    return thresholds


def _contributions(rows: Rows, threshold: float) -> Floats:
    """Each row's part in the net benefit: 1, -odds or 0, times the share of repeats that flag it."""
    flagged = (rows.scores >= threshold).mean(axis=0)
    return np.asarray(flagged * np.where(rows.truth, 1.0, -threshold / (1 - threshold)), dtype=np.float64)


def _mean(name: str, contributions: Floats, rows: Rows, method: str) -> Estimate:
    value = float(contributions.mean())
    return rows.estimate(name, value, rows.error((contributions - value) / contributions.size), method)
