"""``labels.csv`` of a cohort folder: what the values of its label maps mean. Without it, values number instances."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from onclair.core.errors import BadCohort
from onclair.core.names import did_you_mean
from onclair.io.tables import read_table, write_table

#: The table's name and columns.
LABELS = "labels.csv"
_COLUMNS = ("kind", "value", "name")


def read_label_names(root: str | Path) -> dict[str, dict[int, str]]:
    """Return what label values mean, by the kind of label map; empty where the cohort has no ``labels.csv``.

    Raises
    ------
    BadTable
        When it cannot be read.
    BadCohort
        For a missing column, a value that is no whole number from 0 on, or one that is named twice.

    Examples
    --------
    >>> read_label_names("/nowhere")
    {}
    """
    path = Path(root) / LABELS
    if not path.is_file():
        return {}
    frame = read_table(path, text=("kind", "name")).frame
    for column in _COLUMNS:
        if column not in frame.columns:
            there = did_you_mean(column, [str(c) for c in frame.columns])
            raise BadCohort(f"{LABELS} lacks the column '{column}'; {there}", item=column)
    found: dict[str, dict[int, str]] = {}
    for kind, value, name in zip(frame["kind"], frame["value"], frame["name"], strict=True):
        if pd.isna(value) or float(value) != int(value) or value < 0:
            raise BadCohort(f"{LABELS} names the value {value}; values are whole numbers from 0 on: correct it.", item=str(name))
        names = found.setdefault(str(kind), {})
        if int(value) in names:
            raise BadCohort(f"{LABELS} names the value {int(value)} of '{kind}' twice; keep one row.", item=str(name))
        names[int(value)] = str(name)
    return found


def write_label_names(root: str | Path, names: Mapping[str, Mapping[int, str]]) -> None:
    """Write what label values mean; nothing where nothing is named.

    Raises
    ------
    NoRoom
        When the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     write_label_names(home, {"lesions": {0: "background", 1: "lesion"}})
    ...     read_label_names(home)
    {'lesions': {0: 'background', 1: 'lesion'}}
    """
    rows = [(kind, value, name) for kind, values in names.items() for value, name in sorted(values.items())]
    if rows:
        write_table(Path(root) / LABELS, pd.DataFrame(rows, columns=list(_COLUMNS)))
