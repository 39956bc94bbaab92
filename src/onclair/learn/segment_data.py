"""Scans prepared for a segmentation network, and patches cut from them: a third on lesions, a third on odd-looking bone, a third anywhere.

A prepared scan lies on disk as plain arrays that are mapped, not loaded, so that a cohort need not fit into memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadModelFile
from onclair.core.geometry import Affine
from onclair.core.values import Image
from onclair.learn.augment import cut_out, drawn_frame, varied
from onclair.learn.plan import Plan
from onclair.learn.tile_grid import shown, shown_share, upright
from onclair.science.volumes.components import components
from onclair.science.volumes.resample import resampled

if TYPE_CHECKING:
    import torch

Places: TypeAlias = npt.NDArray[np.int16]
Indices: TypeAlias = npt.NDArray[np.int64]
#: Patches of each scan an epoch. In every batch the first third, one at least, are about lesions; the others in turn about odd bone and
#: anywhere in bone. (nnU-Net forces a third of each batch too: a batch without a lesion teaches the Dice nothing.)
SLOTS, KINDS = 6, ("lesion", "odd", "any")
#: How the tensors of a batch are called.
IMAGE, LABEL = "patch", "label"
#: Voxels remembered of each lesion, and of each other kind; the share of bone that counts as odd.
OF_A_LESION, OF_A_KIND, ODD_SHARE = 200, 4000, 0.05
#: Neighbourhoods in mm whose means are compared: what stands out from the bone around it.
NEAR_MM, AROUND_MM = 5.0, 25.0
_FILES = ("image.npy", "label.npy", "lesion.npy", "lesion-of.npy", "odd.npy", "any.npy")


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A scan on the network's grid.

    Attributes
    ----------
    case : str
    image : ndarray, float16, shape (x, y, z)
        Normalised.
    label : ndarray, uint8, shape (x, y, z)
        Class of each voxel.
    places : mapping of str to ndarray, int16, shape (n, 3)
        Voxels of each of :data:`KINDS`.
    lesion_of : ndarray, int32, shape (n,)
        Which lesion each place in ``places["lesion"]`` is of, from 0: every lesion is drawn as often, whatever its size.
    """

    case: str
    image: npt.NDArray[np.float16]
    label: npt.NDArray[np.uint8]
    places: Mapping[str, Places]
    lesion_of: npt.NDArray[np.int32]


def prepare(
    case: str, image: Image, classes: npt.NDArray[Any], plan: Plan, *, bone: npt.NDArray[Any], rng: np.random.Generator
) -> Prepared:
    """Return a scan as the network is shown it, with the places that patches are drawn about.

    Parameters
    ----------
    case : str
    image : Image
        HU.
    classes : ndarray of integers, shape (x, y, z)
        Index into the plan's classes.
    plan : Plan
    bone : ndarray, bool, shape (x, y, z)
        Where to look; all False means everywhere.
    rng : numpy Generator
        Which places are remembered.
    """
    straight, base = upright(image.array, image.affine)
    seen, _ = shown(straight, base, plan.spacing_mm)
    label = _classes(upright(classes, image.affine)[0], base, plan, seen.shape)
    inside = shown_share(upright(bone, image.affine)[0], base, plan.spacing_mm, seen.shape) >= 0.5
    if not inside.any():
        inside = np.ones(seen.shape, dtype=bool)
    lesion, of = _lesion_places(label, rng)
    free = inside & ~ndimage.binary_dilation(label > 0, iterations=2)
    places = {"lesion": lesion, "odd": _some(_odd(seen, free, plan), rng), "any": _some(inside, rng)}
    return Prepared(case, plan.normalised(seen).astype(np.float16), label, places, of)


def save_prepared(folder: Path, scan: Prepared) -> None:
    """Write a prepared scan as a folder, whole or not at all."""
    partial = folder.with_name(folder.name + ".new")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    places = scan.places
    arrays: tuple[npt.NDArray[Any], ...] = (scan.image, scan.label, places["lesion"], scan.lesion_of, places["odd"], places["any"])
    for name, array in zip(_FILES, arrays, strict=True):
        np.save(partial / name, array, allow_pickle=False)
    partial.replace(folder)


def load_prepared(folder: Path) -> Prepared:
    """Return a prepared scan, its volumes mapped from disk.

    Raises
    ------
    BadModelFile
        When a file is absent or damaged.
    """
    try:
        image, label, lesion, of, odd, everywhere = (
            np.load(folder / name, mmap_mode="r" if at < 2 else None, allow_pickle=False) for at, name in enumerate(_FILES)
        )
    except (OSError, ValueError) as error:
        raise BadModelFile(f"The prepared scan {folder} cannot be read ({error}); remove the folder to prepare it anew.") from error
    return Prepared(folder.name, image, label, {"lesion": lesion, "odd": odd, "any": everywhere}, of)


