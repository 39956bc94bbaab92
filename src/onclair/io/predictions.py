"""Tables of predictions from anywhere: the columns that a plan names, as they stand in the file, with the file's own hash."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from onclair.core.errors import BadSetting, BadTable
from onclair.core.names import did_you_mean
from onclair.io.files import sha256_file, toml_fault
from onclair.io.tables import read_table


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """A table of predictions.

    Attributes
    ----------
    frame : DataFrame
        The columns asked for, in the order asked; a row's label is its line in the file less 2.
    sha256 : str
        Of the file.
    notes : tuple of mapping
        ``code`` and ``text``: what was unusual about the file and how it was read.
    """

    frame: pd.DataFrame
    sha256: str
    notes: tuple[Mapping[str, str], ...]


def read_predictions(path: str | Path, columns: Sequence[str], *, text: Sequence[str] = ()) -> Predictions:
    r"""Return the columns of a CSV, TSV or XLSX file.

    Parameters
    ----------
    path : path
    columns : sequence of str
        Those needed.
    text : sequence of str
        Those of `columns` that are names and stay text: patients, centres, groups.

    Returns
    -------
    Predictions

    Raises
    ------
    BadTable
        For a file that cannot be read (see :func:`onclair.io.tables.read_table`) or lacks a column; the nearest is named.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "p.csv").write_text("pid,y,risk\n01,1,0.7\n02,0,0.2\n")
    ...     found = read_predictions(Path(folder, "p.csv"), ["pid", "risk"], text=["pid"])
    >>> found.frame["pid"].tolist(), found.frame["risk"].tolist()
    (['01', '02'], [0.7, 0.2])
    """
    path = Path(path)
    table = read_table(path, text=text)
    for column in columns:
        if column not in table.frame.columns:
            known = [str(c) for c in table.frame.columns]
            raise BadTable(f"{path.name} has no column '{column}', which the plan names; {did_you_mean(column, known)}", item=column)
    return Predictions(table.frame[list(columns)], sha256_file(path), table.notes)


def read_toml(path: str | Path, what: str = "plan") -> dict[str, Any]:
    """Return what a TOML file holds; `what` names it in errors.

    Raises
    ------
    BadSetting
        When it cannot be read, or is not TOML; the line is named.
    """
    path = Path(path)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise BadSetting(f"The {what} {path} cannot be read ({reason}); correct its path.", item=path.name) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"The {what} {path} is not TOML ({toml_fault(error)}); correct that line.", item=path.name) from None
