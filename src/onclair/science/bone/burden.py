"""What a patient's lesion candidates add up to, and which bone they threaten most: the numbers that a model and a surgeon start from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.science.bone.labels import Bone, Scheme
from onclair.science.bone.lesions import Lesion

#: A candidate counts as likely from this score on.
LIKELY = 0.5
#: Bones whose strength can be computed, and how each is loaded.
LOADED: Mapping[str, str] = {"vertebra": "spine-compression", "femur": "femur-stance"}


def burden(lesions: Sequence[Lesion], scores: Sequence[float]) -> dict[str, float]:
    """Return the candidates of one patient as numbers.

    Parameters
    ----------
    lesions : sequence of Lesion
    scores : sequence of float
        Of each, in the same order.

    Returns
    -------
    dict of str to float
        ``lesion_score`` (the highest, as log odds), ``second_score``, ``lesions_likely`` (how many score one half or more),
        ``lesion_volume`` (mL of all, each by its score) and ``lesion_size`` (mm, of the likeliest).

    Examples
    --------
    >>> burden([], [])["lesion_score"], burden([], [])["lesion_volume"]
    (-6.0, 0.0)
    """
    order = np.argsort([-score for score in scores], kind="stable")
    ranked = [_log_odds(float(scores[i])) for i in order] + [-6.0, -6.0]
    return {
        "lesion_score": ranked[0],
        "second_score": ranked[1],
        "lesions_likely": float(sum(score >= LIKELY for score in scores)),
        "lesion_volume": float(sum(lesion.volume_ml * score for lesion, score in zip(lesions, scores, strict=True))),
        "lesion_size": lesions[int(order[0])].equivalent_diameter_mm if lesions else 0.0,
    }


def _log_odds(score: float) -> float:
    inside = min(max(score, 1e-6), 1 - 1e-6)
    return max(-6.0, min(6.0, math.log(inside / (1 - inside))))


def threatened(lesions: Sequence[Lesion], scores: Sequence[float], labels: npt.NDArray[Any], scheme: Scheme) -> Bone | None:
    """Return the bone that bears load and holds the most suspect volume; the largest such bone where none holds any.

    Parameters
    ----------
    lesions : sequence of Lesion
    scores : sequence of float
    labels : ndarray of integers, shape (x, y, z)
    scheme : Scheme

    Returns
    -------
    Bone or None
        None where no bone in view can be loaded.
    """
    values, counts = np.unique(labels, return_counts=True)
    present = {
        int(v): int(n) for v, n in zip(values, counts, strict=True) if int(v) in scheme.bones and scheme.bones[int(v)].name in LOADED
    }
    if not present:
        return None
    held = dict.fromkeys(present, 0.0)
    for lesion, score in zip(lesions, scores, strict=True):
        for value in present:
            bone = scheme.bones[value]
            same_side = bone.side is None or bone.side == lesion.side
            if (bone.name, bone.level) == (lesion.bone, lesion.level) and same_side:
                held[value] += lesion.volume_ml * score
    return scheme.bones[max(present, key=lambda value: (held[value], present[value]))]
