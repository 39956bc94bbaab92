"""A cohort checked patient by patient: what cannot be used, why, and what to do; the whole is refused only for what concerns it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadCohort
from onclair.core.outcome import Outcome
from onclair.io.cohorts.folder import read_with_notes


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one patient cannot be used.

    Attributes
    ----------
    patient, sentence : str

    Examples
    --------
    >>> str(Problem("P1", "The PET of P1 is missing.").error())
    'The PET of P1 is missing.'
    """

    patient: str
    sentence: str

    def error(self) -> BadCase:
        """Return the problem as the error that stops a run without ``--skip-bad``."""
        return BadCase(self.sentence, item=self.patient)


@dataclass(frozen=True, slots=True, eq=False)
class CohortCheck:
    """A cohort, what is wrong with single patients, and what was unusual.

    Attributes
    ----------
    cohort : Cohort
        All patients, the bad ones among them.
    problems : tuple of Problem
        In order of patient; a patient may have several.
    notes : tuple of mapping
        ``code`` and ``text``: departures of the tables that were read and are said.
    facts : mapping
        Plain JSON values: ``patients centres acquisitions outcomes`` (``n`` and, where there are, ``events`` of the good patients).
    """

    cohort: Cohort
    problems: tuple[Problem, ...]
    notes: tuple[Mapping[str, str], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bad(self) -> tuple[str, ...]:
        """The patients with a problem, each once."""
        return tuple(sorted({problem.patient for problem in self.problems}))

    @property
    def good(self) -> tuple[str, ...]:
        """The patients that can be used."""
        return tuple(p for p in self.cohort.patients if p not in set(self.bad))


def check_cohort(root: str | Path, kinds: Sequence[str] = (), outcome: Outcome | None = None) -> CohortCheck:
    """Read a cohort folder and check every patient's files and values.

    Parameters
    ----------
    root : path
    kinds : sequence of str
        The kinds that each patient needs; none checks only the files that are named.
    outcome : Outcome, optional
        The one to predict. None checks the values of all that ``cohort.toml`` declares, and asks for one where it declares one.

    Returns
    -------
    CohortCheck

    Raises
    ------
    BadCohort
        For what concerns the whole (see :func:`onclair.io.cohorts.read_cohort`), no patient at all, and an outcome of one class
        or without events among the patients without a problem.
    BadTable
        For a table that cannot be read.
    """
    cohort, notes = read_with_notes(root)
    outcomes = (outcome,) if outcome else cohort.about.outcomes
    needed = len(outcomes) == 1
    found = [*_unmatched(cohort), *_files(cohort, kinds)]
    for one in outcomes:
        if one.name not in cohort.outcomes.columns:
            raise BadCohort(f"outcomes.csv has no column '{one.name}'; add it or choose another outcome.", item=one.name)
        found += _values(cohort, one, needed)
    notes = (*notes, *_named_like_people(cohort))
    problems = tuple(sorted(dict.fromkeys(found), key=lambda p: (p.patient, p.sentence)))
    check = CohortCheck(cohort, problems, notes)
    facts = {one.name: _counted(check, one, needed) for one in outcomes}
    kinds_found = cohort.acquisitions["kind"].value_counts().sort_index()
    counted = {
        "patients": len(cohort.patients),
        "centres": {c: int(n) for c, n in _a_centre(cohort).items()},
        "acquisitions": {str(kind): int(count) for kind, count in kinds_found.items()},
        "outcomes": facts,
    }
    return CohortCheck(cohort, problems, notes, counted)


def _named_like_people(cohort: Cohort) -> Iterator[Mapping[str, str]]:
    """Yield the warning that codes without a digit may be names: nothing tells DUPONT from a code but its owner."""
    letters = [p for p in cohort.patients if not any(c.isdigit() for c in p)]
    if letters:
        found = f"{len(letters)} patient codes hold no digit (the first is {letters[0]})"
        yield {"code": "code_without_digit", "text": f"{found}; if they are names, replace them by pseudonyms: codes reach outputs."}


def _a_centre(cohort: Cohort) -> dict[str, int]:
    counts = cohort.centre_of(cohort.patients).value_counts().sort_index()
    return {str(centre): int(count) for centre, count in counts.items()}


def _unmatched(cohort: Cohort) -> Iterator[Problem]:
    imaged, followed = set(cohort.patients), set(cohort.outcomes["patient"])
    for patient in sorted(imaged - followed):
        yield Problem(patient, f"Patient {patient} has acquisitions but no row in outcomes.csv; add the outcome or leave the patient out.")
    for patient in sorted(followed - imaged):
        yield Problem(patient, f"Patient {patient} has an outcome but no row in acquisitions.csv; add the files or leave the patient out.")


def _files(cohort: Cohort, kinds: Sequence[str]) -> Iterator[Problem]:
    root = cohort.root or Path()
    within = "column" in cohort.acquisitions.columns  # a table holds many spectra, a row each
    place = ["path", "column"] if within else ["path"]
    for row in cohort.acquisitions.drop_duplicates(["patient", "kind", "path"]).to_dict("records"):
        patient, kind, path = str(row["patient"]), row["kind"], str(row["path"])
        if not (root / path).exists():  # a folder may hold a DICOM series
            sentence = f"The {kind} of {patient} is missing: there is no file {path}; correct acquisitions.csv or add the file."
            yield Problem(patient, sentence)
    for key, rows in cohort.acquisitions.groupby(["patient", "visit"], sort=True):
        patient, visit = (str(part) for part in tuple(key))
        counts = rows["kind"].value_counts()
        at = f" at the visit '{visit}'" if visit else ""
        for kind in kinds or sorted(counts.index):
            count = int(counts.get(kind, 0))
            if count == 0:
                yield Problem(patient, f"Patient {patient} has no {kind}{at} in acquisitions.csv; add it or leave the patient out.")
            elif count > 1 and kinds and not within:
                yield Problem(patient, f"Patient {patient} has {count} files of the kind '{kind}'{at}; keep the one to use.")
        if (not kinds or within) and rows.duplicated(place).any():
            twice = ", column ".join(map(str, rows.loc[rows.duplicated(place), place].iloc[0]))
            yield Problem(patient, f"Patient {patient} has the file {twice} twice in acquisitions.csv; remove a row.")


def _values(cohort: Cohort, outcome: Outcome, needed: bool) -> Iterator[Problem]:
    """Yield the patients whose outcome is missing or no value of its kind."""
    if outcome.kind in ("mask", "image"):
        return
    table = cohort.outcomes.set_index("patient")
    known = set(table.index[table[outcome.name].notna()])
    for patient, value in table[outcome.name].items():
        if pd.isna(value):
            if needed and patient not in known:
                yield Problem(str(patient), f"The outcome '{outcome.name}' of {patient} is missing; fill it in or leave the patient out.")
        elif (wrong := _wrong(value, outcome)) is not None:
            yield Problem(str(patient), f"The outcome '{outcome.name}' of {patient} is '{_shown(value)}'; {wrong}.")
    if outcome.time:
        for patient, value in table[outcome.time].items():
            time = pd.to_numeric(value, errors="coerce")
            if not time > 0 and (needed or not pd.isna(value)):
                found = "missing" if pd.isna(value) else f"'{_shown(value)}'"
                sentence = f"The follow-up '{outcome.time}' of {patient} is {found}; it must be a time above 0"
                yield Problem(str(patient), sentence + (f" ({outcome.unit})." if outcome.unit != "1" else "."))


def _shown(value: Any) -> str:
    """Return a cell as its table most likely spells it: a column with gaps holds 0 as 0.0."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _wrong(value: Any, outcome: Outcome) -> str | None:
    """Return what a value should have been, or None when it is one."""
    number = pd.to_numeric(value, errors="coerce")
    if outcome.kind in ("binary", "survival"):
        return None if number in (0, 1) else "it must be 0 or 1"
    return None if pd.notna(number) else "it must be a number"


def _counted(check: CohortCheck, outcome: Outcome, needed: bool) -> dict[str, int]:
    """Return how many good patients have the outcome and how many had the event; refuse one class where it is what is predicted."""
    if outcome.kind in ("mask", "image"):
        return {"n": len(check.good)}
    values = check.cohort.labels(outcome, check.good)
    patients = int(values.index.nunique())
    if outcome.kind not in ("binary", "survival"):
        return {"n": patients}
    events = int(values.index[values == 1].nunique())
    if needed and not len(values):
        tells = f": {check.problems[0].sentence}" if check.problems else "."
        raise BadCohort(f"No patient of the cohort can be used for the outcome '{outcome.name}'{tells}", item=outcome.name)
    if needed and (events == 0 or (values.nunique() < 2 and outcome.kind == "binary")):
        raise one_class_only(outcome, patients, int(events > 0), some_left_out=bool(check.problems))
    return {"n": patients, "events": events}


def one_class_only(outcome: Outcome, patients: int, value: int, *, some_left_out: bool) -> BadCohort:
    """Return the error of a cohort in which everybody, or everybody who can be used, has the same outcome."""
    who = f"all {patients} patients" + (" that can be used" if some_left_out else "")
    missing = "without" if value else "with"
    return BadCohort(
        f"The outcome '{outcome.name}' has one class only: {who} have the value {value}; both 0 and 1 are needed to learn or to judge: "
        f"add patients {missing} the event, or choose another outcome.",
        item=outcome.name,
    )
