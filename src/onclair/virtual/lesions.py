"""Lesions with three separate knobs: volume, texture (a correlation length) and intensity.

The border is a random star-shaped surface. Inside, a Gaussian random field is mapped by rank to one fixed law, so that the histogram
of a lesion says nothing of its texture; only the arrangement of its voxels does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage, special

Floats = npt.NDArray[np.float64]

#: The law of uptake inside every lesion, relative to its mean: a beta law with these two shapes, stretched from `_LEAST` to mean 1.
_SHAPE_A, _SHAPE_B, _LEAST = 1.6, 3.0, 0.1
_STRETCH = (1.0 - _LEAST) * (_SHAPE_A + _SHAPE_B) / _SHAPE_A
_AXES, _HIGHEST_DEGREE = 14, 7


@dataclass(frozen=True, slots=True, eq=False)
class Border:
    """A star-shaped surface, ``r(n) = radius_mm * exp(sum_kl c_kl P_l(n . u_k))``: zonal harmonics about random axes.

    Attributes
    ----------
    radius_mm : float
        Scale of the surface.
    axes : ndarray, float64, shape (k, 3)
        Unit vectors u_k.
    coefficients : ndarray, float64, shape (k, degree + 1)
        c_kl; the column of degree 0 is zero.
    centre_mm : tuple of float
        Where it stands.
    """

    radius_mm: float
    axes: Floats
    coefficients: Floats
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def log_relief(self, directions: Floats) -> Floats:
        """Return ``log(r / radius_mm)`` along unit vectors of shape (..., 3)."""
        total = np.zeros(directions.shape[:-1])
        for axis, series in zip(self.axes, self.coefficients, strict=True):
            total += np.polynomial.legendre.legval((directions * axis).sum(axis=-1), series)
        return total

    def depth_mm(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Return how far inside the surface each point lies along its radius, in mm; negative outside.

        Parameters
        ----------
        x, y, z : ndarray
            Coordinates in mm, of shapes that broadcast.

        Returns
        -------
        ndarray, float64

        Examples
        --------
        >>> ball = Border(10.0, np.zeros((0, 3)), np.zeros((0, 2)))
        >>> ball.depth_mm(np.array([0.0, 6.0, 12.0]), np.zeros(3), np.zeros(3)).tolist()
        [10.0, 4.0, -2.0]
        """
        offset = np.stack(np.broadcast_arrays(*(a - c for a, c in zip((x, y, z), self.centre_mm, strict=True))), axis=-1)
        distance = np.linalg.norm(offset, axis=-1)
        near = distance <= 1.05 * self.reach_mm
        direction = offset[near] / np.maximum(distance[near], 1e-9)[:, None]
        depth = self.reach_mm - distance
        depth[near] = self.radius_mm * np.exp(self.log_relief(direction)) - distance[near]
        return np.asarray(depth)

    @property
    def reach_mm(self) -> float:
        """Largest radius of the surface."""
        return self.radius_mm * float(np.exp(self.log_relief(_sphere(800)).max()))

    @property
    def volume_ml(self) -> float:
        """Volume inside, by quadrature over 4,000 directions."""
        return _volume_ml(self.radius_mm, self.log_relief(_sphere(4000)))


