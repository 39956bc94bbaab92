"""What a centre does to an image: resolution, noise, smoothing and voxel size, one record a scanner.

What varies between sites in clinical FDG-PET, and why it matters: Boellaard, J Nucl Med 2009;50 Suppl 1:11S-20S,
doi:10.2967/jnumed.108.057182. That a CT kernel is a transfer function *and* a noise spectrum: Solomon et al., Med Phys 2012,
doi:10.1118/1.4752209.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting

Floats = npt.NDArray[np.floating[Any]]

#: Converts a full width at half maximum to the standard deviation of a Gaussian.
FWHM_PER_SIGMA = 2.354820045030949


@dataclass(frozen=True, slots=True)
class Scanner:
    """One centre's scanner and protocol.

    Attributes
    ----------
    name : str
        The centre.
    psf_fwhm_mm : float
        Width of the intrinsic point spread, before any filter; 4 to 8 mm for a clinical PET.
    voxel_mm : tuple of float
        Voxel size along x, y, z of the images that it delivers; x and y are equal.
    counts_per_ml_suv : float
        True coincidences recorded from 1 mL at SUV 1 over the whole acquisition, without attenuation.
    post_filter_mm : float
        Width (FWHM) of the Gaussian applied after reconstruction; 0 for none.
    iterations, subsets : int
        Of the ordered-subset reconstruction.
    scatter_fraction : float
        Scattered and random coincidences per true one, spread evenly over the sinogram; in [0, 1].

    Raises
    ------
    BadSetting
        For a width, voxel or count level that is not positive, or for voxels that are not square in plane.

    Examples
    --------
    >>> Scanner("C1", 4.5, (3.9, 3.9, 3.3), 2000.0, 4.0).psf_sigma_mm
    1.9109740...
    """

    name: str
    psf_fwhm_mm: float
    voxel_mm: tuple[float, float, float]
    counts_per_ml_suv: float
    post_filter_mm: float
    iterations: int = 3
    subsets: int = 8
    scatter_fraction: float = 0.3

    def __post_init__(self) -> None:
        least = min(self.psf_fwhm_mm, self.counts_per_ml_suv, *self.voxel_mm)
        if not least > 0 or self.post_filter_mm < 0 or not 0 <= self.scatter_fraction <= 1:
            raise BadSetting(f"Scanner {self.name} has a size, width or count level of {least:g}; all must be positive.", item=self.name)
        if self.voxel_mm[0] != self.voxel_mm[1]:
            raise BadSetting(f"Scanner {self.name} has voxels of {self.voxel_mm} mm; they must be square in plane (x = y).", item=self.name)
        if self.iterations < 1 or self.subsets < 1:
            found = f"{self.iterations} iterations of {self.subsets} subsets"
            raise BadSetting(f"Scanner {self.name} has {found}; at least one each.", item=self.name)

    @property
    def psf_sigma_mm(self) -> float:
        """Standard deviation of the point spread."""
        return self.psf_fwhm_mm / FWHM_PER_SIGMA

    @property
    def blur(self) -> float:
        """What orders scanners from sharp to blurred: the width of the point spread in mm."""
        return self.psf_fwhm_mm

    @property
    def kernel(self) -> str:
        """The reconstruction in words, as an image's header gives it.

        Examples
        --------
        >>> Scanner("C1", 4.5, (3.9, 3.9, 3.3), 2000.0, 4.0).kernel
        'OSEM 3i8s 4 mm'
        """
        return f"OSEM {self.iterations}i{self.subsets}s {self.post_filter_mm:g} mm"

    @property
    def slice_thickness_mm(self) -> float:
        """Distance of the slices."""
        return self.voxel_mm[2]


@dataclass(frozen=True, slots=True)
class Kernel:
    """A CT reconstruction kernel: what it does to edges, and what it makes of noise.

    Attributes
    ----------
    name : str
    mtf50, mtf10 : float
        Spatial frequencies, per mm, at which the modulation transfer falls to 0.5 and to 0.1.
    noise50, noise10 : float
        The same of the apodisation ``A`` that shapes the noise: its power spectrum is ``f A(f)^2``, that of filtered back-projection where
        sampling does not matter (Kijewski and Judy, Phys Med Biol 1987;32:565-575, doi:10.1088/0031-9155/32/5/003).

    Examples
    --------
    >>> kernel = Kernel("standard", 0.3, 0.6, 0.4, 0.7)
    >>> kernel.transfer(np.array([0.0, 0.3, 0.6])).round(6).tolist()
    [1.0, 0.5, 0.1]
    """

    name: str
    mtf50: float
    mtf10: float
    noise50: float
    noise10: float

    def __post_init__(self) -> None:
        for low, high in ((self.mtf50, self.mtf10), (self.noise50, self.noise10)):
            if not 0 < low < high:
                raise BadSetting(f"Kernel {self.name} falls to 0.5 at {low:g} and to 0.1 at {high:g} per mm; the second must lie higher.")

    def transfer(self, frequency: Floats) -> Floats:
        """Return the modulation transfer at frequencies per mm."""
        return _falling(frequency, self.mtf50, self.mtf10)

    def noise_power(self, frequency: Floats) -> Floats:
        """Return the shape of the noise power spectrum at frequencies per mm, in no unit."""
        return np.asarray(frequency * _falling(frequency, self.noise50, self.noise10) ** 2)


def _falling(frequency: Floats, half: float, tenth: float) -> Floats:
    """Return ``exp(-ln 2 (f / half)^p)``, the power chosen so that it is 0.1 at `tenth`."""
    power = math.log(math.log(10) / math.log(2)) / math.log(tenth / half)
    return np.asarray(np.exp(-math.log(2) * (np.asarray(frequency) / half) ** power))


@dataclass(frozen=True, slots=True)
class SharpKernel(Kernel):
    """A kernel that lifts the frequencies below those it cuts off, so that edges overshoot.

    Attributes
    ----------
    overshoot : float
        Added to the transfer where it would be two thirds, its greatest lift; from about 0.35 on the transfer exceeds 1.

    Examples
    --------
    >>> sharp = SharpKernel("sharp", 0.5, 0.85, 0.5, 0.85, 0.6)
    >>> bool(sharp.transfer(np.linspace(0, 1, 100)).max() > 1.2)
    True
    """

    overshoot: float = 0.0

    def transfer(self, frequency: Floats) -> Floats:
        """Return the modulation transfer at frequencies per mm."""
        plain = _falling(frequency, self.mtf50, self.mtf10)
        return np.asarray(plain + self.overshoot * 6.75 * plain**2 * (1.0 - plain))


def kernel_of_width(name: str, fwhm_mm: float, *, overshoot: float = 0.0) -> SharpKernel:
    """Return the kernel whose point spread, but for its overshoot, is a Gaussian of a width; its noise is cut off alike.

    Parameters
    ----------
    name : str
    fwhm_mm : float
        Full width at half maximum, mm; 0.7 to 1.2 for the bone and body kernels of a clinical CT.
    overshoot : float
        As in :class:`SharpKernel`.

    Examples
    --------
    >>> kernel = kernel_of_width("body", 1.0)
    >>> round(kernel.mtf50, 4), round(kernel.mtf10 / kernel.mtf50, 4)  # 2 ln 2 / pi, and the root of log2 10
    (0.4413, 1.8226)
    """
    half = 2.0 * math.log(2.0) / (math.pi * fwhm_mm)
    tenth = half * math.sqrt(math.log(10.0) / math.log(2.0))
    return SharpKernel(name, half, tenth, half * (1.0 + 0.3 * overshoot), tenth, overshoot)


def cupping(shape: tuple[int, int], depth_hu: float) -> npt.NDArray[np.float64]:
    """Return what beam hardening leaves of a slice: lower in the middle than at the rim, by `depth_hu`.

    Examples
    --------
    >>> cupping((3, 3), 12.0).round(1).tolist()
    [[4.0, -2.0, 4.0], [-2.0, -8.0, -2.0], [4.0, -2.0, 4.0]]
    """
    x, y = (np.linspace(-1.0, 1.0, n) for n in shape)
    bowl = (x[:, None] ** 2 + y[None, :] ** 2) * depth_hu / 2.0
    return np.asarray(bowl - depth_hu * 2.0 / 3.0)


def streaks(shape: tuple[int, int, int], sigma_hu: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return horizontal streaks, as photons that are too few leave them between dense bones.

    Parameters
    ----------
    shape : tuple of int
        (x, y, z).
    sigma_hu : ndarray, shape (z,)
        Standard deviation in each slice.
    rng : numpy Generator

    Returns
    -------
    ndarray, float64, shape `shape`
        Correlated along x over a quarter of the slice, in y from row to row only.
    """
    knots = rng.normal(size=(6, shape[1], shape[2]))
    at = np.linspace(0.0, 4.999, shape[0])
    low, share = at.astype(int), (at % 1.0)[:, None, None]
    mixed = knots[low] * (1.0 - share) + knots[low + 1] * share
    return np.asarray(mixed / np.sqrt((1.0 - share) ** 2 + share**2) * sigma_hu)


