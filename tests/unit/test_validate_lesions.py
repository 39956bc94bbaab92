"""Matching, figures, strata, FROC, boxes and readers on cases small enough to be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.errors import BadCase, BadInput, BadSetting
from onclair.validate.froc import CaseCurve, case_curve, froc_of
from onclair.validate.lesion_boxes import Box, box_overlaps, boxes_of, cut_boxes
from onclair.validate.lesion_matching import Overlaps, match, match_overlaps, overlaps_of
from onclair.validate.lesion_ratios import ONE_PATIENT, Drawing
from onclair.validate.lesion_readers import ReadCase, reader_agreement
from onclair.validate.lesions import LesionCase, lesion_agreement
from onclair.validate.masks import mask_agreement

TRUTH = np.array([1, 1, 1, 1, 0, 2, 2, 0, 3, 3, 0, 0]).reshape(12, 1, 1)
PREDICTED = np.array([0, 5, 5, 5, 5, 0, 6, 6, 6, 0, 0, 7]).reshape(12, 1, 1)
FAST = Drawing(replicates=100)


def case(name="a", truth=TRUTH, predicted=PREDICTED, **more):
    diameters = dict.fromkeys((int(n) for n in np.unique(truth) if n), 5.0)
    masks = mask_agreement(truth, predicted, np.eye(4))
    return LesionCase(name, name, overlaps_of(truth, predicted), masks=masks, **{"diameters_mm": diameters, **more})


def values(estimates):
    return {e.name: e.value for e in estimates}


def test_every_figure_of_the_three_rules_is_the_one_computed_by_hand():
    found = values(lesion_agreement([case()], FAST))
    by_hand = {
        "overlap": (2, 1, 1, 2 / 3, 2 / 3, (0.6 + 0.25) / 2, 2 / 3, (0.6 + 0.25) / 3, (0.75 + 0.4) / 4),
        "iou0.1": (2, 1, 1, 2 / 3, 2 / 3, (0.6 + 0.25) / 2, 2 / 3, (0.6 + 0.25) / 3, (0.75 + 0.4) / 4),
        "iou0.5": (1, 2, 2, 1 / 3, 1 / 3, 0.6, 1 / 3, 0.2, 0.15),
    }
    figures = ("tp", "fp", "fn", "sensitivity", "precision", "sq", "rq", "pq", "lesionwise-dice")
    for rule, expected in by_hand.items():
        assert [found[f"{rule}:{figure}"] for figure in figures] == pytest.approx(expected), rule
    assert found["voxel:dice"] == pytest.approx(10 / 16)


def test_sums_run_over_scans_before_they_are_divided():
    empty = case("b", np.zeros_like(TRUTH), np.where(PREDICTED == 7, 1, 0))
    found = values(lesion_agreement([case(), empty], FAST))
    assert (found["iou0.1:fp"], found["iou0.1:precision"]) == (2, 0.5)
    assert found["iou0.1:sensitivity"] == pytest.approx(2 / 3)
    assert found["voxel:dice"] == pytest.approx((10 / 16 + 0) / 2)


def test_no_lesion_at_all_is_null_with_a_reason():
    nothing = np.zeros_like(TRUTH)
    found = {e.name: e for e in lesion_agreement([case("a", nothing, nothing), case("b", nothing, nothing)], FAST)}
    for figure in ("sensitivity", "precision", "sq", "rq", "pq", "lesionwise-dice", "sensitivity:size<10"):
        estimate = found[f"iou0.5:{figure}"]
        assert (estimate.value, estimate.status) == (None, "not_available")
        assert estimate.reason
    assert found["iou0.5:tp"].value == 0
    assert found["voxel:dice"].reason == "there is no lesion at all"


def test_nothing_found_gives_pq_0_and_no_sq():
    found = {e.name: e for e in lesion_agreement([case(predicted=np.zeros_like(TRUTH))], FAST)}
    assert (found["overlap:pq"].value, found["overlap:rq"].value, found["overlap:sensitivity"].value) == (0, 0, 0)
    assert found["overlap:sq"].reason == "no lesion was matched"
    assert found["overlap:precision"].reason == "no lesion was predicted"


def test_more_matches_beat_more_overlap():
    over = Overlaps((1, 2), (1, 2), ((1, 1), (1, 2), (2, 1)), np.array([0.95, 0.15, 0.12]), np.zeros(3))
    assert match_overlaps(over, "iou0.1").pairs == ((1, 2, 0.15), (2, 1, 0.12))
    assert match_overlaps(over, "iou0.5").pairs == ((1, 1, 0.95),)


def test_among_as_many_matches_the_larger_sum_wins():
    over = Overlaps((1, 2), (1, 2), ((1, 1), (1, 2), (2, 1), (2, 2)), np.array([0.2, 0.5, 0.6, 0.3]), np.zeros(4))
    assert [(t, p) for t, p, _ in match_overlaps(over, "overlap").pairs] == [(1, 2), (2, 1)]


def test_an_intersection_over_union_of_exactly_the_limit_matches():
    truth, predicted = np.zeros((3, 1, 1), int), np.zeros((3, 1, 1), int)
    truth[:2], predicted[:1] = 1, 1
    assert len(match(truth, predicted, "iou0.5").pairs) == 1
    truth, predicted = np.ones((10, 1, 1), int), np.zeros((10, 1, 1), int)
    predicted[0] = 1
    assert len(match(truth, predicted, "iou0.1").pairs) == 1


def test_what_cannot_be_judged_is_neither_missed_nor_false():
    found = match_overlaps(overlaps_of(TRUTH, PREDICTED), "overlap", aside={1})
    assert (found.missed, found.false, found.set_aside, found.set_aside_predicted) == ((3,), (7,), (1,), (5,))
    unanswered = match_overlaps(overlaps_of(TRUTH, np.zeros_like(TRUTH)), "overlap", aside={1})
    assert unanswered.missed == (2, 3)


def test_maps_of_two_shapes_and_unknown_rules_are_refused():
    with pytest.raises(BadCase, match="one grid"):
        overlaps_of(TRUTH, PREDICTED[1:])
    with pytest.raises(BadSetting, match=r"did you mean 'iou0\.5'"):
        match(TRUTH, PREDICTED, "iou0.51")


def test_strata_count_only_their_own_lesions():
    one = case(diameters_mm={1: 9.0, 2: 10.0, 3: 25.0}, groups={"type=lytic": frozenset({1, 3}), "bone=rib": frozenset({2})})
    found = {e.name: e for e in lesion_agreement([one], FAST)}
    assert found["overlap:sensitivity:size<10"].value == 1
    assert found["overlap:sensitivity:size10-20"].value + found["overlap:sensitivity:size>20"].value == 1
    assert found["overlap:sensitivity:type=lytic"].events == 2
    assert found["iou0.5:sensitivity:type=lytic"].value == 0.5
    assert found["iou0.5:sensitivity:bone=rib"].value == 0


def test_the_largest_sensitivity_at_or_below_a_rate_is_told():
    first = CaseCurve(np.array([0.9, 0.6, 0.5, 0.2]), np.array([1.0, 1, 2, 2]), np.array([0.0, 1, 1, 2]), 2)
    second = CaseCurve(np.array([0.8, 0.5]), np.array([0.0, 1]), np.array([1.0, 1]), 1)
    curve = froc_of([first, second])
    false, sensitivity = curve.points()
    assert false.tolist() == [0, 0, 0.5, 1, 1, 1.5]
    assert sensitivity == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 1, 1])
    assert curve.at([0.125, 0.5, 1, 8]) == pytest.approx([1 / 3, 1 / 3, 1, 1])


def test_at_each_threshold_candidates_are_matched_anew():
    over = Overlaps((1,), (1, 2), ((1, 1), (1, 2)), np.array([0.9, 0.3]), np.array([0.95, 0.46]))
    curve = case_curve(over, {1: 0.2, 2: 0.7}, "iou0.1")
    assert curve.hits.tolist() == [1, 1]  # at 0.7 the weaker overlap stands alone and is a hit
    assert curve.false.tolist() == [0, 1]


def test_scores_make_the_froc_and_without_them_there_is_a_reason():
    scored = values(lesion_agreement([case(scores={5: 0.9, 6: 0.5, 7: 0.7})], FAST))
    assert scored["froc:sens@1/8"] == pytest.approx(1 / 3)
    assert scored["froc:sens@1"] == pytest.approx(2 / 3)
    assert scored["froc:mean"] == pytest.approx((3 / 3 + 4 * 2 / 3) / 7)
    without = {e.name: e for e in lesion_agreement([case()], FAST)}
    assert without["froc:mean"].reason == "no scores were given"


def test_an_instance_without_a_score_is_refused():
    with pytest.raises(BadInput, match="lesion 7 has no finite score"):
        lesion_agreement([case(scores={5: 0.9, 6: 0.5})], FAST)


def test_intervals_draw_patients_and_one_patient_has_none():
    many = [case(f"p{i}", predicted=PREDICTED if i % 3 else np.zeros_like(PREDICTED)) for i in range(30)]
    found = {e.name: e for e in lesion_agreement(many, FAST)}["overlap:sensitivity"]
    assert found.value == pytest.approx(4 / 9)
    assert found.low < found.value < found.high
    assert (found.n, found.events, found.status) == (30, 90, "ok")
    alone = {e.name: e for e in lesion_agreement([case()], FAST)}["overlap:sensitivity"]
    assert (alone.low, alone.reason) == (None, ONE_PATIENT)


def test_a_few_patients_are_told_with_a_caution():
    few = [case(f"p{i}", predicted=PREDICTED if i else np.zeros_like(PREDICTED)) for i in range(4)]
    found = {e.name: e for e in lesion_agreement(few, FAST)}
    assert found["overlap:sensitivity"].status == "too_few"
    assert found["overlap:sensitivity"].value == 0.5
    assert found["overlap:tp"].status == "ok"  # a count is a fact


def test_a_box_is_hit_by_a_centroid_inside_or_by_a_tenth_of_overlap():
    truth = (Box.drawn(1, (0, 0, 0), (10, 10, 10)), Box.drawn(2, (50, 0, 0), (10, 10, 10)))
    inside = Box.drawn(1, (4.9, 0, 0), (1, 1, 1))  # overlap 1 / 1000, centre inside
    beside = Box.drawn(2, (57.0, 0, 0), (10, 10, 10))  # 300 / 1700, centre outside
    far = Box.drawn(3, (59.0, 0, 0), (10, 10, 10))  # 100 / 1900
    assert box_overlaps(truth, (inside, beside, far)).pairs == ((1, 1), (2, 2))


def test_cut_boxes_are_neither_missed_nor_false_and_figures_are_by_scan():
    affine, shape = np.eye(4), (30, 30, 30)
    truth = (Box.drawn(1, (10, 10, 10), (6, 6, 6)), Box.drawn(2, (28, 10, 10), (6, 6, 6)))
    aside = frozenset(cut_boxes(truth, affine, shape))
    assert aside == {2}
    drawn = np.zeros(shape, int)
    drawn[9:12, 9:12, 9:12], drawn[27:30, 9:12, 9:12], drawn[2, 2, 2] = 1, 2, 3
    over = box_overlaps(truth, boxes_of(drawn, affine))
    found = values(lesion_agreement([LesionCase("c", "c", over, "boxes", aside=aside)], FAST))
    assert found["box:sensitivity"] == 1
    assert found["box:fp-per-case"] == 1
    assert (found["box:tp"], found["box:fn"]) == (1, 0)
    assert "overlap:tp" not in found


def test_boxes_and_maps_are_not_mixed_and_impossible_boxes_are_refused():
    over = Overlaps((), (), (), np.zeros(0), np.zeros(0))
    with pytest.raises(BadInput, match="compare them apart"):
        lesion_agreement([LesionCase("a", "a", over), LesionCase("b", "b", over, "boxes")])
    with pytest.raises(BadCase, match="edges above 0"):
        Box.drawn(3, (0, 0, 0), (1, 0, 1))
    with pytest.raises(BadInput, match="no case"):
        lesion_agreement([])


def test_readers_agree_on_type_and_size_as_computed_by_hand():
    over = Overlaps((1, 2, 3, 4), (1, 2, 3, 4), tuple((i, i) for i in range(1, 5)), np.full(4, 0.8), np.full(4, 0.9))
    first = LesionCase("a", "a", over, diameters_mm={1: 10.0, 2: 12.0, 3: 20.0, 4: 30.0})
    types = ({1: "lytic", 2: "lytic", 3: "blastic", 4: "blastic"}, {1: "lytic", 2: "blastic", 3: "blastic", 4: "blastic"})
    read = ReadCase(first, {1: 11.0, 2: 14.0, 3: 20.0, 4: 33.0}, types)
    found = values(reader_agreement("A", "B", [read], FAST))
    assert found["readers:A-B:kappa:type"] == pytest.approx((0.75 - 0.5) / 0.5)
    assert found["readers:A-B:bias:diameter"] == pytest.approx(1.5)
    spread = 1.96 * np.std([1, 2, 0, 3], ddof=1)
    assert found["readers:A-B:loa-low:diameter"] == pytest.approx(1.5 - spread)
    assert found["readers:A-B:loa-high:diameter"] == pytest.approx(1.5 + spread)
    assert found["readers:A-B:iou0.5:rq"] == 1


def test_readers_who_say_no_type_or_share_no_lesion_get_reasons():
    over = Overlaps((1,), (1,), (), np.zeros(0), np.zeros(0))
    found = {e.name: e for e in reader_agreement("A", "B", [ReadCase(LesionCase("a", "a", over, diameters_mm={1: 9.0}), {1: 9.0})], FAST)}
    assert found["readers:A-B:kappa:type"].reason == "no lesion that both mark has a type from both"
    assert found["readers:A-B:bias:diameter"].reason == "fewer than two lesions are marked by both"
    assert found["readers:A-B:bias:diameter"].unit == "mm"


def test_two_cubes_a_millimetre_apart_agree_as_computed_by_hand():
    truth, predicted = np.zeros((12, 12, 12), bool), np.zeros((12, 12, 12), bool)
    truth[3:7, 3:7, 3:7] = predicted[4:8, 3:7, 3:7] = True
    found = mask_agreement(truth, predicted, np.diag([3.0, 1.0, 1.0, 1.0]))
    assert found.dice == 0.75
    assert found.hd95_mm == 3.0
    surface = 4**3 - 2**3
    # the outermost 16 voxels of each lie 3 mm off the other; the rest of each surface lies on the other's or 1 mm beside it
    assert found.surface_dice == pytest.approx(1 - (2 * 16) / (2 * surface))
    assert found.volume_error_ml == 0


def test_an_empty_mask_has_no_distance_and_two_have_no_dice():
    full, empty = np.ones((3, 3, 3), bool), np.zeros((3, 3, 3), bool)
    one = mask_agreement(full, empty, np.eye(4))
    assert (one.dice, one.surface_dice, one.hd95_mm, one.relative_volume_error) == (0.0, 0.0, None, -1.0)
    assert one.volume_error_ml == pytest.approx(-0.027)
    both = mask_agreement(empty, empty, np.eye(4))
    assert (both.dice, both.reason) == (None, "both masks are empty")
    with pytest.raises(BadCase, match="one grid"):
        mask_agreement(full, full[1:], np.eye(4))
