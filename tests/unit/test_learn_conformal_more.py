"""Prediction sets and intervals: quantiles by hand, MAPIE's answers, groups too small, exchangeability, and the risk-coverage curve."""

import numpy as np
import pytest
from scipy import stats

from onclair.core.errors import BadInput, BadModelFile, BadSetting
from onclair.io.models import ModelRecord, load_model, save_model
from onclair.learn.conformal import (
    Conformal,
    ConformalIntervals,
    PredictionSets,
    SetRule,
    Threshold,
    aurc,
    conformal_model,
    conformal_of,
    coverage,
    coverage_law,
    exchangeable_by_centre,
    prediction_sets,
    quantile_intervals,
    residual_intervals,
    risk_coverage,
    threshold,
    worst_of_each,
)


def three_classes(n=400, seed=3, temperature=1.0, spread=1.5):
    draw = np.random.default_rng(seed)
    logits = draw.normal(size=(n, 3)) * spread
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([draw.choice(3, p=p) for p in true])
    said = np.exp(logits * temperature)
    return said / said.sum(axis=1, keepdims=True), truth


class Says:
    """A classifier of scikit-learn's manners that gives the risks it was handed, for MAPIE."""

    _estimator_type = "classifier"

    def __init__(self, risks):
        self.risks, self.classes_ = risks, np.arange(risks.shape[1])

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        from sklearn.dummy import DummyClassifier

        return DummyClassifier().__sklearn_tags__()

    def get_params(self, deep=True):
        return {"risks": self.risks}

    def predict_proba(self, X):
        return self.risks[np.asarray(X)[:, 0].astype(int)]

    def predict(self, X):
        return self.predict_proba(X).argmax(axis=1)


class Draws:
    """The uniform numbers that MAPIE draws with this seed, each time anew."""

    def random(self, n):
        return np.random.RandomState(5).uniform(size=n)


def mapie_sets(risks, truth, calibrate, misfit):
    from mapie.classification import SplitConformalClassifier

    rows = np.arange(len(risks))[:, None]
    found = SplitConformalClassifier(Says(risks), confidence_level=0.9, conformity_score=misfit, prefit=True, random_state=5)
    found.conformalize(rows[:calibrate], truth[:calibrate])
    options = {"include_last_label": "randomized"} if misfit == "aps" else {}
    return found.predict_set(rows[calibrate:], conformity_score_params=options)[1][:, :, 0]


@pytest.mark.parametrize(("misfit", "theirs"), [("lac", "lac"), ("aps-randomised", "aps")])
def test_sets_over_three_classes_are_those_of_mapie(misfit, theirs):
    risks, truth = three_classes(temperature=1.7)
    ours = prediction_sets(risks[:251], truth[:251], np.arange(251), SetRule(0.1, misfit), rng=Draws()).sets(risks[251:], rng=Draws())
    assert 0.1 < ours.mean() < 0.9
    assert np.array_equal(ours, mapie_sets(risks, truth, 251, theirs))


def test_plain_aps_takes_classes_from_the_likeliest_down_until_the_threshold_is_passed():
    risks = np.array([[0.5, 0.2, 0.3], [0.9, 0.04, 0.06], [0.34, 0.33, 0.33]])
    sets = PredictionSets(SetRule(0.1, "aps"), 3, {"everyone": Threshold(0.6, 50)}).sets(risks)
    assert sets.tolist() == [[True, False, True], [True, False, False], [True, True, False]]


def test_sets_by_class_cover_each_class_by_the_textbook_quantile():
    risks, truth = three_classes()
    found = prediction_sets(risks, truth, np.arange(400), SetRule(0.1, by="class"))
    for k in range(3):
        mine = np.sort(1 - risks[truth == k, k])
        assert found.thresholds[str(k)].value == mine[int(np.ceil((mine.size + 1) * 0.9)) - 1]


def test_sets_by_centre_use_each_centres_own_threshold():
    risks, truth = three_classes(120)
    centres = np.repeat(["A", "B"], 60)
    found = prediction_sets(risks, truth, np.arange(120), SetRule(0.2, by="group"), groups=centres)
    alone = prediction_sets(risks[60:], truth[60:], np.arange(60), SetRule(0.2))
    assert found.thresholds["B"] == alone.thresholds["everyone"]
    assert np.array_equal(found.sets(risks[60:], groups=centres[60:]), alone.sets(risks[60:]))


