"""The words of the networks on spectra: their shapes, how spectra are disturbed in training, and which column is which bin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting

Singles: TypeAlias = npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.float64]

#: What the name of a column of a spectrum begins with.
SPECTRUM = "spectrum:"
#: How far off an even grid, in steps, a bin may lie.
_OFF = 1e-3


def spectrum_column(excitation_nm: float, wavelength_nm: float) -> str:
    """Return the name of the column that holds one bin of a spectrum: ``spectrum:EXCITATION:NM``.

    Examples
    --------
    >>> spectrum_column(405.0, 634.0)
    'spectrum:405:634'
    """
    return f"{SPECTRUM}{excitation_nm:g}:{wavelength_nm:g}"


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where each column of a table stands in a spectrum: excitations as channels, bins evenly spaced.

    Attributes
    ----------
    excitations_nm : tuple of float
        The channels, rising.
    first_nm, step_nm : float
        Wavelength of the first bin, and from one to the next.
    bins : int
    channel, bin : ndarray, int64, shape (p,)
        Of each column.
    """

    excitations_nm: tuple[float, ...]
    first_nm: float
    step_nm: float
    bins: int
    channel: npt.NDArray[np.int64]
    bin: npt.NDArray[np.int64]

    @property
    def channels(self) -> int:
        """How many excitations there are."""
        return len(self.excitations_nm)

    def laid(self, x: npt.ArrayLike, empty: float = 0.0) -> Singles:
        """Return rows `x` (n, p) as spectra (n, channels, bins) in single precision, `empty` where no column stands.

        Examples
        --------
        >>> layout_of(["spectrum:385:500", "spectrum:405:502"]).laid([[1.0, 2.0]]).tolist()
        [[[1.0, 0.0], [0.0, 2.0]]]
        """
        rows = np.asarray(x)
        spectra = np.full((len(rows), self.channels, self.bins), empty, dtype=np.float32)
        spectra[:, self.channel, self.bin] = rows
        return spectra


def layout_of(columns: Sequence[str]) -> Layout:
    """Return the layout of columns named ``spectrum:EXCITATION:NM``, in any order.

    A bin may be absent (a column that was constant in training is left out); the grid is that of the closest two.

    Parameters
    ----------
    columns : sequence of str, length p

    Raises
    ------
    BadSetting
        For a column of another name, fewer than two wavelengths, or wavelengths that are not evenly spaced.

    Examples
    --------
    >>> found = layout_of(["spectrum:405:500", "spectrum:405:502", "spectrum:405:506", "spectrum:385:504"])
    >>> found.excitations_nm, found.bins, found.channel.tolist(), found.bin.tolist()
    ((385.0, 405.0), 4, [1, 1, 1, 0], [0, 1, 3, 2])
    """
    pairs = np.array([_pair(name) for name in columns], dtype=np.float64).reshape(-1, 2)
    excitations, channel = np.unique(pairs[:, 0], return_inverse=True)
    wavelengths = np.unique(pairs[:, 1])
    if wavelengths.size < 2:
        raise BadSetting(f"The columns of the spectrum hold {wavelengths.size} wavelengths; a network needs at least 2.", item=SPECTRUM)
    first, step = float(wavelengths[0]), float(np.diff(wavelengths).min())
    places = (pairs[:, 1] - first) / step
    at = np.rint(places).astype(np.int64)
    off = int(np.argmax(np.abs(places - at)))
    if abs(places[off] - at[off]) > _OFF:
        said = f"The column '{columns[off]}' lies between the bins of a grid of {step:g} nm from {first:g} nm"
        raise BadSetting(f"{said}; bin the spectra evenly.", item=str(columns[off]))
    return Layout(tuple(float(e) for e in excitations), first, step, int(at.max()) + 1, channel.astype(np.int64).ravel(), at)


def _pair(name: str) -> tuple[float, float]:
    parts = name.removeprefix(SPECTRUM).split(":")
    try:
        if name.startswith(SPECTRUM) and len(parts) == 2:
            return float(parts[0]), float(parts[1])
    except ValueError:
        pass
    raise BadSetting(f"The column '{name}' is no bin of a spectrum; a network takes columns such as 'spectrum:405:634' alone.", item=name)


@dataclass(frozen=True, slots=True)
class Resnet1d:
    """A residual network over wavelength; about 50 000 weights for two excitations.

    Attributes
    ----------
    widths : tuple of int
        Filters of each residual block; before every block but the first the spectrum is halved.
    kernel : int
        Bins that a filter sees, odd.
    segments : int
        Parts of the spectrum that the last filters are averaged over: where a peak lies matters, so they are not averaged over all.
    dropout : float
        Share of what is averaged that is left out at random in training.

    Raises
    ------
    BadSetting
        For no block, one without filters, or an even kernel.

    References
    ----------
    He et al. 2016, doi:10.1109/CVPR.2016.90, section 3; on time series: Wang et al. 2017, doi:10.1109/IJCNN.2017.7966039.

    Examples
    --------
    >>> Resnet1d().widths
    (24, 40, 56)
    """

    widths: tuple[int, ...] = (24, 40, 56)
    kernel: int = 5
    segments: int = 8
    dropout: float = 0.5

    def __post_init__(self) -> None:
        if not self.widths or min(*self.widths, self.segments, 1 << 20) < 1 or self.kernel < 1 or self.kernel % 2 == 0:
            found = f"widths {self.widths}, a kernel of {self.kernel} and {self.segments} segments"
            raise BadSetting(f"The residual network has {found}; give at least 1 of each and an odd kernel.", item="widths")
        _share("dropout", self.dropout)


