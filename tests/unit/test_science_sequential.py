"""Group-sequential boundaries: published tables, exactness, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from onclair.core.errors import BadSetting
from onclair.science.statistics.sequential import SPENDING, boundaries, boundary_at, crossing_probability, planned_looks

FIVE = planned_looks(5)
TABLE = {
    "obrien-fleming": [4.562, 3.226, 2.634, 2.281, 2.040],
    "pocock": [2.413] * 5,
    "lan-demets-obf": [4.877, 3.357, 2.680, 2.290, 2.031],
    "lan-demets-pocock": [2.438, 2.427, 2.410, 2.397, 2.386],
}


@pytest.mark.parametrize("spending", SPENDING)
def test_five_looks_are_those_of_the_published_tables(spending):
    assert boundaries(FIVE, 0.05, spending) == pytest.approx(TABLE[spending], abs=1e-3)


@pytest.mark.parametrize(
    ("looks", "pocock", "obrien_fleming"), [(2, 2.178, 1.977), (3, 2.289, 2.004), (4, 2.361, 2.024), (10, 2.555, 2.087), (20, 2.672, 2.126)]
)
def test_the_constants_are_those_of_jennison_and_turnbull(looks, pocock, obrien_fleming):
    """Jennison & Turnbull 2000, tables 2.1 and 2.3, two-sided alpha 0.05."""
    assert boundaries(planned_looks(looks), 0.05, "pocock")[-1] == pytest.approx(pocock, abs=6e-4)
    assert boundaries(planned_looks(looks), 0.05, "obrien-fleming")[-1] == pytest.approx(obrien_fleming, abs=6e-4)


def test_five_looks_at_1_96_err_in_14_percent():
    assert crossing_probability([1.96] * 5, FIVE) == pytest.approx(0.142, abs=5e-4)


def test_two_looks_agree_with_the_bivariate_normal():
    bounds, correlation = [2.2, 1.7], np.sqrt(0.4)
    inside = stats.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]])
    (a, b) = bounds
    kept = inside.cdf([a, b]) - inside.cdf([-a, b]) - inside.cdf([a, -b]) + inside.cdf([-a, -b])
    assert crossing_probability(bounds, [0.4, 1.0]) == pytest.approx(1 - kept, abs=1e-6)


@pytest.mark.parametrize("spending", SPENDING)
@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.5])
def test_boundaries_spend_alpha_exactly(spending, alpha):
    looks = [0.1, 0.35, 0.36, 0.8, 1.0]
    assert crossing_probability(boundaries(looks, alpha, spending), looks) == pytest.approx(alpha, rel=1e-7)


@pytest.mark.parametrize("spending", SPENDING)
def test_one_look_is_the_fixed_design(spending):
    assert boundaries([1.0], 0.05, spending)[0] == pytest.approx(stats.norm.isf(0.025), abs=1e-8)


@given(st.lists(st.integers(1, 99), min_size=1, max_size=5, unique=True), st.sampled_from(SPENDING))
def test_one_more_look_never_lowers_the_last_boundary(extra, spending):
    looks = [*(np.sort(extra) / 100), 1.0]
    fewer = looks[1:]
    assert boundaries(looks, 0.05, spending)[-1] >= boundaries(fewer, 0.05, spending)[-1] - 1e-7


@given(st.lists(st.integers(1, 100), min_size=2, max_size=5, unique=True))
def test_a_lan_demets_boundary_does_not_know_the_looks_to_come(times):
    looks = np.sort(times) / 100
    whole = boundaries(looks, 0.05, "lan-demets-obf")
    assert boundaries(looks[:-1], 0.05, "lan-demets-obf") == pytest.approx(whole[:-1], abs=1e-8)


def test_looks_as_planned_have_the_planned_boundaries():
    for spending in SPENDING:
        planned = boundaries(FIVE, 0.05, spending)
        assert [boundary_at(FIVE[: k + 1], FIVE, 0.05, spending) for k in range(5)] == pytest.approx(planned, abs=1e-8)


def test_the_last_planned_look_spends_what_is_left_even_with_less_or_more_information():
    plan, early, late = [0.5, 1.0], [0.4, 0.8], [0.6, 1.3]
    for actual in (early, late):
        bounds = [boundary_at(actual[:1], plan, 0.05, "lan-demets-obf"), boundary_at(actual, plan, 0.05, "lan-demets-obf")]
        assert crossing_probability(bounds, actual) == pytest.approx(0.05, abs=1e-9)


def test_a_classic_boundary_keeps_the_planned_constant_at_the_information_seen():
    planned = boundaries([0.5, 1.0], 0.05, "obrien-fleming")
    assert boundary_at([0.25], [0.5, 1.0], 0.05, "obrien-fleming") == pytest.approx(2 * planned[-1])
    assert boundary_at([0.25], [0.5, 1.0], 0.05, "pocock") == pytest.approx(boundaries([0.5, 1.0], 0.05, "pocock")[0])


def test_an_unspendable_share_gives_a_finite_boundary():
    bounds = boundaries([0.0005, 1.0], 0.05, "lan-demets-obf")
    assert bounds[0] == 37.0
    assert bounds[1] == pytest.approx(stats.norm.isf(0.025), abs=1e-8)


@pytest.mark.parametrize(
    ("information", "alpha", "spending", "item", "said"),
    [
        ([1.0], 0.05, "pocok", "spending", "did you mean 'pocock'?"),
        ([1.0], 0.0, "pocock", "alpha", "Alpha is 0"),
        ([1.0], 1.0, "pocock", "alpha", "Alpha is 1"),
        ([1.0], float("nan"), "pocock", "alpha", "Alpha is nan"),
        ([], 0.05, "pocock", "information", "No look is planned"),
        ([0.5, 0.5], 0.05, "pocock", "information", "0.5, 0.5"),
        ([0.6, 0.5], 0.05, "pocock", "information", "above the one before"),
        ([0.0, 0.5], 0.05, "pocock", "information", "above 0"),
        ([0.5, 1.1], 0.05, "pocock", "information", "at most at 1"),
        ([0.5, float("nan")], 0.05, "pocock", "information", "nan"),
        ([0.5, 0.5001], 0.05, "pocock", "information", "nearer than a thousandth"),
    ],
)
def test_looks_that_make_no_sense_are_refused_by_name(information, alpha, spending, item, said):
    with pytest.raises(BadSetting, match=said.replace("?", r"\?")) as caught:
        boundaries(information, alpha, spending)
    assert caught.value.item == item


def test_a_look_beyond_the_plan_is_refused():
    with pytest.raises(BadSetting, match="look 3 and the plan has 2"):
        boundary_at([0.3, 0.6, 0.9], [0.5, 1.0], 0.05, "pocock")


@pytest.mark.parametrize("bounds", [[1.96], [1.96, -1.0], [1.96, float("nan")]])
def test_boundaries_that_do_not_fit_the_looks_are_refused(bounds):
    with pytest.raises(BadSetting, match="boundar"):
        crossing_probability(bounds, [0.5, 1.0])


@pytest.mark.parametrize("looks", [0, 101])
def test_no_looks_or_too_many_are_refused(looks):
    with pytest.raises(BadSetting, match="between 1 and 100"):
        planned_looks(looks)
