"""A segmentation network over a whole scan: overlapping tiles under a Gaussian, those without bone skipped, memory held in bounds.

Tiles are blended, and where there are several classes decided between, on the network's grid a slab at a time; only one probability
and one class a voxel are brought to the scan's own grid. onnxruntime computes; OpenVINO does where it is installed and asked for, and
then in 32-bit floats unless 16-bit ones are asked for: its own choice on many processors is bf16, which moves voxels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadSetting
from onclair.core.geometry import Affine
from onclair.core.names import did_you_mean
from onclair.core.progress import Listener, Progress, silent
from onclair.io.networks import NetworkRecord, open_network
from onclair.learn.bundle import Activation, Bundle, bundle_of
from onclair.learn.plan import Plan
from onclair.learn.plan_topology import inference_gb
from onclair.learn.tile_grid import bell, padded, shown, shown_share, starts_of, upright
from onclair.science.volumes.components import box_of
from onclair.science.volumes.resample import onto

Singles: TypeAlias = npt.NDArray[np.float32]
Precision = Literal["f32", "bf16"]
Runtime = Literal["onnxruntime", "openvino", "torch"]
#: One tile: (1, 1, patch) to (foreground classes, patch).
Answer = Callable[[Singles], Singles]
#: Filters taken for the finest stage of a network whose plan does not say.
UNKNOWN_FEATURES = (64,)
#: The outer share of a tile, on each side, that alone is no reason to run it: there the Gaussian is below a hundredth.
SKIRT = 1 / 8
#: Slices of the scan that are brought to its grid at once.
SLAB = 32


@dataclass(frozen=True, slots=True, eq=False)
class Tiled:
    """What a network says of a scan.

    Attributes
    ----------
    probability : ndarray, float32, shape (x, y, z)
        Of any foreground, on the scan's own grid; 0 where no tile ran.
    classes : ndarray, uint8, shape (x, y, z), or None
        The likeliest class, decided on the network's grid; None where there is only one besides background.
    tiles_total, tiles_run : int
    """

    probability: Singles
    classes: npt.NDArray[np.uint8] | None
    tiles_total: int
    tiles_run: int


class How(TypedDict, total=False):
    """How a network is run over a scan.

    Attributes
    ----------
    threads : int
        1 when left out; sums may be taken in another order for another number.
    ram_gb : float or None
        10^9 bytes that the network may take.
    precision : {"f32", "bf16"}
        bf16 is OpenVINO's alone.
    progress : callable
        Listens to one event a tile that ran.
    """

    threads: int
    ram_gb: float | None
    precision: Precision
    progress: Listener


class Segmenter:
    """A trained network, ready for scans.

    Parameters
    ----------
    source : NetworkRecord, or path
        As :func:`onclair.learn.bundle.bundle_of`.
    runtime : {"onnxruntime", "openvino", "torch"} or None
        None takes onnxruntime, and OpenVINO where bf16 is asked for; torch is for networks of this house, and what the others are
        measured against.

    Attributes
    ----------
    bundle : Bundle
        Its plan, threshold and calibration of scores.

    Raises
    ------
    BadModelFile
        As :func:`onclair.learn.bundle.bundle_of`.
    """

    def __init__(self, source: NetworkRecord | str | Path, *, runtime: Runtime | None = None) -> None:
        self.bundle: Bundle = bundle_of(source)
        self.runtime: Runtime | None = runtime
        self._opened: dict[tuple[int, Precision], Answer] = {}

    @property
    def tile_gb(self) -> float:
        """The memory that one tile needs, in 10^9 bytes; an estimate from the plan."""
        plan = self.bundle.plan
        return inference_gb(plan.patch, plan.features or UNKNOWN_FEATURES)

    def probabilities(
        self,
        hu: npt.NDArray[Any],
        affine: Affine,
        *,
        inside: npt.NDArray[Any] | None = None,
        **how: Unpack[How],
    ) -> Tiled:
        """Return the probability of a lesion in each voxel of a scan.

        Parameters
        ----------
        hu : ndarray of real numbers, shape (x, y, z)
        affine : ndarray, shape (4, 4)
            Voxel to LPS mm; any order and direction of axes.
        inside : ndarray of bool, shape (x, y, z), optional
            Tiles without any of it in their core are skipped; a core is the tile without an eighth of it on each side, where its weight
            is small. Every voxel is in the core of several tiles. All run when left out.
        **how
            ``threads``, ``ram_gb``, ``precision``, ``progress``: see :class:`How`.

        Raises
        ------
        BadSetting
            For an unknown keyword, a memory ceiling below one tile, no thread, a precision that the runtime lacks, or a runtime that is
            not installed.
        BadCase
            When `inside` is of another shape, or empty.
        """
        if unknown := sorted(set(how) - set(How.__annotations__)):
            said = did_you_mean(unknown[0], How.__annotations__)
            raise BadSetting(f"A network over a scan takes no '{unknown[0]}'; {said}", item=unknown[0])
        threads, precision, progress = how.get("threads", 1), how.get("precision", "f32"), how.get("progress", silent)
        self._check(how.get("ram_gb"), threads)
        if inside is not None and (inside.shape != hu.shape or not inside.any()):
            found = f"of shape {inside.shape}" if inside.shape != hu.shape else "empty"
            raise BadCase(f"The bone mask is {found} where the CT is of shape {hu.shape}; there is nowhere to look: check the mask.")
        answer = self._answer(threads, precision)
        plan = self.bundle.plan
        straight, base = upright(hu, affine)
        region = None if inside is None else upright(inside, affine)[0]
        margin = [int(np.ceil(side * mm / own)) for side, mm, own in zip(plan.patch, plan.spacing_mm, _spacing(base), strict=True)]
        box = tuple(slice(0, n) for n in straight.shape) if region is None else _around(region, margin)
        cut = _moved(base, box)
        image, grid = shown(straight[box], cut, plan.spacing_mm)
        wanted = None if region is None else _looked_at(shown_share(region[box], cut, plan.spacing_mm, image.shape))
        course = _Course(plan.normalised(image), wanted, self.bundle, answer, progress)
        course.total = _tiles(straight.shape, _spacing(base), plan)
        foreground, classes = course.blended()
        out = np.zeros(hu.shape, dtype=np.float32)
        _bring(foreground, grid, upright(out, affine)[0][box], cut, order="linear")
        decided = None
        if classes is not None:
            decided = np.zeros(hu.shape, dtype=np.uint8)
            _bring(classes, grid, upright(decided, affine)[0][box], cut, order="nearest")
        return Tiled(out, decided, course.total, course.run)

    def _check(self, ram_gb: float | None, threads: int) -> None:
        if threads < 1:
            raise BadSetting(f"{threads} threads were asked for; at least 1 is needed.", item="threads")
        if ram_gb is not None and not ram_gb >= self.tile_gb:
            said = f"The memory ceiling is {ram_gb:g} GB and one tile of {'x'.join(map(str, self.bundle.plan.patch))} voxels"
            raise BadSetting(f"{said} needs about {self.tile_gb:.2g} GB; raise --ram-gb, or use a smaller model.", item="ram_gb")

    def _answer(self, threads: int, precision: Precision) -> Answer:
        """Return the network opened for so many threads; it is opened once."""
        runtime = self.runtime or ("openvino" if precision == "bf16" else "onnxruntime")
        if precision not in ("f32", "bf16") or (precision == "bf16" and runtime != "openvino"):
            raise BadSetting(f"{runtime} does not compute in {precision}; choose f32, or bf16 with OpenVINO.", item="precision")
        if (threads, precision) not in self._opened:
            run = _RUNTIMES[runtime]
            self._opened[threads, precision] = _foreground(run(self.bundle, threads, precision), self.bundle.activation, self.bundle.axes)
        return self._opened[threads, precision]


class _Course:
    """One scan under way: tiles along the first axis fill a slab that is as thick as a tile and moves on."""

    def __init__(self, image: Singles, wanted: npt.NDArray[np.bool_] | None, bundle: Bundle, answer: Answer, progress: Listener) -> None:
        patch = bundle.plan.patch
        self.shape = image.shape
        self.image, self.before = padded(image, patch, bundle.plan.air)
        self.wanted = None if wanted is None else padded(wanted, patch, value=False)[0]
        self.patch, self.answer, self.progress = patch, answer, progress
        self.several = len(bundle.plan.classes) - 1
        self.starts = [starts_of(length, side) for length, side in zip(self.image.shape, patch, strict=True)]
        self.total, self.run = int(np.prod([len(each) for each in self.starts])), 0  # the caller knows of what was cropped

    def blended(self) -> tuple[Singles, npt.NDArray[np.uint8] | None]:
        """Return the probability of any foreground and, where there are several classes, the likeliest one, on the network's grid."""
        bell_of, (_, wide, deep) = bell(self.patch), self.image.shape
        out = np.zeros(self.image.shape, dtype=np.float32)
        classes = np.zeros(self.image.shape, dtype=np.uint8) if self.several > 1 else None
        sums = np.zeros((self.several, self.patch[0], wide, deep), dtype=np.float32)
        weight = np.zeros((self.patch[0], wide, deep), dtype=np.float32)
        for first, after in zip(self.starts[0], [*self.starts[0][1:], self.image.shape[0]], strict=True):
            for j, k in self._row(first):
                at = (slice(None), slice(j, j + self.patch[1]), slice(k, k + self.patch[2]))
                sums[(slice(None), *at)] += self.answer(self._tile(first, j, k)) * bell_of
                weight[at] += bell_of
            done = after - first
            shares = sums[:, :done] / np.maximum(weight[:done], np.float32(1e-12))
            out[first:after] = np.minimum(shares.sum(axis=0), 1.0)
            if classes is not None:
                background = 1 - shares.sum(axis=0)
                classes[first:after] = np.where(shares.max(axis=0) > background, shares.argmax(axis=0) + 1, 0)
            for kept in (sums, weight):
                along = kept.ndim - 3
                part = (slice(None),) * along
                kept[(*part, slice(0, self.patch[0] - done))] = kept[(*part, slice(done, None))].copy()
                kept[(*part, slice(self.patch[0] - done, None))] = 0
        cut = tuple(slice(b, b + n) for b, n in zip(self.before, self.shape, strict=True))
        return out[cut], None if classes is None else classes[cut]

    def _row(self, first: int) -> Iterator[tuple[int, int]]:
        """Yield the tiles at one place along the first axis that have something to look at."""
        for j in self.starts[1]:
            for k in self.starts[2]:
                if self.wanted is not None and not self.wanted[self._core(first, j, k)].any():
                    continue
                self.run += 1
                yield j, k
                self.progress(Progress("segment", self.run, self.total, unit="tiles"))

    def _tile(self, *first: int) -> Singles:
        return np.ascontiguousarray(self.image[self._box(*first)])

    def _core(self, *first: int) -> tuple[slice, ...]:
        """Return a tile without its skirt, which it keeps at the faces of the scan."""
        sides = [(at, side, round(side * SKIRT), n) for at, side, n in zip(first, self.patch, self.image.shape, strict=True)]
        return tuple(slice(at if at == 0 else at + less, n if at + side >= n else at + side - less) for at, side, less, n in sides)

    def _box(self, *first: int) -> tuple[slice, ...]:
        return tuple(slice(at, at + side) for at, side in zip(first, self.patch, strict=True))


