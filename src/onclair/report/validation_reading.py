"""What a validation record says, arranged for reading: models, their figures, centres, groups, gaps. No statistic is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onclair.core.estimate import Estimate, not_available
from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.reading import Row
from onclair.report.validation_names import NEW, POOLED, SPREAD, ClaimName, claim_name, claim_where
from onclair.report.words import in_language, number, say, typeset, whole

#: The figures of ranking by kind of outcome, the one that heads the report first.
RANKING: dict[str, tuple[str, ...]] = {
    "binary": ("auc",),
    "survival": ("harrell", "uno", "auc_t"),
    "competing": ("c_index", "auc_t"),
}
#: What the calibration slope is called by kind of outcome.
SLOPES: dict[str, str] = {"competing": "pseudo_slope"}
#: Figures at a threshold.
AT_THRESHOLDS = ("nb", "avoided", "snb", "sens", "spec", "ppv", "npv", "lr_pos", "lr_neg")


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the plan: its name, whether it gives a risk or a score, and the column it was read from."""

    name: str
    kind: str = "risk"
    column: str = ""


def models(evidence: Evidence) -> tuple[Model, ...]:
    """Return the models of the plan, else those that have an estimate, in their order.

    Examples
    --------
    >>> models(Evidence("validate", estimates=(Estimate("auc:basic", 0.7), Estimate("nb:all@0.2", 0.1))))
    (Model(name='basic', kind='risk', column=''),)
    """
    told = evidence.facts.get("models") or ()
    if told:
        return tuple(Model(str(m["name"]), str(m.get("kind") or "risk"), str(m.get("column") or "")) for m in told)
    names = [claim_name(e.name).who for e in evidence.estimates]
    return tuple(Model(name) for name in dict.fromkeys(names) if name not in ("", "all", "none") and "-minus-" not in name)


def kind_of_outcome(evidence: Evidence) -> str:
    """Return ``binary``, ``survival`` or ``competing``."""
    return str((evidence.facts.get("outcome") or {}).get("kind") or "binary")


def heading_figure(evidence: Evidence) -> str:
    """Return the figure of ranking that heads the report.

    Examples
    --------
    >>> heading_figure(Evidence("validate", facts={"outcome": {"kind": "survival"}}, estimates=(Estimate("uno:a", 0.7),)))
    'uno'
    """
    candidates = RANKING.get(kind_of_outcome(evidence), RANKING["binary"])
    known = {claim_name(e.name).figure for e in evidence.estimates}
    return next((figure for figure in candidates if figure in known), candidates[0])


def slope_figure(evidence: Evidence) -> str:
    """Return the name of the calibration slope for this kind of outcome."""
    return SLOPES.get(kind_of_outcome(evidence), "slope")


def one(evidence: Evidence, figure: str, who: str, language: Language, *, at: float | None = None, where: str = "") -> Estimate:
    """Return one estimate; where the record has none, one that says so.

    Examples
    --------
    >>> one(Evidence("validate", estimates=(Estimate("nb:a@0.20", 0.1),)), "nb", "a", "en", at=0.2).value
    0.1
    >>> one(Evidence("validate"), "auc", "a", "en").reason
    'no estimate in the record'
    """
    for e in evidence.estimates:
        name = claim_name(e.name)
        if (name.figure, name.who, name.where) == (figure, who, where) and threshold_of(name) == at:
            return e
    shown = f"@{at:g}" if at is not None else ""
    return not_available(":".join(p for p in (figure, who + shown, where) if p), say("no-estimate", language))


def threshold_of(name: ClaimName) -> float | None:
    """Return the threshold of a name as a number; None without one."""
    try:
        return float(name.at) if name.at else None
    except ValueError:
        return None


def thresholds(evidence: Evidence) -> tuple[float, ...]:
    """Return the declared thresholds, rising.

    Examples
    --------
    >>> thresholds(Evidence("validate", facts={"thresholds": [0.23, 0.1]}))
    (0.1, 0.23)
    """
    declared = evidence.facts.get("thresholds")
    if declared is not None:
        return tuple(sorted({float(t) for t in declared}))
    return tuple(sorted({t for e in evidence.estimates if (t := threshold_of(claim_name(e.name))) is not None}))


def strata(evidence: Evidence, key: str, figure: str, who: str) -> tuple[Estimate, ...]:
    """Return one figure of one model in every stratum of a column, gaps left out: ``centre=1``, ``centre=2``..."""
    return tuple(e for e, name in _of(evidence, figure, who) if name.key == key and not is_gap(evidence, name))


def gaps(evidence: Evidence, key: str, figure: str, who: str) -> tuple[Estimate, ...]:
    """Return the gaps of one figure of one model between the groups of a column."""
    return tuple(e for e, name in _of(evidence, figure, who) if name.key == key and is_gap(evidence, name))


def is_gap(evidence: Evidence, name: ClaimName) -> bool:
    """Return whether an estimate is the gap between two groups, and not a group with ``-minus-`` in its name."""
    groups = [str(g) for g in (evidence.facts.get("subgroups") or {}).get(name.key, ())]
    return "-minus-" in name.value and name.value not in groups


