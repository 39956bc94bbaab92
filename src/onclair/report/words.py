"""Numbers, intervals and labels in the reader's language."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from onclair.core.estimate import Estimate
from onclair.core.fragments import in_french
from onclair.core.words import Language, Words
from onclair.report.labels import DIGITS
from onclair.report.phrases import LABELS

#: Units that are words.
UNITS = {"per 100 patients": Words("per 100 patients", "pour 100 patients")}
#: The narrow no-break space of French typography.
THIN = "\u202f"
MINUS = "\u2212"
_BEFORE = re.compile(r"[ \u00a0\u202f]+([:;?!»%])")
_AFTER = re.compile(r"«[ \u00a0\u202f]*")


def say(key: str, language: Language, /, **values: object) -> str:
    """Return the label `key`, its gaps filled.

    Raises
    ------
    KeyError
        For a label that ``phrases.py`` does not hold: a defect of ours.

    Examples
    --------
    >>> say("patients", "fr")
    'patients'
    >>> say("to", "fr", low="0,1", high="0,2")
    '0,1 à 0,2'
    """
    return typeset(LABELS[key].in_(language).format(**values), language)


def typeset(text: str, language: Language) -> str:
    r"""Return `text` with its spaces as its language sets them.

    Examples
    --------
    >>> typeset("Vrai ?", "fr") == "Vrai\u202f?"
    True
    >>> typeset("Really?", "en")
    'Really?'
    """
    if language != "fr":
        return text
    return _AFTER.sub("«" + THIN, _BEFORE.sub(THIN + r"\1", text)).replace("'", "\u2019")


def number(value: float | None, language: Language, *, digits: int = 2, signed: bool = False) -> str:
    r"""Return a number for reading: rounded, with the language's decimal mark, a true minus sign and grouped thousands.

    Parameters
    ----------
    value : float or None
        None gives a dash.
    digits : int
        After the decimal mark; more are shown where the number would otherwise read as zero.
    signed : bool
        Whether a plus sign is written.

    Examples
    --------
    >>> number(0.6931, "en"), number(0.6931, "fr"), number(None, "en")
    ('0.69', '0,69', '–')
    >>> number(0.00042, "en") , number(-0.051, "en") == "\u22120.05", number(12345.0, "en", digits=0)
    ('0.0004', True, '12,345')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if value != 0 and round(value, digits) == 0:
        digits = min(12, -math.floor(math.log10(abs(value))))
    text = f"{abs(value):.1e}" if 0 < abs(value) < 1e-6 else f"{abs(round(value, digits)):,.{digits}f}"
    if language == "fr":
        text = text.replace(",", THIN).replace(".", ",")
    sign = MINUS if value < 0 else "+" if signed and value > 0 else ""
    return sign + text


def whole(value: float | None, language: Language) -> str:
    """Return a count.

    Examples
    --------
    >>> whole(51, "fr"), whole(None, "fr")
    ('51', '–')
    """
    return number(value, language, digits=0)


def interval(estimate: Estimate, language: Language, *, digits: int | None = None) -> str:
    """Return the interval of an estimate in words, a dash where there is none.

    Examples
    --------
    >>> interval(Estimate("auc:model", 0.81, low=0.69, high=0.93), "fr")
    '0,69 à 0,93'
    """
    if estimate.low is None or estimate.high is None:
        return "–"
    shown = digits_of(estimate.name) if digits is None else digits
    return say("to", language, low=number(estimate.low, language, digits=shown), high=number(estimate.high, language, digits=shown))


def figure_text(estimate: Estimate, language: Language) -> str:
    """Return the figure with its interval, or the reason why there is none.

    Examples
    --------
    >>> figure_text(Estimate("auc:model", 0.81, low=0.69, high=0.93), "en")
    '0.81 (0.69 to 0.93)'
    >>> figure_text(Estimate("auc:model", status="too_few", reason="too few", events=4), "en")
    '4 events: too few to conclude'
    """
    if estimate.value is None:
        return reason_text(estimate, language)
    text = number(estimate.value, language, digits=digits_of(estimate.name)) + unit_text(estimate, language)
    if estimate.low is None or estimate.high is None:
        return text
    spread = interval(estimate, language)
    return f"{text} ({spread if holds_its_value(estimate) else say('astray', language, interval=spread)})"


def holds_its_value(estimate: Estimate) -> bool:
    """Return whether the interval holds the figure; a bootstrap of a curve in a tiny cohort may lie wholly beside it.

    Examples
    --------
    >>> holds_its_value(Estimate("ici:model", 0.04, low=0.05, high=0.18)), holds_its_value(Estimate("auc:model", 0.8, low=0.7, high=0.9))
    (False, True)
    """
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return False
    return estimate.low <= estimate.value <= estimate.high


