"""From bones and what grows in them to an image: fine cells, their averages, the scanner's kernel, noise, cupping and streaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from onclair.virtual.bone_anatomy import Floats, Slices, Window
from onclair.virtual.bone_growths import Growth, grown
from onclair.virtual.bone_tissue import Bone, Quality
from onclair.virtual.ct import noise, noise_hu
from onclair.virtual.scanner import CtScanner, Kernel, cupping, streaks

#: What a scanner stores.
LEAST_HU, MOST_HU = -1024, 3071
#: Bones are made some slices at a time, of about this many cells: larger arrays cost more to get than to fill.
_CELLS = 1_500_000


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """What one growth fills.

    Attributes
    ----------
    cut : tuple of slice
        Its voxels' box.
    share : ndarray, float32
        How much of each voxel in the box it fills.
    breached_mm3 : float
        Cortex that it destroys.
    """

    cut: Slices
    share: Floats
    breached_mm3: float


@dataclass(eq=False, slots=True)
class Scene:
    """Bones and soft tissue on a grid, before the scanner.

    Attributes
    ----------
    window : Window
        The voxels.
    canvas : ndarray, float32
        HU on voxels that are finer in plane, `across` to a side.
    across, along : int
        Cells to a voxel in plane and through it.
    labels : ndarray, uint8, shape of the window
        Bones as they were before anything grew.
    bone_hu, bone_share : ndarray, float32, same shape
        HU of the bone in each voxel, summed over its cells, and how much of the voxel is bone.
    fills : dict of int to Filled
        By the growth's place in the list.
    """

    window: Window
    canvas: Floats
    across: int
    along: int
    labels: npt.NDArray[np.uint8]
    bone_hu: Floats
    bone_share: Floats
    fills: dict[int, Filled] = field(default_factory=dict)


def scene_of(window: Window, soft_hu: Floats, fine_mm: float) -> Scene:
    """Return a scene without bones.

    Parameters
    ----------
    window : Window
        The voxels of the image.
    soft_hu : ndarray, float32, shape of the window
    fine_mm : float
        Cells are no larger than this.
    """
    across, _, along = (max(1, int(np.ceil(step / fine_mm - 1e-9))) for step in window.step_mm)
    canvas = np.repeat(np.repeat(soft_hu, across, axis=0), across, axis=1)
    empty = np.zeros(window.shape, np.float32)
    return Scene(window, canvas, across, along, np.zeros(window.shape, np.uint8), empty, empty.copy())


def add_bone(scene: Scene, bone: Bone, growths: Sequence[Growth], quality: Quality) -> None:
    """Put a bone with what grows in it into a scene; `growths` are all of the patient, of which the bone's own are taken."""
    x, y, z = scene.window.around(*bone.box())
    own = {number: growth for number, growth in enumerate(growths) if growth.label == bone.label}
    cells = max((x.stop - x.start) * (y.stop - y.start) * scene.across**2 * scene.along, 1)
    for number, growth in own.items():
        box = scene.window.around(*growth.box())
        scene.fills[number] = Filled(box, np.zeros(scene.window.part(box).shape, np.float32), 0.0)
    high = max(1, _CELLS // cells)
    for start in range(z.start, z.stop, high):
        cut = (x, y, slice(start, min(start + high, z.stop)))
        if 0 not in scene.window.part(cut).shape:
            _add_slab(scene, bone, cut, own, quality)


def _add_slab(scene: Scene, bone: Bone, cut: Slices, own: dict[int, Growth], quality: Quality) -> None:
    """Put some slices of a bone into a scene."""
    fine = scene.window.part(cut).refined((scene.across, scene.across, scene.along))
    made = grown(bone.sampled(fine, quality), fine, tuple(own.values()))
    cover, content = (_thinned(values, scene.along) for values in (made.cover, made.cover * made.hu))
    flat = (_finer(cut[0], scene.across), _finer(cut[1], scene.across), cut[2])
    scene.canvas[flat] = scene.canvas[flat] * (1.0 - cover) + content
    bones, share, hu = (_flattened(values, scene.across) for values in (_thinned(made.bone, scene.along), cover, content))
    scene.labels[cut][bones > 0.5] = bone.label
    scene.bone_share[cut] = np.minimum(scene.bone_share[cut] + share, 1.0)
    scene.bone_hu[cut] += hu
    cell = float(np.prod(fine.step_mm))
    for number, inside, breached in zip(own, made.inside, made.breached, strict=True):
        _fill(scene, number, cut, inside)
        scene.fills[number] = replace(scene.fills[number], breached_mm3=scene.fills[number].breached_mm3 + breached * cell)


def _fill(scene: Scene, number: int, cut: Slices, inside: tuple[Slices, Floats]) -> None:
    """Add to a growth's share of the voxels what it fills of some slices."""
    parts = (scene.across, scene.across, scene.along)
    low = [box.start // p for box, p in zip(inside[0], parts, strict=True)]
    high = [-(-box.stop // p) for box, p in zip(inside[0], parts, strict=True)]
    if any(h <= lo for lo, h in zip(low, high, strict=True)):
        return
    whole = np.zeros([(h - lo) * p for lo, h, p in zip(low, high, parts, strict=True)], np.float32)
    whole[tuple(slice(box.start - lo * p, box.stop - lo * p) for box, lo, p in zip(inside[0], low, parts, strict=True))] = inside[1]
    share, box = scene.fills[number].share, scene.fills[number].cut
    ends = [(c.start + lo - b.start, c.start + h - b.start, b.stop - b.start) for c, lo, h, b in zip(cut, low, high, box, strict=True)]
    target = tuple(slice(max(start, 0), min(stop, n)) for start, stop, n in ends)
    source = tuple(slice(t.start - start, t.stop - start) for t, (start, *_) in zip(target, ends, strict=True))
    share[target] += _flattened(_thinned(whole, scene.along), scene.across)[source]


def _finer(cut: slice, parts: int) -> slice:
    return slice(cut.start * parts, cut.stop * parts)


def _thinned(values: Floats, along: int) -> Floats:
    """Average over the cells of a slice."""
    if along == 1:
        return values
    return np.asarray(sum(values[:, :, k::along] for k in range(along)) / np.float32(along))


def _flattened(values: Floats, across: int) -> Floats:
    """Average over the cells of a voxel in plane."""
    if across == 1:
        return values
    every = [values[i::across, j::across] for i in range(across) for j in range(across)]
    return np.asarray(sum(every) / np.float32(across * across))


@dataclass(frozen=True, slots=True, eq=False)
class Scanned:
    """What a scanner makes of a scene.

    Attributes
    ----------
    clean, image : ndarray, int16, shape (x, y, z)
        HU without and with noise and artefacts.
    noise_hu : float
        Standard deviation of the noise before it is cut into voxels.
    """

    clean: npt.NDArray[np.int16]
    image: npt.NDArray[np.int16]
    noise_hu: float


def scanned(scene: Scene, scanner: CtScanner, starved: float, rng: np.random.Generator) -> Scanned:
    """Return a scene as a scanner shows it.

    Parameters
    ----------
    scene : Scene
    scanner : CtScanner
    starved : float
        How strong streaks are, in standard deviations of the noise where most bone lies side by side; 0 for none.
    rng : numpy Generator
    """
    sharp = _through(scene.canvas, scene.window.step_mm[0] / scene.across, scanner.reconstruction)
    clean = _flattened(sharp, scene.across)
    shape = clean.shape
    sigma = noise_hu(scanner)
    bony = scene.bone_share.sum(axis=0).max(axis=0).astype(np.float64)
    drawn = noise((shape[0], shape[1], shape[2]), scanner, rng)
    drawn += streaks((shape[0], shape[1], shape[2]), starved * sigma * bony / max(bony.max(), 1.0), rng)
    drawn += cupping((shape[0], shape[1]), float(rng.uniform(2.0, 10.0)))[:, :, None]
    return Scanned(_stored(clean), _stored(clean + drawn), sigma)


def _stored(values: npt.NDArray[Any]) -> npt.NDArray[np.int16]:
    return np.asarray(np.clip(np.rint(values), LEAST_HU, MOST_HU), np.int16)


def _through(values: Floats, cell_mm: float, kernel: Kernel) -> Floats:
    """Return each slice after the kernel's transfer, in float32, some slices at a time; beyond its rim a slice goes on as it ends."""
    rows, columns, slices = values.shape
    margin = int(np.ceil(4.0 / kernel.mtf50 / cell_mm))
    lengths = [fft.next_fast_len(n + margin, real=True) for n in (rows, columns)]
    across, along = np.fft.fftfreq(lengths[0], cell_mm), np.fft.rfftfreq(lengths[1], cell_mm)
    transfer = kernel.transfer(np.hypot(across[:, None], along)).astype(np.float32)
    found = np.empty_like(values)
    for start in range(0, slices, 8):
        some = np.ascontiguousarray(np.moveaxis(values[:, :, start : start + 8], 2, 0))
        padded = np.pad(some, ((0, 0), (0, lengths[0] - rows), (0, lengths[1] - columns)), mode="edge")
        _joined(padded, rows, columns)
        back = fft.irfft2(fft.rfft2(padded) * transfer, s=lengths)
        found[:, :, start : start + 8] = np.moveaxis(back[:, :rows, :columns], 0, 2)
    return found


def _joined(padded: Floats, rows: int, columns: int) -> None:
    """Let the margin run from one rim to the other, so that nothing jumps where the transform closes on itself."""
    for axis, n in ((1, rows), (2, columns)):
        extra = padded.shape[axis] - n
        share = np.linspace(0.0, 1.0, extra + 2, dtype=np.float32)[1:-1].reshape((-1, 1) if axis == 1 else (1, -1))
        first, last = (np.take(padded, [at], axis=axis) for at in (0, n - 1))
        band = slice(None), slice(n, None) if axis == 1 else slice(None), slice(n, None) if axis == 2 else slice(None)
        padded[band] = last * (1.0 - share) + first * share
