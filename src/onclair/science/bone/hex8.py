"""The axis-aligned hexahedron of eight nodes: its stiffness, its modes under reflection, its strain at the centre.

Nodes of an element are counted ``4 ax + 2 ay + az`` with ax, ay, az in {0, 1}; degrees of freedom ``3 node + component``.
Strains are ordered xx, yy, zz, yz, xz, xy; shears are engineering shears.
"""

from __future__ import annotations

from itertools import product
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Reals: TypeAlias = npt.NDArray[np.float64]

#: Corners of the unit cube in the order of the nodes, (8, 3).
CORNERS: npt.NDArray[np.int64] = np.array(list(product((0, 1), repeat=3)), dtype=np.int64)
#: Signs of the eight modes on the eight nodes, (8, 8): mode s at node a has the sign (-1)^(s.a).
SIGNS: Reals = np.where((CORNERS @ CORNERS.T) % 2 == 0, 1.0, -1.0)
#: Distance of the two Gauss points of an edge from its middle, as a share of the edge.
_GAUSS = 0.5 / np.sqrt(3.0)


def elasticity(poisson: float) -> Reals:
    """Return the isotropic elasticity for a modulus of 1, (6, 6).

    Parameters
    ----------
    poisson : float
        In [0, 0.5).

    Examples
    --------
    >>> elasticity(0.0).diagonal().tolist()
    [1.0, 1.0, 1.0, 0.5, 0.5, 0.5]
    """
    lame = poisson / ((1 + poisson) * (1 - 2 * poisson))
    shear = 0.5 / (1 + poisson)
    matrix = np.diag([2 * shear] * 3 + [shear] * 3)
    matrix[:3, :3] += lame
    return matrix


