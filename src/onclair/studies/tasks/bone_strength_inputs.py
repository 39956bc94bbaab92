"""What `onclair bone strength` is given: a material map, a density or a calibrated CT, the bone in it, its lesions, the other side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadInput, BadSetting
from onclair.core.geometry import Affine, spacing_mm
from onclair.core.values import Image
from onclair.io.bone_calibration import read_calibration
from onclair.io.dicom.ct_facts import facts_of_image
from onclair.io.nifti import read_image
from onclair.io.scans import Scan, map_on, read_scan
from onclair.science.bone.assess import specimen_of
from onclair.science.bone.calibrate import from_dict
from onclair.science.bone.labels import totalseg
from onclair.science.bone.mask import bone_mask
from onclair.science.bone.metal import metal
from onclair.science.bone.specimen import Specimen
from onclair.science.bone.vertebral_body import body_of_labels
from onclair.science.volumes.components import box_of, components, instances_of

Flags = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]
#: Room that is kept around the bone when it is cut out of its scan, mm.
ROOM_MM = 20.0


@dataclass(frozen=True, slots=True)
class Source:
    """Where the bone comes from.

    Attributes
    ----------
    material, image, calibration, density : Path or None
        One of: a material map; a CT with its calibration; a density.
    bone_mask : Path or None
    label : tuple of int
        Values of the mask; several belong to one bone.
    lesions : Path or None
    side : {"left", "right"} or None
    series : str or None
    """

    material: Path | None = None
    image: Path | None = None
    calibration: Path | None = None
    density: Path | None = None
    bone_mask: Path | None = None
    label: tuple[int, ...] = ()
    lesions: Path | None = None
    side: str | None = None
    series: str | None = None

    def __post_init__(self) -> None:
        given = [path for path in (self.material, self.image, self.density) if path is not None]
        if len(given) != 1:
            raise BadSetting("Give one of --material, --image with --calibration, or --density.", item="material")
        if (self.image is None) != (self.calibration is None):
            raise BadSetting(
                "A CT needs its calibration and a calibration its CT; give both --image and --calibration.", item="calibration"
            )
        if self.label and self.bone_mask is None:
            raise BadSetting("--label names values of a mask; give the mask with --bone-mask.", item="label")
        if self.series is not None and self.image is None:
            raise BadSetting("--series chooses a series of --image; leave it out.", item="series")


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What was read.

    Attributes
    ----------
    scan : Scan
        The grid of the input, on which fields are written back.
    specimen : Specimen or None
        The bone; None for a material map.
    other : Specimen or None
        The other side of a femur, on the same grid as `specimen`.
    lesions : ndarray, int32, shape (x, y, z)
        Instances, on the grid of the input.
    warnings : tuple of mapping
    """

    scan: Scan
    specimen: Specimen | None
    other: Specimen | None
    lesions: Labels
    warnings: tuple[Mapping[str, str], ...] = ()


def read(source: Source, case: str) -> Given:
    """Read what a bone's strength is computed from.

    Parameters
    ----------
    source : Source
    case : str
        Femurs have another side; a vertebra has a body.

    Raises
    ------
    BadInput, BadCase, BadGeometry, BadSetting
        For files that cannot be read, another grid, an absent label, an empty bone, metal in it, a gantry tilt.
    """
    scan = _scan(source)
    lesions = _lesions(source, scan)
    if source.material is not None:
        return Given(scan, None, None, _masked(lesions, source, scan))
    labels, notes = _labels(source, scan)
    chosen = _chosen(source, labels, case)
    bone = np.isin(labels, chosen)
    other = _other_side(labels, chosen) if case.startswith("femur") else None
    _no_metal(scan, bone, source)
    box = _room(bone if other is None else bone | other, scan.image.spacing_mm)
    specimen, twin = _specimens(source, scan, (labels, chosen, lesions, other), box)
    if source.lesions is not None and not specimen.lesions.any():
        text = f"No lesion in {source.lesions.name} lies in this bone, so there is no tumour to assume anything of."
        notes.append({"code": "no_lesion_in_bone", "text": text})
    return Given(scan, specimen, twin, lesions, (*scan.facts.warnings, *notes) if source.image is not None else tuple(notes))


