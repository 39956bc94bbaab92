"""The calibration of one spectrometer as a file, ``onclair-calibration/1``: wavelengths, colour, dark level, what is usual in contact."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.canonical import canonical_json
from onclair.core.errors import BadInput
from onclair.io.spectra.axis import Floats

FORMAT = "onclair-calibration/1"
#: Two axes are one when they differ by less: a wire may carry them as float32.
SAME_NM = 0.01
#: A calibration older than this is used with a warning.
OLD_DAYS = 7.0
#: Excitations that are this near are one.
SAME_EXCITATION_NM = 6.0
_EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Axis:
    """The pixels of a spectrometer as it tells them itself: their number and three of their wavelengths."""

    pixels: int
    first_nm: float
    middle_nm: float
    last_nm: float

    def same(self, other: Axis) -> bool:
        """Return whether two axes are one, to 0.01 nm.

        Examples
        --------
        >>> one = Axis(3, 400.0, 500.0, 600.0)
        >>> one.same(Axis(3, 400.001, 500.0, 600.0)), one.same(Axis(3, 400.8, 500.8, 600.8))
        (True, False)
        """
        ends = zip((self.first_nm, self.middle_nm, self.last_nm), (other.first_nm, other.middle_nm, other.last_nm), strict=True)
        return self.pixels == other.pixels and all(abs(one - two) <= SAME_NM for one, two in ends)

    def __str__(self) -> str:
        """Return how a sentence tells it."""
        return f"{self.pixels} pixels from {self.first_nm:.2f} to {self.last_nm:.2f} nm"


def axis_of(wavelength_nm: Floats) -> Axis:
    """Return the axis of wavelengths, shape (n,).

    Examples
    --------
    >>> str(axis_of(np.array([400.0, 500.0, 601.0])))
    '3 pixels from 400.00 to 601.00 nm'
    """
    return Axis(wavelength_nm.size, float(wavelength_nm[0]), float(wavelength_nm[wavelength_nm.size // 2]), float(wavelength_nm[-1]))


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What is known of one spectrometer.

    Attributes
    ----------
    axis : Axis
        As the spectrometer tells it, before any correction.
    made : str
        When, ISO 8601 in UTC.
    serial, settings_id : str or None
        None where nothing that went into it said so.
    wavelength : mapping
        ``correction`` (c0, c1, ...: ``sum c_k pixel^k`` is added), ``residual_rms_nm lines left_out_nm``; empty where it was not made.
    response : (ndarray, ndarray) or None
        Counts per unit of light and its relative error, shape (n,); NaN where there was too little light.
    white_standard : ndarray, shape (n,), or None
        Net counts per ms at power 1.
    dark : mapping
        ``level_counts sd_counts integration_ms``.
    usual : mapping
        ``white fluorescence measurements excitations_nm``: counts per ms at power 1 in contact.
    nonlinearity : tuple of float
    inputs : sequence of mapping
        ``role file sha256`` of what it was made from.
    data : str
        ``real`` or ``virtual``.
    sha256 : str
        Of the file; empty before there is one.
    """

    axis: Axis
    made: str
    serial: str | None = None
    settings_id: str | None = None
    wavelength: Mapping[str, Any] = field(default_factory=dict)
    response: tuple[Floats, Floats] | None = None
    white_standard: Floats | None = None
    dark: Mapping[str, Any] = field(default_factory=dict)
    usual: Mapping[str, Any] = field(default_factory=dict)
    nonlinearity: tuple[float, ...] = ()
    inputs: Sequence[Mapping[str, str]] = ()
    data: str = "real"
    sha256: str = ""

    @property
    def correction(self) -> tuple[float, ...]:
        """Of the wavelengths; empty for none."""
        return tuple(self.wavelength.get("correction", ()))

    @property
    def excitations_nm(self) -> tuple[float, ...]:
        """Those that the usual light was seen under; empty where nobody looked."""
        return tuple(self.usual.get("excitations_nm", ()))

    def age_days(self, now: datetime | None = None) -> float:
        """Return how old it is, days."""
        return ((now or datetime.now(UTC)) - datetime.fromisoformat(self.made)).total_seconds() / 86_400.0

    def about(self, file: str) -> dict[str, Any]:
        """Return what ``session.json`` and every mark say of it."""
        told = {"made": self.made, "serial": self.serial, "settings_id": self.settings_id}
        return {"id": self.sha256[:12], "sha256": self.sha256, "file": file, **told}

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        value, error = (None, None) if self.response is None else map(_listed, self.response)
        return {
            "format": FORMAT,
            "made": self.made,
            "serial": self.serial,
            "settings_id": self.settings_id,
            "data": self.data,
            "axis": {"pixels": self.axis.pixels, "nm": [self.axis.first_nm, self.axis.middle_nm, self.axis.last_nm]},
            "wavelength": dict(self.wavelength) or None,
            "response": None if value is None else {"value": value, "relative_error": error},
            "white_standard": None if self.white_standard is None else _listed(self.white_standard),
            "dark": dict(self.dark) or None,
            "usual": dict(self.usual) or None,
            "nonlinearity": list(self.nonlinearity),
            "inputs": [dict(each) for each in self.inputs],
        }

    def as_bytes(self) -> bytes:
        """Return the bytes of its file."""
        return canonical_json(self.as_dict()) + b"\n"


