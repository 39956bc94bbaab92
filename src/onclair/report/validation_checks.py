"""The rules by which a validation run is read: each is met, not met, or cannot be told, and says what was found."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.labels import PAIRS
from onclair.report.validation_names import NEW, claim_figure, claim_label, claim_name, the_figure, threshold_text
from onclair.report.validation_reading import (
    Model,
    gaps,
    group_keys,
    heading_figure,
    kind_of_outcome,
    one,
    slope_figure,
    thresholds,
)
from onclair.report.words import holds_its_value, in_words, interval, listed, number, reason_text, say, whole

Answer = Literal["met", "not-met", "unsure"]

#: Fewer events, or patients without, than this say nothing about a model (Collins 2016).
EVENTS = 100
#: The interval of a C statistic should be no wider (Riley 2021).
WIDTH = 0.1
#: Within these, an interval of O:E or of the slope says that risks are right enough; a smaller difference than ``SLIGHT`` is not
#: held against them.
O_E_WITHIN, SLOPE_WITHIN, SLIGHT = (0.8, 1.25), (0.8, 1.2), 0.05
#: Nearer to 1 than this are O:E and slope only in the rows that a model was fitted on, whatever the plan says.
FITTED = 1e-5


@dataclass(frozen=True, slots=True)
class Check:
    """One rule and what was found.

    Attributes
    ----------
    key : str
        ``events ranking precision o_e slope utility elsewhere new-centre groups``.
    answer : {"met", "not-met", "unsure"}
    rule : str
        What is asked, in words.
    told : str
        What was found: a clause without its capital and full stop.
    """

    key: str
    answer: Answer
    rule: str
    told: str


def checks(evidence: Evidence, model: Model, language: Language) -> tuple[Check, ...]:
    """Return every rule applied to one model, in the order in which a reader should worry.

    Examples
    --------
    >>> facts = {"kind": "validation", "design": "internal"}
    >>> record = Evidence("validate", facts=facts, estimates=(Estimate("auc:a", 0.8, low=0.77, high=0.83, n=500, events=120),))
    >>> [(c.key, c.answer) for c in checks(record, Model("a"), "en")][:3]
    [('events', 'met'), ('ranking', 'met'), ('precision', 'met')]
    """
    every: tuple[Callable[[Evidence, Model, Language], Check], ...] = (
        _events,
        _ranking,
        _precision,
        _new_centre,
        _groups,
        _on_the_whole,
        _slope,
        _utility,
        _elsewhere,
    )
    return tuple(check(evidence, model, language) for check in every)


def ranking_told(estimate: Estimate, language: Language) -> str:
    """Return a figure of ranking as pairs of 100, with its interval.

    Examples
    --------
    >>> ranking_told(Estimate("auc:a", 0.81, low=0.69, high=0.93), "en")
    'it separates 81 of 100 pairs (0.69 to 0.93)'
    """
    name = claim_name(estimate.name)
    if name.figure in PAIRS and estimate.value is not None:
        told = say("separates", language, value=number(100 * estimate.value, language, digits=0))
    else:
        told = say("reaches", language, figure=claim_figure(name.figure, language), value=number(estimate.value, language))
    return f"{told} ({interval(estimate, language)})" if holds_its_value(estimate) else told


def gains(evidence: Evidence, model: Model) -> dict[str, tuple[float, ...]]:
    """Return the declared thresholds by what acting on a model is worth beside treating everyone and no one.

    Returns
    -------
    dict
        ``shown``: its interval lies above both; ``higher``: only its figure does; ``none``: it does not; ``unknown``.

    Examples
    --------
    >>> record = Evidence("validate", estimates=(Estimate("nb:a@0.2", 0.1, low=0.06, high=0.14), Estimate("nb:all@0.2", 0.05)))
    >>> gains(record, Model("a"))["shown"]
    (0.2,)
    """
    sides: dict[str, list[float]] = {"shown": [], "higher": [], "none": [], "unknown": []}
    for at in thresholds(evidence):
        own, every = (one(evidence, "nb", who, "en", at=at) for who in (model.name, "all"))
        best = max(0.0, every.value or 0.0) + 1e-9
        if own.value is None:
            sides["unknown"].append(at)
        elif own.value <= best:
            sides["none"].append(at)
        else:
            sides["shown" if own.low is not None and own.low > best and own.status == "ok" else "higher"].append(at)
    return {side: tuple(found) for side, found in sides.items()}


def _head(evidence: Evidence, model: Model, language: Language) -> Estimate:
    return one(evidence, heading_figure(evidence), model.name, language)


def _events(evidence: Evidence, model: Model, language: Language) -> Check:
    head = _head(evidence, model, language)
    events = head.events if head.events is not None else evidence.facts.get("events")
    n = head.n if head.n is not None else evidence.facts.get("patients")
    followed = kind_of_outcome(evidence) != "binary"
    rule = say("rule-events-followed" if followed else "rule-events", language)
    if events is None or n is None:
        return Check("events", "unsure", rule, say("said-events-unknown", language))
    if followed:
        told, enough = say("said-events-followed", language, events=whole(events, language), n=whole(n, language)), events >= EVENTS
    else:
        told = say("said-events", language, events=whole(events, language), rest=whole(n - events, language))
        enough = min(events, n - events) >= EVENTS
    return Check("events", "met", rule, told) if enough else Check("events", "not-met", rule, say("said-events-few", language, counts=told))


def _ranking(evidence: Evidence, model: Model, language: Language) -> Check:
    head = _head(evidence, model, language)
    named = the_figure(heading_figure(evidence), language)
    rule = say("rule-ranking", language, **named)
    if head.value is None:
        return Check("ranking", "unsure", rule, say("said-no-figure", language, **named, reason=_reason(head, language)))
    told = ranking_told(head, language)
    if head.low is None or head.high is None:
        return Check("ranking", "unsure", rule, say("said-no-interval", language, **named, value=number(head.value, language)))
    if head.high <= 0.5:
        return Check("ranking", "not-met", rule, say("said-inverted", language, told=told))
    return (
        Check("ranking", "met", rule, told)
        if head.low > 0.5
        else Check("ranking", "not-met", rule, say("said-chance", language, told=told))
    )


def _precision(evidence: Evidence, model: Model, language: Language) -> Check:
    head = _head(evidence, model, language)
    named = the_figure(heading_figure(evidence), language)
    rule = say("rule-precision", language, **named)
    if head.low is None or head.high is None:
        return Check("precision", "unsure", rule, say("said-no-figure", language, **named, reason=_reason(head, language)))
    width = head.high - head.low
    key, answer = ("said-width", "met") if width <= WIDTH + 1e-9 else ("said-width-wide", "unsure")
    return Check("precision", "met" if answer == "met" else "unsure", rule, say(key, language, **named, width=number(width, language)))


def _on_the_whole(evidence: Evidence, model: Model, language: Language) -> Check:
    rule = say("rule-o_e", language)
    refused = _no_risks(evidence, model, "o_e", rule, language)
    if refused is not None:
        return refused
    found = one(evidence, "o_e", model.name, language)
    if found.value is None or found.low is None or found.high is None:
        return Check("o_e", "unsure", rule, _without(found, "o_e", language))
    low, value, high = (number(100 * v, language, digits=0) for v in (found.low, found.value, found.high))
    told = say("said-o_e", language, value=value, interval=say("to", language, low=low, high=high))
    return _beside_one("o_e", rule, found, O_E_WITHIN, (told, "said-too-low", "said-too-high"), language)


def _slope(evidence: Evidence, model: Model, language: Language) -> Check:
    rule = say("rule-slope", language)
    refused = _no_risks(evidence, model, "slope", rule, language)
    if refused is not None:
        return refused
    figure = slope_figure(evidence)
    found = one(evidence, figure, model.name, language)
    if found.value is None or found.low is None or found.high is None:
        return Check("slope", "unsure", rule, _without(found, figure, language))
    told = say("said-slope", language, value=number(found.value, language), interval=interval(found, language))
    return _beside_one("slope", rule, found, SLOPE_WITHIN, (told, "said-timid", "said-extreme"), language)


def _beside_one(
    key: str, rule: str, found: Estimate, within: tuple[float, float], words: tuple[str, str, str], language: Language
) -> Check:
    """Return whether a figure that is 1 where risks are right is shown to differ from it, to lie near it, or neither."""
    told, above, below = words
    value, low, high = found.value or 0.0, found.low or 0.0, found.high or 0.0
    if not low <= 1 <= high and abs(value - 1) > SLIGHT:
        return Check(key, "not-met", rule, say(above if value > 1 else below, language, told=told))
    if found.status != "ok" or low < within[0] or high > within[1]:
        return Check(key, "unsure", rule, say("said-too-wide", language, told=told))
    return Check(key, "met", rule, told)


def _no_risks(evidence: Evidence, model: Model, key: str, rule: str, language: Language) -> Check | None:
    if model.kind == "score":
        return Check(key, "unsure", rule, say("said-score", language))
    if evidence.facts.get("design") == "case-control":
        return Check(key, "unsure", rule, say("said-case-control", language))
    return None


def _utility(evidence: Evidence, model: Model, language: Language) -> Check:
    rule = say("rule-utility", language)
    if model.kind == "score" or not thresholds(evidence):
        return Check("utility", "unsure", rule, say("said-score" if model.kind == "score" else "said-no-thresholds", language))
    sides = gains(evidence, model)
    told = [
        say(f"said-gain-{side}", language, thresholds=listed([threshold_text(f"{at:g}", language) for at in found], say("and", language)))
        for side, found in sides.items()
        if found
    ]
    answer: Answer = "not-met" if sides["none"] else "unsure" if sides["higher"] or sides["unknown"] else "met"
    return Check("utility", answer, rule, say("semicolon", language).join(told))


def _elsewhere(evidence: Evidence, model: Model, language: Language) -> Check:
    design, rule = str(evidence.facts.get("design") or ""), say("rule-elsewhere", language)
    whole_and_spread = [one(evidence, figure, model.name, language).value for figure in ("o_e", slope_figure(evidence))]
    if all(value is not None and abs(value - 1) < FITTED for value in whole_and_spread):
        return Check("elsewhere", "not-met", rule, say("said-fitted-here", language))
    if design == "internal":
        return Check("elsewhere", "not-met", rule, say("said-internal", language))
    if design in ("external", "prospective", "internal-external"):
        return Check("elsewhere", "met", rule, say("said-elsewhere", language, design=say(f"design-{design}", language)))
    told = say("in-whom-case-control", language) if design == "case-control" else say("not-said", language)
    return Check("elsewhere", "unsure", rule, told[:1].lower() + told[1:].removesuffix("."))


def _new_centre(evidence: Evidence, model: Model, language: Language) -> Check:
    figure = heading_figure(evidence)
    named = the_figure(figure, language)
    rule = say("rule-new-centre", language, **named)
    found = one(evidence, figure, model.name, language, where=NEW)
    if found.low is not None and found.high is not None:
        told = say("said-new-centre", language, **named, interval=interval(found, language))
        if found.low <= 0.5:
            return Check("new-centre", "not-met", rule, say("said-new-centre-chance", language, told=told))
        return Check("new-centre", "met", rule, told)
    centres = len(evidence.facts.get("centres") or ())
    if centres < 2:
        return Check("new-centre", "unsure", rule, say("said-one-centre" if centres else "said-no-centre", language))
    return Check("new-centre", "unsure", rule, say("said-no-figure", language, **named, reason=_reason(found, language)))


def _groups(evidence: Evidence, model: Model, language: Language) -> Check:
    figure = heading_figure(evidence)
    named = the_figure(figure, language)
    rule = say("rule-groups", language, **named)
    found = [e for key in group_keys(evidence) for e in gaps(evidence, key, figure, model.name)]
    shown = [e for e in found if e.low is not None and e.high is not None and e.status == "ok"]
    apart = [e for e in shown if ((e.low or 0.0) > 0 or (e.high or 0.0) < 0) and adjusted_p(e) < 1 - e.level]
    if apart:
        names = [f"{claim_label(e.name, language).rsplit(' · ', 1)[-1]}, {number(e.value, language, signed=True)}" for e in apart]
        return Check("groups", "not-met", rule, say("said-gap", language, **named, names=say("semicolon", language).join(names)))
    if shown:
        return Check("groups", "met" if len(shown) == len(found) else "unsure", rule, say("said-gaps-none", language))
    return Check("groups", "unsure", rule, say("said-gaps-unknown" if group_keys(evidence) else "said-no-groups", language))


def adjusted_p(gap: Estimate) -> float:
    """Return the p of a gap, adjusted for how many there are, as its method gives it; 0 where it gives none.

    Examples
    --------
    >>> adjusted_p(Estimate("auc:a:sex=F-minus-M", 0.1, method="z test p = 0.01, adjusted over 6 gaps p = 0.06 (Holm 1979)"))
    0.06
    """
    told = re.search(r"adjusted over \d+ gaps p = ([\d.e-]+)", gap.method)
    return float(told.group(1)) if told else 0.0


def _without(found: Estimate, figure: str, language: Language) -> str:
    words = claim_figure(figure, language)
    if found.value is not None:
        return say("said-no-interval", language, figure=words, value=number(found.value, language))
    return say("said-no-figure", language, figure=words, reason=_reason(found, language))


def _reason(estimate: Estimate, language: Language) -> str:
    if estimate.status == "too_few":
        return reason_text(estimate, language)
    return in_words(estimate.reason, language) if estimate.reason else say("not-said", language)
