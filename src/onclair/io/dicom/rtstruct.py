"""RTSTRUCT: contours drawn on slices, filled on the grid of an image (DICOM PS3.3 C.8.8.5, C.8.8.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadGeometry
from onclair.core.geometry import Affine
from onclair.core.values import Image, Mask
from onclair.io.dicom.files import guarded, open_file
from onclair.io.dicom.outline import Outline, chosen, told_apart
from onclair.io.dicom.polygons import filled

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
#: Slices by which the points of one contour may differ, and by which contours of one slice may lie apart.
_FLAT = 0.1
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """One region of interest as it was drawn.

    Attributes
    ----------
    name : str
        Told apart from others of the same name by a number.
    frame_of_reference : str
    contours : tuple of ndarray, float64, shape (n, 3)
        Closed contours, corners in LPS mm.
    others : tuple of str
        Kinds of contour that enclose nothing: ``"POINT"``, ``"OPEN_PLANAR"``.
    """

    name: str
    frame_of_reference: str
    contours: tuple[_Floats, ...]
    others: tuple[str, ...] = ()


def read_structures(path: str | Path) -> tuple[Structure, ...]:
    """Return the structures of an RTSTRUCT, in its order.

    Raises
    ------
    BadCase
        For a file that is no RTSTRUCT, holds no structure, or contours that are not triplets of numbers.
    """
    path = Path(path)
    data = open_file(path)
    with guarded(f"The file {path.name}"):
        rois = data.get("StructureSetROISequence") or []
        if not rois:
            raise BadCase(f"The file {path.name} holds no structures (StructureSetROISequence); give an RTSTRUCT.", item=path.name)
        drawn = {str(c.get("ReferencedROINumber")): c.get("ContourSequence") or [] for c in data.get("ROIContourSequence") or []}
        names = told_apart([str(roi.get("ROIName") or "") for roi in rois])
        shared = _own_frame(data)
        return tuple(
            _structure(name, roi, drawn.get(str(roi.get("ROINumber")), []), shared, path) for name, roi in zip(names, rois, strict=True)
        )


def read_rtstruct(path: str | Path, onto: Image, *, structure: Sequence[str] | None = None, frame_of_reference: str = "") -> Outline:
    """Return structures on the grid of an image: a voxel belongs when its centre lies inside.

    Parameters
    ----------
    path : path
    onto : Image
    structure : sequence of str, optional
        Names to take, capitals ignored; all where left out.
    frame_of_reference : str
        The image's FrameOfReferenceUID; empty skips the comparison.

    Returns
    -------
    Outline
        One layer a structure. Contours of one slice combine by even-odd, so holes survive. Notes: ``no_contour`` for a structure
        without closed contours, whose layer is empty; ``slices_skipped`` where slices between contours have none.

    Raises
    ------
    BadCase
        For an unknown structure, or a file that is none.
    BadGeometry
        For another frame of reference, a contour off every slice by more than half a spacing or not parallel to the slices, and
        contours that were drawn on slices closer than the image's.
    """
    path = Path(path)
    found = read_structures(path)
    wanted = [found[i] for i in chosen([s.name for s in found], structure, of=path.name)]
    layers = np.zeros((len(wanted), *onto.array.shape[:3]), bool)
    notes: list[Mapping[str, str]] = []
    for layer, one in zip(layers, wanted, strict=True):
        if frame_of_reference and one.frame_of_reference and one.frame_of_reference != frame_of_reference:
            sentence = (
                f"The structure '{one.name}' of {path.name} was drawn in the frame of reference {one.frame_of_reference}, the image is in"
            )
            raise BadGeometry(f"{sentence} {frame_of_reference}; give the image that it was drawn on, or register first.", item=one.name)
        notes += _fill(layer, one, onto.affine, path.name)
    return Outline(Mask(layers, onto.affine, tuple(s.name for s in wanted), "expert"), tuple(notes))


def _own_frame(data: Any) -> str:
    frames = [str(one.get("FrameOfReferenceUID") or "") for one in data.get("ReferencedFrameOfReferenceSequence") or []]
    frames = list(dict.fromkeys(f for f in frames if f))
    return frames[0] if len(frames) == 1 else str(data.get("FrameOfReferenceUID") or "")


def _structure(name: str, roi: Any, contours: Sequence[Any], frame: str, path: Path) -> Structure:
    closed, others = [], []
    for contour in contours:
        kind = str(contour.get("ContourGeometricType") or "")
        if kind not in _CLOSED:
            others.append(kind or "no kind")
            continue
        try:
            points = np.array(contour.get("ContourData") or [], dtype=np.float64).reshape(-1, 3)
        except ValueError as error:
            sentence = f"A contour of the structure '{name}' in {path.name} is not a list of x, y, z"
            raise BadCase(f"{sentence}; export the structures again.", item=name) from error
        if not np.isfinite(points).all():
            raise BadCase(f"A contour of the structure '{name}' in {path.name} holds NaN or infinity; export it again.", item=name)
        if len(points) > 2:
            closed.append(points)
        else:
            others.append("POINT")
    return Structure(name, str(roi.get("ReferencedFrameOfReferenceUID") or frame), tuple(closed), tuple(others))


def _fill(layer: npt.NDArray[np.bool_], one: Structure, affine: Affine, name: str) -> list[Mapping[str, str]]:
    """Fill a structure into its layer, slice by slice, and return what was unusual."""
    if not one.contours:
        kinds = f" (only {', '.join(sorted(set(one.others)))})" if one.others else ""
        return [{"code": "no_contour", "text": f"The structure '{one.name}' of {name} has no closed contour{kinds}; it is empty."}]
    slices = _by_slice(one, np.linalg.inv(affine).astype(np.float64), layer.shape[2], name)
    for k, polygons in slices.items():
        corners = np.concatenate(polygons)
        low = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, layer.shape[:2])
        high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 1, low, layer.shape[:2])
        if (high > low).all():
            box = (int(high[0] - low[0]), int(high[1] - low[1]))
            layer[low[0] : high[0], low[1] : high[1], k] = filled([p - low for p in polygons], box)
    extent = max(slices) - min(slices) + 1
    if len(slices) == extent:
        return []
    text = (
        f"The structure '{one.name}' of {name} is drawn on {len(slices)} of the {extent} slices that it spans; nothing was filled between."
    )
    return [{"code": "slices_skipped", "text": text}]


def _by_slice(one: Structure, to_voxel: _Floats, slices: int, name: str) -> dict[int, list[_Floats]]:
    """Return the polygons of each slice in voxels, or refuse contours that do not lie on the slices."""
    found: dict[int, list[_Floats]] = {}
    depth: dict[int, float] = {}
    for contour in one.contours:
        points = contour @ to_voxel[:3, :3].T + to_voxel[:3, 3]
        middle, spread = float(points[:, 2].mean()), float(np.ptp(points[:, 2]))
        at = f"A contour of the structure '{one.name}' of {name} near LPS {[round(float(v), 1) for v in contour[0]]} mm"
        if spread > 2 * _FLAT:
            raise BadGeometry(
                f"{at} spans {spread:.2f} slices instead of lying on one; give the image that it was drawn on.", item=one.name
            )
        k = int(np.rint(np.clip(middle, 0, slices - 1)))
        if abs(middle - k) > 0.5 + 1e-3:
            off = f"lies {abs(middle - k):.2f} spacings off the nearest of the {slices} slices"
            raise BadGeometry(f"{at} {off}, and half a spacing is the most; give the image that it was drawn on.", item=one.name)
        if abs(depth.setdefault(k, middle) - middle) > _FLAT:
            apart = f"shares a slice with another that lies {abs(depth[k] - middle):.2f} spacings from it"
            raise BadGeometry(f"{at} {apart}: it was drawn on finer slices; give the image that it was drawn on.", item=one.name)
        found.setdefault(k, []).append(points[:, :2])
    return found
