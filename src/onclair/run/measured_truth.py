"""A measure that a study takes of each patient beside the truth that virtual patients have: its order, and whether its interval holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from onclair.core.errors import BadTable
from onclair.core.estimate import Estimate, not_available
from onclair.io.tables import read_table
from onclair.run.described import facts_of
from onclair.run.learning import Lesson
from onclair.validate.ranking import kendall
from onclair.validate.shares import share

NO_TRUTH = "only virtual patients have the true value"


@dataclass(frozen=True, slots=True)
class Measured:
    """What to judge.

    Attributes
    ----------
    name : str
        The first word of the estimates: ``NAME:tau:model``.
    fact : str
        Under which the record of a description holds ``value low high`` and the rivals' values.
    rivals : mapping of str to int
        Name in the fact, and whether more of it means more (1) or less (-1) of the truth.
    table, column : str
        The cohort's table of truths and its column; a row a patient.
    kinds : tuple of str
        Columns of that table that make values comparable, and that the fact must share.
    """

    name: str
    fact: str
    rivals: Mapping[str, int]
    table: str
    column: str
    kinds: tuple[str, ...]


def ranked(lesson: Lesson, asked: Measured) -> list[Estimate]:
    """Return Kendall's tau of the measure and of its rivals with the truth, and how often the interval holds the truth.

    Parameters
    ----------
    lesson : Lesson
    asked : Measured

    Returns
    -------
    list of Estimate
        Of patients whose measure and truth are of the same bone and both known; not available, with the reason, where there is none.

    Raises
    ------
    BadTable
        For a table of truths without its columns, or with several rows of one patient.
    """
    names = [f"{asked.name}:tau:model", *(f"{asked.name}:tau:rival:{rival}" for rival in asked.rivals)]
    covered = f"coverage:{asked.name}"
    path = None if lesson.cohort.root is None else lesson.cohort.root / asked.table
    if lesson.root is None or path is None or lesson.cohort.about.data != "virtual" or not path.is_file():
        return [not_available(name, NO_TRUTH) for name in (*names, covered)]
    table = _truths(path, asked)
    rows = [_row(lesson, patient, table, asked) for patient in lesson.cohort.patients if patient in table.index]
    frame = pd.DataFrame([row for row in rows if row is not None])
    if frame.empty:
        return [not_available(name, "no patient has both the measure and its truth") for name in (*names, covered)]
    columns = {names[0]: (frame["value"], 1)}
    columns |= {f"{asked.name}:tau:rival:{rival}": (frame[f"rival:{rival}"], sign) for rival, sign in asked.rivals.items()}
    patients = frame["patient"].astype(str).tolist()
    found = [
        kendall(name, sign * values.to_numpy(float), frame["truth"].to_numpy(float), frame["kind"].tolist(), patients)
        for name, (values, sign) in columns.items()
    ]
    within = frame[frame["low"].notna() & frame["high"].notna()]
    if within.empty:
        return [*found, not_available(covered, "no measure has an interval")]
    held = ((within["low"] <= within["truth"]) & (within["truth"] <= within["high"])).to_numpy(float)
    return [*found, share(covered, held, patients=within["patient"].to_numpy(str))]


def _truths(path: Path, asked: Measured) -> pd.DataFrame:
    """Return the table of truths by patient.

    Raises
    ------
    BadTable
        For a column that is not there, or a patient with several rows.
    """
    frame = read_table(path, text=("patient", *asked.kinds)).frame
    lacking = [name for name in ("patient", asked.column, *asked.kinds) if name not in frame.columns]
    if lacking:
        said = f"The table {path.name} has no column '{lacking[0]}', and holds {', '.join(map(str, frame.columns))}"
        raise BadTable(f"{said}; write it again with the cohort.", item=lacking[0])
    twice = frame["patient"][frame["patient"].duplicated()]
    if len(twice):
        raise BadTable(f"The table {path.name} has several rows of {twice.iloc[0]}; one a patient is needed.", item=str(twice.iloc[0]))
    return frame.set_index("patient")


def _row(lesson: Lesson, patient: str, table: pd.DataFrame, asked: Measured) -> dict[str, Any] | None:
    """Return one patient's measure beside the truth of the same thing; None where either is missing, or they are of other things."""
    assert lesson.root is not None
    fact = facts_of(lesson.root, patient).get(asked.fact)
    if not fact or fact.get("value") is None:
        return None
    true = table.loc[patient]
    value = _number(true[asked.column])
    if not np.isfinite(value) or any(_plain(true[kind]) != _plain(fact.get(kind)) for kind in asked.kinds):
        return None
    ends = {end: np.nan if fact.get(end) is None else float(fact[end]) for end in ("low", "high")}
    rivals = {f"rival:{name}": _number((fact.get("rivals") or {}).get(name)) for name in asked.rivals}
    kind = _plain(true[asked.kinds[0]]) if asked.kinds else ""
    return {"patient": patient, "value": float(fact["value"]), "truth": value, "kind": kind, **ends, **rivals}


def _number(value: Any) -> float:
    return float(pd.to_numeric(value, errors="coerce")) if value is not None else np.nan


def _plain(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and np.isnan(value)) or str(value) in ("nan", "<NA>") else str(value)
