"""Intervals hold the truth as often as they say, when rows of one patient resemble each other."""

import numpy as np
import pytest

from onclair.validate.discrimination import auc

COHORTS, PATIENTS, ROWS = 200, 60, 20


@pytest.fixture(scope="module")
def coverage():
    """Share of cohorts whose interval holds the true AUC of 0.5, and mean width: clustered and naive."""
    rng = np.random.default_rng(20260101)
    patients = np.repeat(np.arange(PATIENTS), ROWS)
    held, widths = np.zeros((COHORTS, 2), dtype=bool), np.zeros((COHORTS, 2))
    for i in range(COHORTS):
        # Both truth and score belong mostly to the patient and are independent of each other.
        truth = (rng.normal(size=PATIENTS)[patients] + 0.5 * rng.normal(size=patients.size) > 0).astype(int)
        score = rng.normal(size=PATIENTS)[patients] + 0.5 * rng.normal(size=patients.size)
        for j, owner in enumerate((patients, None)):
            found = auc("auc:model", truth, score, patients=owner)
            held[i, j], widths[i, j] = found.low <= 0.5 <= found.high, found.high - found.low
    return held.mean(axis=0), widths.mean(axis=0)


def test_the_clustered_interval_covers(coverage):
    assert 0.88 <= coverage[0][0] <= 0.99


def test_the_naive_interval_does_not_cover(coverage):
    assert coverage[0][1] < 0.6


def test_the_clustered_interval_is_as_wide_as_its_patients_are_few(coverage):
    assert coverage[1][0] > 0.16 > 2 * coverage[1][1]
