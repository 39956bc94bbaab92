"""Which predicted lesion answers which true one: rules by name, one to one, the most matches first, then the largest summed overlap."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

from onclair.core.errors import BadCase, BadSetting
from onclair.core.names import did_you_mean

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: A rule by name -> the least intersection over union; 0 asks for one common voxel.
RULES: dict[str, float] = {"overlap": 0.0, "iou0.1": 0.1, "iou0.5": 0.5}
#: What rounding may do to a ratio of two whole numbers.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Overlaps:
    """What is left of two instance maps once their voxels are counted.

    Attributes
    ----------
    truth, predicted : tuple of int
        The instances' numbers, in order.
    pairs : tuple of (int, int)
        Numbers of instances that could answer each other.
    iou, dice : ndarray, shape (pairs,)
    """

    truth: tuple[int, ...]
    predicted: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]
    iou: Floats
    dice: Floats


@dataclass(frozen=True, slots=True)
class Matching:
    """Which instances answer each other.

    Attributes
    ----------
    pairs : tuple of (int, int, float)
        True number, predicted number, intersection over union.
    missed, false : tuple of int
        True ones without an answer; predicted ones that answer none.
    set_aside : tuple of int
        True ones that could not be judged (cut by the border), and
    set_aside_predicted : tuple of int
        predicted ones that answer only such.
    dice : tuple of float
        Of the pairs.
    """

    pairs: tuple[tuple[int, int, float], ...]
    missed: tuple[int, ...]
    false: tuple[int, ...]
    set_aside: tuple[int, ...] = ()
    set_aside_predicted: tuple[int, ...] = ()
    dice: tuple[float, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the matching as plain JSON values."""
        pairs = [{"truth": t, "predicted": p, "iou": iou, "dice": d} for (t, p, iou), d in zip(self.pairs, self.dice, strict=True)]
        aside = {"set_aside": list(self.set_aside), "set_aside_predicted": list(self.set_aside_predicted)}
        return {"pairs": pairs, "missed": list(self.missed), "false": list(self.false), **(aside if self.set_aside else {})}


def least_iou(rule: str) -> float:
    """Return the least intersection over union of a rule.

    Raises
    ------
    BadSetting
        For an unknown rule; the nearest is offered.

    Examples
    --------
    >>> least_iou("iou0.1")
    0.1
    """
    if rule not in RULES:
        raise BadSetting(f"There is no matching rule '{rule}'; {did_you_mean(rule, RULES)}", item=rule)
    return RULES[rule]


