"""How near the unmixed amounts come to the truth, at several counts and shifts, beside solvers that fit neither shift nor blood."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from onclair.core.estimate import Estimate
from onclair.core.seeds import rng_for
from onclair.run.benches.spectra_solvers import SOLVERS, mixing
from onclair.science.spectra.bases import basis, efficiency
from onclair.science.spectra.prepared import Prepared, prepared_from
from onclair.science.spectra.unmix import Unmixing, unmix
from onclair.virtual.spectra_patients import FLUOROPHORES, person_of
from onclair.virtual.spectra_settings import VirtualSpectra
from onclair.virtual.spectra_tissue import GRID_NM, Tissue, emission

Floats = npt.NDArray[np.float64]

COUNTS, SHIFTS_NM = (3000, 300, 50), (0.0, 0.5, 1.0)
EXCITATIONS_NM, READ_NOISE = (385.0, 405.0), 4.0
PIXELS, ENDS_NM = 2048, (360.0, 820.0)
#: What is unmixed, and by which name its figures go: living tissue, which holds blood, and a case made for the rivals.
TISSUES: Mapping[str, str] = {
    "unmix": "tissue of virtual patients: amounts, blood, saturation, scattering and width of emission as drawn; the shift as told",
    "unmix-bloodless": "the same amounts with no tissue around them: no blood, no scattering, bases of the exact width",
}
METHOD = (
    "mean squared error of the amounts as shares of their sum, over five fluorophores and one point of each virtual patient; 385 and 405 "
    "nm, 2048 pixels, the brightest pixel of both at the counts told, Poisson and read noise of 4 counts; se over patients"
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One cell of the table: ``unmix`` or ``unmix-bloodless``, counts at the brightest pixel, shift in nm."""

    tissue: str
    counts: int
    shift_nm: float

    def named(self, who: str) -> str:
        """Return the name of a figure.

        Examples
        --------
        >>> Condition("unmix", 300, 0.5).named("nnls")
        'unmix:mse:S300:shift0.5:nnls'
        """
        return f"{self.tissue}:mse:S{self.counts}:shift{self.shift_nm:g}:{who}"


def accuracy(patients: int, seed: int) -> list[Estimate]:
    """Return the mean squared error of every solver in every condition, on the same patients.

    Parameters
    ----------
    patients, seed : int

    Returns
    -------
    list of Estimate
        Named ``unmix:mse:SCOUNTS:shiftNM:WHO`` and ``unmix-bloodless:...``.
    """
    tissues = list(_tissues(patients, seed))
    cells = [Condition(tissue, counts, shift) for tissue in TISSUES for counts in COUNTS for shift in SHIFTS_NM]
    return [estimate for cell in cells for estimate in judged(cell, tissues, seed)]


def judged(cell: Condition, tissues: list[Tissue], seed: int) -> list[Estimate]:
    """Return the figures of one condition, the model's first.

    Examples
    --------
    >>> found = judged(Condition("unmix", 3000, 0.5), [Tissue({"PpIX634": 1.0, "NADH": 1.0, "FAD": 0.6})], 1)
    >>> [each.name.split(":")[-1] for each in found], bool(found[0].value < 0.25 * found[1].value)
    (['model', 'nnls', 'rnnls', 'poisson'], True)
    """
    nm = np.linspace(*ENDS_NM, PIXELS)
    window = slice(*np.searchsorted(nm, Unmixing().window_nm))
    bases = mixing(FLUOROPHORES, nm[window], EXCITATIONS_NM)
    errors: dict[str, list[float]] = {who: [] for who in ("model", *SOLVERS)}
    for number, tissue in enumerate(tissues):
        counts = _noisy(cell, tissue, nm, rng_for(seed, "bench", "unmix", cell.counts, number))
        truth = _shares([tissue.amounts.get(name, 0.0) for name in FLUOROPHORES])
        found = {who: solve(bases, counts[:, window].ravel(), READ_NOISE) for who, solve in SOLVERS.items()}
        found["model"] = _amounts(prepared_from(nm, counts, EXCITATIONS_NM, read_noise_counts=READ_NOISE))
        for who, each in errors.items():
            each.append(float(((_shares(found[who]) - truth) ** 2).mean()))
    return [_estimate(cell.named(who), np.array(each), TISSUES[cell.tissue]) for who, each in errors.items()]


def _tissues(patients: int, seed: int) -> Iterator[Tissue]:
    """Yield the tissue of one point of each patient."""
    settings = VirtualSpectra(seed=seed, patients=max(patients, 2))
    for index in range(patients):
        points = person_of(settings, index).points
        yield points[index % len(points)].tissue


def _noisy(cell: Condition, tissue: Tissue, nm: Floats, rng: np.random.Generator) -> Floats:
    """Return net counts of both excitations, shape (2, n)."""
    light = _bloodless(tissue, nm, cell.shift_nm) if cell.tissue == "unmix-bloodless" else _living(tissue, nm, cell.shift_nm)
    expected = light * cell.counts / light.max()
    return np.asarray(rng.poisson(expected) + rng.normal(0.0, READ_NOISE, expected.shape))


def _living(tissue: Tissue, nm: Floats, shift_nm: float) -> Floats:
    moved = replace(tissue, shift_nm=shift_nm)
    made = [emission(moved, at) for at in EXCITATIONS_NM]
    return np.array([np.interp(nm, GRID_NM, each.porphyrin + each.rest) for each in made])


def _bloodless(tissue: Tissue, nm: Floats, shift_nm: float) -> Floats:
    amounts = tissue.amounts.items()
    return np.array([sum(a * efficiency(name, at) * basis(name, nm, shift_nm) for name, a in amounts) for at in EXCITATIONS_NM])


def _amounts(point: Prepared) -> Floats:
    """Return the model's amounts; one that cannot be told counts as 0."""
    found = unmix(point, Unmixing(FLUOROPHORES)).abundances
    return np.array([found[name].value or 0.0 for name in FLUOROPHORES])


def _shares(amounts: npt.ArrayLike) -> Floats:
    values = np.asarray(amounts, dtype=np.float64)
    return np.asarray(values / max(float(values.sum()), 1e-300))


def _estimate(name: str, errors: Floats, tissue: str) -> Estimate:
    """Return a mean with its interval over patients."""
    mean, se = float(errors.mean()), float(errors.std(ddof=1) / np.sqrt(errors.size)) if errors.size > 1 else None
    ends = (None, None) if se is None else (max(mean - 1.96 * se, 0.0), mean + 1.96 * se)
    return Estimate(name, mean, low=ends[0], high=ends[1], se=se, n=errors.size, method=f"{METHOD}; {tissue}")
