"""Clinical scores of a bone metastasis: Mirels for long bones, SINS for the spine. An unanswered item gives a range, not a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean

#: Mirels 1989, Clin Orthop Relat Res 249:256, doi 10.1097/00003086-198912000-00027.
MIRELS: dict[str, dict[str, int]] = {
    "site": {"upper": 1, "lower": 2, "peritrochanteric": 3},
    "pain": {"mild": 1, "moderate": 2, "functional": 3},
    "type": {"blastic": 1, "mixed": 2, "lytic": 3},
}
MIRELS_ADVICE = (
    (7, "7 or less: radiotherapy and observation; fracture is unlikely"),
    (8, "8: clinical judgement; consider fixation"),
    (12, "9 or more: prophylactic fixation is advised"),
)
#: Fisher et al. 2010, Spine 35:E1221, doi 10.1097/BRS.0b013e3181e16ae2.
SINS: dict[str, dict[str, int]] = {
    "pain": {"mechanical": 3, "occasional": 1, "none": 0},
    "type": {"lytic": 2, "mixed": 1, "blastic": 0},
    "alignment": {"translation": 4, "deformity": 2, "normal": 0},
    "collapse": {"over-half": 3, "under-half": 2, "none-involved": 1, "none": 0},
    "posterolateral": {"bilateral": 3, "unilateral": 1, "none": 0},
}
SINS_ADVICE = (
    (6, "0 to 6: stable"),
    (12, "7 to 12: potentially unstable; a surgeon should see the patient"),
    (18, "13 to 18: unstable; a surgeon should see the patient"),
)
_LEVEL = re.compile(r"^([CTLS])(\d{1,2})$")
#: Last level of each part of the spine, transitional ones in.
_LAST = {"C": (0, 7), "T": (1, 13), "L": (1, 6), "S": (1, 5)}
#: Levels by what their loss unsettles: junctional, mobile, semi-rigid, rigid. T13 and L6 lie at a junction.
_JUNCTIONAL = ("C0", "C1", "C2", "C7", "T1", "T2", "T11", "T12", "T13", "L1", "L5", "L6", "S1")


@dataclass(frozen=True, slots=True)
class Score:
    """A score, or the range that unanswered items leave.

    Attributes
    ----------
    score : int or None
        None while an item is unanswered.
    low, high : int
        What the score is at least and at most.
    parts : mapping of str to int or None
        Points of each item; None where it was not answered.
    advice : str
    """

    score: int | None
    low: int
    high: int
    parts: Mapping[str, int | None]
    advice: str

    def as_dict(self) -> dict[str, Any]:
        """Return the score as plain JSON values."""
        return {"score": self.score, "low": self.low, "high": self.high, "parts": dict(self.parts), "advice": self.advice}


def mirels(
    *, site: str | None = None, pain: str | None = None, lesion_type: str | None = None, size_fraction: float | None = None
) -> Score:
    """Return the score of Mirels of a long-bone metastasis.

    Parameters
    ----------
    site : {"upper", "lower", "peritrochanteric"} or None
    pain : {"mild", "moderate", "functional"} or None
    lesion_type : {"blastic", "mixed", "lytic"} or None
    size_fraction : float or None
        Share of the bone's cross-section that is destroyed, 0 to 1: below 1/3 one point, to 2/3 two, above three.

    Returns
    -------
    Score
        4 to 12.

    Raises
    ------
    BadSetting
        For a word that the score does not know, or a share outside 0 to 1.

    Examples
    --------
    >>> mirels(site="peritrochanteric", pain="functional", lesion_type="lytic", size_fraction=0.7).score
    12
    >>> found = mirels(site="lower", lesion_type="lytic", size_fraction=0.5)
    >>> found.score is None, found.low, found.high
    (True, 8, 10)
    """
    given = {"site": site, "pain": pain, "type": lesion_type}
    parts = {item: _points("Mirels", item, word, MIRELS[item]) for item, word in given.items()}
    parts["size"] = _size_points(size_fraction)
    spans = {item: tuple(MIRELS[item].values()) for item in given} | {"size": (1, 2, 3)}
    return _score(parts, spans, MIRELS_ADVICE)


def sins(
    *,
    location: str | None = None,
    pain: str | None = None,
    lesion_type: str | None = None,
    alignment: str | None = None,
    collapse: str | None = None,
    posterolateral: str | None = None,
) -> Score:
    """Return the spinal instability neoplastic score.

    Parameters
    ----------
    location : str or None
        The level, C0 to S5: junctional 3 (C0-C2, C7-T2, T11-L1, L5-S1), mobile 2 (C3-C6, L2-L4), semi-rigid 1 (T3-T10), rigid 0 (S2-S5).
    pain : {"mechanical", "occasional", "none"} or None
    lesion_type : {"lytic", "mixed", "blastic"} or None
    alignment : {"translation", "deformity", "normal"} or None
    collapse : {"over-half", "under-half", "none-involved", "none"} or None
        ``none-involved``: no collapse, though more than half of the body is involved.
    posterolateral : {"bilateral", "unilateral", "none"} or None

    Returns
    -------
    Score
        0 to 18.

    Raises
    ------
    BadSetting
        For a level or word that the score does not know.

    Examples
    --------
    >>> found = sins(location="L1", pain="mechanical", lesion_type="lytic", alignment="normal", collapse="under-half",
    ...              posterolateral="none")
    >>> found.score, found.parts["location"]
    (10, 3)
    >>> sins(location="T5").low, sins(location="T5").high
    (1, 16)
    """
    given = {"pain": pain, "type": lesion_type, "alignment": alignment, "collapse": collapse, "posterolateral": posterolateral}
    parts: dict[str, int | None] = {"location": None if location is None else location_points(location)}
    parts |= {item: _points("SINS", item, word, SINS[item]) for item, word in given.items()}
    spans = {"location": (0, 1, 2, 3)} | {item: tuple(SINS[item].values()) for item in given}
    return _score(parts, spans, SINS_ADVICE)


def location_points(level: str) -> int:
    """Return the points of a spinal level.

    Raises
    ------
    BadSetting
        For a level that is none.

    Examples
    --------
    >>> [location_points(level) for level in ("C7", "L3", "T8", "S3")]
    [3, 2, 1, 0]
    """
    match = _LEVEL.match(level.strip().upper())
    if match is None or not _LAST[match[1]][0] <= int(match[2]) <= _LAST[match[1]][1]:
        raise BadSetting(f"There is no spinal level '{level}'; give C0 to C7, T1 to T13, L1 to L6 or S1 to S5.", item="location")
    if match[0] in _JUNCTIONAL:
        return 3
    return {"C": 2, "L": 2, "T": 1, "S": 0}[match[1]]


def mirels_items(lesion: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row of the lesion table answers of Mirels; pain is for the patient to say.

    Parameters
    ----------
    lesion : mapping
        ``bone part type cross_section_destroyed`` of a lesion.

    Examples
    --------
    >>> mirels_items({"bone": "femur", "part": "shaft", "type": "lytic", "cross_section_destroyed": 0.4})
    {'site': 'lower', 'lesion_type': 'lytic', 'size_fraction': 0.4}
    """
    bone, part = lesion.get("bone"), lesion.get("part")
    site = "upper" if bone in ("humerus", "radius", "ulna") else "lower" if bone in ("tibia", "fibula") else None
    if bone == "femur" and part is not None:
        site = "lower" if part == "shaft" else "peritrochanteric"
    return {"site": site, "lesion_type": _type_of(lesion), "size_fraction": lesion.get("cross_section_destroyed")}


