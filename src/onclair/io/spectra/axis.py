"""The wavelengths of a file: strictly increasing, or refused with the place; never sorted silently."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadTable

Floats = npt.NDArray[np.float64]


def checked_wavelengths(values: Floats, name: str, place: Callable[[int], str]) -> Floats:
    """Return the wavelengths as they are, or refuse the first that cannot be one.

    Parameters
    ----------
    values : ndarray, float64, shape (n,), nm
    name : str
        Of the file, for the sentence.
    place : callable
        Index of a pixel -> where it stands, such as ``"line 12"``.

    Returns
    -------
    ndarray, float64, shape (n,)

    Raises
    ------
    BadTable
        For fewer than two wavelengths, NaN, one that is not positive, or one that does not lie above the one before it.

    Examples
    --------
    >>> checked_wavelengths(np.array([400.0, 399.5]), "a.csv", lambda pixel: f"line {pixel + 2}")
    Traceback (most recent call last):
    onclair.core.errors.BadTable: a.csv, line 3: the wavelength 399.5 nm does not lie above 400 nm before it; \
wavelengths must rise strictly and are never sorted silently: correct the line or export the file again.
    """
    if values.size < 2:
        raise BadTable(
            f"{name} holds no spectrum: {values.size} wavelength(s) were found, at least 2 are needed; export it again.", item=name
        )
    bad = ~np.isfinite(values)
    if bad.any():
        raise BadTable(
            f"{name}, {place(int(bad.argmax()))}: the wavelength is no number; give one in nm or export the file again.", item=name
        )
    if (values <= 0).any():
        pixel = int((values <= 0).argmax())
        sentence = f"{name}, {place(pixel)}: the wavelength is {values[pixel]:.10g} nm, and must be positive"
        raise BadTable(f"{sentence}; correct the line or export the file again.", item=name)
    rises = np.diff(values) > 0
    if not rises.all():
        pixel = int(rises.argmin()) + 1
        here, before = float(values[pixel]), float(values[pixel - 1])
        fault = f"is {here:.10g} nm twice" if here == before else f"{here:.10g} nm does not lie above {before:.10g} nm before it"
        sentence = f"{name}, {place(pixel)}: the wavelength {fault}; wavelengths must rise strictly and are never sorted silently"
        raise BadTable(f"{sentence}: correct the line or export the file again.", item=name)
    return values