def random_border(volume_ml: float, rng: np.random.Generator, *, irregularity: float = 0.16) -> Border:
    """Return a random surface that encloses a given volume.

    Parameters
    ----------
    volume_ml : float
        Enclosed volume, whatever the relief.
    rng : numpy Generator
    irregularity : float
        Standard deviation of the logarithm of the radius over the surface; 0 is a ball. Harmonics of degree l have an amplitude of 1/l.

    Returns
    -------
    Border

    Examples
    --------
    >>> round(random_border(40.0, np.random.default_rng(0)).volume_ml, 3)
    40.0
    """
    axes = rng.normal(size=(_AXES, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    degree = np.arange(_HIGHEST_DEGREE + 1)
    amplitude = np.where(degree >= 2, np.sqrt(2 * degree + 1.0) / np.maximum(degree, 1), 0.0)
    raw = Border(1.0, axes, rng.normal(size=(_AXES, degree.size)) * amplitude)
    coefficients = raw.coefficients * (irregularity / raw.log_relief(_sphere(800)).std())
    unit = replace(raw, coefficients=coefficients)
    return replace(unit, radius_mm=float(np.cbrt(volume_ml / unit.volume_ml)))


def reread(border: Border, rng: np.random.Generator, *, relief: float = 0.05, shift_mm: float = 0.7) -> Border:
    """Return the border as a reader would draw it: a little displaced, larger or smaller, and rougher.

    Parameters
    ----------
    border : Border
    rng : numpy Generator
    relief : float
        Standard deviation of the reader's error, of the logarithm of the radius; half of its variance is common to all directions.
    shift_mm : float
        Standard deviation of the displacement along each axis.

    Returns
    -------
    Border
    """
    error = random_border(1.0, rng, irregularity=relief / np.sqrt(2))
    scale = float(np.exp(rng.normal(0, relief / np.sqrt(2))))
    x, y, z = (float(c) for c in np.asarray(border.centre_mm) + rng.normal(0, shift_mm, 3))
    axes, coefficients = np.vstack([border.axes, error.axes]), np.vstack([border.coefficients, error.coefficients])
    return Border(border.radius_mm * scale, axes, coefficients, (x, y, z))


def smooth_field(shape: tuple[int, int, int], cell_mm: float, correlation_mm: float, rng: np.random.Generator) -> Floats:
    """Return a stationary Gaussian random field of mean 0 and variance 1.

    Parameters
    ----------
    shape : tuple of int
    cell_mm : float
    correlation_mm : float
        Its correlation at distance d is ``exp(-d^2 / (2 correlation_mm^2))``.
    rng : numpy Generator

    Returns
    -------
    ndarray, float64, shape `shape`

    Examples
    --------
    >>> smooth_field((8, 8, 8), 2.0, 6.0, np.random.default_rng(0)).shape
    (8, 8, 8)
    """
    sigma = correlation_mm / np.sqrt(2) / cell_mm
    margin = int(np.ceil(3 * sigma))
    white = rng.normal(size=[n + 2 * margin for n in shape])
    smooth = ndimage.gaussian_filter(white, sigma, truncate=3.0)
    inner = smooth[tuple(slice(margin, margin + n) for n in shape)]
    kernel = ndimage.gaussian_filter1d(np.eye(1, 2 * margin + 1, margin), sigma, axis=1, truncate=3.0)
    return np.asarray(inner / np.square(kernel).sum() ** 1.5)


def relative_uptake(rank: Floats) -> Floats:
    """Return the uptake, relative to the lesion's mean, at a rank in (0, 1): the quantile function of the one law inside lesions.

    Examples
    --------
    >>> float(relative_uptake((np.arange(1000) + 0.5) / 1000).mean().round(3))
    1.0
    """
    return np.asarray(_LEAST + _STRETCH * special.betaincinv(_SHAPE_A, _SHAPE_B, rank))


def textured(inside: npt.NDArray[np.bool_], cell_mm: float, correlation_mm: float, rng: np.random.Generator) -> Floats:
    """Return relative uptake inside a lesion: a random field mapped by rank to the one law.

    Parameters
    ----------
    inside : ndarray, bool, shape (x, y, z)
        At least one cell.
    cell_mm, correlation_mm : float
        As in `smooth_field`.
    rng : numpy Generator

    Returns
    -------
    ndarray, float64, shape of `inside`
        Mean 1 inside, 0 outside; the sorted values depend on the number of cells alone.

    Examples
    --------
    >>> ball = np.ones((6, 6, 6), bool)
    >>> short, long = (textured(ball, 2.0, length, np.random.default_rng(0)) for length in (3.0, 9.0))
    >>> bool(np.array_equal(np.sort(short, axis=None), np.sort(long, axis=None)))
    True
    """
    box = ndimage.find_objects(inside.astype(np.int8))[0]
    part = inside[box]
    field = smooth_field((part.shape[0], part.shape[1], part.shape[2]), cell_mm, correlation_mm, rng)[part]
    rank = np.empty(field.size)
    rank[np.argsort(field, kind="stable")] = (np.arange(field.size) + 0.5) / field.size
    values = np.zeros(inside.shape)
    values[box][part] = relative_uptake(rank)
    return values


def _sphere(points: int) -> Floats:
    """Return directions spread evenly over the sphere by the golden angle, shape (points, 3)."""
    z = 1.0 - (2.0 * np.arange(points) + 1.0) / points
    turn = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(points)
    return np.stack([np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z], axis=1)


def _volume_ml(radius_mm: float, log_relief: Floats) -> float:
    return float(4.0 / 3.0 * np.pi * radius_mm**3 * np.exp(3.0 * log_relief).mean() / 1000.0)
