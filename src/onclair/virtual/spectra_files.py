"""A virtual patient's files: one table of spectra, and the rows that describe it, its outcomes and its truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onclair.io.files import write_atomically
from onclair.io.spectra.table import WAVELENGTH
from onclair.virtual.spectra_patients import FLUOROPHORES, Person, Point, person_of
from onclair.virtual.spectra_points import Taken, Visit, measured, on_standard
from onclair.virtual.spectra_settings import VirtualSpectra
from onclair.virtual.spectrometer import Spectrometer, spectrometer_of

#: What navigation frame the positions are told in.
FRAME_OF_REFERENCE = "virtual MRI"
#: The only visit.
_VISIT = "t0"
_MARGIN, _CORE = {"healthy": 0, "margin": 1}, {"healthy": 0, "core": 1}


@dataclass(frozen=True, slots=True)
class PatientRows:
    """A patient's rows of ``acquisitions.csv``, ``outcomes.csv`` and ``truth.csv``."""

    acquisitions: tuple[dict[str, Any], ...]
    outcomes: tuple[dict[str, Any], ...]
    truth: tuple[dict[str, Any], ...]


def write_patient(settings: VirtualSpectra, out: Path, index: int) -> PatientRows:
    """Make one patient, write the table of spectra under `out` and return the rows.

    Parameters
    ----------
    settings : VirtualSpectra
    out : Path
        The cohort's folder, which holds a folder ``spectra``.
    index : int
        The patient, from 0.
    """
    person = person_of(settings, index)
    by = spectrometer_of(person.centre, settings.seed, settings.pixels)
    visits = [measured(settings, point, by, (index, place)) for place, point in enumerate(person.points)]
    begun = on_standard(settings, person.name, by, index)
    _write_counts(out / _path(person), by, [frame for visit in (begun, *visits) for frame in visit.frames])
    each = list(zip(person.points, visits, strict=True))
    return PatientRows(
        (
            *(_acquired(person, None, begun, frame, by) for frame in begun.frames),
            *(_acquired(person, point, visit, frame, by) for point, visit in each for frame in visit.frames),
        ),
        tuple(_outcome(person, point) for point in person.points),
        tuple(_truth(person, point, visit, by) for point, visit in each),
    )


def _path(person: Person) -> str:
    return f"spectra/{person.name}.csv"


def _write_counts(path: Path, by: Spectrometer, frames: Sequence[Taken]) -> None:
    """Write counts as whole numbers, a column a frame."""
    columns = [by.wavelength_nm.tolist(), *(frame.counts.tolist() for frame in frames)]
    lines = [
        ",".join((WAVELENGTH, *(frame.column for frame in frames))),
        *(",".join(map(repr, row)) for row in zip(*columns, strict=True)),
        "",
    ]
    write_atomically(path, "\n".join(lines).encode())


def _acquired(person: Person, point: Point | None, visit: Visit, frame: Taken, by: Spectrometer) -> dict[str, Any]:
    """Return one row of ``acquisitions.csv``; a frame of the white standard has no point and no place."""
    x, y, z = point.tip_mm if point is not None else (None, None, None)
    return {
        "patient": person.name,
        "centre": by.name,
        "visit": _VISIT,
        "kind": frame.kind,
        "path": _path(person),
        "point": point.name if point is not None else None,
        "excitation_nm": frame.excitation_nm,
        "integration_ms": visit.integration_ms,
        "averages": visit.averages,
        "saturation_counts": by.detector.saturation_counts,
        "read_noise_counts": by.detector.read_noise_counts,
        "gain_counts_per_electron": by.detector.gain_counts_per_electron,
        "power_relative": frame.power_relative,
        "file": _path(person),
        "column": frame.column,
        "x_mm": x,
        "y_mm": y,
        "z_mm": z,
        "frame": FRAME_OF_REFERENCE if point is not None else None,
        "registration_error_mm": person.registration_error_mm if point is not None else None,
    }


def _outcome(person: Person, point: Point) -> dict[str, Any]:
    return {
        "patient": person.name,
        "item": point.name,
        "margin": _MARGIN.get(point.histology),
        "core": _CORE.get(point.histology),
        "grade": int(person.grade == 4),
        "idh": int(person.idh),
    }


def _truth(person: Person, point: Point, visit: Visit, by: Spectrometer) -> dict[str, Any]:
    tissue, drawn = point.tissue, dict(visit.truth)
    amounts = {name: float(f"{tissue.amounts[name]:.6g}") for name in FLUOROPHORES}
    shift = round(float(drawn["centre_shift_nm"]) + tissue.shift_nm, 6)
    return {
        "point": point.name,
        "patient": person.name,
        "centre": by.name,
        "true_class": point.true_class,
        "histology": point.histology,
        "infiltration": point.infiltration,
        "visible": int(point.visible),
        "grade": person.grade,
        "idh": int(person.idh),
        "PpIX634": amounts.pop("PpIX634"),
        "PpIX620": amounts.pop("PpIX620"),
        "shift_nm": shift,
        **amounts,
        "tissue_shift_nm": round(tissue.shift_nm, 6),
        "width": round(tissue.width, 6),
        "blood_fraction": drawn.pop("true_blood_fraction"),
        "sto2": round(tissue.sto2, 6),
        "scattering_per_cm": round(tissue.scattering_per_cm, 4),
        "scattering_power": round(tissue.scattering_power, 4),
        "white_matter": int(point.white_matter),
        "mislabelled": int(point.mislabelled),
        **drawn,
        "data": "virtual",
    }