def test_a_centre_too_small_or_unknown_gets_the_full_set_and_it_is_said_aloud():
    risks, truth = three_classes(45)
    centres = np.array(["big"] * 40 + ["small"] * 5)
    found = prediction_sets(risks, truth, np.arange(45), SetRule(0.1, by="group"), groups=centres)
    asked = ["small", "elsewhere"]
    assert found.sets(risks[:2], groups=asked).all()
    said = found.notes(asked)
    assert said[0].startswith("Group small: 5 patients are too few for sets that miss at most 10 %; at least 9 are needed")
    assert said[1] == "Group elsewhere: it was not there in calibration, so every class stays possible there."


def test_a_class_too_rare_is_never_ruled_out():
    risks, truth = np.linspace(0.01, 0.5, 60), np.array([0] * 56 + [1] * 4)
    found = prediction_sets(risks, truth, np.arange(60), SetRule(0.1, by="class"))
    assert found.sets(risks)[:, 1].all()
    assert not found.sets(risks)[:, 0].all()
    assert found.notes()[0].startswith("Class 1: 4 patients are too few")


def test_randomised_aps_needs_random_numbers_and_repeats_with_their_seed():
    risks, truth = three_classes(100)
    rule = SetRule(0.1, "aps-randomised")
    with pytest.raises(BadInput, match="need random numbers"):
        prediction_sets(risks, truth, np.arange(100), rule)
    one, two = (prediction_sets(risks, truth, np.arange(100), rule, rng=np.random.default_rng(4)) for _ in range(2))
    assert one == two
    assert np.array_equal(one.sets(risks, rng=np.random.default_rng(5)), two.sets(risks, rng=np.random.default_rng(5)))


def test_randomised_aps_covers_exactly_where_plain_aps_covers_more():
    draw = np.random.default_rng(0)
    p = draw.beta(0.15, 0.15, size=20_000)
    truth = (draw.random(20_000) < p).astype(int)
    known, new = slice(None, 10_000), slice(10_000, None)
    held = {}
    for misfit in ("aps", "aps-randomised"):
        found = prediction_sets(p[known], truth[known], np.arange(10_000), SetRule(0.1, misfit), rng=draw)
        sets = found.sets(p[new], rng=draw)
        held[misfit] = sets[np.arange(10_000), truth[new]].mean()
        assert (sets.sum(axis=1).min() == 0) == (misfit == "aps-randomised")
    assert held["aps"] > 0.91
    assert abs(held["aps-randomised"] - 0.9) < 0.012


def test_sets_come_back_from_their_record():
    found = PredictionSets(SetRule(0.1, "aps", "group"), 3, {"A": Threshold(0.4, 30), "B": Threshold(None, 3)})
    assert PredictionSets.from_record(found.as_record()) == found
    with pytest.raises(BadModelFile, match="of kind 'lac'"):
        PredictionSets.from_record({"kind": "lac"})
    with pytest.raises(BadModelFile, match="mangle an entry"):
        PredictionSets.from_record({**found.as_record(), "by": "centre"})


@pytest.mark.parametrize(
    ("risks", "truth", "sentence"),
    [
        ([[0.5, 0.6]], [0], "sum to 1.1"),
        ([1.2], [1], "risks lie in"),
        ([[0.5, 0.5]], [2], "must be a class from 0 to 1"),
        ([0.5, 0.5], [1], "differ in length"),
    ],
)
def test_what_is_no_risk_or_class_is_refused(risks, truth, sentence):
    with pytest.raises(BadInput, match=sentence):
        prediction_sets(risks, truth, np.arange(len(truth)), SetRule())


@pytest.mark.parametrize(
    "answer",
    [
        Conformal(0.1, 0.4, 50),
        Conformal(0.1, None, 5),
        PredictionSets(SetRule(0.2, "lac", "class"), 2, {"0": Threshold(0.3, 40), "1": Threshold(None, 2)}),
        ConformalIntervals(0.1, 2.5, 60),
    ],
)
def test_every_conformal_answer_survives_the_disk(answer, tmp_path):
    assert conformal_of(load_model(save_model(tmp_path / "m", conformal_model(answer, "net", "relapse")))) == answer


def test_what_is_no_conformal_answer_is_refused():
    record = conformal_model(ConformalIntervals(0.1, 2.5, 60), "net", "relapse")
    for changes, sentence in (
        ({"family": "linear"}, "of the family 'linear'"),
        ({"extra": {"conformal": {"kind": "lca"}}}, "known: intervals, lac, sets"),
    ):
        with pytest.raises(BadModelFile, match=sentence):
            conformal_of(ModelRecord({**record.document, **changes}))


def test_an_alpha_outside_its_range_is_refused():
    with pytest.raises(BadSetting, match="'alpha' of the prediction sets is 1"):
        SetRule(1.0)


