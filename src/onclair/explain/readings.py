"""What people and laboratories say of a patient, brought into the rows of a score: several readers, unknown words, kinds of column."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from onclair.core.errors import BadInput

Kind = Literal["ordinal", "binary", "categorical"]

KINDS: tuple[Kind, ...] = ("ordinal", "binary", "categorical")
#: Words of a column that say that nobody knows; they count as missing.
UNKNOWN = frozenset({"", "?", "unknown", "not known", "not collected", "not recorded", "not assessed", "missing"})


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """Readers' scores and biology, one row for each row of the score.

    Attributes
    ----------
    whole : DataFrame, n rows
        Each column; of several readers, or several rows, the mean of numbers and the word on which all agree.
    readers : mapping of str to DataFrame of n rows
        Each reader's own; empty with fewer than two.
    disagreed : mapping of str to int
        Patients of whom a word is missing because their rows disagree, by column.
    """

    whole: pd.DataFrame
    readers: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    disagreed: Mapping[str, int] = field(default_factory=dict)


def beside(table: pd.DataFrame, patients: Iterable[Hashable], *, reader: str = "reader") -> Beside:
    """Bring a table of readers' scores and biology into the rows of a score.

    Nothing is dropped in silence: several rows of a patient (several readers, or visits) are brought together, numbers by their
    mean, words where all agree; and each reader's own scores are kept beside.

    Parameters
    ----------
    table : DataFrame
        ``patient``, and where several read ``reader``; every other column is a question. Readers' rows in which a column is empty
        say nothing of it.
    patients : iterable
        The patient of each row of the score; one of whom the table knows nothing has missing values.
    reader : str
        The column that names the reader.

    Raises
    ------
    BadInput
        When the table lacks ``patient``.

    Examples
    --------
    >>> read = pd.DataFrame({"patient": ["a", "a", "b"], "reader": ["R1", "R2", "R1"], "margin": [2, 4, 5]})
    >>> found = beside(read, ["b", "a", "c"])
    >>> found.whole["margin"].tolist(), found.readers["R2"]["margin"].tolist()
    ([5.0, 3.0, nan], [nan, 4.0, nan])
    """
    if "patient" not in table.columns:
        raise BadInput("The table of readers' scores lacks the column 'patient'; name the patient of each row.", item="patient")
    rows = pd.Index([str(p) for p in patients], name="patient")
    known = table.assign(patient=table["patient"].astype(str))
    questions = [c for c in known.columns if c not in ("patient", reader)]
    disagreed: dict[str, int] = {}
    whole = _together(known, questions, rows, disagreed)
    names = sorted(known[reader].dropna().astype(str).unique()) if reader in known.columns else []
    own = {name: _together(known[known[reader].astype(str) == name], questions, rows, {}) for name in names} if len(names) > 1 else {}
    return Beside(whole, own, disagreed)


def _together(table: pd.DataFrame, questions: Sequence[Any], rows: pd.Index, disagreed: dict[str, int]) -> pd.DataFrame:
    columns: dict[Any, pd.Series] = {}
    for question in questions:
        values = known_values(table[question])
        numbers = as_numbers(values)
        grouped = (values if numbers is None else numbers).groupby(table["patient"])
        if numbers is not None:
            columns[question] = grouped.mean().reindex(rows)
            continue
        apart = grouped.nunique().gt(1)
        columns[question] = grouped.first().mask(apart).reindex(rows)
        if apart.any():
            disagreed[str(question)] = int(apart.sum())
    return pd.DataFrame(columns, index=rows)


def known_values(column: pd.Series) -> pd.Series:
    """Return a column with every word for "nobody knows" as missing, words trimmed and truths as ``no`` and ``yes``.

    Examples
    --------
    >>> known_values(pd.Series(["Mutant ", "Unknown", "Wildtype"])).tolist()
    ['Mutant', nan, 'Wildtype']
    """
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.map({True: "yes", False: "no"}).astype(object)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.astype(np.float64).where(np.isfinite(column.astype(np.float64)))
    words = column.astype(object).where(column.notna(), "").map(str).str.strip().astype(object)
    return words.mask(words.str.lower().isin(UNKNOWN), np.nan)


def as_numbers(values: pd.Series) -> pd.Series | None:
    """Return a column as float64 where every known value is a number, else None.

    Examples
    --------
    >>> as_numbers(pd.Series(["1", None, "3"])).tolist(), as_numbers(pd.Series(["1", "two"])) is None
    ([1.0, nan, 3.0], True)
    """
    numbers = pd.to_numeric(values, errors="coerce").astype(np.float64)
    return None if (numbers.isna() & values.notna()).any() else numbers


def kind_of(values: pd.Series) -> Kind:
    """Return what a column's values are: two of any kind are ``binary``, more numbers ``ordinal``, more words ``categorical``.

    Numbers that stand for unordered groups cannot be told from a scale: declare such a column.

    Examples
    --------
    >>> kind_of(pd.Series([1, 2, 5])), kind_of(pd.Series(["no", "yes", None])), kind_of(pd.Series(list("abc")))
    ('ordinal', 'binary', 'categorical')
    """
    plain = known_values(values)
    if plain.nunique() == 2:
        return "binary"
    return "categorical" if as_numbers(plain) is None else "ordinal"
