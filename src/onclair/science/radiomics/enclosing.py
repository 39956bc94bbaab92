"""The smallest box and the smallest ellipsoid around an outline, and how much of each it fills (four values of IBSI's ``morph``).

IBSI manual, arXiv:1612.07003, sections 3.1.15, 3.1.16, 3.1.19 and 3.1.20: defined there, but without a consensus value.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from onclair.science.radiomics.features import Features, named
from onclair.science.radiomics.mesh import Surface
from onclair.science.radiomics.shape import ellipsoid_area

ENCLOSING = ("vol_dens_ombb", "area_dens_ombb", "vol_dens_mvee", "area_dens_mvee")
ENCLOSING_TAGS = tuple(f"morph_{name}" for name in ENCLOSING)
#: The ellipsoid's volume is within this share of the smallest possible.
MVEE_TOLERANCE = 1e-7
_MOST_STEPS = 100_000

Points = npt.NDArray[np.float64]


def enclosing(mesh: Surface) -> Features:
    """Compare a mesh with the smallest box and the smallest ellipsoid around it.

    Parameters
    ----------
    mesh : Surface

    Returns
    -------
    Features
        ``morph_*_dens_ombb`` and ``morph_*_dens_mvee``: volume and area of the mesh over those of the enclosing body. Ellipsoid
        areas by IBSI's series, as for the principal axes.

    Examples
    --------
    One voxel is an octahedron of volume 1/6; the ball of radius 1/2 around it has pi/6.

    >>> from onclair.science.radiomics.mesh import surface
    >>> f = enclosing(surface(np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0)))
    >>> round(f.values["morph_vol_dens_mvee"] * math.pi, 6)
    1.0
    """
    a, b, c = box_sides(mesh.hull_points, mesh.hull_normals)
    p, q, r = ellipsoid_axes(mesh.hull_points)
    measures = (
        mesh.volume_mm3 / (a * b * c),
        mesh.area_mm2 / (2 * (a * b + b * c + c * a)),
        mesh.volume_mm3 / (4 / 3 * math.pi * p * q * r),
        mesh.area_mm2 / ellipsoid_area(p, q, r),
    )
    return named("morph_", dict(zip(ENCLOSING, measures, strict=True)), {})


def box_sides(points: Points, normals: Points) -> tuple[float, float, float]:
    """Return the sides of the smallest box around a convex hull that has a face on one of the hull's, longest first.

    Parameters
    ----------
    points : ndarray, float64, shape (n, 3)
        Vertices of the hull.
    normals : ndarray, float64, shape (m, 3)
        Unit normals of its faces, each direction once.

    Notes
    -----
    Of all boxes some may be smaller still: the smallest one only needs two adjacent faces that each hold an edge of the hull
    (O'Rourke, Int J Comput Inf Sci 1985;14:183-199, doi:10.1007/BF00991005). Within each plane the rectangle is the smallest.

    Examples
    --------
    >>> corners = np.array([[x, y, z] for x in (0.0, 3.0) for y in (0.0, 2.0) for z in (0.0, 1.0)])
    >>> box_sides(corners, np.eye(3))
    (3.0, 2.0, 1.0)
    """
    sides = sorted((float(side) for side in _smallest_box(points, normals)), reverse=True)
    return sides[0], sides[1], sides[2]


def ellipsoid_axes(points: Points) -> tuple[float, float, float]:
    """Return the semi-axes of the ellipsoid of least volume around some points, longest first.

    Parameters
    ----------
    points : ndarray, float64, shape (n, 3)
        Not all in one plane.

    References
    ----------
    Todd and Yildirim, Discrete Appl Math 2007;155:1731-1744, doi:10.1016/j.dam.2007.02.013: Khachiyan's ascent with steps away.

    Examples
    --------
    >>> corners = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
    >>> [round(axis, 5) for axis in ellipsoid_axes(corners)]  # the ball through the corners of a cube
    [1.73205, 1.73205, 1.73205]
    """
    scale = np.ptp(points, axis=0)
    weights = _enclosing_weights((points - points.mean(axis=0)) / scale, MVEE_TOLERANCE, _MOST_STEPS)
    centred = points - (points * weights[:, None]).sum(axis=0)
    scatter = 3 * np.einsum("ia,i,ib->ab", centred, weights, centred)
    # The last step: widen the ellipsoid until the outermost point lies on it.
    widest = float(np.einsum("ia,ab,ib->i", centred, np.linalg.inv(scatter), centred).max())
    c, b, a = np.sqrt(np.linalg.eigvalsh(scatter) * widest)
    return float(a), float(b), float(c)


def _enclosing_weights(points: Points, tolerance: float, most: int) -> Points:
    """Return the weight of each point in the optimal design that is dual to the ellipsoid; they add up to one."""
    n, d = len(points), 4
    lifted = np.c_[points, np.ones(n)].T.copy()  # (4, n): what is done to every point runs along memory
    weights = np.full(n, 1 / n)
    inverse = np.linalg.inv((lifted * weights) @ lifted.T)
    for _ in range(most):
        spread = (lifted * (inverse @ lifted)).sum(axis=0)
        farthest, nearest = int(spread.argmax()), int(np.where(weights > 0, spread, np.inf).argmin())
        excess, lack = spread[farthest] / d - 1, 1 - spread[nearest] / d
        if max(excess, lack) <= tolerance:
            break
        chosen = farthest if excess > lack else nearest
        s = float(spread[chosen])
        away = -weights[chosen] / (1 - weights[chosen])  # as far as the point can lose weight
        step = max((s - d) / (d * (s - 1)), away) if s > 1 else away
        weights *= 1 - step
        weights[chosen] = max(weights[chosen] + step, 0.0)
        pulled = inverse @ lifted[:, chosen]
        inverse = (inverse - step / (1 - step + step * s) * np.outer(pulled, pulled)) / (1 - step)
    return weights


@njit(cache=True, nogil=True)
def _smallest_box(points: Points, normals: Points) -> Points:
    best = np.array([np.inf, 1.0, 1.0])
    flat, hull = np.empty((len(points), 2)), np.empty((len(points), 2))
    for f in range(len(normals)):
        height = _projected(points, normals[f], flat)
        width, length = _smallest_rectangle(hull, _wrapped(flat, hull))
        if height * width * length < best[0] * best[1] * best[2]:
            best[0], best[1], best[2] = height, width, length
    return best


@njit(cache=True, nogil=True)
def _projected(points: Points, normal: Points, flat: Points) -> float:
    """Put the points' projection on the plane of `normal` into `flat`; return their extent along it."""
    nx, ny, nz = normal[0], normal[1], normal[2]
    if abs(nx) < 0.6:  # a direction in the plane: the normal crossed with an axis that it is far from
        ux, uy, uz = 0.0, -nz, ny
    else:
        ux, uy, uz = nz, 0.0, -nx
    size = math.sqrt(ux * ux + uy * uy + uz * uz)
    ux, uy, uz = ux / size, uy / size, uz / size
    vx, vy, vz = ny * uz - nz * uy, nz * ux - nx * uz, nx * uy - ny * ux
    low, high = np.inf, -np.inf
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        height = x * nx + y * ny + z * nz
        low, high = min(low, height), max(high, height)
        flat[i, 0], flat[i, 1] = x * ux + y * uy + z * uz, x * vx + y * vy + z * vz
    return high - low


@njit(cache=True, nogil=True)
def _wrapped(flat: Points, hull: Points) -> int:
    """Put the convex hull of points in a plane into `hull`, in order; return its size (Jarvis, Inf Process Lett 1973;2:18-21)."""
    n = len(flat)
    start = 0
    for i in range(n):
        if flat[i, 0] < flat[start, 0] or (flat[i, 0] == flat[start, 0] and flat[i, 1] < flat[start, 1]):
            start = i
    here, count = start, 0
    while count < n:
        hull[count, 0], hull[count, 1] = flat[here, 0], flat[here, 1]
        count += 1
        reach, ahead = -1.0, here
        for i in range(n):
            distance = (flat[i, 0] - flat[here, 0]) ** 2 + (flat[i, 1] - flat[here, 1]) ** 2
            if distance > reach:
                reach, ahead = distance, i
        slack = 1e-12 * reach
        for i in range(n):
            ax, ay = flat[ahead, 0] - flat[here, 0], flat[ahead, 1] - flat[here, 1]
            bx, by = flat[i, 0] - flat[here, 0], flat[i, 1] - flat[here, 1]
            turn = ax * by - ay * bx
            if turn < -slack or (turn <= slack and bx * bx + by * by > ax * ax + ay * ay):
                ahead = i
        here = ahead
        if (flat[here, 0] - flat[start, 0]) ** 2 + (flat[here, 1] - flat[start, 1]) ** 2 <= slack:
            break
    return count


@njit(cache=True, nogil=True)
def _smallest_rectangle(hull: Points, n: int) -> tuple[float, float]:
    """Return the sides of the smallest rectangle around a convex polygon; one lies on an edge (Freeman and Shapira 1975)."""
    width, length = np.inf, 1.0
    for e in range(n):
        ux, uy = hull[(e + 1) % n, 0] - hull[e, 0], hull[(e + 1) % n, 1] - hull[e, 1]
        size = math.sqrt(ux * ux + uy * uy)
        ux, uy = ux / size, uy / size
        left, right, low, high = np.inf, -np.inf, np.inf, -np.inf
        for i in range(n):
            along, across = hull[i, 0] * ux + hull[i, 1] * uy, hull[i, 1] * ux - hull[i, 0] * uy
            left, right = min(left, along), max(right, along)
            low, high = min(low, across), max(high, across)
        if (right - left) * (high - low) < width * length:
            width, length = right - left, high - low
    return width, length
