"""The pathologist of a virtual centre: which tumours come, how many cells make a margin, and how often the label errs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

#: Law of the share of tumour cells, by what the point is: the two parameters of a beta law.
_INFILTRATION = {"healthy": (1.0, 40.0), "margin": (2.0, 5.0), "core": (12.0, 2.0), "lgg": (5.0, 4.0), "necrosis": (2.0, 3.0)}
#: What a point is mistaken for where more, or where fewer, tumour cells are seen than there are.
_ABOVE = {"healthy": "margin", "margin": "core", "core": "necrosis", "lgg": "core", "necrosis": "core"}
_BELOW = {"healthy": "margin", "margin": "healthy", "core": "margin", "lgg": "margin", "necrosis": "core"}


@dataclass(frozen=True, slots=True)
class CentrePractice:
    """Whom a centre operates on, and how its pathologist labels.

    Attributes
    ----------
    grades : tuple of float
        Share of grades 2, 3 and 4.
    error : float
        Share of labels that err, 0.05 to 0.08.
    upwards : float
        Share of errors that see more tumour than there is; the others see less.
    """

    grades: tuple[float, float, float]
    error: float
    upwards: float


_PRACTICES = (
    CentrePractice((0.20, 0.20, 0.60), 0.050, 0.5),
    CentrePractice((0.35, 0.25, 0.40), 0.080, 0.8),
    CentrePractice((0.10, 0.20, 0.70), 0.065, 0.2),
)


def practice_of(centre: int) -> CentrePractice:
    """Return the practice of a centre, numbered from 0; every third is the same.

    Examples
    --------
    >>> [practice_of(centre).error for centre in range(4)]
    [0.05, 0.08, 0.065, 0.05]
    """
    return _PRACTICES[centre % len(_PRACTICES)]


def infiltration(true_class: str, rng: np.random.Generator) -> tuple[float, float]:
    """Return the share of tumour cells at a point, and the same standardised within its class.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> infiltration("core", rng)[0] > infiltration("healthy", rng)[0]
    True
    """
    one, other = _INFILTRATION[true_class]
    share = float(rng.beta(one, other))
    mean = one / (one + other)
    return round(share, 3), (share - mean) / math.sqrt(mean * (1 - mean) / (one + other + 1))


def histology(true_class: str, cells: float, practice: CentrePractice, rng: np.random.Generator) -> tuple[str, bool]:
    """Return what the pathologist says of a point, and whether that is an error.

    Points with more tumour cells than is usual of their class are the ones in which too much is seen, and conversely.

    Parameters
    ----------
    true_class : str
        All but ``ppix_negative``, whose label follows from where it lies.
    cells : float
        The standardised share of tumour cells.
    practice : CentrePractice
    rng : Generator

    Returns
    -------
    said : str
    mislabelled : bool

    Examples
    --------
    >>> histology("core", 0.9, CentrePractice((0.0, 0.0, 1.0), 0.0, 0.5), np.random.default_rng(1))
    ('core', False)
    """
    upwards = cells > 0
    error = 2 * practice.error * (practice.upwards if upwards else 1 - practice.upwards)
    if rng.random() >= error:
        return true_class, False
    return (_ABOVE if upwards else _BELOW)[true_class], True
