"""What a leakage audit is told: the plan, and the user's table checked once at the door."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadSetting, BadTable
from onclair.core.names import did_you_mean
from onclair.core.settings import Settings, setting
from onclair.io.files import toml_fault

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

#: The first line of a plan.
FORMAT = "onclair-leakage/1"
#: Names of a split, in lower case, that mean the rows a model was trained on.
TRAINING_NAMES = frozenset(
    {"train", "training", "dev", "development", "derivation", "learn", "learning", "fit", "entrainement", "entraînement"}
)


class LeakageColumns(Settings):
    """The table ``[columns]`` of a plan: which column says what."""

    patient: str = setting("", "column of the patient's code", "colonne du code du patient")
    split: str = setting("", "column of the split, such as train and test", "colonne du jeu, comme train et test")
    truth: str = setting("", "column of the outcome, 0 or 1", "colonne du critère, 0 ou 1")
    positive: str | None = setting(None, "the outcome's word for 1, where it is text", "mot du critère qui vaut 1, s'il est en texte")
    centre: str | None = setting(None, "column of the centre", "colonne du centre")
    scanner: str | None = setting(None, "column of the scanner", "colonne de l'appareil")
    date: str | None = setting(None, "column of the date, year-month-day, or a number such as the year", "colonne de la date, ou un nombre")
    lesion: str | None = setting(None, "column of the lesion's identifier", "colonne de l'identifiant de la lésion")
    exam: str | None = setting(None, "column of the exam's identifier", "colonne de l'identifiant de l'examen")

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Columns that are codes and words, never numbers, for reading the table: ``007`` stays ``007``."""
        named = (self.patient, self.split, self.centre, self.scanner, self.lesion, self.exam)
        return tuple(dict.fromkeys(name for name in named if name))


class LeakageFeatures(Settings):
    """The table ``[features]`` of a plan: the columns that a model may read."""

    columns: tuple[str, ...] = setting((), "feature columns by name", "colonnes de variables, par leur nom")
    prefix: str | None = setting(None, "feature columns by how their names begin", "colonnes de variables, par le début de leur nom")


class LeakagePlan(Settings):
    """A whole plan; see :func:`leakage_plan`."""

    format: str = setting(FORMAT, "the plan's format", "format du plan")
    title: str = setting("", "what is audited", "ce qui est audité")
    data: str | None = setting(None, "'virtual' where no patient was involved", "« virtual » si aucun patient n'est concerné")
    training: str | None = setting(
        None, "the split's word for training rows, where it is not a usual one", "mot qui désigne les lignes d'apprentissage"
    )
    columns: LeakageColumns = LeakageColumns()
    features: LeakageFeatures = LeakageFeatures()


@dataclass(frozen=True, slots=True, eq=False)
class LeakageTable:
    """A checked table: one entry a row, in the order of the file.

    Attributes
    ----------
    patient, split : ndarray, str, shape (n,)
    truth : ndarray, bool, shape (n,)
    features : DataFrame, float64, shape (n, p)
        NaN where a value is missing.
    training : ndarray, bool, shape (n,), or None
        None when no value of the split reads as training.
    centre, scanner, lesion, exam : ndarray, object, shape (n,), or None
        Text, None where missing.
    date : ndarray, float64, shape (n,), or None
        Days or the user's own number; NaN where missing.
    notes : tuple of mapping
        What was missing and how it is treated: ``code`` and ``text``.
    """

    patient: npt.NDArray[np.str_]
    split: npt.NDArray[np.str_]
    truth: Bools
    features: pd.DataFrame
    training: Bools | None = None
    centre: npt.NDArray[np.object_] | None = None
    scanner: npt.NDArray[np.object_] | None = None
    date: Floats | None = None
    lesion: npt.NDArray[np.object_] | None = None
    exam: npt.NDArray[np.object_] | None = None
    notes: tuple[Mapping[str, str], ...] = field(default_factory=tuple)

    @property
    def owner(self) -> Codes:
        """Code of each row's patient, from 0."""
        return np.asarray(np.unique(self.patient, return_inverse=True)[1], dtype=np.int64)

    @property
    def pool(self) -> Bools:
        """The training rows; the rows of the largest split where none reads as training."""
        if self.training is not None:
            return self.training
        names, counts = np.unique(self.split, return_counts=True)
        return np.asarray(self.split == names[counts.argmax()])

    def row(self, at: int) -> str:
        """Return a row in words, data rows counted from 1."""
        return f"row {at + 1} (patient {self.patient[at]}, {self.split[at]})"


