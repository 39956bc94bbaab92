"""Local regression as R's loess."""

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.science.statistics.loess import kd_vertices, loess, loess_operator


def cloud(seed=0, n=150):
    rng = np.random.default_rng(seed)
    x = rng.beta(1, 3, n)
    return x, (rng.uniform(size=n) < x).astype(float)


def test_a_straight_line_is_reproduced_everywhere():
    x, _ = cloud()
    np.testing.assert_allclose(loess(x, 2 + 3 * x).at(x), 2 + 3 * x, atol=1e-10)


def test_the_order_of_the_rows_does_not_matter():
    x, y = cloud()
    shuffled = np.random.default_rng(1).permutation(x.size)
    np.testing.assert_allclose(loess(x[shuffled], y[shuffled]).at(x), loess(x, y).at(x), atol=1e-12)


def test_the_operator_gives_the_smooth():
    x, y = cloud(2)
    at = np.linspace(x.min(), x.max(), 30)
    operator = loess_operator(x)
    np.testing.assert_allclose(operator.blend(at) @ operator.weights @ y, loess(x, y).at(at), atol=1e-11)


def test_the_operator_gives_the_smooth_with_tied_x():
    x, y = cloud(3)
    x = np.round(x, 1)
    operator = loess_operator(x)
    np.testing.assert_allclose(operator.blend(x) @ operator.weights @ y, loess(x, y).at(x), atol=1e-9)


def test_outer_vertices_lie_half_a_percent_beyond_the_data():
    assert kd_vertices(np.linspace(0.0, 1.0, 50), 0.75)[[0, -1]] == pytest.approx([-0.005, 1.005])


def test_a_cut_never_falls_within_a_run_of_equal_values():
    x = np.sort(np.repeat([0.0, 0.2, 0.5, 1.0], [5, 20, 20, 5]))
    assert set(kd_vertices(x, 0.75)) <= {-0.005, 0.0, 0.2, 0.5, 1.0, 1.005}


def test_too_few_different_x_are_refused():
    with pytest.raises(BadInput, match="at least 3 different x; it was given 2"):
        loess([0.0, 1.0, 0.0, 1.0], [0, 1, 1, 1])


def test_a_span_of_too_few_rows_is_refused():
    with pytest.raises(BadInput, match=r"span 0\.75 of 3 rows holds too few"):
        loess([0.0, 1.0, 2.0], [0, 1, 1])


def test_a_neighbourhood_without_width_is_refused():
    with pytest.raises(BadInput, match="share x = 0"):
        loess([0.0] * 40 + [0.4, 0.7, 1.0], np.zeros(43), span=0.5)
