"""Borders of lesions: random star-shaped surfaces around a given volume. What lies inside is in `textures`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: A plausible choice: enough axes and degrees for a border that is lobed, and seldom twice the same.
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
        flat = np.ascontiguousarray(directions, dtype=np.float64).reshape(-1, 3)
        return np.asarray(_zonal(flat, self.axes, self.coefficients)).reshape(directions.shape[:-1])

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


@numba.njit(cache=True)
def _zonal(directions: Floats, axes: Floats, coefficients: Floats) -> Floats:
    """Return ``sum_kl c_kl P_l(n . u_k)`` along unit vectors (n, 3), the polynomials by Bonnet's recursion."""
    total = np.zeros(directions.shape[0])
    for i in range(directions.shape[0]):
        for k in range(axes.shape[0]):
            cosine = directions[i, 0] * axes[k, 0] + directions[i, 1] * axes[k, 1] + directions[i, 2] * axes[k, 2]
            before, now = 1.0, cosine
            total[i] += coefficients[k, 0] + coefficients[k, 1] * cosine
            for degree in range(2, coefficients.shape[1]):
                before, now = now, ((2 * degree - 1) * cosine * now - (degree - 1) * before) / degree
                total[i] += coefficients[k, degree] * now
    return total


def _sphere(points: int) -> Floats:
    """Return directions spread evenly over the sphere by the golden angle, shape (points, 3)."""
    z = 1.0 - (2.0 * np.arange(points) + 1.0) / points
    turn = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(points)
    return np.stack([np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z], axis=1)


def _volume_ml(radius_mm: float, log_relief: Floats) -> float:
    return float(4.0 / 3.0 * np.pi * radius_mm**3 * np.exp(3.0 * log_relief).mean() / 1000.0)
