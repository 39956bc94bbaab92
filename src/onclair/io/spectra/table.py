"""The table of spectra: ``wavelength_nm`` and a column a spectrum, read and written without losing a digit."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadTable
from onclair.core.names import did_you_mean
from onclair.io.dialects import decoded, separated
from onclair.io.files import write_atomically
from onclair.io.spectra.axis import Floats, checked_wavelengths
from onclair.io.tables import read_table

#: The column that every table of spectra has.
WAVELENGTH = "wavelength_nm"
_PLAIN = b"0123456789+-.eE,\r\n"


@dataclass(frozen=True, slots=True, eq=False)
class SpectraTable:
    """The columns of a table, as they stand in it.

    Attributes
    ----------
    path : Path
    wavelength_nm : ndarray, float64, shape (n,)
        Strictly increasing.
    columns : mapping of str to ndarray, shape (n,)
        Every other column; a cell without a number is NaN until :meth:`counts` asks for it.
    """

    path: Path
    wavelength_nm: Floats
    columns: Mapping[str, Floats]

    def counts(self, column: str) -> Floats:
        """Return one column, every cell a finite number.

        Raises
        ------
        BadTable
            When there is no such column, or a cell of it is no number (its line is named).
        """
        name = self.path.name
        if column not in self.columns:
            raise BadTable(f"{name} has no column '{column}'; {did_you_mean(column, self.columns)}", item=column)
        values = self.columns[column]
        bad = ~np.isfinite(values)
        if bad.any():
            first, there = int(bad.argmax()), int((~bad).sum())
            found = f"{name}, {_line(self.path, first)}: column '{column}' holds no number ({there} of {values.size} cells do)"
            raise BadTable(f"{found}; every wavelength needs one: export the frame again, or leave it out.", item=column)
        return values


def read_spectra_table(path: str | Path) -> SpectraTable:
    """Return a table of spectra: plain CSV at once, any other dialect by the reader of users' tables.

    Parameters
    ----------
    path : path
        CSV, TSV (either may be packed by gzip) or XLSX with the column ``wavelength_nm``.

    Raises
    ------
    BadTable
        When the file cannot be read, the column is missing, or the wavelengths do not rise strictly (the line is named).

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_spectra_table(Path(folder, "t.csv"), np.array([400.0, 400.5]), {"P1": np.array([12.0, 0.1])})
    ...     read_spectra_table(Path(folder, "t.csv")).counts("P1").tolist()
    [12.0, 0.1]
    """
    path = Path(path)
    columns = _plainly(path)
    if columns is None:
        frame = read_table(path).frame
        columns = {str(name): _numbers(frame[name]) for name in frame.columns}
    if WAVELENGTH not in columns:
        sentence = f"{path.name} has no column '{WAVELENGTH}'; {did_you_mean(WAVELENGTH, columns)}"
        raise BadTable(sentence, item=path.name)
    wavelength = checked_wavelengths(columns.pop(WAVELENGTH), path.name, lambda row: _line(path, row))
    return SpectraTable(path, wavelength, columns)


def write_spectra_table(path: str | Path, wavelength_nm: Floats, columns: Mapping[str, Floats]) -> None:
    r"""Write a table of spectra, atomically.

    Parameters
    ----------
    path : path
    wavelength_nm : ndarray, float64, shape (n,)
    columns : mapping of str to ndarray, float64, shape (m,), m <= n

    Raises
    ------
    NoRoom
        When the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_spectra_table(Path(folder, "t.csv"), np.array([400.0, 400.5]), {"dark": np.array([0.1])})
    ...     Path(folder, "t.csv").read_text()
    'wavelength_nm,dark\n400.0,0.1\n400.5,\n'
    """
    write_atomically(path, table_bytes(wavelength_nm, columns))


def table_bytes(wavelength_nm: Floats, columns: Mapping[str, Floats]) -> bytes:
    r"""Return a table of spectra as it is written: UTF-8, ``\n``, each number by its shortest exact form.

    Parameters
    ----------
    wavelength_nm : ndarray, float64, shape (n,)
    columns : mapping of str to ndarray, float64, shape (m,), m <= n
        NaN is an empty cell, as are the pixels that a shorter column lacks.

    Examples
    --------
    >>> table_bytes(np.array([400.0, 400.5]), {"sample": np.array([12.0, np.nan])})
    b'wavelength_nm,sample\n400.0,12.0\n400.5,\n'
    """
    rows = len(wavelength_nm)
    cells = [[_cell(value) for value in np.asarray(column, np.float64).tolist()] for column in (wavelength_nm, *columns.values())]
    cells = [column + [""] * (rows - len(column)) for column in cells]
    lines = [",".join((WAVELENGTH, *columns)), *(",".join(row) for row in zip(*cells, strict=True)), ""]
    return "\n".join(lines).encode()


def _plainly(path: Path) -> dict[str, Floats] | None:
    """Return the columns of a table that is nothing but plain CSV of numbers; None for anything else, however slight."""
    try:
        header, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return None  # the reader of users' tables says why
    names = header.decode("ascii", errors="replace").rstrip("\r").split(",")
    plain = body.strip() and not body.translate(None, _PLAIN) and all(name and name.strip('" \t') == name for name in names)
    if not plain or len(set(names)) < len(names) or not all(name.isprintable() and "�" not in name for name in names):
        return None
    try:
        frame = pd.read_csv(io.BytesIO(body), header=None, skip_blank_lines=False)  # exact to the last digit from pandas 3.1 on
    except (pd.errors.ParserError, ValueError):
        return None
    values = frame.to_numpy()
    if values.dtype.kind not in "if" or values.shape[1] != len(names) or not np.isfinite(values).all():
        return None
    return {name: np.ascontiguousarray(values[:, place], np.float64) for place, name in enumerate(names)}


def _cell(value: float) -> str:
    return "" if value != value else repr(value)  # NaN is unequal to itself


def _numbers(column: pd.Series) -> Floats:
    """Return a column as numbers, NaN where a cell is none."""
    values: npt.NDArray[np.float64] = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return values


def _line(path: Path, row: int) -> str:
    """Return where a row of a table stands: its line in a text file, its place below the header in any other."""
    try:
        sheet, _ = separated(decoded(path.read_bytes(), path.name)[0], path.name)
    except BadTable:
        return f"row {row + 1}"
    return f"line {sheet.lines[row]}"