def read_calibration(path: str | Path) -> Calibration:
    """Return the calibration in a file.

    Raises
    ------
    BadInput
        When the file cannot be read or is of another format, and when a part of it is not whole; the part is named.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        why = (error.strerror or "it does not open").lower()
        said = f"The calibration {path} cannot be read ({why}); make one with `onclair spectra calibrate`."
        raise BadInput(said, item=str(path)) from error
    return calibration_from(data, str(path))


def calibration_from(data: bytes, name: str) -> Calibration:
    """Return the calibration of a file's bytes; `name` is what sentences call it.

    Raises
    ------
    BadInput
        As :func:`read_calibration`.
    """
    try:
        told = json.loads(data)
        known = isinstance(told, dict) and told.get("format") == FORMAT
    except (ValueError, RecursionError):
        known = False
    if not known:
        said = f"{name} is no calibration (format '{FORMAT}')"
        raise BadInput(f"{said}; give a file that `onclair spectra calibrate` wrote.", item=name)
    part = _Parts(told, name)
    axis = part.of("axis", _axis)
    return Calibration(
        axis,
        part.of("made", _time),
        part.of("serial", _text),
        part.of("settings_id", _text),
        part.of("wavelength", _wavelength),
        part.of("response", lambda value: _response(value, axis.pixels)),
        part.of("white_standard", lambda value: None if value is None else _array(value, axis.pixels)),
        part.of("dark", lambda value: dict(value or _EMPTY)),
        part.of("usual", _usual),
        part.of("nonlinearity", lambda value: tuple(_finite(each) for each in value)),
        part.of("inputs", lambda value: tuple({str(k): str(v) for k, v in each.items()} for each in value)),
        part.of("data", lambda value: {"real": "real", "virtual": "virtual"}[value]),
        sha256(data).hexdigest(),
    )


def why_unfit(
    known: Calibration, axis: Axis | None, serial: str | None = None, excitations_nm: Sequence[float] | None = None
) -> str | None:
    """Return why a calibration does not belong to what is measured, in one sentence; None when nothing speaks against it.

    Parameters
    ----------
    known : Calibration
    axis, serial, excitations_nm
        Of the measurement, None where it does not say.

    Examples
    --------
    >>> of = Calibration(Axis(2, 400.0, 500.0, 500.0), "2026-01-01T00:00:00+00:00", serial="A1")
    >>> why_unfit(of, None, "B2")
    "The calibration is of the spectrometer 'A1' and this is 'B2'; calibrate this one."
    >>> why_unfit(of, of.axis, None) is None
    True
    """
    if None not in (known.serial, serial) and known.serial != serial:
        return f"The calibration is of the spectrometer '{known.serial}' and this is '{serial}'; calibrate this one."
    if axis is not None and not known.axis.same(axis):
        said = f"The calibration is of {known.axis}, and the spectrum has {axis}"
        return f"{said}; calibrate with the settings of the spectra, and give spectra whose wavelengths were not corrected yet."
    if excitations_nm is not None and known.excitations_nm and not _alike(known.excitations_nm, excitations_nm):
        one, two = (" and ".join(f"{each:g}" for each in sorted(some)) for some in (known.excitations_nm, excitations_nm))
        return f"The calibration knows the usual light under {one} nm, and the settings ask for {two} nm; calibrate with these settings."
    return None


def _alike(one: Sequence[float], two: Sequence[float]) -> bool:
    near = [abs(a - b) <= SAME_EXCITATION_NM for a, b in zip(sorted(one), sorted(two), strict=False)]
    return len(one) == len(two) and all(near)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Reads a file's parts, and names the one that cannot be read."""

    told: Mapping[str, Any]
    name: str

    def of(self, part: str, read: Callable[[Any], Any]) -> Any:
        try:
            return read(self.told[part])
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            said = f"The part '{part}' of the calibration {self.name} is missing or damaged"
            raise BadInput(f"{said}; restore the file from a copy, or calibrate again.", item=part) from None


def _listed(values: Floats) -> list[float | None]:
    return [float(each) if np.isfinite(each) else None for each in values]


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not np.isfinite(float(value)):
        raise ValueError
    return float(value)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _time(value: Any) -> str:
    if datetime.fromisoformat(value).utcoffset() is None:
        raise ValueError
    return str(value)


def _axis(value: Any) -> Axis:
    if type(value["pixels"]) is not int:
        raise ValueError
    return Axis(value["pixels"], *(_finite(each) for each in value["nm"]))


def _wavelength(value: Any) -> Mapping[str, Any]:
    return {} if value is None else {**value, "correction": [_finite(each) for each in value["correction"]]}


def _usual(value: Any) -> Mapping[str, Any]:
    told = dict(value or _EMPTY)
    for name in ("white", "fluorescence"):
        if told.get(name) is not None and not _finite(told[name]) > 0:
            raise ValueError
    return {**told, "excitations_nm": [_finite(each) for each in told.get("excitations_nm", ())]} if told else {}


def _response(value: Any, pixels: int) -> tuple[Floats, Floats] | None:
    return None if value is None else (_array(value["value"], pixels), _array(value["relative_error"], pixels))


def _array(value: Any, pixels: int) -> Floats:
    found = np.array([np.nan if each is None else _finite(each) for each in value], dtype=np.float64)
    if found.shape != (pixels,):
        raise ValueError
    return found
