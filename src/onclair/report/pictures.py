"""A slice of a volume as a picture that carries its own evidence: outlines as lines, letters of direction, a scale bar, the window."""

from __future__ import annotations

import base64
import io
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.core.geometry import Affine
from onclair.core.words import Language, Words
from onclair.io.dicom.polygons import outlines
from onclair.report.figures.canvas import WIDTH, canvas, path, virtual_frame, write
from onclair.report.markup import append, node

Floats = npt.NDArray[np.float64]
Plane = Literal["axial", "coronal", "sagittal"]
#: Across and down each view, as axes of the body (0 left, 1 posterior, 2 superior), whether down is upside down, and the letters.
_VIEWS: Mapping[str, tuple[int, int, bool, str]] = {
    "axial": (0, 1, False, "RLAP"),
    "coronal": (0, 2, True, "RLSI"),
    "sagittal": (1, 2, True, "APSI"),
}
_FRENCH = {"R": "D", "L": "G", "A": "A", "P": "P", "S": "S", "I": "I"}
#: Room around the picture for letters and words.
_SIDE, _TOP, _FOOT = 22.0, 22.0, 46.0
_BAR_MM = 20.0

WINDOW = Words("Window {low:g} to {high:g} {unit}", "Fenêtre {low:g} à {high:g} {unit}")
SAID = Words(
    "{plane} slice; outlined: {names}. The patient's right is on the left of axial and coronal slices.",
    "Coupe {plane} ; contours : {names}. La droite du patient est à gauche sur les coupes axiales et coronales.",
)
NOTHING = Words("nothing", "rien")
PLANES = {"axial": Words("Axial", "axiale"), "coronal": Words("Coronal", "coronale"), "sagittal": Words("Sagittal", "sagittale")}


@dataclass(frozen=True, slots=True)
class Line:
    """One outline on a picture.

    Attributes
    ----------
    label : str
        Drawn beside it.
    tone : str
        ``"s1"`` to ``"s6"``: its hue among the series.
    polygons : tuple of tuple of (float, float)
        Corners in mm from the picture's upper left corner.
    """

    label: str
    tone: str
    polygons: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """One slice, ready to be drawn; plain values, so that a record can hold it.

    Attributes
    ----------
    png : bytes
        Grey, 8 bits, one pixel a voxel.
    size_mm : (float, float)
        Width and height.
    plane : {"axial", "coronal", "sagittal"}
    window : (float, float)
        Lowest and highest value shown.
    unit : str
    lines : tuple of Line
    virtual : bool
    """

    png: bytes
    size_mm: tuple[float, float]
    plane: Plane
    window: tuple[float, float]
    unit: str
    lines: tuple[Line, ...] = ()
    virtual: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the picture as plain JSON values; :func:`picture_from` reads them."""
        return {
            "png": base64.b64encode(self.png).decode(),
            "size_mm": list(self.size_mm),
            "plane": self.plane,
            "window": list(self.window),
            "unit": self.unit,
            "lines": [
                {"label": one.label, "tone": one.tone, "polygons": [[list(c) for c in p] for p in one.polygons]} for one in self.lines
            ],
            "virtual": self.virtual,
        }


def picture_from(record: Mapping[str, Any]) -> Picture:
    """Return the picture that :meth:`Picture.as_dict` wrote.

    Examples
    --------
    >>> one = Picture(b"x", (2.0, 3.0), "axial", (-100.0, 300.0), "HU", (Line("1", "s2", (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),)),))
    >>> picture_from(one.as_dict()) == one
    True
    """
    lines = tuple(
        Line(str(one["label"]), str(one["tone"]), tuple(tuple((float(x), float(y)) for x, y in p) for p in one["polygons"]))
        for one in record["lines"]
    )
    size, window = record["size_mm"], record["window"]
    return Picture(
        base64.b64decode(record["png"]),
        (float(size[0]), float(size[1])),
        record["plane"],
        (float(window[0]), float(window[1])),
        str(record["unit"]),
        lines,
        bool(record["virtual"]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What a picture is taken of.

    Attributes
    ----------
    array : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm; each axis is shown along the axis of the body that it is nearest to.
    window : (float, float)
        Lowest and highest value shown.
    unit : str
    regions : sequence of (label, tone, ndarray of bool (x, y, z))
    virtual : bool
    """

    array: npt.NDArray[Any]
    affine: Affine
    window: tuple[float, float]
    unit: str
    regions: Sequence[tuple[str, str, npt.NDArray[np.bool_]]] = ()
    virtual: bool = False


