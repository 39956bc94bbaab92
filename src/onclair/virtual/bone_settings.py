"""What a virtual bone cohort may be told, and the scanners of its centres."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from onclair.core.settings import Settings, setting
from onclair.virtual.scanner import CtScanner, kernel_of_width

#: What the image shows: the trunk around T11 to L3, or both hips.
Region = Literal["spine", "femur"]
Shift = Literal["none", "kernel", "dose", "thickness", "shape", "class"]


class VirtualBone(Settings):
    """Settings of a virtual bone cohort."""

    patients: int = setting(24, "virtual patients", "patients virtuels", ge=1, le=100_000)
    centres: int = setting(3, "centres, each with its own scanner", "centres, chacun avec sa machine", ge=1, le=100)
    seed: int = setting(1, "seed of every random choice", "graine de tous les tirages", ge=0)
    region: Literal["mixed", "spine", "femur"] = setting(
        "mixed",
        "what the images show: the spine from T11 to L3, both hips, or every second patient each (mixed)",
        "ce que montrent les images : le rachis de T11 à L3, les deux hanches, ou l'un sur deux (mixed)",
    )
    shift: Shift = setting(
        "none",
        "what is unlike the usual cohort: a sharp kernel, a low dose, thick slices, other bones (shape) or other lesions (class)",
        "ce qui diffère de la cohorte usuelle : noyau dur, faible dose, coupes épaisses, autres os (shape) ou autres lésions (class)",
    )
    voxel_mm: float = setting(1.0, "side of a voxel in plane", "côté d'un voxel dans le plan", unit="mm", ge=0.5, le=2)
    slice_mm: float | None = setting(
        None,
        "thickness and distance of the slices; each centre's own when left out",
        "épaisseur et écart des coupes ; propre à chaque centre par défaut",
        unit="mm",
        ge=0.7,
        le=5,
    )
    fine_mm: float = setting(
        0.5, "side of the cells that bones are made of", "côté des cellules dont les os sont faits", unit="mm", ge=0.3, le=1
    )
    strength: Literal["fe", "none"] = setting(
        "fe",
        "strength.csv: the load to failure of one bone a patient by finite elements (fe), or nothing (none), which is faster",
        "strength.csv : la charge à la rupture d'un os par patient par éléments finis (fe), ou rien (none), plus rapide",
    )
    truth_voxel_mm: float = setting(
        1.5,
        "side of the finite elements of the true strength",
        "côté des éléments finis de la résistance vraie",
        unit="mm",
        ge=0.5,
        le=3,
    )


def name_of(index: int) -> str:
    """Return the pseudonym of a patient.

    Examples
    --------
    >>> name_of(0)
    'VB001'
    """
    return f"VB{index + 1:03d}"


def region_of(settings: VirtualBone, index: int) -> Region:
    """Return what a patient's image shows.

    Examples
    --------
    >>> [region_of(VirtualBone(), i) for i in range(3)]
    ['spine', 'femur', 'spine']
    """
    if settings.region == "mixed":
        return "spine" if index % 2 == 0 else "femur"
    return settings.region


#: Width of the point spread in mm, overshoot, slice in mm and dose in mGy: plausible choices, of no particular make.
_CENTRES = ((0.95, 0.0, 1.5, 11.0), (1.2, 0.0, 2.0, 8.0), (0.8, 0.25, 1.5, 14.0), (1.05, 0.1, 1.25, 10.0), (1.1, 0.0, 2.5, 7.0))
#: How far a scan's own line lies from its centre's: spread of the logarithm of the slope, and of the intercept; what the table says of it.
LINE_SPREAD, LINE_SHIFT_MG_CC, TABLE_ERROR_MG_CC = 0.025, 4.0, 6.0
#: What a calibrated phantom says of each centre: mg/cc of K2HPO4 a HU, and at 0 HU.
_SLOPES = ((0.700, 2.0), (0.714, 0.0), (0.690, 4.0), (0.707, 1.0), (0.721, -1.0))


def scanner_of(settings: VirtualBone, index: int) -> CtScanner:
    """Return the scanner in front of which a patient lies.

    Examples
    --------
    >>> scanner_of(VirtualBone(), 2).kernel, scanner_of(VirtualBone(shift="kernel"), 2).kernel
    ('B-1.20', 'sharp-0.62')
    """
    centre = _centre(settings, index)
    wide, over, thick, dose = _CENTRES[centre % len(_CENTRES)]
    kernel = kernel_of_width(f"B-{wide:.2f}", wide, overshoot=over)
    found = CtScanner(f"C{centre + 1}", kernel, settings.slice_mm or thick, settings.voxel_mm, dose * 0.93 ** (centre // len(_CENTRES)))
    if settings.shift == "kernel":
        return replace(found, reconstruction=kernel_of_width("sharp-0.62", 0.62, overshoot=0.6))
    if settings.shift == "dose":
        return replace(found, dose_mgy=0.2 * found.dose_mgy)
    if settings.shift == "thickness":
        return replace(found, slice_thickness_mm=settings.slice_mm or 4.0)
    return found


def _centre(settings: VirtualBone, index: int) -> int:
    """Return the centre of a patient; pairs go together, so that every centre sees both regions."""
    return (index // 2 if settings.region == "mixed" else index) % settings.centres


def density_line(settings: VirtualBone, index: int) -> tuple[float, float]:
    """Return what truly turns a patient's HU into mg/cc of K2HPO4: the centre's line, moved by the patient's size and the day.

    Examples
    --------
    >>> slope, intercept = density_line(VirtualBone(), 0)
    >>> abs(slope / 0.7 - 1) < 0.1, abs(intercept) < 20
    (True, True)
    """
    slope, intercept = _SLOPES[_centre(settings, index) % len(_SLOPES)]
    turn, shift = np.random.default_rng([21, settings.seed, index]).normal(0.0, (LINE_SPREAD, LINE_SHIFT_MG_CC))
    return round(slope * float(np.exp(turn)), 5), round(intercept + float(shift), 3)


def scanner_table(settings: VirtualBone) -> list[dict[str, str | float]]:
    """Return what each hospital's phantom says of its scanner: ``scanner, kvp, slope, intercept, error_mg_cc``.

    Examples
    --------
    >>> scanner_table(VirtualBone())[0]
    {'scanner': 'C1', 'kvp': 120, 'slope': 0.7, 'intercept': 2.0, 'error_mg_cc': 6.0, 'data': 'virtual'}
    """
    lines = [_SLOPES[centre % len(_SLOPES)] for centre in range(settings.centres)]
    return [
        {"scanner": f"C{n}", "kvp": 120, "slope": slope, "intercept": at_0, "error_mg_cc": TABLE_ERROR_MG_CC, "data": "virtual"}
        for n, (slope, at_0) in enumerate(lines, 1)
    ]
