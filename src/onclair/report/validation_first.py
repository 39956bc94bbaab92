"""The first screen of a validation run: what is claimed, in whom, how wrong, what acting gains, where it cannot tell."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.markup import Child, node
from onclair.report.page import as_written
from onclair.report.validation_checks import Check, checks
from onclair.report.validation_names import NEW, claim_name, claim_where, threshold_text
from onclair.report.validation_reading import (
    Model,
    group_keys,
    heading_figure,
    horizon_text,
    models,
    one,
    outcome_text,
    strata,
    thresholds,
)
from onclair.report.words import figure_text, in_language, interval, listed, number, say, sentence, whole

#: Names written out before the rest is counted.
MOST_NAMES = 8


def answers(evidence: Evidence, language: Language) -> ET.Element:
    """Return the clinician's five answers on the first model, and what it may not be used for, a card each."""
    known = models(evidence)
    cards = [("in-whom", in_whom(evidence, language)), ("must-not-tell", must_not_tell(evidence, language))]
    if known:
        first = known[0]
        cards = [
            ("claimed", claimed(evidence, first, language)),
            cards[0],
            ("how-wrong", how_wrong(evidence, first, language)),
            ("gains", gains_told(evidence, first, language)),
            cards[1],
        ]
    cards.append(("not-for", not_for(evidence, language)))
    return node("div", [_card(say(key, language), told) for key, told in cards], class_="answers")


def claimed(evidence: Evidence, model: Model, language: Language) -> list[Child]:
    """Return what the model says of a patient, and who is judged beside it."""
    key = "claimed-score" if model.kind == "score" else "claimed-risk"
    others = [m.name for m in models(evidence) if m.name != model.name]
    told: list[Child] = [say(key, language, model=_named(model.name, language), outcome=outcome_text(evidence, language))]
    if others:
        told.append(say("claimed-too", language, models=_listed([_named(name, language) for name in others], language)))
    return told


def in_whom(evidence: Evidence, language: Language) -> list[Child]:
    """Return whose data these are, and what the plan says of them."""
    facts = evidence.facts
    centres = len(facts.get("centres") or ())
    where = say("one-centre", language) if centres == 1 else say("many-centres", language, count=whole(centres, language))
    values = {"patients": whole(facts.get("patients"), language), "events": whole(facts.get("events"), language), "centres": where}
    told: list[Child] = [say("in-whom-counts" if centres else "in-whom-counts-no-centre", language, **values)]
    design = facts.get("design")
    told += [say(f"in-whom-{design}", language)] if design in _DESIGNS else []
    if design == "case-control" and facts.get("prevalence") is not None and thresholds(evidence):
        told.append(say("in-whom-prevalence", language, prevalence=_percent(facts["prevalence"], language)))
    if facts.get("rows") not in (None, facts.get("patients")):
        told.append(say("in-whom-rows", language, rows=whole(facts["rows"], language), patients=values["patients"]))
    if excluded := facts.get("excluded"):
        key = "in-whom-excluded-one" if excluded == 1 else "in-whom-excluded"
        told.append(say(key, language, count=whole(excluded, language)))
    return told


def how_wrong(evidence: Evidence, model: Model, language: Language) -> list[Child]:
    """Return how far risks are from what happened, in plain words."""
    if model.kind == "score":
        return [say("how-wrong-score", language)]
    found: dict[str, Check] = {c.key: c for c in checks(evidence, model, language)}
    told: list[Child] = [sentence(text) for text in dict.fromkeys(found[key].told for key in ("o_e", "slope"))]
    mean, worst = one(evidence, "ici", model.name, language), one(evidence, "e90", model.name, language)
    if mean.value is not None:
        told.append(_off_by(mean, language))
    if worst.value is not None:
        told.append(say("off-by-at-most", language, value=number(100 * worst.value, language, digits=1)))
    return told


def gains_told(evidence: Evidence, model: Model, language: Language) -> list[Child]:
    """Return net benefit at each declared threshold, per 100 patients, beside treating everyone."""
    declared = thresholds(evidence)
    if model.kind == "score":
        return [say("gains-score", language)]
    if not declared:
        return [say("gains-none-declared", language)]
    told: list[Child] = [_gain_at(evidence, model, at, language) for at in declared[:4]]
    return [*told, node("span", say("gains-unit", language), class_="quiet")]


