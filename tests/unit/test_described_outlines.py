"""What a description keeps beside its row: facts that no model looks at, and outlines that the study drew itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadInput
from onclair.core.settings import RunSettings
from onclair.core.study import Description
from onclair.core.values import Case, Image, Mask
from onclair.io.nifti import write_image, write_map
from onclair.run.describe import DescribeTask, describe_patient
from onclair.run.described import facts_of, outline_of
from onclair.run.detection import Detectors, detected
from onclair.run.store import problems_in

GRID = np.diag([2.0, 2.0, 3.0, 1.0])
SHAPE = (6, 5, 4)


def drawn(*numbers: int) -> np.ndarray:
    values = np.zeros(SHAPE, np.int32)
    for place, number in enumerate(numbers):
        values[1 + 2 * place, 1:4, 1:3] = number
    return values


def read(cohort: Cohort, patient: str) -> Case:
    seen = Mask(drawn(1), GRID, ("1",), "expert")
    return Case(patient, "A", signals={"ct": Image(np.zeros(SHAPE), GRID, "HU", "CT")}, masks={"bones": seen})


def outline(case: Case, settings: RunSettings) -> Case:
    made = {"lesions": Mask(drawn(1, 2), GRID, ("1", "2"), "model"), "one": Mask(drawn(1), GRID, ("1",), "model")}
    made |= {"none": Mask(drawn(), GRID, (), "model")}
    return replace(case, masks={**case.masks, **made})


def describe(case: Case, settings: RunSettings) -> Description:
    facts = {"scores": {"lesions": [0.9, 0.4], "threshold": []}, "strength": None}
    return Description(pd.DataFrame([{"size": 2.0}], index=["patient"]), {}, facts)


def bare(case: Case, settings: RunSettings) -> Description:
    return Description(pd.DataFrame([{"size": 2.0}], index=["patient"]))


def cohort(folder: Path, truth: np.ndarray | None = None) -> Cohort:
    write_image(folder / "ct.nii", Image(np.zeros(SHAPE), GRID, "HU", "CT"))
    rows = [("P1", "A", "t0", "ct", "ct.nii")]
    if truth is not None:
        write_map(folder / "truth.nii", truth, GRID)
        rows.append(("P1", "A", "t0", "lesions", "truth.nii"))
    table = pd.DataFrame(rows, columns=["patient", "centre", "visit", "kind", "path"])
    return Cohort(table, pd.DataFrame({"patient": ["P1"], "y": [1]}), root=folder)


def described(folder: Path, how: Any = describe, drawing: Any = outline, truth: np.ndarray | None = None) -> tuple[Path, Cohort]:
    """Describe one patient as a run does; return the run's folder and the cohort."""
    known, run = cohort(folder, truth), folder / "run"
    study: Any = SimpleNamespace(read=read, outline=drawing, describe=how, controls=())
    found = describe_patient(DescribeTask(study, known, "P1", RunSettings(), run))
    assert found.reason is None
    assert list(problems_in(run / "describe" / "P1", found.evidence)) == []
    return run, known


def test_facts_come_back_as_they_were_and_are_none_where_a_study_tells_none(tmp_path: Path) -> None:
    run, _ = described(tmp_path)
    assert facts_of(run, "P1") == {"scores": {"lesions": [0.9, 0.4], "threshold": []}, "strength": None}
    (tmp_path / "other").mkdir()
    assert facts_of(described(tmp_path / "other", bare)[0], "P1") == {}
    with pytest.raises(BadInput):
        facts_of(run, "P2")


@pytest.mark.parametrize(("name", "numbers"), [("lesions", (1, 2)), ("one", (1,)), ("none", ())])
def test_outlines_that_the_study_drew_come_back_voxel_for_voxel(tmp_path: Path, name: str, numbers: tuple[int, ...]) -> None:
    found = outline_of(described(tmp_path)[0], "P1", name)
    np.testing.assert_array_equal(found.array, drawn(*numbers))
    np.testing.assert_allclose(found.affine, GRID)


def test_what_was_read_is_not_kept_again_and_what_is_not_there_is_refused(tmp_path: Path) -> None:
    run, _ = described(tmp_path)
    assert sorted(path.name for path in (run / "describe" / "P1").glob("outline-*")) == [
        "outline-lesions.nii.gz",
        "outline-none.nii.gz",
        "outline-one.nii.gz",
    ]
    with pytest.raises(BadCase, match="The outline 'bones' of P1 is missing"):
        outline_of(run, "P1", "bones")


def test_an_outline_that_was_changed_makes_the_record_worthless(tmp_path: Path) -> None:
    run, known = described(tmp_path)
    write_map(run / "describe" / "P1" / "outline-one.nii.gz", drawn(), GRID)
    study: Any = SimpleNamespace(read=read, outline=outline, describe=describe, controls=())
    again = describe_patient(DescribeTask(study, known, "P1", RunSettings(), run))
    assert not again.reused
    np.testing.assert_array_equal(outline_of(run, "P1", "one").array, drawn(1))


def with_rival(case: Case, settings: RunSettings) -> Case:
    found = outline(case, settings)
    return replace(found, masks={**found.masks, "threshold": Mask(drawn(), GRID, (), "model")})


def test_detectors_are_judged_on_the_outlines_that_a_run_kept(tmp_path: Path) -> None:
    run, known = described(tmp_path, drawing=with_rival, truth=drawn(7, 0, 9))
    asked = Detectors("lesions", "threshold", "threshold", "lesions")
    lesson: Any = SimpleNamespace(cohort=known, root=run)
    found = {each.name: each.value for each in detected(lesson, asked)}
    assert found == {"froc:sens@1:model": 0.5, "froc:sens@1:rival:threshold": 0.0, "froc:sens@1:model-minus-threshold": 0.5}


def test_each_shift_has_a_figure_of_its_own(tmp_path: Path) -> None:
    run, known = described(tmp_path, drawing=with_rival, truth=drawn(7))
    shifted = Cohort(known.acquisitions.assign(shift=["kernel", None]), known.outcomes, root=known.root)
    found = {
        each.name: each.value
        for each in detected(SimpleNamespace(cohort=shifted, root=run), Detectors("lesions", "threshold", "threshold", "lesions"))
    }
    assert found["froc:sens@1:model:shift:kernel"] == 1.0


def test_without_true_outlines_there_is_a_reason_and_without_a_score_a_refusal(tmp_path: Path) -> None:
    run, known = described(tmp_path, drawing=with_rival)
    asked = Detectors("lesions", "threshold", "threshold", "lesions")
    assert {each.reason for each in detected(SimpleNamespace(cohort=known, root=run), asked)} == {
        "the cohort holds no outlines of the true lesions"
    }


def test_an_outline_without_a_score_is_refused(tmp_path: Path) -> None:
    def fewer(case: Case, settings: RunSettings) -> Description:
        return replace(describe(case, settings), facts={"scores": {"lesions": [0.9], "threshold": []}})

    run, known = described(tmp_path, fewer, with_rival, drawn(7))
    with pytest.raises(BadCase, match="An outline 'lesions' of P1 has no score"):
        detected(SimpleNamespace(cohort=known, root=run), Detectors("lesions", "threshold", "threshold", "lesions"))