class Patches:
    """The items that a segmentation network is trained on: :data:`SLOTS` patches of each scan an epoch, never the same twice.

    Parameters
    ----------
    scans : sequence of Prepared
    plan : Plan
    """

    def __init__(self, scans: Sequence[Prepared], plan: Plan) -> None:
        self.scans, self.plan = scans, plan

    def __len__(self) -> int:
        return len(self.scans) * SLOTS

    def take(self, indices: Indices, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return patches, ``patch`` float32 (b, 1, x, y, z) and ``label`` int64 (b, 1, x, y, z)."""
        import torch

        ill = [scan for scan in self.scans if len(scan.places["lesion"])]
        drawn = []
        for kind, at in zip(kinds_of(len(indices), rng), indices, strict=True):
            scan = self.scans[int(at) // SLOTS]
            if kind == "lesion" and ill and not len(scan.places["lesion"]):
                scan = ill[int(rng.integers(len(ill)))]
            drawn.append(self.one(scan, kind, rng))
        images, labels = (np.stack([each[part] for each in drawn])[:, None] for part in (0, 1))
        return {IMAGE: torch.from_numpy(images), LABEL: torch.from_numpy(labels.astype(np.int64))}

    def one(self, scan: Prepared, kind: str, rng: np.random.Generator) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
        """Return one patch about a place of a kind: `odd` bone where a scan has no lesion, anywhere where it has no odd bone."""
        places = next((scan.places[each] for each in KINDS[KINDS.index(kind) :] if len(scan.places[each])), scan.places["any"])
        if places is scan.places["lesion"]:
            places = places[scan.lesion_of == rng.integers(int(scan.lesion_of.max()) + 1)]
        centre = places[int(rng.integers(len(places)))].astype(np.float64)
        patch = self.plan.patch
        centre += rng.uniform(-0.25, 0.25, 3) * patch
        frame = drawn_frame(self.plan.spacing_mm, rng)
        return varied(*cut_out(scan.image, scan.label, centre, patch, self.plan.air, frame=frame), rng)


def kinds_of(patches: int, rng: np.random.Generator) -> list[str]:
    """Return what each patch of a batch is about: a third of them, rounded up, a lesion; then odd bone and anywhere, in a drawn turn.

    Examples
    --------
    >>> kinds_of(6, np.random.default_rng(0))
    ['lesion', 'lesion', 'any', 'odd', 'any', 'odd']
    >>> kinds_of(1, np.random.default_rng(0))
    ['lesion']
    """
    forced, turn = -(-patches // 3), int(rng.integers(2))
    return ["lesion"] * forced + [KINDS[1 + (at + turn) % 2] for at in range(patches - forced)]


def _classes(classes: npt.NDArray[Any], affine: Affine, plan: Plan, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Return the class of each voxel of the network's grid: what fills half of it, and of a lesion too small for that its heart."""
    out, size = np.zeros(shape, dtype=np.uint8), (int(shape[0]), int(shape[1]), int(shape[2]))
    for value in range(1, len(plan.classes)):
        share, _ = resampled((classes == value).astype(np.float32), affine, plan.spacing_mm, order="average", shape=size)
        inside = share >= 0.5
        parts, count = components(share > 0)
        for part, peak in enumerate(np.atleast_1d(ndimage.maximum(share, parts, np.arange(1, count + 1))) if count else (), start=1):
            if peak < 0.5:
                inside |= (parts == part) & (share >= peak)
        out[inside] = value
    return out


def _lesion_places(label: npt.NDArray[np.uint8], rng: np.random.Generator) -> tuple[Places, npt.NDArray[np.int32]]:
    parts, count = components(label)
    found = [_some(parts == part, rng, OF_A_LESION) for part in range(1, count + 1)]
    if not found:
        return np.zeros((0, 3), dtype=np.int16), np.zeros(0, dtype=np.int32)
    return np.concatenate(found), np.repeat(np.arange(count, dtype=np.int32), [len(each) for each in found])


def _odd(image: npt.NDArray[np.float32], free: npt.NDArray[np.bool_], plan: Plan) -> npt.NDArray[np.bool_]:
    """Return the lesion-free bone that stands out most from the bone around it: where mimics are."""
    if not free.any():
        return free
    clipped = np.clip(image, *plan.clip)
    near, around = (_mean_within(clipped, free, [mm / each for each in plan.spacing_mm]) for mm in (NEAR_MM, AROUND_MM))
    apart = np.abs(near - around)
    return np.asarray(free & (apart >= np.quantile(apart[free], 1 - ODD_SHARE)))


def _mean_within(image: npt.NDArray[np.float32], region: npt.NDArray[np.bool_], sizes: Sequence[float]) -> npt.NDArray[np.float32]:
    voxels = [max(1, round(size)) for size in sizes]
    share = ndimage.uniform_filter(region.astype(np.float32), voxels)
    return np.asarray(ndimage.uniform_filter(np.where(region, image, 0).astype(np.float32), voxels) / np.maximum(share, 1e-6))


def _some(region: npt.NDArray[np.bool_], rng: np.random.Generator, most: int = OF_A_KIND) -> Places:
    places = np.argwhere(region)
    if len(places) > most:
        places = places[np.sort(rng.choice(len(places), most, replace=False))]
    return places.astype(np.int16)
