"""Plain tables of numbers: two columns from any program (CSV, text, DPT), or our own table of spectra."""

from __future__ import annotations

from onclair.io.spectra.axis import checked_wavelengths
from onclair.io.spectra.recording import ROLES, Content, Recording, Role, in_order, refused
from onclair.io.spectra.table import WAVELENGTH
from onclair.io.spectra.text import Line, cells_of, is_row, lines_of, rows_of

#: Lines that may stand above the first row of numbers.
HEADER_LINES = 100


def is_table(text: str) -> bool:
    r"""Return whether a text holds rows of numbers near its beginning.

    Examples
    --------
    >>> is_table("Reflectance\n280.11\t13.3999\n"), is_table("This is prose.\n")
    (True, False)
    """
    return any(is_row(line) for _, line in lines_of(text)[:HEADER_LINES])


def read_plain(text: str, name: str) -> Content:
    r"""Return what a plain table holds: wavelengths in nm, then one column, or columns named after their roles.

    Parameters
    ----------
    text : str
        Rows of numbers below any header; tabs, semicolons, commas or blanks; decimal points or commas.
    name : str

    Raises
    ------
    BadCase
        For several columns without the names ``wavelength_nm processed sample dark reference``, a cell that is no number, or a row of
        another length; the line is named.
    BadTable
        For wavelengths that do not rise strictly; the line is named.

    Examples
    --------
    >>> read_plain("Reflectance\n280,11\t13,5\n280,28\t13,25\n", "a.txt").recordings[0].values.tolist()
    [13.5, 13.25]
    """
    lines = [line for line in lines_of(text) if line[1].strip()]
    first = next(place for place, (_, line) in enumerate(lines) if is_row(line))
    rows = rows_of(lines[first:], name)
    wavelength = checked_wavelengths(rows.values[:, 0].copy(), name, rows.place)
    roles = _roles(lines[:first], rows.values.shape[1], name)
    recordings = [
        Recording(role, rows.values[:, column].copy(), wavelength, "a.u." if role == "processed" else "counts")
        for column, role in enumerate(roles, start=1)
    ]
    return Content(in_order(recordings))


def _roles(header: list[Line], width: int, name: str) -> tuple[Role, ...]:
    """Return the role of each column behind the wavelengths: by its name, or the only one there is."""
    names = [cell.strip('"').lower() for cell in cells_of(header[-1][1])] if header else []
    named = tuple(role for column in names[1:] for role in ROLES if role == column)
    if len(names) == width and names[0] == WAVELENGTH and len(named) == width - 1 and len(set(named)) == len(named):
        return named
    if width == 2:
        return ("processed",)
    found = f"it has {width} columns" + (f" ({', '.join(names[:6])})" if len(names) == width else "")
    expected = f"{WAVELENGTH} and some of {', '.join(ROLES)}"
    raise refused(name, f"{found} where two are expected, or {expected}", "name the columns so, or give one spectrum a file")
