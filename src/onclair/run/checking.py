"""What is wrong with a cohort, before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase
from onclair.core.study import Study
from onclair.io.cohorts import check_cohort
from onclair.run.describe import about
from onclair.run.feasible import check_kind
from onclair.run.gaps import gap_warnings


@dataclass(frozen=True, slots=True)
class CohortReport:
    """What `onclair cohort check` answers.

    Attributes
    ----------
    patients : int
        With acquisitions.
    events : int or None
        Of a binary outcome, where one was looked at, among the patients that can be used.
    centres : tuple of str
    problems, warnings : tuple of mapping
        ``patient message`` and ``code text``.
    """

    patients: int
    events: int | None
    centres: tuple[str, ...]
    problems: tuple[dict[str, str | None], ...]
    warnings: tuple[dict[str, str], ...]

    @property
    def valid(self) -> bool:
        """Whether every patient can be used."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain JSON values."""
        return {
            "valid": self.valid,
            "patients": self.patients,
            "events": self.events,
            "centres": list(self.centres),
            "problems": list(self.problems),
            "warnings": list(self.warnings),
        }


def check_for(directory: Path, study: Study | None = None, outcome_name: str | None = None) -> CohortReport:
    """Check a cohort folder, and what a study would read of it.

    Parameters
    ----------
    directory : Path
    study : Study, optional
        Every patient's files are opened by its `read`.
    outcome_name : str, optional

    Raises
    ------
    BadCohort
        For a folder that cannot be used as a whole.
    """
    cohort = check_cohort(directory).cohort
    outcome = cohort.outcome(outcome_name) if study is not None or outcome_name is not None or len(cohort.about.outcomes) == 1 else None
    if study is not None and outcome is not None and outcome.kind != "survival":  # a federation fits follow-up times of any study's rows
        check_kind(study, outcome)
    check = check_cohort(directory, study.kinds if study is not None else (), outcome)
    problems: list[dict[str, str | None]] = [{"patient": p.patient, "message": p.sentence} for p in check.problems]
    gaps: tuple[dict[str, str], ...] = ()
    if study is not None:
        unreadable, gaps = _tried(study, check.cohort, check.good)
        problems = sorted([*problems, *unreadable], key=lambda p: str(p["patient"]))
    events = None
    if outcome is not None and outcome.kind in ("binary", "survival"):
        events = int((cohort.truth(outcome, check.good) == 1).sum())
    notes = tuple({"code": str(n["code"]), "text": str(n["text"])} for n in check.notes)
    return CohortReport(len(cohort.patients), events, cohort.centres, tuple(problems), (*notes, *gaps))


def _tried(study: Study, cohort: Cohort, patients: Sequence[str]) -> tuple[list[dict[str, str | None]], tuple[dict[str, str], ...]]:
    """Return the patients whose files the study cannot read, with the reason, and the warnings about those it can."""
    unreadable: list[dict[str, str | None]] = []
    reasons: dict[str, Mapping[str, str]] = {}
    columns = 0
    for patient in patients:
        try:
            described = study.describe(study.outline(study.read(cohort, patient), study.settings()), study.settings())
        except BadCase as error:
            unreadable.append({"patient": patient, "message": about(patient, error)})
        else:
            reasons[patient], columns = described.reasons, described.rows.shape[1]
    return unreadable, gap_warnings(reasons, columns)
