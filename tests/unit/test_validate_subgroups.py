"""Every figure by group, and the gaps between groups."""

import numpy as np
import pytest
from scipy import stats

from onclair.core.errors import BadInput, OnclairError
from onclair.core.estimate import Estimate, not_available
from onclair.validate.calibration import o_e
from onclair.validate.discrimination import auc
from onclair.validate.subgroups import by_group, group_names, in_order, marked
from onclair.validate.utility import net_benefit


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(8)
    risks = rng.uniform(0.05, 0.95, 400)
    return (rng.random(400) < risks).astype(int), risks, np.where(np.arange(400) < 250, "F", "M")


def judged(table, truth=None):
    y, risks, _ = table

    def figures(rows):
        found = [auc("auc:basic", y[rows], risks[rows]), o_e("o_e:basic", y[rows], risks[rows])]
        return found + list(net_benefit("basic", y[rows], risks[rows], (0.23,)))

    return figures


def by_name(estimates):
    return {e.name: e for e in estimates}


def constant(value=0.7, se=0.1, scale="identity", **about):
    return lambda rows: [Estimate("auc:m", value, low=0.0, high=1.0, se=se, scale=scale, n=rows.size, **{"events": 50, **about})]


def test_every_figure_stands_under_its_group_the_threshold_before(table):
    found = by_name(by_group(judged(table), table[2], "sex", truth=table[0]))
    assert {"auc:basic:sex=F", "o_e:basic:sex=M", "nb:basic@0.23:sex=F", "auc:basic:sex=F-minus-M"} <= found.keys()
    women = table[2] == "F"
    assert found["auc:basic:sex=F"].value == auc("auc:basic", table[0][women], table[1][women]).value


def test_a_gap_is_the_difference_with_the_error_of_two_independent_figures(table):
    found = by_name(by_group(judged(table), table[2], "sex"))
    f, m, gap = (found[f"auc:basic:sex={name}"] for name in ("F", "M", "F-minus-M"))
    assert gap.value == pytest.approx(f.value - m.value)
    assert gap.se == pytest.approx(np.hypot(f.se, m.se))
    assert gap.high - gap.low == pytest.approx(2 * stats.norm.isf(0.025) * gap.se)


def test_a_gap_of_ratios_is_one_of_logarithms(table):
    found = by_name(by_group(judged(table), table[2], "sex"))
    f, m, gap = (found[f"o_e:basic:sex={name}"] for name in ("F", "M", "F-minus-M"))
    assert gap.value == pytest.approx(np.log(f.value / m.value))
    assert "its exponential is the ratio" in gap.method


def test_a_logit_error_is_brought_to_the_figures_own_scale():
    errors = iter([("logit", 0.5), ("identity", 0.1)])

    def figures(rows):
        scale, se = next(errors)
        return constant(0.8, se, scale)(rows)

    gap = by_group(figures, ["F", "M"], "sex")[-1]
    assert gap.se == pytest.approx(np.hypot(0.5 * 0.16, 0.1))


def test_the_p_value_and_its_adjustment_are_named():
    def figures(rows):
        return constant(0.9 if 0 in rows else 0.7, 0.05)(rows)

    holm = by_group(figures, ["a", "b", "b", "c"], "ward")
    assert [e.name for e in holm[3:]] == ["auc:m:ward=a-minus-b", "auc:m:ward=c-minus-b"]
    p = 2 * stats.norm.sf(0.2 / np.hypot(0.05, 0.05))
    assert f"p = {p:.3g}, adjusted over 2 gaps p = {2 * p:.3g} (Holm 1979)" in holm[3].method
    assert "Benjamini & Hochberg 1995" in by_group(figures, ["a", "b", "b", "c"], "ward", adjust="bh")[3].method


def test_more_than_two_groups_are_compared_with_the_largest():
    names = [e.name for e in by_group(constant(), [1, 2, 2, 2, 10, 10], "inst") if "-minus-" in e.name]
    assert names == ["auc:m:inst=1-minus-2", "auc:m:inst=10-minus-2"]


