"""Drift: nothing is told of what chance explains, and what has moved is told by every figure."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from onclair.core.errors import BadInput
from onclair.validate.drift import MOST, cusum, input_drift, mmd, psi, psi_chance_limit


def normal(n: int, mean: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1.0, n)


def test_the_same_sample_twice_has_no_psi_and_no_distance() -> None:
    found = input_drift("age", normal(200), normal(200), psi_alert=0.1)
    assert (found.psi.value, found.ks.value, found.ks_p, found.alert) == (0.0, 0.0, 1.0, False)


def test_psi_of_two_normals_is_that_of_ten_classes_by_hand() -> None:
    old, new = normal(1000), normal(800, 0.5, seed=1)
    cuts = np.quantile(old, np.arange(1, 10) / 10)
    p, q = ((np.histogram(x, [-np.inf, *cuts, np.inf])[0] + 0.5) / (x.size + 5) for x in (old, new))
    assert psi("psi:x", old, new).value == pytest.approx(float(((q - p) * np.log(q / p)).sum()), rel=1e-12)


def test_a_moved_input_is_told_and_an_unmoved_one_is_not() -> None:
    assert input_drift("x", normal(500), normal(200, 1.0, seed=1), psi_alert=0.25).alert
    assert not input_drift("x", normal(500), normal(200, 0.0, seed=1), psi_alert=0.25).alert


def test_few_patients_raise_no_alarm_however_far_they_seem() -> None:
    found = input_drift("x", normal(500), normal(10, 3.0, seed=1), psi_alert=0.1)
    assert (found.psi.status, found.alert) == ("too_few", False)
    assert found.psi.value > 1


def test_psi_within_what_chance_gives_raises_no_alarm_though_beyond_the_declared_limit() -> None:
    found = input_drift("x", normal(500), normal(30, 0.0, seed=3), psi_alert=0.1)
    assert 0.1 < found.psi.value < found.psi_limit
    assert not found.alert


def test_the_chance_limit_holds_about_nineteen_times_in_twenty() -> None:
    old, limit = normal(2000), psi_chance_limit(normal(2000), 200)
    rng = np.random.default_rng(7)
    passed = np.mean([psi("psi:x", rng.normal(size=2000), rng.normal(size=200)).value > limit for _ in range(300)])
    assert 0.02 < passed < 0.09
    assert old.size == 2000


def test_values_of_a_few_levels_are_their_own_classes() -> None:
    assert psi("psi:x", [0, 1] * 50, [0, 1] * 30).value == pytest.approx(0.0, abs=1e-12)
    assert psi("psi:x", [1] * 100, [1] * 100).value == 0.0


def test_mmd_is_the_unbiased_estimate_by_pairs() -> None:
    old, new = normal(12), normal(9, 1.0, seed=1)
    pooled = np.concatenate([old, new])
    width = np.median(np.abs(pooled[:, None] - pooled)[np.triu_indices(21, 1)])

    def kernel(a: float, b: float) -> float:
        return float(np.exp(-((a - b) ** 2) / (2 * width**2)))

    own = [np.mean([kernel(a, b) for i, a in enumerate(s) for j, b in enumerate(s) if i != j]) for s in (old, new)]
    across = np.mean([kernel(a, b) for a in old for b in new])
    assert mmd("mmd:x", old, new)[0].value == pytest.approx(own[0] + own[1] - 2 * across, abs=1e-12)


def test_the_p_value_of_mmd_is_uniform_when_nothing_moved_and_small_when_it_did() -> None:
    rng = np.random.default_rng(5)
    p = [mmd("mmd:x", rng.normal(size=30), rng.normal(size=30), permutations=99, seed=i)[1] for i in range(120)]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert mmd("mmd:x", normal(60), normal(60, 1.5, seed=1))[1] == pytest.approx(1 / 200)


def test_mmd_depends_on_its_seed_alone() -> None:
    old, new = normal(40), normal(40, 0.4, seed=1)
    assert mmd("mmd:x", old, new, seed=3) == mmd("mmd:x", old, new, seed=3)
    assert mmd("mmd:x", old, new, seed=3)[1] != mmd("mmd:x", old, new, seed=4)[1]


def test_a_large_sample_is_represented_by_values_drawn_from_it_and_that_is_said() -> None:
    large, new = normal(MOST * 20), normal(400, 0.5, seed=1)
    found = [mmd("mmd:x", old, new)[0] for old in (large, large[:MOST])]
    assert found[0].value == pytest.approx(found[1].value, abs=0.04)
    assert ["500 values drawn at random" in each.method for each in found] == [True, False]


def test_the_p_value_of_mmd_is_uniform_beyond_the_sizes_that_are_thinned() -> None:
    rng = np.random.default_rng(6)
    p = [mmd("mmd:x", rng.normal(size=2000), rng.normal(size=2000), permutations=19, seed=i)[1] for i in range(24)]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert min(p) < 0.2


@pytest.mark.parametrize(("old", "new"), [([0] * 50, [1] * 50), ([0] * 50, [-1] * 50), ([0, 2] * 25, [1] * 50), ([5] * 50, range(50))])
def test_a_value_that_the_reference_never_had_is_told(old: list[int], new: list[int]) -> None:
    found = input_drift("x", old, new, psi_alert=0.25)
    assert found.alert
    assert found.ks_p < 0.01


@pytest.mark.parametrize("to", [-1.0, 1.0])
def test_a_value_that_fills_the_reference_is_its_own_class_among_many(to: float) -> None:
    old = np.append(np.zeros(950), normal(50))
    assert input_drift("x", old, np.full(60, to * 0.001), psi_alert=0.25).alert
    assert not input_drift("x", old, np.append(np.zeros(95), normal(5, seed=2)), psi_alert=0.25).alert


def test_counts_that_have_not_moved_seldom_raise_an_alarm() -> None:
    rng = np.random.default_rng(3)
    drifts = [input_drift("x", rng.poisson(2.0, 200), rng.poisson(2.0, 60), psi_alert=0.0) for _ in range(120)]
    assert np.mean([drift.alert for drift in drifts]) < 0.09


def test_all_values_alike_have_no_distance() -> None:
    found, p = mmd("mmd:x", [3.0] * 10, [3.0] * 10)
    assert (found.value, p) == (0.0, 1.0)


def test_without_values_there_is_a_reason_and_no_figure() -> None:
    found = input_drift("x", normal(50), [], psi_alert=0.1)
    assert [e.status for e in (found.psi, found.ks, found.mmd)] == ["not_available"] * 3
    assert found.psi.reason == "what came since holds no value"


def test_values_that_are_no_number_are_refused() -> None:
    with pytest.raises(BadInput, match="'age' holds 1 values"):
        input_drift("age", normal(30), [1.0, float("nan")], psi_alert=0.1)


def test_the_running_sum_tells_when_it_first_passed_its_limit_either_way() -> None:
    assert cusum([0, 0, 0], [0.5, 0.4, 0.3], limit=0.8).crossed_at == 2
    assert cusum([1, 0], [0.5, 0.5], limit=0.8).crossed_at is None
    assert cusum([1, 1], [0.1, 0.1]).crossed_at is None
    assert cusum([], [], limit=1.0).path == ()
