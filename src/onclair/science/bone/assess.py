"""The strength of one bone with all that is known of its doubt: tumour stiffness, outlines, calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from onclair.core.estimate import Estimate, not_available
from onclair.core.geometry import Affine
from onclair.science.bone.band import ASSUMPTIONS, LEVEL, Interval, Step, band_moduli, interval
from onclair.science.bone.calibrate import Calibration
from onclair.science.bone.cases import Plan, Ready, prepared
from onclair.science.bone.ctra import Ctra
from onclair.science.bone.ctra_scan import ctra_of, ctra_of_pair
from onclair.science.bone.doubts import COARSE_MM, Say, doubts_of
from onclair.science.bone.loads import loads_of
from onclair.science.bone.solve import Solution, strain_energy_density
from onclair.science.bone.solved import Figures, Solved, solved
from onclair.science.bone.specimen import Instances, Specimen

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Relative standard error that voxels bring, per mm of their longest edge: a vertebra of 23 620 N/mm on 1 mm has 24 480 N/mm on 2 mm;
#: femurs on 2 to 4 mm scatter as much.
VOXELS_PER_MM = 0.02
NO_CTRA = "Rigidity is compared over a bone of known density that holds a lesion or whose other side is in view; there is none here."
NOT_COMPARED = Ctra("intact neighbours", None, None, NO_CTRA)


@dataclass(frozen=True, slots=True, eq=False)
class BoneStrength:
    """The strength of one bone.

    Attributes
    ----------
    plan : Plan
    ready : Ready
    solution : Solution
        At the calibrated density.
    figures : Figures
    height_mm : float
        That the law of Crawford took.
    band : tuple of Step
        One for each assumption, always all four where there is a lesion; empty without.
    stiffness, strength : Interval or None
        90 %; None where nothing is known to be in doubt.
    errors : mapping of str to float
        Relative standard errors by source.
    ctra : Ctra
        Against the other side where one was given, else against intact slices; without losses where neither can be had.
    ctra_apart_mm : float or None
        Mean distance of the two sides' surfaces after registration.
    warnings : tuple of mapping
        ``code`` and ``text``.
    """

    plan: Plan
    ready: Ready
    solution: Solution
    figures: Figures
    height_mm: float
    band: tuple[Step, ...]
    stiffness: Interval | None
    strength: Interval | None
    errors: Mapping[str, float]
    ctra: Ctra = NOT_COMPARED
    ctra_apart_mm: float | None = None
    warnings: tuple[Mapping[str, str], ...] = ()

    def sed_mpa(self) -> Floats:
        """Return the strain energy density at the centre of each voxel of the model."""
        return strain_energy_density(self.solution, self.ready.capped.loaded.problem)

    def estimates(self, *, body_mass_kg: float | None = None) -> tuple[Estimate, ...]:
        """Return ``fe:stiffness``, ``fe:strength`` and ``fe:load-ratio``."""
        how = self._method()
        stiffness = _estimate("fe:stiffness", self.figures.stiffness_n_per_mm, "N/mm", self.stiffness, how)
        strength = _estimate("fe:strength", self.figures.strength_n, "N", self.strength, how)
        load = loads_of(self.plan.case, body_mass_kg, self.figures.strength_n)
        if load["reason"] is not None:
            return stiffness, strength, not_available("fe:load-ratio", load["reason"])
        force = float(load["tasks"][0]["load_N"])
        turned = self.strength and Interval(
            force / self.strength.high, force / self.strength.low, self.strength.widths, self.strength.dominant
        )
        return stiffness, strength, _estimate("fe:load-ratio", force / self.figures.strength_n, "1", turned, how)

    def _method(self) -> str:
        law = "strength by the law of Crawford 2003" if self.figures.failure is None else "strength by principal strain, Schileo 2008"
        said = f"linear finite elements, case {self.plan.case}; {law}"
        if self.strength is None or self.strength.dominant is None:
            return f"{said}; no interval, for a material map brings no doubt that is known"
        interval_of = "90 % interval over tumour stiffness, outline, calibration and voxels"
        return f"{said}; {interval_of}; {self.strength.dominant} dominates the interval"


def specimen_of(
    hu: npt.NDArray[np.generic],
    affine: Affine,
    calibration: Calibration,
    bone: Flags,
    body: Flags | None = None,
    lesions: Instances | None = None,
) -> Specimen:
    """Return a bone of a calibrated CT.

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    calibration : Calibration
    bone : ndarray, bool, shape (x, y, z)
    body : ndarray, bool, shape (x, y, z), or None
        The vertebral body; None for the bone itself.
    lesions : ndarray of integers, shape (x, y, z), or None
        Instances.

    Examples
    --------
    >>> from onclair.science.bone.calibrate import Line
    >>> cube = np.full((3, 3, 3), 100.0)
    >>> float(specimen_of(cube, np.eye(4), Calibration("two-point", Line(0.8, 0.0)), cube > 0).density_mg_cc[0, 0, 0])
    80.0
    """
    density, error = np.zeros(hu.shape), np.zeros(hu.shape)
    density[bone], error[bone] = calibration.density_mg_cc(hu[bone]), calibration.error_mg_cc(hu[bone])
    spots = np.zeros(hu.shape, np.int32) if lesions is None else np.asarray(lesions, dtype=np.int32)
    return Specimen(density, error, bone, bone if body is None else body, spots, affine)


def strength_of(specimen: Specimen, plan: Plan, *, other: Specimen | None = None, say: Say = lambda _: None) -> BoneStrength:
    """Return the strength of a bone by finite elements, with its band, and its structural rigidity.

    Parameters
    ----------
    specimen : Specimen
    plan : Plan
        A coarse voxel (2 to 3 mm) makes it a matter of a second or two.
    other : Specimen or None
        The other side, on the same grid.
    say : callable
        Is told what is being solved, one line each.

    Returns
    -------
    BoneStrength

    Raises
    ------
    BadInput, BadGeometry, BadSetting
        As :func:`~.cases.prepared` and :func:`~.solve.solve`.
    """
    ready = prepared(specimen, plan)
    coarse_mm = max(COARSE_MM, plan.voxel_mm or 0.0)
    doubted = bool((ready.lesions > 0).any() and plan.samples) or bool((specimen.error_mg_cc[specimen.bone] > 0).any())
    coarse = ready if plan.voxel_mm == coarse_mm or not doubted else prepared(specimen, replace(plan, voxel_mm=coarse_mm))
    found = _assessed(ready, coarse, plan, say)
    if other is not None:
        rigidity, apart = ctra_of_pair(specimen, other, plan.own_law)
        return replace(found, ctra=rigidity, ctra_apart_mm=apart)
    if ready.lesions.any():
        return replace(found, ctra=ctra_of(specimen, plan.own_law))
    return found


def strength_of_material(ready: Ready, plan: Plan, *, say: Say = lambda _: None) -> BoneStrength:
    """Return the strength of a map of Young's modulus, with its band where it holds lesions.

    Parameters
    ----------
    ready : Ready
        Of :func:`~.cases.prepared_material`.
    plan : Plan
    say : callable
    """
    return _assessed(ready, ready, plan, say)


def _assessed(ready: Ready, coarse: Ready, plan: Plan, say: Say) -> BoneStrength:
    say("calibrated density")
    first = solved(ready, ready.modulus_mpa, plan)
    band = _band(ready, first, plan, say)
    doubts = doubts_of(coarse, plan, say=say)
    grid = {"voxels": VOXELS_PER_MM * max(ready.spacing_mm)} if ready.specimen is not None else {}
    errors = {**doubts.strength, **grid}
    stiffness = strength = None
    if band or errors:
        stiffness = interval(first.figures.stiffness_n_per_mm, [step.stiffness_n_per_mm for step in band], {**doubts.stiffness, **grid})
        strength = interval(first.figures.strength_n, [step.strength_n for step in band], errors)
    height = ready.capped.bone_height_mm
    return BoneStrength(plan, ready, first.solution, first.figures, height, band, stiffness, strength, errors, warnings=doubts.warnings)


def _band(ready: Ready, first: Solved, plan: Plan, say: Say) -> tuple[Step, ...]:
    """Return what each assumption on the tumour gives; nothing where there is no tumour in this bone."""
    if not (ready.lesions > 0).any():
        return ()
    steps = [Step("density", first.figures.stiffness_n_per_mm, first.figures.strength_n)]
    moduli = band_moduli(ready.modulus_mpa, ready.lesions, ready.bone, ready.spacing_mm)
    for assumption in ASSUMPTIONS[1:]:
        say(f"tumour: {assumption}")
        found = solved(ready, moduli[assumption], plan, start=first.solution.displacement_mm).figures
        steps.append(Step(assumption, found.stiffness_n_per_mm, found.strength_n))
    return tuple(steps)


def _estimate(name: str, value: float, unit: str, within: Interval | None, method: str) -> Estimate:
    low, high = (None, None) if within is None else (within.low, within.high)
    return Estimate(name, value, unit, low, high, LEVEL, scale="log", n=1, method=method)
