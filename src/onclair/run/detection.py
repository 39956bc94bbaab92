"""Detectors judged on what a run outlined: lesions found at a fixed number of false alarms, beside a plain rival, by kind of shift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase
from onclair.core.estimate import Estimate, not_available
from onclair.io.cohorts import file_of
from onclair.io.layouts.label_maps import label_values
from onclair.run.described import facts_of, outline_of
from onclair.run.learning import Lesson
from onclair.science.volumes.components import instances_of
from onclair.validate.detection import beside, sensitivity_at
from onclair.validate.lesion_matching import overlaps_of
from onclair.validate.lesions import LesionCase


@dataclass(frozen=True, slots=True)
class Detectors:
    """What to judge.

    Attributes
    ----------
    model, rival : str
        Names of the outlines that a study draws; the record of a description holds the scores of each under ``scores``, by name.
    called : str
        What the rival is called.
    truth : str
        The kind of acquisition that holds the true instances.
    shift : str
        The column of ``acquisitions.csv`` that says what is unlike the usual; empty, ``none`` or absent where nothing is.
    """

    model: str
    rival: str
    called: str
    truth: str
    shift: str = "shift"


def detected(lesson: Lesson, asked: Detectors) -> list[Estimate]:
    """Return sensitivity at one false positive a scan of model and rival, their difference, and of the model on each shift.

    Parameters
    ----------
    lesson : Lesson
    asked : Detectors

    Returns
    -------
    list of Estimate
        Not available, with the reason, where the cohort holds no true outlines.
    """
    names = ("froc:sens@1:model", f"froc:sens@1:rival:{asked.called}", f"froc:sens@1:model-minus-{asked.called}")
    patients = [p for p in lesson.cohort.patients if _has(lesson.cohort, p, asked.truth)]
    if lesson.root is None or not patients:
        return [not_available(name, "the cohort holds no outlines of the true lesions") for name in names]
    cases = {patient: _cases(lesson, patient, asked) for patient in patients}
    found = beside([cases[p][0] for p in patients], [cases[p][1] for p in patients], asked.called)
    for shift, who in sorted(_shifted(lesson.cohort, patients, asked.shift).items()):
        found.append(sensitivity_at([cases[p][0] for p in who], f"froc:sens@1:model:shift:{shift}"))
    return found


def _has(cohort: Cohort, patient: str, kind: str) -> bool:
    rows = cohort.acquisitions
    return bool(((rows["patient"] == patient) & (rows["kind"] == kind)).any())


def _cases(lesson: Lesson, patient: str, asked: Detectors) -> tuple[LesionCase, LesionCase]:
    """Return one patient's scan as either detector saw it."""
    assert lesson.root is not None
    scores: Mapping[str, Sequence[float]] = facts_of(lesson.root, patient)["scores"]
    path = file_of(lesson.cohort, patient, asked.truth)
    made = []
    for name in (asked.model, asked.rival):
        mask = outline_of(lesson.root, patient, name)
        drawn = _numbered(mask.array, mask.labels)
        truth = instances_of(label_values(path, (mask.affine, drawn.shape), None, case=patient)[0])
        own = {number: float(score) for number, score in enumerate(scores[name], start=1)}
        if set(np.unique(drawn[drawn > 0]).tolist()) - set(own):
            raise BadCase(f"An outline '{name}' of {patient} has no score; run again.", item=patient)
        made.append(LesionCase(patient, patient, overlaps_of(truth, drawn), scores=own))
    return made[0], made[1]


def _numbered(array: npt.NDArray[np.int32], labels: Sequence[str]) -> npt.NDArray[np.int32]:
    """Return instances by their own numbers; a file of one instance calls it an outline."""
    if list(labels) == ["outline"]:
        return array.astype(np.int32)
    table = np.array([0, *(int(label) for label in labels)], dtype=np.int32)
    return np.asarray(table[array])


def _shifted(cohort: Cohort, patients: Sequence[str], column: str) -> dict[str, list[str]]:
    rows = cohort.acquisitions
    if column not in rows.columns:
        return {}
    known = rows[rows[column].notna()].groupby("patient")[column].first().astype(str)
    found: dict[str, list[str]] = {}
    for patient in patients:
        shift = str(known.get(patient, ""))
        if shift not in ("", "none", "nan"):
            found.setdefault(shift, []).append(patient)
    return found
