"""What an evidence record says, arranged for reading: which figure heads it, who stands beside whom. No statistic is computed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from onclair.core.estimate import Estimate, not_available
from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.audit_names import audit_label
from onclair.report.labels import FIGURES, HEADLINES, MODELS, WHERE, WHO
from onclair.report.validation_names import claim_label
from onclair.report.words import in_language, number, say, typeset

Role = Literal["model", "rival", "control", "other", "pooled", "predicted"]
_AT = re.compile(r"@([^:@]+)")
_TAKES_A_NAME = ("rival", "federated", "local")


@dataclass(frozen=True, slots=True)
class Name:
    """An estimate's name in its parts: ``[GROUP:]FIGURE[@AT][:WHO[:WHERE]]``."""

    group: str = ""
    figure: str = ""
    at: str = ""
    who: str = ""
    where: str = ""

    @property
    def measure(self) -> tuple[str, str, str]:
        """What is measured, whoever it is of."""
        return (self.group, self.figure, self.at)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a comparison: somebody's figure, and the model's difference from it."""

    label: str
    role: Role
    estimate: Estimate
    difference: Estimate | None = None


def read_name(name: str) -> Name:
    """Return the parts of an estimate's name.

    Examples
    --------
    >>> read_name("nb:rival:volume@0.2")
    Name(group='', figure='nb', at='0.2', who='rival:volume', where='')
    >>> read_name("auc:model:centre:C1").where, read_name("kappa:cohen:model").group
    ('centre:C1', 'kappa')
    """
    at = _AT.search(name)
    parts = _AT.sub("", name).split(":")
    start = next((i for i, p in enumerate(parts) if i and (p in WHO or p in _TAKES_A_NAME or p.startswith("model-minus-"))), 1)
    width = 2 if parts[start : start + 1] and parts[start] in _TAKES_A_NAME else 1
    return Name(
        ":".join(parts[: start - 1]),
        parts[start - 1],
        at.group(1) if at else "",
        ":".join(parts[start : start + width]),
        ":".join(parts[start + width :]),
    )


def headline(evidence: Evidence) -> tuple[str, str, str] | None:
    """Return what heads the report: the measure of the model that discrimination comes first in; None without any.

    Examples
    --------
    >>> headline(Evidence("validate", estimates=(Estimate("brier:model", 0.2), Estimate("auc:model", 0.8))))
    ('', 'auc', '')
    """
    names = [read_name(e.name) for e in evidence.estimates]
    own = [n for n in names if n.who == "model" and not n.where]
    ranked = sorted(own, key=lambda n: HEADLINES.index(n.figure) if n.figure in HEADLINES else len(HEADLINES))
    return ranked[0].measure if ranked else None


def find(evidence: Evidence, measure: tuple[str, str, str], who: str, where: str = "") -> Estimate | None:
    """Return the estimate of one measure for somebody, somewhere; None where the record has none.

    Examples
    --------
    >>> e = Evidence("validate", estimates=(Estimate("auc:rival:volume", 0.7),))
    >>> find(e, ("", "auc", ""), "rival:volume").value
    0.7
    """
    wanted = Name(*measure, who, where)
    return next((e for e in evidence.estimates if read_name(e.name) == wanted), None)


def comparison(evidence: Evidence, language: Language, measure: tuple[str, str, str]) -> tuple[Row, ...]:
    """Return the model, its rivals, the true law of virtual patients and the controls; who has no figure keeps a row with the reason."""
    model = find(evidence, measure, "model") or _absent(measure, "model", language)
    rows = [Row(say("model", language), "model", model)]
    for rival, label in rivals(evidence, language, measure).items():
        estimate = find(evidence, measure, f"rival:{rival}") or _absent(measure, f"rival:{rival}", language)
        rows.append(Row(label, "rival", estimate, find(evidence, measure, f"model-minus-{rival}")))
    oracle = find(evidence, measure, "oracle")
    if oracle is not None:
        rows.append(Row(who_label("oracle", evidence.facts, language), "other", oracle))
    for control, label in controls(evidence, language).items():
        estimate = find(evidence, measure, "model", control) or _absent(measure, f"model:{control}", language)
        rows.append(Row(label, "control", estimate, find(evidence, measure, f"model-minus-{control}")))
    return tuple(rows)


def rivals(evidence: Evidence, language: Language, measure: tuple[str, str, str] | None = None) -> dict[str, str]:
    """Return the label of each rival by name: those that the study declares, then others that have an estimate (of that measure)."""
    declared = {str(r["name"]): in_language(r.get("words") or r["name"], language) for r in evidence.facts.get("rivals", ())}
    for e in evidence.estimates:
        name = read_name(e.name)
        who = name.who
        if who.startswith("rival:") and measure in (None, name.measure):
            declared.setdefault(who[6:], who[6:].replace("_", " "))
    return declared


def controls(evidence: Evidence, language: Language) -> dict[str, str]:
    """Return the label of each negative control by name: those declared, then shuffled ones that have an estimate."""
    declared = {str(c["name"]): in_language(c.get("words") or c["name"], language) for c in evidence.facts.get("controls", ())}
    for e in evidence.estimates:
        name = read_name(e.name)
        if name.who == "model" and name.where.startswith("shuffled-") and ":" not in name.where:
            declared.setdefault(name.where, place_label(name.where, language))
    return declared


def places(evidence: Evidence, language: Language, measure: tuple[str, str, str]) -> tuple[Row, ...]:
    """Return the model's figure by centre, then across centres; empty where the record has none."""
    here = [e for e in evidence.estimates if read_name(e.name).measure == measure and read_name(e.name).who == "model"]
    rows = []
    for e in here:
        where = read_name(e.name).where
        if where.startswith("centre:") or where in ("leave-one-centre-out", "leave-one-site-out", "centres", "new-centre"):
            rows.append(Row(place_label(where, language), "other" if where.startswith("centre:") else "rival", e))
    whole = find(evidence, measure, "model")
    first = [Row(say("model", language), "model", whole)] if rows and whole else []
    return (*first, *rows)


