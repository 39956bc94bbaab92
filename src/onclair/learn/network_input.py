"""What a network is shown of a patient: the image and the outline on a small grid of its own, around the outline's centre.

Everything that happens to an image before the first layer stands in one record, so that whoever trains, audits or applies a network does
the same.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadCase, BadGeometry, BadSetting
from onclair.core.names import did_you_mean
from onclair.science.radiomics.grid import HALF
from onclair.science.radiomics.roi import box_around

Channel = Literal["image", "inside", "mask"]
Normalisation = Literal["none", "z-score", "range"]
CHANNELS: tuple[str, ...] = get_args(Channel)
NORMALISATIONS: tuple[str, ...] = get_args(Normalisation)
#: More voxels than this a channel is a mistake of the size.
MOST_VOXELS = 512**3

Volume = npt.NDArray[np.float32]
Region = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class NetworkInput:
    """What a network is shown.

    Attributes
    ----------
    spacing_mm : (float, float, float)
        Of the network's grid.
    size : (int, int, int)
        Its voxels along each axis.
    channels : tuple of {"image", "inside", "mask"}
        ``image``: intensities everywhere; ``inside``: intensities within the outline and 0 elsewhere; ``mask``: 1 within the outline.
    normalise : {"none", "z-score", "range"}
        ``z-score``: less the mean of the outline's voxels on the network's grid, over their standard deviation (an even lesion becomes
        0); ``range``: from `low` to `high` onto 0 to 1, cut off beyond; ``none``: in the image's unit.
    low, high : float or None
        Of ``range``.

    Raises
    ------
    BadSetting
        For lengths or sizes that are not positive, an unknown channel or normalisation, a channel named twice, or a range without ends.

    Examples
    --------
    >>> NetworkInput((4.0, 4.0, 4.0), (24, 24, 24)).shape
    (2, 24, 24, 24)
    """

    spacing_mm: tuple[float, float, float]
    size: tuple[int, int, int]
    channels: tuple[str, ...] = ("inside", "mask")
    normalise: str = "z-score"
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if len(self.spacing_mm) != 3 or not all(math.isfinite(step) and step > 0 for step in self.spacing_mm):
            raise BadSetting(f"The spacing of the network's grid is {self.spacing_mm}; give three positive lengths in mm.", item="spacing")
        if len(self.size) != 3 or not all(int(n) == n and n >= 1 for n in self.size) or math.prod(self.size) > MOST_VOXELS:
            raise BadSetting(f"The size of the network's grid is {self.size}; give three numbers of voxels, at most 512 each.", item="size")
        if not self.channels or len(set(self.channels)) != len(self.channels):
            raise BadSetting(f"The channels of the network are {list(self.channels)}; name each once, at least one.", item="channels")
        for given, known, what in ((self.channels, CHANNELS, "channel"), ((self.normalise,), NORMALISATIONS, "normalisation")):
            for each in given:
                if each not in known:
                    raise BadSetting(f"A network knows no {what} '{each}'; {did_you_mean(each, known)}", item=each)
        if self.normalise == "range" and not (self.low is not None and self.high is not None and self.low < self.high):
            said = f"The range of the network's intensities runs from {self.low} to {self.high}"
            raise BadSetting(f"{said}; give low and high, the lower first.", item="low")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of what `prepared` gives: (channels, x, y, z)."""
        return (len(self.channels), *self.size)

    @property
    def mask_at(self) -> int | None:
        """Which channel is the outline, if any."""
        return self.channels.index("mask") if "mask" in self.channels else None

    def as_record(self) -> dict[str, Any]:
        """Return the settings as plain values, for ``extra.preprocessing`` of ``model.json``.

        Examples
        --------
        >>> how = NetworkInput((4.0, 4.0, 4.0), (24, 24, 24))
        >>> NetworkInput.from_record(how.as_record()) == how
        True
        """
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> NetworkInput:
        """Return the settings that a record holds.

        Raises
        ------
        BadSetting
            For an unknown or absent key, or a value that is none.
        """
        known = [each.name for each in fields(cls)]
        for name in record:
            if name not in known:
                raise BadSetting(f"What a network is shown has no key '{name}'; {did_you_mean(str(name), known)}", item=str(name))
        try:
            spacing, size = tuple(float(step) for step in record["spacing_mm"]), tuple(int(n) for n in record["size"])
            more = {name: record[name] for name in ("normalise", "low", "high") if name in record}
            return cls(spacing, size, tuple(record.get("channels", ("inside", "mask"))), **more)  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            raise BadSetting(
                f"What the network is shown cannot be read ({error}); give spacing_mm and size as three numbers each."
            ) from error


