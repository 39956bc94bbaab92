"""Where the slices of a series lie: sorted along their normal, checked, and placed by one affine (LPS mm).

Voxel (column i, row j, slice k) lies at ``position + i*dc*row + j*dr*column + k*step`` (DICOM PS3.3 C.7.6.2.1.1), where ``row`` and
``column`` are the two halves of the orientation and PixelSpacing is (dr, dc).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadGeometry
from onclair.core.geometry import Affine
from onclair.io.dicom.series import Plane

Notes = tuple[Mapping[str, str], ...]
Departure = Literal["tilt", "gaps"]

#: Slices may lie off their regular places by this share of the step, and are named from the second figure on.
IRREGULAR, NAMED = 0.05, 0.01
#: Degrees between the stack and the normal of its slices from which the grid is no box any more.
TILT_DEGREES = 0.5
#: Cosines and mm (relative) that are the same.
_SAME = 1e-3
_Floats = npt.NDArray[np.float64]


class Interrupted(BadGeometry):
    """A slice is missing, or there twice; a volume across it is for looking only."""


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices in order, and the grid that they make.

    Attributes
    ----------
    planes : tuple of Plane
        By rising projection on ``row x column``: neither InstanceNumber nor file name counts.
    affine : ndarray, float64, shape (4, 4)
        Voxel (column, row, slice) to LPS mm.
    notes : tuple of mapping
        ``code text``: ``irregular_spacing``, ``tilted``, ``single_slice``, ``gaps``, ``duplicates_dropped``.
    index : tuple of int
        Where each plane lies along the third axis: 0, 1, 2, ... unless gaps were allowed.
    """

    planes: tuple[Plane, ...]
    affine: Affine
    notes: Notes
    index: tuple[int, ...] = ()


def stacked(planes: Sequence[Plane], *, allow: Collection[Departure] = (), of: str = "The series") -> Stack:
    """Return the slices in order with their affine, or refuse them in one sentence.

    Parameters
    ----------
    planes : sequence of Plane
        In any order.
    allow : collection of {"tilt", "gaps"}
        Departures to keep and name instead of refusing: a tilted stack gets the sheared affine that it has; missing slices leave
        their places free in `Stack.index`, and of slices that differ in nothing but their number one is kept.
    of : str
        Whose slices they are, for errors.

    Returns
    -------
    Stack

    Raises
    ------
    BadGeometry
        For mixed sizes, spacings or orientations, a missing or duplicate slice, steps that differ by more than 5 %, slices shifted
        sideways, a tilted gantry.
    BadCase
        For slices without a position.

    Examples
    --------
    >>> from pathlib import Path
    >>> from pydicom.dataset import Dataset
    >>> planes = []
    >>> for z in (4.0, 0.0, 2.0):
    ...     slice_ = Dataset()
    ...     slice_.Rows = slice_.Columns = 8
    ...     slice_.PixelSpacing, slice_.ImageOrientationPatient = [1, 1], [1, 0, 0, 0, 1, 0]
    ...     slice_.ImagePositionPatient = [0, 0, z]
    ...     planes.append(Plane(Path(f"{z}.dcm"), slice_))
    >>> stack = stacked(planes)
    >>> [plane.path.name for plane in stack.planes], stack.affine.diagonal().tolist()
    (['0.0.dcm', '2.0.dcm', '4.0.dcm'], [1.0, 1.0, 2.0, 1.0])
    """
    _one_kind(planes, of)
    row, column = _axes(planes[0])
    normal = np.cross(row, column)
    places = np.array([p.numbers("ImagePositionPatient", 3) for p in planes])
    order = np.argsort(places @ normal, kind="stable")
    planes, places = [planes[i] for i in order], places[order]
    notes: list[Mapping[str, str]] = []
    index = np.arange(len(planes))
    if len(planes) == 1:
        step = normal * _thickness(planes[0], of)
        notes.append({"code": "single_slice", "text": f"{of} is a single slice; its thickness stands for the distance between slices."})
    else:
        kept, dropped = _no_duplicates(planes, places @ normal, allow, of)
        planes, places = [planes[i] for i in kept], places[kept]
        index, found = _regular(places @ normal, allow, of)
        step = (places[-1] - places[0]) / max(int(index[-1]), 1)
        notes += [*dropped, *found, *_straight(places, index, normal, step, allow, of)]
    dr, dc = planes[0].numbers("PixelSpacing", 2)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2], affine[:3, 3] = row * dc, column * dr, step, places[0]
    return Stack(tuple(planes), affine, tuple(notes), tuple(int(i) for i in index))


