"""Two readers of the same scans: what both mark, whether they call it the same, and how large each draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from onclair.core.estimate import Estimate, not_available
from onclair.science.statistics.bootstrap import Map
from onclair.validate.lesion_ratios import Drawing
from onclair.validate.lesions import FROC_RULE, LesionCase, lesion_agreement, rules_of

Floats = npt.NDArray[np.float64]
NO_TYPES, FEW_PAIRS = "no lesion that both mark has a type from both", "fewer than two lesions are marked by both"
ONE_TYPE = "both use a single type throughout, so that chance explains all their agreement"
_LIMITS = 1.96


@dataclass(frozen=True, slots=True, eq=False)
class ReadCase:
    """One scan read twice.

    Attributes
    ----------
    compared : LesionCase
        The first reader's lesions as truth, the second's as answers.
    second_diameters_mm : mapping of int to float
        Equivalent diameters of the second reader's lesions.
    types : (mapping of int to str, mapping of int to str)
        Types by instance of the first and the second reader; empty where nobody said.
    """

    compared: LesionCase
    second_diameters_mm: Mapping[int, float] = field(default_factory=dict)
    types: tuple[Mapping[int, str], Mapping[int, str]] = field(default_factory=lambda: ({}, {}))


def reader_agreement(
    first: str,
    second: str,
    cases: Sequence[ReadCase],
    drawing: Drawing | None = None,
    *,
    map: Map = map,  # noqa: A002
) -> list[Estimate]:
    """Return how far two readers agree, named ``readers:FIRST-SECOND:...``.

    Parameters
    ----------
    first, second : str
        Their names; the first stands as truth for ``sensitivity`` and ``precision``, the other figures do not change with the order.
    cases : sequence of ReadCase
    drawing : Drawing, optional
    map : callable

    Returns
    -------
    list of Estimate
        The figures of each rule and ``voxel:dice``; of the lesions matched under ``iou0.1`` (boxes: under their rule) Cohen's
        unweighted ``kappa:type`` and, of equivalent diameters, second less first, ``bias:diameter``, ``loa-low:diameter`` and
        ``loa-high:diameter`` in mm (mean -+ 1.96 SD).

    Raises
    ------
    BadInput
        As :func:`onclair.validate.lesions.lesion_agreement`.

    References
    ----------
    Cohen 1960, doi:10.1177/001316446002000104; Bland & Altman 1986, doi:10.1016/S0140-6736(86)90837-8.

    Examples
    --------
    >>> from onclair.validate.lesion_matching import Overlaps
    >>> over = Overlaps((1, 2), (1, 2), ((1, 1), (2, 2)), np.array([0.6, 0.8]), np.array([0.75, 0.9]))
    >>> read = ReadCase(LesionCase("a", "a", over, diameters_mm={1: 10.0, 2: 20.0}), {1: 12.0, 2: 20.0})
    >>> {e.name: e.value for e in reader_agreement("R1", "R2", [read])}["readers:R1-R2:bias:diameter"]
    1.0
    """
    drawn, prefix = drawing or Drawing(), f"readers:{first}-{second}:"
    compared = [replace(case.compared, groups={}, scores=None) for case in cases]
    kept = [e for e in lesion_agreement(compared, drawn, map=map) if ":size" not in e.name and not e.name.startswith("froc:")]
    rule = FROC_RULE if FROC_RULE in rules_of(compared) else rules_of(compared)[0]
    pairs = [[(t, p) for t, p, _ in case.compared.matched(rule).pairs] for case in cases]
    patients = [case.compared.patient for case in cases]
    named = [replace(each, name=prefix + each.name) for each in kept]
    return [*named, *_kappa(prefix, cases, pairs, patients, drawn), *_sizes(prefix, cases, pairs, patients, drawn)]


@dataclass(frozen=True, slots=True, eq=False)
class _Kappa:
    """Cohen's kappa of tables of two readers' types, shape (scans, types, types), under weights."""

    tables: Floats

    def __call__(self, weights: Floats) -> Floats:
        table = np.tensordot(weights, self.tables, axes=1)
        n = table.sum()
        if n == 0:
            return np.array([np.nan])
        chance = float(table.sum(axis=0) @ table.sum(axis=1)) / n**2
        return np.array([(np.trace(table) / n - chance) / (1 - chance) if chance < 1 else np.nan])


def _kappa(
    prefix: str, cases: Sequence[ReadCase], pairs: Sequence[list[tuple[int, int]]], patients: list[str], drawing: Drawing
) -> list[Estimate]:
    said = [
        [(case.types[0][t], case.types[1][p]) for t, p in found if t in case.types[0] and p in case.types[1]]
        for case, found in zip(cases, pairs, strict=True)
    ]
    kinds = sorted({kind for each in said for pair in each for kind in pair})
    name = prefix + "kappa:type"
    if not kinds:
        return [not_available(name, NO_TYPES)]
    tables = np.zeros((len(cases), len(kinds), len(kinds)))
    for i, each in enumerate(said):
        for one, other in each:
            tables[i, kinds.index(one), kinds.index(other)] += 1
    statistic, events = _Kappa(tables), int(tables.sum())
    if np.isnan(statistic(np.ones(len(cases)))[0]):
        return [not_available(name, ONE_TYPE, n=len(set(patients)), events=events)]
    return drawing.estimates([name], ["Cohen 1960, unweighted, of the types of lesions that both mark"], statistic, patients, events=events)


@dataclass(frozen=True, slots=True, eq=False)
class _BlandAltman:
    """Mean difference and its limits of agreement from sums a scan (count, sum, sum of squares), under weights."""

    sums: Floats

    def __call__(self, weights: Floats) -> Floats:
        n, total, squares = weights @ self.sums
        if n < 2:
            return np.full(3, np.nan)
        bias = total / n
        spread = _LIMITS * np.sqrt(max(squares - n * bias**2, 0.0) / (n - 1))
        return np.array([bias, bias - spread, bias + spread])


def _sizes(
    prefix: str, cases: Sequence[ReadCase], pairs: Sequence[list[tuple[int, int]]], patients: list[str], drawing: Drawing
) -> list[Estimate]:
    names = [f"{prefix}{figure}:diameter" for figure in ("bias", "loa-low", "loa-high")]
    apart = [
        np.array([case.second_diameters_mm[p] - case.compared.diameters_mm[t] for t, p in found])
        for case, found in zip(cases, pairs, strict=True)
    ]
    sums = np.array([[each.size, each.sum(), (each**2).sum()] for each in apart], dtype=np.float64)
    events = int(sums[:, 0].sum())
    if events < 2:
        return [replace(not_available(name, FEW_PAIRS, n=len(set(patients)), events=events), unit="mm") for name in names]
    methods = [
        "mean difference of equivalent diameters, second less first; Bland & Altman 1986",
        "mean difference less 1.96 standard deviations; Bland & Altman 1986",
        "mean difference and 1.96 standard deviations; Bland & Altman 1986",
    ]
    found = drawing.estimates(names, methods, _BlandAltman(sums), patients, events=events)
    return [replace(each, unit="mm") for each in found]