def test_a_patient_with_many_rows_weighs_no_more_than_one_with_one():
    strange = threshold(np.append(np.full(50, 0.9), np.linspace(0, 0.5, 19)), ["one"] * 50 + list(range(19)), 0.1)
    assert strange.patients == 20
    assert strange.value == 0.5


def test_a_threshold_on_the_worst_of_each_holds_for_all_rows_at_once():
    draw = np.random.default_rng(1)
    held = []
    for _ in range(300):
        misfit = (draw.normal(size=(41, 1)) + draw.normal(size=(41, 6))).ravel()
        who = np.repeat(np.arange(41), 6)
        known = who < 40
        limit = threshold(*worst_of_each(misfit[known], who[known]), 0.1).value
        held.append((misfit[~known] <= limit).all())
    assert 0.86 < np.mean(held) < 0.96


def mapie_margin(low, high, truth):
    from mapie.regression import ConformalizedQuantileRegressor
    from sklearn.base import BaseEstimator, RegressorMixin

    class Gives(RegressorMixin, BaseEstimator):
        def __init__(self, values=None):
            self.values = values

        def fit(self, X, y):
            return self

        def __sklearn_is_fitted__(self):
            return True

        def predict(self, X):
            return self.values[np.asarray(X)[:, 0].astype(int)]

    rows = np.arange(len(truth))[:, None]
    found = ConformalizedQuantileRegressor([Gives(low), Gives(high), Gives((low + high) / 2)], confidence_level=0.9, prefit=True)
    found.conformalize(rows, truth)
    ends = found.predict_interval(rows, symmetric_correction=True)[1][:, :, 0]
    return float(ends[0, 1] - high[0])


@pytest.mark.filterwarnings("ignore:Estimator does not appear fitted")
def test_split_quantiles_widen_by_the_margin_of_mapie():
    draw = np.random.default_rng(2)
    truth = draw.normal(size=120)
    low, high = np.full(120, -0.8) + draw.normal(size=120) / 10, np.full(120, 0.9) + draw.normal(size=120) / 10
    assert quantile_intervals(low, high, truth, np.arange(120), 0.1).margin == pytest.approx(mapie_margin(low, high, truth), abs=1e-12)


def test_absolute_residuals_give_the_textbook_margin():
    draw = np.random.default_rng(3)
    truth, said = draw.normal(size=99), draw.normal(size=99)
    assert residual_intervals(said, truth, np.arange(99), 0.1).margin == np.sort(np.abs(truth - said))[89]


def test_intervals_on_too_few_patients_are_the_whole_line_with_a_reason():
    found = residual_intervals([1.0] * 5, [2.0] * 5, range(5), 0.1)
    low, high = found.around([0.0])
    assert (low[0], high[0]) == (-np.inf, np.inf)
    assert found.reason == "5 patients are too few for sets that miss at most 10 %; at least 9 are needed, so every value stays possible."


def test_intervals_come_back_from_their_record_and_others_do_not():
    found = ConformalIntervals(0.1, -0.25, 40)
    assert ConformalIntervals.from_record(found.as_record()) == found
    with pytest.raises(BadModelFile, match="expected 'intervals'"):
        ConformalIntervals.from_record({"kind": "sets"})


def test_predictions_that_are_not_finite_are_refused():
    with pytest.raises(BadInput, match="prediction of row 1 is not finite"):
        residual_intervals([1.0, np.nan], [1.0, 2.0], list("ab"), 0.1)


@pytest.mark.parametrize(("n", "alpha"), [(9, 0.1), (19, 0.1), (50, 0.2), (200, 0.05)])
def test_the_law_of_coverage_is_the_beta_of_the_rank(n, alpha):
    law = coverage_law(n, alpha)
    beta = stats.beta(law.rank, n + 1 - law.rank)
    assert (law.mean, law.sd) == pytest.approx((beta.mean(), beta.std()))
    assert (law.low, law.high) == pytest.approx((beta.ppf(0.025), beta.ppf(0.975)))


def test_calibration_on_too_few_patients_always_covers():
    assert (coverage_law(8, 0.1).mean, coverage_law(8, 0.1).rank) == (1.0, 9)


def test_coverage_of_one_row_a_patient_has_wilsons_interval():
    from scipy.stats import binomtest

    found = coverage([True] * 45 + [False] * 5, range(50))
    interval = binomtest(45, 50).proportion_ci(0.95, "wilson")
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_rows_that_agree_within_patients_do_not_narrow_the_interval():
    once = coverage([True] * 45 + [False] * 5, range(50))
    many = coverage(np.repeat([True] * 45 + [False] * 5, 20), np.repeat(range(50), 20))
    assert (many.low, many.high, many.n) == (pytest.approx(once.low), pytest.approx(once.high), 50)