def _foreground(run: Callable[[Singles], Singles], activation: Activation, axes: str) -> Answer:
    """Return a network's answer as probabilities of the foreground classes, its axes as ours."""
    order = ["xyz".index(axis) for axis in axes]
    back = [int(at) for at in np.argsort(order)]

    def answer(tile: Singles) -> Singles:
        """Return (foreground classes, patch)."""
        found = run(np.ascontiguousarray(np.transpose(tile, order)[None, None]))[0]
        if activation == "softmax":
            found = np.exp(found - found.max(axis=0))
            found /= found.sum(axis=0)
        if activation == "sigmoid":
            return np.asarray(1 / (1 + np.exp(-np.transpose(found, (0, *(1 + at for at in back))))), dtype=np.float32)
        return np.asarray(np.transpose(found, (0, *(1 + at for at in back)))[1:], dtype=np.float32)

    return answer


def _by_onnxruntime(bundle: Bundle, threads: int, precision: Precision) -> Callable[[Singles], Singles]:
    del precision
    inference = open_network(bundle.record, threads=threads)
    name, answer = inference.inputs[0].name, inference.outputs[0].name
    return lambda tile: np.asarray(inference.run({name: tile})[answer], dtype=np.float32)


def _by_openvino(bundle: Bundle, threads: int, precision: Precision) -> Callable[[Singles], Singles]:
    try:
        import openvino  # type: ignore[import-not-found, unused-ignore]  # optional
    except ImportError:
        said = f"OpenVINO, which {precision} was asked of, is not installed"
        raise BadSetting(f"{said}; install it with pip install openvino, or leave --precision at f32.", item="precision") from None
    core: Any = openvino.Core()
    hints = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(core.read_model(bundle.record.graph), "CPU", hints)
    return lambda tile: np.array(compiled(tile)[0], dtype=np.float32)


