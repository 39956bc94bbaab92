"""The partial area under the ROC curve, average precision and likelihood ratios."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from onclair.core.errors import BadInput
from onclair.science.statistics.roc import average_precision as precision
from onclair.science.statistics.roc import partial_area
from onclair.validate.discrimination import auc, average_precision, partial_auc
from onclair.validate.operating_points import operating_points


def cohort(seed=0, n=200, decimals=6):
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n).round(decimals)
    return (rng.uniform(size=n) < 1 / (1 + np.exp(0.5 - 1.2 * score))).astype(int), score


def jackknife(figure, truth, score):
    keep = ~np.eye(truth.size, dtype=bool)
    without = np.array([figure(truth[k], score[k]) for k in keep])
    return np.sqrt((truth.size - 1) * without.var())


@pytest.mark.parametrize("decimals", [1, 6])
@pytest.mark.parametrize("most", [0.05, 0.1, 0.37])
def test_the_corrected_area_is_scikit_learns(decimals, most):
    truth, score = cohort(1, decimals=decimals)
    corrected = partial_auc("model", truth, score, specificity=(1 - most, 1.0))[1]
    assert corrected.value == pytest.approx(roc_auc_score(truth, score, max_fpr=most), abs=1e-12)


@pytest.mark.parametrize("decimals", [0, 6])
def test_over_the_whole_range_it_is_the_auc_with_its_error(decimals):
    truth, score = cohort(2, decimals=decimals)
    plain, corrected = partial_auc("model", truth, score, specificity=(0.0, 1.0))
    whole = auc("auc:model", truth, score)
    assert (plain.value, plain.se) == pytest.approx((whole.value, whole.se), abs=1e-12)
    assert (corrected.value, corrected.low) == pytest.approx((whole.value, whole.low), abs=1e-12)


def test_two_ranges_add_up_to_the_whole():
    truth, score = cohort(3, decimals=1)
    parts = [partial_auc("model", truth, score, specificity=s)[0].value for s in ((0.0, 0.63), (0.63, 1.0))]
    assert sum(parts) == pytest.approx(auc("auc:model", truth, score).value, abs=1e-12)


def test_a_range_of_sensitivities_is_had_by_turning_the_truth_round():
    truth, score = cohort(4)
    curve_above = partial_auc("model", 1 - truth, -score, specificity=(0.0, 1.0))[0].value
    assert curve_above == pytest.approx(auc("auc:model", truth, score).value, abs=1e-12)


@pytest.mark.parametrize("decimals", [1, 6])
def test_its_error_agrees_with_the_jackknife(decimals):
    truth, score = cohort(5, decimals=decimals)
    found = partial_auc("model", truth, score, specificity=(0.7, 0.95))[0]
    assert found.se == pytest.approx(jackknife(lambda y, s: partial_area(y, s, (0.05, 0.3))[0], truth, score), rel=0.05)


def test_rows_repeated_whole_keep_the_error_of_the_patients():
    truth, score = cohort(6)
    once = partial_auc("model", truth, score)[0]
    repeated = partial_auc("model", np.repeat(truth, 5), np.repeat(score, 5), patients=np.repeat(np.arange(truth.size), 5))[0]
    assert (repeated.value, repeated.n) == (pytest.approx(once.value, abs=1e-12), once.n)
    assert repeated.se == pytest.approx(once.se, rel=0.02)


def test_the_interval_ends_where_the_area_does():
    truth, score = cohort(7, 14)
    found = partial_auc("model", truth, score)[0]
    assert 0.0 <= found.low <= found.value <= found.high <= 0.1


def test_separated_classes_have_a_partial_area_without_interval():
    found = partial_auc("model", [0, 0, 1, 1], [1, 2, 3, 4])
    assert [e.value for e in found] == pytest.approx([0.1, 1.0])
    assert [e.low for e in found] == [None, None]
    assert "variance is zero" in found[1].reason


def test_a_range_that_is_none_is_refused():
    with pytest.raises(BadInput, match="partial area between"):
        partial_auc("model", [0, 1], [0.2, 0.8], specificity=(1.0, 0.9))


def test_one_class_is_an_answer():
    found = [*partial_auc("model", [0, 0], [0.2, 0.8]), average_precision("ap:model", [0, 0], [0.2, 0.8])]
    assert {e.status for e in found} == {"not_available"}


@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_average_precision_is_scikit_learns(decimals):
    truth, score = cohort(8, decimals=decimals)
    assert average_precision("ap:model", truth, score).value == pytest.approx(average_precision_score(truth, score), abs=1e-12)


@pytest.mark.parametrize("decimals", [1, 6])
def test_the_error_of_average_precision_agrees_with_the_jackknife(decimals):
    truth, score = cohort(9, 300, decimals)
    found = average_precision("ap:model", truth, score)
    assert found.se * found.value * (1 - found.value) == pytest.approx(jackknife(lambda y, s: precision(y, s)[0], truth, score), rel=0.08)


def test_average_precision_of_repeated_rows_keeps_the_error_of_the_patients():
    truth, score = cohort(10)
    once = average_precision("ap:model", truth, score)
    repeated = average_precision("ap:model", np.repeat(truth, 5), np.repeat(score, 5), patients=np.repeat(np.arange(truth.size), 5))
    assert (repeated.value, repeated.se) == pytest.approx((once.value, once.se), rel=1e-9)


def test_a_perfect_ranking_has_average_precision_one_without_interval():
    found = average_precision("ap:model", [0, 0, 1], [0.1, 0.2, 0.3])
    assert (found.value, found.low) == (1.0, None)
    assert "variance is zero" in found.reason


def counts(caught=40, missed=10, alarmed=5, passed=45):
    truth = [1] * (caught + missed) + [0] * (alarmed + passed)
    return truth, [0.9] * caught + [0.1] * missed + [0.9] * alarmed + [0.1] * passed


def test_likelihood_ratios_are_simels():
    found = {e.name: e for e in operating_points("model", *counts(), [0.5])}
    up, down = found["lr_pos:model@0.5"], found["lr_neg:model@0.5"]
    assert (up.value, down.value) == pytest.approx((8.0, 0.2 / 0.9))
    assert up.se == pytest.approx(np.sqrt(1 / 40 - 1 / 50 + 1 / 5 - 1 / 50))
    assert (up.low, up.high) == pytest.approx((8 * np.exp(-1.959964 * up.se), 8 * np.exp(1.959964 * up.se)), rel=1e-6)
    assert (up.scale, down.scale) == ("log", "log")


def test_likelihood_ratios_of_repeated_rows_keep_the_error_of_the_patients():
    truth, risks = counts()
    repeated = operating_points("model", np.repeat(truth, 4), np.repeat(risks, 4), [0.5], patients=np.repeat(np.arange(100), 4))
    once = operating_points("model", truth, risks, [0.5])
    assert [e.se for e in repeated[4:]] == pytest.approx([e.se for e in once[4:]], rel=0.02)


def test_a_ratio_without_false_alarms_has_no_finite_value():
    found = {e.name: e for e in operating_points("model", *counts(alarmed=0), [0.5])}
    assert found["lr_pos:model@0.5"].status == "not_available"
    assert "no finite value" in found["lr_pos:model@0.5"].reason


def test_a_ratio_of_zero_keeps_its_value_and_says_why_it_has_no_interval():
    found = {e.name: e for e in operating_points("model", *counts(missed=0), [0.5])}
    assert (found["lr_neg:model@0.5"].value, found["lr_neg:model@0.5"].low) == (0.0, None)
    assert "the ratio is 0" in found["lr_neg:model@0.5"].reason
