"""The ten gates of an audit, in order: each says whether it was passed, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from onclair.core.estimate import Estimate
from onclair.io.cards import Card
from onclair.studies.tasks.radiomics_audit_figures import SHUFFLED
from onclair.studies.tasks.radiomics_audit_plan import Reading
from onclair.validate.replication import BatchFigures, Verdict, explained_by_batch, follows, replication, sentence

#: From this variance inflation on, features are called collinear.
INFLATED = 10.0
Status = Literal["passed", "failed", "not_available"]


@dataclass(frozen=True, slots=True)
class Gate:
    """What one gate says.

    Attributes
    ----------
    name : str
    status : {"passed", "failed", "not_available"}
    reason : str
        One sentence.
    """

    name: str
    status: Status
    reason: str

    def as_dict(self) -> dict[str, str]:
        """Return the gate as plain JSON values.

        Examples
        --------
        >>> Gate("card", "passed", "The card says all that it could.").as_dict()["status"]
        'passed'
        """
        return {"name": self.name, "status": self.status, "reason": self.reason}


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """All that the gates look at.

    Attributes
    ----------
    card, reading
        What was asked.
    truth : (int, int)
        Events and non-events.
    figure : {"auc", "harrell"}
    rivals : tuple of str
    estimates : mapping of str to Estimate
    batches : tuple of BatchFigures
    survey : mapping or None
    notes : mapping of str to (status, reason)
        Gates that were judged elsewhere: extraction, perturbation, harmonisation, external, interpretation.
    refits : mapping of str to (mapping of str to int)
        Features whose sign differs between published fits, and the sign in each.
    """

    card: Card
    reading: Reading
    truth: tuple[int, int]
    figure: str
    rivals: tuple[str, ...]
    estimates: Mapping[str, Estimate]
    batches: tuple[BatchFigures, ...] = ()
    survey: Mapping[str, Any] | None = None
    notes: Mapping[str, tuple[Status, str]] = field(default_factory=dict)
    refits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def scored(self) -> bool:
        """Whether the card has a score that could be computed."""
        return f"{self.figure}:model" in self.estimates

    def of(self, name: str) -> Estimate:
        """Return an estimate of the model by the rest of its name."""
        return self.estimates[f"{self.figure}:{name}"]


def verdict_of(found: Found) -> Verdict:
    """Return the verdict by the rules of `onclair.validate.replication`."""
    if not found.scored:
        what = replication(found.truth, Estimate("auc:model", 0.5) if not found.reading.lacking else None, None)
        return Verdict(what, (), _survey_sentence(found) if found.survey else _said(found, what, ()))
    reasons = tuple(name for name, holds in (("volume", _volume), ("intensity", _intensity), ("batch", _batch)) if holds(found))
    reported = found.card.reported.interval
    what = replication(found.truth, found.of("model"), None if reported is None else (reported[0], reported[1]))
    return Verdict(what, reasons, _said(found, what, reasons))


def gates_of(found: Found, verdict: Verdict) -> tuple[Gate, ...]:
    """Return the ten gates in order."""
    return (
        _card_gate(found),
        _noted(found, "extraction"),
        _rivals_gate(found),
        _controls_gate(found),
        _noted(found, "perturbation"),
        _batch_gate(found),
        _noted(found, "harmonisation"),
        _noted(found, "external"),
        _noted(found, "interpretation"),
        _verdict_gate(verdict),
    )


def _verdict_gate(verdict: Verdict) -> Gate:
    """Return the last gate; one that too few patients or a card with gaps leave open is neither passed nor failed."""
    open_ = verdict.replication in ("insufficient", "not_replicable") and not verdict.explained_by
    held = verdict.replication == "replicated" and not verdict.explained_by
    return Gate("verdict", "not_available" if open_ else "passed" if held else "failed", verdict.sentence)


def _volume(found: Found) -> bool:
    return follows(found.estimates["spearman:model:volume"], found.of("model-minus-volume"))


def _intensity(found: Found) -> bool:
    name = f"spearman:model:{SHUFFLED}"
    if found.reading.shape_alone or name not in found.estimates:
        return False
    return follows(found.estimates[name], found.of(f"model-minus-{SHUFFLED}"), signed=True)


def _batch(found: Found) -> bool:
    return bool(explained_by_batch(found.of("model"), found.batches))


def _said(found: Found, what: str, reasons: Sequence[str]) -> str:
    figure = found.estimates.get(f"{found.figure}:model")
    said = {"replication": what, "explained_by": reasons, "events": found.truth[0], "non_events": found.truth[1], "figure": figure}
    return sentence(found.card.name, {**said, "missing": found.reading.lacking})


def _survey_sentence(found: Found) -> str:
    said = found.survey or {}
    counted = f"{said['above']} of {said['features']} features look promising (above 0.7)"
    told = f"{counted}, and {said['still_above']} of these still do with the voxels shuffled"
    few = f"{found.truth[0]} events and {found.truth[1]} non-events are too few to say that any of them holds"
    return f"{told}; {few}."


def _card_gate(found: Found) -> Gate:
    if found.reading.lacking:
        return Gate("card", "failed", f"The score needs what the card does not say: {', '.join(found.reading.lacking)}.")
    missing = found.card.missing
    if missing:
        return Gate("card", "passed", f"The score can be computed; {len(missing)} items are missing: {', '.join(missing)}.")
    return Gate("card", "passed", "The card says all that it could.")


def _rivals_gate(found: Found) -> Gate:
    if not found.scored:
        return Gate("rivals", "not_available", "There is no score to set beside the rivals.")
    ahead: list[str] = []
    level: list[str] = []
    for name in found.rivals:
        low = found.of(f"model-minus-{name}").low
        (ahead if low is not None and low > 0 else level).append(name)
    told = _collinear(found)
    if level:
        said = f"The score ranks patients no better than {_named(level)}: no interval of a difference lies above 0."
        return Gate("rivals", "failed", f"{said}{told}")
    return Gate("rivals", "passed", f"The score ranks patients better than {_named(ahead)}.{told}")


def _named(rivals: Sequence[str]) -> str:
    return ", ".join(_RIVALS.get(name, name) for name in rivals)


def _collinear(found: Found) -> str:
    """Return what collinearity shows: signs that differ between published fits, and inflated variances."""
    told = ""
    if found.refits:
        told += f" Signs differ between published fits of these features ({', '.join(found.refits)}): they are collinear."
    inflated = [name for name, each in found.estimates.items() if name.startswith("vif:") and (each.value or 0.0) >= INFLATED]
    if inflated:
        told += f" {len(inflated)} of {len(found.reading.columns)} features have a variance inflation of {INFLATED:g} or more."
    return told


def _controls_gate(found: Found) -> Gate:
    marked = [name for name, same in zip(found.reading.columns, found.reading.invariant, strict=True) if same]
    told = f" {len(marked)} of {len(found.reading.columns)} features are the same whatever the voxels' places." if marked else ""
    if found.survey is not None:
        said = found.survey
        status: Status = "failed" if said["still_above"] else "passed"
        return Gate("controls", status, f"{said['still_above']} of {said['above']} promising features stay so on shuffled voxels.{told}")
    if not found.scored:
        return Gate("controls", "not_available", "There is no score to try on destroyed signals.")
    if len(marked) == len(found.reading.columns):
        why = "it reads shape alone" if found.reading.shape_alone else "it reads intensities, not their places"
        return Gate(
            "controls", "not_available", f"Every feature is permutation-invariant: {why}, so that surviving shuffles proves nothing."
        )
    gain = found.of(f"model-minus-{SHUFFLED}").text()
    if _intensity(found):
        return Gate("controls", "failed", f"The score does as well on shuffled voxels (difference {gain}): it reads no texture.{told}")
    return Gate("controls", "passed", f"The score changes when the voxels are shuffled (difference {gain}).{told}")


def _batch_gate(found: Found) -> Gate:
    if not any(batch.declared for batch in found.batches):
        return Gate("batch", "not_available", "All patients come from one centre, and the tables name no other batch.")
    if not found.scored:
        return Gate("batch", "not_available", "There is no score to judge within batches.")
    names = ", ".join(batch.column for batch in found.batches if batch.declared)
    hangs = explained_by_batch(found.of("model"), found.batches)
    if hangs:
        return Gate("batch", "failed", f"What the score tells hangs on {', '.join(hangs)}: within a batch it ranks no better than chance.")
    return Gate("batch", "passed", f"The score is not explained by {names}.")


def _noted(found: Found, name: str) -> Gate:
    status, reason = found.notes.get(name, ("not_available", _WHY_NOT[name]))
    return Gate(name, status, reason)


_RIVALS: Mapping[str, str] = {
    "suv_max": "SUVmax",
    "suv_peak": "SUVpeak",
    "mtv": "MTV",
    "tlg": "TLG",
    "clinical": "clinical.csv",
}
_WHY_NOT: Mapping[str, str] = {
    "extraction": "The cohort brings no values of the authors (authors.csv) to compare with.",
    "perturbation": "Outline and image were not perturbed.",
    "harmonisation": "There are no batches to harmonise.",
    "external": "No external cohort was given (--external).",
    "interpretation": "The cohort brings no reader scores or biology (semantic.csv).",
}
