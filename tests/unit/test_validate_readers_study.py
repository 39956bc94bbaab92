"""A reader study's answer: invariances, degenerate designs, and that the test errs as often as it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onclair.core.errors import BadSetting
from onclair.science.statistics.auc_covariance import COVARIANCES
from onclair.validate.discrimination import auc, auc_difference
from onclair.validate.readers.comparison import compare_modalities
from onclair.validate.readers.table import Ratings


def made(rng, *, readers=4, modalities=2, cases=60, gain=0.0, between=0.3):
    """Ratings of a Roe and Metz kind: case, reader and their meetings are all normal."""
    truth = np.arange(cases) < cases // 2
    case, by_modality = rng.normal(size=(cases, 1, 1)), 0.5 * rng.normal(size=(cases, modalities, 1))
    skill = between * rng.normal(size=(1, 1, readers)) + gain * np.arange(modalities)[None, :, None]
    own = 0.1 * rng.normal(size=(1, modalities, readers))
    ratings = truth[:, None, None] * (1.2 + skill + own) + case + by_modality + rng.normal(size=(cases, modalities, readers))
    return Ratings(_names("R", readers), _names("M", modalities), _names("", cases), truth, np.round(2 * ratings))


def _names(letter, count):
    return tuple(f"{letter}{i}" for i in range(count))


@pytest.fixture
def study():
    return made(np.random.default_rng(1))


def by_name(found):
    return {estimate.name: estimate for estimate in found.estimates}


@given(st.integers(0, 10**6), st.sampled_from(COVARIANCES))
def test_the_order_of_cases_changes_nothing(seed, covariance):
    rng = np.random.default_rng(seed)
    study = made(rng, cases=20)
    order = rng.permutation(20)
    turned = Ratings(study.readers, study.modalities, study.cases, study.truth[order], study.ratings[order])
    one, two = (compare_modalities(s, covariance=covariance) for s in (study, turned))
    assert one.test.p == pytest.approx(two.test.p, abs=1e-9)
    assert [e.value for e in one.estimates] == pytest.approx([e.value for e in two.estimates])


@pytest.mark.parametrize("readers", ["random", "fixed"])
def test_swapping_the_modalities_turns_the_difference_round(study, readers):
    swapped = Ratings(study.readers, study.modalities[::-1], study.cases, study.truth, study.ratings[:, ::-1])
    one, two = compare_modalities(study, readers=readers), compare_modalities(swapped, readers=readers)
    assert one.test.p == pytest.approx(two.test.p)
    assert by_name(one)["difference:M0-minus-M1"].low == pytest.approx(-by_name(two)["difference:M1-minus-M0"].high)


def test_a_rising_scale_of_ratings_changes_nothing(study):
    scaled = Ratings(study.readers, study.modalities, study.cases, study.truth, np.exp(study.ratings / 3))
    assert compare_modalities(scaled).test == compare_modalities(study).test


def test_one_reader_alone_is_delong(study):
    found = by_name(compare_modalities(study))
    truth, (a, b) = study.truth.astype(int), study.ratings[:, :, 2].T
    one, gap = auc("auc:x", truth, a), auc_difference("auc:a-minus-b", truth, a, b)
    assert (found["auc:M0:reader=R2"].value, found["auc:M0:reader=R2"].se) == pytest.approx((one.value, one.se))
    assert (found["difference:M0-minus-M1:reader=R2"].low, found["difference:M0-minus-M1:reader=R2"].high) == pytest.approx(
        (gap.low, gap.high)
    )


def test_the_two_sided_p_is_that_of_the_interval(study):
    for readers in ("random", "fixed"):
        p = compare_modalities(study, readers=readers).test.p
        difference = by_name(compare_modalities(study, readers=readers, level=1 - p))["difference:M0-minus-M1"]
        nearest = min(abs(difference.low), abs(difference.high))
        assert nearest == pytest.approx(0, abs=1e-9)


def test_three_modalities_have_three_differences_and_two_degrees_of_freedom():
    found = compare_modalities(made(np.random.default_rng(2), modalities=3))
    assert found.test.numerator_df == 2
    assert [e.name for e in found.estimates if e.name.startswith("difference") and "reader" not in e.name] == [
        "difference:M0-minus-M1",
        "difference:M0-minus-M2",
        "difference:M1-minus-M2",
    ]


def test_the_test_errs_as_often_as_it_says():
    rng = np.random.default_rng(3)
    p = np.array([compare_modalities(made(rng, readers=5, cases=80)).test.p for _ in range(400)])
    assert 0.02 <= (p < 0.05).mean() <= 0.08


def test_one_random_reader_has_figures_but_no_test():
    found = compare_modalities(made(np.random.default_rng(4), readers=1))
    assert found.test.p is None
    assert "one reader cannot stand" in found.test.reason
    assert (by_name(found)["auc:M0"].low, by_name(found)["auc:M0"].reason) == (None, found.test.reason)
    assert by_name(found)["auc:M0:reader=R0"].low is not None


def test_one_fixed_reader_is_delongs_test():
    study = made(np.random.default_rng(4), readers=1)
    gap = auc_difference("auc:a-minus-b", study.truth.astype(int), *study.ratings[:, :, 0].T)
    found = compare_modalities(study, readers="fixed")
    assert found.test.statistic == pytest.approx((gap.value / gap.se) ** 2)


def test_one_modality_has_its_auc_but_no_test():
    found = compare_modalities(made(np.random.default_rng(5), modalities=1))
    assert found.test.reason == "there is one modality; a difference needs two"
    assert by_name(found)["auc:M0"].low < by_name(found)["auc:M0"].value < by_name(found)["auc:M0"].high
    assert found.components.MS_T is None


def test_one_case_of_a_class_gives_figures_without_errors():
    study = made(np.random.default_rng(6), cases=20)
    truth = np.arange(20) < 1
    found = compare_modalities(Ratings(study.readers, study.modalities, study.cases, truth, study.ratings))
    assert "fewer than two cases" in found.test.reason
    assert all(e.low is None and e.value is not None for e in found.estimates)


def test_a_reader_who_gives_one_rating_to_all_has_half_and_is_named(study):
    ratings = study.ratings.copy()
    ratings[:, 1, 3] = 2.0
    found = compare_modalities(Ratings(study.readers, study.modalities, study.cases, study.truth, ratings))
    assert by_name(found)["auc:M1:reader=R3"].value == 0.5
    assert by_name(found)["auc:M1:reader=R3"].reason is not None
    assert ("constant_ratings", True) in [(w["code"], "Reader R3" in w["text"]) for w in found.warnings]
    assert found.test.p is not None


def test_ratings_that_are_all_alike_have_no_test(study):
    found = compare_modalities(Ratings(study.readers, study.modalities, study.cases, study.truth, np.ones_like(study.ratings)))
    assert {e.value for e in found.estimates} == {0.5, 0.0}
    assert "variance" in found.test.reason


def test_fixed_cases_leave_one_readers_figure_without_error(study):
    found = by_name(compare_modalities(study, cases="fixed"))
    assert found["auc:M0:reader=R1"].low is None
    assert found["difference:M0-minus-M1"].low is not None


@pytest.mark.parametrize(
    ("choices", "item"),
    [
        ({"readers": "rnadom"}, "readers"),
        ({"cases": "all"}, "cases"),
        ({"covariance": "jacknife"}, "covariance"),
        ({"readers": "fixed", "cases": "fixed"}, "cases"),
        ({"level": 95.0}, "level"),
    ],
)
def test_choices_that_make_no_sense_are_refused(study, choices, item):
    with pytest.raises(BadSetting) as caught:
        compare_modalities(study, **choices)
    assert caught.value.item == item
