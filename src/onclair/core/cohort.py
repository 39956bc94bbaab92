"""A cohort: two tables and a description. It owns the only splitters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from onclair.core.errors import BadCohort
from onclair.core.names import did_you_mean
from onclair.core.outcome import Outcome

#: Columns that every ``acquisitions.csv`` has.
ACQUISITION_COLUMNS = ("patient", "centre", "visit", "kind", "path")


@dataclass(frozen=True, slots=True)
class About:
    """What ``cohort.toml`` says of a cohort."""

    title: str = ""
    data: Literal["real", "virtual"] = "real"
    licence: str = ""
    citation: str = ""
    outcomes: tuple[Outcome, ...] = ()
    units: dict[str, str] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    """One cut of a cohort: patients to learn from and patients to judge on, disjoint."""

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Site -> patient -> visit -> acquisition, with outcomes a patient.

    Attributes
    ----------
    acquisitions : DataFrame
        One row a file: ``patient centre visit kind path`` and what the kind adds; `path` is relative to `root`.
    outcomes : DataFrame
        One row a patient: ``patient`` and the outcomes. Where a column ``item`` names points, lesions or photographs, one row each.
    about : About
    root : Path or None
        The folder it was read from; part of no hash.

    Raises
    ------
    BadCohort
        For missing columns, a patient in two centres, or a patient (or an item of one) with two rows of outcomes.
    """

    acquisitions: pd.DataFrame
    outcomes: pd.DataFrame
    about: About = field(default_factory=About)
    root: Path | None = None

    def __post_init__(self) -> None:
        missing = [c for c in ACQUISITION_COLUMNS if c not in self.acquisitions.columns]
        if missing:
            raise BadCohort(f"acquisitions.csv lacks the column '{missing[0]}'; it needs {' '.join(ACQUISITION_COLUMNS)}.", item=missing[0])
        if "patient" not in self.outcomes.columns:
            raise BadCohort("outcomes.csv lacks the column 'patient'; its first column names the patient.", item="patient")
        keys = ["patient", "item"] if self.by_item else ["patient"]
        twice = self.outcomes[keys][self.outcomes.duplicated(keys)]
        if len(twice):
            who, *item = map(str, twice.iloc[0])
            of = f", item {item[0]}," if item else ""
            raise BadCohort(f"Patient {who}{of} has more than one row in outcomes.csv; keep one.", item=who)
        centres = self.acquisitions.groupby("patient")["centre"].nunique()
        if (centres > 1).any():
            who = str(centres.index[centres > 1][0])
            found = ", ".join(sorted(self.acquisitions.loc[self.acquisitions["patient"] == who, "centre"].astype(str).unique()))
            raise BadCohort(
                f"Patient {who} appears in two centres ({found}); a patient belongs to one: correct acquisitions.csv.", item=who
            )

    @property
    def by_item(self) -> bool:
        """Whether each point, lesion or photograph has an outcome of its own."""
        return "item" in self.outcomes.columns

    @property
    def patients(self) -> tuple[str, ...]:
        """The patients with acquisitions, in order of name."""
        return tuple(sorted(self.acquisitions["patient"].astype(str).unique()))

    @property
    def centres(self) -> tuple[str, ...]:
        """The centres, in order of name."""
        return tuple(sorted(self.acquisitions["centre"].astype(str).unique()))

    def centre_of(self, patients: Sequence[str]) -> pd.Series:
        """Return the centre of each patient, indexed by patient."""
        table = self.acquisitions.drop_duplicates("patient").set_index("patient")["centre"]
        return table.reindex(list(patients)).astype(str)

    def outcome(self, name: str | None = None) -> Outcome:
        """Return the outcome called `name`, or the only one there is.

        Raises
        ------
        BadCohort
            When there is none by that name, or several and none was named.
        """
        known = {o.name: o for o in self.about.outcomes}
        if name is None and len(known) == 1:
            return next(iter(known.values()))
        if name is None:
            raise BadCohort(f"The cohort declares {len(known)} outcomes ({', '.join(known) or 'none'}); say which with --outcome.")
        if name not in known:
            raise BadCohort(f"The cohort declares no outcome '{name}'; {did_you_mean(name, known)}", item=name)
        return known[name]

    def truth(self, outcome: Outcome, patients: Sequence[str]) -> pd.Series:
        """Return the outcome of each patient as float (NaN where missing), indexed by patient; the highest of a patient's items.

        Examples
        --------
        >>> acquisitions = pd.DataFrame({name: ["P1"] for name in ACQUISITION_COLUMNS})
        >>> points = pd.DataFrame({"patient": ["P1", "P1"], "item": ["a", "b"], "margin": [0, 1]})
        >>> Cohort(acquisitions, points).truth(Outcome("margin", "binary"), ["P1"]).tolist()
        [1.0]
        """
        values = self._numbers(outcome)
        return values.groupby(level=0).max().reindex(list(patients)).astype(float)

    def labels(self, outcome: Outcome, patients: Sequence[str]) -> pd.Series:
        """Return every outcome that is known of these patients, indexed by patient: one a patient, or one an item.

        Examples
        --------
        >>> acquisitions = pd.DataFrame({name: ["P1"] for name in ACQUISITION_COLUMNS})
        >>> points = pd.DataFrame({"patient": ["P1", "P1"], "item": ["a", "b"], "margin": [0, 1]})
        >>> Cohort(acquisitions, points).labels(Outcome("margin", "binary"), ["P1"]).tolist()
        [0.0, 1.0]
        """
        values = self._numbers(outcome)
        known = values[values.index.get_level_values(0).isin(list(patients))].dropna()
        return pd.Series(known.to_numpy(float), index=pd.Index(known.index.get_level_values(0), name="patient"))

    def truth_of(self, outcome: Outcome, index: pd.Index) -> pd.Series:
        """Return the outcome of each (patient, item) as float, NaN where there is none; a patient's outcome is that of all its items.

        Examples
        --------
        >>> acquisitions = pd.DataFrame({name: ["P1"] for name in ACQUISITION_COLUMNS})
        >>> points = pd.DataFrame({"patient": ["P1", "P1"], "item": ["a", "b"], "margin": [0, 1]})
        >>> rows = pd.MultiIndex.from_tuples([("P1", "b"), ("P1", "c")])
        >>> Cohort(acquisitions, points).truth_of(Outcome("margin", "binary"), rows).tolist()
        [1.0, nan]
        """
        values = self._numbers(outcome)
        keys = index.map(lambda key: tuple(map(str, key))) if self.by_item else index.get_level_values(0)
        return pd.Series(values.reindex(keys).to_numpy(float), index=index, name=outcome.name)

    def _numbers(self, outcome: Outcome) -> pd.Series:
        """Return the outcome as numbers, indexed by patient, or by (patient, item)."""
        keys = [self.outcomes[name].astype(str) for name in (("patient", "item") if self.by_item else ("patient",))]
        values = pd.to_numeric(self.outcomes[outcome.name], errors="coerce").to_numpy(float)
        return pd.Series(values, index=pd.MultiIndex.from_arrays(keys) if self.by_item else pd.Index(keys[0]))

    def only(self, patients: Iterable[str]) -> Cohort:
        """Return the cohort of these patients alone."""
        keep = set(patients)
        return replace(
            self,
            acquisitions=self.acquisitions[self.acquisitions["patient"].isin(keep)].reset_index(drop=True),
            outcomes=self.outcomes[self.outcomes["patient"].isin(keep)].reset_index(drop=True),
        )

    def by_patient(self, folds: int, rng: np.random.Generator, *, strata: pd.Series | None = None) -> tuple[Split, ...]:
        """Cut into `folds` parts by patient, each part judged once.

        Parameters
        ----------
        folds : int
            At least 2 and at most the number of patients.
        rng : numpy Generator
            Decides who goes where.
        strata : Series indexed by patient, optional
            Classes to spread evenly over the folds.

        Returns
        -------
        tuple of Split
            The test parts are disjoint and cover every patient.

        Raises
        ------
        BadCohort
            When there are fewer patients than folds.
        """
        patients = list(self.patients)
        if not 2 <= folds <= len(patients):
            raise BadCohort(f"{len(patients)} patients cannot be cut into {folds} folds; choose 2 to {len(patients)}.")
        classes = pd.Series(0, index=patients) if strata is None else strata.reindex(patients)
        place = 0
        part: dict[str, int] = {}
        for _, group in classes.groupby(classes, dropna=False, sort=True):
            for patient in rng.permutation(np.array(sorted(group.index), dtype=object)):
                part[str(patient)] = place % folds
                place += 1
        return tuple(_split(f"fold-{k + 1}", patients, [p for p in patients if part[p] == k]) for k in range(folds))

    def by_centre(self) -> tuple[Split, ...]:
        """Cut by centre, each centre judged once on what the others taught.

        Raises
        ------
        BadCohort
            When there is only one centre.
        """
        if len(self.centres) < 2:
            raise BadCohort(f"The cohort has one centre ({self.centres[0]}); leaving one out needs at least two.")
        centre = self.centre_of(self.patients)
        return tuple(_split(f"centre:{c}", self.patients, [p for p in self.patients if centre[p] == c]) for c in self.centres)

    def in_time(self, column: str, at: float | str) -> Split:
        """Cut in time: learn from patients whose first `column` lies before `at`, judge on the rest.

        Raises
        ------
        BadCohort
            When the column is absent, or one side is empty.
        """
        if column not in self.acquisitions.columns:
            raise BadCohort(
                f"acquisitions.csv has no column '{column}' to cut in time; {did_you_mean(column, self.acquisitions.columns)}", item=column
            )
        first = self.acquisitions.groupby("patient")[column].min()
        later = [p for p in self.patients if first[p] >= at]
        if not later or len(later) == len(self.patients):
            raise BadCohort(f"No patient lies on one side of {column} = {at}; it runs from {first.min()} to {first.max()}.", item=column)
        return _split(f"time:{column}>={at}", self.patients, later)


def _split(name: str, everyone: Sequence[str], test: Sequence[str]) -> Split:
    judged = set(test)
    return Split(name, tuple(p for p in everyone if p not in judged), tuple(sorted(judged)))
