"""nnU-Net's raw layout, version 2: ``dataset.json``, ``imagesTr/CASE_0000.nii.gz``, ``labelsTr/CASE.nii.gz``.

Isensee et al. 2021, doi:10.1038/s41592-020-01008-z; the layout is that of nnU-Net's own documentation, ``dataset_format.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onclair.core.errors import BadCase, BadInput, OnclairError
from onclair.io.layouts.labelled import (
    ENDINGS,
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
    kind_of,
    refused,
    volumes_in,
)

_CHANNEL = re.compile(r"(.+)_(\d{4})")
#: Beside nnU-Net's own folders, an exported cohort keeps the maps in which values number lesions.
INSTANCES = "instancesTr"
#: Folders of images and labels: for training, and held back for testing.
FOLDERS = (("imagesTr", "labelsTr", False), ("imagesTs", "labelsTs", True))


def read_nnunet(root: str | Path, owners: Owners | None = None, *, labels_as: str = LESIONS) -> Labelled:
    """Return what a raw data set of nnU-Net holds.

    Parameters
    ----------
    root : path
        ``DatasetNNN_NAME``.
    owners : Owners, optional
        Whose each case is; by ``patients.csv`` in the folder, or each case its own patient, where left out.
    labels_as : str
        Kind of the label maps in a cohort.

    Returns
    -------
    Labelled
        Cases without a label, without one of their channels or without an image are in `left_out`, by name.

    Raises
    ------
    BadInput
        For a missing or damaged ``dataset.json``, one without labels or channels, or files that are no NIfTI.
    """
    root = Path(root)
    document, owners = dataset_json(root), owners or Owners(root)
    kinds, ending = channels_of(document), str(document.get("file_ending") or ".nii.gz")
    if ending not in ENDINGS:
        raise BadInput(f"The data set {root} holds {ending} files; convert them to .nii.gz, which this reads.", item=ending)
    cases: list[LabelledCase] = []
    left: list[LeftOut] = []
    listed = document.get("dataset")
    numbered = (root / INSTANCES).is_dir()
    for images, labels, testing in FOLDERS:
        drawn = root / (INSTANCES if numbered and not testing else labels)
        found = _named(root, listed, left) if isinstance(listed, Mapping) and not testing else _files(root / images, drawn, ending)
        for name in sorted(found):
            try:
                cases.append(_case(name, found[name], kinds, owners, labels_as, testing))
            except OnclairError as error:
                left.append(refused(name, error))
    notes = _counted(document, sum(not case.testing for case in cases) + len(left))
    names = {} if numbered else {labels_as: label_names(document)}
    return Labelled("nnunet", root, by_patient(cases), names, (root / "dataset.json",), tuple(left), notes, about_of(document))


def channels_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the kind of each channel of a ``dataset.json``, in order.

    Raises
    ------
    BadInput
        When it names none, or their numbers leave gaps.

    Examples
    --------
    >>> channels_of({"channel_names": {"0": "CT"}})
    ('ct',)
    """
    names = document.get("channel_names") or document.get("modality")
    if not isinstance(names, Mapping) or sorted(map(str, names)) != sorted(str(i) for i in range(len(names))) or not names:
        found = f"channel_names = {names!r}"
        raise BadInput(f'dataset.json says {found}; write the channels by number, such as {{"0": "CT"}}.', item="channel_names")
    kinds = [kind_of({str(k): v for k, v in names.items()}[str(i)]) for i in range(len(names))]
    return tuple(kind if kinds.count(kind) == 1 else f"{kind}-{i}" for i, kind in enumerate(kinds))


