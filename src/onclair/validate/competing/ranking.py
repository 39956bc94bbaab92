"""Does the claim rank patients by an event that others may forestall? Wolbers' concordance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from onclair.core.estimate import Estimate
from onclair.science.statistics.wolbers import wolbers_concordance
from onclair.validate.censored import events_by, ranked
from onclair.validate.followed import Followed

WOLBERS = "Wolbers' C (2014), pairs weighted 1/(G(T-) G(T-)) with G of these rows; infinitesimal jackknife with that of G"
NO_PAIR = "no two rows can be compared: nobody was followed beyond a row with the event, or had a competing one before it"


def c_index(name: str, rows: Followed, horizon: float | None = None) -> Estimate:
    """Return Wolbers' concordance index by the horizon.

    Whoever has the event is compared with those who have it later or, because a competing event came first, never.

    Parameters
    ----------
    name : str
        For example ``"c_index:model"``.
    rows : Followed
    horizon : float, optional
        Only events by it lead a pair; all do without one.

    Returns
    -------
    Estimate
        ``not_available`` when no two rows can be compared.

    References
    ----------
    Wolbers et al. 2014, doi:10.1093/biostatistics/kxt059.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> c_index("c_index:model", followed_rows([1.0, 2.0, 3.0, 4.0], [1, 2, 1, 0], [0.6, 0.2, 0.9, 0.1])).value
    0.8
    """
    found = wolbers_concordance(rows.time, rows.event, rows.scores, np.inf if horizon is None else horizon)
    if np.isnan(found.value):
        return rows.missing(name, NO_PAIR)
    by = "" if horizon is None else f"; events by {horizon:g}"
    stated = ranked(name, rows, found.value, rows.error(found.contributions), WOLBERS + by)
    return stated if horizon is None else replace(stated, events=events_by(rows, horizon))
