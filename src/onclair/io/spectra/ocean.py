"""Text files of Ocean Optics' programs: OOIBase32, SpectraSuite, OceanView, Jaz; headers in any language."""

from __future__ import annotations

import re
from pathlib import PurePath

from onclair.io.spectra.axis import checked_wavelengths
from onclair.io.spectra.recording import Content, Note, Recording, Role, Settings, in_order, refused, truncated
from onclair.io.spectra.text import Line, Rows, cells_of, is_row, lines_of, number, rows_of

#: How the lines about the data begin in every language.
MARK = ">>>>>"
_TIME = re.compile(r"\((µ?us|µs|ms|s|usec|msec|sec)\)\s*:\s*([\d.,]+(?:[eE][+-]?\d+)?)")
_IN_MS = {"usec": 1e-3, "us": 1e-3, "µs": 1e-3, "msec": 1.0, "ms": 1.0, "sec": 1e3, "s": 1e3}
_AVERAGES = re.compile(r"averag|promed|moyen|mittel|medi[ae]\b|média", re.IGNORECASE)
_SERIAL = re.compile(r"^(?:spectrometers?(?: serial number)?|espectr\S*|spectrom\S*|spektrom\S*)$", re.IGNORECASE)
_PIXELS = re.compile(r"pixel|píxel", re.IGNORECASE)
_COLUMNS: dict[str, Role] = {"D": "dark", "R": "reference", "S": "sample", "P": "processed"}
_NAMED: dict[str, Role] = {".scope": "sample", ".dark": "dark", ".reference": "reference"}


def read_ocean(text: str, name: str) -> Content:
    r"""Return what a text file of Ocean Optics holds.

    The integration time is told by its unit ((usec), (msec) or (sec)) in any language. A block of calibration numbers after the
    data is no spectrum and is left alone.

    Parameters
    ----------
    text : str
    name : str
        ``.scope``, ``.dark`` and ``.reference`` say what the one column of an OOIBase32 file is.

    Raises
    ------
    BadCase
        For no data, a cell that is no number, or fewer rows than the header promises in a file without its last line.
    BadTable
        For wavelengths that do not rise strictly; the line is named.

    Examples
    --------
    >>> said = "Integration Time (sec): 2.0E-2\n>>>>>Begin Spectral Data<<<<<\n400,1\t7\n400,5\t8\n>>>>>End<<<<<\n"
    >>> found = read_ocean(said, "a.txt").recordings[0]
    >>> found.role, found.integration_ms, found.wavelength_nm.tolist()
    ('processed', 20.0, [400.1, 400.5])
    """
    lines = lines_of(text)
    marks = [place for place, (_, line) in enumerate(lines) if line.startswith(MARK)]
    ends = marks[1] if len(marks) > 1 else len(lines)
    header, body = lines[: marks[0]], [line for line in lines[marks[0] + 1 : ends] if line[1].strip()]
    names: list[str] = []
    if body and body[0][1].lstrip()[0].isalpha() and not is_row(body[0][1]):
        names = cells_of(body.pop(0)[1])
    rows = rows_of(body, name)
    notes = _counted(rows, _promised(header), len(marks) > 1, name)
    wavelength = checked_wavelengths(rows.values[:, 0].copy(), name, rows.place)
    roles = _roles(names, rows.values.shape[1], name)
    settings, unit = _settings(header), "uW/cm2/nm" if "Absolute Irradiance" in lines[0][1] else "a.u."
    recordings = [
        Recording(
            role,
            rows.values[:, column].copy(),
            wavelength,
            unit if role == "processed" else "counts",
            settings.integration_ms,
            settings.averages,
            settings.serial,
        )
        for column, role in roles.items()
    ]
    return Content(in_order(recordings), tuple(notes))


def _roles(names: list[str], width: int, name: str) -> dict[int, Role]:
    """Return column -> role: by the letters W D R S P, or the one column there is by the file's name."""
    if names and len(names) == width and set(names[1:]) <= set(_COLUMNS) and names[0] == "W" and len(set(names)) == width:
        return {place: _COLUMNS[letter] for place, letter in enumerate(names) if letter in _COLUMNS}
    if width == 2:
        return {1: _NAMED.get(PurePath(name).suffix.lower(), "processed")}
    found = " ".join(names) or f"{width} columns without a name"
    raise refused(name, f"its columns are {found}, where W and some of D R S P are expected", "export it again")


def _counted(rows: Rows, promised: int | None, whole: bool, name: str) -> list[Note]:
    """Return the note that the header promises another number of pixels; too few in a file without its last line are refused."""
    found = len(rows.lines)
    if promised is None or found == promised:
        return []
    if found < promised and not whole:
        raise truncated(name, found, promised, "pixels")
    return [("pixel_count", f"{name} holds {found} pixels although its header says {promised}; all {found} were kept.")]


def _promised(header: list[Line]) -> int | None:
    for _, line in header:
        key, _, value = line.partition(":")
        if _PIXELS.search(key) and value.strip().isdigit():
            return int(value)
    return None


def _settings(header: list[Line]) -> Settings:
    integration, averages, serial = None, None, None
    for _, line in header:
        key, _, value = (part.strip() for part in line.partition(":"))
        time = _TIME.search(line)
        if time and integration is None:
            integration = number(time[2]) * _IN_MS[time[1]]
            owner = re.search(r"\(([^()]+)\)\s*$", value)
            serial = owner[1] if owner else serial
        elif _AVERAGES.search(key) and (count := re.match(r"\d+", value)) and averages is None:
            averages = int(count[0])
        elif _SERIAL.match(key) and value and serial is None:
            serial = value
    return Settings(integration, averages, serial)
