"""What describes a table of spectra: one row a column, rows of one point together one measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.errors import BadCase, BadTable
from onclair.core.names import did_you_mean, nearest
from onclair.core.values import Detector, Measurement, Spectrum
from onclair.io.spectra.axis import Floats
from onclair.io.spectra.table import SpectraTable, read_spectra_table
from onclair.io.tables import read_table

#: What a column of a table may be.
KINDS = ("fluorescence", "lamp_off", "white", "dark")
#: What ABOUT needs, and what it may say besides.
REQUIRED = ("column", "integration_ms")
OPTIONAL = (
    *("point", "kind", "excitation_nm", "averages", "saturation_counts", "read_noise_counts", "gain_counts_per_electron"),
    *("power_relative", "x_mm", "y_mm", "z_mm", "frame", "settings_id", "registration_error_mm"),
)
_TEXTS = ("column", "point", "kind", "frame", "settings_id")
#: No figure of a spectrometer is larger than the first; no factor is smaller than one over it.
_MOST, _FACTORS = 1e12, ("gain_counts_per_electron", "power_relative")
_DETECTOR = ("saturation_counts", "read_noise_counts", "gain_counts_per_electron")


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """One row of ABOUT with the column that it describes.

    Attributes
    ----------
    where : str
        Where the row stands, for sentences.
    row : mapping
        Plain values; a missing one is absent.
    wavelength_nm, counts : ndarray, float64, shape (n,)
    """

    where: str
    row: Mapping[str, Any]
    wavelength_nm: Floats
    counts: Floats

    @property
    def kind(self) -> str:
        """What the column is; fluorescence unless said."""
        return str(self.row.get("kind", "fluorescence"))

    @property
    def column(self) -> str:
        """Its name in the table."""
        return str(self.row["column"])

    @property
    def integration_ms(self) -> float:
        """Its integration time."""
        return float(self.row["integration_ms"])


def read_measurements(table: str | Path, about: str | Path) -> tuple[Measurement, ...]:
    r"""Return the measurements that a table of spectra and its description hold.

    Parameters
    ----------
    table : path
        ``wavelength_nm`` and a column a spectrum.
    about : path
        A row a column: ``column`` and ``integration_ms``, ``excitation_nm`` for fluorescence; optionally ``point`` (else each column is
        a point of its own), ``kind`` (``fluorescence``, ``lamp_off``, ``white`` or ``dark``; fluorescence when empty), ``averages``,
        ``saturation_counts``, ``read_noise_counts``, ``gain_counts_per_electron``, ``power_relative``, ``x_mm y_mm z_mm`` (LPS) in the
        navigation frame of reference named by ``frame``, ``settings_id``, ``registration_error_mm``. Other columns are left alone,
        unless their name is a slip for one of these. A dark without a point is that of all points.

    Returns
    -------
    tuple of Measurement
        In the order in which their points first appear.

    Raises
    ------
    BadTable
        For a description that lacks what it needs, names a column that is not there or twice, or an unknown kind; for a dark of
        another integration time or pixel count; for frames of one point that disagree on where it lies; for a point without a
        fluorescence spectrum.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "t.csv").write_text("wavelength_nm,a,b\n500,7,8\n501,9,8\n")
    ...     _ = Path(folder, "about.csv").write_text("column,point,excitation_nm,integration_ms\na,P1,385,20\nb,P1,405,20\n")
    ...     read_measurements(Path(folder, "t.csv"), Path(folder, "about.csv"))[0].excitations_nm
    (385.0, 405.0)
    """
    about = Path(about)
    frame = read_table(about, text=_TEXTS).frame
    check_columns([str(name) for name in frame.columns], about.name)
    spectra = read_spectra_table(table)
    records: list[Mapping[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    return measurements_from(
        [described(row, spectra, f"{about.name}, row {place}") for place, row in enumerate(records, start=1)], about.name
    )


def check_columns(columns: Sequence[str], name: str) -> None:
    """Refuse a description that lacks a column it needs, or has one whose name is a slip for a known one.

    Raises
    ------
    BadTable
        Naming the column.

    Examples
    --------
    >>> check_columns(["column", "integration_ms", "diagnosis"], "about.csv")
    """
    for needed in REQUIRED:
        if needed not in columns:
            raise BadTable(f"{name} has no column '{needed}', which each spectrum needs; {did_you_mean(needed, columns)}", item=needed)
    for column in columns:
        meant = nearest(column, (*REQUIRED, *OPTIONAL))
        if column not in (*REQUIRED, *OPTIONAL) and meant is not None and meant not in columns:
            raise BadTable(f"{name} has a column '{column}', which nothing reads; did you mean '{meant}'?", item=column)


def described(row: Mapping[str, Any], spectra: SpectraTable, where: str) -> Described:
    """Return one row with the column it describes, its plain values checked.

    Parameters
    ----------
    row : mapping
        As a table gives it; missing cells are None or NaN.
    spectra : SpectraTable
    where : str
        Where the row stands, for sentences.

    Raises
    ------
    BadTable
        For a missing or impossible value, an unknown kind, or a column that the table lacks.
    """
    plain = {name: _value(name, cell, where) for name, cell in row.items() if name in (*REQUIRED, *OPTIONAL) and not missing(cell)}
    if "column" not in plain:
        raise BadTable(f"{where}: no column is named; write the column of {spectra.path.name} that the row describes.", item=where)
    kind = plain.get("kind", "fluorescence")
    if kind not in KINDS:
        raise BadTable(f"{where}: the kind '{kind}' is unknown; {did_you_mean(str(kind), KINDS)}", item=str(kind))
    needed = ("integration_ms", "excitation_nm") if kind == "fluorescence" else ("integration_ms",)
    for name in needed:
        if name not in plain:
            sentence = f"{where}: the {kind} spectrum '{plain['column']}' has no {name}"
            raise BadTable(f"{sentence}; nothing can be said of it without: write it.", item=str(plain["column"]))
    counts = spectra.columns.get(str(plain["column"]))
    if kind == "dark" and counts is not None and not np.isfinite(counts).all():
        pixels, expected = int(np.isfinite(counts).sum()), counts.size
        sentence = f"{where}: the dark '{plain['column']}' has {pixels} pixels, and {spectra.path.name} has {expected}"
        raise BadTable(f"{sentence}; take the dark with the settings of the spectra.", item=str(plain["column"]))
    return Described(where, plain, spectra.wavelength_nm, spectra.counts(str(plain["column"])))


def missing(cell: Any) -> bool:
    """Return whether a cell of a description says nothing.

    Examples
    --------
    >>> missing(None), missing(float("nan")), missing(""), missing(0)
    (True, True, True, False)
    """
    return cell is None or cell == "" or bool(cell != cell)  # NaN is unequal to itself


def measurements_from(rows: Sequence[Described], name: str) -> tuple[Measurement, ...]:
    """Return the measurements that described columns make, in the order in which their points first appear.

    Parameters
    ----------
    rows : sequence of Described
    name : str
        Of the description, for sentences.

    Raises
    ------
    BadTable
        As :func:`read_measurements` does.
    """
    points: dict[str, list[Described]] = {}
    shared: list[Described] = []
    seen: set[tuple[int, str]] = set()
    for each in rows:
        key = (id(each.wavelength_nm), each.column)
        if key in seen:
            raise BadTable(f"{each.where}: the column '{each.column}' is described twice; keep one row.", item=each.column)
        seen.add(key)
        if each.kind == "dark" and "point" not in each.row:
            shared.append(each)
        else:
            points.setdefault(str(each.row.get("point", each.column)), []).append(each)
    if not points:
        raise BadTable(f"{name} describes no spectrum but the dark; add a row for each column of fluorescence.", item=name)
    return tuple(_measurement(point, group, shared) for point, group in points.items())


def _measurement(point: str, group: Sequence[Described], shared: Sequence[Described]) -> Measurement:
    own = [each for each in group if each.kind == "dark"]
    light = [each for each in group if each.kind != "dark"]
    if not any(each.kind == "fluorescence" for each in light):
        kinds = " and ".join(sorted({each.kind for each in group}))
        sentence = f"{group[0].where}: the point '{point}' has no fluorescence spectrum, only {kinds}"
        raise BadTable(f"{sentence}; give it the point of its fluorescence, or leave it out.", item=point)
    for dark in own:
        if all(dark.integration_ms != each.integration_ms for each in light):
            _refuse_dark(light[0], [dark], point)
    spectra: dict[str, list[Spectrum]] = {kind: [] for kind in KINDS}
    for each in light:
        spectra[each.kind].append(_spectrum(each, _dark_of(each, own, shared, point)))
    place = {name: _agreed(name, light, point) for name in ("x_mm", "y_mm", "z_mm", "frame", "settings_id", "registration_error_mm")}
    return Measurement(
        tuple(spectra["fluorescence"]),
        tuple(spectra["lamp_off"]),
        tuple(spectra["white"]),
        _pose(place, light[0].where, point),
        str(place["settings_id"] or ""),
        point,
        str(place["frame"] or ""),
        place["registration_error_mm"],
    )


def _dark_of(light: Described, own: Sequence[Described], shared: Sequence[Described], point: str) -> Floats | None:
    """Return the dark of one spectrum, the point's own before that of all points; None without any dark.

    Several of one integration time are averaged, each by its averages.
    """
    if not own and not shared:
        return None
    mine, common = ([dark for dark in darks if dark.integration_ms == light.integration_ms] for darks in (own, shared))
    same = mine or common
    if not same:
        _refuse_dark(light, own or shared, point)
    for dark in same:
        if dark.counts.shape != light.counts.shape or not np.array_equal(dark.wavelength_nm, light.wavelength_nm):
            sentence = f"{dark.where}: the dark '{dark.column}' has {dark.counts.size} pixels and the spectrum '{light.column}' "
            sentence += f"{light.counts.size}, or other wavelengths"
            raise BadTable(f"{sentence}; take the dark with the settings of the spectra.", item=dark.column)
    return np.average([dark.counts for dark in same], axis=0, weights=[dark.row.get("averages", 1) for dark in same])


def _refuse_dark(light: Described, darks: Sequence[Described], point: str) -> None:
    times = ", ".join(f"{time:g}" for time in sorted({dark.integration_ms for dark in darks}))
    found = f"the dark was taken at {times} ms and the spectrum '{light.column}' of point '{point}' at {light.integration_ms:g} ms"
    raise BadTable(f"{darks[0].where}: {found}; give a dark at the same integration time, or none where it is subtracted.", item=point)


def _spectrum(each: Described, dark: Floats | None) -> Spectrum:
    row = each.row
    try:
        return Spectrum(
            each.counts,
            each.wavelength_nm,
            row["excitation_nm"] if each.kind == "fluorescence" else None,
            each.integration_ms,
            dark,
            int(row.get("averages", 1)),
            row.get("power_relative", 1.0),
            Detector(*(row.get(name) for name in _DETECTOR)),
            each.column,
        )
    except BadCase as error:
        raise BadTable(f"{each.where}, column '{each.column}': {error}", item=each.column) from error


def _agreed(name: str, rows: Sequence[Described], point: str) -> Any:
    """Return what the rows of one point say, None where none says it; rows that contradict each other are refused."""
    said = {row.row[name]: row for row in rows if name in row.row}
    if len(said) > 1:
        (one, _), (other, row) = list(said.items())[:2]
        raise BadTable(
            f"{row.where}: {name} of the point '{point}' is {other} here and {one} before; a point has one: correct it.", item=point
        )
    return next(iter(said), None)


def _pose(place: Mapping[str, Any], where: str, point: str) -> Floats | None:
    tip = [place[name] for name in ("x_mm", "y_mm", "z_mm")]
    if all(value is None for value in tip):
        return None
    if any(value is None for value in tip):
        raise BadTable(f"{where}: the place of point '{point}' lacks one of x_mm, y_mm, z_mm; give all three or none.", item=point)
    pose = np.eye(4)
    pose[:3, 3] = tip
    return pose


def _value(name: str, cell: Any, where: str) -> Any:
    """Return one cell: text where text is meant, a finite number elsewhere, whole and positive for averages."""
    if name in _TEXTS:
        return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
    try:
        value = float(cell)
    except (TypeError, ValueError):
        raise BadTable(f"{where}: {name} is '{cell}', which is no number; correct it.", item=name) from None
    if not np.isfinite(value) or (name == "averages" and (value < 1 or value != int(value))):
        raise BadTable(
            f"{where}: {name} is {cell}; give {'a whole number from 1' if name == 'averages' else 'a finite number'}.", item=name
        )
    if abs(value) > _MOST or (name in _FACTORS and 0 < abs(value) < 1 / _MOST):
        raise BadTable(f"{where}: {name} is {cell}, which is out of all proportion; correct it.", item=name)
    low, high = {"excitation_nm": (150.0, 2600.0), "integration_ms": (1e-9, np.inf)}.get(name, (-np.inf, np.inf))
    if not low <= value <= high:
        raise BadTable(f"{where}: {name} is {cell}; it must be positive{' and lie within 150 to 2600' if low > 1 else ''}.", item=name)
    return value
