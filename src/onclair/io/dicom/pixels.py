"""The voxels of a stack: decoded, rescaled slice by slice, refused where they cannot be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase
from onclair.io.dicom.files import open_file, quiet
from onclair.io.dicom.series import Plane

#: Bytes of voxels above which nothing is decoded.
CAP = 2**31
#: Packages whose decoders Onclair installs or asks for, by the beginning of the syntax's name.
_PACKAGES = {
    "JPEG 2000": "pylibjpeg-openjpeg",
    "High-Throughput JPEG 2000": "pylibjpeg-openjpeg",
    "JPEG-LS": "pyjpegls",
    "JPEG Lossless": "python-gdcm",
    "JPEG Baseline": "pillow",
    "JPEG Extended": "python-gdcm",
}
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def voxels(planes: Sequence[Plane], *, factors: npt.ArrayLike | None = None, needs_rescale: bool = False) -> npt.NDArray[Any]:
    """Return the rescaled values of slices in order.

    Parameters
    ----------
    planes : sequence of Plane
        Of one size.
    factors : array_like, shape (n,), optional
        What each rescaled slice is multiplied by: the factor to SUV.
    needs_rescale : bool
        True refuses a slice without RescaleSlope and RescaleIntercept: CT and PET have no meaning without.

    Returns
    -------
    ndarray, shape (columns, rows, n)
        int16 or int32 where every slope and intercept is a whole number and there are no factors; else float32, computed in float64.

    Raises
    ------
    BadCase
        For no pixels, colour, a syntax without decoder (the package is named), truncated pixels, a missing rescale, or more than
        2 GiB of voxels.
    """
    rescale = np.array([_rescale(plane, needs_rescale) for plane in planes])
    whole = factors is None and bool((rescale == np.rint(rescale)).all())
    rows, columns = int(planes[0].get("Rows") or 0), int(planes[0].get("Columns") or 0)
    size = rows * columns * len(planes) * 4
    if not 0 < size <= CAP:
        said = f"{columns} x {rows} x {len(planes)} voxels"
        raise BadCase(f"The series promises {said}; between 1 and {CAP // 4} are read: check its headers, or crop it.")
    scale = np.ones(len(planes)) if factors is None else np.asarray(factors, dtype=np.float64)
    out = np.empty((len(planes), rows, columns), np.int32 if whole else np.float32)
    for k, stored in enumerate(_stored(planes)):
        if stored.shape != (rows, columns):
            name = planes[k].path.name
            raise BadCase(
                f"The file {name} holds pixels of shape {stored.shape}, its header says {(rows, columns)}; fetch it again.", item=name
            )
        slope, intercept = rescale[k]
        if whole and stored.dtype.kind in "iu":
            out[k] = stored.astype(np.int64) * int(slope) + int(intercept)
        elif whole:  # floating pixels
            whole, out = False, out.astype(np.float32)
            out[k] = stored * slope + intercept
        else:
            out[k] = (stored.astype(np.float64) * slope + intercept) * scale[k]
    if whole and out.min() >= -(2**15) and out.max() < 2**15:
        out = out.astype(np.int16)
    return out.transpose(2, 1, 0)


def decodable(syntax: Any, name: str) -> None:
    """Refuse a transfer syntax that nothing here can decode, naming the package that would.

    Parameters
    ----------
    syntax : pydicom.uid.UID
    name : str
        The file, for the error.

    Raises
    ------
    BadCase
    """
    from pydicom.pixels.decoders.base import get_decoder

    if not syntax.is_transfer_syntax or not syntax.is_compressed or not syntax.is_encapsulated:
        return
    package = next((p for start, p in _PACKAGES.items() if syntax.name.startswith(start)), None)
    try:
        if get_decoder(syntax).is_available:
            return
    except NotImplementedError:
        package = None
    cure = f"install it with `pip install {package}`" if package else "have the sender convert it to an uncompressed syntax"
    raise BadCase(f"The pixels of {name} are compressed as {syntax.name}, for which no decoder is here; {cure}.", item=name)


def _stored(planes: Sequence[Plane]) -> Any:
    """Yield the stored pixels of each slice; a multi-frame file is decoded once."""
    decoded: dict[Path, npt.NDArray[Any]] = {}
    shared = {p.path for p in planes if p.frame} | {p.path for p in planes if "PerFrameFunctionalGroupsSequence" in p.data}
    for plane in planes:
        if plane.path not in shared:
            yield decoded_pixels(plane.path)
            continue
        if plane.path not in decoded:
            frames = decoded_pixels(plane.path)
            decoded[plane.path] = frames if frames.ndim == 3 else frames[None]
        if plane.frame >= len(decoded[plane.path]):
            raise BadCase(f"The file {plane.path.name} lacks frame {plane.frame + 1}; fetch it again.", item=plane.path.name)
        yield decoded[plane.path][plane.frame]


def decoded_pixels(path: Path) -> npt.NDArray[Any]:
    """Return a file's stored pixels, frames first where there are several.

    Raises
    ------
    BadCase
        As :func:`voxels`.
    """
    data = open_file(path, pixels=True)
    if not any(keyword in data for keyword in _PIXELS):
        raise BadCase(f"The file {path.name} has no pixel data; export the series with its images.", item=path.name)
    if int(data.get("SamplesPerPixel") or 1) != 1:
        found = data.get("PhotometricInterpretation")
        raise BadCase(f"The file {path.name} is a colour picture ({found}), not a measured slice; leave it out.", item=path.name)
    size = int(data.get("Rows") or 0) * int(data.get("Columns") or 0) * int(data.get("NumberOfFrames") or 1)
    if size > CAP // 2:
        raise BadCase(f"The file {path.name} promises {size} voxels; at most {CAP // 2} are decoded: check its header.", item=path.name)
    syntax = data.file_meta.get("TransferSyntaxUID")
    if syntax is not None:
        decodable(syntax, path.name)
    try:
        with quiet(), _nothing_made_up():
            return np.asarray(data.pixel_array)
    except Exception as error:  # decoders raise anything
        why = (str(error).splitlines() or [type(error).__name__])[0][:160].rstrip(".")
        raise BadCase(f"The pixels of {path.name} are cut short or damaged ({why}); fetch the file again.", item=path.name) from error


@contextmanager
def _nothing_made_up() -> Iterator[None]:
    """Have Pillow refuse a truncated frame; other libraries tell it, for the whole process, to fill what is missing."""
    from PIL import ImageFile

    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _rescale(plane: Plane, needed: bool) -> tuple[float, float]:
    slope, intercept = plane.number("RescaleSlope"), plane.number("RescaleIntercept")
    if needed and (slope is None or intercept is None or slope == 0):
        found = f"RescaleSlope {plane.get('RescaleSlope')}, RescaleIntercept {plane.get('RescaleIntercept')}"
        sentence = f"The file {plane.path.name} does not say what its numbers mean ({found}); both are needed"
        raise BadCase(f"{sentence}: export the series again.", item=plane.path.name)
    return (1.0 if slope is None else slope), (0.0 if intercept is None else intercept)
