"""The tables of `onclair radiomics combat`: features by sample or by row, the samples' batches, and the harmonised table written back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCohort, BadTable
from onclair.core.names import did_you_mean
from onclair.io.cohorts.folder import read_with_notes
from onclair.io.dialects import is_missing
from onclair.io.tables import read_parquet, read_table, write_parquet, write_table

Warnings = list[dict[str, str]]

#: Names that the column of sample names may bear; else it is the first.
KEYS = ("sample", "patient")


@dataclass(frozen=True, slots=True, eq=False)
class FeatureTable:
    """A user's features and the way they were written.

    Attributes
    ----------
    features : DataFrame, float64, one row a sample
        Indexed by sample; only what is harmonised.
    frame : DataFrame
        The table as it was read.
    key : str or None
        The column that names the samples (or, with features in rows, the features); None where there is none.
    in_rows : bool
        Whether each row of `frame` is a feature.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient": ["P1", "P2"], "site": ["lung", "liver"], "suv": [1.0, 2.0]})
    >>> table = FeatureTable(frame.set_index("patient")[["suv"]], frame, "patient", in_rows=False)
    >>> table.only(["P2"]).written(pd.DataFrame({"suv": [2.5]}, index=["P2"])).to_dict("records")
    [{'patient': 'P2', 'site': 'liver', 'suv': 2.5}]
    """

    features: pd.DataFrame
    frame: pd.DataFrame
    key: str | None
    in_rows: bool

    def only(self, samples: Sequence[str]) -> FeatureTable:
        """Return the table of these samples alone, in the order of the table."""
        keep = set(samples)
        there = [s for s in self.features.index if s in keep]
        if self.in_rows:
            frame = self.frame[[c for c in self.frame.columns if c not in self.features.index or c in keep]]
        else:
            frame = self.frame[self.frame[self.key].astype(str).isin(keep)].reset_index(drop=True)
        return FeatureTable(self.features.loc[there], frame, self.key, self.in_rows)

    def written(self, harmonised: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with the harmonised values in the place of those that were read, all else as it was."""
        frame = self.frame.copy()
        if self.in_rows:
            names = list(self.features.columns)
            block = harmonised.reindex(columns=names).T.to_numpy()
            return frame.assign(**{sample: block[:, i] for i, sample in enumerate(harmonised.index)})
        values = harmonised.to_numpy()
        return frame.assign(**{str(name): values[:, i] for i, name in enumerate(harmonised.columns)})


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What is to be harmonised: features and the samples' columns, the same samples in the same order.

    Attributes
    ----------
    table : FeatureTable
    samples : DataFrame
        Indexed by sample.
    outcome : str or None
        The outcome column, where one is known.
    outcomes : tuple of str
        Every column that is or belongs to an outcome, and is never a covariate.
    warnings : list of dict
    """

    table: FeatureTable
    samples: pd.DataFrame
    outcome: str | None
    outcomes: tuple[str, ...]
    warnings: Warnings


def read_files(features: Path, samples: Path, roles: Roles, *, in_rows: bool) -> Given:
    """Read features and samples from two tables.

    Parameters
    ----------
    features : path
        CSV, TSV, XLSX or Parquet. Samples in rows, named in a column ``sample`` or ``patient`` or the first; or with `in_rows` a feature a
        row and a sample a column, feature names in the only column that is no sample, where there is one.
    samples : path
        With a column ``sample``.
    roles : Roles
        Which columns of `samples` are which.
    in_rows : bool

    Raises
    ------
    BadTable
        For a table that cannot be read, a column that is absent, a sample named twice, or tables that share no sample.
    """
    given = read_table(samples, text=("sample", *roles.labels))
    frame = given.frame
    _need(frame, ("sample", *roles.every), samples.name)
    _no_repeats(frame["sample"], samples.name)
    described = _described(frame.set_index(frame["sample"].astype(str)).drop(columns="sample"), roles)
    names = list(described.index)
    table, notes = _in_rows(features, names) if in_rows else _by_sample(features, roles)
    warnings: Warnings = [dict(note) for note in (*given.notes, *notes)]
    return _joined(table, described, roles, warnings)


def read_cohort_features(root: Path, roles: Roles, *, any_match: bool) -> Given:
    """Read the features that a cohort holds, files of the kind ``features``; its acquisitions and outcomes describe the samples.

    Parameters
    ----------
    root : path
    roles : Roles
    any_match : bool
        Where ``acquisitions.csv`` has a column ``match``, whether rows other than ``exact`` are taken too.

    Raises
    ------
    BadCohort
        When the cohort holds no features, a patient has them twice, or a column is absent.
    """
    cohort, notes = read_with_notes(root)
    rows = cohort.acquisitions[cohort.acquisitions["kind"] == "features"]
    if rows.empty:
        found = f"The cohort {root} holds no file of the kind 'features'"
        raise BadCohort(f"{found}; extract them first, and give their table with --features and --samples.", item=str(root))
    warnings: Warnings = [dict(note) for note in notes]
    everyone = set(rows["patient"])
    if "match" in rows.columns and not any_match:
        rows = _exact(rows, warnings)
    left_out = everyone - set(rows["patient"])
    _no_repeats(rows["patient"], "acquisitions.csv")
    described = rows.drop(columns=["kind", "path"]).merge(cohort.outcomes, on="patient", how="left").set_index("patient")
    _need(described, roles.every, "the cohort")
    tables = [_by_sample(root / str(path), roles) for path in rows["path"].unique()]
    warnings += [dict(note) for _, found in tables for note in found]
    frame = pd.concat([table.frame for table, _ in tables], ignore_index=True)
    table = FeatureTable(pd.concat([table.features for table, _ in tables]), frame, tables[0][0].key, in_rows=False)
    described = _described(_labels(described, roles), roles)
    given = _joined(table.only([s for s in table.features.index if s not in left_out]), described, roles, warnings)
    outcome, outcomes = _declared(cohort, roles.outcome)
    return Given(given.table, given.samples, outcome, outcomes, warnings)


@dataclass(frozen=True, slots=True)
class Roles:
    """Which columns of the samples are which.

    Examples
    --------
    >>> Roles(("centre",), ("age",), "relapse", ("kernel", "centre")).labels
    ('centre', 'kernel')
    """

    batch: tuple[str, ...]
    covariates: tuple[str, ...] = ()
    outcome: str | None = None
    diagnose: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns that are read as text: batches, and what is diagnosed."""
        return tuple(dict.fromkeys((*self.batch, *self.diagnose)))

    @property
    def every(self) -> tuple[str, ...]:
        """Every column that is needed."""
        return tuple(dict.fromkeys((*self.labels, *self.covariates, *([self.outcome] if self.outcome else []))))


