"""A table of predictions, checked against its plan once at the door: every bad cell is named with its column and line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadInput
from onclair.core.names import did_you_mean
from onclair.science.statistics.formula_terms import as_word
from onclair.science.statistics.survival import refuse_beyond
from onclair.validate.plan import Plan

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.str_]
#: The first data row of a file stands in its line 2.
FIRST_LINE = 2
#: A subgroup column has at most this many values; more are numbers that should have been cut into classes.
MOST_GROUPS = 50
#: A row's group where the column has no value.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Columned:
    """One model's arrays, each of shape (n,).

    Attributes
    ----------
    predictions : ndarray
        Risks or scores.
    linear_predictor, cumulative_hazard : ndarray or None
    """

    predictions: Floats
    linear_predictor: Floats | None = None
    cumulative_hazard: Floats | None = None

    def at(self, rows: npt.NDArray[np.int64]) -> Columned:
        """Return the model's arrays at some rows."""
        parts = (self.predictions, self.linear_predictor, self.cumulative_hazard)
        return Columned(*(None if part is None else part[rows] for part in parts))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """Rows ready to be judged.

    Attributes
    ----------
    patients : ndarray of str, shape (n,), or None
    truth : ndarray, float64, shape (n,), or None
        0 or 1; of a binary outcome.
    time, event : ndarray, float64, shape (n,), or None
        Of an outcome in time.
    models : mapping of str to Columned
    centres : ndarray of str, shape (n,), or None
        ``""`` where the centre is unknown.
    groups : mapping of str to ndarray of str
        By subgroup column; ``"unknown"`` where there is no value.
    excluded : int
        Rows dropped because a prediction or outcome was missing.
    warnings : tuple of mapping
        ``code`` and ``text``.
    """

    patients: Texts | None
    truth: Floats | None
    time: Floats | None
    event: Floats | None
    models: Mapping[str, Columned]
    centres: Texts | None
    groups: Mapping[str, Texts]
    excluded: int = 0
    warnings: tuple[Mapping[str, str], ...] = field(default=())

    @property
    def size(self) -> int:
        """Rows."""
        return len(next(iter(self.models.values())).predictions)

    @property
    def positive(self) -> npt.NDArray[np.bool_]:
        """Whether each row has the event of interest."""
        outcome = self.truth if self.truth is not None else self.event
        return np.asarray(outcome == 1)

    @property
    def counts(self) -> tuple[int, int]:
        """Patients, and patients with the event; rows where no patient column was named."""
        if self.patients is None:
            return self.size, int(self.positive.sum())
        return int(np.unique(self.patients).size), int(np.unique(self.patients[self.positive]).size)

    def at(self, rows: npt.NDArray[np.int64]) -> Checked:
        """Return some of the rows."""

        def part(array: npt.NDArray[np.generic] | None) -> npt.NDArray[np.generic] | None:
            return None if array is None else array[rows]

        models = {name: model.at(rows) for name, model in self.models.items()}
        groups = {name: values[rows] for name, values in self.groups.items()}
        outcome = (part(self.truth), part(self.time), part(self.event))
        return Checked(part(self.patients), *outcome, models, part(self.centres), groups)  # type: ignore[arg-type]


def checked(frame: pd.DataFrame, plan: Plan, *, drop_missing: bool = False) -> Checked:
    """Return the rows of a table, checked against a plan.

    Parameters
    ----------
    frame : DataFrame
        The columns that the plan names; row `i` stood in line ``i + 2`` of its file.
    plan : Plan
    drop_missing : bool
        Leave out rows without a prediction or outcome, and count them.

    Returns
    -------
    Checked

    Raises
    ------
    BadInput
        For a missing patient, prediction or outcome (lines listed; unless `drop_missing`), a risk outside [0, 1] (first line, count, hint),
        text in a column of numbers, a third value in the truth, a time that is not positive, a patient in two centres, or an
        outcome that varies within a patient without a lesion column.

    Examples
    --------
    >>> from onclair.validate.plan import read_plan
    >>> plan = read_plan({"outcome": "binary", "columns": {"truth": "y"}, "models": {"m": {"column": "p"}}})
    >>> checked(pd.DataFrame({"y": [0, 1, None], "p": [0.2, 0.7, 0.5]}), plan, drop_missing=True).excluded
    1
    """
    numbers = _numeric_columns(plan)
    table = frame.assign(**{column: _numbers(frame[column], column) for column in numbers})
    if plan.columns.truth is not None:
        table = table.assign(**{plan.columns.truth: _truth(frame[plan.columns.truth], plan)})
    needed = [*numbers, *(c for c in (plan.columns.truth, plan.columns.patient) if c is not None)]
    kept = _without_gaps(table, needed, drop_missing)
    excluded = len(table) - len(kept)
    _check_values(kept, plan)
    _check_owners(kept, plan)
    _check_variety(kept, plan)
    return _arrays(kept, plan, excluded)