def label(estimate_name: str, evidence_facts: Mapping[str, Any], language: Language) -> str:
    """Return an estimate's name in words.

    Examples
    --------
    >>> label("nb:rival:volume@0.2", {}, "fr")
    'bénéfice net à 0,2 · volume'
    >>> label("auc:model-minus-volume", {}, "en")
    'AUC · model minus volume'

    Whose it is goes unsaid where the figure's own name says it:

    >>> label("coverage:conformal", {}, "en")
    'coverage of prediction sets'
    """
    if evidence_facts.get("kind") == "validation":
        return claim_label(estimate_name, language)
    if evidence_facts.get("kind") == "audit":
        return audit_label(estimate_name, language)
    name = read_name(estimate_name)
    figure, who = figure_label(name, language), who_label(name.who, evidence_facts, language)
    words = [figure, "" if figure.endswith(f" {who}") else who, _where(name.where, evidence_facts, language)]
    return " · ".join(w for w in words if w)


def figure_label(name: Name, language: Language) -> str:
    """Return the name of what is measured, with its group and threshold."""
    text = typeset(FIGURES[name.figure].in_(language), language) if name.figure in FIGURES else name.figure.replace("_", " ")
    text = f"{name.group} {text}".strip()
    return say("at", language, figure=text, at=_at(name.at, language)) if name.at else text


def who_label(who: str, facts: Mapping[str, Any], language: Language) -> str:
    """Return whose figure it is, in words: a rival and a control by the study's own."""
    named = _declared(facts, language)
    if who.startswith("model-minus-"):
        other = who.removeprefix("model-minus-")
        return say("minus", language, one=say("model", language), other=named.get(other) or place_label(other, language))
    if who.startswith("rival:"):
        return named.get(who[6:]) or place_label(who[6:], language)
    return typeset(WHO[who].in_(language), language) if who in WHO else who.replace("_", " ").replace(":", " ")


