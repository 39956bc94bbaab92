"""How an interval is formed, cut to what a figure can be, and told; and when a figure of few patients is shown with a caution."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from onclair.core.estimate import Estimate, Scale

#: Below this many patients with repeated rows a figure is shown with a caution: its clustered error is itself hardly known.
FEWEST_PATIENTS = 10
FEW_PATIENTS = "too few patients for a standard error"
#: Said of an interval where there is one.
_WALD = re.compile(r"[;,] Wald interval( on the logit scale)?(?=[;,]|$)")


def few_patients(patients: int, rows: int) -> str | None:
    """Return why a figure clustered by patient is shown with a caution, or None: under 10 patients, some with several rows.

    Examples
    --------
    >>> few_patients(4, 12), few_patients(4, 4), few_patients(10, 30)
    ('4 patients with repeated rows; a figure clustered by patient needs 10', None, None)
    """
    if patients == rows or patients >= FEWEST_PATIENTS:
        return None
    return f"{patients} patients with repeated rows; a figure clustered by patient needs {FEWEST_PATIENTS}"


def cautioned(estimate: Estimate, few: str | None) -> Estimate:
    """Return an estimate as ``too_few`` where there is a reason for it, put before its own; value and interval stay.

    Examples
    --------
    >>> cautioned(Estimate("auc:model", 0.8, reason="no spread"), few_patients(4, 12)).status
    'too_few'
    """
    if few is None or estimate.status != "ok":
        return estimate
    return replace(estimate, status="too_few", reason="; ".join(filter(None, (few, estimate.reason))))


def wald(value: float, se: float, z: float, scale: Scale) -> tuple[float, float]:
    """Return ``value -+ z se`` formed on `scale` and brought back.

    Examples
    --------
    >>> wald(0.5, 1.0, 2.0, "identity")
    (-1.5, 2.5)
    >>> [round(end, 4) for end in wald(0.5, 1.0, 2.0, "logit")]
    [0.1192, 0.8808]
    """
    if scale == "log":
        return float(value * np.exp(-z * se)), float(value * np.exp(z * se))
    if scale == "logit":
        centre = np.log(value) - np.log1p(-value)
        ends = 1 / (1 + np.exp(-(centre + np.array([-z, z]) * se)))
        return float(ends[0]), float(ends[1])
    return float(value - z * se), float(value + z * se)


def without_interval(method: str) -> str:
    """Return a method without what it says of a Wald interval, for a figure that has none.

    Examples
    --------
    >>> without_interval("paired difference; sandwich error, Wald interval; 3 rows")
    'paired difference; sandwich error; 3 rows'
    """
    return _WALD.sub("", method)


def cut(estimate: Estimate, lowest: float, highest: float) -> Estimate:
    """Return an estimate with its interval cut to what the figure can be; its Wald interval is then told as cut.

    Examples
    --------
    >>> cut(Estimate("ipa:model", 0.9, low=0.7, high=1.1, method="IPA; Wald interval"), -np.inf, 1.0).method
    'IPA; Wald interval, cut at 1'
    """
    if estimate.low is None or estimate.high is None:
        return estimate
    ends = [f"{end:g}" for end, beyond in ((lowest, estimate.low < lowest), (highest, estimate.high > highest)) if beyond]
    if not ends:
        return estimate
    method = _WALD.sub(lambda found: f"{found[0]}, cut at {' and '.join(ends)}", estimate.method, count=1)
    return replace(estimate, low=max(estimate.low, lowest), high=min(estimate.high, highest), method=method)