def leakage_plan(said: Mapping[str, Any], *, source: str = "the plan") -> LeakagePlan:
    """Return a plan from its TOML tables.

    Parameters
    ----------
    said : mapping
        ``format``; ``columns`` with ``patient split truth`` and, where there are, ``positive centre scanner date lesion exam``;
        ``features`` with ``columns`` or ``prefix``; optional ``title data training``.
    source : str
        What sentences call it.

    Raises
    ------
    BadSetting
        For another format, an unknown key (the nearest known one is named), a table or column left out, or features named
        both ways or not at all.

    Examples
    --------
    >>> columns = {"patient": "pid", "split": "set", "truth": "y"}
    >>> leakage_plan({"format": "onclair-leakage/1", "columns": columns, "features": {"prefix": "f_"}}).columns.split
    'set'
    >>> leakage_plan({"format": "onclair-leakage/1", "columns": {**columns, "center": "c"}, "features": {"prefix": "f_"}})
    Traceback (most recent call last):
    onclair.core.errors.BadSetting: The [columns] of the plan hold an unknown key 'center'; did you mean 'centre'?
    """
    if said.get("format") != FORMAT:
        found = f"the format '{said['format']}'" if "format" in said else "no format"
        raise BadSetting(f'{_capital(source)} has {found}; write format = "{FORMAT}" in its first line.', item="format")
    tables = {name: said.get(name, {}) for name in ("columns", "features")}
    for name, table in tables.items():
        if not isinstance(table, Mapping):
            raise BadSetting(f"In {source}, '{name}' is no table; head it with [{name}].", item=name)
    columns = LeakageColumns.read(tables["columns"], source=f"the [columns] of {source}")
    features = LeakageFeatures.read(tables["features"], source=f"the [features] of {source}")
    missing = [name for name in ("patient", "split", "truth") if not getattr(columns, name)]
    if missing:
        raise BadSetting(
            f'The [columns] of {source} do not name {" and ".join(missing)}; add for example {missing[0]} = "...".', item=missing[0]
        )
    if bool(features.columns) == bool(features.prefix):
        raise BadSetting(f'The [features] of {source} need one of columns = ["...", ...] and prefix = "f_", and not both.', item="features")
    return LeakagePlan.read({**said, "columns": columns, "features": features}, source=source)


