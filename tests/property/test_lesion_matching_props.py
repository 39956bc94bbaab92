"""One-to-one matching against two oracles of scipy, and what may not change when maps are turned, renumbered or exchanged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, sparse

from onclair.validate.lesion_matching import RULES, Overlaps, match, match_overlaps, overlaps_of
from onclair.validate.lesion_ratios import Drawing
from onclair.validate.lesions import LesionCase, lesion_agreement
from onclair.validate.masks import dice, mask_agreement

ONCE = Drawing(replicates=2)


@st.composite
def graphs(draw):
    n, m = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    cells = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, m - 1)), unique=True, min_size=1, max_size=20))
    iou = draw(st.lists(st.integers(1, 100), min_size=len(cells), max_size=len(cells)))
    numbers = tuple(range(1, n + 1)), tuple(range(11, m + 11))
    pairs = tuple((i + 1, j + 11) for i, j in cells)
    return Overlaps(*numbers, pairs, np.array(iou) / 100, np.array(iou) / 100)


@st.composite
def maps(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shape = (8, 7, 4)
    truth, predicted = np.zeros(shape, int), np.zeros(shape, int)
    for values in (truth, predicted):
        for number in range(1, draw(st.integers(0, 5)) + 1):
            low = rng.integers(0, [6, 5, 3])
            high = low + rng.integers(1, 4, 3)
            values[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = number
    return truth, predicted


def best_sum(pairs, iou, size):
    """The largest sum of `size` pairs of which no two share an end, by integer programming."""
    ends = sorted({(side, pair[side]) for pair in pairs for side in (0, 1)})
    used = np.array([[pair[side] == number for pair in pairs] for side, number in ends], dtype=float)
    limits = [optimize.LinearConstraint(used, -np.inf, 1), optimize.LinearConstraint(np.ones((1, len(pairs))), size, size)]
    found = optimize.milp(-iou, constraints=limits, integrality=np.ones(len(pairs)), bounds=optimize.Bounds(0, 1))
    return -found.fun


@given(graphs(), st.sampled_from(sorted(RULES)))
def test_there_are_as_many_matches_as_can_be_and_then_the_largest_sum(over, rule):
    found = match_overlaps(over, rule)
    kept = [i for i, iou in enumerate(over.iou) if iou >= RULES[rule]]
    adjacency = np.zeros((8, 20), bool)
    for i in kept:
        adjacency[over.pairs[i]] = True
    most = int((sparse.csgraph.maximum_bipartite_matching(sparse.csr_matrix(adjacency), perm_type="column") >= 0).sum())
    assert len(found.pairs) == most
    if most:
        assert sum(iou for _, _, iou in found.pairs) == pytest.approx(best_sum([over.pairs[i] for i in kept], over.iou[kept], most))
    assert len({t for t, _, _ in found.pairs}) == len({p for _, p, _ in found.pairs}) == most
    assert len(found.missed) + most == len(over.truth)
    assert len(found.false) + most == len(over.predicted)


@given(maps())
def test_overlaps_are_those_of_each_pair_counted_alone(pair):
    truth, predicted = pair
    over = overlaps_of(truth, predicted)
    assert set(over.pairs) == {(t, p) for t in over.truth for p in over.predicted if ((truth == t) & (predicted == p)).any()}
    for (t, p), iou, two in zip(over.pairs, over.iou, over.dice, strict=True):
        a, b = truth == t, predicted == p
        assert iou == (a & b).sum() / (a | b).sum()
        assert two == pytest.approx(dice(a, b))


@given(maps(), st.sampled_from(sorted(RULES)))
def test_turning_or_renumbering_maps_changes_no_figure(pair, rule):
    truth, predicted = pair
    found = match(truth, predicted, rule)
    turned = match(truth[::-1].transpose(2, 0, 1), predicted[::-1].transpose(2, 0, 1), rule)
    renumbered = match(truth, np.where(predicted > 0, 50 - predicted, 0), rule)
    for other in (turned, renumbered):
        assert len(other.pairs) == len(found.pairs)
        assert sum(iou for _, _, iou in other.pairs) == pytest.approx(sum(iou for _, _, iou in found.pairs))


@given(maps())
def test_exchanging_truth_and_prediction_swaps_sensitivity_and_precision_and_keeps_pq(pair):
    truth, predicted = pair
    there, back = (
        {e.name: e.value for e in lesion_agreement([LesionCase("a", "a", overlaps_of(*maps_))], ONCE)}
        for maps_ in ((truth, predicted), (predicted, truth))
    )
    for rule in RULES:
        assert there[f"{rule}:sensitivity"] == back[f"{rule}:precision"]
        assert there[f"{rule}:pq"] == pytest.approx(back[f"{rule}:pq"]) if there[f"{rule}:pq"] is not None else back[f"{rule}:pq"] is None


@given(maps())
def test_pq_is_the_product_of_sq_and_rq(pair):
    found = {e.name: e.value for e in lesion_agreement([LesionCase("a", "a", overlaps_of(*pair))], ONCE)}
    for rule in RULES:
        if found[f"{rule}:sq"] is not None:
            assert found[f"{rule}:pq"] == pytest.approx(found[f"{rule}:sq"] * found[f"{rule}:rq"])


@given(maps())
def test_mask_figures_are_symmetric_and_a_mask_agrees_with_itself(pair):
    truth, predicted = pair
    affine = np.diag([0.8, 0.8, 2.5, 1.0])
    there, back = mask_agreement(truth, predicted, affine), mask_agreement(predicted, truth, affine)
    assert (there.dice, there.hd95_mm, there.volume_error_ml) == (back.dice, back.hd95_mm, -back.volume_error_ml)
    assert there.surface_dice == back.surface_dice
    if truth.any():
        own = mask_agreement(truth, truth, affine)
        assert (own.dice, own.surface_dice, own.hd95_mm) == (1.0, 1.0, 0.0)