def _scan(source: Source) -> Scan:
    if source.image is not None:
        scan = read_scan(source.image, series=source.series)
        if scan.facts.sheared:
            said = f"The CT {source.image.name} was taken with a tilted gantry and shifted back by interpolation"
            raise BadCase(f"{said}; its densities are not fit for finite elements: scan without tilt.", item=source.image.name)
        return scan
    path, what = (source.material, "material map") if source.material is not None else (source.density, "density")
    assert path is not None
    try:
        image = read_image(path, "a.u.", of=f"the {what} {path.name}")
    except BadCase as error:
        if "NaN" not in str(error):
            raise
        count = str(error).partition(" holds ")[2].partition(",")[0]
        raise BadCase(f"The {what} {path.name} holds {count}; write 0 where there is nothing.", item=path.name) from error
    return Scan(image, facts_of_image(image))


def _lesions(source: Source, scan: Scan) -> Labels:
    if source.lesions is None:
        return np.zeros(scan.image.array.shape, np.int32)
    return instances_of(map_on(scan, source.lesions, of="the lesions"))


def _masked(lesions: Labels, source: Source, scan: Scan) -> Labels:
    """Return the lesions of a material map, within its mask where one is given."""
    if source.bone_mask is None:
        return lesions
    labels = map_on(scan, source.bone_mask, of="the bone mask")
    return np.where(np.isin(labels, _chosen(source, labels, "")), lesions, 0).astype(np.int32)


def _labels(source: Source, scan: Scan) -> tuple[Labels, list[Mapping[str, str]]]:
    """Return the label map of the bones; without a mask the largest piece of what looks like bone, and a note that says so."""
    if source.bone_mask is not None:
        return map_on(scan, source.bone_mask, of="the bone mask"), []
    if source.density is not None:
        return (scan.image.array != 0).astype(np.int32), []
    parts, count = components(bone_mask(scan.image.array, scan.image.affine))
    if not count:
        raise BadCase("There is no bone in the CT; give its mask with --bone-mask.", item="bone-mask")
    largest = 1 + int(np.argmax(np.bincount(parts.ravel(), minlength=count + 1)[1:]))
    text = "No bone mask was given; the largest piece of bone in the scan was taken, which may be several bones."
    return (parts == largest).astype(np.int32), [{"code": "no_bone_mask", "text": text}]


def _chosen(source: Source, labels: Labels, case: str) -> tuple[int, ...]:
    """Return the values of the bone."""
    present = [int(value) for value in np.unique(labels) if value]
    if not present:
        raise BadCase("The bone mask is empty; give one that holds voxels.", item="bone-mask")
    if source.label:
        absent = [value for value in source.label if value not in present]
        if absent:
            held = ", ".join(map(str, present[:20]))
            raise BadCase(f"The bone mask has no label {absent[0]}; it holds {held}: choose with --label.", item=str(absent[0]))
        return source.label
    femurs = [value for value in present if value in totalseg().bones and totalseg().bones[value].name == "femur"]
    if case.startswith("femur") and source.side is not None and femurs:
        wanted = [value for value in femurs if totalseg().bones[value].side == source.side]
        if not wanted:
            raise BadCase(f"The bone mask has no {source.side} femur (75 left, 76 right); choose with --label.", item=source.side)
        return (wanted[0],)
    if len(present) > 1:
        held = ", ".join(map(str, present[:20]))
        raise BadCase(f"The bone mask holds {len(present)} labels ({held}); name those of one bone with --label.", item="label")
    return (present[0],)


def _other_side(labels: Labels, chosen: tuple[int, ...]) -> Flags | None:
    """Return the femur of the other side, where the labels are TotalSegmentator's and it is in view."""
    bones = totalseg().bones
    here = bones.get(chosen[0])
    if here is None or here.name != "femur":
        return None
    twin = next(value for value, bone in bones.items() if bone.name == "femur" and bone.side != here.side)
    found = np.asarray(labels == twin)
    return found if found.any() else None