def must_not_tell(evidence: Evidence, language: Language) -> list[Child]:
    """Return where the record does not allow an answer."""
    told: list[Child] = []
    facts, known, figure = evidence.facts, models(evidence), heading_figure(evidence)
    who = known[0].name if known else ""
    for key, columns in (("must-centres", ("centre",)), ("must-groups", group_keys(evidence))):
        weak = [e for column in columns for e in strata(evidence, column, figure, who) if e.status != "ok"]
        if weak:
            names = _listed([claim_where(claim_name(e.name).where, language) for e in weak], language)
            told.append(say(key, language, names=names if key == "must-groups" else names[:1].upper() + names[1:]))
    if facts.get("design") == "internal" or len(facts.get("centres") or ()) < 2:
        told.append(say("must-elsewhere", language))
    elif one(evidence, figure, who, language, where=NEW).low is None:
        told.append(say("must-new-centre", language))
    if thresholds(evidence):
        told.append(say("must-thresholds", language))
    lacking = sum(e.status != "ok" for e in evidence.estimates)
    if lacking:
        count = say("must-figures", language, count=whole(lacking, language), all=whole(len(evidence.estimates), language))
        told.append(node("a", count, href="#absent"))
    return told or [say("must-nothing", language)]


def not_for(evidence: Evidence, language: Language) -> list[Child]:
    """Return what the model may not be used for: the record's own limits, then those that follow from how it was judged."""
    facts = evidence.facts
    told = [in_language(words, language) for words in facts.get("limits") or ()]
    told.append(say("not-decide", language))
    told.append(say("not-elsewhere", language))
    if any(m.kind == "score" for m in models(evidence)):
        told.append(say("not-as-risk", language))
    if facts.get("design") == "case-control":
        told.append(say("not-prevalence", language))
    declared = [threshold_text(f"{at:g}", language) for at in thresholds(evidence)]
    if declared:
        told.append(say("not-thresholds", language, thresholds=_listed(declared, language, "or")))
    if (facts.get("outcome") or {}).get("horizon") is not None:
        told.append(say("not-horizon", language, horizon=horizon_text(facts["outcome"], language)))
    return [sentence(text) for text in dict.fromkeys(told)]


_DESIGNS = ("external", "internal", "internal-external", "case-control", "prospective")


def _card(title: str, told: list[Child]) -> ET.Element:
    return node("div", node("h2", title), [node("p", text) for text in told], class_="card")


def _off_by(found: Estimate, language: Language) -> Child:
    value = number(100 * (found.value or 0.0), language, digits=1)
    if found.low is None or found.high is None or found.status != "ok":
        return say("off-by-alone", language, value=value)
    low, high = (number(100 * v, language, digits=1) for v in (found.low, found.high))
    return say("off-by", language, value=value, low=low, high=high)


def _gain_at(evidence: Evidence, model: Model, at: float, language: Language) -> Child:
    own, every = (one(evidence, "nb", who, language, at=at) for who in (model.name, "all"))
    if own.value is None:
        reason = as_written(own.reason or figure_text(own, language), language)
        before, _, after = say("gains-at-none", language, at=_percent(at, language), reason="\x00").partition("\x00")
        return node("span", before, reason, after)
    values = [number(100 * v, language, digits=1) if v is not None else "–" for v in (own.value, every.value)]
    mine = values[0]
    if own.low is not None and own.high is not None:
        hundred = Estimate("nb:x", 100 * own.value, low=100 * own.low, high=100 * own.high)
        mine += f" ({interval(hundred, language, digits=1)})"
    return say("gains-at", language, at=_percent(at, language), model=mine, all=values[1])


def _percent(value: float, language: Language) -> str:
    shown = number(100 * float(value), language, digits=0 if abs(100 * value - round(100 * value)) < 1e-9 else 1)
    return f"{shown}\u202f%" if language == "fr" else f"{shown}%"


def _named(name: str, language: Language) -> str:
    return f"« {name} »" if language == "fr" else f"“{name}”"


def _listed(names: list[str], language: Language, last: str = "and") -> str:
    if len(names) > MOST_NAMES:
        more = say("names-more", language, count=whole(len(names) - MOST_NAMES + 1, language))
        names = [*names[: MOST_NAMES - 1], more]
    return listed(names, say(last, language))