def overlaps_of(truth: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> Overlaps:
    """Return which instances of two maps share voxels, and how much.

    Parameters
    ----------
    truth, predicted : ndarray of integers, shape (x, y, z)
        0 outside.

    Raises
    ------
    BadCase
        For two shapes.

    Examples
    --------
    >>> found = overlaps_of(np.array([1, 1, 2, 0]).reshape(4, 1, 1), np.array([0, 5, 5, 5]).reshape(4, 1, 1))
    >>> found.pairs, found.iou.tolist()
    (((1, 5), (2, 5)), [0.25, 0.3333333333333333])
    """
    if truth.shape != predicted.shape:
        raise BadCase(f"The maps of lesions have the shapes {truth.shape} and {predicted.shape}; both must lie on one grid.")
    sizes_t, sizes_p = _sizes(truth), _sizes(predicted)
    both = (truth != 0) & (predicted != 0)
    stacked = np.stack([truth[both].astype(np.int64), predicted[both].astype(np.int64)])
    (first, second), common = np.unique(stacked, axis=1, return_counts=True) if stacked.size else (np.zeros((2, 0), np.int64), np.zeros(0))
    pairs = tuple((int(t), int(p)) for t, p in zip(first, second, strict=True))
    total = np.array([sizes_t[t] + sizes_p[p] for t, p in pairs], dtype=np.float64)
    shared = np.asarray(common, dtype=np.float64)
    return Overlaps(tuple(sizes_t), tuple(sizes_p), pairs, shared / (total - shared), 2 * shared / total)


def match(truth: npt.NDArray[Any], predicted: npt.NDArray[Any], rule: str) -> Matching:
    """Return which instances of two maps answer each other under a rule.

    Parameters
    ----------
    truth, predicted : ndarray of integers, shape (x, y, z)
    rule : {"overlap", "iou0.1", "iou0.5"}

    Raises
    ------
    BadCase
        For two shapes.
    BadSetting
        For an unknown rule.

    Examples
    --------
    >>> found = match(np.array([1, 1, 2, 0]).reshape(4, 1, 1), np.array([0, 5, 5, 5]).reshape(4, 1, 1), "iou0.1")
    >>> found.missed, found.false, [(t, p, round(iou, 3)) for t, p, iou in found.pairs]
    ((1,), (), [(2, 5, 0.333)])
    """
    return match_overlaps(overlaps_of(truth, predicted), rule)


def match_overlaps(overlaps: Overlaps, rule: str, *, among: Collection[int] | None = None, aside: Collection[int] = ()) -> Matching:
    """Return which instances answer each other: one to one, as many as can be, and among those the largest summed overlap.

    Parameters
    ----------
    overlaps : Overlaps
    rule : {"overlap", "iou0.1", "iou0.5"}
    among : collection of int, optional
        Predicted instances that take part; all when left out.
    aside : collection of int
        True instances that cannot be judged: without an answer they are not missed, and what could answer only them is not false.

    Raises
    ------
    BadSetting
        For an unknown rule.

    Examples
    --------
    The second prediction could answer either lesion, the first only one; two matches beat the one with more overlap:

    >>> over = Overlaps((1, 2), (1, 2), ((1, 1), (1, 2), (2, 2)), np.array([0.2, 0.9, 0.2]), np.array([0.3, 0.9, 0.3]))
    >>> match_overlaps(over, "iou0.1").pairs
    ((1, 1, 0.2), (2, 2, 0.2))
    """
    least = least_iou(rule)
    taking = set(overlaps.predicted) if among is None else set(among)
    accepted = overlaps.iou >= least - _ROUNDING
    kept = [i for i, (_, p) in enumerate(overlaps.pairs) if accepted[i] and p in taking]
    judged = [i for i in kept if overlaps.pairs[i][0] not in aside]
    chosen = [judged[i] for i in _best([overlaps.pairs[i] for i in judged], overlaps.iou[judged])]
    answered, answering = {overlaps.pairs[i][0] for i in chosen}, {overlaps.pairs[i][1] for i in chosen}
    excused = {p for t, p in (overlaps.pairs[i] for i in kept) if t in aside} - answering
    return Matching(
        tuple((*overlaps.pairs[i], float(overlaps.iou[i])) for i in chosen),
        tuple(t for t in overlaps.truth if t not in answered and t not in aside),
        tuple(p for p in overlaps.predicted if p in taking and p not in answering and p not in excused),
        tuple(t for t in overlaps.truth if t in aside),
        tuple(p for p in overlaps.predicted if p in excused),
        tuple(float(overlaps.dice[i]) for i in chosen),
    )


def _best(pairs: list[tuple[int, int]], iou: Floats) -> list[int]:
    """Return the places of the pairs of the best matching, group by group of instances that hang together."""
    if not pairs:
        return []
    rows, columns = (np.unique([pair[side] for pair in pairs], return_inverse=True)[1] for side in (0, 1))
    n = int(rows.max()) + 1
    joined = sparse.coo_matrix((np.ones(len(pairs)), (rows, columns + n)), shape=(n + int(columns.max()) + 1,) * 2)
    _, group = sparse.csgraph.connected_components(joined, directed=False)
    order = np.argsort(group[rows], kind="stable")
    chosen: list[int] = []
    for places in np.split(order, np.flatnonzero(np.diff(group[rows][order])) + 1):
        chosen += _assigned(rows[places], columns[places], iou[places], places)
    return sorted(chosen)


def _assigned(rows: Ints, columns: Ints, iou: Floats, places: Ints) -> list[int]:
    if places.size == 1:
        return [int(places[0])]
    (_, i), (_, j) = np.unique(rows, return_inverse=True), np.unique(columns, return_inverse=True)
    size = int(i.max()) + 1, int(j.max()) + 1
    weight, place = np.zeros(size), np.full(size, -1)
    weight[i, j] = min(size) + 1 + iou  # one match more outweighs any sum of overlaps, each at most 1
    place[i, j] = places
    found = place[optimize.linear_sum_assignment(weight, maximize=True)]
    return [int(one) for one in found if one >= 0]


def _sizes(instances: npt.NDArray[Any]) -> dict[int, int]:
    numbers, counts = np.unique(instances[instances != 0], return_counts=True)
    return {int(number): int(count) for number, count in zip(numbers, counts, strict=True)}
