"""The white standard of a patient's session, as a cohort tells it: rows whose kind begins with ``standard_``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase
from onclair.core.values import Measurement
from onclair.io.spectra.cohort import measurements_of, spectra_in

#: What the kinds of its rows begin with, before ``fluorescence``, ``lamp_off``, ``white`` or ``dark``.
PREFIX = "standard_"
#: The column that certifies the colour of its white light.
CERTIFICATE = "standard_certificate"


def standard_of(cohort: Cohort, patient: str) -> Measurement | None:
    """Return what was measured on the white standard in a patient's session; None where nobody did.

    Parameters
    ----------
    cohort : Cohort
        ``standard_fluorescence standard_lamp_off standard_white standard_dark`` are the frames that are taken of a point, on the standard;
        ``standard_certificate`` is no frame but the colour of the white light: what an ideal instrument would count at each pixel.
    patient : str

    Raises
    ------
    BadCase
        For frames that cannot be used, or more than one certificate.
    """
    every = cohort.acquisitions
    rows = every[(every["patient"].astype(str) == patient) & every["kind"].astype(str).str.startswith(PREFIX)]
    frames = rows[rows["kind"] != CERTIFICATE]
    if frames.empty:
        return None
    plain = frames.assign(kind=frames["kind"].str.removeprefix(PREFIX), point=PREFIX.rstrip("_"))
    found = measurements_of(replace(cohort, acquisitions=plain), patient)[0]
    return replace(found, certificate=_certificate(cohort, patient))


def with_standard(points: Sequence[Measurement], standard: Measurement | None) -> tuple[Measurement, ...]:
    """Return the points of a session with its standard."""
    return tuple(points) if standard is None else tuple(replace(point, standard=standard) for point in points)


def _certificate(cohort: Cohort, patient: str) -> npt.NDArray[np.float64] | None:
    every = cohort.acquisitions
    rows = every[(every["patient"].astype(str) == patient) & (every["kind"] == CERTIFICATE)]
    if rows.empty:
        return None
    if len(rows) > 1:
        raise BadCase(f"Patient {patient} has {len(rows)} certificates of the white standard in acquisitions.csv; keep one.", item=patient)
    row = rows.iloc[0]
    path = Path(str(row["path"]))
    table = spectra_in(path if path.is_absolute() or cohort.root is None else cohort.root / path)
    return table.counts(str(row["column"]))
