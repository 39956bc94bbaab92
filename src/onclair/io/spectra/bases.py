"""A user's own emission bases: one table, a column a fluorophore."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadTable
from onclair.io.tables import read_table

Floats = npt.NDArray[np.float64]


def read_bases(path: str | Path) -> dict[str, tuple[Floats, Floats]]:
    r"""Return the bases of a table by name: its wavelengths and the values of one column, both of shape (n,).

    Parameters
    ----------
    path : path
        ``wavelength_nm`` and a column a fluorophore; any dialect of CSV, or XLSX. Scale does not matter, bases are brought to unit area.

    Raises
    ------
    BadTable
        Without ``wavelength_nm`` or another column; for wavelengths that do not rise strictly (the row is named, never sorted); for a cell
        that is no number, is missing or negative; for a column of zeros.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "own.csv").write_text("wavelength_nm,NADH\n420,0.5\n421,0.75\n")
    ...     read_bases(Path(folder, "own.csv"))["NADH"][1]
    array([0.5 , 0.75])
    """
    name = Path(path).name
    frame = read_table(path).frame
    if "wavelength_nm" not in frame or frame.shape[1] < 2:
        found = ", ".join(map(str, frame.columns))
        raise BadTable(f"{name} has the columns {found}; bases need 'wavelength_nm' and a column named after each fluorophore.", item=name)
    columns = {str(column): _numbers(frame[column].to_numpy(), name, str(column)) for column in frame}
    wavelength = columns.pop("wavelength_nm")
    falls = np.flatnonzero(np.diff(wavelength) <= 0)
    if falls.size:
        row, value = int(falls[0]) + 2, float(wavelength[falls[0] + 1])
        sentence = f"{name}: the wavelength {value:g} nm in row {row} does not lie above the one before it"
        raise BadTable(f"{sentence}; wavelengths must rise strictly (never sorted silently): correct the row.", item=name)
    for column, values in columns.items():
        if values.min() < 0 or not values.max() > 0:
            raise BadTable(f"{name}: '{column}' holds values below 0, or only zeros; emission is at least 0: correct it.", item=column)
    return {column: (wavelength, values) for column, values in columns.items()}


def _numbers(cells: npt.NDArray[np.generic], name: str, column: str) -> Floats:
    """Return a column as numbers, or name the first cell that is none."""
    try:
        values = np.asarray(cells, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.array([_number(cell) for cell in cells])
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        row = int(bad[0]) + 1
        raise BadTable(f"{name}: '{column}' holds no number in row {row}; give one, or cut the rows that lack it.", item=column)
    return values


def _number(cell: object) -> float:
    try:
        return float(str(cell))
    except ValueError:
        return float("nan")
