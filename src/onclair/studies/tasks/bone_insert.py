"""`onclair bone insert`: a real CT and its bone labels in, the same CT with virtual lesions and their truth out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadCase, BadSetting
from onclair.core.geometry import reindexed
from onclair.core.values import Image
from onclair.io.dicom.ct import read_ct
from onclair.io.files import sealed_folder
from onclair.io.label_schemes import read_label_scheme
from onclair.io.nifti import read_image, write_image, write_map
from onclair.io.tables import write_table
from onclair.science.bone.labels import Scheme, totalseg, verse
from onclair.virtual.bone_insert import Asked, Inserted, Wish, insert

CT, LESIONS, TRUTH = "ct.nii.gz", "lesions.nii.gz", "truth.csv"
#: Schemes that have a name; any other word is a file.
_SCHEMES = {"totalseg": totalseg, "verse": verse}


@dataclass(frozen=True, slots=True)
class Insertion:
    """What the command was asked for.

    Attributes
    ----------
    image : Path
        NIfTI in HU, or a DICOM folder.
    labels : Path
        Bone labels on the same grid, NIfTI; flipped or permuted axes are re-indexed.
    out : Path
        Must not hold anything yet.
    n, seed : int
    type : {"any", "lytic", "blastic", "mixed", "occult"}
    diameter : str
        ``LO-HI`` in mm.
    scheme : str
        ``totalseg``, ``verse``, or a file.
    series : str or None
        Where a folder holds several.
    """

    image: Path
    labels: Path
    out: Path
    n: int = 1
    seed: int = 1
    type: Asked = "any"
    diameter: str = "6-25"
    scheme: str = "totalseg"
    series: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What was put in and written.

    Attributes
    ----------
    lesions : tuple of mapping
        As in ``truth.csv``.
    scanner : mapping
        ``fwhm_mm`` and ``noise_hu`` as the scan says, and what of them is ``guessed``.
    warnings : tuple of mapping
    outputs : mapping of str to str
    """

    lesions: tuple[Mapping[str, Any], ...]
    scanner: Mapping[str, Any]
    warnings: tuple[Mapping[str, str], ...]
    outputs: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        lesions = [dict(lesion) for lesion in self.lesions]
        told = {"estimates": [], "warnings": [dict(warning) for warning in self.warnings], "data": "virtual"}
        return {**told, "lesions": lesions, "scanner": dict(self.scanner), "outputs": dict(self.outputs)}


def insert_lesions(asked: Insertion) -> Done:
    """Put lesions into a scan and write image, instances and truth; nothing is written unless all of them found room.

    Raises
    ------
    BadInput
        For a CT or labels that cannot be read, another grid, an unknown scheme, or bones too small for what was asked.
    BadSetting
        For diameters that are no range.
    NoRoom
        When the folder is taken or cannot be written.
    """
    wish = Wish(asked.n, asked.type, diameters(asked.diameter))
    image, notes = _ct(asked)
    labels = _labels(asked, image)
    found = insert(image.array, image.affine, labels, _scheme(asked.scheme), wish=wish, rng=np.random.default_rng([23, asked.seed]))
    rows = tuple({"patient": _case(asked.image), **row, "data": "virtual"} for row in found.rows)
    with sealed_folder(asked.out) as place:
        write_image(place / CT, Image(found.hu, image.affine, "HU", "CT"), description="virtual lesions in a real CT")
        write_map(place / LESIONS, found.lesions, image.affine, description="virtual lesions")
        write_table(place / TRUTH, pd.DataFrame(rows).astype(object))
    by = found.scanner
    told = {"fwhm_mm": round(by.fwhm_mm, 3), "noise_hu": round(by.noise_hu, 2), "guessed": list(by.guessed)}
    outputs = {"ct": str(asked.out / CT), "lesions": str(asked.out / LESIONS), "table": str(asked.out / TRUTH)}
    return Done(rows, told, (*notes, *_warnings(found)), outputs)


def diameters(words: str) -> tuple[float, float]:
    """Return the least and largest diameter of ``LO-HI``; one number means both.

    Examples
    --------
    >>> diameters("8-20"), diameters("12")
    ((8.0, 20.0), (12.0, 12.0))
    """
    low, _, high = words.partition("-")
    try:
        return float(low), float(high or low)
    except ValueError:
        raise BadSetting(f"The diameter is '{words}'; write a range in mm such as 8-20.", item="diameter") from None


def _ct(asked: Insertion) -> tuple[Image, tuple[Mapping[str, str], ...]]:
    if asked.image.name.endswith((".nii", ".nii.gz")):
        return read_image(asked.image, "HU", "CT", of=f"the CT {asked.image.name}"), ()
    volume = read_ct(asked.image, series=asked.series)
    return volume.image, tuple(volume.notes)


def _labels(asked: Insertion, image: Image) -> npt.NDArray[Any]:
    of = f"the label map {asked.labels.name}"
    found = read_image(asked.labels, "a.u.", of=of)
    whole = np.rint(found.array)
    if not np.array_equal(whole, found.array):
        raise BadCase(f"The label map {asked.labels.name} holds values that are no whole numbers; give the labels, not an image.", item=of)
    return reindexed(whole.astype(np.int32), found.affine, image.affine, image.array.shape, of=of)


def _scheme(name: str) -> Scheme:
    return _SCHEMES[name]() if name in _SCHEMES else Scheme.from_mapping(read_label_scheme(name))


def _case(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".nii") or "case"


def _warnings(found: Inserted) -> tuple[Mapping[str, str], ...]:
    said = {
        "kernel": "The outline of the body shows too few edges to measure the kernel; one of 1.1 mm was taken.",
        "noise": "No even soft tissue was found to measure the noise; white noise of 15 HU was taken.",
    }
    virtual = {"code": "virtual", "text": "The lesions are virtual; whatever is measured on them says so."}
    return (virtual, *({"code": f"guessed_{name}", "text": said[name]} for name in found.scanner.guessed))
