"""From a locked model's answers to a finding: what it says of one case, and the outlines it looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from onclair.core.cohort import Cohort
from onclair.core.evidence import Evidence
from onclair.core.finding import Finding
from onclair.core.settings import RunSettings
from onclair.core.study import Answer, Description, Study
from onclair.core.values import Mask
from onclair.learn.locked import Locked
from onclair.run.describe import checked, describing_settings

#: DICOM's words for who drew an outline (SegmentAlgorithmType).
ALGORITHM = {"expert": "MANUAL", "model": "AUTOMATIC", "truth": "MANUAL"}


@dataclass(frozen=True, slots=True, eq=False)
class LockedRun:
    """A verified run, ready to answer.

    Attributes
    ----------
    study, settings, model
    claim : Evidence
        The validate record that the answers rest on.
    model_sha256 : str
        SHA-256 of the model's manifest.
    """

    study: Study
    settings: RunSettings
    model: Locked
    claim: Evidence
    model_sha256: str


def finding_of(run: LockedRun, cohort: Cohort, patient: str) -> tuple[Finding, dict[str, Mask]]:
    """Return the finding of one case, and the outlines that its `masks` name, by file.

    Raises
    ------
    BadCase
        When the case's files cannot be used.
    """
    study, settings = run.study, describing_settings(run.settings)
    case = study.outline(study.read(cohort, patient), settings)
    description = checked(study.describe(case, settings), patient)
    answers = answers_of(run, description)
    said: Mapping[str, Any] = study.bedside(case, description, answers, run.settings)
    answer = answers[said["shown"]] if "shown" in said else most_telling(answers)
    finding = Finding(
        study=study.name,
        subject=patient,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        data="virtual" if "virtual" in (cohort.about.data, run.claim.facts["data"]) else "real",
        model=_model(run),
        evidence=run.claim.id,
        masks=tuple(_mask(name, mask, said.get("segments", {})) for name, mask in case.masks.items()),
        estimates=tuple(said.get("estimates", ())),
        risk=None if said.get("withheld") else _risk(run, answer),
        answer=said.get("answer", {"value": answer.value, "reason": answer.reason}),
        detail=said.get("detail", {}),
        warnings=tuple(said.get("warnings", ())),
    )
    return finding, {f"{name}.nii.gz": mask for name, mask in case.masks.items()}


def answers_of(run: LockedRun, description: Description) -> dict[str, Answer]:
    """Return the answer on each item of a case (lesion, spectrum, photo) with its reasons, by item."""
    answers = {}
    for number, item in enumerate(description.rows.index):
        row = description.rows.iloc[[number]]
        answers[str(item)] = replace(run.model.answer(row), reasons=run.study.explain(run.model, row))
    return answers


def most_telling(answers: Mapping[str, Answer]) -> Answer:
    """Return the answer that speaks for the case: that of the item with the highest risk.

    Examples
    --------
    >>> low, high = Answer(0.2, 0.1, 0.3, "unlikely"), Answer(0.8, 0.7, 0.9, "likely")
    >>> unknown = Answer(None, None, None, "cannot_tell", "the spectrum is saturated")
    >>> most_telling({"a": low, "b": high, "c": unknown}).value
    'likely'
    """
    return max(answers.values(), key=lambda answer: -1.0 if answer.probability is None else answer.probability)


def _model(run: LockedRun) -> dict[str, str]:
    return {
        "id": f"{run.study.name}:{run.model.about['learner']}",
        "version": str(run.claim.environment["onclair"]),
        "sha256": run.model_sha256,
    }


def _risk(run: LockedRun, answer: Answer) -> dict[str, Any] | None:
    outcome = dict(run.claim.facts["outcome"])
    if answer.probability is None:
        return None
    told = {"probability": answer.probability, "low": answer.low, "high": answer.high}
    return {"outcome": outcome["name"], **told, "horizon_months": outcome["horizon"]}


def _mask(name: str, mask: Mask, codes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return how the finding names one outline: its file, and a segment for each label with the study's codes."""
    segments = [
        {"value": value, "label": label, **codes.get(name, {}), "algorithm": ALGORITHM[mask.origin]}
        for value, label in enumerate(mask.labels, 1)
    ]
    return {"file": f"{name}.nii.gz", "segments": segments}