def test_a_centre_of_few_patients_is_shown_with_a_caution():
    found = coverage([True, True, False], list("abc"))
    assert (found.status, found.value) == ("too_few", pytest.approx(2 / 3))


def test_the_test_in_a_centre_is_the_beta_binomial_tail():
    law = coverage_law(99, 0.1)
    found = exchangeable_by_centre([True] * 20 + [False] * 10, range(30), ["A"] * 30, law)[0]
    assert found.p == pytest.approx(stats.betabinom(30, 90, 10).cdf(20), rel=1e-9)
    assert found.holds() is False


def test_the_test_keeps_its_level_where_patients_are_exchangeable():
    draw, law = np.random.default_rng(7), coverage_law(99, 0.1)
    low = 0
    for _ in range(400):
        limit = np.sort(draw.random(99))[law.rank - 1]
        low += (exchangeable_by_centre(draw.random(40) <= limit, range(40), ["A"] * 40, law)[0].p or 1.0) < 0.05
    assert low / 400 < 0.08


def test_several_centres_are_corrected_after_holm():
    covered = np.array([True] * 14 + [False] * 6 + [True] * 16 + [False] * 4 + [True] * 19 + [False])
    found = exchangeable_by_centre(covered, range(60), np.repeat(["A", "B", "C"], 20), coverage_law(199, 0.1))
    raw = [one.p for one in found]
    assert [one.adjusted for one in found] == pytest.approx([min(1, 3 * raw[0]), min(1, 2 * raw[1]), max(2 * raw[1], raw[2])])


def test_repeated_rows_are_tested_by_the_spread_between_patients():
    draw = np.random.default_rng(8)
    shares = np.clip(draw.normal(0.6, 0.2, 30), 0, 1)
    covered = (draw.random((30, 10)) < shares[:, None]).ravel()
    found = exchangeable_by_centre(covered, np.repeat(range(30), 10), ["A"] * 300, coverage_law(99, 0.1))[0]
    assert found.holds() is False
    few = exchangeable_by_centre([True, False] * 4, [0, 0, 1, 1, 2, 2, 3, 3], ["A"] * 8, coverage_law(99, 0.1))[0]
    assert (few.p, few.holds()) == (None, None)
    assert "4 patients with several rows are too few" in few.reason


def test_a_patient_in_two_centres_is_refused():
    with pytest.raises(BadInput, match="Patient p appears in two centres"):
        exchangeable_by_centre([True, True], ["p", "p"], ["A", "B"], coverage_law(99, 0.1))


def test_the_area_under_the_risk_coverage_curve_is_the_mean_selective_risk():
    draw = np.random.default_rng(4)
    sure, lost = draw.random(200), (draw.random(200) < 0.3).astype(float)
    ranked = lost[np.argsort(-sure)]
    by_hand = np.mean(np.cumsum(ranked) / np.arange(1, 201))
    assert risk_coverage(sure, lost).area == pytest.approx(by_hand, rel=1e-12)


def test_ties_in_confidence_count_as_any_order_would_on_average():
    draw = np.random.default_rng(5)
    sure, lost = np.array([2.0, 1, 1, 1, 0, 0]), np.array([0.0, 1, 0, 0, 1, 0])
    orders = []
    for _ in range(4000):
        order = np.lexsort([draw.random(6), -sure])
        orders.append(np.mean(np.cumsum(lost[order]) / np.arange(1, 7)))
    assert risk_coverage(sure, lost).area == pytest.approx(np.mean(orders), abs=0.005)


def test_a_confidence_that_says_nothing_gives_the_mean_loss():
    curve = risk_coverage(np.ones(50), np.repeat([0.0, 1.0], 25))
    assert (curve.area, curve.coverage.tolist(), curve.risk.tolist()) == (pytest.approx(0.5), [1.0], [0.5])
    assert curve.excess > 0.2


def test_the_interval_of_the_area_draws_patients_whole():
    draw = np.random.default_rng(6)
    sure, lost = draw.random(40), (draw.random(40) < 0.3).astype(float)
    who = np.arange(40)
    once = aurc(sure, lost, who, replicates=200)
    many = aurc(np.repeat(sure, 10), np.repeat(lost, 10), np.repeat(who, 10), replicates=200)
    assert many.value == pytest.approx(once.value, abs=0.02)
    assert many.high - many.low > 0.7 * (once.high - once.low)