def _numeric_columns(plan: Plan) -> list[str]:
    models = [c for m in plan.models.values() for c in (m.column, m.linear_predictor, m.cumulative_hazard)]
    return list(dict.fromkeys(c for c in (plan.columns.time, plan.columns.event, *models) if c is not None))


def _numbers(column: pd.Series, name: str) -> pd.Series:
    values = pd.to_numeric(column, errors="coerce").astype(np.float64)
    foreign = values.isna() & column.notna()
    if foreign.any():
        first = column.index[foreign][0]
        found = f"The column '{name}' holds '{column[first]}' in line {first + FIRST_LINE} ({int(foreign.sum())} of {len(column)} rows)"
        raise BadInput(f"{found}; it must hold numbers.", item=name)
    return values


def _truth(column: pd.Series, plan: Plan) -> pd.Series:
    """Return the truth as 0, 1 or NaN; with ``positive``, whatever else there is must be one other value."""
    name, positive = str(plan.columns.truth), plan.columns.positive
    said = column.map(as_word, na_action="ignore")
    values = sorted({str(v) for v in said.dropna()})
    if positive is None:
        foreign = [v for v in values if v not in ("0", "1")]
        if foreign and len(values) > 2:
            at = int(np.flatnonzero(said.isin(foreign).to_numpy())[0])
            where = f"the first foreign one '{said.iloc[at]}' in line {int(column.index[at]) + FIRST_LINE}"
            found = f"The truth '{name}' holds {_quoted(values)}, {where}"
            raise BadInput(f"{found}; a binary outcome has two values: correct or recode it.", item=name)
        if foreign:
            found = f"The truth '{name}' holds {_quoted(foreign)}"
            raise BadInput(
                f'{found}; it must be 0 or 1, or add positive = "{foreign[0]}" to [columns] to say which is the event.', item=name
            )
        return said.map({"0": 0.0, "1": 1.0}).astype(np.float64)
    event = as_word(positive)
    if event not in values:
        raise BadInput(f"The truth '{name}' holds no '{event}', which the plan calls positive; {did_you_mean(event, values)}", item=name)
    if len(values) > 2:
        others = [v for v in values if v != event]
        raise BadInput(f"The truth '{name}' holds {_quoted(others)} beside '{event}'; a binary outcome has two values.", item=name)
    return said.map(lambda v: float(v == event), na_action="ignore").astype(np.float64)


def _quoted(values: Sequence[str]) -> str:
    return ", ".join(f"'{v}'" for v in values[:3]) + (f" and {len(values) - 3} other values" if len(values) > 3 else "")


def _without_gaps(table: pd.DataFrame, needed: Sequence[str], drop_missing: bool) -> pd.DataFrame:
    cells = table[list(needed)]
    gaps: pd.DataFrame = cells.isna() | cells.isin([np.inf, -np.inf])
    bad = gaps.any(axis=1)
    if not bad.any():
        return table
    if drop_missing:
        if bad.all():
            raise BadInput(f"Every one of the {len(table)} rows lacks a prediction or an outcome; nothing is left to judge.")
        return table.loc[~bad]
    column = next(str(c) for c in needed if gaps[c].any())
    lines = [str(i + FIRST_LINE) for i in table.index[gaps[column]]]
    listed = ", ".join(lines[:5]) + (", ..." if len(lines) > 5 else "")
    found = f"{len(lines)} of {len(table)} rows have no value in '{column}' (line {listed})"
    raise BadInput(f"{found}; fill them, or leave such rows out and have them counted with --drop-missing.", item=column)


