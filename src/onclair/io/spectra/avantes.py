"""Files of Avantes' AvaSoft: text exports, TRM and its kin (version 70), and AVS84 (Raw8, RFL8, IRR8...)."""

from __future__ import annotations

import re
from pathlib import PurePath

import numpy as np

from onclair.io.spectra.axis import Floats, checked_wavelengths
from onclair.io.spectra.recording import Content, Recording, Role, Settings, float32s, in_order, refused, truncated
from onclair.io.spectra.text import cells_of, lines_of, number, rows_of

#: The line that names the columns of a text export.
COLUMNS_LINE = re.compile(r"^\s*Wave[^;\r\n]*;", re.MULTILINE)
#: How an AVS84 file begins, and the version that begins the others.
AVS = b"AVS84"
TRM_VERSION = 70.0

_HEADER = 100  # float32 of a TRM file
_TAIL = 3  # integration ms, averages, a third number
_AVS_HEADER = 328  # bytes
_COLUMNS: dict[str, Role] = {"dark": "dark", "ref": "reference", "reference": "reference", "sample": "sample", "scope": "sample"}
_ALONE: dict[str, Role] = {".roh": "sample", ".drk": "dark", ".ref": "reference"}


def read_avantes_text(text: str, name: str) -> Content:
    r"""Return what a text export holds: its columns are found by their names, since their order differs between versions.

    Raises
    ------
    BadCase
        For no data, a cell that is no number, a row of another length or a column named twice; the line is named.
    BadTable
        For wavelengths that do not rise strictly; the line is named.

    Examples
    --------
    >>> said = "Integration time: 175 ms\nWave ;Dark ;Sample\n[nm] ;[counts] ;[counts]\n299,87;3,5;6,5\n300,16;4,5;7,5\n"
    >>> [(each.role, each.unit, each.values.tolist()) for each in read_avantes_text(said, "a.ttt").recordings]
    [('sample', 'counts', [6.5, 7.5]), ('dark', 'counts', [3.5, 4.5])]
    """
    lines = [line for line in lines_of(text) if line[1].strip()]
    at = next(place for place, (_, line) in enumerate(lines) if COLUMNS_LINE.match(line))
    names = [cell.lower() for cell in cells_of(lines[at][1])]
    units, body = [""] * len(names), lines[at + 1 :]
    if body and body[0][1].lstrip().startswith("["):
        units, body = [cell.strip("[] ").lower() for cell in cells_of(body[0][1])], body[1:]
    rows = rows_of(body, name)
    if rows.values.shape[1] != len(names):
        found = f"line {rows.lines[0]} holds {rows.values.shape[1]} numbers where the header names {len(names)} columns"
        raise refused(name, found, "correct the line or export it again")
    wavelength = checked_wavelengths(rows.values[:, 0].copy(), name, rows.place)
    settings = _settings([line for _, line in lines[:at]])
    roles = [_COLUMNS.get(column, "processed") for column in names[1:]]
    if len(set(roles)) < len(roles):
        raise refused(name, f"its columns {', '.join(names[1:])} name one role twice", "export it again with one column each")
    recordings = [
        Recording(
            role,
            rows.values[:, column].copy(),
            wavelength,
            _unit((units[column : column + 1] or [""])[0], names[column]),
            settings.integration_ms,
            settings.averages,
            settings.serial,
        )
        for column, role in enumerate(roles, start=1)
    ]
    return Content(in_order(recordings))


