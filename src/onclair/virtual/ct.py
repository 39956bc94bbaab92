"""A CT acquisition, slice by slice: the kernel's transfer function, the slice's thickness, and noise with the kernel's own spectrum.

A kernel acts twice, and not alike: on the limb through its modulation transfer, on the noise through its power spectrum. Noise is drawn in
the frequencies of each slice, so that it is correlated as that spectrum says; its variance is inverse to dose and slice thickness. What a
scan of the whole body would add (beam hardening, noise that depends on place) is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft, integrate

from onclair.core.values import Image
from onclair.virtual.pet import Grid, Phantom, on_grid
from onclair.virtual.scanner import STANDARD, CtScanner, Kernel

Volume = npt.NDArray[np.float64]

#: Noise of the standard kernel: standard deviation in HU, at a dose in mGy and a slice thickness in mm. A plausible choice.
NOISE_HU, DOSE_MGY, THICKNESS_MM = 10.0, 10.0, 3.0
#: HU of nothing at all; phantoms are in HU above it.
AIR_HU = -1000.0
#: Standard deviation of the Gaussian whose transfer is 0.5 at 1 per mm: ``sqrt(ln 2 / 2) / pi``.
_GAUSSIAN = math.sqrt(math.log(2.0) / 2.0) / math.pi


def ct_resolution_mm(scanner: CtScanner) -> tuple[float, float, float]:
    """Return how widely a scanner spreads a lesion: the Gaussian that halves the kernel's frequency, and the slice.

    Returns
    -------
    tuple of float
        Standard deviation in mm along x, y, z.

    Examples
    --------
    >>> [round(sigma, 2) for sigma in ct_resolution_mm(CtScanner("C1", STANDARD, 3.0, 0.9, 10.0))]
    [0.52, 0.52, 0.87]
    """
    plane = _GAUSSIAN / scanner.reconstruction.mtf50
    return plane, plane, scanner.slice_thickness_mm / math.sqrt(12.0)


def ct_grid(phantom: Phantom, scanner: CtScanner) -> Grid:
    """Return the grid on which `scanner` images `phantom`: as many whole voxels as it holds, about its centre.

    Examples
    --------
    >>> ct_grid(Phantom(np.zeros((50, 50, 30)), np.zeros((50, 50, 30)), 1.0), CtScanner("C1", STANDARD, 3.0, 0.8, 10.0)).shape
    (62, 62, 10)
    """
    x, y, z = (int(n * phantom.cell_mm / v + 1e-9) for n, v in zip(phantom.activity.shape, scanner.voxel_mm, strict=True))
    return Grid((x, y, z), scanner.voxel_mm, phantom.centre_mm)


def noise_hu(scanner: CtScanner) -> float:
    """Return the standard deviation of the noise before it is cut into voxels, in HU.

    Examples
    --------
    >>> round(noise_hu(CtScanner("C1", STANDARD, 3.0, 0.9, 10.0)), 6)
    10.0
    >>> round(noise_hu(CtScanner("C1", STANDARD, 1.5, 0.9, 5.0)), 6)  # a quarter of the photons
    20.0
    """
    relative = _power(scanner.reconstruction) / _power(STANDARD)
    return NOISE_HU * math.sqrt(relative * DOSE_MGY * THICKNESS_MM / scanner.dose_mgy / scanner.slice_thickness_mm)


@lru_cache(maxsize=32)
def _power(kernel: Kernel) -> float:
    """Return the integral of a kernel's noise power over the plane of frequencies."""
    total, _ = integrate.quad(lambda f: 2.0 * math.pi * f * float(kernel.noise_power(np.array(f))), 0.0, 10.0 * kernel.noise10, limit=200)
    return float(total)


