"""Found and missed lesions over many scans: counts, sensitivity, precision, SQ, RQ, PQ, Dice, strata and FROC with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.science.statistics.bootstrap import Map
from onclair.validate.froc import RATES, Froc, case_curve, froc_of
from onclair.validate.lesion_matching import RULES, Matching, Overlaps, match_overlaps
from onclair.validate.lesion_ratios import Drawing, Ratio, ratios
from onclair.validate.masks import MaskAgreement

Floats = npt.NDArray[np.float64]
Kind = Literal["maps", "boxes"]

#: Strata of size by equivalent diameter in mm: name, from (inclusive), to (exclusive but for 20, which is in the middle one).
SIZES: tuple[tuple[str, float, float], ...] = (("size<10", 0.0, 10.0), ("size10-20", 10.0, 20.0), ("size>20", 20.0, np.inf))
#: The rule of the free-response curve, and of what is listed case by case.
FROC_RULE = "iou0.1"
BOX = "box"
NO_TRUTH, NO_ANSWER, NO_MATCH = "there is no lesion in the truth", "no lesion was predicted", "no lesion was matched"
NOTHING, NO_SUCH, NO_SCORES = "there is no lesion at all", "there is no such lesion in the truth", "no scores were given"
NO_BOTH = "no scan has lesions in both maps"
_SAID = {
    "overlap": "matched one to one from one common voxel on",
    "iou0.1": "matched one to one from an intersection over union of 0.1 on",
    "iou0.5": "matched one to one from an intersection over union of 0.5 on",
    BOX: "matched one to one where the centroid lies in the box or the boxes' intersection over union is 0.1 or more",
}


@dataclass(frozen=True, slots=True, eq=False)
class LesionCase:
    """One scan, its instances counted.

    Attributes
    ----------
    case, patient : str
        Scans of one patient are drawn together.
    overlaps : Overlaps
    kind : {"maps", "boxes"}
    masks : MaskAgreement or None
        Of the two maps as wholes; None for boxes.
    diameters_mm : mapping of int to float
        Equivalent diameters of the true lesions.
    groups : mapping of str to frozenset of int
        True lesions of a stratum such as ``"type=lytic"``.
    scores : mapping of int to float, or None
        Of the predicted lesions.
    aside : frozenset of int
        True lesions that the border cuts.
    """

    case: str
    patient: str
    overlaps: Overlaps
    kind: Kind = "maps"
    masks: MaskAgreement | None = None
    diameters_mm: Mapping[int, float] = field(default_factory=dict)
    groups: Mapping[str, frozenset[int]] = field(default_factory=dict)
    scores: Mapping[int, float] | None = None
    aside: frozenset[int] = frozenset()

    def matched(self, rule: str) -> Matching:
        """Return the scan's matching under a rule; boxes have one rule, ``"box"``."""
        return match_overlaps(self.overlaps, "overlap" if rule == BOX else rule, aside=self.aside)


def rules_of(cases: Sequence[LesionCase]) -> tuple[str, ...]:
    """Return the rules under which cases are compared: the three of maps, or the one of boxes.

    Raises
    ------
    BadInput
        Without a case, or where some are maps and some are boxes.
    """
    kinds = {case.kind for case in cases}
    if len(kinds) != 1:
        raise BadInput("There is no case to compare." if not kinds else "Some cases are maps and some are boxes; compare them apart.")
    return tuple(RULES) if kinds == {"maps"} else (BOX,)