def _no_metal(scan: Scan, bone: Flags, source: Source) -> None:
    if source.image is None:
        return
    inside = metal(scan.image.array, scan.image.affine) & bone
    if inside.any():
        said = f"Metal or its streaks fill {int(inside.sum())} voxels of the bone in {source.image.name}"
        raise BadCase(f"{said}; its strength cannot be computed from this scan.", item=source.image.name)


def _specimens(
    source: Source, scan: Scan, parts: tuple[Labels, tuple[int, ...], Labels, Flags | None], box: tuple[slice, slice, slice]
) -> tuple[Specimen, Specimen | None]:
    """Return the bone, and the other side, cut out of the scan."""
    labels, chosen, lesions, other = parts
    values, affine = scan.image.array[box], _moved(scan.image, box)
    bone = np.isin(labels[box], chosen)
    spots = np.where(bone, lesions[box], 0).astype(np.int32)
    body = body_of_labels(labels[box], chosen, spacing_mm(affine))
    if source.calibration is not None:
        calibration = from_dict(read_calibration(source.calibration))
        mine = specimen_of(values, affine, calibration, bone, body, spots)
        return mine, None if other is None else specimen_of(values, affine, calibration, other[box])
    density, nothing = np.asarray(values, dtype=np.float64), np.zeros(bone.shape)
    mine = Specimen(density, nothing, bone, body, spots, affine)
    if other is None:
        return mine, None
    return mine, Specimen(density, nothing, other[box], other[box], np.zeros(bone.shape, np.int32), affine)


def _room(bone: Flags, edges: tuple[float, ...]) -> tuple[slice, slice, slice]:
    return box_of(bone, margin=int(np.ceil(ROOM_MM / min(edges))))


def _moved(image: Image, box: tuple[slice, slice, slice]) -> Affine:
    shift = np.eye(4)
    shift[:3, 3] = [side.start for side in box]
    return np.asarray(image.affine @ shift)


def refuse_cut(specimen: Specimen, given: Given, case: str, axis: str) -> None:
    """Refuse a bone that the scan cuts in the direction of the load.

    A femur may end at the lower border, where it is held; its head may not be cut.

    Raises
    ------
    BadCase
    """
    if case not in ("spine-compression", "femur-stance", "femur-sideways-fall"):
        return
    row = 2 if case.startswith("femur") else "xyz".index(axis)
    affine = given.scan.image.affine
    along = int(np.argmax(np.abs(affine[row, :3])))
    size = given.scan.image.array.shape[along]
    offset = round(float((np.linalg.inv(affine) @ specimen.affine)[along, 3]))
    there = np.flatnonzero(np.asarray(specimen.bone.any(axis=tuple(a for a in range(3) if a != along)))) + offset
    upper, lower = (size - 1, 0) if affine[row, along] > 0 else (0, size - 1)
    cut = [name for name, at in (("upper", upper), ("lower", lower)) if at in there and not (name == "lower" and case.startswith("femur"))]
    if cut:
        said = f"The bone reaches the {cut[0]} border of the scan along {'xyz'[row]}, so part of it is missing in the direction of the load"
        raise BadCase(f"{said}; scan the whole bone.", item="bone-mask")


def material_of(given: Given) -> npt.NDArray[np.float64]:
    """Return the moduli of a material map.

    Raises
    ------
    BadInput
        For moduli that are negative, or zero everywhere.
    """
    values: npt.NDArray[Any] = np.asarray(given.scan.image.array, dtype=np.float64)
    if values.min() < 0:
        raise BadInput(f"The material map holds {int((values < 0).sum())} negative moduli, down to {values.min():g} MPa; write 0 there.")
    if values.max() == 0:
        raise BadInput("The material map is 0 MPa everywhere; a modulus above 0 is needed somewhere.", item="material")
    return values
