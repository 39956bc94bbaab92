"""The measurements of a patient in a cohort of spectra."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadCohort, BadTable
from onclair.core.values import Measurement
from onclair.io.spectra.about import KINDS, described, measurements_from, missing
from onclair.io.spectra.reading import read_instrument
from onclair.io.spectra.table import SpectraTable, read_spectra_table

#: What ``acquisitions.csv`` of such a cohort has besides ``patient centre visit kind path``.
COLUMNS = ("point", "column", "integration_ms", "excitation_nm")


def measurements_of(cohort: Cohort, patient: str) -> tuple[Measurement, ...]:
    """Return one patient's measurements, one a point, each table read once.

    Parameters
    ----------
    cohort : Cohort
        Its ``acquisitions.csv`` has a row a spectrum: ``patient centre visit kind path`` and the columns that
        :func:`~onclair.io.spectra.about.read_measurements` takes; ``path`` (or ``file``, where it says more) is the table that holds
        ``column``. A row without ``column`` means the table's only one.
    patient : str

    Returns
    -------
    tuple of Measurement
        In the order in which their points first appear.

    Raises
    ------
    BadCohort
        When ``acquisitions.csv`` lacks a column that spectra need.
    BadCase
        When the patient has no spectra or they cannot be used; the sentence names the file and the line.
    """
    for name in COLUMNS:
        if name not in cohort.acquisitions.columns:
            sentence = f"acquisitions.csv lacks the column '{name}'; a cohort of spectra has a row a spectrum with {' '.join(COLUMNS)}"
            raise BadCohort(f"{sentence}: add it.", item=name)
    mine = cohort.acquisitions[cohort.acquisitions["patient"].astype(str) == patient]
    rows: list[Mapping[str, Any]] = [row for row in mine.to_dict("records") if row["kind"] in KINDS]  # type: ignore[misc]
    if not rows:
        raise BadCase(
            f"Patient {patient} has no spectra in acquisitions.csv; add a row a spectrum, or leave the patient out.", item=patient
        )
    tables: dict[Path, SpectraTable] = {}
    found = []
    try:
        for row in rows:
            file = _file(cohort, row)
            if file not in tables:
                tables[file] = spectra_in(file)
            table = tables[file]
            found.append(described(_named(row, table), table, _where(row)))
        return measurements_from(found, "acquisitions.csv")
    except BadTable as error:
        raise BadCase(f"Patient {patient}: {error}", item=patient) from error


def spectra_in(path: Path) -> SpectraTable:
    """Return the spectra of a table, or of an instrument's file with a column a role.

    Raises
    ------
    BadCase, BadTable
        As :func:`~onclair.io.spectra.reading.read_instrument` and :func:`~onclair.io.spectra.table.read_spectra_table`.
    """
    if path.suffix.lower() in (".csv", ".tsv", ".xlsx"):
        return read_spectra_table(path)
    found = read_instrument(path)
    return SpectraTable(path, found.recordings[0].wavelength_nm, {each.role: each.values for each in found.recordings})


def _file(cohort: Cohort, row: Mapping[str, Any]) -> Path:
    """Return the table of a row: `path`, or `file` where the path is missing."""
    said = row["path"] if isinstance(row["path"], str) and row["path"] else row.get("file")
    path = Path(str(said or ""))
    return path if path.is_absolute() or cohort.root is None else cohort.root / path


def _where(row: Mapping[str, Any]) -> str:
    """Return where a row stands, for sentences."""
    return "acquisitions.csv, a row without a point" if missing(row["point"]) else f"acquisitions.csv, point '{row['point']}'"


def _named(row: Mapping[str, Any], table: SpectraTable) -> Mapping[str, Any]:
    """Return a row with its column named, where the table has but one."""
    return {**row, "column": next(iter(table.columns))} if missing(row["column"]) and len(table.columns) == 1 else row