def taken(scene: Scene, plane: Plane, at: Sequence[int], *, margin_mm: float | None = None) -> Picture:
    """Return the slice of a scene through one voxel.

    Parameters
    ----------
    scene : Scene
    plane : {"axial", "coronal", "sagittal"}
    at : sequence of int
        The voxel (x, y, z).
    margin_mm : float, optional
        Shows only what lies so near to the voxel; everything when left out.

    Raises
    ------
    BadSetting
        For another plane, or a voxel outside.

    Examples
    --------
    >>> region = np.zeros((4, 5, 6), bool); region[1:3, 2:4, 3] = True
    >>> scene = Scene(np.zeros((4, 5, 6)), np.diag([1.0, 1.0, 2.0, 1.0]), (-100.0, 300.0), "HU", [("1", "s2", region)])
    >>> picture = taken(scene, "axial", (1, 2, 3))
    >>> picture.size_mm, [len(p) for p in picture.lines[0].polygons]
    ((4.0, 5.0), [4])
    """
    if plane not in _VIEWS:
        raise BadSetting(f"There is no plane '{plane}'; known: {', '.join(_VIEWS)}.", item=str(plane))
    if not all(0 <= i < n for i, n in zip(at, scene.array.shape, strict=True)):
        raise BadSetting(f"The voxel {tuple(at)} lies outside an image of shape {scene.array.shape}; choose one inside.", item=plane)
    across, down, upside, _ = _VIEWS[plane]
    order, signs, spacing = _to_body(scene.affine)
    cut = _Cut(order, signs, across, down, upside, tuple(int(i) for i in at))
    window = _near(scene.array.shape, cut, spacing, margin_mm)
    grey = cut.of(scene.array)[window].astype(np.float64)
    low, high = scene.window
    pixels = np.round(255 * np.clip((grey - low) / (high - low), 0, 1)).astype(np.uint8)
    step = (float(spacing[order[across]]), float(spacing[order[down]]))
    lines = tuple(_line(label, tone, cut.of(region)[window], step) for label, tone, region in scene.regions)
    size = (pixels.shape[0] * step[0], pixels.shape[1] * step[1])
    return Picture(_png(pixels.T), size, plane, (low, high), scene.unit, tuple(one for one in lines if one.polygons), scene.virtual)