def plane_axes(orientation: Sequence[float], name: str) -> tuple[_Floats, _Floats]:
    """Return the unit vectors along a row and along a column.

    Raises
    ------
    BadGeometry
        When the two are not perpendicular unit vectors.

    Examples
    --------
    >>> row, column = plane_axes((1, 0, 0, 0, 1, 0), "a.dcm")
    >>> np.cross(row, column).tolist()
    [0.0, 0.0, 1.0]
    """
    row, column = np.array(orientation[:3], float), np.array(orientation[3:], float)
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if abs(lengths[0] - 1) > 0.01 or abs(lengths[1] - 1) > 0.01 or abs(row @ column) > 0.01:
        found = [round(float(v), 4) for v in orientation]
        raise BadGeometry(
            f"The orientation of {name} is {found}, which are not two perpendicular unit vectors; export it again.", item=name
        )
    row = row / lengths[0]
    column = column - row * (row @ column)
    return row, column / np.linalg.norm(column)


def _axes(plane: Plane) -> tuple[_Floats, _Floats]:
    return plane_axes(plane.numbers("ImageOrientationPatient", 6), plane.path.name)


def _one_kind(planes: Sequence[Plane], of: str) -> None:
    """Refuse slices of several sizes, spacings or orientations; the groups are counted."""
    what: tuple[tuple[str, str, int], ...] = (("orientations", "ImageOrientationPatient", 6), ("pixel spacings", "PixelSpacing", 2))
    sizes = Counter((int(p.get("Columns") or 0), int(p.get("Rows") or 0)) for p in planes)
    if len(sizes) > 1:
        raise BadGeometry(f"{of} mixes slices of several sizes: {_counted(sizes)}; keep the slices of one volume, or split the series.")
    for said, keyword, count in what:
        values = np.array([p.numbers(keyword, count) for p in planes])
        if (np.abs(values - values[0]) > _SAME).any():
            groups = Counter(tuple(float(v) for v in np.round(one, 3)) for one in values)
            raise BadGeometry(
                f"{of} mixes slices of several {said}: {_counted(groups)}; keep the slices of one volume, or split the series."
            )


def _counted(groups: Counter[Any]) -> str:
    shown = [f"{count} of {list(value)}" for value, count in groups.most_common(3)]
    return ", ".join(shown) + (" and others" if len(groups) > 3 else "")


def _no_duplicates(planes: Sequence[Plane], along: _Floats, allow: Collection[Departure], of: str) -> tuple[list[int], Notes]:
    """Return which slices to keep, all unless repeated ones are allowed; refuse two at one place."""
    twice = np.flatnonzero(np.diff(along) < 0.01)
    if not len(twice):
        return list(range(len(planes))), ()
    first, second = planes[twice[0]], planes[twice[0] + 1]
    count = "1 duplicate slice" if len(twice) == 1 else f"{len(twice)} duplicate slices"
    if "gaps" in allow and not any(_differing(planes[i], planes[i + 1], but="instance number") for i in twice.tolist()):
        text = f"{of} has {count}, the first at {along[twice[0]]:.2f} mm along the normal; one for each place was kept."
        return [i for i in range(len(planes)) if i - 1 not in set(twice.tolist())], ({"code": "duplicates_dropped", "text": text},)
    differing = _differing(first, second)
    why = f"; they differ in {', '.join(differing[:3])}" if differing else "; they differ in nothing that was looked at"
    names = f"{first.path.name} and {second.path.name}" if first.path != second.path else f"frames {first.frame + 1} and {second.frame + 1}"
    where = f"at {along[twice[0]]:.2f} mm along the normal ({names}{why})"
    raise Interrupted(f"{of} has {count}, the first {where}; keep one slice for each place, or split the series.", item=second.path.name)


