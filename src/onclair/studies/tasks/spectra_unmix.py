"""`onclair spectra unmix`: from a table of counts and what describes it to the amounts at each point, in one JSON file and one table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from onclair.core.errors import BadCase, BadInput, BadSetting, NoRoom
from onclair.core.values import Measurement
from onclair.io.files import make_folder, sha256_file, write_atomically
from onclair.io.spectra.about import read_measurements
from onclair.io.spectra.bases import read_bases
from onclair.io.spectra.calibration import Calibration, axis_of, read_calibration, why_unfit
from onclair.io.tables import write_table
from onclair.science.spectra.bases import DEFAULT_FLUOROPHORES, Bases
from onclair.science.spectra.chain import prepare
from onclair.science.spectra.features import features_of
from onclair.science.spectra.gating import fit_gates
from onclair.science.spectra.prepared import Gate, Prepared
from onclair.science.spectra.preparing import Preparing
from onclair.science.spectra.record import refuse_saturated
from onclair.science.spectra.unmix import Baseline, Transport, Unmixed, Unmixing, Width, unmix
from onclair.studies.tasks.spectra_calibrated import ageing, preparing_of, refuse_unfit

POINTS, FEATURES = "points.json", "features.csv"
_FILES = ("table", "about", "bases", "calibration")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was asked for.

    Attributes
    ----------
    table, about : Path
        Counts, a column a frame, and a row a column.
    out : Path
        The folder to write ``points.json`` and ``features.csv`` in.
    fluorophores : str or None
        Names with commas between; None for the default, with the user's own in their places.
    bases : Path or None
        The user's own bases.
    transport : {"none", "joint", "reflectance"} or None
    width : {"auto", "fixed", "fitted"}
    baseline : {"none", "smooth"}
    calibration : Path or None
        Of the spectrometer, where the table holds its own wavelengths.
    """

    table: Path
    about: Path
    out: Path
    fluorophores: str | None = None
    bases: Path | None = None
    transport: Transport | None = None
    width: Width = "auto"
    baseline: Baseline = "none"
    calibration: Path | None = None

    def made_of(self) -> dict[str, Any]:
        """Return the hashes of what goes in and the settings: equal ones are the same question."""
        paths: dict[str, Path | None] = {name: getattr(self, name) for name in _FILES}
        hashes = {name: None if path is None else _sha256(path) for name, path in paths.items()}
        return {**hashes, **{name: getattr(self, name) for name in ("fluorophores", "transport", "width", "baseline")}}


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """One point unmixed.

    Attributes
    ----------
    point : str
    prepared : Prepared
    unmixed : Unmixed
    gates : tuple of Gate
        Of the counts and of the fit.
    """

    point: str
    prepared: Prepared
    unmixed: Unmixed
    gates: tuple[Gate, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the point as plain JSON values."""
        quality = {"passed": all(gate.passed for gate in self.gates), "gates": [gate.as_dict() for gate in self.gates]}
        return {"point": self.point, **self.unmixed.as_dict(), "quality": quality}


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What was found and written.

    Attributes
    ----------
    points : tuple of Point
    warnings : list of mapping
        ``code`` and ``text``.
    files : mapping of str to str
        Path -> SHA-256.
    """

    points: tuple[Point, ...]
    warnings: list[Mapping[str, str]]
    files: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        points = [point.as_dict() for point in self.points]
        return {"estimates": [], "warnings": [dict(each) for each in self.warnings], "points": points, "files": dict(self.files)}


def unmix_table(asked: Asked) -> Done:
    """Unmix every point of a table and write what was found; nothing is written unless every point can be used.

    Raises
    ------
    BadInput
        For a table or description that cannot be used, an unknown fluorophore, bases that do not cover the window, fewer than 50 pixels
        in it, saturated pixels, a missing excitation; the file and the point are named.
    NoRoom
        When the folder cannot be written, or holds the answer to another question.
    """
    own: Bases = read_bases(asked.bases) if asked.bases is not None else {}
    known = None if asked.calibration is None else read_calibration(asked.calibration)
    how = Unmixing(_fluorophores(asked.fluorophores, own), asked.transport, asked.width, asked.baseline)
    measurements = read_measurements(asked.table, asked.about)
    made_of = asked.made_of()
    _refuse_other(asked.out, made_of)
    points = tuple(_point(each, (how, own, known), asked.table.name) for each in measurements)
    warnings = [_of(point, each) for point in points for each in (*point.prepared.warnings, *_cut(point, how))]
    aged = [] if known is None else [each for each in ageing(known, known.serial) if each["code"] == "calibration_old"]
    return Done(points, [*_unused(own, how), *aged, *warnings], _written(points, asked.out, made_of))


def _point(measurement: Measurement, by: tuple[Unmixing, Bases, Calibration | None], table: str) -> Point:
    how, own, known = by
    try:
        if known is not None:
            refuse_unfit(known, axis_of(measurement.frames[0].wavelength_nm))
        refuse_saturated(measurement, how.window_nm)
        prepared = prepare(measurement, preparing_of(_for(measurement, known), Preparing(window_nm=how.window_nm)))
        found = unmix(prepared, how, own)
        return _finite(Point(measurement.point, prepared, found, (*prepared.gates, *fit_gates(prepared, found))))
    except BadSetting:
        raise
    except BadInput as error:
        raise BadCase(f"{table}, point {measurement.point}: {error}", item=measurement.point) from error


def _of(point: Point, warning: Mapping[str, str]) -> Mapping[str, str]:
    return {**warning, "text": f"{point.point}: {warning['text']}"}


def _for(measurement: Measurement, known: Calibration | None) -> Calibration | None:
    """Return a calibration without what it knows of contact under other excitations than the point's."""
    excitations = [at for at in measurement.excitations_nm if at is not None]
    if known is None or why_unfit(known, None, None, excitations) is None:
        return known
    return replace(known, usual={**known.usual, "fluorescence": None})


def _cut(point: Point, how: Unmixing) -> Sequence[Mapping[str, str]]:
    """Return a warning where the spectrum does not reach over the whole window, or has pixels left out at its ends."""
    seen = point.prepared.wavelength_nm[np.isfinite(point.prepared.counts).any(axis=0)]
    (low, high), step = how.window_nm, 2.0 * float(np.median(np.diff(point.prepared.wavelength_nm)))
    if seen[0] <= low + step and seen[-1] >= high - step:
        return []
    text = f"the spectrum reaches from {seen[0]:.1f} to {seen[-1]:.1f} nm and the window from {low:g} to {high:g} nm"
    return [{"code": "window_not_covered", "text": f"{text}: light beyond was not seen, and amounts that rest on it are less certain."}]


def _refuse_other(out: Path, made_of: Mapping[str, Any]) -> None:
    """Refuse a folder that holds the answer to another question; the same one may be asked again.

    Raises
    ------
    NoRoom
        Naming what differs.
    """
    if not any((out / name).exists() for name in (POINTS, FEATURES)):
        return
    try:
        before = json.loads((out / POINTS).read_bytes())["made_of"]
        other = [name for name in made_of if before[name] != made_of[name]]
    except (OSError, ValueError, KeyError, TypeError):
        raise NoRoom(f"{out} holds {POINTS} or {FEATURES} of something else; choose another --out to keep both.", item=str(out)) from None
    if other:
        what = f"another {other[0]}" if other[0] in _FILES else f"{other[0]} = {before[other[0]]}"
        raise NoRoom(f"{out} holds an answer with {what}; choose another --out to keep both.", item=str(out))


def _sha256(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as error:
        why = (error.strerror or "it does not open").lower()
        raise BadInput(f"The file {path} cannot be read ({why}); correct its name.", item=str(path)) from error


def _finite(point: Point) -> Point:
    """Refuse a point whose figures left what a number can hold, before anything is written."""
    try:
        json.dumps(point.as_dict(), allow_nan=False)
    except ValueError:
        fields = "integration_ms, averages, gain_counts_per_electron, read_noise_counts and power_relative"
        raise BadCase(f"The fit gives no finite figures; correct {fields} of its rows, one of which is out of all proportion.") from None
    return point


def _fluorophores(named: str | None, own: Bases) -> tuple[str, ...]:
    """Return what is fitted: what is named; else the default with the user's own in their places, or the user's own alone."""
    if named is not None:
        return tuple(name.strip() for name in named.split(",") if name.strip())
    return DEFAULT_FLUOROPHORES if set(own) <= set(DEFAULT_FLUOROPHORES) else tuple(own)


def _unused(own: Bases, how: Unmixing) -> Sequence[Mapping[str, str]]:
    left = [name for name in own if name not in how.fluorophores]
    text = f"The bases hold {', '.join(left)}, which --fluorophores does not name; they were not used."
    return [{"code": "unused_bases", "text": text}] if left else []


def _written(points: Sequence[Point], out: Path, made_of: Mapping[str, Any]) -> Mapping[str, str]:
    told = {"made_of": dict(made_of), "points": [point.as_dict() for point in points]}
    document = json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False)
    make_folder(out)
    write_atomically(out / POINTS, document.encode())
    rows = [{"point": point.point, **features_of(point.unmixed, point.prepared, point.gates)} for point in points]
    write_table(out / FEATURES, pd.DataFrame(rows))
    return {str(out / name): sha256_file(out / name) for name in (POINTS, FEATURES)}
