"""What an audit says on its first screen: one word, one sentence, what supports it, what the score may not be used for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.labels import PAIRS
from onclair.report.reading import is_virtual
from onclair.report.verdict import State, Verdict
from onclair.report.words import in_language, listed, number, say, sentence, whole

#: What stands for each answer: the state that colours the card, and its mark.
_ANSWERS: Mapping[str, tuple[State, str]] = {
    "replicated": ("holds", "●"),
    "explained": ("artefact", "▲"),
    "not_replicated": ("no-better", "▲"),
    "insufficient": ("cannot-tell", "◇"),
    "not_replicable": ("cannot-tell", "◇"),
}
#: So many missing items are named.
NAMED = 3


def audit_verdict(evidence: Evidence, language: Language = "en") -> Verdict:
    """Return the verdict of an audit in plain words.

    Examples
    --------
    >>> said = {"replication": "insufficient", "explained_by": ["volume"]}
    >>> found = audit_verdict(Evidence("validate", facts={"kind": "audit", "patients": 51, "events": 19, "verdict": said}))
    >>> found.word, found.sentence
    ('Insufficient', '19 events and 32 without: too few to say whether it holds here; what it measures is lesion volume.')
    """
    facts = evidence.facts
    said = facts.get("verdict") or {}
    what, by = str(said.get("replication") or "none"), [str(each) for each in said.get("explained_by") or ()]
    key = "explained" if what == "replicated" and by else what
    state, mark = _ANSWERS.get(key, ("cannot-tell", "◇"))
    told = _survey(facts, language) or _sentence(facts, what, by, language)
    told = say("on-virtual", language, sentence=told) if is_virtual(evidence) and what != "none" else told
    return Verdict(
        state, mark, say(f"audit-{key}" if key in _ANSWERS else "audit-none", language), sentence(told), _support(evidence, by, language)
    )


def audit_question(evidence: Evidence, language: Language) -> str:
    """Return the question as a sentence.

    Examples
    --------
    >>> audit_question(Evidence("validate", facts={"card": {"name": "rlnu"}}), "en")
    'Does “rlnu” hold on these patients, and what does it really measure?'
    """
    return say("audit-question", language, card=str((evidence.facts.get("card") or {}).get("name") or "?"))


def figure_of(evidence: Evidence) -> str:
    """Return the figure of merit of an audit: Harrell's C for what comes in time, the AUC otherwise."""
    return "harrell" if (evidence.facts.get("outcome") or {}).get("kind") == "survival" else "auc"


def named(evidence: Evidence, name: str) -> Estimate | None:
    """Return the estimate of a name; None where the record has none."""
    return next((e for e in evidence.estimates if e.name == name), None)


def may_not(evidence: Evidence, language: Language) -> list[str]:
    """Return what an audited model may not be used for, after what the audit found.

    Examples
    --------
    >>> facts = {"kind": "audit", "card_document": {"model": {"kind": "logistic"}}}
    >>> may_not(Evidence("validate", facts=facts), "en")[1]
    'A risk: the card gives no intercept, so the score only ranks.'
    """
    facts = evidence.facts
    said, model = facts.get("verdict") or {}, (facts.get("card_document") or {}).get("model") or {}
    told = [say("audit-not-decide", language)]
    constant = "baseline" if model.get("kind") == "cox" else "intercept"
    if model.get("kind") in ("cox", "logistic", "linear") and model.get(constant) is None:
        told.append(say("audit-not-risk", language, constant=say(f"audit-{constant}", language)))
    if said.get("replication") == "insufficient":
        told.append(say("audit-not-verdict", language))
    by = [each for each in said.get("explained_by") or () if each in ("volume", "intensity")]
    if by:
        told.append(say("audit-not-texture", language, what=_reasons(by, language)))
    return [*told, say("audit-not-elsewhere", language)]


def _sentence(facts: Mapping[str, Any], what: str, by: list[str], language: Language) -> str:
    values: dict[str, str] = {}
    if what == "insufficient":
        events, patients = facts.get("events") or 0, facts.get("patients") or 0
        values["few"] = say("audit-few", language, events=whole(events, language), others=whole(patients - events, language))
    if what == "not_replicable":
        missing = [str(item) for item in (facts.get("card") or {}).get("missing") or ()]
        needed = [item for item in missing if item.startswith(("feature.", "preprocessing."))] or missing
        values["missing"] = listed(needed[:NAMED], say("and", language)) if needed else "?"
    key = f"audit-says-{what}" if what in _ANSWERS else "audit-says-none"
    told = say(key, language, **values)
    return f"{told}{say('semicolon', language)}{say('audit-measures', language, what=_reasons(by, language))}" if by else told


def _survey(facts: Mapping[str, Any], language: Language) -> str | None:
    said = facts.get("survey")
    if not said:
        return None
    counts = {"above": said.get("above"), "features": said.get("features"), "still": said.get("still_above")}
    return say("audit-survey", language, **{key: whole(value, language) for key, value in counts.items()})


def _reasons(by: list[str], language: Language) -> str:
    return listed([say(f"audit-{each}", language) for each in by], say("and", language))


def _support(evidence: Evidence, by: list[str], language: Language) -> tuple[str, ...]:
    """Return the figures behind the sentence, in pairs out of a hundred."""
    facts, figure = evidence.facts, figure_of(evidence)
    told: list[str] = []
    own = named(evidence, f"{figure}:model")
    if own is not None and own.value is not None and figure in PAIRS:
        told.append(say("audit-does", language, does=_separates(own, language)))
        for key, name in (("audit-volume-alone", "rival:volume"), ("audit-shuffled", "model:shuffled-voxels")):
            other = named(evidence, f"{figure}:{name}")
            if other is not None and other.value is not None and not (name.startswith("model:") and facts.get("permutation_invariant")):
                told.append(say(key, language, value=whole(100 * other.value, language)))
        told += _reported(facts, language)
        if not by:
            told.append(say("audit-unexplained", language))
    if facts.get("permutation_invariant"):
        told.append(say("audit-invariant", language))
    gates = [str(gate["status"]) for gate in facts.get("gates") or ()]
    if gates:
        counts = {"passed": gates.count("passed"), "failed": gates.count("failed"), "absent": gates.count("not_available")}
        told.append(say("audit-gates-count", language, **{key: whole(value, language) for key, value in counts.items()}))
    return tuple(told)


def _separates(estimate: Estimate, language: Language) -> str:
    value = whole(100 * (estimate.value or 0.0), language)
    if estimate.low is None or estimate.high is None:
        return say("audit-separates-bare", language, value=value)
    return say("audit-separates", language, value=value, low=whole(100 * estimate.low, language), high=whole(100 * estimate.high, language))


def _reported(facts: Mapping[str, Any], language: Language) -> list[str]:
    said = (facts.get("card_document") or {}).get("reported") or {}
    if said.get("figure") is None:
        return []
    ends = said.get("interval") or ()
    value = number(float(said["figure"]), language)
    if len(ends) != 2:
        return [say("audit-reported", language, value=value)]
    low, high = (number(float(end), language) for end in ends)
    return [say("audit-reported-interval", language, value=value, low=low, high=high)]


def claim_text(evidence: Evidence, language: Language) -> str:
    """Return the claim of the card as one line, as the author wrote it; empty where there is none."""
    about = (evidence.facts.get("card_document") or {}).get("card") or {}
    claim = in_language(about.get("claim"), language).strip().rstrip(".")
    key = "audit-asked-network" if evidence.facts.get("network") else "audit-asked"
    return say(key, language, claim=claim) if claim else ""