def _check_values(table: pd.DataFrame, plan: Plan) -> None:
    for model in plan.models.values():
        if model.kind == "risk":
            _check_risk(table[model.column], model.column)
        if model.cumulative_hazard is not None:
            _refuse(table[model.cumulative_hazard], table[model.cumulative_hazard] < 0, "a cumulative hazard is 0 or more")
    if plan.columns.time is not None and plan.columns.event is not None:
        _refuse(table[plan.columns.time], table[plan.columns.time] <= 0, "a follow-up time is positive: correct or drop such rows")
        event = table[plan.columns.event]
        if plan.outcome == "survival":
            _refuse(event, ~event.isin([0, 1]), 'an event is 0 (censored) or 1; competing events need outcome = "competing" in the plan')
        _refuse(event, (event < 0) | (event != np.floor(event)), "an event is 0 (censored), 1 (of interest) or 2 and more (others)")
    _check_follow_up(table, plan)


def _refuse(column: pd.Series, bad: pd.Series, rule: str) -> None:
    if bad.any():
        first = column.index[bad][0]
        found = f"The column '{column.name}' holds {column[first]:g} in line {first + FIRST_LINE} ({int(bad.sum())} of {len(column)} rows)"
        raise BadInput(f"{found}; {rule}.", item=str(column.name))


