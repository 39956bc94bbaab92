"""The decision map as a picture: probability and its uncertainty seen from the feet, as a radiologist looks, with the sites on it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.words import Language, Words
from onclair.report.figures.canvas import STRIP, canvas, line, standalone, virtual_frame, wrapped, write
from onclair.report.markup import append, node

Floats = npt.NDArray[np.float64]
Site = Mapping[str, Any]

_WIDTH, _GAP, _TOP, _SIDE = 560.0, 36.0, 64.0, 26.0
_STEPS = 20
#: Ends and middle of the two scales, RGB: not suspect - undecided - suspect (Okabe-Ito), and certain - uncertain.
_ANSWERS = ((0, 114, 178), (246, 244, 238), (213, 94, 0))
_DOUBT = ((246, 244, 238), (170, 160, 178), (70, 52, 92))
#: The largest standard deviation that a probability can have.
_MOST_DOUBT = 0.5

TITLE = Words("Decision map", "Carte de décision")
PROBABILITY = Words("Probability of suspect tissue", "Probabilité de tissu suspect")
UNCERTAINTY = Words("Uncertainty (standard deviation)", "Incertitude (écart type)")
DESCRIPTION = Words(
    "Seen along the body's axis, the highest probability in each column, and the uncertainty at that place; empty beyond {reach:g} mm "
    "of a sampled site. {n} sites; the patient's right is on the left.",
    "Vue selon l'axe du corps : la probabilité la plus haute de chaque colonne et l'incertitude à cet endroit ; vide au-delà de {reach:g} "
    "mm d'un site prélevé. {n} sites ; la droite du patient est à gauche.",
)
NOT_PLACED = Words(
    "Not on the map (no place there, or no answer): site {sites}.", "Hors de la carte (sans position, ou sans réponse) : site {sites}."
)
OF_ANSWERS = Words(
    "No model gave a probability: the map is drawn from the answers alone.",
    "Aucun modèle n'a donné de probabilité : la carte est tirée des seules réponses.",
)
SHAPES = Words(
    "Triangle: suspect. Circle: not suspect. Square: cannot tell.", "Triangle : suspect. Rond : non suspect. Carré : ne peut se prononcer."
)
LETTERS = Words("RLAP", "DGAP")


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What the picture is made from.

    Attributes
    ----------
    probability, uncertainty : ndarray, shape (x, y, z)
        NaN where nothing is said.
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm, its axes along those of the body.
    sites : sequence of mapping
        As :func:`onclair.run.sites.record_of` makes them.
    used : sequence of int
        The sites behind the map.
    reach_mm : float
    virtual : bool
    of_answers : bool
        Whether answers stand for probabilities, as no model gave any.
    """

    probability: Floats
    uncertainty: Floats
    affine: Floats
    sites: Sequence[Site]
    used: Sequence[int]
    reach_mm: float
    virtual: bool = False
    of_answers: bool = False


def sites_svg(drawn: Drawn, language: Language = "en") -> str:
    """Return the map as an SVG file of its own.

    Parameters
    ----------
    drawn : Drawn
    language : {"en", "fr"}

    Examples
    --------
    >>> one = Drawn(np.full((2, 2, 1), 0.5), np.full((2, 2, 1), 0.1), np.eye(4), [], [], 5.0)
    >>> sites_svg(one).count("<rect")
    44
    """
    probability, uncertainty = projected(drawn.probability, drawn.uncertainty)
    panel = (_WIDTH - _GAP - 2 * _SIDE) / 2
    scale = min(panel / probability.shape[0], 360.0 / probability.shape[1])
    lower = _TOP + scale * probability.shape[1]
    said = _said(drawn, language)
    height = lower + 92.0 + 17.0 * len(said) + (STRIP if drawn.virtual else 0.0)
    svg = canvas("decision-map", TITLE.in_(language), DESCRIPTION.in_(language).format(reach=drawn.reach_mm, n=len(drawn.used)), height)
    maps = ((PROBABILITY, probability, _ANSWERS, 1.0), (UNCERTAINTY, uncertainty, _DOUBT, _MOST_DOUBT))
    for place, (title, values, colours, top) in enumerate(maps):
        left = _SIDE + place * (panel + _GAP)
        append(svg, write(title.in_(language), left, 24.0, "strong"))
        append(svg, _runs(values / top, left, scale, colours), _letters(left, scale, values.shape, language))
        append(svg, _sites(drawn, left, scale), _legend(left, lower + 30.0, panel, colours, top))
    append(svg, _bar(lower + 22.0, scale / float(np.linalg.norm(drawn.affine[:3, 0])), _WIDTH - _SIDE))
    append(svg, [write(text, _SIDE, lower + 88.0 + 17.0 * at, "quiet small") for at, text in enumerate(said)])
    if drawn.virtual:
        append(svg, virtual_frame((2.0, 2.0, _WIDTH - 4.0, height - 4.0), language))
    return standalone(svg)


