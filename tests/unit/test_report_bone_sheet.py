"""The sheet of a CT's bones: what a radiologist and a surgeon see first."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from onclair.report.bone_sheet import bone_sheet
from onclair.report.figures.strength import Strength, strength_bar
from onclair.report.markup import to_xml
from onclair.report.pictures import Scene, picture_from, slice_figure, taken

LESION = {
    "id": 1,
    "bone": "vertebra",
    "level": "T12",
    "side": None,
    "part": "body",
    "type": "lytic",
    "equivalent_diameter_mm": 14.2,
    "volume_ml": 1.5,
    "hu_mean": 61.0,
    "score": 0.91,
    "cut_by_border": False,
    "cortical_breach": True,
}
STRENGTH = {
    "bone": "vertebra",
    "level": "T12",
    "side": None,
    "value": 6200.0,
    "low": 3900.0,
    "high": 7600.0,
    "interval_level": 0.9,
    "law": "Kopperdahl",
    "dominates": "tumour stiffness",
    "band": [{"assumption": "void", "strength_N": 5000.0}],
    "load": {"tasks": [{"task": "walking", "load_N": 1700.0}]},
}


def scene(affine: np.ndarray) -> Scene:
    """A box of bone whose one bright voxel lies at index (1, 2, 3), outlined."""
    array = np.zeros((6, 7, 8))
    array[1, 2, 3] = 300.0
    return Scene(array, affine, (0.0, 300.0), "HU", [("1", "s2", array > 0)], True)


def finding(**detail: Any) -> dict[str, Any]:
    model = {"id": "bone:demo", "version": "0.1", "sha256": "a" * 64}
    return {"subject": "B1", "data": "virtual", "model": model, "evidence": "b" * 64, "created": "2026-01-01T00:00:00Z", "detail": detail}


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, 1), (1, -1, -1)])
def test_a_voxel_is_shown_where_the_body_has_it_whatever_way_the_file_stores_it(plane: Any, flips: tuple[int, int, int]) -> None:
    straight, other = scene(np.eye(4)), scene(np.diag([*flips, 1.0]))
    array = other.array[tuple(slice(None, None, f) for f in flips)]
    at = tuple(int(i) for i in np.argwhere(array)[0])
    same = Scene(array, np.diag([*(float(f) for f in flips), 1.0]), (0.0, 300.0), "HU", [("1", "s2", array > 0)], True)
    assert taken(same, plane, at) == taken(straight, plane, (1, 2, 3))


def test_the_patients_right_is_on_the_left_and_front_is_up() -> None:
    drawn = taken(scene(np.eye(4)), "axial", (1, 2, 3)).lines[0].polygons[0]
    assert (min(x for x, _ in drawn), min(y for _, y in drawn)) == (1.0, 2.0)  # LPS: x rises to the left, y to the back
    upright = taken(scene(np.eye(4)), "coronal", (1, 2, 3)).lines[0].polygons[0]
    assert min(y for _, y in upright) == 8 - 1 - 3  # the head is up


def test_a_picture_survives_a_record() -> None:
    one = taken(scene(np.eye(4)), "sagittal", (1, 2, 3), margin_mm=2.0)
    assert picture_from(one.as_dict()) == one
    assert "virtuel" in to_xml(slice_figure(one, "k", "t", "fr"))


def test_the_sheet_says_what_was_found_and_what_the_bone_bears_in_both_languages() -> None:
    record = finding(lesions=[LESION], strength=STRENGTH, pictures=[taken(scene(np.eye(4)), "axial", (1, 2, 3)).as_dict()])
    record["answer"] = {"value": "likely", "reason": None}
    english, french = (bone_sheet(record, language).replace("\u00a0", " ") for language in ("en", "fr"))
    assert "1 lesion outlined, 1.5 mL" in english
    assert "T12: about 6,200" in english
    assert "corticale rompue" in french
    assert re.search("Métastase probable", french)
    assert "<script" not in english


def test_what_is_lacking_is_said_and_not_left_out() -> None:
    page = bone_sheet(finding(strength={"value": None, "reason": "no calibration was given"}))
    assert "The strength was not estimated: no calibration was given" in page.replace("<p", " <p")
    assert "No lesion was outlined" in page


def test_the_bar_starts_at_zero_and_draws_its_interval() -> None:
    svg = to_xml(strength_bar(Strength(6200.0, 3900.0, 7600.0, 0.9, STRENGTH["band"], STRENGTH["load"]["tasks"], True)))
    assert svg.count('class="bar') == 2
    assert "Walking: about 1,700 N" in svg
    assert "virtual" in svg