@dataclass(frozen=True, slots=True)
class Transformer:
    """A small transformer over patches of wavelength; at most 100 000 weights for two excitations.

    Attributes
    ----------
    width, heads, layers : int
        Width of a token, a multiple of `heads`; attention heads; layers.
    patch : int
        Bins that make one token, of all excitations together.
    dropout : float
        Share of what each layer adds, and of what the head sees, that is left out at random in training.

    Raises
    ------
    BadSetting
        For less than 1 of anything, or a width that the heads do not divide.

    References
    ----------
    Vaswani et al. 2017, arXiv:1706.03762, eq. 1; patches: Dosovitskiy et al. 2021, arXiv:2010.11929, eq. 1-4; normalised first:
    Xiong et al. 2020, arXiv:2002.04745.

    Examples
    --------
    >>> Transformer().patch, Transformer().heads
    (16, 4)
    """

    width: int = 48
    heads: int = 4
    layers: int = 2
    patch: int = 16
    dropout: float = 0.3

    def __post_init__(self) -> None:
        if min(self.width, self.heads, self.layers, self.patch) < 1 or self.width % self.heads:
            found = f"width {self.width}, {self.heads} heads, {self.layers} layers and patches of {self.patch}"
            raise BadSetting(f"The transformer has {found}; give at least 1 of each and a width that the heads divide.", item="width")
        _share("dropout", self.dropout)


Architecture: TypeAlias = Resnet1d | Transformer
#: The architectures by the names that files use.
ARCHITECTURES: dict[str, type[Resnet1d] | type[Transformer]] = {"resnet1d": Resnet1d, "transformer": Transformer}


@dataclass(frozen=True, slots=True)
class Disturbance:
    """How spectra are disturbed each time they are seen in training: by what differs between instruments and frames.

    Attributes
    ----------
    shift_nm : float
        Standard deviation of a shift in wavelength, one a spectrum.
    tilt : float
        Of a straight factor over wavelength, from 1 - t to 1 + t, one a spectrum.
    gain : float
        Of the logarithm of a factor, one a channel.
    noise : float
        Of white noise in each bin, in standard deviations of the bin among the training rows.

    Raises
    ------
    BadSetting
        For a negative size.

    Examples
    --------
    >>> Disturbance(tilt=-0.1)
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadSetting: The disturbance's 'tilt' is -0.1; it must be at least 0.
    """

    shift_nm: float = 0.7
    tilt: float = 0.1
    gain: float = 0.05
    noise: float = 0.4

    def __post_init__(self) -> None:
        for name in ("shift_nm", "tilt", "gain", "noise"):
            if not getattr(self, name) >= 0:
                raise BadSetting(f"The disturbance's '{name}' is {getattr(self, name)}; it must be at least 0.", item=name)


def disturbed(spectra: Singles, layout: Layout, how: Disturbance, rng: np.random.Generator) -> Singles:
    """Return spectra shifted, tilted and scaled at random; the noise of `how` is not added here, since it is told in other units.

    Parameters
    ----------
    spectra : ndarray, float32, shape (n, channels, bins)
        Before they are standardised.
    layout : Layout
    how : Disturbance
    rng : numpy Generator

    Examples
    --------
    >>> grid = layout_of(["spectrum:405:500", "spectrum:405:502"])
    >>> still = disturbed(np.ones((1, 1, 2), dtype=np.float32), grid, Disturbance(0.0, 0.0, 0.0, 0.0), np.random.default_rng(0))
    >>> still.tolist()
    [[[1.0, 1.0]]]
    """
    n, channels, bins = spectra.shape
    shift = np.asarray(rng.normal(0.0, how.shift_nm, n) / layout.step_nm)
    tilt = np.outer(rng.normal(0.0, how.tilt, n), np.linspace(-1.0, 1.0, bins))
    gain = np.exp(rng.normal(0.0, how.gain, (n, channels)))
    place = np.clip(np.arange(bins) - shift[:, None], 0.0, bins - 1.0)
    low = np.minimum(place.astype(np.int64), bins - 2)
    share = (place - low).astype(np.float32)[:, None, :]
    rows, lanes = np.arange(n)[:, None, None], np.arange(channels)[None, :, None]
    moved: npt.NDArray[Any] = (1 - share) * spectra[rows, lanes, low[:, None, :]] + share * spectra[rows, lanes, low[:, None, :] + 1]
    factor = (1.0 + tilt.reshape(n, 1, bins)) * gain.reshape(n, channels, 1)
    return np.asarray(moved * factor, dtype=np.float32)


def _share(name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise BadSetting(f"The network's '{name}' is {value}; it must be at least 0 and less than 1.", item=name)
