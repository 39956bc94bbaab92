"""Bones made for tests: a vertebra, a pair of femurs, and their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from onclair.io.nifti import write_map

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Made:
    """A volume of K2HPO4-equivalent density with the labels of its bones."""

    density: Floats
    labels: npt.NDArray[np.int32]
    affine: Floats

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write density and labels."""
        density, labels = folder / "density.nii.gz", folder / "labels.nii.gz"
        write_map(density, self.density.astype(np.float32), self.affine)
        write_map(labels, self.labels, self.affine)
        return density, labels

    def hu(self) -> Floats:
        """A CT of which density = 0.8 HU - 4."""
        return (self.density + 4.0) / 0.8


def vertebra(*, voxel_mm: float = 2.0) -> Made:
    """A body of 32 x 26 x 24 mm in a shell of cortex, with an arch and a process behind: labels 20 and 48."""
    n = np.ceil(np.array([52, 68, 44]) / voxel_mm).astype(int)
    x, y, z = (np.indices(n) + 0.5).astype(float) * voxel_mm
    body = ((x - 26) / 16) ** 2 + ((y - 22) / 13) ** 2 <= 1
    inner = (((x - 26) / 14) ** 2 + ((y - 22) / 11) ** 2 <= 1) & (np.abs(z - 22) <= 10)
    body &= np.abs(z - 22) <= 12
    arch = (((x - 26) / 14) ** 2 + ((y - 40) / 11) ** 2 <= 1) & (((x - 26) / 9) ** 2 + ((y - 39) / 7) ** 2 > 1) & (np.abs(z - 24) <= 6)
    process = (np.abs(x - 26) <= 3) & (y > 48) & (y < 64) & (np.abs(z - 22) <= 5)
    labels = np.zeros(n, np.int32)
    labels[arch | process] = 48
    labels[body] = 20
    density = np.where(labels == 48, 450.0, np.where(inner, 150.0, np.where(body, 500.0, 0.0)))
    return Made(density, labels, np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0]))


def femurs(*, voxel_mm: float = 2.0, both: bool = True) -> Made:
    """Upper ends of two femurs, mirror images: head, neck, trochanter and 90 mm of hollow shaft; 75 left, 76 right."""
    n = np.ceil(np.array([220, 64, 160]) / voxel_mm).astype(int)
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = [-110.0 + voxel_mm / 2, voxel_mm / 2, voxel_mm / 2]
    x, y, z = np.indices(n) * voxel_mm + affine[:3, 3].reshape(3, 1, 1, 1)
    left, density = _femur(x, y, z)
    right, mirrored = _femur(-x, y, z)
    labels = np.where(left, 75, 0) + (np.where(right, 76, 0) if both else 0)
    return Made(np.where(left, density, np.where(right & both, mirrored, 0.0)), labels.astype(np.int32), affine)


def _femur(x: Floats, y: Floats, z: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """The left one: LPS, lateral is +x; head at x 40, shaft at x 80."""
    y = y - 32.0
    across = np.hypot(x - 80, y)
    shaft, hollow = (across <= 14) & (z > 0.1) & (z < 105), (across <= 8) & (z < 95)
    along = ((x - 80) * (40 - 80) + (z - 100) * (130 - 100)) / 2500.0
    apart = np.sqrt((x - 80 + 40 * along) ** 2 + (z - 100 - 30 * along) ** 2 + y**2)
    neck = (apart <= 14) & (along > 0) & (along < 1)
    head = np.sqrt((x - 40) ** 2 + y**2 + (z - 130) ** 2) <= 22
    trochanter = np.sqrt((x - 88) ** 2 + y**2 + (z - 105) ** 2) <= 19
    bone = shaft | neck | head | trochanter
    density = np.where(head, 300.0, np.where(neck, 350.0, np.where(trochanter, 200.0, 0.0)))
    density = np.where(shaft & ~head, np.where(hollow, 20.0, 1000.0), density)
    return bone, np.where(bone, density, 0.0)


def sphere(made: Made, centre_mm: tuple[float, float, float], radius_mm: float) -> npt.NDArray[np.bool_]:
    """Voxels within a sphere."""
    places = np.indices(made.density.shape).reshape(3, -1).T @ made.affine[:3, :3].T + made.affine[:3, 3]
    return (np.linalg.norm(places - np.array(centre_mm), axis=1) <= radius_mm).reshape(made.density.shape)


def write_region(path: Path, region: npt.NDArray[np.generic], affine: Floats) -> Path:
    """Write a mask or instances."""
    write_map(path, np.asarray(region).astype(np.int32), affine)
    return path