def place_label(where: str, language: Language) -> str:
    """Return where a figure holds: a centre, all of them, a control.

    Examples
    --------
    >>> place_label("centre:C1", "en"), place_label("shuffled-voxels", "fr")
    ('centre C1', 'voxels mélangés')
    """
    if where.startswith("centre:"):
        return say("centre", language, name=where.removeprefix("centre:"))
    known = WHERE.get(where) or WHO.get(where)
    return typeset(known.in_(language), language) if known else where.replace("_", " ").replace(":", " ")


def outcome_name(evidence: Evidence, language: Language) -> str:
    r"""Return the outcome in words; on a French page a name of the record's own stands in guillemets.

    Examples
    --------
    >>> outcome_name(Evidence("validate", facts={"outcome": {"name": "lung_metastasis"}}), "en")
    'lung metastasis'
    >>> outcome_name(Evidence("validate"), "fr")
    ''
    """
    outcome = evidence.facts.get("outcome") or {}
    named = in_language(outcome.get("words") or outcome.get("name"), language)
    return typeset(f"« {named} »", language) if named and language == "fr" else named


def model_label(name: str, language: Language) -> str:
    """Return a learner in plain words.

    Examples
    --------
    >>> model_label("forest", "fr"), model_label("my_learner", "en")
    ('forêt aléatoire', 'my learner')
    """
    return typeset(MODELS[name].in_(language), language) if name in MODELS else name.replace("_", " ")


def curves(evidence: Evidence, name: str) -> tuple[Mapping[str, Any], ...]:
    """Return the curves of one kind that have at least two points.

    Examples
    --------
    >>> curves(Evidence("validate"), "decision")
    ()
    """
    every: Iterable[Mapping[str, Any]] = evidence.facts.get("curves") or ()
    return tuple(c for c in every if str(c.get("name", "")).split(":")[0] == name and len(c.get("x") or ()) >= 2)


def is_validation(evidence: Evidence) -> bool:
    """Return whether the record judges predictions brought from elsewhere (``onclair validate``), and is not a study's.

    Examples
    --------
    >>> is_validation(Evidence("validate", facts={"kind": "validation"})), is_validation(Evidence("validate"))
    (True, False)
    """
    return evidence.facts.get("kind") == "validation"


def is_audit(evidence: Evidence) -> bool:
    """Return whether the record audits a published model (``onclair radiomics audit``).

    Examples
    --------
    >>> is_audit(Evidence("validate", facts={"kind": "audit"})), is_audit(Evidence("validate"))
    (True, False)
    """
    return evidence.facts.get("kind") == "audit"


def by_item(evidence: Evidence) -> bool:
    """Return whether a record's outcome is of points, lesions or photographs, of which a patient has several.

    Examples
    --------
    >>> by_item(Evidence("validate", facts={"patients": 24, "rows": 103, "row_events": 55})), by_item(Evidence("validate"))
    (True, False)
    """
    rows, patients = evidence.facts.get("rows"), evidence.facts.get("patients")
    return evidence.facts.get("row_events") is not None and rows is not None and patients is not None and rows > patients


def is_virtual(evidence: Evidence) -> bool:
    """Return whether the patients are virtual."""
    return evidence.facts.get("data") == "virtual"


def _declared(facts: Mapping[str, Any], language: Language) -> dict[str, str]:
    every = [*(facts.get("rivals") or ()), *(facts.get("controls") or ())]
    return {str(e["name"]): in_language(e.get("words") or e["name"], language) for e in every}


def _where(where: str, facts: Mapping[str, Any], language: Language) -> str:
    named = {str(c["name"]): in_language(c.get("words") or c["name"], language) for c in facts.get("controls") or ()}
    return named.get(where) or " · ".join(named.get(w) or place_label(w, language) for w in _places(where))


def _places(where: str) -> list[str]:
    """Return each place of several, ``centre:NAME`` kept whole."""
    return [where] if where.startswith("centre:") or not where else where.split(":")


def _absent(measure: tuple[str, str, str], who: str, language: Language) -> Estimate:
    group, figure, at = measure
    name = ":".join(p for p in (group, figure + (f"@{at}" if at else ""), who) if p)
    return not_available(name, say("no-estimate", language))


def _at(text: str, language: Language) -> str:
    try:
        return number(float(text), language, digits=max(0, len(text.partition(".")[2])))
    except ValueError:
        return text
