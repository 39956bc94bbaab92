"""Where lesions and their mimics grow, how large and of what: the priors of virtual bone.

Contrast is as weak as in life: a lytic lesion at 20 to 100 HU in cancellous bone of 80 to 250, often replaced only in part; a blastic
one at 400 to 1000 HU, often mixed with bone that is spared. Every patient has at least as many mimics as metastases, in the same bones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from onclair.virtual.bone_anatomy import Vector, Window
from onclair.virtual.bone_growths import Content, Growth
from onclair.virtual.bone_mimics import CHOICES, mimic, wedged
from onclair.virtual.bone_places import Places, places_of
from onclair.virtual.bone_tissue import Bone
from onclair.virtual.lesion_shapes import Style, random_shape

#: Median, spread of the logarithm and limits of a metastasis' diameter in mm.
DIAMETER_MM, SPREAD, SMALLEST_MM, LARGEST_MM = 13.0, 0.55, 4.0, 60.0
#: Shares of the types, as usual and under ``shift = class``; the same for mimics.
TYPES: Mapping[str, Mapping[str, float]] = {
    "usual": {"lytic": 0.46, "blastic": 0.31, "mixed": 0.19, "occult": 0.04},
    "class": {"lytic": 0.22, "blastic": 0.30, "mixed": 0.40, "occult": 0.08},
}
#: How much likelier than another a bone is to be chosen.
_CHOSEN = {"vertebra": 1.0, "rib": 0.35, "femur": 1.0, "hip": 0.9, "sacrum": 0.5}
#: Attempts at placing one lesion.
_ATTEMPTS = 40
#: Which prior.
Mix = Literal["usual", "class"]


def draw_growths(
    bones: Sequence[Bone], field: Window, *, metastatic: bool, mix: Mix, rng: np.random.Generator
) -> tuple[tuple[Bone, ...], tuple[Growth, ...]]:
    """Return a patient's bones and everything that grows in them, metastases first.

    Parameters
    ----------
    bones : sequence of Bone
    field : Window
        The voxels of the image.
    metastatic : bool
        Whether there are metastases at all.
    mix : {"usual", "class"}
    rng : numpy Generator

    Returns
    -------
    tuple
        The bones (a healed fracture changes the one that it happened to), and the growths.
    """
    places = places_of(bones, field)
    found: list[Growth] = []
    for _ in range(1 + int(min(rng.poisson(1.7), 6)) if metastatic else 0):
        _place(found, places, lambda place: metastasis(place, mix, rng), rng)
    wished = 2 * len(found) + int(rng.poisson(0.4)) if metastatic else int(rng.integers(0, 4))
    kinds = CHOICES[mix]
    for _ in range(4 * wished):
        if len(found) < wished:
            kind = str(rng.choice(list(kinds), p=np.array(list(kinds.values())) / sum(kinds.values())))
            _place(found, places, lambda place, kind=kind: mimic(kind, place, rng), rng)
    changed = {growth.label for growth in found if growth.kind == "healed_fracture"}
    return tuple(wedged(bone, rng) if bone.label in changed else bone for bone in bones), tuple(found)


def _place(found: list[Growth], places: Sequence[Places], draw: object, rng: np.random.Generator) -> None:
    """Add one growth that keeps clear of the others, if there is room."""
    weights = np.array([_CHOSEN[place.bone.name] for place in places])
    for _ in range(_ATTEMPTS):
        growth = draw(places[int(rng.choice(len(places), p=weights / weights.sum()))])  # type: ignore[operator]
        if growth is not None and _shown(growth, places) and all(_apart(growth, other) for other in found):
            found.append(growth)
            return


def _shown(growth: Growth, places: Sequence[Places]) -> bool:
    """Return whether a growth's centre is in its bone where the image shows it."""
    return next(place for place in places if place.bone.label == growth.label).holds(growth.shape.frame.centre_mm)


def _apart(one: Growth, two: Growth) -> bool:
    away = np.linalg.norm(np.subtract(one.shape.frame.centre_mm, two.shape.frame.centre_mm))
    return bool(away > 1.2 * (max(one.shape.radii_mm) + max(two.shape.radii_mm)) + 3.0)


def metastasis(place: Places, mix: Mix, rng: np.random.Generator) -> Growth:
    """Return a metastasis somewhere in a bone, no larger than what the bone may hold.

    Parameters
    ----------
    place : Places
    mix : {"usual", "class"}
    rng : numpy Generator
    """
    shares = TYPES[mix]
    kind = str(rng.choice(list(shares), p=list(shares.values())))
    deepest = float(place.depth_mm.max())
    drawn = float(np.exp(rng.normal(np.log(DIAMETER_MM * 1.08), SPREAD)))
    diameter = float(np.clip(drawn, SMALLEST_MM * 1.1, min(LARGEST_MM, 3.4 * deepest)))
    return grown_at(kind, place.deep(0.42 * diameter, rng), diameter, place.bone.label, rng)


def grown_at(kind: str, where: tuple[Vector, float], diameter: float, label: int, rng: np.random.Generator) -> Growth:
    """Return a metastasis of a type at a place.

    Parameters
    ----------
    kind : {"lytic", "blastic", "mixed", "occult"}
    where : tuple
        Centre in mm, and how deep it lies in the bone.
    diameter : float
        mm.
    label : int
        Of the bone.
    rng : numpy Generator

    Examples
    --------
    >>> growth = grown_at("lytic", ((0.0, 0.0, 0.0), 3.0), 40.0, 31, np.random.default_rng(1))
    >>> growth.is_metastasis, 20 <= growth.content.low_hu <= 100, growth.breach
    (True, True, True)
    """
    centre, depth = where
    style: Style = "lobed" if kind in ("lytic", "occult") or rng.random() < 0.5 else "spiculated"
    shape = random_shape(centre, diameter, style, rng)
    touches = depth < 0.55 * diameter
    breach = kind in ("lytic", "mixed") and touches and rng.random() < (0.8 if kind == "lytic" else 0.5)
    return Growth("metastasis", kind, shape, _content(kind, diameter, rng), label, breach or (kind == "lytic" and diameter > 30.0))


def _content(kind: str, diameter: float, rng: np.random.Generator) -> Content:
    phase = float(rng.uniform(0.0, 6.28))
    edge = float(rng.uniform(0.5, min(3.0, 0.5 + diameter / 8.0)))
    if kind == "lytic":
        hu = float(rng.uniform(20.0, 100.0))
        rim = float(rng.uniform(80.0, 250.0)) if rng.random() < 0.15 else 0.0
        return Content(hu, hu, float(rng.uniform(0.75, 1.0)), edge, rim)
    if kind == "blastic":
        hu = float(rng.uniform(400.0, 1000.0))
        return Content(hu * 0.8, hu, float(rng.uniform(0.2, 0.8)), edge)
    if kind == "mixed":
        low, high = float(rng.uniform(20.0, 90.0)), float(rng.uniform(300.0, 700.0))
        return Content(low, high, float(rng.uniform(0.5, 0.95)), edge, 0.0, "patches", phase)
    return Content(float(rng.uniform(-28.0, 28.0)), 0.0, 1.0, edge + 1.0, 0.0, "shift", phase)
