"""The Medical Segmentation Decathlon's layout: ``dataset.json`` with a list of pairs, ``imagesTr/``, ``labelsTr/``, ``imagesTs/``.

Antonelli et al. 2022, doi:10.1038/s41467-022-30695-9.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onclair.core.errors import BadCase, BadInput, OnclairError
from onclair.io.layouts.labelled import (
    LESIONS,
    Labelled,
    LabelledCase,
    LeftOut,
    Owners,
    about_of,
    by_patient,
    case_name,
    dataset_json,
    inside,
    refused,
    volumes_in,
)
from onclair.io.layouts.nnunet import channels_of, label_names


def read_msd(root: str | Path, owners: Owners | None = None, *, labels_as: str = LESIONS) -> Labelled:
    """Return what a task of the Decathlon holds.

    Parameters
    ----------
    root : path
        ``TaskNN_Name``; the shadows ``._*`` that its archives carry are no files.
    owners : Owners, optional
        Whose each case is; by ``patients.csv`` in the folder, or each case its own patient, where left out.
    labels_as : str
        Kind of the label maps in a cohort.

    Returns
    -------
    Labelled
        Files that are listed and missing, and label maps or images that nothing lists, are in `left_out`, by name.

    Raises
    ------
    BadInput
        For a missing or damaged ``dataset.json``, one without labels, or several modalities: they lie in one 4-D file there.
    """
    root = Path(root)
    document, owners = dataset_json(root), owners or Owners(root)
    training = document.get("training")
    if not isinstance(training, list):
        raise BadInput(f"The dataset.json of {root} holds no list 'training'; for nnU-Net's layout, say nnunet.", item="training")
    kinds = channels_of(document)
    if len(kinds) > 1:
        sentence = f"The data set {root} holds {len(kinds)} modalities ({', '.join(kinds)}) in 4-D files, and a volume has three axes"
        raise BadInput(f"{sentence}; split them into nnU-Net's layout first.", item=str(root))
    entries = [(entry, False) for entry in training] + [(entry, True) for entry in document.get("test") or []]
    cases: list[LabelledCase] = []
    left: list[LeftOut] = []
    for number, (entry, testing) in enumerate(entries, start=1):
        try:
            cases.append(_case(root, entry, number, (kinds[0], labels_as), testing, owners))
        except OnclairError as error:
            left.append(refused(error.item or f"entry {number}", error))
    left += _unlisted(root, entries)
    names = {labels_as: label_names(document)}
    return Labelled("msd", root, by_patient(cases), names, (root / "dataset.json",), tuple(left), (), about_of(document))


def _case(root: Path, entry: Any, number: int, kinds: tuple[str, str], testing: bool, owners: Owners) -> LabelledCase:
    kind, labels_as = kinds
    files = {"image": entry} if isinstance(entry, str) else entry if isinstance(entry, Mapping) else {}
    if "image" not in files:
        raise BadCase(f"Entry {number} of dataset.json names no image; complete it.", item=f"entry {number}")
    image = inside(root, files["image"], of="dataset.json")
    name = case_name(image)
    if not image.is_file():
        raise BadCase(f"The image of {name} is missing: there is no file {files['image']}; add it or remove its entry.", item=name)
    if "label" not in files:
        if not testing:
            raise BadCase(f"The image of {name} has no label map in dataset.json; add it, or list the image under 'test'.", item=name)
        return LabelledCase(name, *owners.of(name), {kind: image}, {}, testing)
    label = inside(root, files["label"], of="dataset.json")
    if not label.is_file():
        raise BadCase(f"The image of {name} has no label map: there is no file {files['label']}; add it or remove its entry.", item=name)
    return LabelledCase(name, *owners.of(name), {kind: image}, {labels_as: label}, testing)


def _unlisted(root: Path, entries: list[tuple[Any, bool]]) -> list[LeftOut]:
    """Return the training files that nothing lists."""
    listed = {case_name(Path(str(e.get("image") if isinstance(e, Mapping) else e))) for e, _ in entries}
    return [
        LeftOut("", name, f"The file {folder}/{path.name} is not listed in dataset.json; list it or move it away.")
        for folder in ("imagesTr", "labelsTr")
        for name, path in volumes_in(root / folder).items()
        if name not in listed
    ]
