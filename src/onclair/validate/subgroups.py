"""For whom does the claim hold? Every figure by group, and the gaps between groups with their intervals."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from onclair.core.errors import BadInput, OnclairError
from onclair.core.estimate import Estimate, not_available
from onclair.validate.checked import UNKNOWN

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
#: All figures asked for, on the rows whose indices are given.
FiguresOf = Callable[[Indices], Sequence[Estimate]]
Adjustment = Literal["holm", "bh"]

#: A group's figures are shown with a caution under this many events, or non-events of a binary outcome.
FEWEST_EVENTS = 20
_ADJUSTMENTS = {"holm": "Holm 1979", "bh": "Benjamini & Hochberg 1995"}


def by_group(
    figures: FiguresOf,
    groups: npt.ArrayLike,
    key: str,
    *,
    truth: npt.ArrayLike | None = None,
    patients: npt.ArrayLike | None = None,
    adjust: Adjustment = "holm",
) -> list[Estimate]:
    """Return every figure in every group, and the gaps between groups.

    Two groups are compared in order of name (``sex=F-minus-M``); of more, each is compared with the largest. Gaps are
    unpaired: where patients have rows in both groups they are not available.

    Parameters
    ----------
    figures : callable
        Takes row indices, int64 (m,), and returns the estimates ``FIGURE:WHO[@T]`` on those rows alone, of any outcome.
    groups : array_like, shape (n,)
        Each row's value; None, NaN and "" form the group ``unknown``, which is judged but not compared.
    key : str
        The column's name, for ``FIGURE:WHO[@T]:KEY=VALUE``.
    truth : array_like, shape (n,), 0 or 1, optional
        Of a binary outcome, so that non-events are counted too.
    patients : array_like, shape (n,), optional
        Whose row it is.
    adjust : {"holm", "bh"}
        How the p-values of the gaps are adjusted over all gaps returned; both p-values stand in `method`.

    Returns
    -------
    list of Estimate
        The groups in order of name, then the gaps. ``too_few``, with the figure, under 20 events or non-events; a group on which
        no figure can be had says why.

    Raises
    ------
    BadInput
        When groups, truth or patients are not given for every row, `adjust` is unknown, two values read alike once ':' and
        spaces are replaced, or no group at all can be judged.

    References
    ----------
    Holm 1979, doi:10.2307/4615733; Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> def share(rows):
    ...     return [Estimate("share:model", rows.size / 4, se=0.1, n=rows.size, events=30)]
    >>> for e in by_group(share, ["F", "M", "M", "M"], "sex"):
    ...     print(e.name, e.value)
    share:model:sex=F 0.25
    share:model:sex=M 0.75
    share:model:sex=F-minus-M -0.5
    """
    if adjust not in _ADJUSTMENTS:
        raise BadInput(f"P-values cannot be adjusted by '{adjust}'; choose 'holm' or 'bh'.", item="adjust")
    shown = each_group(figures, groups, truth=truth, patients=patients)
    where = _rows_by_group(groups)
    owners = _beside(patients, sum(rows.size for rows in where.values()), "patients")
    return placed(shown, key) + _adjusted_gaps(_gaps(shown, where, owners, name_part(key)), adjust)


def each_group(
    figures: FiguresOf, groups: npt.ArrayLike, *, truth: npt.ArrayLike | None = None, patients: npt.ArrayLike | None = None
) -> dict[str, list[Estimate]]:
    """Return the estimates of each group, under the names that `figures` gave them, groups in order of name.

    Parameters and errors are those of :func:`by_group`.

    Examples
    --------
    >>> found = each_group(lambda rows: [Estimate("size:all", rows.size)], ["b", "a", "b"])
    >>> {name: estimates[0].value for name, estimates in found.items()}
    {'a': 1.0, 'b': 2.0}
    """
    where = _rows_by_group(groups)
    n = sum(rows.size for rows in where.values())
    owners, positive = _beside(patients, n, "patients"), _beside(truth, n, "truth")
    shown: dict[str, list[Estimate]] = {}
    for name, estimates in _judged(figures, where).items():
        absent = None if positive is None else _non_events(where[name], positive, owners)
        shown[name] = [marked(e, absent) for e in estimates]
    return shown


def placed(shown: Mapping[str, Sequence[Estimate]], key: str) -> list[Estimate]:
    """Return the estimates of every group, ``:KEY=GROUP`` put behind their names.

    Examples
    --------
    >>> placed({"4": [Estimate("auc:model", 0.8)]}, "centre")[0].name
    'auc:model:centre=4'
    """
    return [replace(e, name=f"{e.name}:{name_part(key)}={name}") for name, estimates in shown.items() for e in estimates]


def marked(estimate: Estimate, non_events: int | None = None) -> Estimate:
    """Return the estimate of a group as ``too_few`` when it rests on under 20 events or non-events; the figure stays.

    Parameters
    ----------
    estimate : Estimate
    non_events : int, optional
        Patients without the event, of a binary outcome.

    Examples
    --------
    >>> marked(Estimate("auc:model", 0.8, n=60, events=19)).reason
    '19 events; a group needs 20'
    >>> marked(Estimate("auc:model", 0.8, n=60, events=50), 10).status
    'too_few'
    """
    if estimate.status != "ok" or estimate.events is None:
        return estimate
    counts = [estimate.events] if non_events is None else [estimate.events, non_events]
    if min(counts) >= FEWEST_EVENTS:
        return estimate
    said = f"{estimate.events} events" + ("" if non_events is None else f" and {non_events} non-events")
    reason = f"{said}; a group needs {FEWEST_EVENTS}" + ("" if non_events is None else " of each")
    return replace(estimate, status="too_few", reason=reason + (f"; {estimate.reason}" if estimate.reason else ""))


def name_part(value: object) -> str:
    """Return a user's value as one part of an estimate's name: no ':' and no white space; whole numbers without a point.

    Examples
    --------
    >>> name_part(" St. Mary: ward 3 "), name_part(4.0), name_part(float("nan"))
    ('St.-Mary-ward-3', '4', 'unknown')
    """
    return re.sub(r"[\s:]+", "-", _text(value)).strip("-") or UNKNOWN


def group_names(groups: npt.ArrayLike) -> npt.NDArray[np.str_]:
    """Return each row's group as a part of a name, of shape (n,).

    Raises
    ------
    BadInput
        When two different values read alike.

    Examples
    --------
    >>> group_names([3.0, None, 11.0]).tolist()
    ['3', 'unknown', '11']
    """
    codes, values = pd.factorize(pd.Series(groups, dtype=object), use_na_sentinel=False)
    texts = [_text(value) for value in values]
    names = [name_part(value) for value in values]
    kept: dict[str, str] = {}
    for name, text in zip(names, texts, strict=True):
        if kept.setdefault(name, text) != text and name != UNKNOWN:
            raise BadInput(f"The groups '{kept[name]}' and '{text}' would both be called '{name}'; rename one of them.", item=text)
    return np.array(names, dtype=np.str_)[codes]


def in_order(names: set[str]) -> list[str]:
    """Return group names in order: numbers by value, then words, ``unknown`` last.

    Examples
    --------
    >>> in_order({"unknown", "11", "3", "b"})
    ['3', '11', 'b', 'unknown']
    """

    def place(name: str) -> tuple[bool, bool, float, str]:
        number = pd.to_numeric(name, errors="coerce")
        return name == UNKNOWN, bool(pd.isna(number)), 0.0 if pd.isna(number) else float(number), name

    return sorted(names, key=place)


def adjusted(p_values: npt.ArrayLike, adjust: Adjustment) -> Floats:
    """Return p-values adjusted for their number, in their order.

    Parameters
    ----------
    p_values : array_like, shape (m,)
    adjust : {"holm", "bh"}
        Holm keeps the chance of one false alarm, Benjamini and Hochberg the expected share of false alarms.

    Returns
    -------
    ndarray, shape (m,)

    Examples
    --------
    >>> adjusted([0.01, 0.04, 0.03], "holm").round(6).tolist(), adjusted([0.01, 0.04, 0.03], "bh").round(6).tolist()
    ([0.03, 0.06, 0.06], [0.03, 0.04, 0.04])
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    m, ordered = p.size, p[order]
    if adjust == "holm":
        steps = np.maximum.accumulate(ordered * (m - np.arange(m)))
    else:
        steps = np.minimum.accumulate((ordered * m / np.arange(1, m + 1))[::-1])[::-1]
    found = np.empty(m)
    found[order] = np.minimum(steps, 1.0)
    return found