def test_missing_values_form_a_group_that_is_not_compared():
    found = by_group(constant(), ["F", None, "M", float("nan"), ""], "sex")
    assert [e.name for e in found] == ["auc:m:sex=F", "auc:m:sex=M", "auc:m:sex=unknown", "auc:m:sex=F-minus-M"]
    assert found[2].n == 3


def test_few_events_keep_the_figure_and_say_so():
    found = by_group(constant(events=19), ["F", "M"], "sex")
    assert (found[0].status, found[0].value) == ("too_few", 0.7)
    assert found[0].reason == "19 events; a group needs 20"
    assert (found[2].status, found[2].value) == ("too_few", 0.0)


def test_few_non_events_of_a_binary_outcome_count_patients():
    truth, patients = np.array([0] * 30 + [1] * 30), np.repeat(np.arange(30), 2)
    found = by_group(constant(), ["F"] * 60, "sex", truth=truth, patients=patients)
    assert found[0].reason == "50 events and 15 non-events; a group needs 20 of each"


def test_a_figure_that_is_not_available_stays_so():
    assert marked(not_available("auc:m", "only one class is present", events=3)).status == "not_available"


def test_a_patient_in_two_groups_leaves_no_gap():
    found = by_group(constant(), ["left", "right", "left"], "side", patients=["p1", "p1", "p2"])
    assert found[-1].status == "not_available"
    assert found[-1].reason.startswith("1 patients have rows in both groups")


def test_a_gap_without_a_standard_error_says_so():
    gap = by_group(constant(se=None), ["F", "M"], "sex")[-1]
    assert (gap.value, gap.low) == (0.0, None)
    assert "no standard error" in gap.reason


def test_a_group_without_a_figure_leaves_the_gap_with_its_reason():
    def figures(rows):
        return constant()(rows) if 0 in rows else [not_available("auc:m", "only one class is present")]

    assert by_group(figures, ["F", "M"], "sex")[-1].reason == "one of the groups has no figure: only one class is present"


def test_a_group_that_cannot_be_judged_leaves_the_others():
    def figures(rows):
        if 0 in rows:
            raise OnclairError("Nobody was followed to the horizon.")
        return constant()(rows)

    found = by_group(figures, ["F", "M", "M"], "sex")
    assert (found[0].name, found[0].reason) == ("auc:m:sex=F", "Nobody was followed to the horizon.")
    assert found[1].status == "ok"


def test_where_no_group_can_be_judged_the_first_error_stands():
    def figures(rows):
        raise OnclairError("Nobody was followed to the horizon.")

    with pytest.raises(OnclairError, match="followed to the horizon"):
        by_group(figures, ["F", "M"], "sex")


def test_values_and_keys_cannot_break_a_name():
    found = by_group(constant(), ["stage: II", "stage: III"], "FIGO stage")
    assert found[0].name == "auc:m:FIGO-stage=stage-II"


def test_values_that_would_share_a_name_are_refused():
    with pytest.raises(BadInput, match="would both be called 'a-b'"):
        by_group(constant(), ["a b", "a:b"], "ward")


def test_numbers_read_alike_from_integers_and_floats():
    assert group_names([3, 11]).tolist() == group_names([3.0, 11.0]).tolist() == ["3", "11"]
    assert in_order({"10", "9", "x", "unknown"}) == ["9", "10", "x", "unknown"]


@pytest.mark.parametrize("beside", [{"truth": [0, 1, 0]}, {"patients": ["a"]}])
def test_columns_of_another_length_are_refused(beside):
    with pytest.raises(BadInput, match="give one a row"):
        by_group(constant(), ["F", "M"], "sex", **beside)


def test_an_unknown_adjustment_is_refused():
    with pytest.raises(BadInput, match="choose 'holm' or 'bh'"):
        by_group(constant(), ["F", "M"], "sex", adjust="none")
