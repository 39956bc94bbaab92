"""NIfTI volumes in and out: LPS millimetres inside, RAS on disk, nothing of the header's free text kept.

NIfTI-1 data format, Cox et al. 2004 (https://nifti.nimh.nih.gov/nifti-1); NIfTI-2 is read too.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadInput
from onclair.core.geometry import Affine, checked_affine
from onclair.core.values import Image, Mask, Origin
from onclair.io.files import gunzipped, gzipped, is_gzip, write_atomically

_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_MM = {"mm": 1.0, "unknown": 1.0, "meter": 1000.0, "micron": 0.001}
_HEADER_SIZES = {348: "Nifti1Image", 540: "Nifti2Image"}
#: Labels up to which those that occur are marked in a table instead of sorted.
_MOST_MARKED = 1 << 20
_STORED = ("uint8", "int8", "int16", "uint16", "int32", "uint32", "float32", "float64")


def read_image(path: str | Path, unit: str, modality: str = "", *, of: str = "") -> Image:
    """Return the volume in a NIfTI file.

    Parameters
    ----------
    path : path
        ``.nii`` or ``.nii.gz``, NIfTI-1 or NIfTI-2, told apart by content. The sform is used when set, else the qform,
        else the spacing alone. ``scl_slope`` and ``scl_inter`` are applied in float64; without them the stored type is
        kept, so float32 comes back bit for bit.
    unit : {"HU", "SUV", "a.u."}
        NIfTI does not say it; the cohort does.
    modality : str
    of : str
        Whose volume it is, for errors: ``"the PET of P012"``.

    Returns
    -------
    Image
        Shape (x, y, z), affine voxel to LPS mm. The header's free text (descrip, db_name, aux_file, intent_name, extensions)
        is left behind.

    Raises
    ------
    BadCase
        For a missing, truncated or damaged file, one that is no NIfTI, several volumes, colour or complex voxels, NaN or
        infinity.
    BadGeometry
        For an orientation that is none.

    Examples
    --------
    >>> import tempfile
    >>> pet = Image(np.ones((2, 2, 2), np.float32), np.diag([4.0, 4.0, 3.0, 1.0]), "SUV", "PET")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_image(Path(folder, "pet.nii.gz"), pet)
    ...     again = read_image(Path(folder, "pet.nii.gz"), "SUV", "PET")
    >>> again.array.dtype, again.spacing_mm
    (dtype('float32'), (4.0, 4.0, 3.0))
    """
    of = of or f"the image {Path(path).name}"
    array, affine = _volume(path, of)
    bad = ~np.isfinite(array)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        count = int(bad.sum())
        found = "1 voxel that is" if count == 1 else f"{count} voxels that are"
        sentence = f"{_capital(of)} holds {found} NaN or infinite, the first at {first}; mend it at the source (an SUV conversion without"
        raise BadCase(f"{sentence} weight or dose is a common cause) or crop it.", item=of)
    return Image(_one_volume(array, of), affine, unit, modality)


def read_mask(
    path: str | Path, *, labels: Mapping[int, str] | Sequence[str] | None = None, origin: Origin = "expert", of: str = ""
) -> Mask:
    """Return the outlines in a NIfTI file.

    Parameters
    ----------
    path : path
        A label map; values stored as float are accepted when they are whole numbers.
    labels : mapping of int to str, sequence of str, or None
        Names of the values: by value (others are left out; one that is absent is refused), or of the values 1, 2, ... in
        order. A file of several volumes is read only when a sequence names each volume. None takes what is there: one
        value, whatever it is, becomes ``"outline"``; several keep their number as name.
    origin : {"expert", "model", "truth"}
    of : str
        Whose outline it is, for errors: ``"the outline of P012"``.

    Returns
    -------
    Mask
        An integer instance map (x, y, z), or bool (label, x, y, z) for several volumes. It may be empty: whether that is
        an error is for the study to say.

    Raises
    ------
    BadCase
        As :func:`read_image`, and for values that are not whole numbers, negative, or not named.

    Examples
    --------
    >>> import tempfile
    >>> drawn = Mask(np.ones((1, 2, 2, 2), bool), np.eye(4), ("GTV",))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_mask(Path(folder, "gtv.nii.gz"), drawn)
    ...     again = read_mask(Path(folder, "gtv.nii.gz"), labels=["GTV"])
    >>> again.labels, int((again.array == 1).sum())
    (('GTV',), 8)
    """
    of = of or f"the outline {Path(path).name}"
    array, affine = _volume(path, of)
    values = _whole_numbers(array, of)
    if values.ndim == 4 and labels is not None and not isinstance(labels, Mapping) and len(labels) == values.shape[3]:
        return Mask(np.moveaxis(values != 0, 3, 0), affine, tuple(labels), origin)
    values = _one_volume(values, of)
    if labels is None:
        present = _present(values)
        labels = {v: str(v) for v in present} if len(present) > 1 else {present[0] if present else 1: "outline"}
    if isinstance(labels, Mapping):
        return _chosen(values, affine, labels, origin, of)
    if values.max() > len(labels):
        raise BadCase(f"{_capital(of)} holds the value {values.max()}, but only 1 to {len(labels)} are named; name every value.", item=of)
    return Mask(values, affine, tuple(labels), origin)


def write_image(path: str | Path, image: Image, *, description: str = "") -> None:
    """Write a volume as NIfTI-1, atomically; equal input gives equal bytes.

    Parameters
    ----------
    path : path
        Ends with ``.nii`` or ``.nii.gz``.
    image : Image
        Kept in its own type where NIfTI readers know it; bool becomes uint8, 64-bit integers int32 where they fit.
    description : str
        At most 79 ASCII characters in the header; never a patient's.

    Raises
    ------
    BadInput
        For another ending, a longer description, or numbers that NIfTI readers do not know.
    NoRoom
        When the folder cannot be written.
    """
    _write(path, image.array, image.affine, description)


def write_map(path: str | Path, values: npt.NDArray[Any], affine: Affine, *, description: str = "") -> None:
    """Write numbers that are no image, such as a feature of each voxel's neighbourhood, as NIfTI-1, atomically.

    Parameters
    ----------
    path : path
        Ends with ``.nii`` or ``.nii.gz``.
    values : ndarray of real numbers, shape (x, y, z)
        NaN where there is none, which an image may not hold: :func:`read_image` refuses such a file.
    affine : ndarray, float64, shape (4, 4)
        Voxel to LPS mm.
    description : str
        At most 79 ASCII characters; never a patient's.

    Raises
    ------
    BadInput, NoRoom
        As :func:`write_image`.
    """
    _write(path, values, affine, description)


def write_mask(path: str | Path, mask: Mask, *, description: str = "") -> None:
    """Write outlines as a NIfTI-1 label map, atomically; value ``i + 1`` is ``labels[i]``.

    Layers that overlap are written as one volume a label; :func:`read_mask` reads them back when it is given the labels.

    Parameters
    ----------
    path : path
        Ends with ``.nii`` or ``.nii.gz``.
    mask : Mask
    description : str
        At most 79 ASCII characters.

    Raises
    ------
    BadInput, NoRoom
        As :func:`write_image`.
    """
    array = mask.array
    if array.ndim == 4:
        overlap = array.sum(axis=0, dtype=np.int32).max(initial=0) > 1
        numbers = np.arange(1, len(array) + 1).reshape(-1, 1, 1, 1)
        array = np.moveaxis(array, 0, 3) if overlap else (array * numbers).sum(axis=0)
    array = array.astype(np.uint8 if array.max(initial=0) < 256 else np.int32)
    _write(path, array, mask.affine, description)


def _write(path: str | Path, array: npt.NDArray[Any], affine: Affine, description: str) -> None:
    path = Path(path)
    if not path.name.endswith((".nii", ".nii.gz")):
        raise BadInput(f"The file {path.name} cannot hold a volume; name it .nii or .nii.gz.", item=path.name)
    if len(description) > 79 or not description.isascii():
        raise BadInput(f"The description '{description}' does not fit a NIfTI header; use at most 79 plain characters.", item=path.name)
    ras = _TO_LPS @ affine
    image = _nibabel().Nifti1Image(_storable(array), ras)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = description.encode()
    image.set_sform(ras, code=1)
    image.set_qform(ras, code=1 if _orthogonal(ras) else 0, strip_shears=True)
    data = image.to_bytes()
    write_atomically(path, gzipped(data) if path.name.endswith(".gz") else data)


def _storable(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.dtype == bool:
        return array.astype(np.uint8)
    if array.dtype.name in _STORED:
        return array
    if array.dtype == np.float16:
        return array.astype(np.float32)
    if np.issubdtype(array.dtype, np.integer) and array.min() >= -(2**31) and array.max() < 2**31:
        return array.astype(np.int32)
    span = f"{array.dtype} with values {array.min()} to {array.max()}"
    raise BadInput(f"A volume of {span} has no place in NIfTI; convert it to float32 first.")


def _orthogonal(affine: Affine) -> bool:
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.allclose(axes.T @ axes, np.eye(3), atol=1e-6))


def _volume(path: str | Path, of: str) -> tuple[npt.NDArray[Any], Affine]:
    """Return the voxels, trailing axes of length one squeezed away, and the affine to LPS mm."""
    nibabel = _nibabel()
    data = _content(Path(path), of)
    kind = _HEADER_SIZES.get(int.from_bytes(data[:4], "little")) or _HEADER_SIZES.get(int.from_bytes(data[:4], "big"))
    if kind is None or (data[344:348] != b"n+1\0" and data[4:8] != b"n+2\0"):
        raise BadCase(f"{_capital(of)} ({Path(path).name}) is not a one-file NIfTI; convert it to .nii or .nii.gz.", item=of)
    try:
        header = getattr(nibabel, kind).header_class.from_fileobj(io.BytesIO(data))
        shape, dtype, slope, affine = header.get_data_shape(), header.get_data_dtype(), header.get_slope_inter(), _lps(header)
    except (nibabel.spatialimages.HeaderDataError, ValueError, KeyError, np.linalg.LinAlgError) as error:
        raise BadCase(f"The header of {of} ({Path(path).name}) is damaged ({str(error).rstrip('.')}); export it again.", item=of) from error
    if dtype.kind not in "iufb":
        raise BadCase(f"{_capital(of)} ({Path(path).name}) holds {dtype} voxels; a volume of plain real numbers is needed.", item=of)
    array = _voxels(data, int(header.get_data_offset()), shape, dtype, of)
    return _scaled(array, *slope), checked_affine(affine, of=of)


def _content(path: Path, of: str) -> bytes:
    """Return the bytes of a NIfTI, unpacked to the last byte of its checksum: nibabel would not notice a short tail."""
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "does not exist"
        raise BadCase(f"{_capital(of)} is missing: {path} {found}; correct its path or leave the patient out.", item=of)
    try:
        data = path.read_bytes()
        return gunzipped(data) if is_gzip(data) else data
    except (EOFError, zlib.error) as error:
        raise BadCase(f"{_capital(of)} ({path.name}) is cut short or damaged ({error}); copy or export it again.", item=of) from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise BadCase(f"{_capital(of)} ({path}) cannot be read ({why}); check its rights and its disk.", item=of) from error


def _voxels(data: bytes, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any], of: str) -> npt.NDArray[Any]:
    count = int(np.prod(shape, dtype=np.int64)) if shape else 0
    if len(shape) < 3 or count <= 0:
        raise BadCase(f"{_capital(of)} has the shape {tuple(shape)}; a volume has three axes.", item=of)
    needed, found = count * dtype.itemsize, len(data) - offset
    if found < needed:
        sizes = f"{max(found, 0)} bytes of voxels where its header promises {needed}"
        raise BadCase(f"{_capital(of)} is cut short: {sizes}; copy it again.", item=of)
    array = np.frombuffer(data, dtype, count, offset).reshape(shape, order="F")
    while array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]
    native = np.dtype(dtype.type)
    return array.view(native) if dtype == native else array.astype(native)


def _scaled(array: npt.NDArray[Any], slope: float | None, intercept: float | None) -> npt.NDArray[Any]:
    if slope is None or (slope == 1 and not intercept):
        return array if array.dtype.itemsize <= 8 else array.astype(np.float64)
    return array.astype(np.float64) * slope + (intercept or 0.0)


def _lps(header: Any) -> Affine:
    """Return the affine to LPS mm: sform, else qform, else spacing; microns and metres become millimetres."""
    affine = np.array(header.get_best_affine(), dtype=np.float64)
    unit = header.get_xyzt_units()[0]
    affine[:3] *= _MM.get(unit, 1.0)
    return np.asarray(_TO_LPS @ affine)


def _one_volume(array: npt.NDArray[Any], of: str) -> npt.NDArray[Any]:
    if array.ndim > 3:
        found = f"{int(np.prod(array.shape[3:]))} volumes (shape {array.shape})"
        raise BadCase(f"{_capital(of)} holds {found}; one is needed: split the file and name the one to use.", item=of)
    return array


def _whole_numbers(array: npt.NDArray[Any], of: str) -> npt.NDArray[np.int32]:
    if array.dtype in (np.uint8, np.uint16):
        return array.astype(np.int32)
    bad = (array < 0) | (array > 2**31 - 1)
    if array.dtype.kind == "f":
        bad |= ~np.isfinite(array) | (array != np.rint(array))
    if bad.any():
        found = array[tuple(np.argwhere(bad)[0])]
        raise BadCase(f"{_capital(of)} holds the value {found}, which is no label; outlines are whole numbers, 0 outside.", item=of)
    return array.astype(np.int32)


def _present(values: npt.NDArray[np.int32]) -> list[int]:
    """Return the labels that occur, in order, 0 left out; without sorting where they are small, as labels are."""
    highest = int(values.max(initial=0))
    if highest > _MOST_MARKED:
        return [int(value) for value in np.unique(values) if value]
    occurs = np.zeros(highest + 1, bool)
    for plane in np.moveaxis(values, -1, 0):
        occurs[plane] = True
    return [int(value) for value in np.flatnonzero(occurs) if value]


def _chosen(values: npt.NDArray[np.int32], affine: Affine, labels: Mapping[int, str], origin: Origin, of: str) -> Mask:
    """Return the mask of the named values alone, renumbered 1, 2, ... in the mapping's order."""
    present = _present(values)
    absent = [v for v in labels if v not in present]
    if absent and present:
        name = "" if labels[absent[0]] == str(absent[0]) else f" ({labels[absent[0]]})"
        raise BadCase(f"{_capital(of)} has no label {absent[0]}{name}; it holds {', '.join(map(str, present))}: choose one.", item=of)
    renumbered = np.zeros(max([0, *present]) + 1, np.int32)
    for number, value in enumerate(labels, start=1):
        if value in present:
            renumbered[value] = number
    return Mask(renumbered[values], affine, tuple(labels.values()), origin)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _nibabel() -> Any:
    """Return nibabel, imported when first needed: the command line must start without it."""
    import nibabel

    return nibabel
