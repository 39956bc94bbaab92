"""How likely a candidate is a metastasis: a few numbers that tell it from its mimics, and the calibrated score made of them.

The score is a ridge-penalised logistic model, fitted on candidates of patients whom the network never saw, kept as plain numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadInput, BadModelFile
from onclair.core.geometry import Affine, spacing_mm
from onclair.science.statistics.glm import ridge_logistic

Floats: TypeAlias = npt.NDArray[np.float64]
#: Log odds of the 98th percentile and of the mean of the probability; log of the equivalent diameter in mm; how long it is against how
#: wide (log); share of its voxels in the bone mask; median HU, its difference from the ring 3-8 mm around, the spread in it, and how
#: steeply HU change at its border, in hundreds of HU (a mimic is often denser, or has a sharper rim).
FEATURES = ("peak", "mean", "diameter", "length", "in_bone", "hu", "contrast", "spread", "edge")
#: Those that need the scan; without it they count as the mean of those fitted on.
OF_THE_SCAN = ("hu", "contrast", "spread", "edge")
#: Probabilities nearer to 0 or 1 than this are drawn in; the ring in mm; the ridge, on features of unit spread.
NEAREST, RING_MM, PENALTY = 1e-4, (3.0, 8.0), 1.0
#: With fewer candidates of either kind there is no calibration.
FEWEST = 5


@dataclass(frozen=True, slots=True)
class ScoreModel:
    """A calibrated score.

    Attributes
    ----------
    means, spreads : tuple of float
        Of each feature where the model was fitted.
    coefficients : tuple of float
        The intercept first.
    n, events : int
        Candidates that it was fitted on, and those that were lesions.

    Examples
    --------
    >>> model = ScoreModel((0.0,) * 9, (1.0,) * 9, (0.0, 1.0, *(0.0,) * 8), 20, 10)
    >>> model.apply(np.array([[0.0] * 9, [np.log(3), *[np.nan] * 8]])).round(6).tolist()
    [0.5, 0.75]
    """

    means: tuple[float, ...]
    spreads: tuple[float, ...]
    coefficients: tuple[float, ...]
    n: int
    events: int

    def apply(self, table: npt.ArrayLike) -> Floats:
        """Return the probability of each candidate, shape (n,).

        Parameters
        ----------
        table : array_like, shape (n, features)
            NaN where a feature is not known: it then counts as its mean.
        """
        scaled = (np.asarray(table, dtype=np.float64).reshape(-1, len(FEATURES)) - self.means) / self.spreads
        line = self.coefficients[0] + np.where(np.isfinite(scaled), scaled, 0.0) @ np.array(self.coefficients[1:])
        return np.asarray(1 / (1 + np.exp(-line)))

    def as_record(self) -> dict[str, Any]:
        """Return plain JSON values."""
        numbers = {"means": list(self.means), "spreads": list(self.spreads), "coefficients": list(self.coefficients)}
        return {"kind": "ridge-logistic", "features": list(FEATURES), **numbers, "n": self.n, "events": self.events}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], where: str = "the model") -> ScoreModel:
        """Return what :meth:`as_record` wrote.

        Raises
        ------
        BadModelFile
            For another kind, other features, or numbers that are none.
        """
        try:
            parts = [tuple(float(each) for each in record[key]) for key in ("means", "spreads", "coefficients")]
            found = cls(parts[0], parts[1], parts[2], int(record["n"]), int(record["events"]))
            ours = record["kind"] == "ridge-logistic" and tuple(record["features"]) == FEATURES
        except (KeyError, TypeError, ValueError) as error:
            raise _unusable(where, f"an entry is absent or no number: {error}") from error
        count = len(FEATURES)
        fits = ours and [len(part) for part in parts] == [count, count, count + 1] and min(parts[1]) > 0
        if not fits or not np.isfinite(np.concatenate(parts)).all():
            raise _unusable(where, "its features are others, or its numbers do not fit them")
        return found


def _unusable(where: str, why: str) -> BadModelFile:
    return BadModelFile(f"The calibration of scores of {where} cannot be used ({why}); train the model again.", item="scores")


def fit_scores(table: npt.ArrayLike, truth: npt.ArrayLike) -> ScoreModel | None:
    """Return the calibrated score of candidates whose truth is known, or None where there are too few of either kind.

    Parameters
    ----------
    table : array_like, shape (n, features)
        Of patients whom the network never saw: else the score would be too sure by construction.
    truth : array_like, shape (n,), 0 or 1
        Whether each is a lesion.

    Raises
    ------
    BadInput
        For lengths that differ.

    Examples
    --------
    >>> table = np.zeros((20, 9)); table[:, 0] = np.repeat([-1.0, 1.0], 10)
    >>> model = fit_scores(table, np.repeat([0, 1], 10))
    >>> low, high = model.apply(table[[0, -1]])
    >>> bool(low < 0.2), bool(high > 0.8), fit_scores(table[:3], [0, 1, 1]) is None
    (True, True, True)
    """
    rows, happened = np.asarray(table, dtype=np.float64).reshape(-1, len(FEATURES)), np.asarray(truth, dtype=np.float64)
    if len(rows) != len(happened):
        raise BadInput(f"There are {len(rows)} candidates and {len(happened)} truths; give one each.")
    if min(int(happened.sum()), int((1 - happened).sum())) < FEWEST:
        return None
    known = np.isfinite(rows)
    counts = np.maximum(known.sum(axis=0), 1)
    means = np.where(known, rows, 0.0).sum(axis=0) / counts
    spreads = np.sqrt((np.where(known, rows - means, 0.0) ** 2).sum(axis=0) / counts)
    spreads = np.where(spreads > 1e-9, spreads, 1.0)
    scaled = np.where(known, (rows - means) / spreads, 0.0)
    fit = ridge_logistic(scaled, happened, PENALTY)
    if fit.status != "ok":
        return None
    numbers = [tuple(float(each) for each in part) for part in (means, spreads, fit.coefficients)]
    return ScoreModel(numbers[0], numbers[1], numbers[2], len(rows), int(happened.sum()))


def features_of(
    probability: npt.NDArray[Any],
    bone_mask: npt.NDArray[Any] | None,
    affine: Affine,
    instances: npt.NDArray[np.int32],
    which: tuple[int, tuple[slice, ...]],
    hu: npt.NDArray[Any] | None,
) -> tuple[float, ...]:
    """Return the features of one candidate, in the order of :data:`FEATURES`; NaN for those of a scan that was not given.

    Parameters
    ----------
    probability, bone_mask, affine, instances, hu
        As :func:`onclair.learn.instances.table_of`.
    which : (int, tuple of slice)
        Its number and its box.
    """
    number, box = which
    spacing = spacing_mm(affine)
    far = [int(np.ceil((RING_MM[1] + 1) / mm)) for mm in spacing]
    wide = tuple(slice(max(cut.start - more, 0), cut.stop + more) for cut, more in zip(box, far, strict=True))
    own = instances[wide] == number
    chance = np.clip(probability[wide][own].astype(np.float64), NEAREST, 1 - NEAREST)
    peak, mean = (float(np.log(each / (1 - each))) for each in (np.percentile(chance, 98), chance.mean()))
    volume = own.sum() * abs(float(np.linalg.det(affine[:3, :3])))
    in_bone = 1.0 if bone_mask is None else float((bone_mask[wide][own] != 0).mean())
    shape = (float(np.log((6 * volume / np.pi) ** (1 / 3))), _length(own, spacing))
    seen = (np.nan,) * len(OF_THE_SCAN) if hu is None else _of_scan(own, hu[wide], bone_mask, wide, spacing)
    return peak, mean, *shape, in_bone, *seen


def _length(own: npt.NDArray[np.bool_], spacing: Sequence[float]) -> float:
    """Return the log of how much longer than wide a part is: 0 for a sphere."""
    places = np.argwhere(own) * np.array(spacing)
    spread = np.cov(places.T) if len(places) > 1 else np.zeros((3, 3))
    sides = np.sqrt(np.maximum(np.linalg.eigvalsh(spread), 0.0)) + float(np.mean(spacing)) / np.sqrt(12)
    return float(np.log(sides[-1] / sides[0]))


def _of_scan(
    own: npt.NDArray[np.bool_], hu: npt.NDArray[Any], bone_mask: npt.NDArray[Any] | None, wide: tuple[slice, ...], spacing: Sequence[float]
) -> tuple[float, float, float, float]:
    """Return median, contrast with the ring, spread and edge, in hundreds of HU."""
    here = np.clip(hu.astype(np.float64), -200, 1500) / 100
    away = ndimage.distance_transform_edt(~own, spacing)
    ring = (away >= RING_MM[0]) & (away <= RING_MM[1])
    if bone_mask is not None and (ring & (bone_mask[wide] != 0)).sum() >= 10:
        ring &= bone_mask[wide] != 0
    inside = here[own]
    around = float(np.median(here[ring])) if ring.any() else float(np.median(inside))
    soft = ndimage.gaussian_filter(here, [0.7 / mm for mm in spacing])
    steep = np.sqrt(sum(np.square(np.gradient(soft, mm, axis=axis)) for axis, mm in enumerate(spacing) if soft.shape[axis] > 1))
    rim = own & ~ndimage.binary_erosion(own)
    middle = float(np.median(inside))
    return middle, middle - around, float(np.percentile(inside, 90) - np.percentile(inside, 10)), float(np.mean(steep[rim]))