def write_features(path: Path, frame: pd.DataFrame) -> None:
    r"""Write a table as Parquet where its name says so, else as CSV.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_features(Path(folder, "t.csv"), pd.DataFrame({"patient": ["P1"], "suv": [2.5]}))
    ...     Path(folder, "t.csv").read_text()
    'patient,suv\nP1,2.5\n'
    """
    (write_parquet if path.suffix.lower() == ".parquet" else write_table)(path, frame)


def listed(names: Collection[str]) -> str:
    """Return up to five names and how many more there are.

    Examples
    --------
    >>> listed(["a", "b"]), listed(list("abcdefg"))
    ('a, b', 'a, b, c, d, e and 2 more')
    """
    every = list(names)
    return ", ".join(every[:5]) + (f" and {len(every) - 5} more" if len(every) > 5 else "")


def _by_sample(path: Path, roles: Roles) -> tuple[FeatureTable, Sequence[Mapping[str, str]]]:
    """Return features written with one row a sample."""
    frame, notes = _read(path, KEYS)
    key = next((k for k in KEYS if k in frame.columns), str(frame.columns[0]))
    if key not in KEYS:
        frame, notes = _read(path, (key,))
    names = frame[key].astype(str)
    _no_repeats(names, path.name)
    numeric = [c for c in frame.columns if c != key and c not in roles.every and _is_number(frame[c])]
    carried = [c for c in frame.columns if c != key and c not in numeric]
    if not numeric:
        raise BadTable(f"{path.name} has no column of numbers beside '{key}'; give features, or say --features-in-rows.", item=path.name)
    more = []
    if carried:
        text = f"{path.name} has {len(carried)} columns that are no features ({listed(carried)}); they are handed on as they are."
        more.append({"code": "carried_columns", "text": text})
    values = frame[numeric].astype(np.float64).set_index(pd.Index(names, name="sample"))
    return FeatureTable(values, frame, key, in_rows=False), (*notes, *more)


