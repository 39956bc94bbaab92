"""Half a nanometre: what a shifted spectrometer does to the amounts of fluorophores, and what fitting the shift brings.

Three hundred spectra are simulated at 405 nm: four fluorophores in amounts that vary, photon noise with 3000 counts at the peak, read
noise, and a spectrometer whose wavelengths are 0.5 nm off. Each is unmixed twice: by non-negative least squares (NNLS), which believes
the wavelengths, and by `unmix`, which fits the shift together with the amounts. Both know the same emission spectra. With the shift
taken away NNLS is as good as it gets; the third line shows that the shift, and not the solver, is what costs.

Run it with ``python examples/05_shift_matters.py``; it takes some seconds and writes nothing. All spectra are virtual.
"""

import numpy as np
from scipy.optimize import nnls

from onclair.science.spectra.bases import basis, efficiency
from onclair.science.spectra.prepared import prepared_from
from onclair.science.spectra.unmix import Unmixing, unmix

SPECTRA, EXCITATION_NM, SHIFT_NM, PEAK, READ_NOISE = 300, 405.0, 0.5, 3000.0, 4.0
#: Each fluorophore and its median amount.
MEDIANS = {"PpIX634": 0.10, "PpIX620": 0.07, "FAD": 0.60, "Lipofuscin": 0.25}
NM = np.arange(420.0, 730.5, 1.0)
HOW = Unmixing(tuple(MEDIANS), transport="none", width="fixed")


def main() -> None:
    rng = np.random.default_rng(1)
    believed, shifted = bases(0.0), bases(SHIFT_NM)
    errors: dict[str, list[np.ndarray]] = {"nnls": [], "unmix": [], "nnls-without-shift": []}
    shifts = []
    for _ in range(SPECTRA):
        amounts = np.array(list(MEDIANS.values())) * rng.lognormal(0.0, 0.6, len(MEDIANS))
        amounts *= PEAK / (shifted @ amounts).max()
        counts, same_light = (measured(rows @ amounts, rng) for rows in (shifted, believed))
        found = unmix(prepared_from(NM, [counts], [EXCITATION_NM], read_noise_counts=READ_NOISE), HOW)
        shifts.append(found.shift_nm.value)
        errors["unmix"].append(np.array([found.abundances[name].value for name in MEDIANS]) / amounts - 1)
        errors["nnls"].append(nnls(believed, counts)[0] / amounts - 1)
        errors["nnls-without-shift"].append(nnls(believed, same_light)[0] / amounts - 1)

    print(f"{SPECTRA} virtual spectra, {PEAK:g} counts, {SHIFT_NM:g} nm off; found {np.mean(shifts):.3f} nm, sd {np.std(shifts):.3f}")
    print("median error of PpIX, relative to its amount:")
    told = {who: median([np.abs(each[:2]).mean() for each in off], rng) for who, off in errors.items()}
    for who, (value, low, high) in told.items():
        print(f"error:{who} {value:.4f} ({low:.4f} to {high:.4f})")
    assert abs(np.mean(shifts) - SHIFT_NM) < 0.01, "the shift is found"
    assert told["unmix"][2] < told["nnls"][1] / 2, "half a nanometre that nobody fits more than doubles the error"
    assert told["unmix"][1] < told["nnls-without-shift"][2], "fitting it costs next to nothing"


def bases(shift_nm: float) -> np.ndarray:
    """Return what one unit of each fluorophore gives at each wavelength: a column a fluorophore."""
    return np.column_stack([efficiency(name, EXCITATION_NM) * basis(name, NM, shift_nm) for name in MEDIANS])


def measured(light: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return counts with the noise of photons and of the readout."""
    return rng.poisson(light) + rng.normal(0.0, READ_NOISE, light.size)


def median(values: list[float], rng: np.random.Generator) -> tuple[float, float, float]:
    """Return the median and its 95 % bootstrap interval over spectra."""
    drawn = rng.choice(values, (1000, len(values)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    return float(np.median(values)), float(low), float(high)


if __name__ == "__main__":
    main()
