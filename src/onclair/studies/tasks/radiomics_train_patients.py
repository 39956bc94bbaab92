"""The patients of a training: read, outlined and made ready for the network, one by one; and what came true of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadCohort, BadSetting
from onclair.core.names import did_you_mean
from onclair.core.outcome import Outcome
from onclair.learn.network_input import NetworkInput, image_sha256, prepared
from onclair.run.describe import about
from onclair.science.radiomics.extract import Extraction, extract
from onclair.science.radiomics.roi import box_around
from onclair.studies.tasks.radiomics_audit_measure import read_case
from onclair.studies.tasks.radiomics_audit_plan import KINDS, Reading
from onclair.validate.truths import Binary, Timed, Truth

_VOLUME_BY = Extraction(discretisation="none", bins=None, families=("morphology",))


@dataclass(frozen=True, slots=True, eq=False)
class ShowTask:
    """One patient to make ready for the network: a unit of work that any worker can do."""

    cohort: Cohort
    patient: str
    reading: Reading
    shown: NetworkInput


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One patient as the network sees them, or the reason why it cannot.

    Attributes
    ----------
    patient : str
    volume : ndarray, float32, shape (channels, x, y, z), or None
    image : str
        Content hash of the image.
    volume_ml : float
        Of the outline's mesh; NaN where it has none.
    cut : bool
        Whether the outline is larger than the network's grid.
    reason : str or None
    """

    patient: str
    volume: npt.NDArray[np.float32] | None = None
    image: str = ""
    volume_ml: float = math.nan
    cut: bool = False
    reason: str | None = None


def show_patient(task: ShowTask) -> Shown:
    """Make one patient ready for the network.

    Parameters
    ----------
    task : ShowTask

    Returns
    -------
    Shown
        With a reason instead of a volume where the patient's files cannot be used.
    """
    try:
        image, region = read_case(task.cohort, task.patient, task.reading)
        volume = prepared(image.array, region, image.spacing_mm, task.shown)
        measured = extract(image.array, region, image.spacing_mm, _VOLUME_BY).values["morph_volume"]  # noqa: PD011
    except BadCase as error:
        return Shown(task.patient, reason=about(task.patient, error))
    sides = zip(box_around(region), image.spacing_mm, task.shown.size, task.shown.spacing_mm, strict=True)
    cut = any((part.stop - part.start) * step > n * new for part, step, n, new in sides)
    return Shown(task.patient, volume, image_sha256(image.array), float(measured) / 1000.0, cut)


def modality_of(cohort: Cohort, wanted: str | None) -> str:
    """Return the modality to read: the one wanted, or the only one that the cohort has.

    Raises
    ------
    BadSetting
        When it has not that one, none at all, or several and none was named.
    """
    present = [name for name, (kind, _) in KINDS.items() if kind in set(cohort.acquisitions["kind"])]
    if wanted is not None and wanted not in present:
        hint = did_you_mean(wanted, present) if present else "it has none of them."
        raise BadSetting(f"The cohort has no image of the modality '{wanted}'; {hint}", item=wanted)
    if wanted is None and len(present) != 1:
        found = " and ".join(present) or "neither PET, CT nor MR"
        raise BadSetting(f"The cohort has {found}; say which to train on with --modality.", item="modality")
    return wanted or present[0]


def refuse_bad(problems: Sequence[tuple[str, str]], *, skip: bool) -> None:
    """Refuse to go on with patients who cannot be used, unless they are to be skipped.

    Parameters
    ----------
    problems : sequence of (patient, sentence)
    skip : bool

    Raises
    ------
    BadCase
        For the first, saying how many more there are.

    Examples
    --------
    >>> refuse_bad([("P1", "The PET of P1 is missing.")], skip=True)
    """
    if problems and not skip:
        patient, sentence = problems[0]
        others = len({who for who, _ in problems}) - 1
        more = f" {others} more cannot be used as they stand." if others else ""
        raise BadCase(f"{sentence}{more} Mend such patients, or go on without them: --skip-bad.", item=patient)


def truth_of(cohort: Cohort, outcome: Outcome, patients: list[str]) -> Truth:
    """Return what came true of patients whose outcome is known.

    Raises
    ------
    BadCohort
        When all have the same outcome, or there is nobody.
    """
    values = cohort.truth(outcome, patients).to_numpy()
    if not patients or len(set(values)) < 2:
        raise BadCohort(f"The outcome '{outcome.name}' has one class only among the {len(patients)} patients to train on; both are needed.")
    if outcome.kind == "survival":
        times = pd.to_numeric(cohort.outcomes.set_index("patient")[outcome.time].reindex(patients), errors="coerce")
        return Timed(times.to_numpy(dtype=np.float64), values)
    return Binary(values)
