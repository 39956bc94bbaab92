"""How far a strength moves with what is not exactly known: where the lesion ends, and what the calibration says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.science.bone.band import Assumption, band_moduli
from onclair.science.bone.cases import Plan, Ready
from onclair.science.bone.materials import modulus_mpa
from onclair.science.bone.outline_samples import outline_masks, probability_of
from onclair.science.bone.solved import Figures, Solved, solved

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Say = Callable[[str], None]

#: Voxels on which outlines and the calibration's error are followed, mm.
COARSE_MM = 2.0
#: The assumption under which outlines are compared: the one that they matter for, short of the extreme.
OUTLINES_UNDER: Assumption = "tenth"
#: Elements beyond which a material map, which cannot be coarsened, is not solved anew for each outline.
MOST_FOR_OUTLINES = 300_000


@dataclass(frozen=True, slots=True)
class Doubts:
    """Relative standard errors (of the logarithm) by source.

    Attributes
    ----------
    stiffness, strength : mapping of str to float
        ``outline``, ``calibration``; only those that could be told.
    warnings : tuple of mapping
        ``code`` and ``text``: what could not, and why.
    """

    stiffness: Mapping[str, float]
    strength: Mapping[str, float]
    warnings: tuple[Mapping[str, str], ...] = ()


def doubts_of(ready: Ready, plan: Plan, *, say: Say) -> Doubts:
    """Return what outline and calibration contribute.

    Parameters
    ----------
    ready : Ready
        The bone on coarse voxels.
    plan : Plan
        ``samples`` outlines are drawn where the bone holds a lesion.
    say : callable
        Is told what is being solved.

    Returns
    -------
    Doubts
    """
    sources: dict[str, tuple[float, float]] = {}
    warnings: list[Mapping[str, str]] = []
    lesion = bool((ready.lesions > 0).any())
    if lesion and plan.samples:
        if ready.specimen is None and int((ready.modulus_mpa > 0).sum()) > MOST_FOR_OUTLINES:
            said = f"The material map has more than {MOST_FOR_OUTLINES} elements, so outlines of the lesion were not drawn"
            warnings.append({"code": "no_outline_samples", "text": f"{said}; the interval lacks them."})
        else:
            sources["outline"] = _outline(ready, plan, say)
    specimen = ready.specimen
    if specimen is not None and (specimen.error_mg_cc[specimen.bone] > 0).any():
        say("calibration")
        sources["calibration"] = _calibration(ready, plan)
    return Doubts({k: v[0] for k, v in sources.items()}, {k: v[1] for k, v in sources.items()}, tuple(warnings))


def _outline(ready: Ready, plan: Plan, say: Say) -> tuple[float, float]:
    """Return the spread over drawn outlines, each solved from the drawn one's solution."""
    edges = ready.spacing_mm
    given = None if ready.specimen is None else ready.specimen.probability
    probability = probability_of(ready.lesions > 0, edges) if given is None else given
    nearest = ndimage.distance_transform_edt(ready.lesions == 0, return_distances=False, return_indices=True)
    ids = ready.lesions[tuple(nearest)]
    base = solved(ready, band_moduli(ready.modulus_mpa, ready.lesions, ready.bone, edges)[OUTLINES_UNDER], plan)
    found: list[Figures] = []
    for number, mask in enumerate(outline_masks(probability, edges, count=plan.samples, rng=np.random.default_rng(plan.seed)), start=1):
        say(f"outline {number} of {plan.samples}")
        lesions = np.where(mask & ready.bone, ids, 0).astype(np.int32)
        found.append(_again(ready, lesions, base, plan))
    return _spread(found)


def _again(ready: Ready, lesions: npt.NDArray[np.int32], base: Solved, plan: Plan) -> Figures:
    changed = band_moduli(ready.modulus_mpa, lesions, ready.bone, ready.spacing_mm)[OUTLINES_UNDER]
    return solved(ready, changed, plan, start=base.solution.displacement_mm).figures


def _spread(found: list[Figures]) -> tuple[float, float]:
    """Return the standard deviations of the logarithms of stiffness and strength."""
    stiffness = np.log([each.stiffness_n_per_mm for each in found])
    strength = np.log([each.strength_n for each in found])
    return (float(np.std(stiffness, ddof=1)), float(np.std(strength, ddof=1))) if len(found) > 1 else (0.0, 0.0)


def _calibration(ready: Ready, plan: Plan) -> tuple[float, float]:
    """Return half the distance of the logarithms when every density is one standard error higher, and lower."""
    assert ready.specimen is not None
    density, error = ready.specimen.density_mg_cc, ready.specimen.error_mg_cc
    up, down = (
        solved(ready, np.where(ready.specimen.bone, modulus_mpa(plan.own_law, density + sign * error), 0.0), plan).figures
        for sign in (1.0, -1.0)
    )
    stiffness = np.log(up.stiffness_n_per_mm / down.stiffness_n_per_mm) / 2.0
    return float(abs(stiffness)), float(abs(np.log(up.strength_n / down.strength_n) / 2.0))
