"""Rotation invariance: a separable filter in every right-angled orientation, and what is kept of their responses.

The orientations are the proper rotations of the grid: 4 in two dimensions, 24 in three. A rotation puts the kernels on other
axes and turns some of them round. IBSI manual, arXiv:2006.05470, on rotation invariance by right angles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import permutations, product
from typing import Literal, TypeAlias, get_args

import numpy as np

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.science.radiomics.filters.scene import Response, Scene
from onclair.science.radiomics.filters.separable import Chain, Kernel, Step, Steps, laid, responses, steps_of

Pooling: TypeAlias = Literal["max", "average", "min"]
POOLINGS: tuple[str, ...] = get_args(Pooling)


def checked_pooling(pooling: str | None) -> None:
    """Refuse an unknown pooling; None, for no rotation invariance, is fine.

    Raises
    ------
    BadSetting
        Quoting the nearest known one.

    Examples
    --------
    >>> checked_pooling("max")
    """
    if pooling is not None and pooling not in POOLINGS:
        raise BadSetting(f"The pooling '{pooling}' is unknown; {did_you_mean(pooling, POOLINGS)}", item="pooling")


def pooled(scene: Scene, chains: Sequence[Chain], pooling: Pooling | None) -> Response:
    """Return the response of a separable filter, pooled over its orientations.

    Parameters
    ----------
    scene : Scene
    chains : sequence of two or three chains
        One for each axis that the filter runs along, x first.
    pooling : {"max", "average", "min"} or None
        None leaves the filter as it stands.

    Returns
    -------
    ndarray, float64, of the shape of the scene's spans

    Notes
    -----
    Exact, but cheaper than it sounds. The average over rotations of a product of kernels is itself a sum of a few products,
    of the even and the odd halves of the kernels. For the extremes, a kernel that is even or odd needs one orientation: turned
    round it gives the same response, or its negative.

    Examples
    --------
    >>> from onclair.science.radiomics.filters.scene import scene
    >>> step = np.array([[[0.0], [0.0], [1.0], [1.0]]]).repeat(4, axis=0)
    >>> edge, same = ((1.0, 0.0, -1.0),), ((0.0, 1.0, 0.0),)
    >>> pooled(scene(step, (1, 1, 1), 2, "mirror"), [edge, same], "max")[2].ravel() == [0, 1, 1, 0]
    array([ True,  True,  True,  True])
    """
    if pooling is None:
        ((_, response),) = responses(scene, [steps_of(chains)])
        return response
    if pooling == "average":
        return _average(scene, chains)
    return _extreme(scene, chains, np.maximum if pooling == "max" else np.minimum)


def _average(scene: Scene, chains: Sequence[Chain]) -> Response:
    weights: dict[Steps, float] = {}
    for order, parity in _orders(len(chains)):
        for halves, sign in ((_even, 1), (_odd, parity)):
            steps = [halves(chains[place]) for place in order]
            if all(steps):
                key = laid(steps)
                weights[key] = weights.get(key, 0.0) + sign / math.factorial(len(chains))
    total = np.zeros([last - first for first, last in scene.spans])
    kept = [steps for steps, weight in weights.items() if weight]
    for place, response in responses(scene, kept):
        total += response if weights[kept[place]] == 1 else weights[kept[place]] * response
    return total


def _orders(count: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield each order of the axes with its parity, 1 or -1."""
    for order in permutations(range(count)):
        swaps = sum(order[i] > order[j] for i in range(count) for j in range(i + 1, count))
        yield order, (-1) ** swaps


def _even(chain: Chain) -> Step:
    """Return the half of a chain that turning round leaves as it is, empty where there is none."""
    return _half(chain, 1.0)


def _odd(chain: Chain) -> Step:
    """Return the half of a chain that turning round negates, empty where there is none."""
    return _half(chain, -1.0)


def _half(chain: Chain, sign: float) -> Step:
    turning = _turning(chain)
    if turning:
        return ((1.0, chain),) if turning == sign else ()
    if len(chain) == 1:
        kernel = tuple((ahead + sign * behind) / 2 for ahead, behind in zip(chain[0], chain[0][::-1], strict=True))
        return ((1.0, (kernel,)),)
    return (0.5, chain), (0.5 * sign, _turned(chain))


def _turned(chain: Chain) -> Chain:
    return tuple(kernel[::-1] for kernel in chain)


def _turning(chain: Chain) -> int:
    """Return 1 for a chain that is its own mirror image, -1 where that is its negative, 0 for neither."""
    return math.prod(_kernel_turning(kernel) for kernel in chain)


def _kernel_turning(kernel: Kernel) -> int:
    turned = kernel[::-1]
    return 1 if turned == kernel else -1 if turned == tuple(-value for value in kernel) else 0


def _extreme(scene: Scene, chains: Sequence[Chain], chosen: np.ufunc) -> Response:
    signs: dict[Steps, set[int]] = {}
    for order, parity in _orders(len(chains)):
        for turns in product((False, True), repeat=len(chains)):
            if parity * (-1) ** sum(turns) == 1:
                laid = [chains[place] for place in order]
                sign = math.prod(_turning(chain) or 1 for chain, turn in zip(laid, turns, strict=True) if turn)
                oriented = [_turned(chain) if turn and not _turning(chain) else chain for chain, turn in zip(laid, turns, strict=True)]
                signs.setdefault(steps_of(oriented), set()).add(sign)
    kept = list(signs)
    extreme: Response | None = None
    for place, response in responses(scene, kept):
        for sign in signs[kept[place]]:
            signed = response if sign == 1 else -response
            extreme = signed.copy() if extreme is None else chosen(extreme, signed, out=extreme)
    assert extreme is not None
    return extreme
