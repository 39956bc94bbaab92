"""What an extraction gives back: a number for each tag, or NaN and the reason in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Features:
    """Feature values by their IBSI tag.

    Attributes
    ----------
    values : dict of str to float
        In the order of the reference tables; NaN where a feature is undefined.
    reasons : dict of str to str
        For each NaN, why; no other tag is in it.

    Examples
    --------
    >>> Features({"stat_mean": 2.0, "stat_skew": math.nan}, {"stat_skew": "all voxels are equal"}).reasons["stat_skew"]
    'all voxels are equal'
    """

    values: dict[str, float]
    reasons: dict[str, str] = field(default_factory=dict)


def named(prefix: str, measures: Mapping[str, float], reasons: Mapping[str, str], *, suffix: str = "") -> Features:
    """Give measures their full tags, and each NaN its reason.

    Parameters
    ----------
    prefix, suffix : str
        Of the tag: ``"cm_"`` and ``"_3D_comb"``.
    measures : mapping of str to float
    reasons : mapping of str to str
        Why a measure can be undefined; the key ``""`` serves those not named.

    Examples
    --------
    >>> f = named("cm_", {"corr": math.nan, "energy": 1.0}, {"": "one grey level"}, suffix="_3D_comb")
    >>> f.values["cm_energy_3D_comb"], f.reasons
    (1.0, {'cm_corr_3D_comb': 'one grey level'})
    """
    values = {f"{prefix}{name}{suffix}": float(value) for name, value in measures.items()}
    default = reasons.get("", "it is not defined for this region")
    why = {f"{prefix}{name}{suffix}": reasons.get(name, default) for name, value in measures.items() if math.isnan(value)}
    return Features(values, why)


def undefined(tags: Iterable[str], reason: str) -> Features:
    """Return NaN for every tag, all for one reason.

    Examples
    --------
    >>> undefined(["cm_corr_3D_comb"], "the region is one voxel").values
    {'cm_corr_3D_comb': nan}
    """
    every = tuple(tags)
    return Features(dict.fromkeys(every, math.nan), dict.fromkeys(every, reason))


def joined(parts: Iterable[Features], order: Iterable[str]) -> Features:
    """Put several sets of features together, in the given order of tags; tags outside `order` are left out.

    Examples
    --------
    >>> joined([Features({"b": 1.0}), Features({"a": 2.0})], ["a", "b"]).values
    {'a': 2.0, 'b': 1.0}
    """
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for part in parts:
        values |= part.values
        reasons |= part.reasons
    tags = tuple(order)
    return Features({tag: values[tag] for tag in tags}, {tag: reasons[tag] for tag in tags if tag in reasons})


def ratio(numerator: float, denominator: float, *, scale: float = 0.0) -> float:
    """Divide; NaN, and no warning, where the denominator is zero.

    Parameters
    ----------
    numerator, denominator : float
    scale : float
        Size of the numbers that the denominator is a sum of: what rounding leaves of a sum that cancels counts as zero.

    Examples
    --------
    >>> ratio(1.0, 4.0), ratio(0.0, 0.0), ratio(1.0, 0.1 + 0.2 - 0.3, scale=0.3)
    (0.25, nan, nan)
    """
    return float(numerator) / float(denominator) if abs(denominator) > 1e-14 * scale else math.nan