def noise(shape: tuple[int, int, int], scanner: CtScanner, rng: np.random.Generator) -> Volume:
    """Return noise with the kernel's spectrum, slices independent of each other.

    Parameters
    ----------
    shape : tuple of int
        (x, y, z) in the scanner's voxels.
    scanner : CtScanner
    rng : numpy Generator

    Returns
    -------
    ndarray, float64, shape `shape`
        HU, of mean 0 in every slice. Frequencies beyond half the sampling rate are lost, as they are to an image.

    Examples
    --------
    >>> drawn = noise((128, 128, 8), CtScanner("C1", STANDARD, 3.0, 0.6, 10.0), np.random.default_rng(0))
    >>> bool(abs(drawn.std() - 10.0) < 0.5)
    True
    """
    kernel = scanner.reconstruction
    frequency = _frequencies(shape[0], shape[1], scanner.pixel_mm)
    density = noise_hu(scanner) ** 2 * kernel.noise_power(frequency) / _power(kernel)  # HU2 mm2
    white = fft.rfft2(rng.normal(size=shape), axes=(0, 1))
    coloured = white * np.sqrt(density / scanner.pixel_mm**2)[:, :, None]
    return np.asarray(fft.irfft2(coloured, s=shape[:2], axes=(0, 1)))


def _frequencies(rows: int, columns: int, step_mm: float) -> Volume:
    """Return the spatial frequency, per mm, of each coefficient of a slice's real Fourier transform."""
    return np.asarray(np.hypot(np.fft.fftfreq(rows, step_mm)[:, None], np.fft.rfftfreq(columns, step_mm)))


@dataclass(frozen=True, slots=True, eq=False)
class CtExposure:
    """What a scanner shows of a phantom but for noise; every image that it may deliver follows from it.

    Attributes
    ----------
    scanner : CtScanner
    grid : Grid
    expected : ndarray, float64, shape ``grid.shape``
        HU.
    """

    scanner: CtScanner
    grid: Grid
    expected: Volume

    def image(self, rng: np.random.Generator | None) -> Image:
        """Return one acquisition; without a generator, the one that is free of noise.

        Returns
        -------
        Image
            int16, whole HU, as scanners store them.
        """
        drawn = 0.0 if rng is None else noise(self.grid.shape, self.scanner, rng)
        return Image(np.rint(self.expected + drawn).astype(np.int16), self.grid.affine, "HU", "CT")


def ct_expose(phantom: Phantom, scanner: CtScanner) -> CtExposure:
    """Return what `scanner` shows of `phantom` but for noise.

    Parameters
    ----------
    phantom : Phantom
        In HU + 1000.
    scanner : CtScanner

    Returns
    -------
    CtExposure

    Examples
    --------
    >>> water = Phantom(np.full((30, 30, 12), 1000.0), np.ones((30, 30, 12)), 1.0)
    >>> np.unique(ct_expose(water, CtScanner("C1", STANDARD, 3.0, 0.9, 10.0)).image(None).array).tolist()
    [0]
    """
    grid = ct_grid(phantom, scanner)
    sharp = _transferred(phantom.activity, phantom.cell_mm, scanner.reconstruction)
    return CtExposure(scanner, grid, AIR_HU + on_grid(sharp, phantom.cell_mm, grid))


def _transferred(values: Volume, cell_mm: float, kernel: Kernel) -> Volume:
    """Return each slice after the kernel's modulation transfer; beyond its rim a slice goes on as it ends."""
    rows, columns = values.shape[:2]
    margin = math.ceil(4.0 / kernel.mtf50 / cell_mm)
    lengths = [fft.next_fast_len(n + 2 * margin, real=True) for n in (rows, columns)]
    widths = [(margin, length - n - margin) for n, length in zip((rows, columns), lengths, strict=True)]
    padded = np.pad(values, (*widths, (0, 0)), mode="edge")
    transfer = kernel.transfer(_frequencies(lengths[0], lengths[1], cell_mm))
    spectrum = fft.rfft2(padded, axes=(0, 1)) * transfer[:, :, None]
    return np.asarray(fft.irfft2(spectrum, s=lengths, axes=(0, 1))[margin : margin + rows, margin : margin + columns])
