"""Apply a locked model to new cases: one `finding.json` a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadInput, CheckFailed
from onclair.core.evidence import Evidence
from onclair.core.finding import Finding
from onclair.core.progress import Listener, Progress, silent
from onclair.core.settings import RunSettings
from onclair.core.study import Answer, Description, Study
from onclair.io.cohorts import cohort_from_files
from onclair.io.files import make_folder, write_atomically
from onclair.learn.locked import Locked
from onclair.run.describe import about, checked, describing_settings
from onclair.run.explaining import locked_model
from onclair.run.learning import STAGE as LEARN
from onclair.run.store import json_bytes, read_evidence
from onclair.run.verify import verify


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


@dataclass(frozen=True, slots=True)
class Applied:
    """What `onclair apply` did with one case: a finding and its file, or the reason why there is none."""

    patient: str
    path: Path | None = None
    finding: Finding | None = None
    reason: str | None = None


def opened_run(root: Path, study: Study) -> LockedRun:
    """Return the locked model of a run, after verifying every byte of it.

    Raises
    ------
    CheckFailed
        When the run does not verify: nothing is answered from a changed run.
    """
    checked_run = verify(root)
    if not checked_run.valid:
        raise CheckFailed(
            f"{root} does not verify: {checked_run.problems[0].message} A changed run answers nothing: restore it, or run again.",
            item=str(root),
        )
    seal = read_evidence(root)
    settings = study.settings.read(dict(seal.settings))
    learnt = read_evidence(root / LEARN)
    return LockedRun(study, settings, locked_model(root), read_evidence(root / "validate"), learnt.outputs["model/manifest.json"])


def apply(run: LockedRun, inputs: Sequence[Path], out: Path, *, skip_bad: bool = False, progress: Listener = silent) -> list[Applied]:
    """Answer each new case and write ``OUT/PATIENT/finding.json``.

    Parameters
    ----------
    run : LockedRun
    inputs : sequence of Path
        A cohort folder, or files named ``CASE_KIND.EXT``.
    out : Path
    skip_bad : bool
        Go on past cases that cannot be used.

    Returns
    -------
    list of Applied

    Raises
    ------
    BadCase
        For the first case that cannot be used, unless `skip_bad`.
    NoRoom
        When `out` cannot be written.
    """
    cohort = cohort_from_files(inputs, run.study.kinds, whole=not skip_bad)
    make_folder(out)
    if not cohort.patients:
        raise BadInput("No case was found in the input; give a cohort folder or files named CASE_KIND.nii.gz.")
    done: list[Applied] = []
    for number, patient in enumerate(cohort.patients, 1):
        try:
            finding = finding_of(run, cohort, patient)
        except BadCase as error:
            if not skip_bad:
                raise BadCase(f"{about(patient, error)} To go on without such cases, add --skip-bad.", item=patient) from error
            done.append(Applied(patient, reason=about(patient, error)))
        else:
            path = out / patient / "finding.json"
            write_atomically(path, json_bytes(finding.as_dict()))
            done.append(Applied(patient, path, finding))
        progress(Progress("apply", number, len(cohort.patients), patient, "left_out" if done[-1].finding is None else "done", "cases"))
    return done


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


def finding_of(run: LockedRun, cohort: Cohort, patient: str) -> Finding:
    """Return the finding of one case.

    Raises
    ------
    BadCase
        When the case's files cannot be used.
    """
    study, settings = run.study, describing_settings(run.settings)
    case = study.outline(study.read(cohort, patient), settings)
    description = checked(study.describe(case, settings), patient)
    answers = answers_of(run, description)
    answer = most_telling(answers)
    said: Mapping[str, Any] = study.bedside(case, description, answers, run.settings)
    outcome = dict(run.claim.facts["outcome"])
    return Finding(
        study=study.name,
        subject=patient,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        data="virtual" if "virtual" in (cohort.about.data, run.claim.facts["data"]) else "real",
        model={
            "id": f"{study.name}:{run.model.about['learner']}",
            "version": str(run.claim.environment["onclair"]),
            "sha256": run.model_sha256,
        },
        evidence=run.claim.id,
        risk=None
        if answer.probability is None or said.get("withheld")
        else {
            "outcome": outcome["name"],
            "probability": answer.probability,
            "low": answer.low,
            "high": answer.high,
            "horizon_months": outcome["horizon"],
        },
        answer=said.get("answer", {"value": answer.value, "reason": answer.reason}),
        estimates=tuple(said.get("estimates", ())),
        detail=said.get("detail", {}),
        warnings=tuple(said.get("warnings", ())),
    )
