"""PyRadiomics' surface of a mask and the shape features that it takes from it.

Its marching cubes holds the triangles of 128 configurations and reads the other half as their complements. Where two voxels inside
touch across a face's diagonal, neighbouring cubes may therefore disagree, and the surface has holes: its volume, a sum of signed
tetrahedra, then depends on where the origin lies. Coefficients were fitted to such volumes, so they are reproduced, holes and all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from onclair.science.radiomics.features import ratio
from onclair.science.radiomics.mesh import CORNERS, Points, _loops, _vertices, _widest
from onclair.science.radiomics.shape import principal_axes

Spacing = tuple[float, float, float]
#: Length, squared, of the side of the triangle that cuts one corner off the unit cube.
CUT_OFF = 0.5


def surface_of_dialect(region: npt.NDArray[np.bool_], spacing_mm: Spacing) -> tuple[float, float]:
    """Return the area and the volume of PyRadiomics' surface.

    Parameters
    ----------
    region : ndarray, bool, shape (x, y, z)
        The outline, cropped to its own box, along the axes that the image is stored in: a turned region can give other figures.
    spacing_mm : (float, float, float)

    Returns
    -------
    (float, float)
        In mm2 and mm3. The origin is the voxel before the box's first, as in PyRadiomics.

    Notes
    -----
    The triangles, found from the areas and volumes that PyRadiomics 3.0.1 gives for each of the 256 cubes: loops that are not flat
    take their widest triangulation, but loops of seven corners, which are fans around the corner opposite their longest stretch.

    References
    ----------
    Lorensen and Cline, SIGGRAPH 1987, doi:10.1145/37402.37422; van Griethuysen et al., Cancer Res 2017;77:e104-e107,
    doi:10.1158/0008-5472.CAN-17-0339.

    Examples
    --------
    One voxel is an octahedron: eight faces of area sqrt(3)/8, volume 1/6.

    >>> area, volume = surface_of_dialect(np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0))
    >>> round(area, 6), round(volume, 6)
    (1.732051, 0.166667)
    """
    which, cubes = _mixed_cubes(np.pad(region, 1).view(np.uint8))
    spacing = np.asarray(spacing_mm)
    counts = np.bincount(which, minlength=256)
    triangles = _triangles()
    p, q, r = (triangles.points * spacing).transpose(1, 0, 2)
    normal = np.cross(q - p, r - p) / 2 * triangles.weight[:, None]
    signed = np.einsum("ij,ij->i", p, np.cross(q, r)) / 6 * triangles.weight
    area = np.bincount(triangles.configuration, np.linalg.norm(normal, axis=1), 256)
    volume = float((counts * np.bincount(triangles.configuration, signed, 256)).sum())
    for axis in range(3):  # moving a triangle by o adds o . normal / 3 to its tetrahedron
        moved = np.bincount(which, cubes[axis], 256) * spacing[axis]
        volume += float((moved * np.bincount(triangles.configuration, normal[:, axis], 256)).sum()) / 3
    return float((counts * area).sum()), volume


def _mixed_cubes(padded: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], tuple[npt.NDArray[np.intp], ...]]:
    """Return the configuration and the place of each cube that the surface passes through."""
    x, y, z = (n - 1 for n in padded.shape)
    which = np.zeros((x, y, z), np.uint8)
    for bit, (i, j, k) in enumerate(CORNERS):
        which |= padded[i : i + x, j : j + y, k : k + z] << np.uint8(bit)
    mixed = np.nonzero((which > 0) & (which < 255))
    return which[mixed], mixed


@dataclass(frozen=True, slots=True)
class _Triangles:
    points: Points  # (triangle, corner, xyz) in the unit cube
    weight: Points
    configuration: npt.NDArray[np.int64]


@cache
def _triangles() -> _Triangles:
    """Return the triangles of the 256 configurations; those with the last corner inside are read from their complement."""
    points, weights, owners = [], [], []
    for configuration in range(256):
        complement = configuration >= 128
        for loop in _loops(255 - configuration if complement else configuration):
            corners, weight = _fan(loop) if len(loop) == 7 else _widest(loop)
            points.append(corners[:, ::-1] if complement else corners)
            weights.append(np.full(len(corners), weight))
            owners.append(np.full(len(corners), configuration))
    return _Triangles(np.concatenate(points), np.concatenate(weights), np.concatenate(owners))


def _fan(loop: Points) -> tuple[Points, float]:
    """Return the triangles around the middle one of the three points, one after another, that cut a corner off the cube."""
    before, after = np.roll(loop, 1, axis=0), np.roll(loop, -1, axis=0)
    sides = np.stack([loop - before, after - loop, after - before])
    middle = int(np.isclose(np.square(sides).sum(axis=2), CUT_OFF).all(axis=0).argmax())
    turned = np.roll(loop, -middle, axis=0)
    return np.array([(turned[0], turned[k], turned[k + 1]) for k in range(1, len(loop) - 1)]), 1.0


class DialectShape:
    """A mask's shape as PyRadiomics has it; each part made once and only when asked for.

    Parameters
    ----------
    region : ndarray, bool, shape (x, y, z)
        The outline, cropped to its own box.
    spacing_mm : (float, float, float)

    Examples
    --------
    >>> outline = DialectShape(np.ones((3, 1, 1), bool), (1.0, 1.0, 1.0))
    >>> outline.of("VoxelVolume"), outline.of("Maximum3DDiameter"), round(outline.of("MajorAxisLength"), 6)
    (3.0, 3.0, 3.265986)
    """

    def __init__(self, region: npt.NDArray[np.bool_], spacing_mm: Spacing) -> None:
        self.region = region
        self.spacing_mm = spacing_mm

    def of(self, name: str) -> float:
        """Return one feature, of `SHAPE_NAMES`; NaN where it is a ratio over zero.

        Examples
        --------
        >>> DialectShape(np.ones((1, 1, 1), bool), (2.0, 2.0, 2.0)).of("VoxelVolume")
        8.0
        """
        return float(_SHAPE[name](self))

    @cached_property
    def surface(self) -> tuple[float, float]:
        """Area in mm2 and volume in mm3."""
        return surface_of_dialect(self.region, self.spacing_mm)

    @cached_property
    def sphere(self) -> float:
        """Area of the sphere of the same volume."""
        return math.cbrt(36 * math.pi * self.surface[1] ** 2)

    @cached_property
    def axes(self) -> Spacing:
        """Lengths of the principal axes; the covariance has divisor n, where the IBSI has n - 1."""
        n = int(np.count_nonzero(self.region))
        major, minor, least = (length * math.sqrt((n - 1) / n) for length in principal_axes(self.region, self.spacing_mm))
        return major, minor, least

    @cached_property
    def vertices(self) -> Points:
        """Points of the surface in mm, shape (n, 3)."""
        return np.asarray(_vertices(np.pad(self.region, 1).view(np.uint8)) * np.asarray(self.spacing_mm))

    def diameter(self) -> float:
        """Return the greatest distance between two vertices.

        Examples
        --------
        >>> DialectShape(np.ones((1, 1, 2), bool), (1.0, 1.0, 3.0)).diameter()
        6.0
        """
        corners = self.vertices[ConvexHull(self.vertices).vertices]
        return float(pdist(corners).max())

    def plane_diameter(self, axis: int) -> float:
        """Return the greatest distance between two vertices of one plane across `axis`.

        Examples
        --------
        >>> DialectShape(np.ones((1, 4, 2), bool), (1.0, 1.0, 3.0)).plane_diameter(2)
        4.0
        """
        u, v = (a for a in range(3) if a != axis)
        points = self.vertices[np.lexsort((self.vertices[:, v], self.vertices[:, u], self.vertices[:, axis]))]
        same_row = (points[1:, axis] == points[:-1, axis]) & (points[1:, u] == points[:-1, u])
        outer = points[~(np.append(False, same_row) & np.append(same_row, False))]  # only the ends of a row can be far apart
        planes = np.split(outer, np.flatnonzero(np.diff(outer[:, axis])) + 1)
        widths = np.array([math.hypot(np.ptp(plane[:, u]), np.ptp(plane[:, v])) for plane in planes])
        longest = 0.0
        for which in np.argsort(-widths):
            if widths[which] <= longest:
                break
            if len(planes[which]) > 1:
                longest = max(longest, float(pdist(planes[which][:, [u, v]]).max()))
        return longest


_SHAPE: Mapping[str, Callable[[DialectShape], float]] = MappingProxyType(
    {
        "MeshVolume": lambda s: s.surface[1],
        "VoxelVolume": lambda s: np.count_nonzero(s.region) * math.prod(s.spacing_mm),
        "SurfaceArea": lambda s: s.surface[0],
        "SurfaceVolumeRatio": lambda s: ratio(s.surface[0], s.surface[1]),
        "Sphericity": lambda s: s.sphere / s.surface[0],
        "Compactness1": lambda s: s.surface[1] / (math.sqrt(math.pi) * s.surface[0] ** 1.5),
        "Compactness2": lambda s: (s.sphere / s.surface[0]) ** 3,
        "SphericalDisproportion": lambda s: ratio(s.surface[0], s.sphere),
        "Maximum3DDiameter": DialectShape.diameter,
        "Maximum2DDiameterSlice": partial(DialectShape.plane_diameter, axis=2),
        "Maximum2DDiameterColumn": partial(DialectShape.plane_diameter, axis=1),
        "Maximum2DDiameterRow": partial(DialectShape.plane_diameter, axis=0),
        "MajorAxisLength": lambda s: s.axes[0],
        "MinorAxisLength": lambda s: s.axes[1],
        "LeastAxisLength": lambda s: s.axes[2],
        "Elongation": lambda s: ratio(s.axes[1], s.axes[0]),
        "Flatness": lambda s: ratio(s.axes[2], s.axes[0]),
    }
)
SHAPE_NAMES = tuple(_SHAPE)
