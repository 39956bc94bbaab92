"""The verdict of a validation run, by stated rules and never better than its weakest figure."""

from __future__ import annotations

from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.reading import is_virtual
from onclair.report.validation_checks import Answer, Check, checks, gains, ranking_told
from onclair.report.validation_reading import Model, heading_figure, models, one
from onclair.report.verdict import ClaimState, State, Verdict
from onclair.report.words import say, sentence

#: The label of each state; where it is another than the state's own name.
WORDS = {"holds": "stands", "chance": "no-better-than-chance"}
MARKS = {"holds": "●", "cannot-tell": "◇", "ranks-only": "◇", "at-home": "◇", "unproven": "◇"}
#: Rules of which it is not worth a reader's time that they could not be checked; and those which need a figure of ranking.
_QUIET, _NEED_RANKING = ("groups", "utility"), ("precision", "o_e", "slope")


def validation_verdict(evidence: Evidence, language: Language = "en", model: Model | None = None) -> Verdict:
    """Return the verdict on one model of a validation run.

    Parameters
    ----------
    evidence : Evidence
        Of ``onclair validate``.
    language : {"en", "fr"}
    model : Model, optional
        The first one that the plan declares when left out.

    Returns
    -------
    Verdict
        The first of these that is true: ``cannot-tell`` without a figure, or under 100 events or 100 patients without;
        ``inverted`` or ``chance`` where the interval of the C statistic lies below 0.5 or holds it; ``risks-off`` where O:E
        or the slope is shown to differ from 1; ``varies`` where a new centre may do no better than chance, or a group
        differs; ``no-gain`` where acting on it gains at no declared threshold; ``ranks-only`` for a score and for chosen
        cases and controls; ``unproven`` where an interval is too wide to say; ``at-home`` for an internal validation;
        ``holds`` otherwise.

    Examples
    --------
    >>> from onclair.core.estimate import Estimate
    >>> few = Estimate("auc:a", 0.8, low=0.7, high=0.9, n=51, events=19)
    >>> validation_verdict(Evidence("validate", facts={"kind": "validation"}, estimates=(few,))).sentence
    '19 events and 32 patients without: too few to say whether it holds here.'
    """
    known = models(evidence)
    judged = model or (known[0] if known else None)
    if judged is None:
        return Verdict("cannot-tell", "◇", say("cannot-tell", language), sentence(say("no-headline", language)))
    found = {c.key: c for c in checks(evidence, judged, language)}
    state, deciding = _state(found, judged, evidence)
    return _told(evidence, judged, (state, deciding), found, language)


def _state(found: dict[str, Check], model: Model, evidence: Evidence) -> tuple[State | ClaimState, str]:
    """Return the state and the key of the rule that decided it."""
    answers = {key: check.answer for key, check in found.items()}
    head = one(evidence, heading_figure(evidence), model.name, "en")
    if answers["events"] != "met" or answers["ranking"] == "unsure":
        return "cannot-tell", "events" if answers["events"] != "met" else "ranking"
    if answers["ranking"] == "not-met":
        return "inverted" if (head.high or 0.0) <= 0.5 else "chance", "ranking"
    shown: tuple[tuple[State | ClaimState, tuple[str, ...]], ...] = (
        ("risks-off", ("o_e", "slope")),
        ("varies", ("new-centre", "groups")),
    )
    for state, keys in shown:
        for key in keys:
            if answers[key] == "not-met":
                return state, key
    if answers["utility"] == "not-met" and not _gains_somewhere(evidence, model):
        return "no-gain", "utility"
    return _best(answers, model, evidence, head.status)


def _best(answers: dict[str, Answer], model: Model, evidence: Evidence, status: str) -> tuple[State | ClaimState, str]:
    """Return the state of a model against which nothing is shown: it holds only where everything could be looked at."""
    if status != "ok" or answers["precision"] != "met":
        return "unproven", "precision"
    if model.kind == "score" or evidence.facts.get("design") == "case-control":
        return "ranks-only", "o_e"
    for key in ("o_e", "slope"):
        if answers[key] != "met":
            return "unproven", key
    if answers["elsewhere"] != "met":
        return ("at-home" if answers["elsewhere"] == "not-met" else "unproven"), "elsewhere"
    return "holds", "o_e"


def _gains_somewhere(evidence: Evidence, model: Model) -> bool:
    found = gains(evidence, model)
    return bool(found["shown"] or found["higher"])


def _told(
    evidence: Evidence, model: Model, decided: tuple[State | ClaimState, str], found: dict[str, Check], language: Language
) -> Verdict:
    state, deciding = decided
    head = one(evidence, heading_figure(evidence), model.name, language)
    first = found[deciding].told
    if deciding != "ranking" and state != "cannot-tell" and head.value is not None:
        first = say("semicolon", language).join((ranking_told(head, language), first))
    rest = [c for key, c in found.items() if key != deciding and c.answer != "met" and not _idle(c, found)]
    against = [c.told for c in rest if c.answer == "not-met"] + [c.told for c in rest if c.answer == "unsure"]
    if state == "cannot-tell" and head.value is not None and deciding != "ranking" and "ranking" not in {c.key for c in rest}:
        against.insert(0, ranking_told(head, language))
    if is_virtual(evidence):
        first = say("on-virtual", language, sentence=first)
        against = [*against[:4], say("virtual-note", language)]
    told = tuple(dict.fromkeys(sentence(text) for text in against if text != found[deciding].told))[:5]
    reason = head.reason if head.value is None else None
    word = "ranks-score" if state == "ranks-only" and model.kind == "score" else WORDS.get(state, state)
    return Verdict(state, MARKS.get(state, "▲"), say(word, language), sentence(first), told, reason)


def _idle(check: Check, found: dict[str, Check]) -> bool:
    """Return whether an unanswered rule is not worth a sentence: its reason was given already, or nobody asked."""
    unranked = found["ranking"].answer == "unsure" and check.key in _NEED_RANKING
    return check.answer == "unsure" and (check.key in _QUIET or unranked)
