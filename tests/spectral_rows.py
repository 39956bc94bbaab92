"""Rows of small spectra made for the tests of learning: two excitations, one band that goes with the outcome, a few features beside."""

import numpy as np
import pandas as pd

from onclair.core.cohort import Cohort
from onclair.learn.nets1d_settings import spectrum_column

WAVELENGTHS = np.arange(600, 664, 4.0)


def spectral_rows(patients=24, points=3, seed=1, signal=1.0):
    """Return a cohort, its rows and their truth; the outcome differs between the points of a patient."""
    draw = np.random.default_rng(seed)
    names = [f"P{i:02d}" for i in range(patients)]
    n = patients * points
    truth = (draw.random(n) < 0.5).astype(float)
    truth[::points] = np.arange(patients) % 2
    background = np.exp(-0.5 * ((WAVELENGTHS - 610) / draw.uniform(15, 40, (n, 1))) ** 2)
    band = np.exp(-0.5 * ((WAVELENGTHS - 634) / 6) ** 2)
    strength = np.exp(draw.normal(signal * truth - 1.5, 0.5))[:, None]
    spectra = [background + weight * strength * band + 0.02 * draw.normal(size=(n, WAVELENGTHS.size)) for weight in (0.5, 1.0)]
    whole = np.hstack(spectra) / np.sum(spectra, axis=(0, 2))[:, None]
    index = pd.MultiIndex.from_product([names, [f"p{j}" for j in range(points)]], names=["patient", "item"])
    columns = [spectrum_column(e, w) for e in (385.0, 405.0) for w in WAVELENGTHS]
    rows = pd.DataFrame(whole, index=index, columns=columns)
    rows["log634"] = np.log(strength[:, 0]) + 0.3 * draw.normal(size=n)
    rows["other"] = draw.normal(size=n)
    acquisitions = pd.DataFrame(
        {"patient": names, "centre": [f"C{i % 2}" for i in range(patients)], "visit": "1", "kind": "fluorescence", "path": names}
    )
    return Cohort(acquisitions, pd.DataFrame({"patient": names})), rows, pd.Series(truth, index=index, name="tumour")
