"""What `onclair spectra live` prints, in English and French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onclair.core.fragments import in_french
from onclair.core.words import Language, Words

#: Words of answers, of states, and of why frames or answers were not shown; what is not here is printed as it is.
_WORDS: Mapping[str, str] = {
    "suspect": "suspect",
    "not suspect": "non suspect",
    "cannot tell": "indécidable",
    "sealed": "scellé",
    "silent": "instrument muet",
    "starting": "démarre",
    "ended": "terminé",
    "settings": "réglages",
    "warning": "attention",
    "publishing": "diffuse",
    "failed": "échec",
    "refused": "refusé",
    "not_marked": "non marqué",
    "not_recorded": "non écrit",
    "model_altered": "modèle altéré",
    "instrument_lost": "perdu",
    "old_settings": "anciens réglages",
    "settings_changed": "réglages changés",
    "incomplete": "incomplètes",
    "rate": "cadence",
    "slow": "trop lentes",
    "late": "en retard",
    "repeated": "répétées",
    "behind": "dépassées",
    "overflow": "débordement",
    "pose_expired": "position périmée",
    "saturated": "saturées",
    "unusable": "inutilisables",
    "lamp_off": "lampe éteinte",
    "no_contact": "sans contact",
    "blood_flood": "sang",
    "ambient": "lumière de la salle",
    "snr": "signal faible",
    "bleaching": "blanchiment",
    "flicker": "scintillement",
    "swapped_excitation": "excitations inversées",
    "shift": "décalage",
    "unexplained": "inexpliqué",
}
_FRAMES = Words(
    "Frames: {0} acquired, {1} behind a decision; left out: {2}.", "Mesures : {0} acquises, {1} derrière une décision ; écartées : {2}."
)
_LATENCY = Words(
    "From frame to decision: {0} ms median, {1} ms in 95 of 100, {2} ms at most.",
    "De la mesure à la décision : {0} ms en médiane, {1} ms dans 95 cas sur 100, {2} ms au plus.",
)
_SCREEN = Words("Screen: {0} decisions and blanks a second; answers: {1}.", "Écran : {0} décisions et blancs par seconde ; réponses : {1}.")
_BLANK = Words("Blank at {0} s for {1} s: {2}, {3} ms after its cause.", "Blanc à {0} s pendant {1} s : {2}, {3} ms après sa cause.")
_NONE, _SITE = Words("none", "aucune"), Words("site", "site")


def line_of(said: Mapping[str, Any], lang: Language) -> str:
    """Return the line of one event.

    Examples
    --------
    >>> line_of({"kind": "blank", "at_s": 1.5, "text": "The instrument sends nothing."}, "fr")
    "    1.50 s  -            L'instrument n'envoie rien."
    """
    at, kind = f"{said['at_s']:8.2f} s", said["kind"]
    if kind == "decision":
        return f"{at}  {_word(said['answer'] or 'sealed', lang):<12} {_sentence(said['reason'] or '', lang)}"
    if kind == "blank":
        return f"{at}  {'-':<12} {_sentence(said['text'], lang)}"
    if kind == "mark":
        return f"{at}  {_SITE.in_(lang)} {said['site']:<7} {said['note']} ({said['by']})"
    return f"{at}  {_word(said['state'], lang):<12} {_sentence(said.get('text', ''), lang)}"


def told(summary: Mapping[str, Any], lang: Language) -> Sequence[str]:
    """Return the lines of a summary."""
    frames, latency = summary["frames"], summary["latency_ms"]
    lines = [_FRAMES.in_(lang).format(frames["acquired"], frames["decided"], _counted(frames["discarded"], lang))]
    if latency["p50"] is not None:
        lines.append(_LATENCY.in_(lang).format(*(_number(latency[name], lang) for name in ("p50", "p95", "max"))))
    answers = {"sealed" if name == "silent" else name: count for name, count in summary["answers"].items()}
    lines.append(_SCREEN.in_(lang).format(_number(summary["display_hz"], lang), _counted(answers, lang)))
    for blank in summary["blanked"]:
        at, lasted, after = (_number(blank[name], lang) for name in ("at_s", "for_s", "after_ms"))
        lines.append(_BLANK.in_(lang).format(at, lasted, _word(blank["reason"], lang), after))
    return lines


def _counted(counts: Mapping[str, int], lang: Language) -> str:
    return ", ".join(f"{_word(name, lang)} {count}" for name, count in counts.items()) or _NONE.in_(lang)


def _word(name: str, lang: Language) -> str:
    plain = name.replace("_", " ") if name in ("not_suspect", "cannot_tell") else name
    return _WORDS.get(plain, plain) if lang == "fr" else plain


def _sentence(text: str, lang: Language) -> str:
    return text if lang == "en" else in_french(text) or text


def _number(value: float, lang: Language) -> str:
    return str(value) if lang == "en" else str(value).replace(".", ",")
