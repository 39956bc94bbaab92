"""Optimism and instability: the whole pipeline refitted, patients drawn whole, and no slope from its own rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadCohort, BadInput, BadSetting
from onclair.learn.estimators import Logistic
from onclair.learn.instability import instability
from onclair.learn.optimism import AUC, BRIER, CITL, SLOPE, Merit, corrected, plus632
from onclair.learn.pipeline import FittedPrevalence, Pipeline, Prevalence
from onclair.learn.refits import Refits, refits
from onclair.learn.selection import Selection
from onclair.science.statistics.glm import logistic, with_intercept


@dataclass(frozen=True)
class Plain:
    """Logistic regression without a penalty: in its own rows its calibration slope is 1."""

    name: str = "plain"

    def fit(self, features, truth, rng):
        fit = logistic(with_intercept(features.to_numpy()), truth)
        if not fit.ok:
            raise BadCohort(f"The model cannot be fitted: {fit.reason}.")
        return PlainFit(tuple(fit.coefficients))


@dataclass(frozen=True)
class PlainFit:
    beta: tuple

    def risk(self, features):
        return 1 / (1 + np.exp(-(with_intercept(features.to_numpy()) @ np.array(self.beta))))


def cohort(n=120, p=4, signal=1.0, seed=0, rows=1):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, p))
    y = (draw.random(n) < 1 / (1 + np.exp(-signal * x[:, 0]))).astype(float)
    index = pd.MultiIndex.from_product([[f"P{i:03d}" for i in range(n)], range(rows)])
    spread = np.repeat(x, rows, axis=0) + draw.normal(size=(n * rows, p)) * (0.3 if rows > 1 else 0)
    return pd.DataFrame(spread, index=index, columns=[f"x{j}" for j in range(p)]), np.repeat(y, rows)


@pytest.fixture(scope="module")
def plain():
    return refits(Plain(), *cohort(), replicates=120)


def test_the_corrected_slope_is_the_mean_slope_of_the_refitted_models(plain):
    other = [SLOPE.of(plain.truth, risk) for risk in plain.risks]
    found = corrected(plain, SLOPE)
    assert found.corrected.value == pytest.approx(np.mean(other), abs=1e-6)
    assert 0.6 < found.corrected.value < 1.0


@pytest.mark.parametrize("merit", [SLOPE, CITL])
def test_a_figure_that_is_right_by_construction_is_never_shown_from_its_own_rows(plain, merit):
    assert merit.of(plain.truth, plain.risk) == pytest.approx(1.0 if merit is SLOPE else 0.0, abs=1e-6)
    found = corrected(plain, merit)
    for estimate in (found.apparent, found.plus632):
        assert (estimate.status, estimate.value) == ("not_available", None)
        assert "right by construction" in estimate.reason
    assert found.corrected.low is None
    assert "no interval" in found.corrected.reason


def test_harrells_correction_is_apparent_minus_the_mean_difference(plain):
    own, other = [], []
    for risk, drawn in zip(plain.risks, plain.drawn, strict=True):
        rows = np.repeat(np.arange(120), drawn[plain.who])
        own.append(float(AUC.of(plain.truth[rows], risk[rows])))
        other.append(float(AUC.of(plain.truth, risk)))
    found = corrected(plain, AUC)
    assert found.optimism.value == pytest.approx(np.mean(np.array(own) - other))
    assert found.corrected.value == pytest.approx(found.apparent.value - found.optimism.value)
    ends = np.quantile(own, [0.025, 0.975]) - found.optimism.value
    assert (found.corrected.low, found.corrected.high) == pytest.approx(tuple(ends))


def test_the_correction_comes_near_to_what_new_patients_show():
    fresh, outcome = cohort(6000, 8, seed=77)
    gaps = []
    for seed in range(8):
        rows, truth = cohort(100, 8, seed=seed)
        found = corrected(refits(Plain(), rows, truth, replicates=40), AUC)
        real = float(AUC.of(outcome, Plain().fit(rows, truth, None).risk(fresh)))
        gaps.append((found.apparent.value - real, found.corrected.value - real, found.plus632.value - real))
    apparent, harrell, plus = np.mean(gaps, axis=0)
    assert apparent > 0.04
    assert abs(harrell) < 0.025
    assert abs(plus) < 0.025


def test_selection_inside_the_pipeline_is_repeated_and_its_optimism_seen():
    rows, truth = cohort(60, 80, signal=0.0)
    learner = Pipeline("best five", Logistic(), Selection(k=5))
    found = corrected(refits(learner, rows, truth, replicates=20), AUC)
    assert found.apparent.value > 0.85
    assert found.plus632.value < 0.68
    assert found.corrected.value < found.apparent.value - 0.08


@pytest.mark.parametrize(
    ("apparent", "outside", "chance", "expected"),
    [
        (0.0, 0.5, 0.5, 0.5),
        (0.1, 0.3, 0.5, 0.1 + 0.632 / (1 - 0.368 * 0.5) * 0.2),
        (0.2, 0.1, 0.5, 0.368 * 0.2 + 0.632 * 0.1),
        (0.1, 0.7, 0.5, 0.5),
    ],
)
def test_the_632plus_rule_by_hand(apparent, outside, chance, expected):
    assert plus632(apparent, outside, chance) == pytest.approx(expected)


def test_a_figure_of_which_less_is_better_is_corrected_upwards(plain):
    found = corrected(plain, BRIER)
    assert found.apparent.value < found.corrected.value < 0.3
    assert found.apparent.value < found.plus632.value < 0.3


def test_patients_are_drawn_with_all_their_rows():
    rows, truth = cohort(30, rows=5)
    found = refits(Plain(), rows, truth, replicates=8)
    assert (found.patients, found.drawn.shape) == (30, (8, 30))
    outside = found.drawn[0][found.who] == 0
    assert (outside.reshape(30, 5).all(axis=1) == outside.reshape(30, 5).any(axis=1)).all()


def test_a_patient_drawn_twice_keeps_one_name_inside_the_pipeline():
    seen = []

    @dataclass(frozen=True)
    class Looks:
        name: str = "looks"

        def fit(self, features, truth, rng):
            seen.append(features.index.get_level_values(0))
            return FittedPrevalence(0.5)

    rows, truth = cohort(20, rows=2)
    refits(Looks(), rows, truth, replicates=3)
    assert [len(names) for names in seen] == [40, 40, 40, 40]
    assert all(set(names) <= set(seen[0]) and names.nunique() < 20 for names in seen[1:])


def backwards(function, units):
    return reversed([function(unit) for unit in reversed(list(units))])


def test_the_order_of_work_does_not_matter():
    rows, truth = cohort(40)
    learner = Pipeline("m", Logistic(), Selection(k=2))
    one, other = (refits(learner, rows, truth, replicates=6, map=m) for m in (map, backwards))
    assert np.array_equal(one.risks, other.risks)
    assert np.array_equal(one.drawn, other.drawn)


def test_a_longer_bootstrap_begins_with_the_shorter():
    rows, truth = cohort(40)
    assert np.array_equal(refits(Plain(), rows, truth, replicates=5).risks, refits(Plain(), rows, truth, replicates=9).risks[:5])


def test_samples_that_cannot_be_trained_on_are_counted_not_raised():
    rows, _ = cohort(12)
    found = refits(Plain(), rows[["x0"]], np.array([1.0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), replicates=30)
    assert 0 < len(found.failures) < 30
    assert "could not be trained" in corrected(found, AUC).corrected.method
    assert found.replicates == 30 - len(found.failures)


def test_where_nothing_could_be_trained_there_is_a_reason_and_no_figure():
    empty = Refits(
        "m", np.array([0.0, 1.0]), np.arange(2), np.array([0.2, 0.7]), np.full((3, 2), np.nan), np.ones((3, 2), int), ("no",) * 3
    )
    assert [e.status for e in corrected(empty, AUC).estimates] == ["not_available"] * 4
    assert instability(empty).mean.reason == "none of the 3 bootstrap samples could be trained on"


def test_instability_is_the_mean_absolute_difference_from_the_original_model(plain):
    found = instability(plain)
    assert found.mape == pytest.approx(np.mean(np.abs(plain.risks - plain.risk), axis=0))
    assert found.mean.value == pytest.approx(found.mape.mean())
    assert found.low == pytest.approx(np.quantile(plain.risks, 0.025, axis=0))
    assert ((found.low <= found.high) & (found.changed(0.5) <= 1)).all()


def test_in_instability_each_patient_weighs_the_same():
    who = np.array([0, 0, 0, 1])
    one = Refits("m", np.ones(4), who, np.full(4, 0.5), np.array([[0.6, 0.6, 0.6, 0.9]]), np.ones((1, 2), int))
    assert instability(one).mean.value == pytest.approx((0.1 + 0.4) / 2)


def test_more_patients_make_risks_stabler():
    few, many = (instability(refits(Plain(), *cohort(n), replicates=40)).mean.value for n in (60, 600))
    assert many < few / 2


def test_a_share_of_models_puts_a_patient_on_the_other_side_of_a_threshold():
    one = Refits("m", np.array([1.0]), np.array([0]), np.array([0.5]), np.array([[0.6], [0.2], [0.1], [0.7]]), np.ones((4, 1), int))
    assert instability(one).changed(0.4).tolist() == [0.5]
    with pytest.raises(BadSetting, match="threshold 1"):
        instability(one).changed(1.0)


def test_what_cannot_be_bootstrapped_is_refused():
    rows, truth = cohort(10)
    with pytest.raises(BadSetting, match="0 replicates"):
        refits(Prevalence(), rows, truth, replicates=0)
    with pytest.raises(BadInput, match="one truth a row"):
        refits(Prevalence(), rows, truth[:3])
    with pytest.raises(BadInput, match="two or more; found 1"):
        refits(Prevalence(), rows.iloc[:1], truth[:1])
    with pytest.raises(BadSetting, match="write 'higher' or 'lower'"):
        Merit("auc", AUC.of, "more")


def test_events_are_patients_as_n_is_not_rows():
    rows, truth = cohort(30, rows=5)
    found = refits(Prevalence(), rows, truth, replicates=4)
    assert found.events == int(truth.reshape(30, 5)[:, 0].sum())
    assert all(e.events == found.events <= e.n == 30 for e in (*corrected(found, AUC).estimates, instability(found).mean))


def test_a_patient_with_one_event_among_its_rows_is_one_event():
    found = Refits("m", np.array([0.0, 1, 0, 0]), np.array([0, 0, 1, 1]), np.full(4, 0.5), np.full((1, 4), 0.5), np.ones((1, 2), int))
    assert found.events == 1


@pytest.mark.parametrize("merit", [AUC, BRIER, SLOPE])
def test_a_figure_without_interval_says_why(plain, merit):
    found = (*corrected(plain, merit).estimates, instability(plain).mean)
    assert all(e.reason for e in found if e.low is None)
    assert "no interval" in found[1].reason


def test_one_sample_gives_no_interval_and_the_reason_is_the_sample_not_the_figure():
    found = refits(Plain(), *cohort(), replicates=1)
    assert corrected(found, AUC).corrected.reason == "no interval: it takes two bootstrap samples with this figure"


def test_an_interval_that_does_not_hold_its_figure_is_not_stretched():
    truth, who = np.array([0.0, 0, 1, 1]), np.arange(4)
    risks = np.array([[0.1, 0.2, 0.8, 0.9], [0.1, 0.3, 0.7, 0.9]])  # right about everyone, where the original model is not
    found = corrected(Refits("m", truth, who, np.array([0.1, 0.6, 0.4, 0.9]), risks, np.ones((2, 4), int)), AUC).corrected
    assert (found.value, found.low, found.high) == (0.75, 1.0, 1.0)
    assert "does not hold the figure" in found.reason


def test_an_interval_that_misses_its_figure_by_rounding_alone_holds_it():
    truth, who, risk = np.array([0.0, 0, 1, 1]), np.arange(4), np.array([0.1, 0.2, 0.8, 0.9])
    found = corrected(Refits("m", truth, who, risk, np.array([risk, risk]), np.ones((2, 4), int)), BRIER)
    assert found.corrected.reason is None