def label_names(document: Mapping[str, Any]) -> dict[int, str]:
    """Return what each value of the label maps means.

    Parameters
    ----------
    document : mapping
        nnU-Net's ``{"labels": {"tumour": 1}}``, its regions ``{"whole": [1, 2]}``, or the Decathlon's ``{"labels": {"1": "tumour"}}``.

    Returns
    -------
    dict of int to str
        In order of value. Of several regions that share a value, the smallest names it.

    Raises
    ------
    BadInput
        For no labels, or values that are no whole numbers from 0 on.

    Examples
    --------
    >>> label_names({"labels": {"background": 0, "whole": [1, 2], "core": [2]}})
    {0: 'background', 1: 'whole', 2: 'core'}
    """
    labels = document.get("labels")
    if not isinstance(labels, Mapping) or not labels:
        raise BadInput(f'dataset.json says labels = {labels!r}; name them, such as {{"background": 0, "lesion": 1}}.', item="labels")
    found: dict[int, tuple[int, str]] = {}
    for key, value in labels.items():
        name, values = (str(value), [key]) if isinstance(value, str) and not str(key).isalpha() else (str(key), value)
        values = values if isinstance(values, list) else [values]
        for one in values:
            if isinstance(one, bool) or not str(one).isdecimal():
                sentence = f"dataset.json gives the label '{name}' the value {one!r}; values are whole numbers from 0 on"
                raise BadInput(f"{sentence}: correct it.", item=name)
            found[int(one)] = min(found.get(int(one), (len(values), name)), (len(values), name))
    return {value: found[value][1] for value in sorted(found)}


_Files = tuple[Mapping[int, Path], Path | None]


def _files(images: Path, labels: Path, ending: str) -> dict[str, _Files]:
    """Return channels by number and the label map of each case of two folders."""
    channels: dict[str, dict[int, Path]] = {}
    for stem, path in volumes_in(images, (ending,)).items():
        match = _CHANNEL.fullmatch(stem)
        channels.setdefault(match[1] if match else stem, {})[int(match[2]) if match else -1] = path
    drawn = volumes_in(labels, (ending,))
    return {name: (channels.get(name, {}), drawn.get(name)) for name in {*channels, *drawn}}


def _named(root: Path, listed: Mapping[str, Any], left: list[LeftOut]) -> dict[str, _Files]:
    """Return the files of the cases that ``dataset.json`` lists one by one."""
    found: dict[str, _Files] = {}
    for name, entry in listed.items():
        try:
            images = [inside(root, one, of="dataset.json") for one in entry["images"]]
            label = inside(root, entry["label"], of="dataset.json")
        except OnclairError as error:
            left.append(refused(name, error))
        except (TypeError, KeyError):
            left.append(LeftOut("", name, f"The case {name} of dataset.json names no images and label; complete it."))
        else:
            found[name] = ({i: p for i, p in enumerate(images) if p.is_file()}, label if label.is_file() else None)
    return found


def _case(name: str, files: _Files, kinds: tuple[str, ...], owners: Owners, labels_as: str, testing: bool) -> LabelledCase:
    images, label = files
    if -1 in images:
        wanted = f"{name}_0000{images[-1].name.removeprefix(case_name(images[-1]))}"
        raise BadCase(f"The image {images[-1].name} has no channel number; call it {wanted}.", item=name)
    if not images:
        raise BadCase(f"The case {name} has a label map and no image; add {name}_0000 to imagesTr or remove the label map.", item=name)
    if sorted(images) != list(range(len(kinds))):
        sentence = f"The case {name} has the channels {sorted(images)}, dataset.json names {len(kinds)} from 0 on"
        raise BadCase(f"{sentence}: add what is missing, or correct channel_names.", item=name)
    if label is None and not testing:
        raise BadCase(f"The image of {name} has no label map in labelsTr; add {name}.nii.gz or move the image to imagesTs.", item=name)
    patient, centre, visit = owners.of(name)
    labels = {} if label is None else {labels_as: label}
    return LabelledCase(name, patient, centre, visit, {kind: images[i] for i, kind in enumerate(kinds)}, labels, testing)


def _counted(document: Mapping[str, Any], found: int) -> tuple[Mapping[str, str], ...]:
    said = document.get("numTraining")
    if said is None or said == found:
        return ()
    return ({"code": "other_count", "text": f"dataset.json announces {said} training cases and the folder holds {found}."},)
