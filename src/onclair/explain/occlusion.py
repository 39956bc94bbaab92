"""Which part of a signal moved an answer: parts are covered one after another and the score is asked again.

One implementation for volumes, photographs and spectra: patches on a grid of any number of axes, and named parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadCase, BadSetting
from onclair.core.estimate import Estimate, not_available
from onclair.explain.fills import FILLS, Box, Fill, fill_of_part, fill_of_piece

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
#: Takes the signal and its outline, and returns one number.
Score = Callable[[npt.NDArray[Any], Bools], float]

#: More patches than this are refused: each is one call of the scorer.
MOST_PATCHES = 5000
LEVEL = 0.95
#: A fall of less than this share of the score, and of the largest fall, is rounding, and counts as none.
ROUNDING = 1e-6
_SHARES = (
    "share of the score's movement inside the outline, mean over patients, Zeiler & Fergus 2014",
    "share of the samples covered inside the outline, mean over patients",
    "paired difference of the two shares inside the outline, mean over patients, Zeiler & Fergus 2014",
)


@dataclass(frozen=True, slots=True)
class Occluding:
    """How parts are covered.

    Attributes
    ----------
    size : float
        Side of a patch along every axis, in the unit of the spacing (mm, nm, or pixels where the spacing is 1); at least one sample.
    step : float or None
        From one patch to the next; None for `size`: patches that touch. Half of it gives a smoother map for 2 to the number of axes
        as many calls.
    margin : float or None
        Patches lie within the outline's box widened by this; None for the whole signal.
    fill : {"surroundings", "outline-mean", "shuffled"} or float
        What stands in the patch's place: the mean of the shell around it, half a patch wide; the mean over the outline; its own
        samples in another order (which needs `rng`, and asks what their arrangement tells); or a number, such as that of air.

    Raises
    ------
    BadSetting
        For a size or step that is not positive, a negative margin, or an unknown fill.

    Examples
    --------
    >>> Occluding(size=12.0, fill="outline-mean").step is None
    True
    """

    size: float
    step: float | None = None
    margin: float | None = None
    fill: Fill = "surroundings"

    def __post_init__(self) -> None:
        for name, given, least in (("size", self.size, 0.0), ("step", self.step, 0.0), ("margin", self.margin, -1e-300)):
            if given is not None and not (np.isfinite(given) and given > least):
                raise BadSetting(f"The {name} of the patches is {given}; give a length above 0, in the unit of the spacing.", item=name)
        if isinstance(self.fill, str) and self.fill not in FILLS:
            raise BadSetting(f"Patches cannot be filled by '{self.fill}'; choose {', '.join(FILLS)}, or a number.", item="fill")


@dataclass(frozen=True, slots=True, eq=False)
class Occlusion:
    """What covering each part did to the score.

    Attributes
    ----------
    drop : ndarray, float32, the shape of the outline
        For each sample the mean fall of the score over the patches that cover it, in the score's own unit; above 0 the part raised the
        score, below 0 it held it down. NaN where nothing was covered.
    base : float
        The score of the signal as it is.
    drops, inside, samples : ndarray, float64, shape (pieces,)
        Of each patch, or piece of one: the fall of the score, 1 where it lies inside the outline and 0 outside, its number of samples.
        A patch across the border is covered in two pieces, so that each side answers for itself.
    corners : ndarray, int64, shape (pieces, axes, 2)
        First index of its patch along every axis, and the one behind its last.
    """

    drop: npt.NDArray[np.float32]
    base: float
    drops: Floats
    inside: Floats
    samples: Floats
    corners: npt.NDArray[np.int64]

    @property
    def inside_share(self) -> float | None:
        """How much of all movement of the score, either way, came from inside the outline; None where nothing moved it."""
        moved = np.abs(self.drops)
        return float(moved @ self.inside / moved.sum()) if moved.sum() > 0 else None

    @property
    def even_share(self) -> float:
        """What :attr:`inside_share` would be if every sample that was covered mattered alike: the share of them inside."""
        return float(self.samples @ self.inside / self.samples.sum())

    @property
    def strongest(self) -> Box:
        """The patch whose piece moved the score most, as slices into the signal."""
        return tuple(slice(int(a), int(b)) for a, b in self.corners[int(np.argmax(np.abs(self.drops)))])


def occlusion(
    score: Score,
    array: npt.ArrayLike,
    region: npt.ArrayLike | None,
    spacing: Sequence[float],
    how: Occluding,
    rng: np.random.Generator | None = None,
) -> Occlusion:
    """Cover a signal patch by patch and return by how much its score falls.

    It shows what this scorer's number hangs on for this signal, not what is true of the disease; a part that two patches tell alike
    shows little under each, and a patch filled with what never occurs may move a network by its strangeness alone: compare two fills.
    A patch across the border is covered on one side, then on the other. The outline is handed on unchanged, so a score of the outline
    alone never moves.

    Parameters
    ----------
    score : callable
        ``(array, region) -> float``; called once for the whole and once a patch. What it is handed is read-only and valid during the
        call alone.
    array : array_like, shape (x, y, z), (row, column), (n,)..., or with one axis more for channels, which are covered together
    region : array_like, bool, shape of `array` without channels; or None for no outline
        None stands for all of the signal.
    spacing : sequence of float
        Between samples along each axis of `region`: mm of a volume, nm of a spectrum, 1 for pixels.
    how : Occluding
    rng : Generator, optional
        For the fill "shuffled".

    Returns
    -------
    Occlusion

    Raises
    ------
    BadCase
        For shapes that do not go together, an empty outline, values that are not finite, or a score that is no finite number.
    BadSetting
        For more than 5,000 patches, or the fill "shuffled" without `rng`.

    References
    ----------
    Zeiler & Fergus 2014, doi:10.1007/978-3-319-10590-1_53, section 4.2; on what stands in the place of what is covered:
    Hooker et al. 2019, arXiv:1806.10758.

    Examples
    --------
    A score that reads one sample of six, covered two by two with 0:

    >>> found = occlusion(lambda a, _: a[3], [1.0, 1, 1, 5, 1, 1], [0, 0, 1, 1, 0, 0], [1.0], Occluding(2.0, fill=0.0))
    >>> found.drop.tolist(), found.inside_share, round(found.even_share, 3)
    ([0.0, 0.0, 5.0, 5.0, 0.0, 0.0], 1.0, 0.333)
    """
    signal, outline = _checked(array, region, spacing)
    pieces = _pieces(outline, _boxes(outline, spacing, how))
    base = _asked(score, signal, outline)
    working, total, times = signal.copy(), np.zeros(outline.shape), np.zeros(outline.shape)
    drops = np.empty(len(pieces))
    for i, (box, piece) in enumerate(pieces):
        working[box][piece] = fill_of_piece(signal, outline, box, piece, how.fill, rng)
        drops[i] = base - _asked(score, working, outline)
        working[box] = signal[box]
    drops[np.abs(drops) <= ROUNDING * max(abs(base), float(np.abs(drops).max()))] = 0.0
    for fallen, (box, piece) in zip(drops, pieces, strict=True):
        total[box] += fallen * piece
        times[box] += piece
    drop = np.divide(total, times, out=np.full(outline.shape, np.nan), where=times > 0)
    inside = np.array([float(outline[box][piece].any()) for box, piece in pieces])
    samples = np.array([float(piece.sum()) for _, piece in pieces])
    corners = np.array([[(s.start, s.stop) for s in box] for box, _ in pieces], dtype=np.int64)
    return Occlusion(drop.astype(np.float32), base, drops, inside, samples, corners)


def occluded_parts(
    score: Score,
    array: npt.ArrayLike,
    region: npt.ArrayLike | None,
    parts: Mapping[str, npt.ArrayLike],
    fill: Fill = "surroundings",
    rng: np.random.Generator | None = None,
) -> dict[str, float]:
    """Return by how much the score falls when each named part is covered: a band of wavelengths, a lesion, a channel's organ.

    Parameters
    ----------
    score, array, region, rng
        As :func:`occlusion`.
    parts : mapping of str to array_like, bool, the shape of the outline
        They may overlap and need not fill the signal.
    fill : as :class:`Occluding`
        The surroundings of a part are the samples that touch it.

    Returns
    -------
    dict
        The fall of the score by part, in the order given; 0 for an empty part.

    Raises
    ------
    BadCase, BadSetting
        As :func:`occlusion`, and for a part of another shape.

    Examples
    --------
    >>> spectrum = [1.0, 1.0, 4.0, 6.0, 1.0, 1.0]
    >>> bands = {"blue": [1, 1, 0, 0, 0, 0], "red": [0, 0, 1, 1, 0, 0]}
    >>> occluded_parts(lambda a, _: a.sum(), spectrum, None, bands)
    {'blue': -6.0, 'red': 8.0}
    """
    signal, outline = _checked(array, region, None)
    base, fallen = _asked(score, signal, outline), {}
    for name, part in parts.items():
        covered = np.asarray(part).astype(bool)
        if covered.shape != outline.shape:
            raise BadCase(f"The part '{name}' has shape {covered.shape} and the signal {outline.shape}; give one of the same.", item=name)
        working = signal.copy()
        if covered.any():
            working[covered] = fill_of_part(signal, outline, covered, fill, rng)
        fallen[name] = base - _asked(score, working, outline) if covered.any() else 0.0
    return fallen


def occlusion_figures(found: Sequence[Occlusion], who: str = "model") -> tuple[Estimate, Estimate, Estimate]:
    """Return how much of what moves a score lies inside the outline, over patients, beside what an even map would give.

    Parameters
    ----------
    found : sequence of Occlusion
        One a patient, covered alike.
    who : str

    Returns
    -------
    tuple of Estimate
        ``share:WHO:occlusion-inside``, ``share:WHO:occlusion-even`` (were every covered sample alike) and their paired difference
        ``share:WHO:occlusion-inside-minus-even``: above 0, the score reads the outlined tissue more than its size explains; below 0, it
        reads what lies around. Means over patients with t intervals; patients of whom nothing moved the score are left out and counted.

    Examples
    --------
    >>> spiky = occlusion(lambda a, _: a[3], [1.0, 1, 1, 5, 1, 1], [0, 0, 1, 1, 0, 0], [1.0], Occluding(2.0, fill=0.0))
    >>> [(e.name, round(e.value, 3)) for e in occlusion_figures([spiky] * 3)][2]
    ('share:model:occlusion-inside-minus-even', 0.667)
    """
    moved = [(f.inside_share, f.even_share) for f in found if f.inside_share is not None]
    names = [f"share:{who}:occlusion-{what}" for what in ("inside", "even", "inside-minus-even")]
    if not moved:
        reason = f"covering no patch moved the score of any of {len(found)} patients"
        a, b, c = (not_available(name, reason, n=len(found)) for name in names)
        return a, b, c
    pairs = np.array(moved, dtype=np.float64)
    left = f"; {len(found) - len(moved)} patients left out whose score no patch moved" if len(moved) < len(found) else ""
    columns = (pairs[:, 0], pairs[:, 1], pairs[:, 0] - pairs[:, 1])
    bounds = ((0.0, 1.0), (0.0, 1.0), (-1.0, 1.0))
    a, b, c = (_mean(name, values, f"{what}{left}", ends) for name, values, what, ends in zip(names, columns, _SHARES, bounds, strict=True))
    return a, b, c


def _mean(name: str, values: Floats, method: str, ends: tuple[float, float]) -> Estimate:
    n, value = values.size, float(values.mean())
    if n < 3:
        return Estimate(name, value, level=LEVEL, n=n, method=method, status="too_few", reason=f"{n} patients are too few for an interval")
    se = float(values.std(ddof=1) / np.sqrt(n))
    reach = float(special.stdtrit(n - 1, (1 + LEVEL) / 2)) * se
    low, high = max(value - reach, ends[0]), min(value + reach, ends[1])
    return Estimate(name, value, low=low, high=high, level=LEVEL, se=se, n=n, method=f"{method}; t interval on {n - 1} degrees of freedom")


def _checked(array: npt.ArrayLike, region: npt.ArrayLike | None, spacing: Sequence[float] | None) -> tuple[npt.NDArray[Any], Bools]:
    """Return the signal, of the type it has, and the outline."""
    signal = np.asarray(array)
    if signal.dtype.kind not in "iuf":
        raise BadCase(f"The signal is {signal.dtype}; give real numbers.")
    axes = signal.ndim if region is None and spacing is None else np.ndim(region) if region is not None else len(spacing or ())
    outline = np.ones(signal.shape[:axes], dtype=bool) if region is None else np.asarray(region).astype(bool)
    if signal.ndim - outline.ndim not in (0, 1) or signal.shape[: outline.ndim] != outline.shape or signal.size == 0:
        raise BadCase(f"The signal has shape {signal.shape} and its outline {outline.shape}; give one outline on the same grid.")
    if spacing is not None and (len(spacing) != outline.ndim or not all(np.isfinite(s) and s > 0 for s in spacing)):
        raise BadCase(f"The spacing {tuple(spacing)} does not fit a signal of {outline.ndim} axes; give one positive number an axis.")
    if not outline.any():
        raise BadCase("The outline holds no sample, so nothing can be covered in or around it; outline the case again.")
    if not np.isfinite(signal).all():
        raise BadCase(f"The signal holds {int((~np.isfinite(signal)).sum())} values that are NaN or infinite; mend or crop it.")
    return signal, outline


def _asked(score: Score, signal: npt.NDArray[Any], outline: Bools) -> float:
    shown, around = signal.view(), outline.view()
    shown.setflags(write=False)
    around.setflags(write=False)
    value = float(score(shown, around))
    if not np.isfinite(value):
        raise BadCase(f"The scorer gave {value} for the signal with a part covered; it must give a finite number: choose another fill.")
    return value


def _pieces(outline: Bools, boxes: Sequence[Box]) -> list[tuple[Box, Bools]]:
    """Return each patch with the samples that are covered together: those inside the outline, and those outside."""
    found = []
    for box in boxes:
        local = outline[box]
        found += [(box, piece) for piece in (local, ~local) if piece.any()]
    return found


def _boxes(outline: Bools, spacing: Sequence[float], how: Occluding) -> list[Box]:
    """Return the patches: along each axis they start at the (widened) box's first sample and the last one ends at its last."""
    along = []
    for axis, apart in enumerate(spacing):
        line = np.flatnonzero(outline.any(axis=tuple(i for i in range(outline.ndim) if i != axis)))
        wide = outline.shape[axis] if how.margin is None else round(how.margin / apart)
        first, stop = max(int(line[0]) - wide, 0), min(int(line[-1]) + 1 + wide, outline.shape[axis])
        size = min(max(1, round(how.size / apart)), stop - first)
        step = size if how.step is None else max(1, round(how.step / apart))
        starts = sorted({*range(first, stop - size + 1, step), stop - size})
        along.append([slice(start, start + size) for start in starts])
    count = int(np.prod([len(line) for line in along]))
    if count > MOST_PATCHES:
        raise BadSetting(f"{count} patches would be covered one by one; at most {MOST_PATCHES}: take larger ones or a smaller margin.")
    return list(product(*along))
