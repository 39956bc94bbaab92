"""Restricted cubic splines and the quantiles under their knots."""

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.science.statistics.quantiles import counted_quantiles
from onclair.science.statistics.splines import POSITIONS, knots, restricted_cubic

X = np.random.default_rng(5).normal(size=200)


@pytest.mark.parametrize("count", [3, 4, 5])
def test_knots_lie_at_the_type_7_quantiles(count):
    assert knots(X, count) == pytest.approx(np.quantile(X, POSITIONS[count]), abs=1e-14)


def test_knots_of_counted_rows_are_those_of_the_repeated_rows():
    counts = np.random.default_rng(6).integers(0, 4, X.size)
    assert knots(X, 5, weights=counts) == pytest.approx(knots(np.repeat(X, counts), 5), abs=1e-14)


@pytest.mark.parametrize("count", [3, 4, 5])
def test_the_spline_is_linear_beyond_its_outer_knots(count):
    places = knots(X, count)
    for beyond in (places[0] - np.arange(1.0, 6.0), places[-1] + np.arange(1.0, 6.0)):
        bent = np.diff(restricted_cubic(beyond, places), n=2, axis=0)
        assert bent == pytest.approx(np.zeros_like(bent), abs=1e-9)


@pytest.mark.parametrize("count", [3, 4, 5])
def test_value_slope_and_bend_are_continuous_at_every_knot(count):
    places, step = knots(X, count), 1e-4
    for place in places:
        left, right = (np.diff(restricted_cubic(place + side * step * np.arange(3.0), places), n=2, axis=0) / step**2 for side in (-1, 1))
        assert left == pytest.approx(right, abs=1e-2)


def test_the_basis_has_one_column_less_than_knots_and_begins_with_x():
    basis = restricted_cubic(X, knots(X, 5))
    assert basis.shape == (X.size, 4)
    assert (basis[:, 0] == X).all()


def test_knots_that_coincide_are_refused_by_name():
    with pytest.raises(BadInput, match=r"2 of the 3 knots fall on x = 0"):
        knots([0.0] * 6 + [1.0] * 4, 3)


def test_another_number_of_knots_is_refused():
    with pytest.raises(BadInput, match="choose one of 3, 4, 5"):
        knots(X, 6)


def test_falling_knots_are_refused():
    with pytest.raises(BadInput, match="do not rise strictly"):
        restricted_cubic(X, [0.0, 2.0, 1.0])


def test_an_infinite_x_is_refused():
    with pytest.raises(BadInput, match="finite"):
        knots([0.0, np.inf], 3)


def test_a_quantile_of_nothing_is_refused():
    with pytest.raises(BadInput, match="count 0 times"):
        counted_quantiles([1.0, 2.0], [0, 0], [0.5])
