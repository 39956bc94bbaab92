"""Does the claim rank patients by when the event comes? Harrell's and Uno's concordance."""

from __future__ import annotations

import numpy as np

from onclair.core.estimate import Estimate
from onclair.science.statistics import concordance
from onclair.science.statistics.concordance import Concordance
from onclair.validate.censored import differed, jackknife_error, ranked, refuse_unpaired
from onclair.validate.followed import Followed

HARRELL = "Harrell's C (1982), tied scores one half; infinitesimal jackknife"
UNO = "Uno's C (2011), pairs weighted 1/G(T-)^2 with G of these rows; infinitesimal jackknife at fixed weights"
NO_PAIR = "no two rows can be compared: nobody was followed longer than a row with the event"


def harrell(name: str, rows: Followed) -> Estimate:
    """Return Harrell's concordance: of two comparable rows, how often the one with the earlier event has the higher score.

    Parameters
    ----------
    name : str
        For example ``"harrell:model"``.
    rows : Followed
        Higher scores mean earlier. Every event counts, however late.

    Returns
    -------
    Estimate
        ``not_available`` when no two rows can be compared; a constant score gives 0.5 exactly, with a zero error, and says so.
        The interval is Wald's, on the logit scale where it would leave [0, 1].

    References
    ----------
    Harrell et al. 1982, doi:10.1001/jama.1982.03320430047030.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> round(harrell("harrell:model", followed_rows([1.0, 2.0, 3.0], [1, 1, 0], [0.9, 0.2, 0.4])).value, 6)
    0.666667
    """
    return _ranked(name, rows, _harrell(rows), HARRELL)


def uno(name: str, rows: Followed, *, tau: float | None = None) -> Estimate:
    """Return Uno's concordance, which does not depend on how the rows were censored.

    Parameters
    ----------
    name : str
        For example ``"uno:model"``.
    rows : Followed
    tau : float, optional
        Only events before it lead a pair.

    Returns
    -------
    Estimate
        As :func:`harrell`.

    References
    ----------
    Uno et al. 2011, doi:10.1002/sim.4154; the error is that of R's ``concordance(timewt = "n/G2")``.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> round(uno("uno:model", followed_rows([1.0, 1.5, 2.0, 3.0], [1, 0, 1, 0], [0.9, 0.1, 0.2, 0.4])).value, 6)
    0.571429
    """
    found = concordance.uno(rows.time, rows.event == 1, rows.scores, tau=tau)
    return _ranked(name, rows, found, UNO if tau is None else f"{UNO}; events before {tau:g}")


def harrell_difference(name: str, rows_a: Followed, rows_b: Followed) -> Estimate:
    """Return the paired difference of two Harrell concordances, `a` minus `b`, on the same rows.

    Parameters
    ----------
    name : str
        For example ``"harrell:a-minus-b"``.
    rows_a, rows_b : Followed
        The same rows with the scores of one claim and of the other.

    Returns
    -------
    Estimate
        On the identity scale.

    Raises
    ------
    BadInput
        When times, events or patients differ.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> a, b = (followed_rows([1.0, 2.0, 3.0], [1, 1, 0], scores) for scores in ([3, 2, 1], [3, 1, 2]))
    >>> round(harrell_difference("harrell:a-minus-b", a, b).value, 6)
    0.333333
    """
    refuse_unpaired(rows_a, rows_b)
    a, b = _harrell(rows_a), _harrell(rows_b)
    if np.isnan(a.value):
        return rows_a.missing(name, NO_PAIR)
    moved = a.contributions - b.contributions
    return differed(name, rows_a, a.value - b.value, moved, jackknife_error(rows_a, moved), HARRELL)


def _harrell(rows: Followed) -> Concordance:
    return concordance.harrell(rows.time, rows.event == 1, rows.scores)


def _ranked(name: str, rows: Followed, found: Concordance, method: str) -> Estimate:
    if np.isnan(found.value):
        return rows.missing(name, NO_PAIR)
    return ranked(name, rows, found.value, jackknife_error(rows, found.contributions), method)