def lesion_agreement(cases: Sequence[LesionCase], drawing: Drawing | None = None, *, map: Map = map) -> list[Estimate]:  # noqa: A002
    """Return every figure of agreement of predicted and true lesions, with intervals by drawing patients anew.

    Parameters
    ----------
    cases : sequence of LesionCase
    drawing : Drawing, optional
        Replicates, seed and level.
    map : callable
        See :func:`onclair.science.statistics.bootstrap.bootstrap`.

    Returns
    -------
    list of Estimate
        For each rule ``tp fp fn sensitivity precision sq rq pq lesionwise-dice`` and the sensitivity by stratum, then ``voxel:dice``,
        ``voxel:surface-dice`` (2 mm) and ``voxel:hd95``;
        of boxes ``box:sensitivity``, ``box:fp-per-case``, ``box:tp fp fn``; then ``froc:sens@1/8`` ... ``froc:mean``. Sums run over all
        scans before they are divided. A figure that cannot be had is not available, with the reason.

    Raises
    ------
    BadInput
        Without a case, for maps and boxes together, or an instance without a score where scores were given.

    References
    ----------
    SQ, RQ, PQ: Kirillov et al. 2019, doi:10.1109/CVPR.2019.00963. FROC: Bandos & Obuchowski 2018, doi:10.1177/0962280218776683.

    Examples
    --------
    >>> over = Overlaps((1, 2), (1, 2), ((1, 1),), np.array([0.6]), np.array([0.75]))
    >>> found = {e.name: e.value for e in lesion_agreement([LesionCase("a", "a", over)])}
    >>> found["iou0.5:rq"], found["iou0.5:sq"], found["iou0.5:pq"], found["iou0.5:lesionwise-dice"]
    (0.5, 0.6, 0.3, 0.25)
    """
    drawn = drawing or Drawing()
    rules = rules_of(cases)
    patients = [case.patient for case in cases]
    wanted = [ratio for rule in rules for ratio in _of_rule(rule, cases)]
    if rules != (BOX,):
        wanted += _voxelwise(cases)
    return [*ratios(wanted, patients, drawn, map=map), *_froc(cases, drawn, map)]


def strata_of(cases: Sequence[LesionCase]) -> tuple[str, ...]:
    """Return the strata of the true lesions: three sizes, then the groups that occur, in order.

    Examples
    --------
    >>> over = Overlaps((), (), (), np.zeros(0), np.zeros(0))
    >>> strata_of([LesionCase("a", "a", over, groups={"type=lytic": frozenset({1})})])
    ('size<10', 'size10-20', 'size>20', 'type=lytic')
    """
    return (*(name for name, _, _ in SIZES), *sorted({group for case in cases for group in case.groups}))


def size_of(diameter_mm: float) -> str:
    """Return the stratum of a diameter; 10 and 20 mm lie in the middle one.

    Examples
    --------
    >>> [size_of(d) for d in (9.9, 10.0, 20.0, 20.1)]
    ['size<10', 'size10-20', 'size10-20', 'size>20']
    """
    return "size<10" if diameter_mm < 10 else "size10-20" if diameter_mm <= 20 else "size>20"


def _of_rule(rule: str, cases: Sequence[LesionCase]) -> list[Ratio]:
    """Return the figures of one rule as sums over the scans."""
    found = [case.matched(rule) for case in cases]
    tp, fp, fn = (np.array([len(side) for side in sides], dtype=float) for sides in zip(*map(_sides, found), strict=True))
    iou, dice = (np.array([sum(values) for values in every]) for every in zip(*map(_sums, found), strict=True))
    said, lesions = _SAID[rule], int((tp + fn).sum())
    half = tp + (fp + fn) / 2

    def ratio(figure: str, top: Floats, bottom: Floats | None, method: str, lacking: str) -> Ratio:
        return Ratio(f"{rule}:{figure}", top, bottom, f"{method}; {said}", lacking, lesions)

    counts = [
        ratio("tp", tp, None, "lesions found", ""),
        ratio("fp", fp, None, "predicted lesions that answer none", ""),
        ratio("fn", fn, None, "lesions missed", ""),
    ]
    sensitivity = ratio("sensitivity", tp, tp + fn, "found / lesions", NO_TRUTH)
    if rule == BOX:
        return [sensitivity, ratio("fp-per-case", fp, np.ones(len(cases)), "predicted lesions that answer none, a scan", NO_TRUTH), *counts]
    quality = [
        ratio("precision", tp, tp + fp, "found / predicted", NO_ANSWER),
        ratio("sq", iou, tp, "mean intersection over union of the pairs", NO_MATCH),
        ratio("rq", tp, half, "TP / (TP + (FP + FN) / 2)", NOTHING),
        ratio("pq", iou, half, "SQ x RQ", NOTHING),
        ratio("lesionwise-dice", dice, tp + fp + fn, "mean Dice of pairs, 0 for each lesion missed or false", NOTHING),
    ]
    strata = [_stratum(f"{rule}:sensitivity:{name}", *_within(name, cases, found), said) for name in strata_of(cases)]
    return [*counts, sensitivity, *quality, *strata]


