"""What an audit of a network looks at before it measures anybody: the typical lesion, and whether the network was trained on a patient."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadCohort
from onclair.core.study import MapFunction
from onclair.learn.network_input import image_sha256
from onclair.run.describe import about
from onclair.studies.tasks.radiomics_audit_deep import Look, look_of, typical
from onclair.studies.tasks.radiomics_audit_measure import read_case
from onclair.studies.tasks.radiomics_audit_plan import Reading
from onclair.studies.tasks.radiomics_audit_scorer import NetworkEngine


@dataclass(frozen=True, slots=True, eq=False)
class LookTask:
    """One patient to look at: a unit of work that any worker can do."""

    cohort: Cohort
    patient: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Looked:
    """What a patient looks like, and the hash by which a network knows whom it was trained on; or why nothing is known."""

    patient: str
    look: Look | None = None
    content: str = ""
    reason: str = ""


def look_at(task: LookTask) -> Looked:
    """Look at one patient; files that cannot be used come back as the reason."""
    try:
        image, region = read_case(task.cohort, task.patient, task.reading)
        return Looked(task.patient, look_of(image.array, region, image.spacing_mm), image_sha256(image.array))
    except BadCase as error:
        return Looked(task.patient, reason=about(task.patient, error))


def typical_lesion(over: MapFunction, cohorts: Sequence[Cohort], reading: Reading, trained_on: Collection[str]) -> Look:
    """Return the typical lesion of the first cohort, after making sure that the network knows nobody of any of them.

    A network that is shown the outline itself needs no silhouette in the image to know it: for such a one the surroundings of the typical
    lesion are as bright as the lesion, so that an image of both is even.

    Parameters
    ----------
    over : callable
        `map`, here or over processes.
    cohorts : sequence of Cohort
        The one that is audited on, and the external one where there is one.
    reading : Reading
    trained_on : collection of str
        Content hashes of the patients that the network was trained on; empty where it does not say.

    Raises
    ------
    BadCase
        When a patient's files cannot be used.
    BadCohort
        When patients of a cohort were used to train the network.
    """
    first: list[Look] = []
    for cohort in cohorts:
        looked = list(over(look_at, [LookTask(cohort.only({p}), p, reading) for p in cohort.patients]))
        bad = [each for each in looked if each.look is None]
        if bad:
            more = f" {len(bad) - 1} more cannot be used." if len(bad) > 1 else ""
            raise BadCase(f"{bad[0].reason}{more} Mend or leave out such patients, then run again.", item=bad[0].patient)
        _refuse_known([each.patient for each in looked if each.content in trained_on], len(looked))
        first = first or [each.look for each in looked if each.look is not None]
    found, engine = typical(first), reading.engine
    told = isinstance(engine, NetworkEngine) and "mask" in engine.shown.channels
    return replace(found, outside_mean=found.inside_mean) if told else found


def _refuse_known(known: Sequence[str], patients: int) -> None:
    if known:
        said = f"The network was trained on {len(known)} of the {patients} patients to audit it on (the first is {known[0]})"
        raise BadCohort(f"{said}; leave them out, or audit on patients that it has never seen.", item=known[0])
