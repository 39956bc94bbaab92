"""Which figures of an audit stand side by side: the score, its rivals, and the score where its signal is destroyed or elsewhere."""

from __future__ import annotations

import re

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.audit_names import audit_label, place
from onclair.report.audit_verdict import figure_of, named
from onclair.report.phrases_audit import PLACES
from onclair.report.reading import Role, Row
from onclair.report.words import say

#: Rivals, in the order of the report.
RIVALS = ("volume", "suv_max", "suv_peak", "mtv", "tlg", "clinical")
#: What the first picture shows besides: the control that the rules ask about, chance of this shape, and the score elsewhere.
FIRST = ("shuffled-voxels", "mask-only", "random-features", "within-batch", "external")
#: Every control, in the order of the report.
CONTROLS = tuple(
    name
    for name in PLACES
    if name.endswith(("-outline", "-outside", "-everywhere"))
    or name in ("shuffled-voxels", "mask-only", "size-matched", "rescaled", "random-features", "random-weights")
)
_FEATURE = re.compile(r"^(auc|harrell):feature:(.+?)(:shuffled-voxels)?$")


def first_rows(evidence: Evidence, language: Language) -> tuple[Row, ...]:
    """Return the rows of the first picture and of the table of differences; empty without a score.

    Examples
    --------
    >>> found = (Estimate("auc:model", 0.8), Estimate("auc:rival:volume", 0.7), Estimate("auc:model-minus-volume", 0.1))
    >>> [(row.label, row.role, row.difference is None) for row in first_rows(Evidence("validate", estimates=found), "en")]
    [('score', 'model', True), ('volume', 'rival', False)]
    """
    figure = figure_of(evidence)
    own = named(evidence, f"{figure}:model")
    if own is None:
        return ()
    rows = [Row(say("audit-score", language), "model", own)]
    rows += [row for name in RIVALS if (row := _row(evidence, f"rival:{name}", name, "rival", language))]
    return (*rows, *(row for name in FIRST if (row := _row(evidence, f"model:{name}", name, "control", language))))


def control_rows(evidence: Evidence, language: Language) -> tuple[Row, ...]:
    """Return a row for each way in which the signal was destroyed, with the difference from the score as it is."""
    found = (_row(evidence, f"model:{name}", name, "control", language) for name in CONTROLS)
    return tuple(row for row in found if row is not None)


def steady_rows(evidence: Evidence, language: Language, most: int = 12) -> tuple[Row, ...]:
    """Return the repeatability of the score and of its features, the least steady first; at most so many."""
    own = named(evidence, "icc:model")
    first = [] if own is None else [Row(say("audit-score", language), "model", own)]
    each = [e for e in evidence.estimates if e.name.startswith("icc:feature:")]
    each.sort(key=lambda e: (e.value is None, e.value or 0.0))
    return (*first, *(Row(e.name.removeprefix("icc:feature:"), "rival", e) for e in each[:most]))


def batch_rows(evidence: Evidence, language: Language) -> tuple[Row, ...]:
    """Return how well each batch is told from the features, before and after ComBat, and the score whole, within and after."""
    figure = figure_of(evidence)
    kept = [e for e in evidence.estimates if re.match(rf"{figure}:model(:within-.*|:harmonised)?$", e.name)]
    told = [Row(_short(e.name, language), "model" if e.name == f"{figure}:model" else "control", e) for e in kept]
    told += [Row(_short(e.name, language), "rival", e) for e in with_prefix(evidence, "auc:batch:")]
    return tuple(told) if len(told) > 1 else ()


def semantic_rows(evidence: Evidence, language: Language) -> tuple[Row, ...]:
    """Return what the score goes with on one scale, Spearman's; each column as it is, and hollow with volume taken off both sides."""
    found = [e for e in with_prefix(evidence, "spearman:model:semantic:") if ":reader=" not in e.name]
    return tuple(Row(_short(e.name, language), "control" if ":given-" in e.name else "model", e) for e in found)


def q_of(estimate: Estimate) -> float | None:
    """Return the adjusted p-value that an association's method states; None where it states none.

    Examples
    --------
    >>> q_of(Estimate("spearman:model:semantic:margin", 0.6, method="Spearman; t test p = 0.002; q = 0.006 among 3 asked"))
    0.006
    """
    found = re.search(r"q = ([0-9.e-]+)", estimate.method)
    return float(found[1]) if found else None


def _short(name: str, language: Language) -> str:
    """Return an estimate's name in words without its figure."""
    words = audit_label(name, language).split(" · ")[1:]
    return " · ".join(words[1:] if len(words) > 1 and words[0] == say("audit-score", language) else words)


def survey_rows(evidence: Evidence, language: Language, most: int = 12) -> tuple[Row, ...]:
    """Return the features of a survey that look most promising, each beside itself with the voxels shuffled."""
    pairs: dict[str, dict[bool, Estimate]] = {}
    for estimate in evidence.estimates:
        if found := _FEATURE.match(estimate.name):
            pairs.setdefault(found[2], {})[found[3] is not None] = estimate
    whole = [(name, pair[False], pair[True]) for name, pair in pairs.items() if len(pair) == 2 and pair[False].value is not None]
    whole.sort(key=lambda each: -(each[1].value or 0.0))
    rows: list[Row] = []
    for name, true, mixed in whole[:most]:
        rows += [Row(name, "model", true), Row(say("audit-survey-shuffled", language, name=name), "control", mixed)]
    return tuple(rows)


def with_prefix(evidence: Evidence, *prefixes: str) -> list[Estimate]:
    """Return the estimates whose names begin with one of some words.

    Examples
    --------
    >>> found = (Estimate("o_e:model", 1.0), Estimate("auc:model", 0.8))
    >>> [e.name for e in with_prefix(Evidence("validate", estimates=found), "o_e:")]
    ['o_e:model']
    """
    return [e for e in evidence.estimates if e.name.startswith(prefixes)]


def _row(evidence: Evidence, who: str, name: str, role: Role, language: Language) -> Row | None:
    figure = figure_of(evidence)
    found = named(evidence, f"{figure}:{who}")
    return None if found is None else Row(place(name, language), role, found, named(evidence, f"{figure}:model-minus-{name}"))
