"""What the chain hands to the unmixing: net counts with their variance, one row an excitation, and the gates they went through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gate:
    """One check of quality, whatever it found.

    Attributes
    ----------
    name : str
        ``saturated``, ``lamp_off``, ``no_contact``, ``blood_flood``, ``ambient``, ``snr``, ``bleaching`` or ``flicker``.
    value : float or None
        What was measured; None where the measurement does not hold what the gate looks at.
    threshold : float
    passed : bool
        A gate that cannot look lets pass, and its reason says so.
    reason : str
        One sentence.

    Examples
    --------
    >>> Gate("snr", 42.0, 5.0, True, "The signal is 42 times its noise.").passed
    True
    """

    name: str
    value: float | None
    threshold: float
    passed: bool
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return the gate as plain JSON values."""
        return {"name": self.name, "value": self.value, "threshold": self.threshold, "passed": self.passed, "reason": self.reason}


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Net counts of one point, ready to be unmixed; ``e`` excitations on ``n`` pixels.

    Attributes
    ----------
    wavelength_nm : ndarray, shape (n,)
        In air, strictly increasing.
    counts : ndarray, shape (e, n)
        Dark and ambient subtracted, repeats of one excitation averaged; a negative count is noise and stays. NaN where a pixel is to
        be left out.
    variance : ndarray, shape (e, n)
        Of `counts`, in counts squared, every source included; positive.
    excitation_nm, integration_ms, power_relative : ndarray, shape (e,)
    reflectance : ndarray, shape (n,), or None
        Diffuse reflectance against a white standard, in (0, ...].
    gates : tuple of Gate
    warnings : tuple of mapping
        ``code`` and ``text``.
    averages : ndarray, shape (e,)
        Readouts behind each row: averages in the instrument times repeats; 1 where not given.
    count_variance : ndarray, shape (e, n)
        What one more net count adds to the variance (gain over averages, times the response): the unmixing replaces the measured
        count by the model's own in it, ``variance + count_variance * (model - counts)``. One over the averages where not given.
    stray : ndarray, shape (e, n), or None
        Shape of the excitation that leaks past the filter, as the white standard shows it, per ms at power 1; 0 where there is none.

    Raises
    ------
    BadCase
        For arrays whose shapes disagree, wavelengths that do not rise, or a variance, time or power that is not positive.

    Examples
    --------
    >>> p = prepared_from(np.array([500.0, 501.0]), np.array([[4.0, 9.0]]), np.array([405.0]))
    >>> p.variance, p.passed
    (array([[4., 9.]]), True)
    """

    wavelength_nm: Floats
    counts: Floats
    variance: Floats
    excitation_nm: Floats
    integration_ms: Floats
    power_relative: Floats
    reflectance: Floats | None = None
    gates: tuple[Gate, ...] = ()
    warnings: tuple[Mapping[str, str], ...] = ()
    averages: Floats = field(default_factory=lambda: np.zeros(0))
    count_variance: Floats = field(default_factory=lambda: np.zeros(0))
    stray: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("wavelength_nm", "counts", "variance", "excitation_nm", "integration_ms", "power_relative"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))
        e, n = self.counts.shape if self.counts.ndim == 2 else (0, 0)
        averages = _frozen(self.averages) if self.averages.size else np.ones(e)
        object.__setattr__(self, "averages", averages)
        if not self.count_variance.size and averages.shape == (e,):
            object.__setattr__(self, "count_variance", np.broadcast_to(1.0 / averages[:, None], (e, n)))
        object.__setattr__(self, "count_variance", _frozen(self.count_variance))
        expected = {"wavelength_nm": (n,), "variance": (e, n), "count_variance": (e, n)}
        expected |= dict.fromkeys(("excitation_nm", "integration_ms", "power_relative", "averages"), (e,))
        if self.reflectance is not None:
            object.__setattr__(self, "reflectance", _frozen(self.reflectance))
            expected["reflectance"] = (n,)
        if self.stray is not None:
            object.__setattr__(self, "stray", _frozen(self.stray))
            expected["stray"] = (e, n)
        for name, shape in expected.items():
            found = getattr(self, name).shape
            if found != shape or e == 0:
                raise BadCase(
                    f"The shape of {name} is {found} beside counts of {self.counts.shape}; give (excitations, pixels).", item=name
                )
        if not (np.diff(self.wavelength_nm) > 0).all():
            raise BadCase("The wavelengths do not rise strictly; export the spectrum again (never sorted silently).", item="wavelength")
        for name in ("variance", "integration_ms", "power_relative"):
            if not (getattr(self, name) > 0).all():
                raise BadCase(f"The {name} of the spectrum holds a value that is not positive; every one must be.", item=name)

    @property
    def passed(self) -> bool:
        """Whether every gate was passed."""
        return all(gate.passed for gate in self.gates)


def prepared_from(
    wavelength_nm: npt.ArrayLike,
    counts: npt.ArrayLike,
    excitation_nm: npt.ArrayLike,
    *,
    integration_ms: npt.ArrayLike = 1.0,
    read_noise_counts: float = 0.0,
    gain_counts_per_electron: float = 1.0,
) -> Prepared:
    """Return net counts as they are, with Poisson and read noise and no gate: for simulations and for arrays at hand.

    Parameters
    ----------
    wavelength_nm : array, shape (n,)
    counts : array, shape (e, n)
        Net counts, one readout a row.
    excitation_nm : array, shape (e,)
    integration_ms : float or array, shape (e,)
    read_noise_counts, gain_counts_per_electron : float
        Variance = gain * counts + read noise squared, at least one electron's.

    Raises
    ------
    BadCase
        As :class:`Prepared`.

    Examples
    --------
    >>> prepared_from([500.0, 501.0], [[100.0, -3.0]], [405.0], read_noise_counts=4.0).variance
    array([[116.,  16.]])
    """
    values = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    rows = np.ones(len(values))
    gain = float(gain_counts_per_electron)
    variance = np.maximum(gain * np.maximum(np.nan_to_num(values), 0.0) + read_noise_counts**2, gain**2)
    return Prepared(
        np.asarray(wavelength_nm, dtype=np.float64),
        values,
        variance,
        np.atleast_1d(np.asarray(excitation_nm, dtype=np.float64)),
        rows * np.asarray(integration_ms, dtype=np.float64),
        rows,
        count_variance=np.full(values.shape, gain),
    )


def _frozen(array: npt.ArrayLike) -> Floats:
    view = np.asarray(array, dtype=np.float64).view()
    view.setflags(write=False)
    return view
