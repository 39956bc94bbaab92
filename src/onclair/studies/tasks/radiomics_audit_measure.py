"""One patient of an audit: the score's features and the rivals, and the features again with the signal destroyed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase
from onclair.core.evidence import Evidence, content_key
from onclair.core.seeds import rng_for
from onclair.core.values import Image
from onclair.io.source import source_sha256
from onclair.io.tables import write_parquet
from onclair.run.describe import Described, about, input_hashes
from onclair.run.environment import environment
from onclair.run.pictured import pictured
from onclair.run.store import Store
from onclair.science.radiomics.controls import HOW, WHERE, destroyed, surroundings
from onclair.science.radiomics.dialects import PyRadiomics, extract_published
from onclair.science.radiomics.extract import Extraction, extract
from onclair.science.radiomics.features import Features, joined, undefined
from onclair.science.radiomics.filtered import FilteredExtraction, extract_filtered
from onclair.science.radiomics.perturb import PERTURBATIONS, perturbed
from onclair.science.radiomics.uptake import UPTAKE_TAGS, uptake
from onclair.studies.tasks.radiomics_audit_deep import DEEP, Look, altered
from onclair.studies.tasks.radiomics_audit_plan import Reading
from onclair.studies.tasks.radiomics_audit_probe import BESIDE, COVERED, beside, covered
from onclair.studies.tasks.radiomics_audit_scorer import SCORE, Copy, NetworkEngine, members_of

STAGE = "describe"
Region = npt.NDArray[np.bool_]
#: What stands for the true image among the controls.
ORIGINAL = "original"
#: What the names of perturbed copies begin with.
PERTURBED = "perturbed-"
#: The rivals: name -> tag, for PET; without uptake, volume alone.
RIVALS = {"volume": "morph_volume", "suv_max": "stat_max", "suv_peak": "loc_peak_loc", "mtv": "uptake_mtv", "tlg": "uptake_tlg"}
_VOLUME_BY = Extraction(discretisation="none", bins=None, families=("morphology",))
_RIVALS_BY = Extraction(discretisation="none", bins=None, families=("morphology", "local_peak", "statistics"))


@dataclass(frozen=True, slots=True)
class Controls:
    """Which negative controls are made.

    Attributes
    ----------
    names : tuple of str
        Of `control_names`.
    seeds : int
        Copies of each.
    seed : int
    perturbations : tuple of str
        Of `onclair.science.radiomics.perturb.PERTURBATIONS`.
    typical : Look or None
        The cohort's typical lesion; the controls of deep models need it.
    """

    names: tuple[str, ...]
    seeds: int
    seed: int
    perturbations: tuple[str, ...] = ()
    typical: Look | None = None

    def as_record(self) -> dict[str, Any]:
        """Return the controls as plain values."""
        said = {"controls": list(self.names), "perturbations": list(self.perturbations)}
        typical = {} if self.typical is None else {"typical": self.typical.as_record()}
        return {**said, **typical, "seeds": self.seeds, "seed": self.seed}


@dataclass(frozen=True, slots=True, eq=False)
class MeasureTask:
    """One patient to measure: a unit of work that any worker can do; `occluded` asks where the network looks, too."""

    cohort: Cohort
    patient: str
    reading: Reading
    controls: Controls
    root: Path
    folder: str
    occluded: bool = False


def control_names(reading: Reading) -> tuple[str, ...]:
    """Return the controls that can tell anything of a card: what lies outside matters only to one that looks there.

    The first, ``shuffled-voxels``, is the shuffled outline.

    Examples
    --------
    >>> from onclair.io.cards import read_card
    >>> from onclair.studies.tasks.radiomics_audit_plan import reading_of
    >>> control_names(reading_of(read_card("suvmax-only")))[:2], len(control_names(reading_of(read_card("suvpeak-mtv"))))
    (('shuffled-voxels', 'uniform-outline'), 9)
    """
    places = WHERE if reading.looks_outside else tuple(where for where in WHERE if where != "outside")
    names = ("shuffled-voxels" if (how, where) == ("shuffled", "outline") else f"{how}-{where}" for where in places for how in HOW)
    return (*names, *(DEEP if isinstance(reading.engine, NetworkEngine) else ()))


def measure_patient(task: MeasureTask) -> Described:
    """Measure one patient, or take the finished record where its key is the same.

    Parameters
    ----------
    task : MeasureTask

    Returns
    -------
    Described
        With a reason instead of a record where the patient's files cannot be used.

    Raises
    ------
    NoRoom
        When the record cannot be written.
    """
    store, folder = Store(task.root), f"{STAGE}/{task.folder}"
    settings = {**task.reading.as_record(), **task.controls.as_record(), **({"occluded": True} if task.occluded else {})}
    try:
        inputs = input_hashes(task.cohort, task.patient)
        code = source_sha256(measure_patient)
        found = store.find(folder, content_key(STAGE, inputs, settings, code, environment(), subject=task.patient))
        if found is not None:
            return Described(task.patient, found, reused=True)
        image, region = read_case(task.cohort, task.patient, task.reading)
        rows = list(_rows(image, region, task))
        rivals = rivals_of(image, region, task.reading)
        true = features_of(image.array, region, image.spacing_mm, task.reading)
        further = _further(image, region, task)
    except BadCase as error:
        return Described(task.patient, reason=about(task.patient, error))
    reasons = {**true.reasons, **rivals.reasons}
    facts = {"centre": str(task.cohort.centre_of([task.patient])[task.patient]), "reasons": reasons, "spacing_mm": list(image.spacing_mm)}
    evidence = Evidence(STAGE, task.patient, inputs, settings, code, environment(), facts=facts)

    def fill(partial: Path) -> None:
        write_parquet(partial / "features.parquet", _table([(ORIGINAL, 0, true), *rows], task))
        write_parquet(partial / "rivals.parquet", _table([(ORIGINAL, 0, rivals)], task))
        for name, frame in further.items():
            write_parquet(partial / name, frame)

    return Described(task.patient, store.write(folder, evidence, fill))


def read_case(cohort: Cohort, patient: str, reading: Reading) -> tuple[Image, Region]:
    """Return the image of one patient and its outline, on one grid; NIfTI, or a DICOM series with RTSTRUCT or SEG.

    Raises
    ------
    BadCase
        For a missing or damaged file, an outline of another geometry or without the label, NaN, or a PET declared in another unit.
    """
    kind = reading.kind or _only_kind(cohort, patient)
    unit = reading.unit or {"pet": "SUV", "ct": "HU"}.get(kind, "a.u.")
    told = cohort.about.units.get(kind, unit)
    if told != unit:
        raise BadCase(f"The {kind} of {patient} is declared in '{told}'; the card reads {unit}: convert the images.", item=patient)
    image, mask = pictured(cohort, patient, kind, unit)
    structure = reading.structure if reading.structure in mask.labels or len(mask.labels) > 1 else None
    return image, mask.region(structure)


def features_of(array: npt.NDArray[Any], region: Region, spacing_mm: tuple[float, float, float], reading: Reading) -> Features:
    """Return the card's features, by its own engine, under the names of the card's columns.

    Raises
    ------
    BadCase
        When they cannot be measured, or a network gives no number.
    """
    if reading.engine is None:
        return Features({}, {})
    if isinstance(reading.engine, NetworkEngine):
        found = _one_score(next(members_of(reading.engine, [(array, region)], spacing_mm)))
        if found.reasons:
            raise BadCase(f"The network gives no score: {found.reasons[SCORE].rstrip('.')}.")
        return found
    if isinstance(reading.engine, PyRadiomics):
        found = extract_published(array, region, spacing_mm, reading.engine, reading.asked)
    elif isinstance(reading.engine, FilteredExtraction):
        found = joined([extract_filtered(array, region, spacing_mm, reading.engine)], reading.asked)
    else:
        parts = [extract(array, region, spacing_mm, reading.engine)]
        if set(reading.asked) & set(UPTAKE_TAGS):
            parts.append(uptake(array[region], math.prod(spacing_mm)))
        found = joined(parts, reading.asked)
    names = dict(zip(reading.asked, reading.columns, strict=True))
    return renamed(found, names)


def rivals_of(image: Image, region: Region, reading: Reading) -> Features:
    """Return the dull explanations: volume, and for PET what a nuclear medicine report says anyway."""
    if reading.kind not in (None, "pet"):
        return renamed(extract(image.array, region, image.spacing_mm, _VOLUME_BY), {"morph_volume": "volume"})
    parts = [extract(image.array, region, image.spacing_mm, _RIVALS_BY), uptake(image.array[region], math.prod(image.spacing_mm))]
    return renamed(joined(parts, RIVALS.values()), {tag: name for name, tag in RIVALS.items()})


def renamed(features: Features, names: Mapping[str, str]) -> Features:
    """Return the features that `names` lists, by their new names.

    Examples
    --------
    >>> renamed(Features({"a": 1.0, "b": 2.0}), {"b": "c"}).values
    {'c': 2.0}
    """
    values = {new: features.values[tag] for tag, new in names.items()}  # noqa: PD011
    return Features(values, {new: features.reasons[tag] for tag, new in names.items() if tag in features.reasons})


def _rows(image: Image, region: Region, task: MeasureTask) -> Iterator[tuple[str, int, Features]]:
    """Yield the features of every copy of every control; a network is asked about many at once."""
    reading, planned = task.reading, list(_copies(image, region, task))
    if reading.engine is None:
        return
    copies = (make() for _, _, make in planned)
    if isinstance(reading.engine, NetworkEngine):
        found = (_one_score(said) for said in members_of(reading.engine, copies, image.spacing_mm))
    else:
        found = (_tried(*copy, image, reading) for copy in copies)
    for (name, number, _), features in zip(planned, found, strict=True):
        yield name, number, features


def _copies(image: Image, region: Region, task: MeasureTask) -> Iterator[tuple[str, int, Callable[[], Copy]]]:
    """Yield the control, the number and the maker of every copy; each draws from a stream of its own."""
    near, controls = surroundings(region, image.spacing_mm), task.controls
    for name in controls.names:
        if name in DEEP:
            if controls.typical is not None:
                yield name, 0, partial(altered, name, image.array, region, image.spacing_mm, controls.typical)
            continue
        how, _, where = ("shuffled", "", "outline") if name == "shuffled-voxels" else name.partition("-")
        voxels = {"outline": region, "outside": near & ~region, "everywhere": near}[where]
        for copy in range(controls.seeds):
            rng = rng_for(controls.seed, name, task.patient, copy)
            yield name, copy, partial(_destroyed, image.array, region, voxels, how, rng)
    for name in controls.perturbations:
        rng = rng_for(controls.seed, PERTURBED, name, task.patient)
        yield f"{PERTURBED}{name}", 0, partial(perturbed, image.array, region, PERTURBATIONS[name], rng)


def _destroyed(array: npt.NDArray[Any], region: Region, voxels: Region, how: str, rng: np.random.Generator) -> Copy:
    return destroyed(array, voxels, how, rng), region


def _one_score(said: npt.NDArray[np.float64] | str) -> Features:
    """Return the mean of a network's members; undefined, with the reason, where it says nothing."""
    return undefined((SCORE,), said) if isinstance(said, str) else Features({SCORE: float(said.mean())}, {})


