"""The rules of the audit, on made figures and made scores."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.estimate import Estimate, not_available
from onclair.validate.confounds import nuisance_correlation
from onclair.validate.replication import BatchFigures, explained_by_batch, follows, replication, sentence
from onclair.validate.truths import Binary, Timed, folded, rival

ENOUGH = (120, 120)


def estimate(value: float, low: float, high: float, name: str = "auc:model") -> Estimate:
    return Estimate(name, value, low=low, high=high)


def test_a_score_that_is_volume_in_disguise_follows_volume() -> None:
    rng = np.random.default_rng(1)
    volume = rng.lognormal(size=240)
    truth = (rng.uniform(size=240) < 1 / (1 + np.exp(-np.log(volume)))).astype(float)
    score = np.log(volume) + 0.1 * rng.normal(size=240)
    _, apart = rival(Binary(truth), "volume", score, volume)
    assert follows(nuisance_correlation("spearman:model:volume", score, volume), apart)


def test_a_score_that_adds_to_volume_does_not_follow_it_however_close() -> None:
    assert not follows(Estimate("spearman:model:volume", 0.95), estimate(0.05, 0.01, 0.09))


def test_a_correlation_below_the_bound_explains_nothing() -> None:
    assert not follows(Estimate("spearman:model:volume", 0.79), estimate(0.0, -0.1, 0.1))


def test_only_a_positive_correlation_counts_against_ones_own_shuffled_copy() -> None:
    against = Estimate("spearman:model:shuffled-voxels", -0.9)
    level = estimate(0.0, -0.1, 0.1)
    assert follows(against, level)
    assert not follows(against, level, signed=True)


def test_a_difference_that_rounding_left_above_zero_is_zero() -> None:
    assert follows(Estimate("spearman:model:shuffled-voxels", 1.0), estimate(1e-17, 1e-18, 1e-16))


def test_a_figure_that_vanishes_within_batches_hangs_on_the_batch() -> None:
    pooled, within = estimate(0.7, 0.63, 0.77), estimate(0.53, 0.44, 0.62)
    batch = BatchFigures("centre", within, Estimate("cramers_v:batch:centre", 0.4))
    assert explained_by_batch(pooled, [batch]) == ("centre",)
    assert explained_by_batch(estimate(0.55, 0.48, 0.62), [batch]) == ()


def test_an_aliased_batch_explains_whatever_the_figures_within_it() -> None:
    alone = not_available("auc:model:within-batch", "no batch holds both")
    assert explained_by_batch(estimate(0.7, 0.6, 0.8), [BatchFigures("centre", alone, Estimate("cramers_v:batch:centre", 0.95))]) == (
        "centre",
    )


def test_a_batch_that_no_table_declares_decides_nothing() -> None:
    batch = BatchFigures("voxel_size", estimate(0.6, 0.4, 0.8), Estimate("cramers_v:batch:voxel_size", 0.2), declared=False)
    assert explained_by_batch(estimate(0.7, 0.6, 0.8), [batch]) == ()


@pytest.mark.parametrize(
    ("counts", "figure", "reported", "said"),
    [
        (ENOUGH, estimate(0.7, 0.62, 0.78), (0.6, 0.7), "replicated"),
        (ENOUGH, estimate(0.7, 0.62, 0.78), None, "replicated"),
        (ENOUGH, estimate(0.7, 0.62, 0.78), (0.79, 0.9), "not_replicated"),
        (ENOUGH, estimate(0.55, 0.48, 0.62), (0.5, 0.7), "not_replicated"),
        (ENOUGH, estimate(0.2, 0.1, 0.3), None, "not_replicated"),
        ((99, 500), estimate(0.7, 0.62, 0.78), None, "insufficient"),
        ((500, 99), estimate(0.7, 0.62, 0.78), None, "insufficient"),
        (ENOUGH, None, None, "not_replicable"),
        ((19, 32), None, None, "not_replicable"),
    ],
)
def test_replication_by_events_bound_and_reported_interval(
    counts: tuple[int, int], figure: Estimate | None, reported: tuple[float, float] | None, said: str
) -> None:
    assert replication(counts, figure, reported) == said


def test_the_sentence_names_what_is_measured_or_what_is_lacking() -> None:
    counts = {"events": 19, "non_events": 32}
    told = sentence("m", {"replication": "insufficient", "explained_by": ("volume", "batch"), **counts})
    assert told.startswith("19 events and 32 non-events are too few")
    assert "lesion volume and which scanner" in told
    lacking = sentence("m", {"replication": "not_replicable", "explained_by": (), "missing": ("feature.x.mean",), **counts})
    assert "does not say feature.x.mean" in lacking


def test_copies_of_a_score_over_time_are_averaged() -> None:
    rows = Timed(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 1.0, 1.0, 0.0]))
    right, wrong = np.array([4.0, 3.0, 2.0, 1.0]), np.array([1.0, 2.0, 3.0, 4.0])
    assert rows.ranks("harrell:model", np.stack([right, wrong])).value == pytest.approx(0.5)
    assert rows.gains("harrell:model-minus-b", right, np.stack([right, wrong])).value == pytest.approx(0.5)
    assert (rows.events, rows.non_events) == (3, 1)


def test_a_rival_is_turned_to_its_better_side_in_time_too() -> None:
    rows = Timed(np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4))
    alone, apart = rival(rows, "volume", [4, 3, 2, 1], [1, 2, 3, 4])
    assert (alone.name, alone.value, apart.value) == ("harrell:rival:volume", 1.0, 0.0)


def test_a_figure_above_one_half_is_not_folded() -> None:
    found = estimate(0.7, 0.6, 0.8)
    assert folded(found) is found
