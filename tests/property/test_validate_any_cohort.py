"""Whatever the cohort, each figure is there, in order, with a reason where it is missing."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onclair.core.estimate import estimate_from_dict
from onclair.validate.discrimination import auc, auc_difference
from onclair.validate.operating_points import operating_points
from onclair.validate.record import Asked, Claim, judge

row = st.tuples(st.integers(0, 1), st.integers(0, 10), st.integers(-3, 3), st.integers(0, 4), st.integers(0, 1))
cohorts = st.lists(row, min_size=1, max_size=25).map(lambda rows: np.array(rows, dtype=float).T)


@given(cohorts)
@settings(max_examples=150, deadline=None)
def test_every_figure_of_any_cohort_is_a_value_or_a_reason(cohort):
    truth, tenths, score, patients, centres = cohort
    claims = {"model": Claim(tenths / 10), "rival:volume": Claim(score, kind="score")}
    for owner in (None, patients):
        found = judge(truth, claims, patients=owner, centres=centres, asked=Asked(thresholds=(0.3,), replicates=3))
        for e in found.estimates:
            assert e.status == "ok" or e.reason
            assert (e.low is None) == (e.high is None)
            assert e.low is not None or e.reason
            assert e.value is None or math.isfinite(e.value)
            assert estimate_from_dict(json.loads(json.dumps(e.as_dict()))) == e
        for curve in found.curves:
            assert curve.x or curve.reason


@given(cohorts)
@settings(max_examples=100, deadline=None)
def test_shares_and_areas_lie_within_their_intervals_and_the_unit_range(cohort):
    truth, tenths, _, patients, _ = cohort
    for owner in (None, patients):
        for e in [auc("auc:model", truth, tenths, patients=owner), *operating_points("model", truth, tenths / 10, [0.5], patients=owner)]:
            if e.low is not None:
                assert -1e-12 <= e.low <= e.value + 1e-12
                assert e.value - 1e-12 <= e.high
                assert e.high <= 1 + 1e-12 or e.name.startswith("lr_")


@given(cohorts)
@settings(max_examples=60, deadline=None)
def test_the_difference_is_that_of_the_two_figures(cohort):
    truth, a, b, patients, _ = cohort
    found = auc_difference("auc:a-minus-b", truth, a, b, patients=patients)
    if found.value is not None:
        assert found.value == pytest.approx(auc("auc:a", truth, a).value - auc("auc:b", truth, b).value, abs=1e-12)