def _check_risk(column: pd.Series, name: str) -> None:
    outside = (column < 0) | (column > 1)
    if not outside.any():
        return
    percent = column.min() >= 0 and column.max() <= 100 and column.median() > 1
    few = int(outside.sum()) <= max(1, len(column) // 20)
    hint = 'these look like a linear predictor: write kind = "score"'
    if percent:
        hint = "these look like percent: divide them by 100"
    elif few:
        hint = 'correct them, or write kind = "score" if the column is no probability'
    first = column.index[outside][0]
    which = f"the first {column[first]:g} in line {first + FIRST_LINE}"
    found = f"{int(outside.sum())} of {len(column)} risks in '{name}' lie outside [0, 1], {which}"
    raise BadInput(f"{found}; {hint}.", item=name)


def _check_follow_up(table: pd.DataFrame, plan: Plan) -> None:
    """Refuse a horizon by which nobody is followed any more: no weight could stand for those beyond."""
    if plan.weights_at is None or plan.columns.time is None or plan.columns.event is None:
        return
    times = table[plan.columns.time].to_numpy(np.float64)
    events = table[plan.columns.event].to_numpy(np.int64)
    longest, horizon = float(times.max()), float(plan.figures.horizon or 0)
    name, at = (f"the horizon {horizon:g}", horizon) if horizon > longest else ("weights_at (or the horizon)", plan.weights_at)
    try:
        refuse_beyond(times, events, at)
    except BadInput as error:
        why = str(error)[0].lower() + str(error)[1:]
        raise BadInput(f"The follow-up in '{plan.columns.time}' is too short for {name}: {why}", item=plan.columns.time) from None


def _check_variety(table: pd.DataFrame, plan: Plan) -> None:
    """Refuse a whole table that can tell nothing: one class, a prediction that is the same for everyone, a group a row."""
    truth = plan.columns.truth
    if truth is not None and table[truth].nunique() < 2:
        found = f"Only one class is present: '{truth}' is {table[truth].iloc[0]:g} in all {len(table)} rows"
        raise BadInput(f"{found}; a binary outcome needs patients with and without the event.", item=truth)
    for name, model in plan.models.items():
        if len(table) > 1 and table[model.column].nunique() < 2:
            found = f"The prediction '{model.column}' of '{name}' is {table[model.column].iloc[0]:g} in all {len(table)} rows"
            raise BadInput(f"{found}; a constant ranks no one and cannot be judged: leave the model out, or correct the table.", item=name)
    for column in plan.columns.subgroups:
        count = int(table[column].nunique())
        if count > MOST_GROUPS:
            raise BadInput(f"The subgroup column '{column}' has {count} values; cut it into at most {MOST_GROUPS} classes.", item=column)


def _check_owners(table: pd.DataFrame, plan: Plan) -> None:
    own = plan.columns
    if own.patient is None:
        return
    if own.centre is not None:
        _check_one_centre(table[own.patient], table[own.centre])
    outcome = [c for c in (own.truth, own.time, own.event) if c is not None]
    unit = [c for c in (own.patient, own.lesion) if c is not None]
    kinds = table[[*unit, *outcome]].drop_duplicates()
    varies = kinds.duplicated(unit, keep=False)
    if not varies.any():
        return
    named = "' and '".join(str(v) for v in kinds.loc[varies, unit].iloc[0])
    found = f"The outcome varies within '{named}' ({len(kinds.loc[varies, unit].drop_duplicates())} such)"
    if own.lesion is None:
        raise BadInput(f'{found}; name what it belongs to with lesion = "..." in [columns], or correct the table.', item=named)
    raise BadInput(f"{found}; a lesion has one outcome: correct the table.", item=named)


def _check_one_centre(patients: pd.Series, centres: pd.Series) -> None:
    pairs = pd.DataFrame({"patient": patients, "centre": centres}).dropna().drop_duplicates()
    repeated = pairs["patient"].duplicated(keep=False)
    if not repeated.any():
        return
    who = pairs.loc[repeated, "patient"].iloc[0]
    here = sorted(map(str, pairs.loc[pairs["patient"] == who, "centre"]))
    count = pairs.loc[repeated, "patient"].drop_duplicates().size
    found = f"Patient '{who}' stands in {len(here)} centres ({', '.join(here[:3])}); {count} patients do"
    raise BadInput(f"{found}: a patient belongs to one centre; give patients of different centres different codes.", item=str(who))


def _arrays(table: pd.DataFrame, plan: Plan, excluded: int) -> Checked:
    own = plan.columns

    def numbers(column: str | None) -> Floats | None:
        return None if column is None else table[column].to_numpy(np.float64)

    models = {
        name: Columned(table[m.column].to_numpy(np.float64), numbers(m.linear_predictor), numbers(m.cumulative_hazard))
        for name, m in plan.models.items()
    }
    patients = None if own.patient is None else _texts(table[own.patient], "")
    centres = None if own.centre is None else _texts(table[own.centre], "")
    groups = {column: _texts(table[column], UNKNOWN) for column in own.subgroups}
    outcome = (numbers(own.truth), numbers(own.time), numbers(own.event))
    return Checked(patients, *outcome, models, centres, groups, excluded, tuple(_warnings(patients, centres, excluded)))


def _texts(column: pd.Series, missing: str) -> Texts:
    return column.map(as_word, na_action="ignore").fillna(missing).to_numpy(str)


def _warnings(patients: Texts | None, centres: Texts | None, excluded: int) -> list[dict[str, str]]:
    found = []
    if excluded:
        text = f"{excluded} rows without a prediction or an outcome were left out, as --drop-missing asked."
        found.append(
            {"code": "excluded", "text": text, "fr": f"{excluded} lignes sans prédiction ou sans critère ont été écartées, comme demandé."}
        )
    if patients is None:
        text = "The plan names no patient column, so every row counts as a patient of its own; intervals are too narrow if patients repeat."
        fr = "Le plan ne nomme pas de colonne patient : chaque ligne compte pour un patient ; "
        fr += "les intervalles sont trop étroits si des patients se répètent."
        found.append({"code": "no_patient_column", "text": text, "fr": fr})
    if centres is not None and (centres == "").any():
        count = int((centres == "").sum())
        text = f"{count} rows name no centre; they count in the whole table and in no centre."
        found.append(
            {
                "code": "centre_unknown",
                "text": text,
                "fr": f"{count} lignes sans centre ; elles comptent dans l'ensemble et dans aucun centre.",
            }
        )
    return found
