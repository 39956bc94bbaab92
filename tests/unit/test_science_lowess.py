"""Cleveland's lowess without robustness steps."""

import numpy as np
import pytest

from onclair.core.errors import BadInput, BadSetting
from onclair.science.statistics.lowess import line_blend, lowess, lowess_operator
from onclair.science.statistics.smoothers import SMOOTHERS, smoothed


def cloud(seed=0, n=150):
    rng = np.random.default_rng(seed)
    x = rng.beta(1, 3, n)
    return x, (rng.uniform(size=n) < x).astype(float)


def test_a_straight_line_is_reproduced_everywhere():
    x, _ = cloud()
    assert lowess(x, 2 + 3 * x).at(x) == pytest.approx(2 + 3 * x, abs=1e-12)


def test_the_value_at_an_anchor_is_that_of_a_weighted_line():
    x, y = cloud(1, 31)
    near, place = int(31 * 2 / 3), np.sort(x)[15]
    distance = np.abs(x - place)
    reach = np.sort(distance)[near - 1]
    weights = np.where(distance < 0.999 * reach, (1 - np.minimum(distance / reach, 1) ** 3) ** 3, 0)
    weights[distance <= 0.001 * reach] = 1
    line = np.polyfit(x, y, 1, w=np.sqrt(weights))
    assert lowess(x, y, apart=0).at([place])[0] == pytest.approx(np.polyval(line, place), abs=1e-10)


def test_the_order_of_the_rows_does_not_matter():
    x, y = cloud(2)
    shuffled = np.random.default_rng(1).permutation(x.size)
    assert lowess(x[shuffled], y[shuffled]).at(x) == pytest.approx(lowess(x, y).at(x), abs=1e-13)


def test_anchors_lie_a_hundredth_of_the_range_apart_at_most_where_rows_are_dense():
    x = np.linspace(0.0, 1.0, 5001)
    anchors = lowess(x, x).anchors
    assert (anchors[0], anchors[-1]) == (0.0, 1.0)
    assert np.diff(anchors).max() <= 0.01 + 1e-12
    assert 101 <= anchors.size <= 104


def test_without_a_distance_every_different_x_is_an_anchor():
    x = np.repeat([0.1, 0.2, 0.4, 0.8, 0.9], 4)
    assert lowess(x, x, apart=0).anchors.tolist() == [0.1, 0.2, 0.4, 0.8, 0.9]


@pytest.mark.parametrize("decimals", [1, 6])
def test_the_operator_gives_the_smooth(decimals):
    x, y = cloud(3)
    x = np.round(x, decimals)
    operator, fit = lowess_operator(x), lowess(x, y)
    values = np.array([operator.of_anchor(j) @ y for j in range(operator.anchors.size)])
    assert line_blend(operator.anchors, x) @ values == pytest.approx(fit.at(x), abs=1e-12)


def test_a_neighbourhood_that_shares_one_x_has_its_mean():
    x, y = np.array([0.0] * 9 + [1.0]), np.array([1.0, 0.0, 0.0] * 3 + [1.0])
    assert lowess(x, y).at([0.0])[0] == pytest.approx(1 / 3)


def test_a_constant_x_is_refused():
    with pytest.raises(BadInput, match="at least 2 different x"):
        lowess([0.3, 0.3], [0, 1])


def test_a_gap_is_refused():
    with pytest.raises(BadInput, match="NaN or infinity"):
        lowess([0.3, np.nan], [0, 1])


def test_a_span_above_one_is_refused():
    with pytest.raises(BadInput, match=r"the span lies in \(0, 1\]"):
        lowess([0.3, 0.4], [0, 1], span=1.5)


@pytest.mark.parametrize("name", SMOOTHERS)
def test_the_smooth_moves_as_its_contributions_say_when_a_row_is_left_out(name):
    x, y = cloud(4, 120)
    at, smooth = np.array([0.2, 0.4]), smoothed(name, x, y)
    moves = smooth.blend(at) @ np.array(list(smooth.contributions()))
    without = np.array([smoothed(name, np.delete(x, i), np.delete(y, i)).at(at) for i in range(x.size)])
    for point in range(at.size):
        # loess also moves its vertices when a row goes, which first order does not hold
        assert np.corrcoef(moves[point], smooth.at(at)[point] - without[:, point])[0, 1] > (0.7 if name == "loess" else 0.9)
        assert np.std(without[:, point]) == pytest.approx(np.std(moves[point]), rel=0.35)


def test_an_unknown_smoother_is_refused_with_the_nearest_name():
    with pytest.raises(BadSetting, match="did you mean 'lowess'"):
        smoothed("lowes", [0.1, 0.2], [0, 1])


def test_a_spline_whose_knots_coincide_is_refused():
    x, y = cloud(5)
    with pytest.raises(BadInput, match="of the 5 knots fall on"):
        smoothed("rcs5", np.round(x, 0) * 0.5 + 0.1, y)
