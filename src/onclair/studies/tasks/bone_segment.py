"""`onclair bone segment`: one CT to its bone and lesions, in every form that a hospital asks for; written whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair import __version__
from onclair.core.canonical import sha256_of
from onclair.core.errors import BadCase, BadSetting
from onclair.core.finding import Finding
from onclair.core.progress import Listener, silent
from onclair.core.values import Image, Mask
from onclair.io.dicom.codes import ABNORMAL, ANATOMICAL, BONE, METASTASIS, region_of
from onclair.io.dicom.read import Volume
from onclair.io.dicom.segmented import bone_segment, lesion_segment, write_segments
from onclair.io.dicom.sr import Measured, write_measurements
from onclair.io.dicom.write_outlines import write_rtstruct
from onclair.io.files import sealed_folder, write_atomically
from onclair.io.nifti import write_image, write_map
from onclair.io.scans import map_on
from onclair.io.tables import write_table
from onclair.learn.lesion_finder import NONE, THRESHOLD, Found, lesions_by_network, lesions_by_threshold, network_at
from onclair.learn.lesion_finder import Finding as Running
from onclair.learn.tiles import Segmenter
from onclair.report.bone_sheet import bone_sheet
from onclair.report.lesions_shown import pictured
from onclair.run.store import json_bytes
from onclair.science.bone.lesions import Lesion, lesion_table, level_table
from onclair.science.volumes.components import instances_of
from onclair.science.volumes.diameters import volume_ml
from onclair.studies.tasks.bone_scan import Boned, Given, boned

#: What a bone or lesion is in a SEG (category, type), for the finding.
BONE_CODES = {"category": list(ANATOMICAL), "type": list(BONE)}
LESION_CODES = {"category": list(ABNORMAL), "type": list(METASTASIS)}
NOT_WHOLE = "No SEG, SR or RTSTRUCT was written: slices are missing, or were sheared back, and DICOM objects cite what was measured."
FILES = ("ct", "bone", "lesions", "table", "seg", "sr", "rtstruct", "finding", "sheet")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was asked for.

    Attributes
    ----------
    given : Given
    out : Path
    model : str
        ``demo``, ``threshold``, ``none``, a folder or an ONNX file.
    lesions : Path or None
        Anyone's mask, measured instead of a model's.
    running : onclair.learn.lesion_finder.Finding
    progress : callable
    """

    given: Given
    out: Path
    model: str = "demo"
    lesions: Path | None = None
    running: Running = field(default_factory=Running)
    progress: Listener = silent


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What was found and written.

    Attributes
    ----------
    boned : Boned
    found : Found
    rows : tuple of Lesion
    drawn : bool
        Whether a model ran or a mask was given, so that there are lesions to tell of.
    outputs : mapping of str to str or None
    warnings : tuple of mapping
        ``code text``.
    """

    boned: Boned
    found: Found
    rows: tuple[Lesion, ...]
    drawn: bool
    outputs: Mapping[str, str | None] = field(default_factory=dict)
    warnings: tuple[Mapping[str, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        facts, boned = self.boned.scan.facts.as_dict(), self.boned
        levels: tuple[dict[str, Any], ...] = ()
        image = boned.scan.image
        if boned.labels is not None and boned.scheme is not None:
            levels = level_table(image.array, image.affine, boned.labels, boned.scheme)
        return {
            "estimates": [],
            "warnings": [dict(note) for note in self.warnings],
            "image": facts,
            "bone": {"volume_ml": volume_ml(int(boned.bone.sum()), image.affine), "method": boned.method},
            "tiles": {"total": self.found.tiles_total, "run": self.found.tiles_run},
            "levels": list(levels),
            "lesions": [row.as_dict() for row in self.rows],
            "outputs": dict(self.outputs),
        }


def segment(asked: Asked) -> Done:
    """Find and measure the lesions of one CT and write what was found.

    Raises
    ------
    BadInput, BadCase, BadGeometry
        As :func:`onclair.studies.tasks.bone_scan.boned`, and for lesions on another grid.
    BadSetting
        For a threshold outside (0, 1), or a memory ceiling below one tile.
    BadModelFile
        For a model that cannot be used.
    NoRoom
        When the folder holds something, or cannot be written.
    """
    _check(asked.running)
    network = None if asked.lesions is not None or asked.model in (NONE, THRESHOLD) else network_at(asked.model)
    scan = boned(asked.given)
    drawn = None
    if asked.lesions is not None:
        drawn = instances_of(map_on(scan.scan, asked.lesions, of="the lesions", leave=("Bone",)))
    with sealed_folder(asked.out) as folder:  # before what takes long, so that a folder in the way is told at once
        found = _found(scan, asked, network, drawn)
        scores = dict(enumerate(found.scores, start=1)) if found.scores else None
        rows = lesion_table(scan.scan.image.array, scan.scan.image.affine, found.instances, scan.skeleton, scores=scores)
        done = Done(scan, found, rows, asked.lesions is not None or asked.model != NONE, warnings=scan.warnings)
        graph = None if network is None else network.bundle.record.graph
        return _written(folder, done, asked, None if graph is None else hashlib.sha256(graph).hexdigest())


def _check(running: Running) -> None:
    """Refuse what no network could be run with, before anything is read; said of the other models too, which do not need it."""
    threshold, ram = running.threshold, running.ram_gb
    if threshold is not None and not 0 < threshold < 1:
        raise BadSetting(f"The threshold is {threshold:g}; a probability between 0 and 1 is needed.", item="threshold")
    if running.threads < 1:
        raise BadSetting(f"{running.threads} threads were asked for; at least 1 is needed.", item="threads")
    if ram is not None and not ram > 0:
        raise BadSetting(f"The memory ceiling is {ram:g} GB; give more than 0, or leave --ram-gb out.", item="ram_gb")


def _found(scan: Boned, asked: Asked, network: Segmenter | None, drawn: npt.NDArray[np.int32] | None) -> Found:
    """Return the lesions: as they were drawn, else by the network, by thresholds, or none."""
    hu, affine, bone = scan.scan.image.array, scan.scan.image.affine, (scan.bone, scan.method)
    if drawn is not None:
        return Found(*bone, drawn)
    if network is not None:
        return lesions_by_network(hu, affine, bone, network, asked.running, progress=asked.progress)
    if asked.model == THRESHOLD:
        return lesions_by_threshold(hu, affine, bone)
    return Found(*bone, np.zeros(hu.shape, np.int32))


def _written(folder: Path, done: Done, asked: Asked, model_sha256: str | None) -> Done:
    """Write everything into a folder that will appear whole."""
    scan = done.boned.scan
    names: dict[str, str] = {"ct": "ct.nii.gz", "bone": "bone.nii.gz", "finding": "finding.json", "sheet": "sheet.html"}
    said = "virtual" if scan.facts.virtual else ""
    write_image(folder / "ct.nii.gz", Image(_hounsfield(scan.image), scan.image.affine, "HU", "CT"), description=said)
    write_map(folder / "bone.nii.gz", done.boned.bone.astype(np.uint8), scan.image.affine, description=said)
    if done.drawn:
        names |= {"lesions": "lesions.nii.gz", "table": "lesions.csv"}
        write_map(folder / "lesions.nii.gz", _smallest(done.found.instances), scan.image.affine, description=said)
        write_table(folder / "lesions.csv", _table(done.rows))
    if scan.volume is not None:
        made, notes = _dicom(folder, done, scan.volume, asked)
        names, done = names | made, replace(done, warnings=(*done.warnings, *notes))
    finding = finding_of(done, asked, model_sha256).as_dict()
    write_atomically(folder / "finding.json", json_bytes(finding))
    write_atomically(folder / "sheet.html", bone_sheet(finding).encode())
    write_atomically(folder / "sheet.fr.html", bone_sheet(finding, "fr").encode())
    return replace(done, outputs={name: str(asked.out / names[name]) if name in names else None for name in FILES})


def _dicom(folder: Path, done: Done, volume: Volume, asked: Asked) -> tuple[dict[str, str], tuple[Mapping[str, str], ...]]:
    """Write SEG, SR and RTSTRUCT, or say why not: nothing that was only looked at through gaps goes out as DICOM."""
    names = {"seg": "seg.dcm", "sr": "sr.dcm", "rtstruct": "rtstruct.dcm"}
    if not done.boned.scan.facts.whole:
        return {}, ({"code": "no_dicom", "text": NOT_WHOLE},)
    made_by = (_algorithm(asked), __version__)
    segments = [bone_segment(algorithm=_bone_by(done.boned), version=__version__)]
    segments += [lesion_segment(row.id, row.bone, row.level, row.side, made_by=made_by) for row in done.rows]
    maps: dict[str, npt.NDArray[Any]] = {"bone": done.boned.bone.astype(np.uint8), "lesions": done.found.instances}
    groups = [Measured("Bone", {"volume_mm3": 1000 * volume_ml(int(done.boned.bone.sum()), volume.image.affine)})]
    groups += [measured(row) for row in done.rows]
    layers = [done.boned.bone, *(done.found.instances == row.id for row in done.rows)]
    outlined = Mask(np.stack(layers), volume.image.affine, ("Bone", *(f"Lesion {row.id}" for row in done.rows)), "model")
    try:
        write_segments(folder / names["seg"], segments, maps, volume)
        write_measurements(folder / names["sr"], groups, folder / names["seg"], volume)
        write_rtstruct(folder / names["rtstruct"], outlined, volume)
    except BadCase as error:  # a series that these objects cannot cite, multi-frame for instance: the rest stands
        for name in names.values():
            (folder / name).unlink(missing_ok=True)
        return {}, ({"code": "no_dicom", "text": f"No SEG, SR or RTSTRUCT was written: {error}"},)
    return names, ()


def _bone_by(boned: Boned) -> str:
    """Return what drew the bone; empty for anyone's mask, of which nobody says."""
    if boned.method == "computed":
        return "Onclair bone mask"
    return f"{boned.scheme.name} labels" if boned.method == "labels" and boned.scheme is not None else ""