def read_trm(data: bytes, name: str) -> Content:
    """Return what a TRM file of version 70 holds, or one of its kin with one number a pixel (ROH, DRK, REF).

    Little-endian float32 throughout: 100 numbers of header (serial as character codes 1-9, polynomial of the wavelength 74-77, first
    and last pixel 79-80), then sample, reference and dark of each pixel, then the integration time in ms, averages and a third number.

    Raises
    ------
    BadCase
        For another version, pixels that cannot be, or a file cut short.
    """
    whole = float32s(data, len(data) // 4, 0)
    if whole.size < _HEADER + _TAIL:
        raise truncated(name, len(data), 4 * (_HEADER + _TAIL))
    if whole[0] != TRM_VERSION:
        raise refused(name, f"its version is {whole[0]:g} where {TRM_VERSION:g} is expected", "export it as text from AvaSoft")
    first, last = whole[79], whole[80]
    if not (0 <= first < last < 1e6 and first == int(first) and last == int(last)):
        raise refused(name, f"its header says pixels {first:g} to {last:g}", "it is damaged: copy it again")
    pixel = np.arange(int(first), int(last) + 1, dtype=np.float64)
    nanometres = np.asarray(np.polynomial.polynomial.polyval(pixel, whole[74:78]), np.float64)
    wavelength = checked_wavelengths(nanometres, name, lambda place: f"pixel {place + 1}")
    body, tail = whole[_HEADER:-_TAIL], whole[-_TAIL:]
    roles = _trm_roles(body.size, pixel.size, len(data), name)
    columns = body.reshape(pixel.size, len(roles)).T
    serial = "".join(chr(int(code)) for code in whole[1:10] if 32 < code < 127)
    settings = Settings(_digits(tail[0]), int(tail[1]) if 1 <= tail[1] < 1e9 else None, serial or None)
    return _raw(dict(zip(roles, columns, strict=True)), wavelength, settings, name)


def read_avs(data: bytes, name: str) -> Content:
    """Return what an AVS84 file holds: the sample, dark and reference of each pixel.

    328 bytes of header (first and last pixel as u16 at 89 and 91, integration time in ms as f32 at 93, averages as u32 at 101), then
    blocks of float32: wavelength, sample, dark, reference.

    Raises
    ------
    BadCase
        For several spectra in one file, pixels that cannot be, or a file cut short.
    """
    if len(data) < _AVS_HEADER:
        raise truncated(name, len(data), _AVS_HEADER)
    if data[5] != 1:
        raise refused(name, f"it holds {data[5]} spectra where one is expected", "save each spectrum on its own from AvaSoft")
    first, last = (int(np.frombuffer(data, "<u2", 1, at)[0]) for at in (89, 91))
    pixels = last - first + 1
    if pixels < 2:
        raise refused(name, f"its header says pixels {first} to {last}", "it is damaged: copy it again")
    needed = max(_AVS_HEADER + 16 * pixels, 16 + int(np.frombuffer(data, "<u4", 1, 6)[0]))
    if len(data) < needed:
        raise truncated(name, len(data), needed)
    blocks = float32s(data, 4 * pixels, _AVS_HEADER).reshape(4, pixels)
    wavelength = checked_wavelengths(blocks[0].copy(), name, lambda place: f"pixel {place + 1}")
    averages = int(np.frombuffer(data, "<u4", 1, 101)[0])
    serial = data[14:24].split(b"\0")[0].decode("ascii", errors="replace").strip()
    settings = Settings(_digits(float32s(data, 1, 93)[0]), averages, serial or None)
    return _raw(dict(zip(("sample", "dark", "reference"), blocks[1:], strict=True)), wavelength, settings, name)


def _trm_roles(numbers: int, pixels: int, size: int, name: str) -> tuple[Role, ...]:
    """Return what the numbers of a pixel are: three, or the one that the file's name tells."""
    alone = _ALONE.get(PurePath(name).suffix.lower())
    if numbers == 3 * pixels:
        return "sample", "reference", "dark"
    if numbers == pixels and alone:
        return (alone,)
    expected = 4 * (_HEADER + (1 if alone else 3) * pixels + _TAIL)
    if size < expected:
        raise truncated(name, size, expected)
    raise refused(name, f"it holds {size} bytes where {pixels} pixels need {expected}", "it is damaged: copy it again")


def _raw(columns: dict[Role, Floats], wavelength: Floats, settings: Settings, name: str) -> Content:
    for role, values in columns.items():
        if not np.isfinite(values).all():
            pixel = int((~np.isfinite(values)).argmax()) + 1
            raise refused(name, f"its {role} is no number at pixel {pixel}", "it is damaged: copy it again")
    said = (settings.integration_ms, settings.averages, settings.serial)
    return Content(in_order([Recording(role, values.copy(), wavelength, "counts", *said) for role, values in columns.items()]))


def _digits(value: np.float64) -> float:
    """Return a float32 as the shortest decimal that is the same float32: 23.16, not 23.15999984741211."""
    return float(str(np.float32(value)))


def _settings(header: list[str]) -> Settings:
    integration, averages, serial = None, None, None
    for line in header:
        key, _, value = (part.strip() for part in line.partition(":"))
        first = (value.split() or [""])[0]
        if key.lower().startswith("integration time"):
            integration = number(first)
        elif key.lower().startswith("averag") and first.isdigit():
            averages = int(first)
        elif "spectrometer" in key.lower():
            serial = value or None
    return Settings(integration, averages, serial)


def _unit(said: str, column: str) -> str:
    if said.startswith("%"):
        return "%"
    return said or ("counts" if column in _COLUMNS else "a.u.")