def known_sum(counts: Iterable[int | None]) -> int | None:
    """Return the sum of counts, None where one of them is unknown.

    Examples
    --------
    >>> known_sum([3, 4]), known_sum([3, None])
    (7, None)
    """
    listed = list(counts)
    known = [count for count in listed if count is not None]
    return sum(known) if len(known) == len(listed) else None


def on_identity(estimate: Estimate) -> float | None:
    """Return the standard error of a figure on its own scale (delta method), or None.

    Examples
    --------
    >>> on_identity(Estimate("o_e:model", 2.0, se=0.1, scale="log"))
    0.2
    """
    if estimate.se is None or estimate.value is None:
        return None
    slopes = {"identity": 1.0, "log": estimate.value, "logit": estimate.value * (1 - estimate.value)}
    return estimate.se * slopes[estimate.scale]


def _text(value: object) -> str:
    """Return a value as text, "" where there is none, whole numbers without a point."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float | np.floating) and np.isnan(value)):
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return str(value).strip()


def _beside(column: npt.ArrayLike | None, n: int, what: str) -> npt.NDArray[np.generic] | None:
    if column is None:
        return None
    values = np.asarray(column)
    if values.shape != (n,):
        raise BadInput(f"The {what} have shape {values.shape} for {n} rows with a group; give one a row.")
    return values


def _rows_by_group(groups: npt.ArrayLike) -> dict[str, Indices]:
    named = group_names(groups)
    return {name: np.flatnonzero(named == name) for name in in_order(set(named.tolist()))}


def _judged(figures: FiguresOf, where: dict[str, Indices]) -> dict[str, Sequence[Estimate]]:
    """Return each group's estimates under the same names; a group that cannot be judged at all says why in each."""
    found: dict[str, Sequence[Estimate]] = {}
    failed: dict[str, OnclairError] = {}
    for name, rows in where.items():
        try:
            found[name] = figures(rows)
        except OnclairError as error:
            failed[name] = error
    if not found:
        raise next(iter(failed.values()), BadInput("There is no row to judge by group; give at least one."))
    names = dict.fromkeys(e.name for estimates in found.values() for e in estimates)
    for name, why in failed.items():
        found[name] = [not_available(each, str(why), n=int(where[name].size)) for each in names]
    return {name: found[name] for name in where}


