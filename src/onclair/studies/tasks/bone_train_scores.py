"""The threshold and the calibrated score of a network, from candidates in patients whom it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.io.layouts.pairs import Pair
from onclair.learn.instance_scores import ScoreModel, fit_scores
from onclair.learn.instances import candidates, overlaps, table_of
from onclair.learn.tiles import Segmenter
from onclair.science.volumes.components import instances_of
from onclair.studies.tasks.bone_train_cases import Material, looked_at

#: Thresholds that are tried; where several find as many lesions, the one nearest to a half is taken.
THRESHOLDS = (0.2, 0.35, 0.5, 0.65)
#: A candidate is a lesion from this intersection over union on, and a threshold is judged at so many false ones a scan.
IOU, FALSE_A_SCAN = 0.1, 1.0


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Candidates of one patient's scan at one threshold.

    Attributes
    ----------
    table : ndarray, shape (candidates, features)
    met : ndarray, bool, shape (candidates, lesions)
        Whether each candidate meets each lesion: their intersection over union is 0.1 or more.
    """

    table: npt.NDArray[np.float64]
    met: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Operating:
    """How candidates are told from noise.

    Attributes
    ----------
    threshold : float
    scores : ScoreModel or None
    sensitivity : float or None
        Share of held-out lesions found at one false candidate a scan, by the calibrated score; None without lesions.
    scans, lesions, candidates : int
        Held out.
    """

    threshold: float
    scores: ScoreModel | None
    sensitivity: float | None
    scans: int
    lesions: int
    candidates: int

    def as_record(self) -> dict[str, Any]:
        """Return plain JSON values, the calibration apart."""
        return {name: getattr(self, name) for name in ("threshold", "sensitivity", "scans", "lesions", "candidates")}


def held_out(segmenter: Segmenter, material: Material, pair: Pair, threads: int) -> dict[float, HeldOut]:
    """Return the candidates that a network finds in a scan that it never saw, by threshold."""
    image, classes, values = material.read(pair)
    bone = looked_at(image)
    inside = bone if bone.any() else None
    probability = segmenter.probabilities(image.array, image.affine, inside=inside, threads=threads).probability
    truth = instances_of(np.where(classes > 0, values, 0))
    found: dict[float, HeldOut] = {}
    for threshold in THRESHOLDS:
        instances, _ = candidates(probability, inside, image.affine, threshold=threshold)
        table = table_of(probability, inside, image.affine, instances, hu=image.array)
        found[threshold] = HeldOut(table, overlaps(instances, truth) >= IOU)
    return found


def operating(scans: Sequence[dict[float, HeldOut]]) -> Operating:
    """Return the threshold that finds most held-out lesions at one false candidate a scan, and the calibration of scores there.

    Parameters
    ----------
    scans : sequence of dict
        As :func:`held_out` gives them, of every fold.
    """
    tried = [_at(threshold, [scan[threshold] for scan in scans]) for threshold in THRESHOLDS]
    return max(tried, key=lambda each: (each.sensitivity or 0.0, each.scores is not None, -abs(each.threshold - 0.5)))


def _at(threshold: float, scans: Sequence[HeldOut]) -> Operating:
    table = np.concatenate([scan.table for scan in scans])
    truth = np.concatenate([scan.met.any(axis=1) for scan in scans])
    scores = fit_scores(table, truth)
    ranked = table[:, 0] if scores is None else scores.apply(table)
    lesions = sum(scan.met.shape[1] for scan in scans)
    sensitivity = _sensitivity(ranked, truth, scans) if lesions else None
    return Operating(threshold, scores, sensitivity, len(scans), lesions, len(table))


def _sensitivity(ranked: npt.NDArray[np.float64], truth: npt.NDArray[np.bool_], scans: Sequence[HeldOut]) -> float:
    """Return the share of lesions met by candidates that score above the false ones beyond one a scan."""
    false = np.sort(ranked[~truth])[::-1]
    allowed = int(FALSE_A_SCAN * len(scans))
    least = false[allowed] if len(false) > allowed else -np.inf
    shown = np.split(ranked > least, np.cumsum([len(scan.table) for scan in scans])[:-1])
    met = sum(int(scan.met[keep].any(axis=0).sum()) for scan, keep in zip(scans, shown, strict=True))
    return float(met / sum(scan.met.shape[1] for scan in scans))
