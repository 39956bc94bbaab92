"""Separable convolution: one-dimensional kernels along each axis, many filters at once, shared as far as they agree.

A chain is a tuple of odd-length kernels applied one after the other along an axis, each meeting the edge of the image by
the boundary condition. A step is a weighted sum of chains; a filter has a step (or None) for each axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from onclair.science.radiomics.filters.boundaries import Boundary, Span, indices_beyond, reach
from onclair.science.radiomics.filters.scene import Response, Scene

Kernel: TypeAlias = tuple[float, ...]
Chain: TypeAlias = tuple[Kernel, ...]
Step: TypeAlias = tuple[tuple[float, Chain], ...]
Steps: TypeAlias = tuple[Step | None, Step | None, Step | None]


def kernel_of(values: Iterable[float]) -> Kernel:
    """Return a kernel with a centre: one of even length gets a zero behind it (IBSI's second alternative).

    Examples
    --------
    >>> kernel_of([1, 1])
    (1.0, 1.0, 0.0)
    """
    kernel = tuple(float(value) for value in values)
    return kernel if len(kernel) % 2 else (*kernel, 0.0)


def steps_of(chains: Sequence[Chain]) -> Steps:
    """Return the filter with one chain for each axis that it runs along, x first.

    Examples
    --------
    >>> steps_of([((1.0,),), ((2.0,),)])
    (((1.0, ((1.0,),)),), ((1.0, ((2.0,),)),), None)
    """
    return laid([((1.0, chain),) for chain in chains])


def laid(steps: Sequence[Step]) -> Steps:
    """Return the filter with these steps along its first axes.

    Examples
    --------
    >>> laid([((1.0, ((2.0,),)),)])[1:]
    (None, None)
    """
    padded: list[Step | None] = [*steps, None, None, None]
    return padded[0], padded[1], padded[2]


def responses(scene: Scene, filters: Sequence[Steps]) -> Iterator[tuple[int, Response]]:
    """Convolve an image with several separable filters.

    Parameters
    ----------
    scene : Scene
    filters : sequence of three steps
        What they share along the first axes is computed once.

    Yields
    ------
    int
        Place of the filter in `filters`; not in order.
    ndarray, float64, of the shape of the scene's spans
        A fresh array, unless the filter touches no axis.

    Examples
    --------
    A kernel is not turned round: this is convolution, so that an impulse becomes the kernel.

    >>> from onclair.science.radiomics.filters.scene import scene
    >>> line = scene(np.array([0.0, 0.0, 1.0, 0.0, 0.0]).reshape(5, 1, 1), (1, 1, 1), 3, "zero")
    >>> ((_, response),) = responses(line, [steps_of([((1.0, 2.0, 3.0),)])])
    >>> response.ravel().tolist()
    [0.0, 1.0, 2.0, 3.0, 0.0]
    """
    read = _read(scene, filters)
    block = scene.array[tuple(slice(*span) for span in read)]
    start = np.ascontiguousarray(block, dtype=np.float64)
    yield from _descend(scene, start, read, 0, list(enumerate(filters)))


def _read(scene: Scene, filters: Sequence[Steps]) -> list[Span]:
    """Return the voxels that any of the filters reads, along each axis."""
    spans = []
    for axis, span in enumerate(scene.spans):
        chains = [chain for steps in filters for _, chain in steps[axis] or ()]
        reads = [_spans_of(chain, span, scene.array.shape[axis], scene.boundary)[0] for chain in chains] or [span]
        spans.append((min(first for first, _ in reads), max(last for _, last in reads)))
    return spans


def _spans_of(chain: Chain, span: Span, size: int, boundary: Boundary) -> list[Span]:
    """Return what the chain reads, what each kernel but the last gives, and the span itself."""
    spans = [span]
    for kernel in reversed(chain):
        spans.append(reach(spans[-1], len(kernel) // 2, size, boundary))
    return spans[::-1]


def _descend(
    scene: Scene, block: Response, read: list[Span], axis: int, filters: list[tuple[int, Steps]]
) -> Iterator[tuple[int, Response]]:
    if axis == 3:
        yield from ((place, block) for place, _ in filters)
        return
    for step in dict.fromkeys(steps[axis] for _, steps in filters):
        done = _stepped(scene, block, read[axis], axis, step)
        yield from _descend(scene, done, read, axis + 1, [each for each in filters if each[1][axis] == step])


def _stepped(scene: Scene, block: Response, read: Span, axis: int, step: Step | None) -> Response:
    span, size = scene.spans[axis], scene.array.shape[axis]
    if step is None:
        return block[(slice(None),) * axis + (slice(span[0] - read[0], span[1] - read[0]),)]
    total = None
    for weight, chain in step:
        spans = _spans_of(chain, span, size, scene.boundary)
        held, part = read, block
        for number, (kernel, wanted) in enumerate(zip(chain, spans[1:], strict=True)):
            values = np.asarray(kernel) * (weight if number == 0 else 1.0)
            part = _along(part, axis, values, indices_beyond(_wider(wanted, len(kernel) // 2), size, scene.boundary), held[0])
            held = wanted
        total = part if total is None else np.add(total, part, out=total)
    assert total is not None
    return total


def _wider(span: Span, radius: int) -> Span:
    return span[0] - radius, span[1] + radius


def _along(block: Response, axis: int, kernel: npt.NDArray[Any], source: npt.NDArray[np.intp], first: int) -> Response:
    """Convolve along one axis; `source` says which voxel stands at each place the kernel reads, `first` where the block starts."""
    taps = np.flatnonzero(kernel)
    weights = kernel[taps]
    places = kernel.size - 1 - taps
    local = np.where(source < 0, source, source - first)
    count = source.size - kernel.size + 1
    before, behind = int(np.prod(block.shape[:axis])), int(np.prod(block.shape[axis + 1 :]))
    lines = np.ascontiguousarray(block).reshape(before, block.shape[axis], behind)
    made = np.zeros((before, count, behind))
    if behind == 1:
        _along_last(lines[:, :, 0], local, places, weights, made[:, :, 0])
    else:
        _along_middle(lines, local, places, weights, made)
    return made.reshape(*block.shape[:axis], count, *block.shape[axis + 1 :])


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _along_middle(
    lines: npt.NDArray[Any], source: npt.NDArray[Any], places: npt.NDArray[Any], weights: npt.NDArray[Any], made: npt.NDArray[Any]
) -> None:
    before, count, behind = made.shape
    for p in range(before):
        for i in range(count):
            for t in range(places.size):
                j = source[i + places[t]]
                if j >= 0:
                    weight = weights[t]
                    for q in range(behind):
                        made[p, i, q] += weight * lines[p, j, q]


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _along_last(
    lines: npt.NDArray[Any], source: npt.NDArray[Any], places: npt.NDArray[Any], weights: npt.NDArray[Any], made: npt.NDArray[Any]
) -> None:
    line = np.empty(source.size)
    before, count = made.shape
    for p in range(before):
        for j in range(source.size):
            line[j] = lines[p, source[j]] if source[j] >= 0 else 0.0
        for t in range(places.size):
            weight, place = weights[t], places[t]
            for i in range(count):
                made[p, i] += weight * line[i + place]
