"""A CT of a cohort with its bones by number and what the table says of the scan: calibration, body mass, the bone that is asked about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadInput
from onclair.core.values import Image
from onclair.io.cohorts import file_of
from onclair.io.scans import map_on, read_scan
from onclair.science.bone.calibrate import Calibration, Line

#: Columns of ``acquisitions.csv`` that speak of a CT, each may lack: mg/cc of K2HPO4 a HU, at 0 HU, its error; mass; a bone's number.
SLOPE, INTERCEPT, ERROR = "density_mg_cc_per_hu", "density_mg_cc_at_0_hu", "density_error_mg_cc"
COLUMNS = (SLOPE, INTERCEPT, ERROR, "body_mass_kg", "asked_bone", "kernel")


def scanned(cohort: Cohort, patient: str) -> tuple[Image, npt.NDArray[np.int32] | None, dict[str, Any]]:
    """Return one patient's CT, the bones by number where the cohort holds them, and what the table says of the scan.

    Parameters
    ----------
    cohort : Cohort
        With a row of the kind ``ct`` (NIfTI in HU, or a DICOM series) and optionally one of the kind ``bones``.
    patient : str

    Raises
    ------
    BadCase
        For a missing or damaged file, bones on another grid or without a voxel, NaN, a CT in another unit, or a cell of the table
        that should be a number and is none.
    """
    unit = cohort.about.units.get("ct", "HU")
    if unit != "HU":
        told = f"The CT of {patient} is declared in '{unit}'; this study reads HU"
        raise BadCase(f'{told}: convert the images, then write ct = "HU" under [units] in cohort.toml.', item=patient)
    rows = cohort.acquisitions[cohort.acquisitions["patient"] == patient]
    try:
        scan = read_scan(file_of(cohort, patient, "ct"))
        labels = map_on(scan, file_of(cohort, patient, "bones"), of=f"the bones of {patient}") if (rows["kind"] == "bones").any() else None
    except BadCase as error:
        raise BadCase(str(error) if patient in str(error) else f"{patient}: {error}", item=patient) from error
    except BadInput as error:
        raise BadCase(f"{patient}: {error}", item=patient) from error
    if labels is not None and not labels.any():
        raise BadCase(f"The bones of {patient} are empty; give labels that hold voxels, or none.", item=patient)
    first = rows[rows["kind"] == "ct"].iloc[0]
    about = {name: first[name] for name in COLUMNS if name in rows.columns and pd.notna(first[name])}
    try:
        _check(about)
    except BadCase as error:
        raise BadCase(f"{patient}: {error}", item=patient) from error
    return scan.image, labels, about


def _number(about: Mapping[str, Any], name: str) -> float:
    """Return a cell as a finite number; 0 where there is none.

    Raises
    ------
    BadCase
        For words, or a number without an end.
    """
    try:
        found = float(about.get(name, 0.0))
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise BadCase(f"The column {name} holds '{about[name]}', which is no number; correct acquisitions.csv.", item=name)
    return found


def _check(about: dict[str, Any]) -> None:
    """Refuse cells that should be numbers and are none; the bone that is asked about becomes a whole number."""
    calibration_of(about)
    if "body_mass_kg" in about and not (mass := _number(about, "body_mass_kg")) > 0:
        raise BadCase(
            f"The body mass is {mass:g} kg; give it in kilograms in acquisitions.csv, or leave the cell empty.", item="body_mass_kg"
        )
    if "asked_bone" in about:
        about["asked_bone"] = _whole(about, "asked_bone")


def _whole(about: Mapping[str, Any], name: str) -> int:
    found = _number(about, name)
    if found != int(found):
        raise BadCase(f"The column {name} holds '{about[name]}'; give the number of a label in acquisitions.csv.", item=name)
    return int(found)


def calibration_of(about: Mapping[str, Any]) -> Calibration | None:
    """Return the calibration that the table gives of a scan; None where it gives none.

    Raises
    ------
    BadCase
        For numbers that are none, a slope that is not positive, or one of slope and intercept alone.

    Examples
    --------
    >>> found = calibration_of({"density_mg_cc_per_hu": "0.7", "density_mg_cc_at_0_hu": 2.0})
    >>> float(found.density_mg_cc(100.0))
    72.0
    """
    if SLOPE not in about and INTERCEPT not in about:
        return None
    if SLOPE not in about or INTERCEPT not in about:
        there, lacks = (SLOPE, INTERCEPT) if SLOPE in about else (INTERCEPT, SLOPE)
        raise BadCase(f"The calibration of a scan has {there} and no {lacks}; give both in acquisitions.csv, or neither.", item=lacks)
    slope, intercept, error = (_number(about, name) for name in (SLOPE, INTERCEPT, ERROR))
    if not slope > 0 or not error >= 0:
        told = f"The calibration of a scan has the slope {slope:g} and the error {error:g}"
        raise BadCase(f"{told}; the slope must be positive and the error not negative: correct acquisitions.csv.", item=SLOPE)
    return Calibration("two-point", Line(slope, intercept), residual_mg_cc=error, source="acquisitions.csv")