def sins_items(lesion: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row of the lesion table answers of SINS; pain, alignment and collapse are for a person to say.

    Parameters
    ----------
    lesion : mapping
        ``level type`` of a lesion.

    Examples
    --------
    >>> sins_items({"level": "T12", "type": "occult"})
    {'location': 'T12', 'lesion_type': None}
    """
    level = lesion.get("level")
    known = isinstance(level, str) and _LEVEL.match(level.upper()) is not None
    return {"location": level if known else None, "lesion_type": _type_of(lesion)}


def _type_of(lesion: Mapping[str, Any]) -> str | None:
    found = lesion.get("type")
    return str(found) if found in MIRELS["type"] else None


def _points(score: str, item: str, word: str | None, table: Mapping[str, int]) -> int | None:
    if word is None:
        return None
    if word not in table:
        raise BadSetting(f"{score} has no {item} '{word}'; {did_you_mean(word, table)}", item=item)
    return table[word]


def _size_points(fraction: float | None) -> int | None:
    if fraction is None:
        return None
    if not 0 <= fraction <= 1:
        raise BadSetting(f"The size is {fraction:g} of the cross-section; give a share between 0 and 1.", item="size-fraction")
    return 1 if fraction < 1 / 3 else 2 if fraction <= 2 / 3 else 3


def _score(parts: Mapping[str, int | None], spans: Mapping[str, tuple[int, ...]], advice: tuple[tuple[int, str], ...]) -> Score:
    low = sum(min(spans[item]) if points is None else points for item, points in parts.items())
    high = sum(max(spans[item]) if points is None else points for item, points in parts.items())
    said = [words for top, words in advice if low <= top]
    words = [words for top, words in advice if low <= top and (high >= _floor(advice, top))]
    return Score(low if low == high and None not in parts.values() else None, low, high, parts, "; or ".join(words or said[:1]))


def _floor(advice: tuple[tuple[int, str], ...], top: int) -> int:
    """Return the lowest score of a class of advice."""
    below = [each for each, _ in advice if each < top]
    return below[-1] + 1 if below else 0