def prepared(array: npt.NDArray[Any], region: Region, spacing_mm: tuple[float, float, float], how: NetworkInput) -> Volume:
    """Return what the network is shown of one patient.

    Parameters
    ----------
    array : ndarray of real numbers, shape (x, y, z)
        In the image's unit; not changed.
    region : ndarray, bool, shape (x, y, z)
        The outline; at least one voxel.
    spacing_mm : (float, float, float)
        Of `array`.
    how : NetworkInput

    Returns
    -------
    ndarray, float32, shape (channels, x, y, z)
        The middle of the grid is the middle of the box around the outline. Both image and outline are interpolated linearly, the outline
        cut at one half; beyond the image its outermost intensity holds, and there is no outline. What the grid does not reach is cut off.
        Axes are those of the array: nothing is turned towards the patient.

    Raises
    ------
    BadGeometry
        When the shapes differ.
    BadCase
        For an empty outline, one that is lost on the grid, or intensities there that are NaN or infinite.

    Examples
    --------
    >>> image = np.arange(27.0).reshape(3, 3, 3)
    >>> seen = prepared(image, image == 13, (1.0, 1.0, 1.0), NetworkInput((1.0, 1.0, 1.0), (1, 1, 3), ("image", "mask"), "none"))
    >>> seen[:, 0, 0].tolist()
    [[12.0, 13.0, 14.0], [0.0, 1.0, 0.0]]
    """
    if array.shape != region.shape:
        raise BadGeometry(f"The outline has shape {region.shape} and the image {array.shape}; resample one onto the other first.")
    if not region.any():
        raise BadCase("The outline is empty; draw it again or leave the patient out.")
    box = box_around(region)
    part, start = _reached(array.shape, box, spacing_mm, how)
    ratio = [new / old for new, old in zip(how.spacing_mm, spacing_mm, strict=True)]
    middle = [(cut.start + cut.stop - 1) / 2 - first for cut, first in zip(box, start, strict=True)]
    offset = [at - (n - 1) / 2 * step for at, n, step in zip(middle, how.size, ratio, strict=True)]
    values = array[part].astype(np.float64)
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise BadCase(f"{bad} voxels in or around the outline are NaN or infinite; mend the image first.")
    seen = ndimage.affine_transform(values, ratio, offset, how.size, order=1, mode="nearest")
    share = ndimage.affine_transform(region[part].astype(np.float64), ratio, offset, how.size, order=1, mode="constant")
    inside = share >= HALF
    if not inside.any():
        raise BadCase(f"The outline is lost on the network's grid of {how.spacing_mm} mm: it is too small to be shown to this network.")
    normal = _normalised(seen, inside, how)
    shown = {"image": normal, "inside": np.where(inside, normal, 0.0), "mask": inside}
    return np.stack([shown[name] for name in how.channels]).astype(np.float32)


def image_sha256(array: npt.NDArray[Any]) -> str:
    """Return by what a network knows an image again that it was trained on: the SHA-256 of its voxel values, sorted, as float32.

    Neither the outline nor the order or direction of the axes counts, so that a patient who is outlined anew or saved the other way round
    stays the same; nothing can be read back from it.

    Examples
    --------
    >>> image = np.arange(8.0).reshape(2, 2, 2)
    >>> image_sha256(image) == image_sha256(image[::-1].transpose(2, 0, 1)) != image_sha256(image + 1)
    True
    """
    values = np.sort(np.asarray(array, dtype="<f4"), axis=None)
    return hashlib.sha256(values.tobytes()).hexdigest()


def _reached(
    shape: tuple[int, ...], box: tuple[slice, ...], spacing_mm: tuple[float, float, float], how: NetworkInput
) -> tuple[tuple[slice, ...], list[int]]:
    """Return the part of an image that the grid reaches, with its first voxel."""
    part = []
    for n, cut, old, new, count in zip(shape, box, spacing_mm, how.spacing_mm, how.size, strict=True):
        middle, half = (cut.start + cut.stop - 1) / 2, (count - 1) / 2 * new / old
        first = min(max(0, math.floor(middle - half) - 1), n - 1)
        part.append(slice(first, max(first + 1, min(n, math.ceil(middle + half) + 2))))
    return tuple(part), [cut.start for cut in part]


def _normalised(seen: npt.NDArray[np.float64], inside: Region, how: NetworkInput) -> npt.NDArray[np.float64]:
    if how.normalise == "range":
        low, high = float(how.low or 0.0), float(how.high or 0.0)
        return np.asarray(np.clip((seen - low) / (high - low), 0.0, 1.0))
    if how.normalise == "none":
        return seen
    mean, spread = float(seen[inside].mean()), float(seen[inside].std())
    even = spread <= 1e-9 * max(abs(mean), 1.0)
    return np.zeros_like(seen) if even else (seen - mean) / spread
