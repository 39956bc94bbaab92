"""What amounts are unmixed with elsewhere, written small: non-negative least squares, the same reweighted, and multiplicative Poisson.

They are given all that such programs are given: the bases at the wavelengths that the spectrometer says, how well each excitation reaches
each fluorophore, the noise of the detector. None of them fits a shift, blood or a resolution.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import optimize

from onclair.science.spectra.bases import basis, efficiency

Floats = npt.NDArray[np.float64]
#: ``(bases (m, k), counts (m,), read noise) -> amounts (k,)``.
Solver = Callable[[Floats, Floats, float], Floats]

REWEIGHTINGS, ITERATIONS = 3, 1000


def mixing(names: Sequence[str], wavelength_nm: Floats, excitation_nm: Sequence[float]) -> Floats:
    """Return the counts that one unit of each amount gives, the pixels of all excitations below one another, shape (e n, k).

    Examples
    --------
    >>> mixing(["Lipofuscin"], np.array([500.0, 600.0]), [385.0, 405.0]).shape
    (4, 1)
    """
    emission = [basis(name, wavelength_nm) for name in names]
    return np.concatenate(
        [np.array([efficiency(name, at) * row for name, row in zip(names, emission, strict=True)]).T for at in excitation_nm]
    )


def nnls(bases: Floats, counts: Floats, read_noise: float) -> Floats:
    """Return the amounts, at least 0, of least squares.

    Examples
    --------
    >>> nnls(np.eye(2), np.array([3.0, -1.0]), 4.0)
    array([3., 0.])
    """
    del read_noise
    return np.asarray(optimize.nnls(bases, counts)[0])


def reweighted_nnls(bases: Floats, counts: Floats, read_noise: float) -> Floats:
    """Return the amounts of least squares weighted by the variance that the last amounts give, three times over.

    Examples
    --------
    >>> reweighted_nnls(np.ones((2, 1)), np.array([100.0, 100.0]), 4.0)
    array([100.])
    """
    amounts = nnls(bases, counts, read_noise)
    for _ in range(REWEIGHTINGS):
        root = 1.0 / np.sqrt(np.maximum(bases @ amounts, 1.0) + read_noise**2)
        amounts = np.asarray(optimize.nnls(bases * root[:, None], counts * root)[0])
    return amounts


def multiplicative_poisson(bases: Floats, counts: Floats, read_noise: float) -> Floats:
    """Return the amounts that make the counts likeliest under Poisson noise, by the multiplicative rule.

    ``A <- A * B'(y / B A) / B'1``, counts and model both raised by the variance of the read noise, which makes their sum about Poisson.

    References
    ----------
    W. H. Richardson, J Opt Soc Am 1972;62:55; L. B. Lucy, Astron J 1974;79:745; D. L. Snyder et al., J Opt Soc Am A 1993;10:1014 (read
    noise). E. Black et al., Biomed Opt Express 2024;15:4406 unmix brain spectra with a rule of this kind.

    Examples
    --------
    >>> multiplicative_poisson(np.ones((2, 1)), np.array([100.0, 110.0]), 0.0).round(6)
    array([105.])
    """
    raised = np.maximum(counts + read_noise**2, 0.0)
    area = bases.sum(axis=0)
    amounts = np.full(bases.shape[1], max(float(counts.sum()), 1.0) / float(area.sum()))
    for _ in range(ITERATIONS):
        expected = bases @ amounts + read_noise**2
        amounts = amounts * (raised / np.maximum(expected, 1e-12) @ bases) / area
    return np.asarray(amounts)


SOLVERS: Mapping[str, Solver] = MappingProxyType({"nnls": nnls, "rnnls": reweighted_nnls, "poisson": multiplicative_poisson})