def _in_rows(path: Path, samples: Sequence[str]) -> tuple[FeatureTable, Sequence[Mapping[str, str]]]:
    """Return features written with one row a feature, a column a sample."""
    frame, notes = _read(path, ())
    frame = frame.rename(columns=str)
    named = [c for c in frame.columns if not _is_number(frame[c])]
    key = named[0] if named else None
    features = [f"feature_{i + 1}" for i in range(len(frame))] if key is None else frame[key].astype(str).tolist()
    if key is not None:
        _no_repeats(frame[key], path.name)
    columns = [c for c in frame.columns if c not in named]
    text = [c for c in named if c in samples]
    if text:
        raise BadTable(f"The sample '{text[0]}' of {path.name} holds text; every value is a number or empty.", item=text[0])
    values = pd.DataFrame(frame[columns].T.to_numpy(dtype=np.float64), index=pd.Index(columns, name="sample"), columns=features)
    return FeatureTable(values, frame, key, in_rows=True), notes


def _read(path: Path, text: Sequence[str]) -> tuple[pd.DataFrame, Sequence[Mapping[str, str]]]:
    if path.suffix.lower() == ".parquet":
        return read_parquet(path), ()
    found = read_table(path, text=text)
    return found.frame, found.notes


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _labels(described: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Return the samples with batches and what is diagnosed as text, whole numbers without ".0"."""

    def text(value: Any) -> Any:
        if pd.isna(value):
            return None
        return str(int(value)) if isinstance(value, float | np.floating) and float(value).is_integer() else str(value)

    return described.assign(**{name: pd.Series([text(v) for v in described[name]], described.index, dtype=object) for name in roles.labels})


def _described(samples: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Return the samples with words that mean "missing" made so in the columns read as text."""
    cells = {name: [None if v is None or pd.isna(v) or is_missing(str(v)) else str(v) for v in samples[name]] for name in roles.labels}
    return samples.assign(**{name: pd.Series(column, samples.index, dtype=object) for name, column in cells.items()})


def _joined(table: FeatureTable, samples: pd.DataFrame, roles: Roles, warnings: Warnings) -> Given:
    """Return the samples that both tables name, in the order of the features; the others are said."""
    here, there = list(table.features.index), set(samples.index)
    both = [sample for sample in here if sample in there]
    if not both:
        found = f"Features and samples share no name: the first are '{here[0]}' and '{samples.index[0]}'"
        raise BadTable(f"{found}; name the samples alike, or give --features-in-rows where each row is a feature.", item=str(here[0]))
    alone, lost = [s for s in here if s not in there], [str(s) for s in samples.index if s not in set(here)]
    if alone:
        text = f"{len(alone)} samples have features but are not among those described ({listed(alone)}); they were left out."
        warnings.append({"code": "samples_not_described", "text": text})
    if lost:
        warnings.append({"code": "samples_without_features", "text": f"{len(lost)} samples have no features ({listed(lost)})."})
    outcomes = () if roles.outcome is None else (roles.outcome,)
    return Given(table.only(both) if alone else table, samples.loc[both], roles.outcome, outcomes, warnings)


def _exact(rows: pd.DataFrame, warnings: Warnings) -> pd.DataFrame:
    """Return the rows whose codes match in every table as they are spelled."""
    exact = rows["match"] == "exact"
    if not exact.all() and exact.any():
        found = f"{int((~exact).sum())} of {len(rows)} patients match between the cohort's tables only after their codes were altered"
        text = f"{found} (the first {rows.loc[~exact, 'patient'].iloc[0]}); they were left out: --any-match takes them too."
        warnings.append({"code": "inexact_match", "text": text})
        return rows[exact]
    return rows


def _declared(cohort: Cohort, asked: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the outcome to look at and all columns of outcomes."""
    declared = cohort.about.outcomes
    columns = tuple(dict.fromkeys(c for o in declared for c in (o.name, o.time) if c))
    only = declared[0].name if len(declared) == 1 and declared[0].kind not in ("mask", "image") else None
    return asked or only, tuple(dict.fromkeys((*columns, *([asked] if asked else []))))


def _need(frame: pd.DataFrame, columns: Sequence[str], where: str) -> None:
    for column in columns:
        if column not in frame.columns:
            raise BadTable(f"{where} has no column '{column}'; {did_you_mean(column, map(str, frame.columns))}", item=column)


def _no_repeats(names: pd.Series, where: str) -> None:
    if names.isna().any():
        raise BadTable(f"Row {int(names.isna().to_numpy().argmax()) + 1} below the header of {where} has no name; give it one.", item=where)
    twice = names[names.duplicated()]
    if len(twice):
        raise BadTable(f"{where} names {twice.iloc[0]} more than once; keep one row, or name them apart.", item=str(twice.iloc[0]))
