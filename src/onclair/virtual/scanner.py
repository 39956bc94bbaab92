"""What a centre does to an image: resolution, noise, smoothing and voxel size, one record a scanner.

What varies between sites in clinical FDG-PET, and why it matters: Boellaard, J Nucl Med 2009;50 Suppl 1:11S-20S,
doi:10.2967/jnumed.108.057182.
"""

from __future__ import annotations

from dataclasses import dataclass

from onclair.core.errors import BadSetting

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