def strain_matrix(edges_mm: tuple[float, float, float], at: npt.ArrayLike = (0.5, 0.5, 0.5)) -> Reals:
    """Return the matrix from the 24 displacements of an element to its strain at a point, (6, 24) per mm.

    Parameters
    ----------
    edges_mm : tuple of float
        Edges of the element along x, y, z.
    at : array, shape (3,)
        The point, from (0, 0, 0) at the first node to (1, 1, 1) at the last; the centre when left out.

    Examples
    --------
    A rigid translation strains nothing; stretching x by 1 % gives 0.01:

    >>> B = strain_matrix((2.0, 1.0, 1.0))
    >>> bool(np.abs(B @ np.ones(24)).max() < 1e-15)
    True
    >>> stretched = np.zeros((8, 3)); stretched[:, 0] = 0.01 * 2.0 * CORNERS[:, 0]
    >>> [round(float(e), 9) for e in B @ stretched.ravel()]
    [0.01, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    point = np.asarray(at, dtype=np.float64)
    shape = np.where(CORNERS == 1, point, 1 - point)
    slope = np.where(CORNERS == 1, 1.0, -1.0) / np.asarray(edges_mm)
    gradient = np.stack([slope[:, a] * shape[:, (a + 1) % 3] * shape[:, (a + 2) % 3] for a in range(3)], axis=1)
    matrix = np.zeros((6, 8, 3))
    for axis in range(3):
        matrix[axis, :, axis] = gradient[:, axis]
        first, second = (axis + 1) % 3, (axis + 2) % 3
        matrix[3 + axis, :, first] = gradient[:, second]
        matrix[3 + axis, :, second] = gradient[:, first]
    return matrix.reshape(6, 24)


def stiffness(edges_mm: tuple[float, float, float], poisson: float) -> Reals:
    """Return the stiffness of an element for a modulus of 1 MPa, integrated at 2 x 2 x 2 Gauss points, (24, 24) N/mm.

    Parameters
    ----------
    edges_mm : tuple of float
    poisson : float
        In [0, 0.5).

    References
    ----------
    T. J. R. Hughes, The Finite Element Method, Prentice-Hall 1987, section 3.

    Examples
    --------
    Stretching a cube of 2 mm by 0.1 mm with its sides held takes E (1 - nu) / ((1 + nu) (1 - 2 nu)) times area times strain:

    >>> K = stiffness((2.0, 2.0, 2.0), 0.25)
    >>> u = np.zeros((8, 3)); u[:, 2] = 0.1 * CORNERS[:, 2]
    >>> force = (K @ u.ravel()).reshape(8, 3)
    >>> round(float(force[CORNERS[:, 2] == 1, 2].sum()), 9)  # 1.2 * 4 * 0.05
    0.24
    """
    law = elasticity(poisson)
    volume = float(np.prod(edges_mm))
    total = np.zeros((24, 24))
    for signs in product((-1.0, 1.0), repeat=3):
        matrix = strain_matrix(edges_mm, 0.5 + _GAUSS * np.array(signs))
        total += volume / 8 * matrix.T @ law @ matrix
    return (total + total.T) / 2


def modes(matrix: Reals) -> Reals:
    """Return what is left of a stiffness in the modes that reflections tell apart: eight symmetric 3 x 3 blocks, (8, 6).

    An element and its mirror images are one, so of the 24 modes (component c with signs s) only those couple whose ``s xor e_c`` is
    the same. The product with the stiffness then costs two Hadamard transforms and eight small products, not 576 multiplications.

    Parameters
    ----------
    matrix : ndarray, shape (24, 24)
        As :func:`stiffness` returns it.

    Returns
    -------
    ndarray, shape (8, 6)
        For each class p, the entries xx, xy, xz, yy, yz, zz between the modes ``p xor 4`` of x, ``p xor 2`` of y and ``p xor 1`` of z;
        with H the signs, ``K = H' B H``.

    Examples
    --------
    >>> K = stiffness((1.0, 2.0, 3.0), 0.3)
    >>> bool(np.allclose(unmoded(modes(K)), K, atol=1e-12))
    True
    """
    full = np.einsum("sa,aibj,tb->sitj", SIGNS, matrix.reshape(8, 3, 8, 3), SIGNS) / 64
    blocks = np.zeros((8, 6))
    for p in range(8):
        at = [p ^ 4, p ^ 2, p ^ 1]
        block = np.array([[full[at[i], i, at[j], j] for j in range(3)] for i in range(3)])
        blocks[p] = block[np.triu_indices(3)]
    blocks[np.abs(blocks) < 1e-13 * np.abs(blocks).max()] = 0.0
    return blocks


def unmoded(blocks: Reals) -> Reals:
    """Return the stiffness that :func:`modes` was made of, (24, 24)."""
    full = np.zeros((8, 3, 8, 3))
    for p in range(8):
        at, block = [p ^ 4, p ^ 2, p ^ 1], np.zeros((3, 3))
        block[np.triu_indices(3)] = blocks[p]
        block = block + np.triu(block, 1).T
        for i, j in product(range(3), repeat=2):
            full[at[i], i, at[j], j] = block[i, j]
    return np.asarray(np.einsum("sa,sitj,tb->aibj", SIGNS, full, SIGNS).reshape(24, 24))


def own_blocks(matrix: Reals) -> Reals:
    """Return the 3 x 3 block of each node with itself, (8, 3, 3)."""
    return np.ascontiguousarray(np.einsum("aiaj->aij", matrix.reshape(8, 3, 8, 3)))


def smoothing_bound(matrix: Reals) -> float:
    """Return an upper bound of the eigenvalues of the block-Jacobi preconditioned stiffness of any body of such elements.

    Whatever the moduli: the quadratic forms of stiffness and diagonal are sums over elements with the same weights.

    Examples
    --------
    >>> 2.0 < smoothing_bound(stiffness((1.0, 1.0, 1.0), 0.3)) < 8.0
    True
    """
    roots = np.zeros((24, 24))
    for node, block in enumerate(own_blocks(matrix)):
        roots[3 * node : 3 * node + 3, 3 * node : 3 * node + 3] = np.linalg.inv(np.linalg.cholesky(block))
    return float(np.linalg.eigvalsh(roots @ matrix @ roots.T)[-1])


def interpolation(factors: tuple[int, int, int]) -> Reals:
    """Return the weights of the corners of a coarse element on the corners of the elements in it.

    Parameters
    ----------
    factors : tuple of int
        Elements along each axis, 1 or 2.

    Returns
    -------
    ndarray, shape (children, 8, 8)
        Child ``(sx fy + sy) fz + sz``, its node, the coarse node.

    Examples
    --------
    >>> weights = interpolation((2, 2, 2))
    >>> weights.shape, weights[0, 7].tolist()  # the middle of the coarse element
    ((8, 8, 8), [0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125])
    """
    children = np.array(list(product(*(range(f) for f in factors))))
    at = (children[:, None, :] + CORNERS[None, :, :]) / np.asarray(factors)
    return np.asarray(np.prod(np.where(CORNERS[None, None] == 1, at[:, :, None, :], 1 - at[:, :, None, :]), axis=-1))