def group_keys(evidence: Evidence) -> tuple[str, ...]:
    """Return the columns of groups: declared, then those that have an estimate.

    Examples
    --------
    >>> group_keys(Evidence("validate", estimates=(Estimate("auc:a:sex=F", 0.7), Estimate("auc:a:centre=1", 0.7))))
    ('sex',)
    """
    found = [name.key for e in evidence.estimates if (name := claim_name(e.name)).key not in ("", "centre")]
    return tuple(dict.fromkeys([*map(str, evidence.facts.get("subgroups") or {}), *found]))


def stratified(evidence: Evidence, key: str, model: Model) -> tuple[str, ...]:
    """Return the figures that one model has by the strata of a column, the heading figure first; of a score, those with a value."""
    here = [(e, name) for e in evidence.estimates if (name := claim_name(e.name)).key == key and name.who == model.name and not name.at]
    found = dict.fromkeys(name.figure for e, name in here if model.kind == "risk" or e.value is not None)
    order = [heading_figure(evidence), "o_e", "citl", slope_figure(evidence)]
    return tuple(sorted(found, key=lambda f: order.index(f) if f in order else len(order)))


def centre_rows(evidence: Evidence, figure: str, who: str, language: Language) -> tuple[Row, ...]:
    """Return the rows of a transport plot: each centre, then all of them pooled, then a new one."""
    rows = [
        Row(counted(claim_where(claim_name(e.name).where, language), e, language), "other", e)
        for e in strata(evidence, "centre", figure, who)
    ]
    for where, role, key in ((POOLED, "pooled", "pooled"), (NEW, "predicted", "new")):
        found = next((e for e, name in _of(evidence, figure, who) if name.where == where), None)
        if found is not None:
            rows.append(Row(say(key, language), "pooled" if role == "pooled" else "predicted", found))
    return tuple(rows)


def between_centres(evidence: Evidence, figure: str, who: str) -> Estimate | None:
    """Return the variance between centres; None where the record has none."""
    return next((e for e, name in _of(evidence, figure, who) if name.where == SPREAD), None)


def counted(label: str, estimate: Estimate, language: Language) -> str:
    r"""Return a label with the events and patients behind its figure.

    Examples
    --------
    >>> counted("centre 4", Estimate("auc:a:centre=4", 0.7, n=120, events=33), "en").replace("\u00a0", " ")
    'centre 4 (33 / 120)'
    """
    if estimate.n is None:
        return label
    events = f"{whole(estimate.events, language)}\u00a0/\u00a0" if estimate.events is not None else ""
    return f"{label} ({events}{whole(estimate.n, language)})"


def comparisons(evidence: Evidence) -> tuple[Estimate, ...]:
    """Return the differences between models, whole cohort first."""
    return tuple(e for e in evidence.estimates if "-minus-" in (name := claim_name(e.name)).who and not name.where)


def lacking(estimates: Iterable[Estimate]) -> dict[tuple[str, str], list[Estimate]]:
    """Return the estimates that have no figure, or one that does not stand, by status and reason.

    Examples
    --------
    >>> list(lacking([not_available("slope:a", "separated"), Estimate("auc:a", 0.7)]))
    [('not_available', 'separated')]
    """
    found: dict[tuple[str, str], list[Estimate]] = {}
    for e in estimates:
        if e.status != "ok":
            found.setdefault((e.status, e.reason or ""), []).append(e)
    return found


def outcome_text(evidence: Evidence, language: Language) -> str:
    """Return the outcome in words, with its horizon.

    Examples
    --------
    >>> facts = {"outcome": {"name": "relapse", "kind": "survival", "unit": "year", "horizon": 5.0}}
    >>> outcome_text(Evidence("validate", facts=facts), "en")
    'relapse by 5 years'
    """
    outcome: Mapping[str, Any] = evidence.facts.get("outcome") or {}
    name = in_language(outcome.get("words") or outcome.get("name"), language) or say("outcome", language).lower()
    name = typeset(f"« {name} »", language) if language == "fr" else name
    told = horizon_text(outcome, language)
    return say("by-time", language, outcome=name, horizon=told) if told else name


def horizon_text(outcome: Mapping[str, Any], language: Language) -> str:
    """Return the horizon with its unit; empty without one.

    Examples
    --------
    >>> horizon_text({"horizon": 1.0, "unit": "year"}, "fr"), horizon_text({"horizon": 60, "unit": ""}, "en")
    ('1 an', 'time 60')
    """
    horizon = outcome.get("horizon")
    if horizon is None:
        return ""
    unit = str(outcome.get("unit") or "").rstrip("s")
    shown = number(float(horizon), language, digits=0 if float(horizon).is_integer() else 2)
    if unit not in ("day", "month", "year"):
        return say("time-other", language, time=shown)
    return say(f"time-{unit}-one" if float(horizon) == 1 else f"time-{unit}", language, time=shown)


def _of(evidence: Evidence, figure: str, who: str) -> Sequence[tuple[Estimate, ClaimName]]:
    every = [(e, claim_name(e.name)) for e in evidence.estimates]
    return [(e, name) for e, name in every if name.figure == figure and name.who == who and not name.at]