@dataclass(frozen=True, slots=True)
class CtScanner:
    """One centre's CT scanner and protocol.

    Attributes
    ----------
    name : str
        The centre.
    reconstruction : Kernel
    slice_thickness_mm : float
        Slices touch; 1 to 5 mm.
    pixel_mm : float
        Side of a voxel in plane.
    dose_mgy : float
        CTDIvol.

    Raises
    ------
    BadSetting
        For a length or a dose that is not positive.

    Examples
    --------
    >>> CtScanner("C1", Kernel("standard", 0.3, 0.6, 0.4, 0.7), 3.0, 0.9, 10.0).voxel_mm
    (0.9, 0.9, 3.0)
    """

    name: str
    reconstruction: Kernel
    slice_thickness_mm: float
    pixel_mm: float
    dose_mgy: float

    def __post_init__(self) -> None:
        least = min(self.slice_thickness_mm, self.pixel_mm, self.dose_mgy)
        if not least > 0:
            raise BadSetting(f"Scanner {self.name} has a size or a dose of {least:g}; all must be positive.", item=self.name)

    @property
    def voxel_mm(self) -> tuple[float, float, float]:
        """Voxel size along x, y, z."""
        return self.pixel_mm, self.pixel_mm, self.slice_thickness_mm

    @property
    def blur(self) -> float:
        """What orders scanners from sharp to blurred: the length, in mm, whose frequency the kernel halves."""
        return 1.0 / self.reconstruction.mtf50

    @property
    def kernel(self) -> str:
        """The kernel's name, as an image's header gives it."""
        return self.reconstruction.name