@dataclass(frozen=True, slots=True)
class _Cut:
    """How one slice is taken: which voxel axis runs along which axis of the body, and which way."""

    order: tuple[int, int, int]
    signs: tuple[int, int, int]
    across: int
    down: int
    upside: bool
    at: tuple[int, ...]

    def of(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the slice as (across, down)."""
        depth = self.order[3 - self.across - self.down]
        flat = np.take(array, self.at[depth], axis=depth)
        first, second = self.order[self.across], self.order[self.down]
        turned = flat if first < second else flat.T
        turned = turned if self.signs[self.across] > 0 else turned[::-1]
        forward = (self.signs[self.down] > 0) != self.upside
        return np.asarray(turned if forward else turned[:, ::-1])

    def place(self, shape: Sequence[int]) -> tuple[int, int]:
        """Return where the voxel lies on the slice."""
        first, second = self.order[self.across], self.order[self.down]
        x = self.at[first] if self.signs[self.across] > 0 else shape[first] - 1 - self.at[first]
        y = self.at[second] if (self.signs[self.down] > 0) != self.upside else shape[second] - 1 - self.at[second]
        return x, y


def _to_body(affine: Affine) -> tuple[tuple[int, int, int], tuple[int, int, int], Floats]:
    """Return, by axis of the body, the voxel axis nearest to it and its direction; and the spacing by voxel axis."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    cosines = affine[:3, :3] / spacing
    order = [-1, -1, -1]
    left = np.abs(cosines)
    for _ in range(3):
        body, voxel = np.unravel_index(int(left.argmax()), (3, 3))
        order[int(body)] = int(voxel)
        left[body, :], left[:, voxel] = -1, -1
    signs = [1 if cosines[body, order[body]] > 0 else -1 for body in range(3)]
    return (order[0], order[1], order[2]), (signs[0], signs[1], signs[2]), spacing


def _near(shape: Sequence[int], cut: _Cut, spacing: Floats, margin_mm: float | None) -> tuple[slice, slice]:
    if margin_mm is None:
        return slice(None), slice(None)
    place = cut.place(shape)
    reach = [max(1, round(margin_mm / float(spacing[cut.order[axis]]))) for axis in (cut.across, cut.down)]
    return slice(max(0, place[0] - reach[0]), place[0] + reach[0] + 1), slice(max(0, place[1] - reach[1]), place[1] + reach[1] + 1)


def _line(label: str, tone: str, region: npt.NDArray[Any], step: tuple[float, float]) -> Line:
    found = outlines(np.ascontiguousarray(region, dtype=bool)) if region.any() else ()
    corners = tuple(tuple((round((x + 0.5) * step[0], 3), round((y + 0.5) * step[1], 3)) for x, y in polygon.tolist()) for polygon in found)
    return Line(label, tone, corners)


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    from PIL import Image as Picturing

    out = io.BytesIO()
    Picturing.fromarray(np.ascontiguousarray(pixels), "L").save(out, "PNG", optimize=False)
    return out.getvalue()


def slice_figure(picture: Picture, key: str, title: str, language: Language = "en", *, width: float = WIDTH) -> ET.Element:
    """Return a picture as a figure: radiological convention, letters, scale bar and window inside it.

    Parameters
    ----------
    picture : Picture
    key, title : str
    language : {"en", "fr"}
    width : float
        Of the figure, in its own units; the picture keeps its proportions within it.
    """
    scale = min((width - 2 * _SIDE) / picture.size_mm[0], 1.2 * width / picture.size_mm[1])
    shown = (picture.size_mm[0] * scale, picture.size_mm[1] * scale)
    left = (width - shown[0]) / 2
    names = ", ".join(one.label for one in picture.lines) or NOTHING.in_(language)
    told = SAID.in_(language).format(plane=PLANES[picture.plane].in_(language), names=names)
    svg = canvas(key, title, told, _TOP + shown[1] + _FOOT, width)
    source = "data:image/png;base64," + base64.b64encode(picture.png).decode()
    append(svg, node("image", href=source, x=left, y=_TOP, width=shown[0], height=shown[1], preserveAspectRatio="none"))
    for one in picture.lines:
        append(svg, _drawn(one, left, scale))
    append(svg, _letters(picture.plane, left, shown, language), _foot(picture, left, shown, scale, language))
    if picture.virtual:
        append(svg, virtual_frame((left + 2, _TOP + 2, shown[0] - 4, shown[1] - 4), language))
    return svg


def _drawn(one: Line, left: float, scale: float) -> list[ET.Element]:
    """Return an outline and its label, right of its highest corner."""
    placed = [[(left + x * scale, _TOP + y * scale) for x, y in polygon] for polygon in one.polygons]
    made = [path(polygon, f"path {one.tone}", close=True) for polygon in placed]
    x, y = max((corner for polygon in placed for corner in polygon), key=lambda corner: corner[0] - corner[1])
    return [*made, write(one.label, x + 5, y, "strong halo")]


def _letters(plane: str, left: float, shown: tuple[float, float], language: Language) -> list[ET.Element]:
    letters = [_FRENCH[c] if language == "fr" else c for c in _VIEWS[plane][3]]
    middle, right = _TOP + shown[1] / 2 + 4, left + shown[0]
    return [
        write(letters[0], left - 6, middle, "strong", "end"),
        write(letters[1], right + 6, middle, "strong"),
        write(letters[2], left + shown[0] / 2, _TOP - 7, "strong", "middle"),
        write(letters[3], left + shown[0] / 2, _TOP + shown[1] + 15, "strong", "middle"),
    ]


def _foot(picture: Picture, left: float, shown: tuple[float, float], scale: float, language: Language) -> list[ET.Element]:
    y, right = _TOP + shown[1] + 22, left + shown[0]
    length = min(_BAR_MM, picture.size_mm[0] / 2)
    window = WINDOW.in_(language).format(low=picture.window[0], high=picture.window[1], unit=picture.unit)
    return [
        path([(right - length * scale, y), (right, y)], "path"),
        write(f"{length:g} mm", right, y + 16, "quiet small", "end"),
        write(window, left, y + 16, "quiet small"),
    ]