def _further(image: Image, region: Region, task: MeasureTask) -> dict[str, pd.DataFrame]:
    """Return what is kept of a patient beside a network's score, by file name."""
    engine = task.reading.engine
    if not isinstance(engine, NetworkEngine):
        return {}
    found = {BESIDE: _table([(ORIGINAL, 0, Features(beside(image, region, engine), {}))], task)}
    return found | ({COVERED: covered(image, region, engine).assign(patient=task.patient)} if task.occluded else {})


def _tried(array: npt.NDArray[Any], region: Region, image: Image, reading: Reading) -> Features:
    """Return the features of a changed image; all undefined, with the reason, where it cannot be measured."""
    try:
        return features_of(array, region, image.spacing_mm, reading)
    except BadCase as error:
        return undefined(reading.columns, str(error))


def _table(rows: list[tuple[str, int, Features]], task: MeasureTask) -> pd.DataFrame:
    frame = pd.DataFrame([dict(features.values) for _, _, features in rows]).astype(float)
    frame.insert(0, "copy", [copy for _, copy, _ in rows])
    frame.insert(0, "control", [name for name, _, _ in rows])
    frame.insert(0, "patient", task.patient)
    return frame


def _only_kind(cohort: Cohort, patient: str) -> str:
    kinds = sorted(set(cohort.acquisitions["kind"]) & {"pet", "ct", "mr"})
    if len(kinds) != 1:
        found = ", ".join(kinds) or "none"
        raise BadCase(f"The card does not say which image it reads, and the cohort has {found}; add modality to [card].", item=patient)
    return str(kinds[0])