def measured(row: Lesion) -> Measured:
    """Return what a report says of one lesion."""
    values = {
        "volume_mm3": 1000 * row.volume_ml,
        "axial_diameter_mm": row.axial_diameter_mm,
        "perpendicular_diameter_mm": row.perpendicular_diameter_mm,
        "longest_diameter_mm": row.longest_diameter_mm,
        "hu_mean": row.hu_mean,
    }
    where = (region_of(row.bone, row.level),)
    return Measured(f"Lesion {row.id}", values, METASTASIS, where, row.side or "", row.type or "", "Onclair", __version__)


def finding_of(done: Done, asked: Asked, model_sha256: str | None) -> Finding:
    """Return the finding: masks, lesions, pictures; measured, not judged, for no run stands behind it."""
    boned, scan = done.boned, done.boned.scan
    name = _algorithm(asked) or "given"
    how = "MANUAL" if boned.method == "given" else "AUTOMATIC"
    masks = [{"file": "bone.nii.gz", "segments": [{"value": 1, "label": "Bone", **BONE_CODES, "algorithm": how}]}]
    if done.drawn:
        drawn = "AUTOMATIC" if asked.lesions is None else "MANUAL"
        segments = [{"value": row.id, "label": f"Lesion {row.id}", **LESION_CODES, "algorithm": drawn} for row in done.rows]
        masks.append({"file": "lesions.nii.gz", "segments": segments})
    record = {"lesions": [row.as_dict() for row in done.rows] if done.drawn else None, "image": scan.facts.as_dict(), "model": name}
    shown = pictured(scan.image.array, scan.image.affine, done.found.instances, done.rows, virtual=scan.facts.virtual)
    detail = {"lesions": record["lesions"], "pictures": shown, "strength": None}
    exam = None if scan.volume is None else {"study_uid": scan.volume.series.exam_uid, "series_uid": scan.volume.series.uid}
    return Finding(
        study="bone",
        subject=asked.out.resolve().name,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        data="virtual" if scan.facts.virtual else "real",
        model={"id": f"bone:{name}", "version": __version__, "sha256": model_sha256 or sha256_of(["bone", name, __version__])},
        evidence=sha256_of(record),
        exam=exam,
        masks=tuple(masks),
        answer={"value": "measured", "reason": None},
        detail=detail,
        warnings=tuple(done.warnings),
    )


def _algorithm(asked: Asked) -> str:
    if asked.lesions is not None:
        return ""
    return asked.model if asked.model in (NONE, THRESHOLD, "demo") else Path(asked.model).stem


def _table(rows: Sequence[Lesion]) -> pd.DataFrame:
    """Return the lesions as a table that a person can correct; a place in three columns."""
    columns = [name for name in Lesion.__dataclass_fields__ if name != "centroid_lps_mm"]
    found = pd.DataFrame([{name: asdict(row)[name] for name in columns} for row in rows], columns=columns)
    for place, axis in enumerate("xyz"):
        found[f"{axis}_mm"] = [row.centroid_lps_mm[place] for row in rows]
    return found


def _smallest(instances: Any) -> Any:
    most = int(instances.max(initial=0))
    return instances.astype(np.uint8 if most < 256 else np.uint16 if most < 65536 else np.int32)


def _hounsfield(image: Image) -> Any:
    """Return whole Hounsfield units as int16 where they are such, so that nothing is lost and little is written."""
    array = image.array
    if array.dtype.kind in "iu" or bool((array == np.rint(array)).all()):
        return array.astype(np.int16) if abs(float(array.min())) < 32768 and float(array.max()) < 32768 else array
    return array.astype(np.float32)
