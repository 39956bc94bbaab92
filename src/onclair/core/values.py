"""The values that the house passes around: images, masks, spectra, photographs. Frozen; arrays read-only.

Space is LPS millimetres throughout; RAS worlds are converted at the door.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadGeometry, BadInput
from onclair.core.geometry import Affine, checked_affine, reindexed, same_grid, spacing_mm
from onclair.core.units import VOXEL_UNITS, checked_unit

Origin = Literal["expert", "model", "truth"]
ORIGINS = ("expert", "model", "truth")


def _frozen(array: npt.ArrayLike, dtype: Any = None) -> npt.NDArray[Any]:
    view = np.asarray(array, dtype=dtype).view()
    view.setflags(write=False)
    return view


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A volume with its place in space.

    Attributes
    ----------
    array : ndarray, shape (x, y, z) or (x, y, z, c), real numbers
        Finite everywhere.
    affine : ndarray, shape (4, 4)
        Voxel index to LPS mm.
    unit : {"HU", "SUV", "a.u."}
    modality : str
        ``"PET"``, ``"CT"``, ``"MR"``...

    Raises
    ------
    BadGeometry
        For an affine that is not one.
    BadCase
        For another number of axes, an empty array, NaN or infinity (count and first voxel named).
    BadInput
        For an unknown unit.

    Examples
    --------
    >>> Image(np.zeros((2, 2, 2)), np.diag([4.0, 4.0, 3.0, 1.0]), "SUV", "PET").spacing_mm
    (4.0, 4.0, 3.0)
    """

    array: npt.NDArray[Any]
    affine: Affine
    unit: str
    modality: str = ""

    def __post_init__(self) -> None:
        what = f"the {self.modality or 'image'}"
        array = _frozen(self.array)
        if array.ndim not in (3, 4) or array.size == 0:
            raise BadCase(f"The shape of {what} is {array.shape}; a volume has three axes (x, y, z), or four with channels.")
        bad = ~np.isfinite(array)
        if bad.any():
            first = tuple(int(i) for i in np.argwhere(bad)[0])
            raise BadCase(
                f"{what[:1].upper()}{what[1:]} holds {int(bad.sum())} voxels that are NaN or infinite, "
                f"the first at {first}; mend or crop it."
            )
        object.__setattr__(self, "array", array)
        object.__setattr__(self, "affine", checked_affine(self.affine, of=what))
        checked_unit(self.unit, VOXEL_UNITS, of=what)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along x, y, z in mm."""
        return spacing_mm(self.affine)


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """Outlines on a grid; overlapping ones survive.

    Attributes
    ----------
    array : ndarray, bool, shape (label, x, y, z); or integer, shape (x, y, z)
        One layer a label, or an instance map in which value ``i + 1`` is ``labels[i]`` and 0 is outside.
    affine : ndarray, shape (4, 4)
        Voxel index to LPS mm.
    labels : tuple of str
    origin : {"expert", "model", "truth"}
        Who drew it.

    Raises
    ------
    BadGeometry
        For an affine that is not one.
    BadCase
        For another shape or type, or values that no label names.

    Examples
    --------
    >>> m = Mask(np.ones((1, 2, 2, 2), bool), np.eye(4), ("GTV",), "expert")
    >>> int(m.region().sum())
    8
    """

    array: npt.NDArray[Any]
    affine: Affine
    labels: tuple[str, ...] = ("outline",)
    origin: Origin = "expert"

    def __post_init__(self) -> None:
        array = _frozen(self.array)
        object.__setattr__(self, "array", array)
        object.__setattr__(self, "affine", checked_affine(self.affine, of="the outline"))
        if self.origin not in ORIGINS:
            raise BadInput(f"The origin of the outline is '{self.origin}'; it must be one of {', '.join(ORIGINS)}.")
        if array.dtype == bool and array.ndim == 4:
            if array.shape[0] != len(self.labels):
                raise BadCase(f"The outline has {array.shape[0]} layers but {len(self.labels)} labels; name each layer once.")
        elif array.ndim == 3 and np.issubdtype(array.dtype, np.integer):
            low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
            if low < 0 or high > len(self.labels):
                raise BadCase(f"The outline holds values {low} to {high}, but its labels name 1 to {len(self.labels)}; name every value.")
        else:
            raise BadCase(f"The outline is {array.dtype} of shape {array.shape}; it must be bool (label, x, y, z) or integer (x, y, z).")

    def region(self, label: str | None = None) -> npt.NDArray[np.bool_]:
        """Return one label's voxels as bool (x, y, z); without a label, the union of all.

        Raises
        ------
        BadCase
            When the label is absent; those present are listed.
        """
        layers = self.array.ndim == 4
        if label is None:
            return np.asarray(self.array.any(axis=0) if layers else self.array > 0)
        if label not in self.labels:
            raise BadCase(f"The outline has no label '{label}'; it holds {', '.join(self.labels)}.", item=label)
        index = self.labels.index(label)
        return np.asarray(self.array[index] if layers else self.array == index + 1)

    def on(self, image: Image) -> Mask:
        """Return the same outline, re-indexed voxel for voxel onto the grid of `image`.

        Raises
        ------
        BadGeometry
            When the grids differ by more than a flip or a permutation of axes; both affines are quoted.
        """
        if same_grid(self.affine, self.array.shape[-3:], image.affine, image.array.shape):
            return self
        layers = self.array if self.array.ndim == 4 else self.array[None]
        moved = np.stack([reindexed(layer, self.affine, image.affine, image.array.shape) for layer in layers])
        return Mask(moved if self.array.ndim == 4 else moved[0], image.affine, self.labels, self.origin)


@dataclass(frozen=True, slots=True)
class Detector:
    """What a spectrometer's noise depends on; None where nobody said.

    Attributes
    ----------
    saturation_counts : float or None
        From this many counts on a pixel tells nothing.
    read_noise_counts : float or None
        Standard deviation of one readout.
    gain_counts_per_electron : float or None

    Raises
    ------
    BadCase
        For a number that is not positive, or a negative read noise.

    Examples
    --------
    >>> Detector(65535.0, 4.0, 0.5).saturation_counts
    65535.0
    """

    saturation_counts: float | None = None
    read_noise_counts: float | None = None
    gain_counts_per_electron: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("saturation_counts", 1e-300), ("read_noise_counts", 0.0), ("gain_counts_per_electron", 1e-300)):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value >= least):
                raise BadCase(f"The {name} of the detector is {value}; give a positive number, or leave it out.", item=name)


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """One frame of a spectrometer.

    Attributes
    ----------
    counts, wavelength_nm : ndarray, float64, shape (n,)
        Counts are finite; wavelengths are in air, strictly increasing, within 150 to 2600 nm.
    excitation_nm : float or None
        None for the lamp-off frame and for white light.
    integration_ms : float
    dark : ndarray, shape (n,), or None
        Dark counts at the same integration time.
    averages : int
    power_relative : float
        Power of the light, relative to the one that amounts are told for.
    detector : Detector
    frame : str
        What the table or the session calls it.

    Raises
    ------
    BadCase
        For unequal lengths, fewer than two pixels, NaN, unordered wavelengths, an impossible integration time or power.

    Examples
    --------
    >>> Spectrum(np.array([1.0, 2.0]), np.array([500.0, 501.0]), 405.0, 20.0).counts.sum()
    np.float64(3.0)
    """

    counts: npt.NDArray[np.float64]
    wavelength_nm: npt.NDArray[np.float64]
    excitation_nm: float | None
    integration_ms: float
    dark: npt.NDArray[np.float64] | None = None
    averages: int = 1
    power_relative: float = 1.0
    detector: Detector = field(default_factory=Detector)
    frame: str = ""

    def __post_init__(self) -> None:
        counts, wavelength = _frozen(self.counts, np.float64), _frozen(self.wavelength_nm, np.float64)
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "wavelength_nm", wavelength)
        if counts.ndim != 1 or counts.shape != wavelength.shape or counts.size < 2:
            raise BadCase(
                f"The spectrum has {counts.shape} counts for {wavelength.shape} wavelengths; one count a wavelength, at least two."
            )
        if not np.isfinite(counts).all():
            raise BadCase(
                f"The spectrum holds {int((~np.isfinite(counts)).sum())} counts that are NaN or infinite; export the frame again."
            )
        step = np.diff(wavelength)
        if not np.isfinite(wavelength).all() or (step <= 0).any() or wavelength[0] < 150 or wavelength[-1] > 2600:
            raise BadCase("The wavelengths of the spectrum must rise strictly within 150 to 2600 nm; they do not (never sorted silently).")
        if self.dark is not None:
            dark = _frozen(self.dark, np.float64)
            object.__setattr__(self, "dark", dark)
            if dark.shape != counts.shape:
                raise BadCase(f"The dark frame has {dark.size} pixels and the spectrum {counts.size}; take both with the same settings.")
        if not self.integration_ms > 0 or self.averages < 1 or not self.power_relative > 0:
            said = f"Integration time {self.integration_ms} ms, {self.averages} averages and power {self.power_relative}"
            raise BadCase(f"{said}: all must be positive.")


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """All spectra of one point at one time, whatever the number of excitations.

    Attributes
    ----------
    frames : tuple of Spectrum
        Excited frames, at least one; several of one excitation are repeats.
    lamp_off, white : tuple of Spectrum
        The ambient frames and the white reflectance, where taken.
    pose : ndarray, shape (4, 4), or None
        Probe tip in LPS mm.
    settings_id : str
        The instrument settings that all frames share.
    point : str
        What the cohort or the session calls the point.
    frame_of_reference : str
        The navigation frame that `pose` is told in.
    registration_error_mm : float or None
        Of that frame.
    standard : Measurement or None
        The same instrument on its white standard: excited frames hold what leaks past the filter, white ones the instrument's colour.
    certificate : ndarray, shape (n,), or None
        Of a standard: the colour of its white light, what an ideal instrument would count at each pixel, in any unit.

    Examples
    --------
    >>> s = Spectrum(np.array([1.0, 2.0]), np.array([500.0, 501.0]), 405.0, 20.0)
    >>> Measurement((s,)).excitations_nm
    (405.0,)
    """

    frames: tuple[Spectrum, ...]
    lamp_off: tuple[Spectrum, ...] = ()
    white: tuple[Spectrum, ...] = ()
    pose: Affine | None = None
    settings_id: str = ""
    point: str = ""
    frame_of_reference: str = ""
    registration_error_mm: float | None = None
    standard: Measurement | None = None
    certificate: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if not self.frames:
            raise BadCase("The measurement holds no frame; at least one excited spectrum is needed.")
        if self.pose is not None:
            object.__setattr__(self, "pose", checked_affine(self.pose, of="the probe's pose"))

    @property
    def excitations_nm(self) -> tuple[float | None, ...]:
        """The excitation of each frame."""
        return tuple(frame.excitation_nm for frame in self.frames)


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A clinical photograph, upright.

    Attributes
    ----------
    array : ndarray, uint8, shape (row, col, 3)
        sRGB.
    mm_per_pixel : float or None
        None where no scale was in the picture: then no length may be given in mm.

    Raises
    ------
    BadCase
        For another shape or type, or a scale that is not positive.

    Examples
    --------
    >>> Photo(np.zeros((4, 6, 3), np.uint8)).mm_per_pixel is None
    True
    """

    array: npt.NDArray[np.uint8]
    mm_per_pixel: float | None = None

    def __post_init__(self) -> None:
        array = _frozen(self.array)
        object.__setattr__(self, "array", array)
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or array.size == 0:
            raise BadCase(f"The photo is {array.dtype} of shape {array.shape}; it must be 8-bit (row, column, 3) in sRGB.")
        if self.mm_per_pixel is not None and not self.mm_per_pixel > 0:
            raise BadCase(f"The scale of the photo is {self.mm_per_pixel} mm a pixel; give a positive one, or none.")


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Everything read for one patient: signals by kind, outlines by name, and what the table says.

    Attributes
    ----------
    patient, centre, visit : str
    signals : mapping of str to Image, Measurement, Photo or a tuple of them
        By the `kind` of ``acquisitions.csv``.
    masks : mapping of str to Mask
    about : mapping of str to plain values
        Columns of the tables that the study asked for.
    """

    patient: str
    centre: str
    visit: str = ""
    signals: Mapping[str, Any] = field(default_factory=dict)
    masks: Mapping[str, Mask] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)


__all__ = ["ORIGINS", "BadGeometry", "Case", "Detector", "Image", "Mask", "Measurement", "Origin", "Photo", "Spectrum"]
