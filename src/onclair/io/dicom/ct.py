"""One CT out of a folder, in Hounsfield units: series told apart by kernel, reformats left out, a gantry tilt taken out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from onclair.core.errors import BadCase, BadInput
from onclair.core.names import nearest
from onclair.core.values import Image
from onclair.io.dicom.files import Index, Item, is_dicom, item_of
from onclair.io.dicom.geometry import Departure, Interrupted
from onclair.io.dicom.read import EMPTY_HU, Series, Volume, load, looked_through, nothing_in, series_of
from onclair.io.dicom.straighten import straightened

#: Words of ImageType that mean: computed from other slices, not reconstructed from the scan.
REFORMATS = frozenset({"MPR", "REFORMATTED", "MIP", "MINIP", "CPR", "CURVED", "VRT", "SSD", "PROJECTION IMAGE", "SCREEN SAVE"})


def read_ct(path: str | Path, *, series: str | None = None, allow: Collection[Departure] = ()) -> Volume:
    """Return a CT in Hounsfield units on a box in LPS mm.

    Parameters
    ----------
    path : path
        A folder, or one file of the series; names and numbers of slices mean nothing.
    series : str, optional
        SeriesInstanceUID, or ``UID/KERNEL`` where one series holds several kernels.
    allow : collection of {"gaps"}
        ``"gaps"`` leaves missing slices empty (-1024 HU), keeps one of equal slices, and passes over damaged files: to look at only.

    Returns
    -------
    Volume
        A gantry tilt is taken out by shifting slices within their planes: ``facts["sheared"]`` is then True, and the notes say it.

    Raises
    ------
    BadInput
        For no CT, another modality, several series or kernels (all listed), a UID that is not there, or values that are no HU.
    BadGeometry
        As :func:`onclair.io.dicom.geometry.stacked`, the place of a missing or duplicate slice named.
    BadCase
        For a damaged or truncated file, by name.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from onclair.io.dicom.write import Exam, write_volume
    >>> ct = Image(np.arange(8).reshape(2, 2, 2), np.diag([1.0, 1.0, 3.0, 1.0]), "HU", "CT")
    >>> with tempfile.TemporaryDirectory() as home:
    ...     _ = write_volume(home, ct, Exam("P1", seed=1))
    ...     read_ct(home).image.spacing_mm
    (1.0, 1.0, 3.0)
    """
    path = Path(path)
    found = looked_through(path)
    damaged = [(file, why) for file, why in found.left_out if is_dicom(file)]
    if damaged and "gaps" not in allow:
        file, why = damaged[0]
        raise BadCase(f"{why.rstrip('.')}, or read what is left with --allow-gaps.", item=file.name)
    try:
        volume = load(_chosen(path, found, series), allow=("tilt", *allow))
    except Interrupted as error:
        raise Interrupted(f"{str(error).rstrip('.')}; --allow-gaps reads it all the same, to look at.", item=error.item) from error
    if volume.image.unit != "HU":
        text = next((note["text"] for note in volume.notes if note["code"] == "not_hounsfield"), "The series is not in HU.")
        raise BadInput(f"{text.rstrip('.')}; Hounsfield units are needed: export the original series.", item=volume.series.uid)
    lost = [{"code": "damaged_file", "text": f"{why.rstrip('.')}; it was passed over."} for _, why in damaged]
    volume = replace(volume, notes=(*volume.notes, *lost))
    return _straight(volume) if any(note["code"] == "tilted" for note in volume.notes) else volume


def ct_series(items: Sequence[Item]) -> dict[str, Series]:
    """Return the CT series among files by the name that chooses each: its UID, or ``UID/KERNEL`` where it holds several kernels.

    Parameters
    ----------
    items : sequence of Item
        Localisers and reformats among them are left out.

    Examples
    --------
    >>> ct_series([])
    {}
    """
    groups: dict[str, dict[str, list[Item]]] = {}
    for item in items:
        if item.kind == "image" and item.modality == "CT" and not item.localiser and not REFORMATS & set(item.image_type):
            groups.setdefault(item.series_uid, {}).setdefault(item.kernel, []).append(item)
    return {
        uid if len(kernels) == 1 else f"{uid}/{_plain(kernel)}": series_of(kernels[kernel])
        for uid, kernels in sorted(groups.items())
        for kernel in sorted(kernels)
    }


def _plain(kernel: str) -> str:
    return kernel.replace(" ", "-") or "none"


def _chosen(path: Path, found: Index, wanted: str | None) -> Series:
    series = ct_series(found.items)
    if not series:
        raise BadInput(_no_ct(path, found), item=str(path))
    if wanted is None and not path.is_dir():
        own = item_of(path)
        alike = [one for one in series.values() if any(item.path == own.path for item in one.items)]
        if not alike:
            kinds = ", ".join(own.image_type) or own.modality or "unknown"
            raise BadInput(f"The file {path.name} is no slice of a CT volume ({own.modality}, {kinds}); give a slice, or the folder.")
        return alike[0]
    if wanted is None and len(series) == 1:
        return next(iter(series.values()))
    listed = "; ".join(f"{name} ({_told(one)})" for name, one in series.items())
    if wanted is None:
        what = "CT series" if len({one.uid for one in series.values()}) > 1 else "kernels in one CT series"
        raise BadInput(f"The folder {path} holds {len(series)} {what}: {listed}; choose one with --series.", item=str(path))
    if wanted in series:
        return series[wanted]
    others = {item.series_uid: item.modality for item in found.items}
    if others.get(wanted, "CT") != "CT":
        raise BadInput(f"The series {wanted} in {path} is {others[wanted] or 'of no modality'}, not CT; choose from {listed}.", item=wanted)
    near = nearest(wanted, list(series))
    offer = f"did you mean {near}?" if near and not any(name.startswith(f"{wanted}/") for name in series) else f"choose from {listed}."
    raise BadInput(f"There is no CT series {wanted} in {path}; {offer}", item=wanted)


def _told(series: Series) -> str:
    """Return a series in words: what tells it from others."""
    head, files = series.items[0], len(series.items)
    kernel = f"kernel {head.kernel}" if head.kernel else "no kernel named"
    about = f", {head.description!r}" if head.description else ""
    return f"{files} file{'s' if files > 1 else ''}, {kernel}{about}"


def _no_ct(path: Path, found: Index) -> str:
    images = [item for item in found.items if item.kind == "image"]
    if not images:
        return nothing_in(path, found)
    kinds = sorted({item.modality for item in images})
    if "CT" in kinds:
        return f"Of the CT in {path}, only localisers or reformats are there; export the series that was reconstructed from the scan."
    return f"{path} holds {', '.join(kinds)} and no CT; give the folder of the CT series."


def _straight(volume: Volume) -> Volume:
    array, affine = straightened(volume.image.array, volume.image.affine, empty=EMPTY_HU)
    notes = [note for note in volume.notes if note["code"] != "tilted"]
    tilt = next(note["text"] for note in volume.notes if note["code"] == "tilted")
    text = f"{tilt.partition(';')[0]}; slices were shifted back by interpolation, for looking only."
    notes.append({"code": "sheared_back", "text": text})
    image = Image(array, affine, volume.image.unit, volume.image.modality)
    return replace(volume, image=image, notes=tuple(notes), facts={**volume.facts, "sheared": True})
