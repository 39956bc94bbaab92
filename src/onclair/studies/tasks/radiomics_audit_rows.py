"""The patients of an audit put together: features, rivals, controls, outcome and batches, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.cohort import ACQUISITION_COLUMNS, Cohort
from onclair.core.errors import BadCohort
from onclair.core.evidence import Evidence
from onclair.core.outcome import Outcome
from onclair.io.cards import SUMS, Card
from onclair.io.tables import read_parquet
from onclair.run.store import Store
from onclair.studies.tasks.radiomics_audit_measure import ORIGINAL, PERTURBED
from onclair.studies.tasks.radiomics_audit_score import faults
from onclair.validate.truths import Binary, Timed, Truth

Floats = npt.NDArray[np.float64]
#: A column of the acquisitions with more values than this is a measurement, not a batch.
MOST_BATCHES = 20
#: Columns of the acquisitions that say nothing of how an image was made.
NO_BATCH = ("label", "structure", "date", "series", "exam", "sha256")
#: The batch column that is read off the images.
VOXEL_SIZE = "voxel_size"


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What was measured of the patients who can be judged.

    Attributes
    ----------
    cohort : Cohort
    outcome : Outcome
    features, rivals : DataFrame, one row a patient, indexed by patient
    controls : mapping of str to ndarray, shape (copies, patients, features)
    perturbed : mapping of str to ndarray, shape (patients, features)
    truth : Truth
    batches : DataFrame
        Columns by which patients fall into batches, ``centre`` first; none where all fall into one.
    left_out : tuple of mapping
        ``patient`` and ``reason``.
    """

    cohort: Cohort
    outcome: Outcome
    features: pd.DataFrame
    rivals: pd.DataFrame
    controls: Mapping[str, Floats]
    perturbed: Mapping[str, Floats]
    truth: Truth
    batches: pd.DataFrame
    left_out: tuple[Mapping[str, str], ...] = ()

    @property
    def patients(self) -> int:
        """How many there are."""
        return len(self.rivals)

    def told(self) -> list[list[Any]]:
        """Return patient, outcome and batches of each row, as plain values: what the evidence hashes."""
        truth = self.truth
        columns = [truth.truth] if isinstance(truth, Binary) else [truth.time, truth.event] if isinstance(truth, Timed) else []
        frame = pd.DataFrame({"patient": self.rivals.index, **{str(at): column for at, column in enumerate(columns)}})
        return [[*row, *batch] for row, batch in zip(frame.to_numpy().tolist(), self.batches.to_numpy().tolist(), strict=True)]


def gathered(store: Store, card: Card, cohort: Cohort, outcome: Outcome, records: Mapping[str, Evidence]) -> Rows:
    """Put the measured patients together, without those who lack an outcome or cannot be scored.

    Raises
    ------
    BadCohort
        When nobody can be judged, or all have one outcome.
    """
    folders = {str(record.subject): folder for folder, record in records.items()}
    reasons = {str(record.subject): record.facts["reasons"] for record in records.values()}
    tables = pd.concat([read_parquet(store.root / folders[p] / "features.parquet") for p in sorted(folders)])
    rivals = pd.concat([read_parquet(store.root / folders[p] / "rivals.parquet") for p in sorted(folders)])
    rivals = rivals.set_index("patient").drop(columns=["control", "copy"])
    true = tables[tables["control"] == ORIGINAL].set_index("patient").drop(columns=["control", "copy"])
    bad = _without_outcome(cohort, outcome, list(rivals.index))
    if card.model.kind in SUMS and len(true.columns) and not any(item.startswith("feature.") for item in card.missing):
        bad |= faults(card, true.drop(index=list(bad)), reasons)
    kept = [patient for patient in rivals.index if patient not in bad]
    truth = _truth(cohort, outcome, kept)
    copies = {str(name): _copies(part, kept) for name, part in tables.groupby("control") if name != ORIGINAL}
    controls = {name: each for name, each in copies.items() if not name.startswith(PERTURBED)}
    perturbed = {name.removeprefix(PERTURBED): each[0] for name, each in copies.items() if name.startswith(PERTURBED)}
    spacings = {str(record.subject): record.facts["spacing_mm"] for record in records.values()}
    batches = _batches(cohort, kept, spacings)
    left = tuple({"patient": patient, "reason": reason} for patient, reason in sorted(bad.items()))
    return Rows(cohort, outcome, true.loc[kept], rivals.loc[kept], controls, perturbed, truth, batches, left)


def _without_outcome(cohort: Cohort, outcome: Outcome, patients: list[str]) -> dict[str, str]:
    values = cohort.truth(outcome, patients)
    bad = {str(p): f"the outcome '{outcome.name}' is missing" for p in values.index[values.isna()]}
    if outcome.kind == "survival":
        times = _times(cohort, outcome, patients)
        bad |= {str(p): f"the time '{outcome.time}' is missing or not positive" for p in times.index[~(times > 0)]}
    return bad


def _truth(cohort: Cohort, outcome: Outcome, patients: list[str]) -> Truth:
    values = cohort.truth(outcome, patients).to_numpy()
    if not patients or len(set(values)) < 2:
        found = f"all {len(patients)} patients who can be judged have the value {values[0]:g}" if patients else "nobody can be judged"
        raise BadCohort(f"The outcome '{outcome.name}' has one class only: {found}; both 0 and 1 are needed.", item=outcome.name)
    if outcome.kind == "survival":
        return Timed(_times(cohort, outcome, patients).to_numpy(), values)
    return Binary(values)


def _times(cohort: Cohort, outcome: Outcome, patients: list[str]) -> pd.Series:
    column = cohort.outcomes.set_index("patient")[outcome.time]
    return pd.to_numeric(column.reindex(patients), errors="coerce").astype(float)


def _copies(part: pd.DataFrame, patients: list[str]) -> Floats:
    """Return one control's features, shape (copies, patients, features)."""
    wide = part.drop(columns="control").set_index(["copy", "patient"]).sort_index()
    copies = sorted(set(wide.index.get_level_values("copy")))
    return np.stack([wide.loc[copy].loc[patients].to_numpy(dtype=np.float64) for copy in copies])


def _batches(cohort: Cohort, patients: list[str], spacings: Mapping[str, Any]) -> pd.DataFrame:
    """Return the columns by which patients fall into more than one batch: centre, what the table adds, and the voxel size.

    Of columns that cut the patients alike (a centre and its only scanner), the first stands for all.
    """
    images = cohort.acquisitions[cohort.acquisitions["kind"] != "mask"]
    table = images.drop_duplicates("patient").set_index("patient").reindex(patients)
    extra = [str(c) for c in table.columns if c not in (*ACQUISITION_COLUMNS, *NO_BATCH)]
    found = {"centre": table["centre"].astype(str)}
    found |= {name: table[name].astype(str) for name in extra if table[name].notna().all()}
    found[VOXEL_SIZE] = pd.Series({p: "x".join(f"{step:.2f}" for step in spacings[p]) for p in patients}).reindex(patients)
    kept: dict[str, pd.Series] = {}
    for name, values in found.items():
        alike = any(_same_cut(values, other) for other in kept.values())
        if 2 <= values.nunique() <= MOST_BATCHES and not alike:
            kept[name] = values
    return pd.DataFrame(kept, index=patients)


def _same_cut(one: pd.Series, other: pd.Series) -> bool:
    """Return whether two columns put the same patients together."""
    return bool(np.array_equal(pd.factorize(one)[0], pd.factorize(other)[0]))
