"""What is mistaken for a metastasis: bone islands, haemangiomas, Schmorl nodes, wear, thin patches, vessels and old fractures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from onclair.virtual.bone_anatomy import Frame, turned
from onclair.virtual.bone_femur import Hip
from onclair.virtual.bone_growths import Content, Growth
from onclair.virtual.bone_places import Places
from onclair.virtual.bone_tissue import Bone
from onclair.virtual.bone_vertebra import Vertebra
from onclair.virtual.lesion_shapes import Shape, random_shape

#: How often each is drawn, as usual and under ``shift = class``.
CHOICES: Mapping[str, Mapping[str, float]] = {
    "usual": {
        "bone_island": 0.2,
        "haemangioma": 0.14,
        "schmorl_node": 0.13,
        "degenerative_sclerosis": 0.19,
        "osteoporotic_patch": 0.16,
        "vessel_channel": 0.1,
        "healed_fracture": 0.08,
    },
    "class": {
        "bone_island": 0.08,
        "haemangioma": 0.22,
        "schmorl_node": 0.16,
        "degenerative_sclerosis": 0.14,
        "osteoporotic_patch": 0.24,
        "vessel_channel": 0.04,
        "healed_fracture": 0.12,
    },
}
#: What each looks like.
LOOKS = {
    "bone_island": "blastic",
    "haemangioma": "mixed",
    "schmorl_node": "lytic",
    "degenerative_sclerosis": "blastic",
    "osteoporotic_patch": "lytic",
    "vessel_channel": "lytic",
    "healed_fracture": "blastic",
}


def mimic(kind: str, place: Places, rng: np.random.Generator) -> Growth | None:
    """Return a mimic in a bone, or nothing where that bone does not have such a thing.

    Parameters
    ----------
    kind : str
        A key of `LOOKS`.
    place : Places
    rng : numpy Generator
    """
    made = _MADE[kind](place, rng)
    if made is None:
        return None
    shape, content = made
    return Growth(kind, LOOKS[kind], shape, content, place.bone.label, kind == "schmorl_node")


Made = tuple[Shape, Content] | None


def _island(place: Places, rng: np.random.Generator) -> Made:
    size = float(np.clip(np.exp(rng.normal(np.log(6.5), 0.4)), 3.0, 14.0))
    hu = float(rng.uniform(700.0, 1200.0))
    return random_shape(place.deep(0.4 * size, rng)[0], size, "spiculated", rng), Content(hu, hu, float(rng.uniform(0.8, 1.0)), 0.6)


def _haemangioma(place: Places, rng: np.random.Generator) -> Made:
    if place.bone.name not in ("vertebra", "hip", "sacrum"):
        return None
    size = float(rng.uniform(8.0, min(24.0, 2.2 * place.deepest_mm + 4.0)))
    low, high = float(rng.uniform(-40.0, 40.0)), float(rng.uniform(320.0, 560.0))
    content = Content(low, high, float(rng.uniform(0.75, 1.0)), 1.0, 0.0, "columns", float(rng.uniform(0.0, 6.28)))
    return random_shape(place.deep(0.4 * size, rng)[0], size, "smooth", rng), content


def _schmorl(place: Places, rng: np.random.Generator) -> Made:
    bone = place.bone
    if not isinstance(bone, Vertebra):
        return None
    a, b, c = bone.half_mm
    radius, sign = float(rng.uniform(3.0, 6.5)), float(rng.choice([-1.0, 1.0]))
    x, y = float(rng.uniform(-0.5, 0.5) * a), float(rng.uniform(-0.35, 0.45) * b)
    top = bone.frame.world((x, y, sign * (c - bone.dish_mm - 0.35 * radius)))
    shape = Shape(Frame(top, bone.frame.rows), (radius, radius * float(rng.uniform(0.8, 1.2)), 0.9 * radius), (), (2.0, 0.06, 1.0))
    hu = float(rng.uniform(60.0, 95.0))
    return shape, Content(hu, hu, 1.0, 0.7, float(rng.uniform(150.0, 420.0)))


def _wear(place: Places, rng: np.random.Generator) -> Made:
    bone = place.bone
    hu = float(rng.uniform(350.0, 750.0))
    content = Content(hu, hu, float(rng.uniform(0.45, 0.9)), float(rng.uniform(1.0, 2.5)))
    wide, deep, thick = (float(v) for v in rng.uniform((7.0, 6.0, 2.5), (14.0, 12.0, 6.0)))
    if isinstance(bone, Vertebra):
        a, b, c = bone.half_mm
        where = (float(rng.uniform(-0.6, 0.6) * a), float(rng.uniform(-0.7, 0.3) * b), float(rng.choice([-1.0, 1.0])) * (c - 0.5 * thick))
        return Shape(Frame(bone.frame.world(where), bone.frame.rows), (wide, deep, thick), (), (2.0, 0.08, 1.0)), content
    if isinstance(bone, Hip):
        sign = 1.0 if bone.side == "left" else -1.0
        tilt = float(rng.uniform(-0.2, 0.9))
        reach = bone.socket_mm[0] + 0.6 * thick
        x, y, z = bone.head_mm
        roof = (x + sign * reach * np.sin(tilt), y + float(rng.uniform(-8.0, 8.0)), z + reach * np.cos(tilt))
        return Shape(Frame(roof, turned(y=sign * np.degrees(tilt))), (wide, deep, thick), (), (2.0, 0.08, 1.0)), content
    return None


def _thin(place: Places, rng: np.random.Generator) -> Made:
    if place.bone.name == "rib":
        return None
    size = float(rng.uniform(9.0, 28.0))
    hu = float(rng.uniform(-45.0, 45.0))
    content = Content(hu, hu, float(rng.uniform(0.45, 0.9)), float(rng.uniform(2.5, 4.5)))
    return random_shape(place.deep(0.3 * size, rng)[0], size, "smooth", rng), content


def _channel(place: Places, rng: np.random.Generator) -> Made:
    bone = place.bone
    hu = float(rng.uniform(30.0, 110.0))
    content = Content(hu, hu, 0.95, 0.5)
    thick, long = float(rng.uniform(1.1, 2.0)), float(rng.uniform(6.0, 10.0))
    if isinstance(bone, Vertebra):
        exit_mm = bone.frame.world((float(rng.normal(0.0, 1.0)), 0.55 * bone.half_mm[1], float(rng.normal(0.0, 1.0))))
        return Shape(Frame(exit_mm, bone.frame.rows), (1.4 * thick, long, thick)), content
    turn = turned(x=float(rng.uniform(0, 360)), z=float(rng.uniform(0, 360)))
    return Shape(Frame(place.deep(2.0, rng)[0], turn), (thick, thick, long)), content


def _fracture(place: Places, rng: np.random.Generator) -> Made:
    bone = place.bone
    hu = float(rng.uniform(420.0, 800.0))
    content = Content(hu, hu, float(rng.uniform(0.4, 0.85)), float(rng.uniform(0.8, 2.0)))
    if isinstance(bone, Vertebra):
        a, b, c = bone.half_mm
        middle = bone.frame.world((0.0, -0.1 * b, float(rng.uniform(0.3, 0.7) * c * rng.choice([-1.0, 1.0]))))
        return Shape(Frame(middle, bone.frame.rows), (0.9 * a, 0.85 * b, float(rng.uniform(1.5, 3.2))), (), (3.0, 0.1, 2.0)), content
    if bone.name in ("rib", "hip"):
        return random_shape(place.deep(2.0, rng)[0], float(rng.uniform(7.0, 13.0)), "smooth", rng), content
    return None


_MADE = {
    "bone_island": _island,
    "haemangioma": _haemangioma,
    "schmorl_node": _schmorl,
    "degenerative_sclerosis": _wear,
    "osteoporotic_patch": _thin,
    "vessel_channel": _channel,
    "healed_fracture": _fracture,
}


def wedged(bone: Bone, rng: np.random.Generator) -> Bone:
    """Return a bone after an old fracture: a vertebra has lost height in front, others are as they were."""
    if not isinstance(bone, Vertebra):
        return bone
    return replace(bone, wedge_mm=bone.wedge_mm + float(rng.uniform(2.0, 7.0)))
