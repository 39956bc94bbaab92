"""A cohort written as nnU-Net's raw data or as a task of the Decathlon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadInput
from onclair.core.values import Image
from onclair.io.files import gzipped, write_atomically
from onclair.io.layouts.bring import place
from onclair.io.layouts.label_maps import grid_of, label_values
from onclair.io.layouts.labelled import PATIENTS, LabelledCase
from onclair.io.layouts.nnunet import INSTANCES
from onclair.io.nifti import write_image
from onclair.io.tables import write_table

if TYPE_CHECKING:
    from onclair.io.layouts.export import Outgoing

Raw = Literal["nnunet", "msd"]
_LESION = {0: "background", 1: "lesion"}
_CHANNELS = {"ct": "CT", "mr": "MRI", "pet": "PET"}
#: What a layout says of itself where nobody is shown.
_VIRTUAL = "VIRTUAL: simulated, nobody is shown"


def write_raw(going: Outgoing, folder: Path, layout: Raw) -> tuple[Mapping[str, str], ...]:
    """Write images, label maps, ``dataset.json`` and ``patients.csv`` into a folder.

    Parameters
    ----------
    going : Outgoing
        Cases that were checked.
    folder : Path
    layout : {"nnunet", "msd"}

    Returns
    -------
    tuple of mapping
        ``code text``: ``instances_joined`` where numbers of lesions became the label 1.

    Raises
    ------
    BadInput
        For two scans of one name.
    NoRoom
        When the folder cannot be written.
    """
    _one_name_each(going.cases)
    names = going.names.get(going.labels[0])
    paths = {path for case in going.cases for path in (*case.images.values(), *case.labels.values())}
    ending = ".nii" if all(path.name.endswith(".nii") for path in paths) else ".nii.gz"
    for case in going.cases:
        part = "Ts" if case.testing else "Tr"
        for number, kind in enumerate(going.images):
            channel = f"_{number:04d}" if layout == "nnunet" else ""
            _placed(case.images[kind], folder / f"images{part}" / f"{case.name}{channel}{ending}")
        for label in case.labels.values():
            _write_label(case, label, names, folder / f"labels{part}" / f"{case.name}{ending}", going.images[0])
            if names is None and layout == "nnunet" and not case.testing:
                _placed(label, folder / INSTANCES / f"{case.name}{ending}")
    _write_document(going, folder, layout, ending)
    _write_owners(going.cases, folder)
    if names is not None:
        return ()
    kept = f"; the numbers are kept in {INSTANCES}" if layout == "nnunet" else ""
    return ({"code": "instances_joined", "text": f"Values of '{going.labels[0]}' number lesions; all became the label 1{kept}."},)


def _one_name_each(cases: tuple[LabelledCase, ...]) -> None:
    seen: dict[str, str] = {}
    for case in cases:
        if case.name in seen:
            sentence = f"Two scans, of {seen[case.name]} and {case.patient}, would both be called {case.name}"
            raise BadInput(f"{sentence}; rename a visit in acquisitions.csv.", item=case.name)
        seen[case.name] = case.patient


def _placed(source: Path, target: Path) -> None:
    """Put a file at its place; packed only where the others are and it is not."""
    if target.name.endswith(".gz") and not source.name.endswith(".gz"):
        write_atomically(target, gzipped(source.read_bytes()))
    else:
        place(source, target)


def _write_label(case: LabelledCase, label: Path, names: Mapping[int, str] | None, target: Path, image: str) -> None:
    """Put a label map at its place, as it is where it may be, on its image's axes and with joined instances where it must."""
    affine, shape = grid_of(case.images[image], case=case.name)
    values, same = label_values(label, (affine, shape), names, case=case.name)
    if same and (names is not None or int(values.max(initial=0)) <= 1):
        _placed(label, target)
        return
    if names is None:
        values = (values > 0).astype(np.int32)
    write_image(target, Image(_small(values), affine, "a.u."))


