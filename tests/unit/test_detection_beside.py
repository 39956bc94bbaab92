"""Two detectors on the same scans: the figures by hand, their difference, and why there is none."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.core.fragments import each_once, in_french
from onclair.validate.detection import beside, curve_of, sensitivity_at
from onclair.validate.lesion_matching import overlaps_of
from onclair.validate.lesion_ratios import Drawing
from onclair.validate.lesions import LesionCase

QUICK = Drawing(replicates=200)


def scan(patient: str, hits: int, missed: int, false: int, score: float = 0.9) -> LesionCase:
    """A scan of so many lesions found, missed, and so many false alarms of a lower score."""
    truth = [*range(1, hits + missed + 1), *[0] * false]
    drawn = [*range(1, hits + 1), *[0] * missed, *range(hits + 1, hits + false + 1)]
    scores = {i: score if i <= hits else 0.3 for i in range(1, hits + false + 1)}
    line = lambda values: np.array([*values, 0], np.int32).reshape(-1, 1, 1)  # noqa: E731
    return LesionCase(patient, patient, overlaps_of(line(truth), line(drawn)), scores=scores)


def by_name(estimates: list[Estimate]) -> dict[str, Estimate]:
    return {each.name: each for each in estimates}


def test_both_sensitivities_and_their_difference_are_those_computed_by_hand() -> None:
    model = [scan("a", 2, 0, 1), scan("b", 1, 1, 1), scan("c", 0, 0, 1)]
    rival = [scan("a", 1, 1, 1), scan("b", 0, 2, 0), scan("c", 0, 0, 0)]
    found = by_name(beside(model, rival, "threshold", drawing=QUICK))
    values = {name: each.value for name, each in found.items()}
    assert values == {
        "froc:sens@1:model": 0.75,
        "froc:sens@1:rival:threshold": 0.25,
        "froc:sens@1:model-minus-threshold": 0.5,
    }
    assert {(each.n, each.events) for each in found.values()} == {(3, 4)}


def test_the_difference_is_drawn_together_so_that_what_is_always_so_has_a_narrow_interval() -> None:
    rng = np.random.default_rng(0)
    hits = rng.integers(1, 4, 14)
    model = [scan(f"p{i}", int(n), 1, 0) for i, n in enumerate(hits)]
    rival = [scan(f"p{i}", int(n) - 1, 2, 0) for i, n in enumerate(hits)]
    found = by_name(beside(model, rival, "threshold", drawing=QUICK))
    apart, alone = found["froc:sens@1:model-minus-threshold"], found["froc:sens@1:model"]
    assert apart.value == pytest.approx(14 / (hits.sum() + 14))
    assert 0 < apart.low <= apart.value <= apart.high
    assert alone.low < alone.value < alone.high


def test_candidates_beyond_the_rate_of_false_alarms_do_not_count() -> None:
    late = LesionCase("a", "a", scan("a", 1, 0, 3).overlaps, scores={1: 0.1, 2: 0.9, 3: 0.8, 4: 0.7})
    assert sensitivity_at([late], "x", rate="1").value == 0.0
    assert sensitivity_at([late], "x", rate="4").value == 1.0
    assert sensitivity_at([scan("a", 1, 0, 3)], "x", rate="1/8").value == 1.0


def test_no_lesion_at_all_is_no_figure_but_a_reason() -> None:
    none = [scan("a", 0, 0, 2), scan("b", 0, 0, 0)]
    found = [*beside(none, none, "threshold"), sensitivity_at(none, "froc:sens@1:model:shift:kernel")]
    assert [each.value for each in found] == [None] * 4
    assert {each.reason for each in found} == {"no scan has a true lesion"}
    assert {(each.n, each.events) for each in found} == {(2, 0)}


def test_a_candidate_without_a_score_is_refused() -> None:
    case = scan("a", 1, 0, 1)
    with pytest.raises(BadInput, match="no finite score"):
        curve_of([LesionCase("a", "a", case.overlaps, scores={1: 0.9})])


def test_every_method_and_reason_has_french_words() -> None:
    many = [scan(f"p{i}", 1, i % 2, 1) for i in range(12)]
    less = [scan(f"p{i}", i % 2, 1, 0) for i in range(12)]
    none = [scan("a", 0, 0, 0)]
    said = [*beside(many, less, "threshold", drawing=QUICK), *beside(many[:1], less[:1], "t"), *beside(none, none, "t")]
    texts = each_once(text for each in said for text in (each.method, each.reason or ""))
    assert len(texts) > 4
    assert [text for text in texts if in_french(text) is None] == []
