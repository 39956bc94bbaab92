"""One sentence on whether the claim holds, read off the estimates; what supports it follows in two or three more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.labels import LOWER_IS_BETTER, NOT_READ, PAIRS, REFERENCE
from onclair.report.reading import Row, comparison, figure_label, headline, is_virtual, read_name
from onclair.report.words import digits_of, interval, listed, number, say, sentence, unit_text

State = Literal["holds", "no-better", "worse", "artefact", "cannot-tell"]
#: States of a validation run besides ``holds`` and ``cannot-tell``.
ClaimState = Literal["risks-off", "varies", "no-gain", "chance", "inverted", "ranks-only", "unproven", "at-home"]

#: A control does as well where the interval of model minus control ends below this: at most five pairs in a hundred are lost.
SAME_MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the first screen says.

    Attributes
    ----------
    state : {"holds", "no-better", "worse", "artefact", "cannot-tell"}
        Of a validation run also ``risks-off``, ``varies``, ``no-gain``, ``chance``, ``inverted``, ``ranks-only``,
        ``unproven`` and ``at-home``.
    mark : str
        The shape that goes with the word, so that a grey print still says it.
    word : str
        Two to six words.
    sentence : str
    support : tuple of str
        At most six sentences.
    reason : str or None
        Why the model has no figure, as the record says it (in English).
    """

    state: State | ClaimState
    mark: str
    word: str
    sentence: str
    support: tuple[str, ...] = ()
    reason: str | None = None


def verdict(evidence: Evidence, language: Language = "en") -> Verdict:
    """Return the verdict on the model that heads the record.

    Parameters
    ----------
    evidence : Evidence
        Of the `validate` stage.
    language : {"en", "fr"}

    Returns
    -------
    Verdict
        ``cannot-tell`` where the record says that events are too few, or compares the model with nobody; ``worse`` or
        ``no-better`` where an interval of model minus rival lies below 0 or holds it; ``artefact`` where a negative
        control is shown to do as well (the model beats chance, and the interval of the difference lies below 0 or ends
        below ``SAME_MARGIN``); ``holds`` otherwise. That an interval holds 0 shows nothing, and is said so.

    Examples
    --------
    >>> e = Evidence("validate", estimates=(Estimate("auc:model", 0.81, low=0.69, high=0.93, n=51, events=19),
    ...     Estimate("auc:rival:volume", 0.69, low=0.5, high=0.8), Estimate("auc:model-minus-volume", 0.12, low=0.02, high=0.22)))
    >>> verdict(e).word, verdict(e).sentence
    ('Better than its rivals', 'It separates 81 of 100 pairs (0.69 to 0.93); volume alone does 69.')
    """
    measure = headline(evidence)
    if measure is None:
        return _answer(evidence, "cannot-tell", say("no-headline", language), (), language)
    rows = comparison(evidence, language, measure)
    model = rows[0].estimate
    few = too_few(evidence, model)
    if model.value is None and not few:
        return replace(_answer(evidence, "cannot-tell", say("no-figure", language), (), language), reason=model.reason)
    told = _performance(rows, language)
    support = _support(rows, language, few=few)
    if few:
        events = model.events if model.events is not None else evidence.facts.get("events")
        first = (
            say("too-few-verdict-no-count", language)
            if events is None
            else say("too-few-verdict", language, events=number(events, language, digits=0))
        )
        return _answer(evidence, "cannot-tell", first, (told, *support) if told else tuple(support), language)
    return _answer(evidence, _state(rows), told, tuple(support), language)


def too_few(evidence: Evidence, model: Estimate) -> bool:
    """Return whether the record says that there are too few events: by the figure's status or by a warning's code.

    Examples
    --------
    >>> too_few(Evidence("validate", warnings=({"code": "too-few-events", "text": "19 events"},)), Estimate("auc:model", 0.8))
    True
    """
    codes = [str(w.get("code", "")).replace("_", "-") for w in evidence.warnings]
    return model.status == "too_few" or any(code.startswith(("too-few", "few-events")) for code in codes)


def as_frequency(estimate: Estimate, language: Language) -> str:
    """Return a figure that counts pairs as pairs of 100, any other as it stands.

    Examples
    --------
    >>> as_frequency(Estimate("auc:model", 0.814), "en"), as_frequency(Estimate("dice:model", 0.814), "fr")
    ('81', '0,81')
    """
    if read_name(estimate.name).figure in PAIRS and estimate.value is not None:
        return number(100 * estimate.value, language, digits=0)
    return number(estimate.value, language, digits=digits_of(estimate.name)) + unit_text(estimate, language)


def _answer(evidence: Evidence, state: State, first: str, support: tuple[str, ...], language: Language) -> Verdict:
    mark = {"holds": "●", "cannot-tell": "◇"}.get(state, "▲")
    if is_virtual(evidence):
        first = say("on-virtual", language, sentence=first)
        support = (*support, say("virtual-note", language))
    return Verdict(state, mark, say(state, language), sentence(first), tuple(sentence(s) for s in support))


