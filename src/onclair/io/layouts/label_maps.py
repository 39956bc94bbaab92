"""Label maps opened beside their image: on its grid, whole numbers, every value named; refused by the name of the case."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase
from onclair.core.geometry import Affine, checked_affine, reindexed, same_grid
from onclair.core.values import Image
from onclair.io.layouts.pairs import Pair
from onclair.io.nifti import read_image

_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_MM = {"meter": 1000.0, "micron": 0.001}


def read_pair(pair: Pair, labels: Mapping[int, str] | None = None) -> tuple[Image, npt.NDArray[np.int32]]:
    """Return the CT of a pair and its label map on the same grid.

    Parameters
    ----------
    pair : Pair
    labels : mapping of int to str, optional
        The values that may occur; None where they number instances and any may.

    Returns
    -------
    image : Image
        HU, shape (x, y, z), affine to LPS mm.
    values : ndarray, int32, shape (x, y, z)
        On the image's grid: flipped or permuted axes are followed, nothing is resampled. All zero where the pair has no label map.

    Raises
    ------
    BadCase
        For files that cannot be read, four axes, numbers that are no labels, or a value that no label names.
    BadGeometry
        For a label map on another grid; both affines are quoted.

    Examples
    --------
    >>> import tempfile
    >>> from onclair.io.nifti import write_image
    >>> ct = Image(np.zeros((2, 2, 2), np.int16), np.eye(4), "HU", "CT")
    >>> with tempfile.TemporaryDirectory() as home:
    ...     write_image(Path(home, "a.nii"), ct)
    ...     write_image(Path(home, "b.nii"), Image(np.eye(2, dtype=np.uint8)[..., None].repeat(2, 2), np.eye(4), "a.u."))
    ...     _, values = read_pair(Pair("a", "a", "North", Path(home, "a.nii"), Path(home, "b.nii")), {0: "background", 1: "lesion"})
    >>> int(values.sum())
    4
    """
    image = read_image(pair.image, "HU", "CT", of=f"the image of {pair.case}")
    if pair.label is None:
        return image, np.zeros(image.array.shape, np.int32)
    return image, label_values(pair.label, (image.affine, image.array.shape), labels, case=pair.case)[0]


def check_label_map(image: Path, label: Path, labels: Mapping[int, str] | None, *, case: str) -> None:
    """Refuse a label map that does not belong to its image; of the image, only the header is read.

    Parameters
    ----------
    image, label : Path
    labels : mapping of int to str or None
        As :func:`read_pair`.
    case : str
        For the sentence.

    Raises
    ------
    BadCase, BadGeometry
        As :func:`read_pair`.
    """
    label_values(label, grid_of(image, case=case), labels, case=case)


def grid_of(path: Path, *, case: str) -> tuple[Affine, tuple[int, int, int]]:
    """Return affine to LPS mm and shape of a NIfTI volume, by its header alone.

    Raises
    ------
    BadCase
        For a file that is missing, no NIfTI, or has more than three axes.

    Examples
    --------
    >>> grid_of(Path("/nowhere.nii"), case="liver_1")
    Traceback (most recent call last):
    onclair.core.errors.BadCase: The image of liver_1 cannot be read (no such file or no access: '/nowhere.nii'); copy or export it again.
    """
    import nibabel

    try:
        header: Any = nibabel.load(path).header
        shape, affine = tuple(int(n) for n in header.get_data_shape()), np.array(header.get_best_affine(), dtype=np.float64)
        affine[:3] *= _MM.get(header.get_xyzt_units()[0], 1.0)
    except Exception as error:  # nibabel and its codecs raise anything
        why = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        why = why[:1].lower() + why[1:]
        raise BadCase(f"The image of {case} cannot be read ({why}); copy or export it again.", item=case) from error
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3:
        raise BadCase(f"The image of {case} has the shape {shape}; a volume has three axes: split it into one file a channel.", item=case)
    return checked_affine(_TO_LPS @ affine, of=f"the image of {case}"), (shape[0], shape[1], shape[2])


def label_values(
    label: Path, grid: tuple[Affine, tuple[int, ...]], labels: Mapping[int, str] | None, *, case: str
) -> tuple[npt.NDArray[np.int32], bool]:
    """Return a label map on a grid, and whether it already lay there axis for axis.

    Parameters
    ----------
    label : Path
    grid : (affine, shape)
        Of the image.
    labels : mapping of int to str or None
        As :func:`read_pair`.
    case : str

    Raises
    ------
    BadCase, BadGeometry
        As :func:`read_pair`.
    """
    of = f"the label map of {case}"
    found = read_image(label, "a.u.", of=of)
    array = found.array
    wrong = (array < 0) | (array >= 2**31)
    if array.dtype.kind == "f":
        wrong |= array != np.rint(array)
    if wrong.any():
        sentence = f"The label map of {case} holds the value {array[wrong][0]}, which is no label"
        raise BadCase(f"{sentence}; labels are whole numbers from 0 on.", item=case)
    values = array.astype(np.int32)
    if labels is not None:
        _all_named(values, labels, case)
    return reindexed(values, found.affine, grid[0], grid[1], of=of), same_grid(found.affine, values.shape, grid[0], grid[1])


def _all_named(values: npt.NDArray[np.int32], labels: Mapping[int, str], case: str) -> None:
    unknown = [int(value) for value in np.unique(values) if value and int(value) not in labels]
    if unknown:
        known = ", ".join(map(str, sorted(labels)))
        sentence = f"The label map of {case} holds the value {unknown[0]}, which no label names (known: {known})"
        raise BadCase(f"{sentence}; correct the map, or name the value.", item=case)
