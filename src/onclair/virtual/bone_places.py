"""Where in a virtual bone something may grow: places inside it that the image shows, with their depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.virtual.bone_anatomy import Vector, Window
from onclair.virtual.bone_tissue import Bone

#: Side of the lattice that places are sought on, and how far inside the field they lie.
_LATTICE_MM, _MARGIN_MM = 3.0, 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The inside of a bone as far as the image shows it.

    Attributes
    ----------
    bone : Bone
    points : ndarray, float64, shape (n, 3)
        LPS mm.
    depth_mm : ndarray, float64, shape (n,)
        Below the surface.
    """

    bone: Bone
    points: npt.NDArray[np.float64]
    depth_mm: npt.NDArray[np.float64]

    @property
    def deepest_mm(self) -> float:
        """The greatest depth."""
        return float(self.depth_mm.max())

    def deep(self, enough_mm: float, rng: np.random.Generator) -> tuple[Vector, float]:
        """Return a random place at least so deep, or as deep as the bone nearly goes, and its depth."""
        chosen = int(rng.choice(np.flatnonzero(self.depth_mm >= min(enough_mm, 0.75 * self.deepest_mm))))
        x, y, z = (float(v) for v in self.points[chosen] + rng.uniform(-1.0, 1.0, 3))
        return (x, y, z), float(self.depth_mm[chosen])

    def holds(self, place: Vector) -> bool:
        """Return whether a point lies inside the bone where the image shows it, to a cell of the lattice."""
        return bool(np.linalg.norm(self.points - place, axis=1).min() < _LATTICE_MM)


def places_of(bones: Sequence[Bone], field: Window) -> tuple[Places, ...]:
    """Return where in each bone something may grow: inside it, and 6 mm inside the field.

    Parameters
    ----------
    bones : sequence of Bone
    field : Window
        The voxels of the image.

    Returns
    -------
    tuple of Places
        Without the bones that the field hardly shows.
    """
    found = []
    first = np.array(field.first_mm)
    last = first + (np.array(field.shape) - 1) * np.array(field.step_mm)
    for bone in bones:
        low, high = (np.clip(end, first + _MARGIN_MM, last - _MARGIN_MM) for end in bone.box())
        shape = tuple(int(n) for n in np.maximum((high - low) / _LATTICE_MM, 0).astype(int) + 1)
        lattice = Window((float(low[0]), float(low[1]), float(low[2])), (_LATTICE_MM,) * 3, (shape[0], shape[1], shape[2]))
        distance = bone.distance(lattice)
        inside = np.argwhere(distance < -1.0)
        found.append(Places(bone, low + inside * _LATTICE_MM, -distance[tuple(inside.T)].astype(float)))
    return tuple(place for place in found if len(place.points) >= 4)