def _state(rows: tuple[Row, ...]) -> State:
    compared = [_side(r.difference) for r in rows if r.role == "rival" and r.difference is not None]
    if not compared or all(side is None for side in compared):
        return "cannot-tell"
    if "worse" in compared:
        return "worse"
    if any(side != "better" for side in compared):
        return "no-better"
    return "artefact" if any(_as_well(r, rows[0].estimate) for r in rows if r.role == "control") else "holds"


def _side(difference: Estimate | None) -> str | None:
    """Whether the model does better, worse, or whether the interval holds 0; None where there is no interval."""
    ends = _gain(difference)
    return None if ends is None else "better" if ends[0] > 0 else "worse" if ends[1] < 0 else "undecided"


def _gain(difference: Estimate | None) -> tuple[float, float] | None:
    """Return the interval of what the model gains, turned where less is better; None where there is none."""
    if difference is None or difference.low is None or difference.high is None:
        return None
    if read_name(difference.name).figure in LOWER_IS_BETTER:
        return -difference.high, -difference.low
    return difference.low, difference.high


def _as_well(row: Row, model: Estimate) -> bool:
    """Whether a control is shown to do as well as a model that beats chance: nothing is concluded where no effect is seen."""
    chance, ends = REFERENCE.get(read_name(model.name).figure), _gain(row.difference)
    if chance is None or ends is None or model.low is None or not model.low > chance:
        return False
    return ends[1] < 0 or ends[0] <= 0 <= ends[1] < SAME_MARGIN


def _performance(rows: tuple[Row, ...], language: Language) -> str:
    """Return the model's figure and its rivals' in one sentence; empty without a figure."""
    model = rows[0].estimate
    if model.value is None:
        return ""
    name = read_name(model.name)
    key = "separates" if name.figure in PAIRS else "reaches"
    told = say(key, language, value=as_frequency(model, language), figure=figure_label(name, language))
    if model.low is not None and model.high is not None:
        told += f" ({interval(model, language)})"
    dull = REFERENCE.get(name.figure)
    shown = [
        r
        for r in rows
        if r.role == "rival" and r.estimate.value is not None and not (r.estimate.value == dull and r.estimate.low == r.estimate.high)
    ]
    others = [_rival_clause(r, language) for r in shown]
    return told + say("semicolon", language) + (say("semicolon", language) if language == "fr" else ", ").join(others) if others else told


def _rival_clause(row: Row, language: Language) -> str:
    value = as_frequency(row.estimate, language)
    said = any(word in row.label.lower().split() for word in ("alone", "only", "seul", "seule", "seuls", "seules"))
    plain = len(row.label.split()) > 3  # a phrase, such as "same risk for everyone", stands on its own
    return say("rival-is" if said or plain else "alone", language, name=row.label, value=value)


def _support(rows: tuple[Row, ...], language: Language, *, few: bool) -> list[str]:
    """Return what supports the verdict, the least favourable first."""
    against = _against_rivals(rows, ("worse", "undecided"), language)
    for_it = _against_rivals(rows, ("better",), language)
    first = [] if against or for_it else [say("no-difference", language)]
    return [*first, *against, *_against_controls(rows, language, few=few), *for_it]


def _against_rivals(rows: tuple[Row, ...], sides: tuple[str, ...], language: Language) -> list[str]:
    """Return one sentence for the rivals on each side: that do better, that cannot be told apart, that do worse."""
    key = {"worse": "loss", "undecided": "undecided", "better": "gain"}
    told = []
    for side in sides:
        label = key[side]
        names = [r.label for r in rows if r.role == "rival" and _side(r.difference) == side]
        if names:
            told.append(say(label if len(names) == 1 else f"{label}-many", language, names=_listed(names, side, language)))
    return told


def _listed(names: list[str], side: str, language: Language) -> str:
    """Return names in a row: joined by "or" where nothing is shown, by "and" otherwise."""
    last = say("or" if side == "undecided" else "and", language)
    return listed(names, last)


def _against_controls(rows: tuple[Row, ...], language: Language, *, few: bool) -> list[str]:
    """Return one sentence a control; with too few events none says that a control does as well."""
    told = []
    for row in rows:
        side, difference = _side(row.difference), row.difference
        if row.role != "control" or side is None or difference is None or row.estimate.value is None:
            continue
        control = row.estimate.name.rsplit(":", 1)[-1]
        lesson = NOT_READ[control].in_(language) if control in NOT_READ else say("as-well-default", language)
        key = "falls" if side == "better" else "as-well" if not few and _as_well(row, rows[0].estimate) else "not-shown"
        values = {"control": row.label, "value": as_frequency(row.estimate, language), "interval": interval(difference, language)}
        told.append(say(key, language, lesson=lesson, **values))
    return told