def _stratum(name: str, hits: Floats, total: Floats, said: str) -> Ratio:
    return Ratio(name, hits, total, f"found / lesions of the stratum; {said}", NO_SUCH, int(total.sum()))


def _within(name: str, cases: Sequence[LesionCase], found: Sequence[Matching]) -> tuple[Floats, Floats]:
    """Return the lesions of a stratum that each scan found, and that it has."""
    hits, total = np.zeros(len(cases)), np.zeros(len(cases))
    for i, (case, matching) in enumerate(zip(cases, found, strict=True)):
        inside = _members(name, case)
        hits[i] = sum(t in inside for t, _, _ in matching.pairs)
        total[i] = hits[i] + sum(t in inside for t in matching.missed)
    return hits, total


def _members(name: str, case: LesionCase) -> frozenset[int]:
    if name in (size for size, _, _ in SIZES):
        return frozenset(number for number, diameter in case.diameters_mm.items() if size_of(diameter) == name)
    return case.groups.get(name, frozenset())


def _sides(found: Matching) -> tuple[tuple[object, ...], tuple[object, ...], tuple[object, ...]]:
    return found.pairs, found.false, found.missed


def _sums(found: Matching) -> tuple[list[float], list[float]]:
    return [iou for _, _, iou in found.pairs], list(found.dice)


def _voxelwise(cases: Sequence[LesionCase]) -> list[Ratio]:
    """Return the figures of the maps as wholes, each a mean over the scans that have it."""
    said = {
        "dice": ("mean over scans of the Dice of all lesions together; scans without any lesion left out", NOTHING, "1"),
        "surface-dice": ("mean over scans of the surface Dice at 2 mm; scans without any lesion left out", NOTHING, "1"),
        "hd95": (
            "mean over scans of the larger directed 95th percentile of surface distances; scans with an empty map left out",
            NO_BOTH,
            "mm",
        ),
    }
    found = []
    for (figure, (method, lacking, unit)), name in zip(said.items(), ("dice", "surface_dice", "hd95_mm"), strict=True):
        values = [None if case.masks is None else getattr(case.masks, name) for case in cases]
        known = np.array([value is not None for value in values], dtype=float)
        top = np.array([value or 0.0 for value in values])
        found.append(Ratio(f"voxel:{figure}", top, known, method, lacking, int(known.sum()), unit))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _At:
    """The sensitivities at the rates and their mean, under weights of the scans."""

    curve: Froc

    def __call__(self, weights: Floats) -> Floats:
        values = self.curve.at(tuple(RATES.values()), weights)
        return np.append(values, values.mean())


def _froc(cases: Sequence[LesionCase], drawing: Drawing, map: Map) -> list[Estimate]:  # noqa: A002
    names = [*(f"froc:sens@{rate}" for rate in RATES), "froc:mean"]
    if any(case.scores is None for case in cases):
        return [not_available(name, NO_SCORES) for name in names]
    rule = "overlap" if cases[0].kind == "boxes" else FROC_RULE
    curves = [case_curve(case.overlaps, case.scores or {}, rule, aside=case.aside) for case in cases]
    lesions = sum(curve.lesions for curve in curves)
    if not lesions:
        return [not_available(name, NO_TRUTH, n=len({case.patient for case in cases}), events=0) for name in names]
    said = _SAID[BOX if cases[0].kind == "boxes" else rule]
    methods = [*(f"largest sensitivity at no more than {rate} false positives a scan; {said}" for rate in RATES)]
    methods.append(f"mean of the sensitivities at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives a scan; {said}")
    return drawing.estimates(names, methods, _At(froc_of(curves)), [case.patient for case in cases], events=lesions, map=map)
