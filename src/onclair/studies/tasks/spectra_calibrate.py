"""`onclair spectra calibrate`: one spectrometer's wavelengths, colour, dark level and usual light, from what was measured, into a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadInput, BadSetting, BadTable, NoRoom
from onclair.core.values import Measurement
from onclair.io.files import write_atomically
from onclair.io.spectra.calibration import Calibration, axis_of, calibration_from
from onclair.io.spectra.lamp_lines import lamp_lines
from onclair.io.spectra.table import read_spectra_table
from onclair.science.spectra.chain import prepare, usual_of
from onclair.science.spectra.preparing import Preparing
from onclair.science.spectra.response import response_from
from onclair.science.spectra.wavelengths import TARGET_NM, Wavelengths, calibrated
from onclair.studies.tasks.spectra_calibrated import preparing_of
from onclair.studies.tasks.spectra_taken import LAMP, Net, Taken, dark, lit, taken, white

Floats = npt.NDArray[np.float64]
#: Good measurements in contact that the usual light needs.
FEWEST_GOOD = 5
#: Columns of a certificate: photons, or energy, which is turned into photons by the wavelength.
_PHOTONS, _ENERGY, _ERROR = "photons", "energy", "relative_error"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a calibration is made from; each a session's folder or an instrument's file, `contact` a session or a table with `about`.

    Attributes
    ----------
    out : Path
        The file; must not exist.
    lamp : Path or None
        A lamp of lines.
    lines : str
        Of that lamp (:func:`~onclair.io.spectra.lamp_lines.lamp_lines`).
    bright : Path or None
        A source of known colour.
    certificate : Path or None
        Its colour: ``wavelength_nm`` and ``photons`` or ``energy`` a nm, optionally ``relative_error``.
    white : Path or None
        The white standard under the instrument's own white light.
    dark : Path or None
        Frames without light; lamp-off frames of the others where left out.
    contact : Path or None
        Tissue or a phantom, the probe touching.
    about : Path or None
        What describes `contact` where it is a table.
    serial, settings_id : str or None
        Where what was measured does not say.
    integration_ms : float or None
        Of the white standard, where its file does not say.
    nonlinearity : tuple of float
        Of the detector, constant term first.
    """

    out: Path
    lamp: Path | None = None
    lines: str = "hg-ar"
    bright: Path | None = None
    certificate: Path | None = None
    white: Path | None = None
    dark: Path | None = None
    contact: Path | None = None
    about: Path | None = None
    serial: str | None = None
    settings_id: str | None = None
    integration_ms: float | None = None
    nonlinearity: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """The calibration and what is to be said of it.

    Attributes
    ----------
    calibration : Calibration
    file : Path
    warnings : list of mapping
        ``code text``.
    """

    calibration: Calibration
    file: Path
    warnings: list[Mapping[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints: the file's parts, its curves by their length alone."""
        told = self.calibration.as_dict()
        for name in ("response", "white_standard"):
            told[name] = None if told[name] is None else {"pixels": self.calibration.axis.pixels}
        return {"estimates": [], **told, "file": str(self.file), "sha256": self.calibration.sha256, "warnings": self.warnings}


def calibrate(asked: Asked, now: datetime | None = None) -> Done:
    """Make a calibration and write it.

    Parameters
    ----------
    asked : Asked
    now : datetime, optional
        With its time zone.

    Raises
    ------
    BadCase
        For a lamp with too few lines or too large a residual, a source that lights too little, and too few good measurements in contact.
    BadInput
        When nothing was given, or what was given is of different spectrometers.
    NoRoom
        When the file is there already, or cannot be written.
    """
    roles = {name: getattr(asked, name) for name in ("lamp", "bright", "white", "dark", "contact") if getattr(asked, name) is not None}
    if not roles:
        raise BadInput("Nothing was given to calibrate by; give at least one of --lamp, --bright, --white, --dark and --contact.")
    if (asked.bright is None) != (asked.certificate is None):
        raise BadInput("A source of known colour is --bright FILE with --certificate CSV; give both or neither.", item="certificate")
    if asked.out.exists():
        raise NoRoom(f"{asked.out} is there already; a calibration is never written over: choose another --out.", item=str(asked.out))
    found = {role: taken(path, asked.about if role == "contact" else None) for role, path in roles.items()}
    warnings: list[Mapping[str, str]] = []
    made = _made(asked, found, (now or datetime.now(UTC)).astimezone(UTC), warnings)
    data = made.as_bytes()
    write_atomically(asked.out, data)
    return Done(calibration_from(data, str(asked.out)), asked.out, warnings)


def _made(asked: Asked, found: Mapping[str, Taken], now: datetime, warnings: list[Mapping[str, str]]) -> Calibration:
    _one_axis(found)
    first = next(iter(found.values()))
    wavelength = _wavelengths(found["lamp"], asked.lines, warnings) if "lamp" in found else {}
    true_nm = first.wavelength_nm + np.polynomial.polynomial.polyval(
        np.arange(float(first.wavelength_nm.size)), wavelength.get("correction", [0.0])
    )
    response = _response(found["bright"], asked.certificate, true_nm) if asked.certificate is not None else None
    standard = _standard(found["white"], asked.integration_ms) if "white" in found else None
    settings = [each.settings_id for role, each in found.items() if each.settings_id and role in ("contact", "white", "dark")]
    parts = Calibration(
        axis_of(first.wavelength_nm),
        now.isoformat(timespec="seconds"),
        _one(asked.serial, {str(each.path): each.serial for each in found.values()}),
        asked.settings_id or (settings[-1] if settings else None),
        wavelength,
        response,
        standard,
        _dark(found),
        {},
        asked.nonlinearity,
        [{"role": role, "file": each.path.name, "sha256": each.sha256} for role, each in found.items()],
        "virtual" if any(each.virtual for each in found.values()) else "real",
    )
    return _with_usual(parts, found["contact"]) if "contact" in found else parts


def _wavelengths(lamp: Taken, lines: str, warnings: list[Mapping[str, str]]) -> dict[str, Any]:
    nm = lamp.wavelength_nm
    known = [line for line in lamp_lines(lines) if nm[0] <= line <= nm[-1]]
    counts = lit(lamp, LAMP).counts
    try:
        found = calibrated(counts, nm, known)
    except BadCase as error:
        raise BadCase(f"{lamp.path.name}: {error}", item=lamp.path.name) from error
    if found.residual_rms_nm > TARGET_NM:
        said = f"The lines leave a residual of {found.residual_rms_nm:.2f} nm RMS, where {TARGET_NM:g} is aimed at"
        warnings.append({"code": "residual", "text": f"{said}: expose the lamp longer, or through the probe that will be used."})
    return {"correction": list(found.correction), **_fitted(found, nm)}


def _fitted(found: Wavelengths, nm: Floats) -> dict[str, Any]:
    used = zip(found.lines_nm, found.pixel, found.residual_nm, strict=True)
    lines = [{"nm": float(line), "pixel": round(float(pixel), 3), "residual_nm": round(float(left), 5)} for line, pixel, left in used]
    return {
        "residual_rms_nm": float(found.residual_rms_nm),
        "mean_shift_nm": float(np.mean(nm - found.wavelength_nm)),
        "lines": lines,
        "left_out_nm": [float(each) for each in found.left_out_nm],
    }


def _response(source: Taken, certificate: Path | None, nm: Floats) -> tuple[Floats, Floats]:
    """Return the response from a source and its certificate; pixels beyond the certificate are not known."""
    table = read_spectra_table(str(certificate))
    name = next((each for each in (_PHOTONS, _ENERGY) if each in table.columns), None)
    if name is None:
        held = ", ".join(table.columns)
        said = f"{table.path.name} has the columns {held} and neither '{_PHOTONS}' nor '{_ENERGY}'"
        raise BadTable(f"{said}; name what the source gives a nm at each wavelength_nm so.", item=table.path.name)
    within = (nm >= table.wavelength_nm[0]) & (nm <= table.wavelength_nm[-1])
    light = table.counts(name) * (table.wavelength_nm if name == _ENERGY else 1.0)
    expected = np.where(within, np.interp(nm, table.wavelength_nm, light), 0.0)
    error = np.interp(nm, table.wavelength_nm, table.counts(_ERROR)) if _ERROR in table.columns else np.zeros(nm.size)
    seen = lit(source, "a source of known colour")
    try:
        found = response_from(seen.counts, seen.variance, expected, error)
    except BadCase as caught:
        raise BadCase(f"{source.path.name}: {caught}", item=source.path.name) from caught
    return found.value, found.relative_error


def _standard(found: Taken, integration_ms: float | None) -> Floats:
    seen: Net = white(found)
    time = seen.integration_ms or integration_ms
    if time is None:
        said = f"{found.path.name} does not say for how long the white standard was exposed"
        raise BadSetting(f"{said}; give --integration-ms.", item="integration_ms")
    if not float(seen.counts.max()) > 0:
        raise BadCase(f"{found.path.name} shows no light of the white standard; measure it under white light.", item=found.path.name)
    return np.asarray(seen.counts / time)


def _dark(found: Mapping[str, Taken]) -> dict[str, Any]:
    """Return the level without light, of the frames given for it or of the lamp-off frames of the others."""
    for role in ("dark", "contact", "white", "bright", "lamp"):
        if role not in found:
            continue
        levels, time = dark(found[role])
        if levels:
            sd = float(np.std(levels, ddof=1)) if len(levels) > 1 else None
            return {"level_counts": float(np.mean(levels)), "sd_counts": sd, "frames": len(levels), "integration_ms": time, "of": role}
        if role == "dark":
            name = found[role].path.name
            raise BadCase(f"{name} holds no frame without light; give a file with a dark, or leave --dark out.", item=name)
    return {}


def _with_usual(parts: Calibration, contact: Taken) -> Calibration:
    """Return a calibration with what usually comes back in contact, from the measurements that every gate lets pass."""
    name = contact.path.name
    if not contact.measurements:
        raise BadInput(
            f"{name} is an instrument's file, which holds no points; give a session's folder, or a table with --about.", item=name
        )
    how = preparing_of(parts)
    good, closed = _good(contact.measurements, how)
    if len(good) < FEWEST_GOOD:
        most = closed.most_common(1)[0] if closed else ("none", 0)
        said = f"{len(good)} of {len(contact.measurements)} measurements of {name} pass every gate and {FEWEST_GOOD} are needed"
        raise BadCase(f"{said}; '{most[0]}' closed on {most[1]}: hold the probe on the phantom and measure again.", item=name)
    usual = usual_of(good, how)
    excitations = sorted({float(at) for each in good for at in each.excitations_nm if at is not None})
    level = {"white": usual.white, "fluorescence": usual.fluorescence}
    told = {**level, "measurements": len(good), "of": len(contact.measurements), "excitations_nm": excitations}
    return replace(parts, usual=told)


def _good(measurements: Sequence[Measurement], how: Preparing) -> tuple[list[Measurement], Counter[str]]:
    good: list[Measurement] = []
    closed: Counter[str] = Counter()
    for each in measurements:
        shut = [gate.name for gate in prepare(each, how).gates if not gate.passed]
        closed.update(shut)
        good += [] if shut else [each]
    return good, closed


def _one_axis(found: Mapping[str, Taken]) -> None:
    """Refuse what was measured with different pixels."""
    (first, one), *others = found.items()
    for role, each in others:
        if not axis_of(one.wavelength_nm).same(axis_of(each.wavelength_nm)):
            said = f"{one.path.name} ({first}) has {axis_of(one.wavelength_nm)}, and {each.path.name} ({role})"
            raise BadInput(f"{said} {axis_of(each.wavelength_nm)}; give what one spectrometer measured.", item=each.path.name)


def _one(given: str | None, said: Mapping[str, str | None]) -> str | None:
    """Return the one serial number; what disagrees is refused."""
    known = {path: serial for path, serial in said.items() if serial} | ({"--serial": given} if given else {})
    if len(set(known.values())) > 1:
        (one, first), (other, second) = next((a, b) for a in known.items() for b in known.items() if a[1] != b[1])
        raise BadInput(
            f"{one} is of the spectrometer '{first}' and {other} of '{second}'; give what one spectrometer measured.", item="serial"
        )
    return next(iter(known.values()), None)


__all__ = ["FEWEST_GOOD", "Asked", "Done", "calibrate"]
