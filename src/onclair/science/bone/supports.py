"""Which parts of a body of voxels are joined to a support, and whether two supports are joined by material."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadInput

Flags: TypeAlias = npt.NDArray[np.bool_]

#: Voxels that share a node are joined.
_BY_A_NODE = np.ones((3, 3, 3), dtype=np.bool_)


def node_flags(material: Flags) -> Flags:
    """Return the nodes of some voxels.

    Parameters
    ----------
    material : ndarray, bool, shape (x, y, z)

    Returns
    -------
    ndarray, bool, shape (x + 1, y + 1, z + 1)

    Examples
    --------
    >>> int(node_flags(np.ones((1, 1, 2), bool)).sum())
    12
    """
    nodes = np.zeros(tuple(n + 1 for n in material.shape), dtype=np.bool_)
    x, y, z = material.shape
    for i, j, k in np.ndindex(2, 2, 2):
        nodes[i : i + x, j : j + y, k : k + z] |= material
    return nodes


def parts_of(material: Flags) -> tuple[npt.NDArray[np.int32], int]:
    """Return the parts of a body, voxels that share a node being joined: labels from 1 and their number.

    Examples
    --------
    >>> parts_of(np.array([[[True, False, True]]]))[1]
    2
    """
    labels, count = ndimage.label(material, _BY_A_NODE)
    return labels.astype(np.int32, copy=False), int(count)


def touching(parts: npt.NDArray[np.int32], nodes: Flags) -> Flags:
    """Return which labels have one of some nodes, (count + 1,); entry 0 is False.

    Examples
    --------
    >>> nodes = np.zeros((2, 2, 4), bool)
    >>> nodes[0, 0, 3] = True
    >>> touching(np.array([[[1, 0, 2]]], np.int32), nodes).tolist()
    [False, False, True]
    """
    found = np.zeros(int(parts.max(initial=0)) + 1, dtype=np.bool_)
    x, y, z = parts.shape
    for i, j, k in np.ndindex(2, 2, 2):
        found[parts[nodes[i : i + x, j : j + y, k : k + z]]] = True
    found[0] = False
    return found


def supported(material: Flags, nodes: Flags) -> Flags:
    """Return the voxels of parts that have one of some nodes.

    Parameters
    ----------
    material : ndarray, bool, shape (x, y, z)
    nodes : ndarray, bool, shape (x + 1, y + 1, z + 1)
        Nodes that are held.

    Returns
    -------
    ndarray, bool, shape (x, y, z)

    Examples
    --------
    >>> nodes = np.zeros((2, 2, 4), bool)
    >>> nodes[0, 0, 0] = True
    >>> supported(np.array([[[True, False, True]]]), nodes).tolist()
    [[[True, False, False]]]
    """
    parts, _ = parts_of(material)
    return np.asarray(touching(parts, nodes)[parts])


def require_connected(material: Flags, bottom: Flags, top: Flags) -> None:
    """Refuse a body whose two supports have no part in common.

    Parameters
    ----------
    material : ndarray, bool, shape (x, y, z)
    bottom, top : ndarray, bool, shape (x + 1, y + 1, z + 1)

    Raises
    ------
    BadInput
        When there is no node in a support, or no part that touches both.
    """
    there = node_flags(material)
    for name, nodes in (("bottom", bottom), ("top", top)):
        if not (nodes & there).any():
            raise BadInput(f"The {name} support has no node of the material; no load can be put on it, so move its plane.", item=name)
    parts, count = parts_of(material)
    if not (touching(parts, bottom) & touching(parts, top)).any():
        raise BadInput(
            f"The two ends are not connected: none of the {count} parts of the material reaches from one support to the other; "
            "check the material map, its threshold and the axis.",
            item="modulus_mpa",
        )