def unit_text(estimate: Estimate, language: Language = "en") -> str:
    """Return the unit with a space before it; nothing for a pure number.

    Examples
    --------
    >>> unit_text(Estimate("mae:model", 2.0, unit="mm")), unit_text(Estimate("auc:model", 0.8))
    (' mm', '')
    >>> unit_text(Estimate("avoided:model@0.2", 12.0, unit="per 100 patients"), "fr")
    ' pour 100 patients'
    """
    if estimate.unit in ("", "1"):
        return ""
    return f" {UNITS[estimate.unit].in_(language) if estimate.unit in UNITS else estimate.unit}"


def reason_text(estimate: Estimate, language: Language) -> str:
    """Return why an estimate is not ``ok``; a fragment that has no French words stays English.

    Examples
    --------
    >>> reason_text(Estimate("slope:model", status="not_available", reason="separated"), "en")
    'not available: separated'
    >>> reason_text(Estimate("auc:model", 0.8), "en")
    ''
    """
    if estimate.status == "ok":
        return ""
    if estimate.status == "too_few" and estimate.events is not None:
        return say("too-few-events", language, events=whole(estimate.events, language))
    head = say(estimate.status, language)
    return f"{head}{say('colon', language)}{in_words(estimate.reason, language)}" if estimate.reason else head


def in_words(text: str, language: Language) -> str:
    r"""Return a method or reason of the record in `language`, fragment by fragment.

    Examples
    --------
    >>> in_words("the cohort has one centre; sealed", "fr") == "la cohorte n\u2019a qu\u2019un centre\u202f; sealed"
    True
    """
    return say("semicolon", language).join(told for told, _ in fragments(text, language))


def warning_text(warning: Mapping[str, Any], language: Language) -> str:
    r"""Return a warning of the record in `language`; a reason that its French text quotes in English is said in French where it can be.

    Examples
    --------
    >>> warning_text({"code": "one-centre", "text": "one centre", "fr": "un centre : un seul"}, "fr") == "un centre\u202f: un seul"
    True
    >>> warning_text({"code": "one-centre", "text": "one centre"}, "en")
    'One centre.'
    """
    text = str(warning.get("text", ""))
    if language != "fr" or not warning.get("fr"):
        return in_words(sentence(text), language)
    french, reason = str(warning["fr"]), text.partition(": ")[2].removesuffix(".")
    return typeset(french.replace(reason, in_words(reason, "fr")) if reason else french, "fr")


def fragments(text: str, language: Language) -> list[tuple[str, bool]]:
    """Return each fragment of a method or reason in `language`, and whether it had to stay English.

    Examples
    --------
    >>> fragments("mean over 3 repeats; sealed", "fr")
    [('moyenne de 3 répétitions', False), ('sealed', True)]
    """
    parts = text.split("; ")
    if language == "en":
        return [(part, False) for part in parts]
    found = [(part, in_french(part)) for part in parts]
    return [(part, True) if french is None else (typeset(french, "fr"), False) for part, french in found]


def digits_of(name: str) -> int:
    """Return how many decimals a figure is read with.

    Examples
    --------
    >>> digits_of("auc:model"), digits_of("nb:model@0.2")
    (2, 3)
    """
    return max((DIGITS.get(part.split("@")[0], 2) for part in name.split(":")), default=2)


def in_language(words: Any, language: Language) -> str:
    """Return a text that the record holds in two languages (``{"en", "fr"}``) or as a plain string.

    Examples
    --------
    >>> in_language({"en": "volume", "fr": "volume tumoral"}, "fr"), in_language("suv_max", "fr"), in_language(None, "en")
    ('volume tumoral', 'suv max', '')
    """
    if isinstance(words, Mapping):
        return typeset(str(words.get(language) or words.get("en") or ""), language)
    return "" if words is None else str(words).replace("_", " ")


def listed(names: Sequence[str], last: str) -> str:
    """Return names in a row, the last joined by the word `last`.

    Examples
    --------
    >>> listed(["a", "b", "c"], "and"), listed(["a"], "or")
    ('a, b and c', 'a')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def sentence(text: str) -> str:
    """Return `text` with a capital and a full stop.

    Examples
    --------
    >>> sentence("too few events")
    'Too few events.'
    """
    text = text.strip()
    return text if not text else text[0].upper() + text[1:] + ("" if text[-1] in ".?!:…" else ".")
