"""Galactic SPC files, new format: one spectrum, y as float or scaled integers, x given or evenly spaced."""

from __future__ import annotations

import re
import struct

import numpy as np

from onclair.io.spectra.axis import Floats, checked_wavelengths
from onclair.io.spectra.recording import Content, Note, Recording, float32s, refused, truncated

#: The second byte of a new-format file in little-endian order; of one in big-endian order, and of the old format.
NEW, NEW_BIG_ENDIAN, OLD = 0x4B, 0x4C, 0x4D
_HEADER, _SUBHEADER = 512, 32
_SHORT, _MULTI, _PAIRS, _GIVEN_X = 0x01, 0x04, 0x40, 0x80  # of the flags: 16-bit y, several spectra, an x for each, x values
_FLOAT = -128  # exponent that says: y is float32
_UNITS = {2: "absorbance", 4: "counts", 11: "%", 128: "transmittance", 129: "reflectance"}
#: What Ocean Optics' SpectraSuite writes into the log: ``Int Time: 200000 (USB4C00008), Averages: 5 ..., Detector saturated: yes``.
_OCEAN_TIME = re.compile(r"Int Time: (\d+) \(([^()]+)\)")
_OCEAN_AVERAGES = re.compile(r"Averages: (\d+)")
_OCEAN_SATURATED = re.compile(r"Detector saturated: (yes|no)")


def read_spc(data: bytes, name: str) -> Content:
    """Return the spectrum of an SPC file.

    Parameters
    ----------
    data : bytes
    name : str

    Raises
    ------
    BadCase
        For the old or the big-endian format, several spectra, an axis that is no wavelength, or a file cut short.
    BadTable
        For wavelengths that do not rise strictly; the pixel is named.
    """
    if len(data) < _HEADER + _SUBHEADER:
        raise truncated(name, len(data), _HEADER + _SUBHEADER)
    flags, version, _, exponent, points, first, last, spectra, x_kind, y_kind = struct.unpack_from("<BBBbiddiBB", data)
    if version != NEW:
        kind = {NEW_BIG_ENDIAN: "big-endian", OLD: "old"}.get(version, f"unknown ({version:#x})")
        raise refused(name, f"its format is {kind} where the new one (0x4b) is expected", "export it as SPC (new format) or as text")
    if spectra > 1 or flags & (_MULTI | _PAIRS):
        raise refused(name, f"it holds {max(spectra, 2)} or more spectra where one is expected", "export each on its own")
    if points < 2:
        raise refused(name, f"its header says {points} points", "it is damaged: copy it again")
    x_bytes, y_size = 4 * points * bool(flags & _GIVEN_X), 2 if flags & _SHORT and exponent != _FLOAT else 4
    needed = _HEADER + x_bytes + _SUBHEADER + y_size * points
    if len(data) < needed:
        raise truncated(name, len(data), needed)
    x = float32s(data, points, _HEADER) if x_bytes else np.linspace(first, last, points)
    wavelength, notes = _nanometres(x, x_kind, name)
    wavelength = checked_wavelengths(wavelength, name, lambda place: f"pixel {place + 1}")
    values = _values(data, _HEADER + x_bytes + _SUBHEADER, points, exponent, y_size)
    log = _log(data)
    time, averages, saturated = _OCEAN_TIME.search(log), _OCEAN_AVERAGES.search(log), _OCEAN_SATURATED.search(log)
    recording = Recording(
        "processed",
        values,
        wavelength,
        _UNITS.get(y_kind, "a.u."),
        int(time[1]) / 1000 if time else None,
        int(averages[1]) if averages else None,
        time[2] if time else None,
        saturated[1] == "yes" if saturated else None,
    )
    if recording.saturated:
        notes = (*notes, ("saturated", f"{name} says that its detector was saturated; what was computed with it is not to be trusted."))
    return Content((recording,), notes)


def _values(data: bytes, offset: int, points: int, exponent: int, size: int) -> Floats:
    """Return y: float32, or integers that are fractions of a power of two."""
    if exponent == _FLOAT:
        return float32s(data, points, offset)
    whole = np.frombuffer(data, f"<i{size}", points, offset).astype(np.float64)
    return np.ldexp(whole, exponent - 8 * size)


def _nanometres(x: Floats, kind: int, name: str) -> tuple[Floats, tuple[Note, ...]]:
    if kind == 3:
        return x, ()
    if kind == 2:
        return x * 1000.0, ()
    if kind == 0:
        return x, (("axis_unit", f"{name} does not say the unit of its axis; it was read as nm."),)
    raise refused(name, f"its axis is of kind {kind} (3 is nm, 2 is um)", "export it over wavelength in nm")


def _log(data: bytes) -> str:
    """Return the text of the log that follows the spectrum, where there is one."""
    offset = struct.unpack_from("<I", data, 248)[0]
    return data[offset:].decode("latin-1") if _HEADER <= offset < len(data) else ""