def _non_events(rows: Indices, truth: npt.NDArray[np.generic], owners: npt.NDArray[np.generic] | None) -> int:
    without = rows[truth[rows] == 0]
    return int(without.size if owners is None else np.unique(owners[without].astype(str)).size)


def _gaps(
    shown: dict[str, list[Estimate]], where: dict[str, Indices], owners: npt.NDArray[np.generic] | None, key: str
) -> list[tuple[Estimate, float | None]]:
    """Return the gaps with their p-values, in order of figure, then of pair."""
    pairs = _pairs({name: rows.size for name, rows in where.items() if name != UNKNOWN})
    shared = {(a, b): _shared(where[a], where[b], owners) for a, b in pairs}
    tables = {name: {e.name: e for e in estimates} for name, estimates in shown.items()}
    figures = dict.fromkeys(e.name for estimates in shown.values() for e in estimates)
    found = []
    for figure, (a, b) in itertools.product(figures, pairs):
        one, other = tables[a].get(figure), tables[b].get(figure)
        if one is not None and other is not None:
            name = f"{figure}:{key}={a}-minus-{b}"
            both = f"{shared[a, b]} patients have rows in both groups, so the two figures are not independent"
            found.append((not_available(name, both), None) if shared[a, b] else _gap(name, one, other))
    return found


def _pairs(sizes: dict[str, int]) -> list[tuple[str, str]]:
    if len(sizes) < 3:
        return list(itertools.combinations(sizes, 2))
    largest = max(sizes, key=lambda name: sizes[name])
    return [(name, largest) for name in sizes if name != largest]


def _shared(one: Indices, other: Indices, owners: npt.NDArray[np.generic] | None) -> int:
    return 0 if owners is None else len(set(owners[one].tolist()) & set(owners[other].tolist()))


def _gap(name: str, one: Estimate, other: Estimate) -> tuple[Estimate, float | None]:
    """Return one minus other, on the log scale when both errors hold there, and its two-sided p-value."""
    if one.value is None or other.value is None:
        lacking = one if one.value is None else other
        return not_available(name, f"one of the groups has no figure: {lacking.reason}"), None
    ratio = one.scale == other.scale == "log" and min(one.value, other.value) > 0
    errors = (one.se, other.se) if ratio else (on_identity(one), on_identity(other))
    a, b = (float(np.log(v)) if ratio else v for v in (one.value, other.value))
    method = "difference of two groups of different patients" + ("; of the logarithms: its exponential is the ratio" if ratio else "")
    few = "; ".join(e.reason for e in (one, other) if e.status == "too_few" and e.reason)
    level = (one if one.low is not None else other).level
    n, events = known_sum((one.n, other.n)), known_sum((one.events, other.events))
    known = Estimate(name, a - b, level=level, n=n, events=events, method=method)
    known = replace(known, status="too_few", reason=few) if few else known
    if errors[0] is None or errors[1] is None or not (se := float(np.hypot(errors[0], errors[1]))) > 0:
        return replace(known, reason=few or "a group's figure has no standard error, so the gap has no interval"), None
    half = float(special.ndtri((1 + level) / 2)) * se
    gap = replace(known, low=a - b - half, high=a - b + half, se=se)
    return gap, float(2 * special.ndtr(-abs(a - b) / se))


def _adjusted_gaps(gaps: list[tuple[Estimate, float | None]], adjust: Adjustment) -> list[Estimate]:
    """Return the gaps, each with its p-value and its adjusted one in its method."""
    p = [value for _, value in gaps if value is not None]
    after = iter(adjusted(p, adjust))
    found = []
    for gap, value in gaps:
        if value is None:
            found.append(gap)
            continue
        said = f"z test p = {value:.3g}, adjusted over {len(p)} gaps p = {next(after):.3g} ({_ADJUSTMENTS[adjust]})"
        found.append(replace(gap, method=f"{gap.method}; {said}"))
    return found