#: Point spread, voxels, counts and filter, from sharp and well counted to blurred and short. Plausible choices, of no particular make; the
#: voxels of the first three are those of the public cohort ``sts-pet`` (3.91, 4.69 and 5.47 by 3.27 mm). As for the counts, SUV 1 is about
#: 5 kBq/mL; three minutes at a sensitivity of 1 % record some 6,000 of the 900,000 decays per mL that are left after an hour's decay.
_PET = (
    (4.5, (3.9, 3.9, 3.3), 6000.0, 4.0),
    (6.0, (4.7, 4.7, 3.3), 4000.0, 5.0),
    (7.5, (5.5, 5.5, 3.3), 2500.0, 6.0),
    (5.0, (4.1, 4.1, 3.0), 3500.0, 4.0),
    (6.5, (3.9, 3.9, 3.3), 5000.0, 6.0),
    (4.0, (3.6, 3.6, 3.0), 4500.0, 5.0),
    (8.0, (4.7, 4.7, 4.0), 3000.0, 5.0),
    (5.5, (5.5, 5.5, 3.3), 5500.0, 4.5),
)


def pet_scanners(centres: int) -> tuple[Scanner, ...]:
    """Return the PET scanners of the centres C1, C2...; the same ones whatever the seed.

    Parameters
    ----------
    centres : int
        At least 1. The first eight differ in every respect; later ones repeat them with counts changed by a tenth a round.

    Returns
    -------
    tuple of Scanner

    Raises
    ------
    BadSetting
        For fewer than one centre.

    Examples
    --------
    >>> [(s.name, s.psf_fwhm_mm, s.voxel_mm[0]) for s in pet_scanners(3)]
    [('C1', 4.5, 3.9), ('C2', 6.0, 4.7), ('C3', 7.5, 5.5)]
    """
    if centres < 1:
        raise BadSetting(f"{centres} centres were asked for; at least one is needed.", item="centres")
    rounds = [(k // len(_PET), *_PET[k % len(_PET)]) for k in range(centres)]
    return tuple(Scanner(f"C{k + 1}", psf, voxel, counts * 0.9**again, post) for k, (again, psf, voxel, counts, post) in enumerate(rounds))


#: A smooth, a standard and a sharp kernel: plausible choices, of no particular make.
SMOOTH = Kernel("smooth", 0.28, 0.50, 0.26, 0.46)
STANDARD = Kernel("standard", 0.36, 0.65, 0.36, 0.62)
SHARP = Kernel("sharp", 0.50, 0.85, 0.52, 0.85)
#: Kernel, slice thickness, pixel and dose.
_CT = (
    (STANDARD, 3.0, 0.9, 10.0),
    (SMOOTH, 5.0, 1.0, 8.0),
    (SHARP, 2.0, 0.9, 12.0),
    (STANDARD, 1.5, 0.8, 12.0),
    (SMOOTH, 2.0, 0.9, 7.0),
    (SHARP, 3.0, 1.0, 9.0),
    (STANDARD, 5.0, 1.0, 6.0),
    (SMOOTH, 1.0, 0.8, 11.0),
)


def ct_scanners(centres: int) -> tuple[CtScanner, ...]:
    """Return the CT scanners of the centres C1, C2...; the same ones whatever the seed.

    Parameters
    ----------
    centres : int
        At least 1. The first eight differ; later ones repeat them with the dose lowered by a tenth a round.

    Returns
    -------
    tuple of CtScanner

    Raises
    ------
    BadSetting
        For fewer than one centre.

    Examples
    --------
    >>> [(s.name, s.kernel, s.slice_thickness_mm) for s in ct_scanners(3)]
    [('C1', 'standard', 3.0), ('C2', 'smooth', 5.0), ('C3', 'sharp', 2.0)]
    """
    if centres < 1:
        raise BadSetting(f"{centres} centres were asked for; at least one is needed.", item="centres")
    rounds = [(k // len(_CT), *_CT[k % len(_CT)]) for k in range(centres)]
    return tuple(
        CtScanner(f"C{k + 1}", kernel, thick, pixel, dose * 0.9**again) for k, (again, kernel, thick, pixel, dose) in enumerate(rounds)
    )
