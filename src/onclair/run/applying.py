"""Apply a locked model to new cases: one `finding.json` a case, and where asked for a rendering beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadInput, CheckFailed, NoRoom
from onclair.core.finding import Finding
from onclair.core.progress import Listener, Progress, silent
from onclair.core.study import Study
from onclair.core.values import Mask
from onclair.io.cohorts import cohort_from_files
from onclair.io.files import make_folder, sealed_folder, write_atomically
from onclair.io.nifti import write_mask
from onclair.io.spectra.cases import cases_from_about
from onclair.run.describe import about
from onclair.run.explaining import locked_model
from onclair.run.findings import LockedRun, finding_of
from onclair.run.learning import STAGE as LEARN
from onclair.run.store import holds_run, json_bytes, read_evidence
from onclair.run.verify import verify

FINDING = "finding.json"
#: What is written beside a finding, by file name: made of the finding as its file says it, handed in by a door.
Beside = Mapping[str, Callable[[Mapping[str, Any]], str]]
#: A locked model's answer on one case: the finding, and the outlines that it names, by file.
Answering = Callable[[Cohort, str], tuple[Finding, Mapping[str, Mask]]]


@dataclass(frozen=True, slots=True)
class Applied:
    """What `onclair apply` did with one case: a finding and its file, or the reason why there is none."""

    patient: str
    path: Path | None = None
    finding: Finding | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which cases to answer, and where to.

    Attributes
    ----------
    inputs : sequence of Path
        A cohort folder, or files named ``CASE_KIND.EXT``.
    out : Path
    beside : mapping of str to callable
        Further files in each case's folder, each made of the finding: ``{"risk.json": render}``.
    skip_bad : bool
        Go on past cases that cannot be used.
    progress : callable
    about : Path or None
        What describes the inputs where they are tables of spectra or instruments' files.
    """

    inputs: Sequence[Path]
    out: Path
    beside: Beside = field(default_factory=dict)
    skip_bad: bool = False
    progress: Listener = silent
    about: Path | None = None


def refuse_to_answer(root: Path) -> None:
    """Refuse a run that does not verify: nothing is answered from a changed run.

    Raises
    ------
    CheckFailed
    """
    checked_run = verify(root)
    if not checked_run.valid:
        raise CheckFailed(
            f"{root} does not verify: {checked_run.problems[0].message} A changed run answers nothing: restore it, or run again.",
            item=str(root),
        )


def opened_run(root: Path, study: Study) -> LockedRun:
    """Return the locked model of a run, after verifying every byte of it.

    Raises
    ------
    CheckFailed
        When the run does not verify.
    """
    refuse_to_answer(root)
    seal = read_evidence(root)
    settings = study.settings.read(dict(seal.settings))
    learnt = read_evidence(root / LEARN)
    return LockedRun(study, settings, locked_model(root), read_evidence(root / "validate"), learnt.outputs["model/manifest.json"])


def apply(run: LockedRun, asked: Asked) -> list[Applied]:
    """Answer each new case and write ``OUT/PATIENT/finding.json`` with the outlines that it names.

    Parameters
    ----------
    run : LockedRun
    asked : Asked

    Returns
    -------
    list of Applied

    Raises
    ------
    BadCase
        For the first case that cannot be used, unless `skip_bad`.
    NoRoom
        When ``out`` cannot be written, lies in a run, or holds a finding of one of the cases already.
    """
    return answered(run.study.kinds, partial(finding_of, run), asked, also=run.study.also)


def answered(kinds: Sequence[str], answer: Answering, asked: Asked, *, also: Sequence[str] = ()) -> list[Applied]:
    """Answer each new case by any locked model; what is written, returned and refused is as in :func:`apply`.

    Parameters
    ----------
    kinds : sequence of str
        What each case needs, for example ``("pet", "mask")``.
    answer : callable
        ``(cohort, patient) -> (Finding, its outlines by file name)``; a `BadCase` says why a case cannot be used.
    asked : Asked
    also : sequence of str
        Further kinds that are used where they are given.

    Returns
    -------
    list of Applied
    """
    if asked.about is not None:
        cohort = cases_from_about(asked.inputs, asked.about)
    else:
        cohort = cohort_from_files(asked.inputs, kinds, also=also, whole=not asked.skip_bad)
    if not cohort.patients:
        raise BadInput("No case was found in the input; give a cohort folder or files named CASE_KIND.nii.gz.")
    _refuse_places(asked.out, cohort.patients)
    make_folder(asked.out)
    done: list[Applied] = []
    for number, patient in enumerate(cohort.patients, 1):
        try:
            finding, masks = answer(cohort, patient)
        except BadCase as error:
            if not asked.skip_bad:
                raise BadCase(f"{about(patient, error)} To go on without such cases, add --skip-bad.", item=patient) from error
            done.append(Applied(patient, reason=about(patient, error)))
        else:
            _write(asked.out / patient, finding, masks, asked.beside)
            done.append(Applied(patient, asked.out / patient / FINDING, finding))
        left = done[-1].finding is None
        asked.progress(Progress("apply", number, len(cohort.patients), patient, "left_out" if left else "done", "cases"))
    return done


def _refuse_places(out: Path, patients: Sequence[str]) -> None:
    """Refuse to write into a run, or over findings that somebody may have reviewed."""
    for place in (out, *out.resolve().parents):
        if holds_run(place):
            raise NoRoom(f"The folder {out} lies in the run {place}, which would no longer verify; choose another --out.", item=str(out))
    for patient in patients:
        if (out / patient).exists():
            raise NoRoom(
                f"{out} holds a finding of {patient} already; choose another --out: findings are never written over.", item=patient
            )


def _write(folder: Path, finding: Finding, masks: Mapping[str, Mask], beside: Beside) -> None:
    """Write a finding, the outlines it names and what is made of it into a folder that appears whole."""
    with sealed_folder(folder) as partial:
        for name, mask in masks.items():
            write_mask(partial / name, mask, description=finding.data if finding.data == "virtual" else "")
        write_atomically(partial / FINDING, json_bytes(finding.as_dict()))
        for name, render in beside.items():
            write_atomically(partial / name, render(finding.as_dict()).encode())
