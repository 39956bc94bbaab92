"""One virtual patient in front of the scanner of a centre: anatomy, acquisitions, and what readers outline on them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.values import Image, Mask
from onclair.virtual.ct import AIR_HU, CtExposure, ct_expose, ct_resolution_mm
from onclair.virtual.lesions import Border, random_border, reread
from onclair.virtual.limb import ATTENUATION, FIELD_MM, Lesion, Window, painted, phantom_of, placed
from onclair.virtual.pet import Exposure, Grid, Phantom, expose, on_grid, resolution_mm
from onclair.virtual.radiomics_knobs import Group, VirtualRadiomics, correlation_of, draw_knobs, name_of, scanners_of, streams
from onclair.virtual.scanner import CtScanner, Scanner
from onclair.virtual.textures import Texture, contrast_left

Floats = npt.NDArray[np.float64]
#: Side of the fine cells that patients are made of, in mm: for PET, and for CT.
CELL_MM, CT_CELL_MM = 2.0, 1.0
#: What a CT shows around the lesion, in a field of 160 mm.
CT_MARGIN_MM = 10.0
#: Contrast of a lesion's texture in CT: the law of uptake shrunk around its mean, a standard deviation of some 25 HU.
CT_CONTRAST = 0.046


@dataclass(frozen=True, slots=True, eq=False)
class VirtualPatient:
    """One patient, ready to be scanned as often as one likes.

    Attributes
    ----------
    name : str
    knobs : dict
        As `draw_knobs` gives them.
    border : Border
        The lesion's.
    phantom : Phantom
        SUV, or HU + 1000.
    occupied : ndarray, float64, shape of the phantom
        Fraction of each cell within the border.
    exposure : Exposure or CtExposure
        In front of the centre's scanner.
    scan, reading, again : SeedSequence
        Of the acquisition, of the reader, and of both at the retest.
    """

    name: str
    knobs: dict[str, float]
    border: Border
    phantom: Phantom
    occupied: Floats
    exposure: Exposure | CtExposure
    scan: np.random.SeedSequence
    reading: np.random.SeedSequence
    again: np.random.SeedSequence

    @property
    def grid(self) -> Grid:
        """The voxels of the images."""
        return self.exposure.grid

    @property
    def scanner(self) -> Scanner | CtScanner:
        """The centre's scanner."""
        return self.exposure.scanner

    @property
    def truth(self) -> Image:
        """What was imaged, averaged over the voxels: true activity in SUV, or true attenuation in HU."""
        values = on_grid(self.phantom.activity, self.phantom.cell_mm, self.grid)
        if isinstance(self.exposure, CtExposure):
            return Image((AIR_HU + values).astype(np.float32), self.grid.affine, "HU", "CT")
        return Image(values.astype(np.float32), self.grid.affine, "SUV", "PET")

    @property
    def true_mask(self) -> Mask:
        """The voxels that the lesion fills by more than half."""
        filled = on_grid(self.occupied, self.phantom.cell_mm, self.grid) > 0.5
        return Mask(filled[None], self.grid.affine, ("lesion",), "truth")

    @property
    def true_cv(self) -> float:
        """Coefficient of variation of the true uptake (of HU + 1000 in CT) within the lesion."""
        inside = self.phantom.activity[self.occupied == 1.0]
        return float(inside.std() / inside.mean())

    def scanned(self) -> tuple[Image, Mask]:
        """Return the acquisition and the outline that a reader drew on it."""
        image = self.exposure.image(np.random.default_rng(self.scan))
        return image, outlined(self.border, self.grid, np.random.default_rng(self.reading))

    def retested(self) -> tuple[Image, Mask]:
        """Return a second acquisition of the same lesion, and a second outline."""
        rng = np.random.default_rng(self.again)
        image = self.exposure.image(rng)
        return image, outlined(self.border, self.grid, rng)


def patient_of(settings: VirtualRadiomics, index: int, group: Group = "cohort") -> VirtualPatient:
    """Return one patient in front of the scanner of the centre that it falls to.

    Parameters
    ----------
    settings : VirtualRadiomics
    index : int
        From 0.
    group : {"cohort", "card"}

    Examples
    --------
    >>> patient = patient_of(VirtualRadiomics(field_mm=96.0), 0)
    >>> image, outline = patient.scanned()
    >>> patient.name, patient.scanner.name, image.unit, outline.origin
    ('VP001', 'C1', 'SUV', 'expert')
    """
    knobs = draw_knobs(settings, index, group)
    scanner = scanners_of(settings)[index % settings.centres]
    seeds = streams(settings, index, group)
    anatomy = np.random.default_rng(seeds[1])
    border = placed(random_border(knobs["volume_ml"], anatomy), settings.field_mm, anatomy)
    texture = texture_for(scanner, knobs["correlation_mm"], settings.field_mm)
    if isinstance(scanner, CtScanner):
        phantom, occupied = _attenuating(Lesion(border, knobs["hu_mean"] - AIR_HU, texture), settings.field_mm, anatomy)
        return VirtualPatient(name_of(index), knobs, border, phantom, occupied, ct_expose(phantom, scanner), *seeds[2:])
    phantom, occupied = phantom_of(Lesion(border, knobs["suv_mean"], texture), settings.field_mm, CELL_MM, anatomy)
    return VirtualPatient(name_of(index), knobs, border, phantom, occupied, expose(phantom, scanner), *seeds[2:])


def _attenuating(lesion: Lesion, field_mm: float, rng: np.random.Generator) -> tuple[Phantom, Floats]:
    """Return the lesion and what lies around it, in HU + 1000."""
    scale = field_mm / FIELD_MM
    side = math.ceil(2 * (lesion.border.reach_mm + CT_MARGIN_MM * scale) / CT_CELL_MM)
    window = Window((side, side, side), CT_CELL_MM, scale, lesion.border.centre_mm)
    values, tissue, occupied = painted(lesion, window, ATTENUATION, rng)
    return Phantom(values, tissue, CT_CELL_MM, lesion.border.centre_mm), occupied


def texture_for(scanner: Scanner | CtScanner, correlation_mm: float, field_mm: float) -> Texture:
    """Return the texture whose histogram, as `scanner` sees it, does not depend on the correlation length.

    Each scanner sees every lesion with the contrast that it leaves to one of the median length, so that a blurred centre still sees
    flatter lesions than a sharp one.

    Examples
    --------
    >>> from onclair.virtual.scanner import pet_scanners
    >>> sharp, blurred = (texture_for(scanner, 12.0, 160.0) for scanner in (pet_scanners(3)[0], pet_scanners(3)[2]))
    >>> round(sharp.contrast, 2), round(blurred.contrast, 2)
    (0.93, 0.85)
    """
    ct = isinstance(scanner, CtScanner)
    blur = ct_resolution_mm(scanner) if isinstance(scanner, CtScanner) else resolution_mm(scanner)
    return Texture(correlation_mm, blur, contrast_left(correlation_of(0.0, field_mm), blur) * (CT_CONTRAST if ct else 1.0))


def outlined(border: Border, grid: Grid, rng: np.random.Generator) -> Mask:
    """Return the lesion as a reader outlines it on the voxels of one image: the border re-read, voxel centres within it.

    Returns
    -------
    Mask
        One label, ``lesion``, of origin ``expert``.
    """
    drawn = reread(border, rng)
    return Mask((drawn.depth_mm(*grid.points_mm()) > 0)[None], grid.affine, ("lesion",), "expert")