def projected(probability: Floats, uncertainty: Floats) -> tuple[Floats, Floats]:
    """Return, for each column along z, the highest probability and the uncertainty at that voxel; NaN in an empty column.

    Examples
    --------
    >>> p, u = projected(np.array([[[0.2, 0.8, np.nan]]]), np.array([[[0.1, 0.3, np.nan]]]))
    >>> p.tolist(), u.tolist()
    ([[0.8]], [[0.3]])
    """
    filled = np.where(np.isnan(probability), -1.0, probability)
    at = filled.argmax(axis=2)[:, :, None]
    empty = filled.max(axis=2) < 0
    taken = [np.take_along_axis(values, at, axis=2)[:, :, 0] for values in (probability, uncertainty)]
    return np.where(empty, np.nan, taken[0]), np.where(empty, np.nan, taken[1])


def _runs(shares: Floats, left: float, scale: float, colours: Sequence[tuple[int, int, int]]) -> list[ET.Element]:
    """Return a rectangle for each run of one colour along a row."""
    steps = np.where(np.isnan(shares), -1, np.clip(np.rint(shares * _STEPS), 0, _STEPS)).astype(int)
    made = []
    for row in range(steps.shape[1]):
        start = 0
        for column in range(1, steps.shape[0] + 1):
            if column == steps.shape[0] or steps[column, row] != steps[start, row]:
                step = int(steps[start, row])
                if step >= 0:
                    x, width = left + scale * start, scale * (column - start)
                    made.append(_cell(x, _TOP + scale * row, width, scale, _hex(step / _STEPS, colours)))
                start = column
    return made


def _cell(x: float, y: float, width: float, height: float, fill: str) -> ET.Element:
    return node("rect", x=f"{x:.2f}", y=f"{y:.2f}", width=f"{width + 0.2:.2f}", height=f"{height + 0.2:.2f}", style=f"fill:{fill}")


def _hex(share: float, colours: Sequence[tuple[int, int, int]]) -> str:
    """Return the colour at a share of a scale of three colours."""
    half = min(int(share * 2), 1)
    within = share * 2 - half
    return "#" + "".join(f"{round(a + (b - a) * within):02X}" for a, b in zip(colours[half], colours[half + 1], strict=True))


def _letters(left: float, scale: float, shape: tuple[int, ...], language: Language) -> list[ET.Element]:
    right, low = left + scale * shape[0], _TOP + scale * shape[1]
    middle, centre = (_TOP + low) / 2 + 4, (left + right) / 2
    r, le, a, p = tuple(LETTERS.in_(language))
    return [
        write(r, left - 6, middle, "quiet small", "end"),
        write(le, right + 6, middle, "quiet small"),
        write(a, centre, _TOP - 8, "quiet small", "middle"),
        write(p, centre, low + 14, "quiet small", "middle"),
    ]


def _sites(drawn: Drawn, left: float, scale: float) -> list[ET.Element]:
    back = np.linalg.inv(drawn.affine)
    made = []
    for site in drawn.sites:
        if site["site"] not in drawn.used:
            continue
        at = back @ np.array([site["x_lps_mm"], site["y_lps_mm"], site["z_lps_mm"], 1.0], dtype=np.float64)
        x, y = left + scale * (float(at[0]) + 0.5), _TOP + scale * (float(at[1]) + 0.5)
        made += [_shape(str(site.get("answer")), x, y), write(str(site["site"]), x + 8, y + 4, "small")]
    return made


def _shape(answer: str, x: float, y: float) -> ET.Element:
    style = "fill:#FFFFFF;stroke:#1B2228;stroke-width:1.5"
    if answer == "suspect":
        return node("path", d=f"M{x:.1f} {y - 6:.1f} L{x + 5.5:.1f} {y + 4:.1f} L{x - 5.5:.1f} {y + 4:.1f} Z", style=style)
    if answer == "not_suspect":
        return node("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="4.5", style=style)
    return node("rect", x=f"{x - 4:.1f}", y=f"{y - 4:.1f}", width="8", height="8", style=style)


def _legend(left: float, y: float, width: float, colours: Sequence[tuple[int, int, int]], top: float) -> list[ET.Element]:
    step = (width - 80.0) / _STEPS
    cells = [_cell(left + step * at, y, step, 8.0, _hex(at / (_STEPS - 1), colours)) for at in range(_STEPS)]
    ends = [write("0", left, y + 22, "quiet small"), write(f"{top:g}", left + step * _STEPS, y + 22, "quiet small", "end")]
    return [*cells, *ends]


def _bar(y: float, per_mm: float, right: float) -> list[ET.Element]:
    """Return a bar of a round length."""
    length = next((mm for mm in (10.0, 5.0, 2.0, 1.0) if mm * per_mm <= 70.0), 1.0)
    start = right - length * per_mm
    return [line(start, y + 12, right, y + 12, "axis"), write(f"{length:g} mm", right, y + 28, "quiet small", "end")]


def _said(drawn: Drawn, language: Language) -> list[str]:
    lost = [str(site["site"]) for site in drawn.sites if site["site"] not in drawn.used]
    told = [DESCRIPTION.in_(language).format(reach=drawn.reach_mm, n=len(drawn.used)), SHAPES.in_(language)]
    told += [OF_ANSWERS.in_(language)] if drawn.of_answers else []
    told += [NOT_PLACED.in_(language).format(sites=", ".join(lost))] if lost else []
    return [each for text in told for each in wrapped(text, _WIDTH - 2 * _SIDE, 12.0)]
