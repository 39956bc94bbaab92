"""The decision map against ordinary kriging written out as one bordered system, and what it must not say."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.science.spectra.decision_map import LENGTH_MM, NUGGET, SPREAD, DecisionMap, decision_map


def test_mean_and_deviation_are_those_of_ordinary_kriging() -> None:
    rng = np.random.default_rng(3)
    points, p = rng.uniform(0.0, 9.0, (6, 3)), rng.uniform(0.05, 0.95, 6)
    made = decision_map(points, p, spacing_mm=1.0)
    at = np.argwhere(np.isfinite(made.probability))[::97]
    values = np.log(p / (1.0 - p))
    expected = [_kriged(points, values, made.affine[:3, :3] @ voxel + made.affine[:3, 3]) for voxel in at]
    found = [(made.probability[tuple(voxel)], made.uncertainty[tuple(voxel)]) for voxel in at]
    assert len(at) > 5
    assert np.allclose(found, expected, atol=2e-4)


def _kriged(points: np.ndarray, values: np.ndarray, where: np.ndarray) -> tuple[float, float]:
    """The bordered system of ordinary kriging, and moments of the probability by drawing many."""
    n = len(points)
    border = np.ones((n + 1, n + 1))
    border[n, n] = 0.0
    border[:n, :n] = [[_alike(a, b) for b in points] for a in points] + NUGGET**2 * np.eye(n)
    right = np.append([_alike(a, where) for a in points], 1.0)
    weights = np.linalg.solve(border, right)
    mean, variance = float(weights[:n] @ values), SPREAD**2 - float(weights @ right)
    grid = np.linspace(-8.0, 8.0, 4001)
    density = np.exp(-0.5 * grid**2)
    probability = 1.0 / (1.0 + np.exp(-(mean + np.sqrt(variance) * grid)))
    first = float((density * probability).sum() / density.sum())
    return first, float(np.sqrt((density * (probability - first) ** 2).sum() / density.sum()))


def _alike(a: np.ndarray, b: np.ndarray) -> float:
    return SPREAD**2 * float(np.exp(-0.5 * ((a - b) ** 2).sum() / LENGTH_MM**2))


def test_moving_all_sites_moves_the_map_and_changes_nothing() -> None:
    points, p = np.array([[0.0, 0.0, 0.0], [4.0, 1.0, 0.0]]), [0.9, 0.2]
    one, two = decision_map(points, p), decision_map(points + np.array([10.0, -5.0, 2.5]), p)
    assert np.array_equal(one.probability, two.probability, equal_nan=True)
    assert np.allclose(two.affine[:3, 3] - one.affine[:3, 3], [10.0, -5.0, 2.5])


def test_uncertainty_grows_with_the_distance_from_a_site() -> None:
    made = decision_map([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]], [0.6, 0.6])
    row = made.uncertainty[:, made.uncertainty.shape[1] // 2, made.uncertainty.shape[2] // 2]
    beyond = row[np.isfinite(row)][-10:]
    assert (np.diff(beyond) > 0).all()


def test_a_registration_error_gives_the_map_averaged_over_its_shifts() -> None:
    points, p, error = np.array([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [1.0, 3.0, 0.0]]), np.array([0.95, 0.05, 0.6]), 3.0
    values = np.log(p / (1.0 - p))
    shifts = np.random.default_rng(5).normal(0.0, error / np.sqrt(3.0), (4000, 3))
    place = np.array([1.0, 1.0, 0.0])
    averaged = np.mean([_log_odds(points, values, place + shift) for shift in shifts])
    made = decision_map(points, p, error_mm=error)
    voxel = tuple(np.rint(np.linalg.inv(made.affine) @ np.append(place, 1.0)).astype(int)[:3])
    sharp = decision_map(points, p)
    assert _log_odds_of(made, voxel) == pytest.approx(averaged, abs=0.1)
    assert made.uncertainty[voxel] > sharp.uncertainty[voxel]


def _log_odds(points: np.ndarray, values: np.ndarray, where: np.ndarray) -> float:
    inverse = np.linalg.inv(np.array([[_alike(a, b) for b in points] for a in points]) + NUGGET**2 * np.eye(len(points)))
    mean = float(inverse.sum(axis=0) @ values / inverse.sum())
    return mean + float(np.array([_alike(a, where) for a in points]) @ inverse @ (values - mean))


def _log_odds_of(made: DecisionMap, voxel: tuple[int, ...]) -> float:
    """The mean of the log-odds whose probability has these two moments, found by trying."""
    grid = np.linspace(-8.0, 8.0, 801)
    density = np.exp(-0.5 * grid**2) / np.exp(-0.5 * grid**2).sum()
    tried = [(m, s) for m in np.linspace(-4.0, 4.0, 161) for s in np.linspace(0.05, 3.0, 60)]
    curves = [1.0 / (1.0 + np.exp(-(m + s * grid))) for m, s in tried]
    off = [
        abs(density @ curve - made.probability[voxel]) + abs(np.sqrt(density @ (curve - density @ curve) ** 2) - made.uncertainty[voxel])
        for curve in curves
    ]
    return float(tried[int(np.argmin(off))][0])


@pytest.mark.parametrize(
    ("points", "p", "said"),
    [
        ([[0.0, 0.0, 0.0]], [1.2], "outside \\[0, 1\\]"),
        ([[0.0, 0.0, np.nan]], [0.5], "not finite"),
        (np.empty((0, 3)), [], "at least one site"),
        ([[0.0, 0.0, 0.0], [4000.0, 4000.0, 4000.0]], [0.5, 0.5], "one navigation frame"),
    ],
)
def test_what_cannot_be_mapped_is_refused_in_words(points: object, p: list[float], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        decision_map(points, p)