def _small(values: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
    return values.astype(np.uint8) if values.max(initial=0) < 256 else values


def _write_document(going: Outgoing, folder: Path, layout: Raw, ending: str) -> None:
    training = [case.name for case in going.cases if not case.testing]
    testing = [case.name for case in going.cases if case.testing]
    kept = _kept(going.root, layout)
    document = _nnunet(going, len(training), ending) if layout == "nnunet" else _msd(going, training, testing, ending)
    if kept is not None and kept[0].get("labels"):
        document = _as_before(kept[0], document)
        if document == kept[0]:
            write_atomically(folder / "dataset.json", kept[1])
            return
    write_atomically(folder / "dataset.json", json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n")


def _kept(root: Path, layout: Raw) -> tuple[dict[str, Any], bytes] | None:
    """Return the document that the cohort was imported with, where it is of the same layout."""
    path = root / "dataset.json"
    if not path.is_file():
        return None
    data = path.read_bytes()
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except ValueError:
        return None
    same = isinstance(found, dict) and isinstance(found.get("training"), list) == (layout == "msd")
    return (found, data) if same else None


def _as_before(kept: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """Return the old document with what changed since; entries that are still true keep their words and order."""
    document = {key: value for key, value in kept.items() if key != "dataset"}
    for key in ("numTraining", "numTest"):
        if key in kept and key in made:
            document[key] = made[key]
    if "file_ending" in kept:
        document["file_ending"] = made["file_ending"]
    for key in ("training", "test"):
        if key in kept and key in made:
            document[key] = _in_old_order(kept[key], made[key])
    return document


def _in_old_order(old: Any, new: list[Any]) -> list[Any]:
    def image(entry: Any) -> str:
        return Path(str(entry.get("image") if isinstance(entry, Mapping) else entry)).name

    fresh = {image(entry): entry for entry in new}
    before = [entry for entry in old if image(entry) in fresh]
    known = {image(entry) for entry in before}
    return [*before, *(entry for name, entry in fresh.items() if name not in known)]


def _nnunet(going: Outgoing, count: int, ending: str) -> dict[str, Any]:
    names = going.names.get(going.labels[0]) or _LESION
    return {
        "channel_names": {str(i): _CHANNELS.get(kind, kind) for i, kind in enumerate(going.images)},
        "labels": {name: value for value, name in sorted({0: "background", **names}.items())},
        "numTraining": count,
        "file_ending": ending,
        **_about(going),
    }


def _msd(going: Outgoing, training: list[str], testing: list[str], ending: str) -> dict[str, Any]:
    names = going.names.get(going.labels[0]) or _LESION
    return {
        **_about(going),
        "tensorImageSize": "3D",
        "modality": {"0": _CHANNELS.get(going.images[0], going.images[0])},
        "labels": {str(value): name for value, name in sorted({0: "background", **names}.items())},
        "numTraining": len(training),
        "numTest": len(testing),
        "training": [{"image": f"./imagesTr/{name}{ending}", "label": f"./labelsTr/{name}{ending}"} for name in training],
        "test": [f"./imagesTs/{name}{ending}" for name in testing],
    }


def _about(going: Outgoing) -> dict[str, str]:
    about = going.cohort.about
    said = {"name": about.title, "reference": about.citation, "licence": about.licence}
    virtual = {"description": _VIRTUAL} if about.data == "virtual" else {}
    return {key: value for key, value in said.items() if value} | virtual


def _write_owners(cases: tuple[LabelledCase, ...], folder: Path) -> None:
    """Write whose each case is, where its name does not say it alone."""
    rows = [(case.name, case.patient, case.centre) for case in cases]
    if any(name != patient for name, patient, _ in rows) or {centre for *_, centre in rows} != {"unknown"}:
        write_table(folder / PATIENTS, pd.DataFrame(rows, columns=["case", "patient", "centre"]))
