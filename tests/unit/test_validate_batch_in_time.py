"""Concordance within batches, beside a count by hand and a jackknife by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.validate.batch_in_time import within_batch_harrell
from onclair.validate.followed import followed_rows
from onclair.validate.survival.ranking import harrell


def _made(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    batch = rng.integers(3, size=n)
    score = rng.standard_normal(n) + batch
    time = np.ceil(10 * rng.exponential(np.exp(-0.5 * score))) / 10
    return time, (rng.random(n) < 0.7).astype(int), score.round(1), batch


def _counted(time: np.ndarray, event: np.ndarray, score: np.ndarray, batch: np.ndarray, weight: np.ndarray) -> float:
    agree = pairs = 0.0
    for i in range(time.size):
        for j in range(time.size):
            later = time[j] > time[i] or (time[j] == time[i] and not event[j])
            if batch[i] == batch[j] and event[i] and i != j and later:
                pairs += weight[i] * weight[j]
                agree += weight[i] * weight[j] * (1.0 if score[i] > score[j] else 0.5 if score[i] == score[j] else 0.0)
    return agree / pairs


def test_it_counts_the_pairs_of_a_batch_and_no_others() -> None:
    made = _made(40, 1)
    found = within_batch_harrell("harrell:model:within-batch", followed_rows(*made[:3]), made[3])
    assert found.value == pytest.approx(_counted(*made, np.ones(40)), abs=1e-12)


def test_its_error_is_the_infinitesimal_jackknife_of_that_count() -> None:
    made, step = _made(30, 2), 1e-5
    slopes = [(_counted(*made, 1 + step * np.eye(30)[i]) - _counted(*made, 1 - step * np.eye(30)[i])) / (2 * step) for i in range(30)]
    found = within_batch_harrell("harrell:model:within-batch", followed_rows(*made[:3]), made[3])
    assert found.se == pytest.approx(np.sqrt(np.sum(np.square(slopes))), rel=1e-6)


def test_one_batch_is_plain_concordance() -> None:
    time, event, score, _ = _made(50, 3)
    rows = followed_rows(time, event, score)
    whole, within = harrell("harrell:model", rows), within_batch_harrell("harrell:model", rows, ["a"] * 50)
    assert (within.value, within.low, within.high) == (pytest.approx(whole.value), pytest.approx(whole.low), pytest.approx(whole.high))


def test_a_score_that_is_the_batch_ranks_nobody_within_it() -> None:
    time, event, _, batch = _made(60, 4)
    found = within_batch_harrell("harrell:model:within-batch", followed_rows(time, event, batch), batch)
    assert found.value == 0.5


def test_batches_of_one_patient_each_have_no_pair_and_a_row_without_batch_is_refused() -> None:
    rows = followed_rows([1.0, 2.0], [1, 1], [2.0, 1.0])
    assert within_batch_harrell("harrell:model", rows, ["a", "b"]).reason == "no batch holds two patients who can be compared"
    with pytest.raises(BadInput, match="1 batches were named for 2 rows"):
        within_batch_harrell("harrell:model", rows, ["a", None])
