"""The scans that `onclair bone train` learns from: read, tallied for the plan, and prepared on the network's grid, each once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadCase, BadCohort
from onclair.core.geometry import spacing_mm
from onclair.core.progress import Listener, Progress
from onclair.core.seeds import rng_for
from onclair.core.values import Image
from onclair.io.files import sha256_file, write_atomically
from onclair.io.layouts.label_maps import read_pair
from onclair.io.layouts.pairs import Pair, Pairs, pairs_of
from onclair.learn.plan import FoldCases, Plan, Scan, Tally, plan_of
from onclair.learn.segment_data import Prepared, load_prepared, prepare, save_prepared
from onclair.learn.tile_grid import upright
from onclair.science.bone.mask import bone_mask


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What there is to learn from.

    Attributes
    ----------
    pairs : tuple of Pair
        Every one with a label map.
    values : tuple of int
        The label value of each foreground class; empty where every value above 0 numbers a lesion.
    classes : tuple of str
        Background first.
    named : mapping of int to str, or None
        The values that may occur; None where any may.
    layout : str
    identity : str
        SHA-256 over the files of every case.
    """

    pairs: tuple[Pair, ...]
    values: tuple[int, ...]
    classes: tuple[str, ...]
    named: Mapping[int, str] | None
    layout: str
    identity: str

    def read(self, pair: Pair) -> tuple[Image, npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
        """Return the CT, the class of each voxel, and the label map as it is."""
        image, values = read_pair(pair, self.named)
        classes = np.zeros(values.shape, dtype=np.uint8)
        if not self.values:
            classes[values > 0] = 1
        for number, value in enumerate(self.values, start=1):
            classes[values == value] = number
        return image, classes, values


def material_of(data: Path) -> Material:
    """Return what a folder holds to learn from; of the scans, only hashes are taken.

    Raises
    ------
    BadCohort
        For an image without label map, or more classes than can be told apart.
    BadInput
        As :func:`onclair.io.layouts.pairs.pairs_of`.
    """
    found: Pairs = pairs_of(data)
    pairs = tuple(pair for pair in found.pairs if pair.label is not None)
    if not pairs:
        raise BadCohort(f"No image in {data} has a label map, so there is nothing to learn from; add label maps.", item=str(data))
    values = () if found.instances else tuple(sorted(value for value in found.labels if value > 0))
    classes = ("background", "lesion") if found.instances else ("background", *(found.labels[value] for value in values))
    if not 2 <= len(classes) <= 255:
        raise BadCohort(f"The labels of {data} name {len(classes) - 1} classes; 1 to 254 can be learnt.", item="labels")
    hashes = [[pair.case, pair.patient, sha256_file(pair.image), sha256_file(pair.label)] for pair in pairs if pair.label is not None]
    named = None if found.instances else dict(found.labels)
    return Material(pairs, values, classes, named, found.layout, sha256_of([hashes, list(classes), list(values)]))


def planned(material: Material, kept: Path | None, preset: str, folds: int, seed: int, *, progress: Listener) -> Plan:
    """Return the plan of a training, read again where a training that was killed had written it.

    Parameters
    ----------
    material : Material
    kept : Path or None
        The folder of the training under way.
    preset : str
    folds, seed : int
    progress : callable
        Listens to one event a scan.

    Raises
    ------
    BadCase
        For a scan or label map that cannot be used.
    BadCohort, BadSetting
        As :func:`onclair.learn.plan.plan_of`.
    """
    document = None if kept is None else kept / "plan.json"
    if document is not None and document.is_file():
        record = json.loads(document.read_bytes())
        cuts = tuple(FoldCases(tuple(each["train"]), tuple(each["validation"])) for each in record["folds"])
        plan = Plan.from_record(record)
        return Plan(**{**{name: getattr(plan, name) for name in Plan.__slots__}, "folds": cuts})
    scans, foreground = [], Tally()
    for done, pair in enumerate(material.pairs, start=1):
        image, classes, _ = material.read(pair)
        foreground.add(image.array[classes > 0])
        straight, affine = upright(image.array, image.affine)
        shape = (int(straight.shape[0]), int(straight.shape[1]), int(straight.shape[2]))
        scans.append(Scan(pair.case, pair.patient, spacing_mm(affine), shape, bool(classes.any())))
        progress(Progress("plan", done, len(material.pairs), pair.case, unit="scans"))
    plan = plan_of(scans, foreground, preset=preset, classes=material.classes, folds=folds, rng=rng_for(seed, "folds"))
    if document is not None:
        write_atomically(document, json.dumps(plan.as_dict()).encode())
    return plan


def prepared(material: Material, plan: Plan, kept: Path, seed: int, *, progress: Listener) -> dict[str, Prepared]:
    """Return every scan on the network's grid, those that a killed training had prepared as they lie.

    Parameters
    ----------
    material : Material
    plan : Plan
    kept : Path
    seed : int
    progress : callable
    """
    found: dict[str, Prepared] = {}
    for done, pair in enumerate(material.pairs, start=1):
        folder = kept / "scans" / pair.case
        if not folder.is_dir():
            image, classes, _ = material.read(pair)
            bone = looked_at(image)
            drawn = rng_for(seed, "places", pair.case)
            save_prepared(folder, prepare(pair.case, image, classes, plan, bone=bone, rng=drawn))
        found[pair.case] = load_prepared(folder)
        progress(Progress("prepare", done, len(material.pairs), pair.case, unit="scans"))
    return found


def looked_at(image: Image) -> npt.NDArray[np.bool_]:
    """Return where lesions may lie: the bone mask; empty where the scan shows none, which means everywhere."""
    try:
        return bone_mask(image.array, image.affine)
    except BadCase:
        return np.zeros(image.array.shape[:3], dtype=bool)


def facts(material: Material) -> dict[str, Any]:
    """Return what a record says of the data: no case by name."""
    return {"layout": material.layout, "cases": len(material.pairs), "identity": material.identity, "classes": list(material.classes)}