def read_leakage_plan(path: str | Path) -> LeakagePlan:
    """Return the plan in a TOML file.

    Raises
    ------
    BadSetting
        When there is no such file, it is not TOML, or as :func:`leakage_plan`.
    """
    path = Path(path)
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        why = (error.strerror or "unreadable").lower()
        raise BadSetting(f"The plan {path} cannot be read ({why}); correct its name after --plan.", item=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(
            f'The plan {path} is not TOML ({toml_fault(error)}); write lines such as patient = "pid".', item=str(path)
        ) from None
    return leakage_plan(said, source=path.name)


def leakage_table(frame: pd.DataFrame, plan: LeakagePlan, *, source: str = "the table") -> LeakageTable:
    """Return the table that the audit reads, every column checked.

    Missing features are kept as NaN, and counted in the notes; missing centres, scanners, dates and identifiers too. A row without
    patient, split or truth is refused.

    Parameters
    ----------
    frame : DataFrame
        One row a spectrum, lesion, visit or patient.
    plan : LeakagePlan
    source : str

    Raises
    ------
    BadTable
        For a missing column (the nearest name is offered), no rows, a missing patient, split or truth, a truth of one class or
        with a third value, a split of one value, features that are text or infinite, and dates that cannot be read.

    Examples
    --------
    >>> frame = pd.DataFrame({"pid": ["a", "b"], "set": ["train", "test"], "y": [0, 1], "f_1": [0.5, None]})
    >>> said = {"format": FORMAT, "columns": {"patient": "pid", "split": "set", "truth": "y"}, "features": {"prefix": "f_"}}
    >>> table = leakage_table(frame, leakage_plan(said))
    >>> table.training.tolist(), table.notes[0]["text"]
    ([True, False], '1 of 2 feature values are missing; each check leaves them out, and distances take the median in their place.')
    """
    if frame.empty:
        raise BadTable(f"{_capital(source)} holds no rows; give at least one training and one held-out row.", item=source)
    c = plan.columns
    patient, split = (_full(frame, name, source) for name in (c.patient, c.split))
    training = _training(split, plan, source)
    truth = _truth(frame, c, source)
    features = _features(frame, plan, source)
    others = {name: _optional(frame, getattr(c, name), source) for name in ("centre", "scanner", "lesion", "exam")}
    date = None if c.date is None else _dates(frame, c.date, source)
    return LeakageTable(patient, split, truth, features, training, date=date, notes=_notes(features, others, date), **others)


def _column(frame: pd.DataFrame, name: str, source: str) -> pd.Series:
    if name not in frame.columns:
        raise BadTable(f"{_capital(source)} has no column '{name}'; {did_you_mean(name, map(str, frame.columns))}", item=name)
    return frame[name]


def _texts(column: pd.Series) -> npt.NDArray[np.object_]:
    """Return a column as text, whole floats without ".0", None where missing."""
    whole = pd.api.types.is_float_dtype(column) and bool((column.dropna() % 1 == 0).all())
    shown = column.astype("Int64").astype(object) if whole else column.astype(object)
    return np.array([None if gone else str(value) for value, gone in zip(shown, column.isna(), strict=True)], dtype=object)


def _full(frame: pd.DataFrame, name: str, source: str) -> npt.NDArray[np.str_]:
    column = _column(frame, name, source)
    _refuse_gaps(column.isna().to_numpy(), name, source)
    return _texts(column).astype(str)


def _optional(frame: pd.DataFrame, name: str | None, source: str) -> npt.NDArray[np.object_] | None:
    return None if name is None else _texts(_column(frame, name, source))


def _refuse_gaps(gone: Bools, name: str, source: str) -> None:
    if gone.any():
        rows = ", ".join(str(at + 1) for at in np.flatnonzero(gone)[:5])
        what = f"The column '{name}' of {source} is empty in {int(gone.sum())} of {gone.size} rows (the first: {rows})"
        raise BadTable(f"{what}; fill them or leave those rows out.", item=name)


def _training(split: npt.NDArray[np.str_], plan: LeakagePlan, source: str) -> Bools | None:
    names = np.unique(split)
    if names.size < 2:
        what = f"The column '{plan.columns.split}' of {source} holds one value, '{names[0]}'"
        raise BadTable(f"{what}; an audit of leakage needs at least two, such as train and test.", item=plan.columns.split)
    if plan.training is not None and plan.training not in names:
        known = did_you_mean(plan.training, names.tolist())
        raise BadTable(f"No row of {source} has the split '{plan.training}' that the plan calls training; {known}", item=plan.training)
    words = {plan.training} if plan.training is not None else {n for n in names.tolist() if n.strip().casefold() in TRAINING_NAMES}
    return np.isin(split, sorted(words)) if words and len(words) < names.size else None


def _truth(frame: pd.DataFrame, columns: LeakageColumns, source: str) -> Bools:
    column, name = _column(frame, columns.truth, source), columns.truth
    _refuse_gaps(column.isna().to_numpy(), name, source)
    if columns.positive is not None:
        words = _texts(column)
        truth = words == columns.positive
        if np.unique(words.astype(str)).size > 2:
            raise BadTable(f"The truth '{name}' of {source} holds more than two values; an outcome has two: recode it.", item=name)
    else:
        values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
        foreign = (values != 0) & (values != 1)
        if foreign.any():
            first, count = column[foreign].iloc[0], int(foreign.sum())
            what = f"The truth '{name}' of {source} holds '{first}' in {count} of {values.size} rows that are neither 0 nor 1"
            raise BadTable(f'{what}; recode it, or name its word for 1 with positive = "..." in [columns].', item=name)
        truth = values == 1
    if truth.all() or not truth.any():
        raise BadTable(
            f"The truth '{name}' of {source} holds one class ({int(truth.sum())} of {truth.size} positive); both are needed.", item=name
        )
    return np.asarray(truth, dtype=bool)


def _features(frame: pd.DataFrame, plan: LeakagePlan, source: str) -> pd.DataFrame:
    c = plan.columns
    taken = {getattr(c, name) for name in LeakageColumns.model_fields if name != "positive"} - {None}
    prefix = plan.features.prefix
    names = (
        list(plan.features.columns) if prefix is None else [n for n in map(str, frame.columns) if n.startswith(prefix) and n not in taken]
    )
    if not names:
        known = did_you_mean(prefix or "", map(str, frame.columns))
        raise BadTable(f"No column of {source} begins with '{prefix}', as the plan's features should; {known}", item=prefix)
    if both := sorted(taken & set(names)):
        raise BadTable(
            f"The plan names '{both[0]}' as a feature and in [columns]; a model that reads it knows too much: leave it out.", item=both[0]
        )
    return pd.DataFrame({name: _numbers(_column(frame, name, source), name, source) for name in names})


def _numbers(column: pd.Series, name: str, source: str) -> Floats:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    text = np.isnan(values) & column.notna().to_numpy()
    if text.any():
        what = f"The feature '{name}' of {source} holds '{column[text].iloc[0]}' in {int(text.sum())} rows, which is no number"
        raise BadTable(f"{what}; code it as numbers or leave it out of the features.", item=name)
    if np.isinf(values).any():
        raise BadTable(
            f"The feature '{name}' of {source} is infinite in {int(np.isinf(values).sum())} rows; leave those cells empty.", item=name
        )
    return np.asarray(values)


def _dates(frame: pd.DataFrame, name: str, source: str) -> Floats:
    column = _column(frame, name, source)
    if pd.api.types.is_numeric_dtype(column):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    read = pd.to_datetime(column, errors="coerce", format="ISO8601", utc=True)
    foreign = (read.isna() & column.notna()).to_numpy()
    if foreign.any():
        first = int(np.flatnonzero(foreign)[0])
        what = f"The date '{column.iloc[first]}' in row {first + 1} of the column '{name}' of {source} cannot be read"
        raise BadTable(f"{what} without doubt; write dates as year-month-day, such as 2021-03-09.", item=name)
    days = (read - pd.Timestamp("1970-01-01", tz="UTC")) / pd.Timedelta(days=1)
    return np.asarray(days.to_numpy(dtype=np.float64, na_value=np.nan))


def _notes(features: pd.DataFrame, others: Mapping[str, Any], date: Floats | None) -> tuple[Mapping[str, str], ...]:
    notes = []
    gone = int(features.isna().to_numpy().sum())
    if gone:
        text = f"{gone} of {features.size} feature values are missing; each check leaves them out"
        text += ", and distances take the median in their place."
        notes.append({"code": "missing_features", "text": text})
    counts = {name: sum(value is None for value in column) for name, column in others.items() if column is not None}
    counts |= {} if date is None else {"date": int(np.isnan(date).sum())}
    for name, count in counts.items():
        if count:
            notes.append({"code": f"missing_{name}", "text": f"{count} of {len(features)} rows have no {name}; its checks leave them out."})
    return tuple(notes)


def _capital(text: str) -> str:
    return text if text.endswith((".toml", ".csv", ".tsv", ".xlsx")) else text[:1].upper() + text[1:]
