"""A CT of a cohort with its bones by number and what the table says of the scan: calibration, body mass, the bone that is asked about."""

from __future__ import annotations

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
        For a missing or damaged file, bones on another grid or without a voxel, NaN, or a CT in another unit.
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
    return scan.image, labels, about


def calibration_of(about: Mapping[str, Any]) -> Calibration | None:
    """Return the calibration that the table gives of a scan; None where it gives none.

    Raises
    ------
    BadCase
        For numbers that are none, or a slope that is not positive.

    Examples
    --------
    >>> found = calibration_of({"density_mg_cc_per_hu": "0.7", "density_mg_cc_at_0_hu": 2.0})
    >>> float(found.density_mg_cc(100.0))
    72.0
    """
    if SLOPE not in about or INTERCEPT not in about:
        return None
    try:
        slope, intercept, error = float(about[SLOPE]), float(about[INTERCEPT]), float(about.get(ERROR, 0.0))
    except (TypeError, ValueError) as error_found:
        raise BadCase(f"The calibration of a scan holds '{about[SLOPE]}'; give numbers in acquisitions.csv.") from error_found
    if not slope > 0 or not error >= 0:
        raise BadCase(f"The calibration of a scan has the slope {slope:g} and the error {error:g}; the slope must be positive.")
    return Calibration("two-point", Line(slope, intercept), residual_mg_cc=error, source="acquisitions.csv")
