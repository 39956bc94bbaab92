"""One virtual patient of the bone study: bones, what grows in them, and the image that the centre's scanner makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onclair.virtual.bone_anatomy import Floats, Window
from onclair.virtual.bone_femur import random_hip, sacral_end
from onclair.virtual.bone_growths import Growth
from onclair.virtual.bone_lesions import draw_growths
from onclair.virtual.bone_render import Scanned, Scene, add_bone, scanned, scene_of
from onclair.virtual.bone_settings import Region, VirtualBone, name_of, region_of, scanner_of
from onclair.virtual.bone_soft import around_hips, around_spine, vessel_hu
from onclair.virtual.bone_tissue import Bone, Quality
from onclair.virtual.bone_vertebra import Vertebra, random_rib, spine
from onclair.virtual.scanner import CtScanner

#: What the images show, in mm: width, depth and height, and what of the depth lies in front of the middle of the bones.
FIELDS = {"spine": (128.0, 128.0, 176.0, 42.0), "femur": (336.0, 128.0, 140.0, 64.0)}
#: Levels from the top; the first and the last are cut by the field.
SHOWN = ("T10", "T11", "T12", "L1", "L2", "L3", "L4")
#: Share of patients without a metastasis.
FREE = 1.0 / 3.0


@dataclass(frozen=True, slots=True, eq=False)
class VirtualPatient:
    """One patient before the scan.

    Attributes
    ----------
    name : str
    region : {"spine", "femur"}
    scanner : CtScanner
    window : Window
        The voxels of the image.
    bones : tuple of Bone
    growths : tuple of Growth
        Metastases first.
    quality : Quality
    blood_hu : float
        Of the arteries.
    seeds : tuple of SeedSequence
        Of soft tissue, scan, readers and strength.
    """

    name: str
    region: Region
    scanner: CtScanner
    window: Window
    bones: tuple[Bone, ...]
    growths: tuple[Growth, ...]
    quality: Quality
    blood_hu: float
    seeds: tuple[np.random.SeedSequence, ...]

    @property
    def contrast(self) -> bool:
        """Whether the vessels are enhanced."""
        return self.blood_hu > 90.0


def patient_of(settings: VirtualBone, index: int) -> VirtualPatient:
    """Return one patient.

    Parameters
    ----------
    settings : VirtualBone
    index : int
        From 0.

    Examples
    --------
    >>> patient = patient_of(VirtualBone(), 0)
    >>> patient.name, patient.region, patient.window.shape, sorted({bone.name for bone in patient.bones})
    ('VB001', 'spine', (128, 128, 117), ['rib', 'vertebra'])
    """
    seeds = np.random.SeedSequence([20, settings.seed, index]).spawn(6)
    rng = np.random.default_rng(seeds[0])
    region, scanner = region_of(settings, index), scanner_of(settings, index)
    quality = _quality(settings, rng)
    bones = _spine(settings, rng) if region == "spine" else _hips(settings, rng)
    window = window_of(region, scanner)
    growing = np.random.default_rng(seeds[1])
    metastatic = bool(growing.random() >= FREE)
    mix = "class" if settings.shift == "class" else "usual"
    bones, growths = draw_growths(bones, window_of(region, None), metastatic=metastatic, mix=mix, rng=growing)  # type: ignore[arg-type]
    blood = vessel_hu(bool(rng.random() < 0.5), rng)
    return VirtualPatient(name_of(index), region, scanner, window, bones, growths, quality, blood, tuple(seeds[2:]))


def window_of(region: Region, scanner: CtScanner | None) -> Window:
    """Return the voxels of an image of a region; without a scanner, voxels of 1 mm."""
    wide, deep, high, front = FIELDS[region]
    step = scanner.voxel_mm if scanner is not None else (1.0, 1.0, 1.0)
    shape = tuple(round(side / s) for side, s in zip((wide, deep, high), step, strict=True))
    low = (-shape[0] * step[0] / 2.0, -front, -shape[2] * step[2] / 2.0)
    first = tuple(edge + s / 2.0 for edge, s in zip(low, step, strict=True))
    return Window((first[0], first[1], first[2]), step, (shape[0], shape[1], shape[2]))


def _quality(settings: VirtualBone, rng: np.random.Generator) -> Quality:
    median = 125.0 if settings.shift == "shape" else 175.0
    trabecular = float(np.clip(median * np.exp(rng.normal(0.0, 0.25)), 0.57 * median, 300.0))
    cortical = float(rng.uniform(1200.0, 1800.0))
    return Quality(trabecular, cortical, float(rng.uniform(40.0, 75.0)), int(rng.integers(1, 2**31)))


def _spine(settings: VirtualBone, rng: np.random.Generator) -> tuple[Bone, ...]:
    other = settings.shift == "shape"
    size = float(np.clip(rng.normal(0.9 if other else 1.0, 0.06), 0.8, 1.12))
    vertebrae = spine(SHOWN, size, rng, bend=2.2 if other else 1.0)
    ribs = [random_rib(n, side, vertebrae[n - 10], rng) for n in (10, 11, 12) for side in ("left", "right")]
    return (*vertebrae, *ribs)


def _hips(settings: VirtualBone, rng: np.random.Generator) -> tuple[Bone, ...]:
    other = settings.shift == "shape"
    size = float(np.clip(rng.normal(0.93 if other else 1.0, 0.05), 0.82, 1.1))
    bends = {
        "angle": float(rng.normal(134.0 if other else 125.0, 5.0)),
        "version": float(rng.normal(20.0 if other else 12.0, 5.0)),
        "cortex": float(rng.uniform(3.0, 5.0) if other else rng.uniform(4.0, 8.0)),
    }
    apart = float(rng.normal(88.0 * size, 2.5))
    height, lean = 27.0 + float(np.clip(rng.normal(0.0, 1.5), -3.0, 3.0)), float(np.clip(rng.normal(0.0, 1.5), -3.0, 3.0))
    pairs = [
        random_hip(side, (sign * apart, float(rng.normal(0.0, 1.5)), height + sign * lean), size, bends, rng)
        for side, sign in (("left", 1.0), ("right", -1.0))
    ]
    return (*(bone for pair in pairs for bone in pair[::-1]), sacral_end(72.0, size))


def rendered(patient: VirtualPatient, fine_mm: float) -> Scene:
    """Return a patient's tissue on the voxels of the image."""
    scene = scene_of(patient.window, _soft(patient), fine_mm)
    for bone in patient.bones:
        add_bone(scene, bone, patient.growths, patient.quality)
    return scene


def _soft(patient: VirtualPatient) -> Floats:
    rng = np.random.default_rng(patient.seeds[0])
    if patient.region == "spine":
        return around_spine(patient.window, tuple(b for b in patient.bones if isinstance(b, Vertebra)), patient.blood_hu, rng)
    heads = [bone.head_mm for bone in patient.bones if bone.name == "femur"]  # type: ignore[attr-defined]
    return around_hips(patient.window, (heads[0], heads[1]), patient.blood_hu, rng)


def scan(patient: VirtualPatient, scene: Scene) -> Scanned:
    """Return the patient's image; between hips, photons are fewer than elsewhere."""
    return scanned(scene, patient.scanner, 0.9 if patient.region == "femur" else 0.3, np.random.default_rng(patient.seeds[1]))
