"""Mirels and SINS: points, ranges, advice, and words that are none."""

from __future__ import annotations

import itertools

import pytest

from onclair.core.errors import BadSetting
from onclair.science.bone.scores import MIRELS, SINS, location_points, mirels, mirels_items, sins, sins_items


@pytest.mark.parametrize(
    ("site", "pain", "kind", "size", "score", "advice"),
    [
        ("upper", "mild", "blastic", 0.2, 4, "7 or less"),
        ("lower", "moderate", "mixed", 0.5, 8, "8: clinical judgement"),
        ("lower", "functional", "lytic", 0.2, 9, "9 or more"),
        ("peritrochanteric", "functional", "lytic", 0.9, 12, "9 or more"),
    ],
)
def test_mirels_adds_its_points(site, pain, kind, size, score, advice):
    found = mirels(site=site, pain=pain, lesion_type=kind, size_fraction=size)
    assert (found.score, found.low, found.high) == (score, score, score)
    assert found.advice.startswith(advice)


@pytest.mark.parametrize(("share", "points"), [(0.0, 1), (0.33, 1), (1 / 3, 2), (2 / 3, 2), (0.67, 3), (1.0, 3)])
def test_the_size_of_mirels_turns_at_thirds(share, points):
    assert mirels(size_fraction=share).parts["size"] == points


def test_nothing_answered_leaves_the_whole_range():
    found = mirels()
    assert (found.score, found.low, found.high) == (None, 4, 12)
    assert found.parts == {"site": None, "pain": None, "type": None, "size": None}
    assert found.advice.count("; or ") == 2
    assert (sins().low, sins().high) == (0, 18)


def test_every_range_holds_every_completion():
    for answered in (("site",), ("site", "pain"), ("type",), ("pain", "type")):
        words = {item: next(iter(MIRELS[item])) for item in answered}
        given = {("lesion_type" if item == "type" else item): word for item, word in words.items()}
        part = mirels(**given)
        rest = [item for item in MIRELS if item not in answered]
        totals = []
        for combination in itertools.product(*[MIRELS[item] for item in rest], (0.1, 0.5, 0.9)):
            full = {("lesion_type" if item == "type" else item): word for item, word in zip(rest, combination[:-1], strict=True)}
            totals.append(mirels(**given, **full, size_fraction=combination[-1]).score)
        assert (part.low, part.high) == (min(totals), max(totals))


def test_sins_adds_its_points():
    worst = sins(
        location="T12", pain="mechanical", lesion_type="lytic", alignment="translation", collapse="over-half", posterolateral="bilateral"
    )
    assert (worst.score, worst.advice.split(":")[0]) == (18, "13 to 18")
    best = sins(location="S3", pain="none", lesion_type="blastic", alignment="normal", collapse="none", posterolateral="none")
    assert (best.score, best.advice.split(":")[0]) == (0, "0 to 6")


def test_locations_follow_the_published_regions():
    points = {3: "C0 C1 C2 C7 T1 T2 T11 T12 L1 L5 S1", 2: "C3 C4 C5 C6 L2 L3 L4", 1: "T3 T5 T10", 0: "S2 S5"}
    for expected, levels in points.items():
        assert {level: location_points(level) for level in levels.split()} == dict.fromkeys(levels.split(), expected)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: mirels(site="peritrochantric"), "did you mean 'peritrochanteric'"),
        (lambda: mirels(size_fraction=40.0), "between 0 and 1"),
        (lambda: sins(location="L9"), "no spinal level 'L9'"),
        (lambda: sins(collapse="half"), "no collapse 'half'"),
    ],
    ids=["a slip", "percent", "level", "word"],
)
def test_a_word_that_is_none_is_refused(call, said):
    with pytest.raises(BadSetting, match=said):
        call()


def test_the_lesion_table_answers_what_it_can():
    shaft = {"bone": "femur", "part": "shaft", "type": "lytic", "cross_section_destroyed": 0.5, "level": None}
    assert mirels(**mirels_items(shaft)).parts == {"site": 2, "pain": None, "type": 3, "size": 2}
    neck = mirels_items({**shaft, "part": "neck"})
    assert neck["site"] == "peritrochanteric"
    assert sins(**sins_items({"level": "L3", "type": "blastic"})).parts["location"] == 2
    assert set(SINS) == {"pain", "type", "alignment", "collapse", "posterolateral"}