def _by_torch(bundle: Bundle, threads: int, precision: Precision) -> Callable[[Singles], Singles]:
    import torch

    from onclair.learn.segment import module_of

    del precision
    module = module_of(bundle.plan, bundle.record.graph or b"")

    def run(tile: Singles) -> Singles:
        """Return what the network says of one tile."""
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        with torch.no_grad():
            found = module(torch.from_numpy(tile)).numpy()
        torch.set_num_threads(before)
        return np.asarray(found, dtype=np.float32)

    return run


_RUNTIMES: Mapping[Runtime, Callable[[Bundle, int, Precision], Callable[[Singles], Singles]]] = MappingProxyType(
    {"onnxruntime": _by_onnxruntime, "openvino": _by_openvino, "torch": _by_torch}
)


def _looked_at(share: Singles) -> npt.NDArray[np.bool_]:
    """Return where to look on the network's grid: voxels at least half inside, or any that are touched where no voxel is."""
    return np.asarray(share >= 0.5 if (share >= 0.5).any() else share > 0)


def _tiles(shape: tuple[int, ...], spacing: npt.NDArray[np.float64], plan: Plan) -> int:
    """Return how many tiles the whole scan has."""
    lengths = np.maximum(np.rint(np.array(shape) * spacing / plan.spacing_mm), 1)
    return int(np.prod([len(starts_of(int(length), side)) for length, side in zip(lengths, plan.patch, strict=True)]))


