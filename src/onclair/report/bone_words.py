"""The words of bones and their lesions, in English and French, as sheets and reports say them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onclair.core.words import Language, Words

BONES: Mapping[str, Words] = {
    "vertebra": Words("vertebra", "vertèbre"),
    "rib": Words("rib", "côte"),
    "femur": Words("femur", "fémur"),
    "hip": Words("hip bone", "os coxal"),
    "sacrum": Words("sacrum", "sacrum"),
    "humerus": Words("humerus", "humérus"),
    "scapula": Words("shoulder blade", "scapula"),
    "clavicle": Words("collarbone", "clavicule"),
    "sternum": Words("breastbone", "sternum"),
    "skull": Words("skull", "crâne"),
    "costal cartilage": Words("costal cartilage", "cartilage costal"),
    "unnamed": Words("unnamed bone", "os non nommé"),
}
SIDES = {"left": Words("left", "gauche"), "right": Words("right", "droite")}
#: French sides as adjectives agree with feminine bones.
_MASCULINE = {"left": "gauche", "right": "droit"}
_FEMININE = ("vertebra", "rib", "scapula", "clavicle")
TYPES = {
    "lytic": Words("lytic", "lytique"),
    "blastic": Words("blastic", "condensante"),
    "mixed": Words("mixed", "mixte"),
    "occult": Words("hardly visible", "à peine visible"),
}
PARTS = {
    "body": Words("body", "corps"),
    "pedicle": Words("pedicle", "pédicule"),
    "posterior": Words("posterior elements", "arc postérieur"),
    "head": Words("head", "tête"),
    "neck": Words("neck", "col"),
    "trochanters": Words("trochanters", "région trochantérienne"),
    "shaft": Words("shaft", "diaphyse"),
}


def bone_said(lesion: Mapping[str, Any], language: Language) -> str:
    """Return where a lesion lies, in words.

    Parameters
    ----------
    lesion : mapping
        ``bone level side part``, each of the last three possibly None.
    language : {"en", "fr"}

    Examples
    --------
    >>> place = {"bone": "vertebra", "level": "T12", "side": None, "part": "body"}
    >>> bone_said(place, "en"), bone_said(place, "fr")
    ('T12, body', 'T12, corps')
    >>> bone_said({"bone": "femur", "level": None, "side": "left", "part": "neck"}, "fr")
    'fémur gauche, col'
    """
    name, side, level = str(lesion.get("bone") or "unnamed"), lesion.get("side"), lesion.get("level")
    bone = BONES[name].in_(language) if name in BONES else name
    if name == "vertebra" and level:
        told = str(level)
    else:
        told = f"{bone} {level}" if level else bone
        if side in SIDES:
            adjective = SIDES[side].in_(language) if language == "en" or name in _FEMININE else _MASCULINE[side]
            told = f"{adjective} {told}" if language == "en" else f"{told} {adjective}"
    part = lesion.get("part")
    return f"{told}, {PARTS[part].in_(language)}" if part in PARTS else told