def _differing(first: Plane, second: Plane, *, but: str = "") -> list[str]:
    one, other = first.traits, second.traits
    keys = [key for key in dict.fromkeys((*one, *other)) if key != but]
    return [f"{key} {one.get(key)} and {other.get(key)}" for key in keys if one.get(key) != other.get(key)]


def _regular(along: _Floats, allow: Collection[Departure], of: str) -> tuple[npt.NDArray[np.int64], Notes]:
    """Return the place of each slice along the axis, and notes; refuse steps that differ by more than 5 %, and gaps unless allowed."""
    steps = np.diff(along)
    if not len(steps):
        return np.zeros(1, np.int64), ()
    usual = float(np.sort(steps)[(len(steps) - 1) // 2])  # the lower median: a gap never passes for the rule
    gaps = np.flatnonzero(steps > 1.5 * usual)
    notes = [_missing(along, gaps, usual, allow, of)] if len(gaps) else []
    times = np.rint(steps / usual).clip(min=1).astype(np.int64)
    off = np.abs(steps - times * usual) / usual
    worst = int(off.argmax())
    found = (
        f"{steps[worst]:.4g} mm after {along[worst]:.2f} mm along the normal where {times[worst] * usual:.4g} mm is usual, "
        f"{100 * off[worst]:.1f} % off"
    )
    if off[worst] > IRREGULAR:
        raise BadGeometry(
            f"{of} has irregular slice spacing: {found}, and 5 % is the most; resample it where it was made, or fetch it again."
        )
    if off[worst] > NAMED:
        text = f"{of} has slightly irregular slice spacing: {found}; the mean step is used."
        notes.append({"code": "irregular_spacing", "text": text})
    return np.concatenate([[0], np.cumsum(times)]), tuple(notes)


def _missing(along: _Floats, gaps: npt.NDArray[np.int64], usual: float, allow: Collection[Departure], of: str) -> Mapping[str, str]:
    """Return the note of missing slices, or refuse them with the place of the first."""
    lost = int(np.rint(np.diff(along)[gaps] / usual - 1).clip(min=1).sum())
    said = "1 missing slice" if lost == 1 else f"{lost} missing slices"
    at = f"between {along[gaps[0]]:.2f} and {along[gaps[0] + 1]:.2f} mm along the normal, where slices are {usual:.4g} mm apart"
    if "gaps" not in allow:
        raise Interrupted(f"{of} has {said}, the first {at}; fetch the series again: no volume is made across a gap.")
    return {"code": "gaps", "text": f"{of} has {said}, the first {at}; they are left empty, for looking only."}


def _straight(
    places: _Floats, index: npt.NDArray[np.int64], normal: _Floats, step: _Floats, allow: Collection[Departure], of: str
) -> list[Mapping[str, str]]:
    """Refuse slices shifted sideways, and a tilt unless it is allowed and then named."""
    expected = places[0] + index[:, None] * step
    off = expected - places
    sideways = float(np.linalg.norm(off - np.outer(off @ normal, normal), axis=1).max())
    if sideways > 0.1 * float(np.linalg.norm(step)) and sideways > 0.1:
        raise BadGeometry(f"{of} has slices shifted sideways by up to {sideways:.2f} mm; fetch the series again, or split it.")
    cosine = float(step @ normal / np.linalg.norm(step))
    degrees = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    if degrees <= TILT_DEGREES:
        return []
    sentence = f"{of} is tilted: its slices lie {degrees:.1f} degrees off their stack (gantry tilt)"
    if "tilt" not in allow:
        raise BadGeometry(f"{sentence}; straighten it where it was made, since distances and volumes would be wrong.")
    return [{"code": "tilted", "text": f"{sentence}; its grid is sheared."}]


def _thickness(plane: Plane, of: str) -> float:
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        found = plane.number(keyword)
        if found and found > 0:
            return found
    raise BadCase(f"{of} is a single slice without a thickness; a volume cannot be made of it.", item=plane.path.name)
