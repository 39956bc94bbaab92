"""Voxel-wise maps of one image, written as NIfTI: each voxel holds the feature of its neighbourhood.

::

    OUT/evidence.json                                    the seal
    OUT/describe/NAME/evidence.json + TAG.nii.gz ...     the maps, by the content of image, outline, settings and code
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadSetting, NoRoom
from onclair.core.evidence import Evidence, content_key
from onclair.io.nifti import write_map
from onclair.io.source import source_sha256
from onclair.run.environment import environment
from onclair.run.extraction_rows import STAGE, Subject, absolute
from onclair.run.outlined import Outlined, read_outlined, sha256_of_files
from onclair.run.recipes import Recipe
from onclair.run.store import EVIDENCE, Store, inputs_of, opened, read_evidence
from onclair.science.radiomics.extraction import Extraction
from onclair.science.radiomics.grid import resampled
from onclair.science.radiomics.voxel_maps import Kernel, MapSettings, VoxelMaps, voxel_maps

KIND = "voxel-maps"


@dataclass(frozen=True, slots=True)
class MapOrder:
    """Which maps to make, with which settings, into which folder.

    Attributes
    ----------
    recipe : Recipe
        Of the dialect ``ibsi``, without filters.
    tags : tuple of str
        Features that have maps, or families.
    out : Path
    kernel : Kernel
    structure : str or None
        The structure of the outline; needed where it holds several.
    threads : int
        No map depends on it.
    """

    recipe: Recipe
    tags: tuple[str, ...]
    out: Path
    kernel: Kernel
    structure: str | None = None
    threads: int = 1

    def settings(self) -> MapSettings:
        """Return what is computed.

        Raises
        ------
        BadSetting
            For settings of another dialect or with filters, or a feature that has no map.
        """
        if not isinstance(self.recipe.how, Extraction):
            kind = self.recipe.as_record()["dialect"]
            raise BadSetting(
                f"The settings '{self.recipe.name}' are of the kind {kind}, of which there are no voxel maps; choose IBSI settings without "
                "filters, such as pet-fbs-0.5, or map a filtered image (onclair radiomics filter).",
                item="--settings",
            )
        return MapSettings(self.tags, self.recipe.how, self.kernel)


@dataclass(frozen=True, slots=True)
class Mapped:
    """What came of an order of maps.

    Attributes
    ----------
    maps : tuple of mapping
        ``tag file sha256 voxels undefined low high``, in the order asked for.
    kernel : mapping
    reused : bool
        Whether they lay there as they would have been made.
    notes : tuple of mapping
        ``code text``.
    evidence_id : str
    """

    maps: tuple[Mapping[str, Any], ...]
    kernel: Mapping[str, Any]
    reused: bool
    notes: tuple[Mapping[str, str], ...]
    evidence_id: str

    def as_dict(self) -> dict[str, Any]:
        """Return what was written as plain JSON values."""
        return {
            "maps": [dict(one) for one in self.maps],
            "kernel": dict(self.kernel),
            "reused": self.reused,
            "evidence_id": self.evidence_id,
            "warnings": [dict(note) for note in self.notes],
        }


def map_image(image: Path, mask: Path, name: str, order: MapOrder) -> Mapped:
    """Write the maps of one image.

    Parameters
    ----------
    image, mask : Path
        As :func:`onclair.run.outlined.read_outlined`.
    name : str
        Of the image, in the folder.
    order : MapOrder

    Returns
    -------
    Mapped
        float32 maps on the grid of the image, or on the one that the settings resample it to; NaN outside the outline and where a
        neighbourhood leaves a feature undefined.

    Raises
    ------
    BadInput, BadCase, BadGeometry, BadSetting
        When the files or the settings cannot be used; nothing is written.
    NoRoom
        When the folder cannot be written, is in use, or holds something else.
    """
    settings, subject = order.settings(), Subject(name, "", "", absolute(image), absolute(mask))
    inputs = {"image": sha256_of_files(subject.image), "mask": sha256_of_files(subject.mask)}
    record = {"dialect": "ibsi", **settings.as_record(), "structure": order.structure}
    code = sha256_of([source_sha256(read_outlined), source_sha256(voxel_maps), source_sha256(_made)])
    with opened(absolute(order.out)) as store:
        _refuse_other(store.root)
        folder = f"{STAGE}/{subject.name}"
        found = store.find(folder, content_key(STAGE, inputs, record, code, environment(), subject=subject.name))
        evidence = found or _written(store, Evidence(STAGE, subject.name, inputs, record, code, environment()), subject, order, settings)
        facts = {"kind": KIND, "pointer": False}
        seal = store.seal(Evidence("run", "", inputs_of({folder: evidence}), record, "", environment(), facts=facts))
    files = {tag: f"{tag}.nii.gz" for tag in settings.tags}
    maps = tuple(
        {**evidence.facts["maps"][tag], "file": str(order.out / folder / file), "sha256": evidence.outputs[file]}
        for tag, file in files.items()
    )
    return Mapped(maps, record["kernel"], found is not None, tuple(evidence.facts["notes"]), seal.id)


def _refuse_other(root: Path) -> None:
    """Refuse a folder that holds a finished run of another kind."""
    if (root / EVIDENCE).exists() and read_evidence(root).facts.get("kind") != KIND:
        raise NoRoom(f"{root} holds a finished run, not voxel maps; choose another --out.", item=str(root))


def _written(store: Store, evidence: Evidence, subject: Subject, order: MapOrder, settings: MapSettings) -> Evidence:
    outlined = read_outlined(subject.image, subject.mask, structure=order.structure, of=subject.patient)
    maps, affine = _made(outlined, settings, order.threads)
    told = {tag: _told(tag, maps) for tag in settings.tags}
    facts = {"maps": told, "notes": [dict(note) for note in outlined.notes]}

    def fill(partial: Path) -> None:
        for tag in settings.tags:
            write_map(partial / f"{tag}.nii.gz", maps.volume(tag), affine)

    whole = Evidence(evidence.stage, evidence.subject, evidence.inputs, evidence.settings, evidence.code, evidence.environment, facts=facts)
    return store.write(f"{STAGE}/{subject.name}", whole, fill)


def _made(outlined: Outlined, settings: MapSettings, threads: int) -> tuple[VoxelMaps, Any]:
    """Return the maps and the affine of their grid: the image's, or the one that the settings resample to."""
    image, affine, grid = outlined.image, outlined.image.affine, settings.how.grid
    array, region, spacing = image.array, outlined.region, image.spacing_mm
    if grid is not None:
        moved = resampled(array, region, spacing, grid, margin_mm=0.0)
        step = np.eye(4)
        step[:3, :3] = np.diag(np.array(moved.spacing_mm) / np.array(spacing))
        step[:3, 3] = moved.origin
        array, region, spacing, affine = moved.array, moved.region, moved.spacing_mm, affine @ step
    with ThreadPoolExecutor(threads) as pool:
        return voxel_maps(array, region, spacing, settings, over=pool.map), affine


def _told(tag: str, maps: VoxelMaps) -> dict[str, Any]:
    values = maps.values[tag]
    defined = values[~np.isnan(values)]
    ends = (float(defined.min()), float(defined.max())) if defined.size else (None, None)
    return {"tag": tag, "voxels": int(values.size), "undefined": int(values.size - defined.size), "low": ends[0], "high": ends[1]}
