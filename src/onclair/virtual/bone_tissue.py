"""What every virtual bone has in common: a label, a box, cancellous and compact bone, and what a window of cells sees of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from scipy import fft

from onclair.virtual.bone_anatomy import Floats, Points, Vector, Window, filled

#: Cells and side of the periodic tile of trabecular texture.
_TILE, _TILE_MM = 96, 48.0
#: HU of fat, of muscle, and of marrow that is all fat.
FAT_HU, MUSCLE_HU, MARROW_HU = -95.0, 55.0, -60.0


@dataclass(frozen=True, slots=True)
class Quality:
    """One patient's bone.

    Attributes
    ----------
    trabecular_hu : float
        Mean of a vertebral body's cancellous bone.
    cortical_hu : float
        Of compact bone.
    texture_hu : float
        Standard deviation of the trabecular texture in fine cells.
    seed : int
        Of the texture.
    """

    trabecular_hu: float
    cortical_hu: float
    texture_hu: float
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """A bone in a window of fine cells.

    Attributes
    ----------
    distance : ndarray, float32, shape of the window
        To its surface in mm, negative inside.
    shell : ndarray, float32, same shape
        How much of a cell is cortex, 0 to 1.
    hu : ndarray, float32, same shape
        What the bone's share of a cell attenuates.
    """

    distance: Floats
    shell: Floats
    hu: Floats


class Bone(Protocol):
    """A vertebra, rib, femur or hip bone."""

    @property
    def label(self) -> int:
        """Number in the scheme ``totalseg``."""

    @property
    def name(self) -> str:
        """Such as ``vertebra``."""

    @property
    def level(self) -> str | None:
        """Such as ``T12``."""

    @property
    def side(self) -> str | None:
        """``left``, ``right`` or nothing."""

    def box(self) -> tuple[Vector, Vector]:
        """Return a box in the world that holds the bone."""

    def distance(self, window: Window) -> Floats:
        """Return signed distances to its surface."""

    def sampled(self, window: Window, quality: Quality) -> Sampled:
        """Return what a window sees of it."""


def layered(distance: Floats, cortex_mm: Floats, inner_hu: Floats, cell_mm: float, quality: Quality) -> Sampled:
    """Return a bone of compact bone around what is inside.

    Parameters
    ----------
    distance : ndarray, float32
        To the surface, mm, negative inside.
    cortex_mm : ndarray, float32
        Thickness of the compact bone at each cell.
    inner_hu : ndarray, float32
        Cancellous bone and marrow.
    cell_mm : float
    quality : Quality
    """
    core = filled(distance + cortex_mm, cell_mm)
    shell = np.float32(1.0) - core
    return Sampled(distance, shell, inner_hu * core + np.float32(quality.cortical_hu) * shell)


def cancellous(mean_hu: Floats, distance: Floats, along: Points, quality: Quality, seed: int) -> Floats:
    """Return cancellous bone of a mean, its trabeculae along the third of the given axes; the denser, the coarser its contrast.

    Parameters
    ----------
    mean_hu : ndarray, float32
    distance : ndarray, float32, same shape
        To the bone's surface; outside it nothing is drawn.
    along : tuple of ndarray
        Points in axes whose third runs along the load, of shapes that broadcast to that of the mean.
    quality : Quality
    seed : int
        Of the bone: no two bones of a patient have their struts in the same places.
    """
    inside = distance < 1.0
    shift = np.float32(7.3 * seed)
    places = [np.broadcast_to(p, mean_hu.shape)[inside] + s for p, s in zip(along, (shift, -shift, shift), strict=True)]
    mean = mean_hu[inside]
    share = np.clip((mean - np.float32(MARROW_HU)) / np.float32(200.0), 0.05, 1.6)
    found = mean_hu.copy()
    found[inside] = mean + _trabeculae(places, quality.seed) * share * np.float32(quality.texture_hu)
    return found


def _trabeculae(places: list[Floats], seed: int) -> Floats:
    """Return trabecular texture of mean 0 and variance 1, correlated over some 0.5 mm across the load and 2 mm along it."""
    index = [np.floor(p * np.float32(_TILE / _TILE_MM)).astype(np.int32) % _TILE for p in places]
    return np.asarray(_tile(seed)[index[0], index[1], index[2]])


@lru_cache(maxsize=4)
def _tile(seed: int) -> Floats:
    """Return a periodic texture of mean 0 and variance 1, drawn out along its third axis as trabeculae are along the load."""
    white = np.random.default_rng(seed).normal(size=(_TILE, _TILE, _TILE)).astype(np.float32)
    across, along = np.fft.fftfreq(_TILE, _TILE_MM / _TILE), np.fft.rfftfreq(_TILE, _TILE_MM / _TILE)
    square = np.hypot(across[:, None], across[None, :])[:, :, None] ** 2
    gaussian = np.exp(-2.0 * math.pi**2 * (0.45**2 * square + 1.8**2 * along[None, None, :] ** 2))
    smooth = fft.irfftn(fft.rfftn(white) * gaussian.astype(np.float32), s=white.shape)
    return np.asarray(smooth / smooth.std(), np.float32)
