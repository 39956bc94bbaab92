"""The stage `describe`: read, outline and measure one patient, and again with the signal destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from onclair.core.canonical import sha256_of
from onclair.core.cohort import ACQUISITION_COLUMNS, Cohort
from onclair.core.errors import BadCase
from onclair.core.evidence import Evidence, content_key
from onclair.core.seeds import rng_for
from onclair.core.settings import RunSettings
from onclair.core.study import Description, Study
from onclair.core.values import Case
from onclair.io.nifti import write_mask
from onclair.io.source import source_sha256
from onclair.io.tables import write_parquet
from onclair.run.environment import environment
from onclair.run.outlined import sha256_of_files
from onclair.run.store import Store

STAGE = "describe"
#: Where a record keeps what no model looks at, and the file of an outline that the study drew itself.
FACTS, OUTLINE = "described", "outline-{}.nii.gz"


@dataclass(frozen=True, slots=True, eq=False)
class DescribeTask:
    """One patient to describe: a unit of work that any worker can do."""

    study: Study
    cohort: Cohort
    patient: str
    settings: RunSettings
    root: Path


@dataclass(frozen=True, slots=True)
class Described:
    """What came of a task: a record, or the reason why there is none."""

    patient: str
    evidence: Evidence | None = None
    reason: str | None = None
    reused: bool = False


def describing_settings(settings: RunSettings) -> RunSettings:
    """Return the settings with those of learning and judging at their defaults.

    Describing a patient cannot depend on the number of folds; taking those settings away here makes sure of it, and lets a
    run with other folds reuse every description.

    Examples
    --------
    >>> describing_settings(RunSettings(seed=3, folds=10)) == RunSettings(seed=3)
    True
    """
    kept = {"seed", "shuffles"} | (set(type(settings).model_fields) - set(RunSettings.model_fields))
    defaults = {name: field.default for name, field in type(settings).model_fields.items() if name not in kept}
    return settings.model_copy(update=defaults)


def describe_patient(task: DescribeTask) -> Described:
    """Describe one patient, or take the finished record where its key is the same.

    Parameters
    ----------
    task : DescribeTask

    Returns
    -------
    Described
        With a reason instead of a record where the patient's files cannot be used.

    Raises
    ------
    NoRoom
        When the record cannot be written.
    """
    store, folder = Store(task.root), f"{STAGE}/{task.patient}"
    settings = describing_settings(task.settings)
    try:
        inputs = input_hashes(task.cohort, task.patient)
        code = source_sha256(task.study.describe)
        key = content_key(STAGE, inputs, settings.as_record(), code, environment(), subject=task.patient)
        found = store.find(folder, key)
        if found is not None:
            return Described(task.patient, found, reused=True)
        seen = task.study.read(task.cohort, task.patient)
        case = task.study.outline(seen, settings)
        description = checked(task.study.describe(case, settings), task.patient)
        controls = {control.name: destroyed(task.study, control.name, case, settings) for control in task.study.controls}
    except BadCase as error:
        return Described(task.patient, reason=about(task.patient, error))
    facts = {"centre": case.centre, "rows": len(description.rows), "reasons": dict(description.reasons)}
    facts |= {FACTS: dict(description.facts)} if description.facts else {}
    drawn = {name: mask for name, mask in case.masks.items() if name not in seen.masks}
    evidence = Evidence(STAGE, task.patient, inputs, settings.as_record(), code, environment(), facts=facts)

    def fill(partial: Path) -> None:
        write_parquet(partial / "features.parquet", _named(description.rows, task.patient))
        for name, rows in controls.items():
            write_parquet(partial / f"control-{name}.parquet", _named(rows, task.patient))
        for name, mask in drawn.items():
            write_mask(partial / OUTLINE.format(name), mask)

    return Described(task.patient, store.write(folder, evidence, fill))


def about(patient: str, error: BadCase) -> str:
    """Return the sentence of an error, with the patient in front where it does not name them.

    Examples
    --------
    >>> about("P1", BadCase("The outline is empty.")), about("P1", BadCase("The PET of P1 is missing."))
    ('P1: The outline is empty.', 'The PET of P1 is missing.')
    """
    sentence = str(error)
    return sentence if patient in sentence else f"{patient}: {sentence}"


def input_hashes(cohort: Cohort, patient: str) -> dict[str, str]:
    """Return the SHA-256 of each of a patient's files, named by visit and kind, and of what the tables say of the patient.

    The tables' word is centre, units and the further columns: a patient moved to another centre, or read in another unit, is another
    case. A DICOM slice stands for its series; a file that several rows name counts once.

    Raises
    ------
    BadCase
        When a file is missing.
    """
    root = cohort.root or Path()
    rows = cohort.acquisitions[cohort.acquisitions["patient"] == patient]
    extra = rows.drop(columns=list(ACQUISITION_COLUMNS))
    said = {"centre": sorted(set(rows["centre"].astype(str))), "units": cohort.about.units}
    cells = [["" if pd.isna(cell) else str(cell) for cell in row] for row in extra.to_numpy(object)]
    hashes = {"tables": sha256_of({**said, "rows": cells} if extra.shape[1] else said)}
    seen: set[tuple[str, str]] = set()
    for visit, kind, path in zip(rows["visit"], rows["kind"], rows["path"], strict=True):
        name = f"{visit}/{kind}"
        if (name, str(path)) in seen:
            continue
        seen.add((name, str(path)))
        number = sum(known.split("#")[0] == name for known in hashes)
        if not (root / str(path)).exists():
            raise BadCase(
                f"The {kind} of {patient} is not where acquisitions.csv says ({path}); put the file there or correct the row.", item=patient
            )
        hashes[f"{name}#{number + 1}" if number else name] = sha256_of_files(root / str(path))
    return hashes


def checked(description: Description, patient: str) -> Description:
    """Return a description whose infinities are refused and whose missing values all have a reason.

    Raises
    ------
    BadCase
        When a study left a value infinite, or NaN without saying why.
    """
    rows = description.rows
    values = rows.to_numpy(dtype=float)
    if np.isinf(values).any():
        column = rows.columns[np.isinf(values).any(axis=0)][0]
        raise BadCase(
            f"The feature '{column}' of {patient} is infinite; look at its image and outline, or leave the patient out.", item=patient
        )
    silent = [c for c in rows.columns[np.isnan(values).any(axis=0)] if c not in description.reasons]
    if silent:
        raise BadCase(f"The feature '{silent[0]}' of {patient} is missing without a reason; the study must say why.", item=patient)
    return description


def destroyed(study: Study, control: str, case: Case, settings: Any) -> pd.DataFrame:
    """Return the rows of a case whose signal a control has destroyed, one copy after another.

    Returns
    -------
    DataFrame
        Indexed by ``(copy, item)``.
    """
    maker = next(c for c in study.controls if c.name == control)
    copies = {}
    for copy in range(settings.shuffles):
        rng = rng_for(settings.seed, control, case.patient, copy)
        copies[copy] = study.describe(maker.destroy(case, settings, rng), settings).rows
    return pd.concat(copies, names=["copy", "item"])


def _named(rows: pd.DataFrame, patient: str) -> pd.DataFrame:
    """Return rows with patient and item as columns, ready for a file."""
    levels = rows.index.names if rows.index.nlevels > 1 else ["item"]
    flat = rows.set_axis(rows.index.set_names(list(levels))).reset_index()
    flat.insert(0, "patient", patient)
    return flat
