"""`onclair spectra unmix`: from a table of counts and what describes it to the amounts at each point, in one JSON file and one table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from onclair.core.errors import BadCase, BadInput, BadSetting
from onclair.core.values import Measurement
from onclair.io.files import make_folder, sha256_file, write_atomically
from onclair.io.spectra.about import read_measurements
from onclair.io.spectra.bases import read_bases
from onclair.io.tables import write_table
from onclair.science.spectra.bases import DEFAULT_FLUOROPHORES, Bases
from onclair.science.spectra.chain import prepare
from onclair.science.spectra.features import features_of
from onclair.science.spectra.gating import fit_gates
from onclair.science.spectra.prepared import Gate, Prepared
from onclair.science.spectra.preparing import Preparing
from onclair.science.spectra.record import refuse_saturated
from onclair.science.spectra.unmix import Baseline, Transport, Unmixed, Unmixing, Width, unmix

POINTS, FEATURES = "points.json", "features.csv"


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
    """

    table: Path
    about: Path
    out: Path
    fluorophores: str | None = None
    bases: Path | None = None
    transport: Transport | None = None
    width: Width = "auto"
    baseline: Baseline = "none"


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
        When the folder cannot be written.
    """
    own: Bases = read_bases(asked.bases) if asked.bases is not None else {}
    how = Unmixing(_fluorophores(asked.fluorophores, own), asked.transport, asked.width, asked.baseline)
    points = tuple(_point(each, how, own, asked.table.name) for each in read_measurements(asked.table, asked.about))
    warnings = [{**each, "text": f"{point.point}: {each['text']}"} for point in points for each in point.prepared.warnings]
    return Done(points, [*_unused(own, how), *warnings], _written(points, asked.out))


def _point(measurement: Measurement, how: Unmixing, own: Bases, table: str) -> Point:
    try:
        refuse_saturated(measurement, how.window_nm)
        prepared = prepare(measurement, Preparing(window_nm=how.window_nm))
        found = unmix(prepared, how, own)
        return _finite(Point(measurement.point, prepared, found, (*prepared.gates, *fit_gates(prepared, found))))
    except BadSetting:
        raise
    except BadInput as error:
        raise BadCase(f"{table}, point {measurement.point}: {error}", item=measurement.point) from error


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


def _written(points: Sequence[Point], out: Path) -> Mapping[str, str]:
    document = json.dumps({"points": [point.as_dict() for point in points]}, indent=2, ensure_ascii=False, allow_nan=False)
    make_folder(out)
    write_atomically(out / POINTS, document.encode())
    rows = [{"point": point.point, **features_of(point.unmixed, point.prepared, point.gates)} for point in points]
    write_table(out / FEATURES, pd.DataFrame(rows))
    return {str(out / name): sha256_file(out / name) for name in (POINTS, FEATURES)}