def _around(region: npt.NDArray[Any], margin: list[int]) -> tuple[slice, ...]:
    """Return the box of a region, half a tile wider on each side, within the scan."""
    return tuple(
        slice(max(cut.start - far // 2, 0), min(cut.stop + far // 2, n))
        for cut, far, n in zip(box_of(region), margin, region.shape, strict=True)
    )


def _moved(affine: Affine, box: tuple[slice, ...]) -> Affine:
    """Return the affine of a part of a volume."""
    moved = np.array(affine, dtype=np.float64)
    moved[:3, 3] += affine[:3, :3] @ np.array([cut.start for cut in box], dtype=np.float64)
    return moved


def _spacing(affine: Affine) -> npt.NDArray[np.float64]:
    return np.asarray(np.linalg.norm(affine[:3, :3], axis=0))


def _bring(values: npt.NDArray[Any], grid: Affine, to: npt.NDArray[Any], affine: Affine, *, order: Literal["linear", "nearest"]) -> None:
    """Write a map on the network's grid into a part of the scan, some slices at a time."""
    for first in range(0, to.shape[0], SLAB):
        part = (slice(first, min(first + SLAB, to.shape[0])), slice(0, to.shape[1]), slice(0, to.shape[2]))
        to[part] = onto(values, grid, _moved(affine, part), to[part].shape, order=order)
