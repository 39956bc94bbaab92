"""Whether a claim about an event in time holds within a batch, where the batch cannot help it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onclair.core.estimate import Estimate
from onclair.science.statistics.concordance import harrell
from onclair.validate.batch import batch_codes
from onclair.validate.censored import jackknife_error, ranked
from onclair.validate.followed import Followed
from onclair.validate.rows import Floats


def within_batch_harrell(name: str, rows: Followed, batch: npt.ArrayLike) -> Estimate:
    """Return Harrell's concordance over pairs of the same batch: what the claim ranks rightly where the batch cannot help it.

    Parameters
    ----------
    name : str
        For example ``"harrell:model:within-batch"``.
    rows : Followed
    batch : array_like, shape (n,)

    Returns
    -------
    Estimate
        Every comparable pair counts once, so that batches count by their pairs. ``not_available`` when no batch holds one.

    Raises
    ------
    BadInput
        For a row without batch.

    References
    ----------
    Concordance with strata, and its infinitesimal jackknife: Therneau & Watson 2015, as in R's ``concordance(... + strata(batch))``.

    Examples
    --------
    Over all pairs the batch helps; within, one pair of two is in order:

    >>> from onclair.validate.followed import followed_rows
    >>> rows = followed_rows([1.0, 2.0, 3.0, 4.0], [1, 1, 1, 1], [9.0, 8.0, 1.0, 2.0])
    >>> within_batch_harrell("harrell:model:within-batch", rows, ["x", "x", "y", "y"]).value
    0.5
    """
    codes, count = batch_codes(batch, rows.size)
    found = []
    for here in (codes == code for code in range(count)):
        part = harrell(rows.time[here], rows.event[here] == 1, rows.scores[here])
        if not np.isnan(part.value):
            found.append((here, part, *_pairs(rows.time[here], rows.event[here] == 1)))
    if not found:
        return rows.missing(name, "no batch holds two patients who can be compared")
    pairs = sum(led.sum() for _, _, led, _ in found)
    value = float(sum(led.sum() * part.value for _, part, led, _ in found) / pairs)
    influence = np.zeros(rows.size)
    for here, part, led, taken in found:
        influence[here] = (led.sum() * part.contributions + (part.value - value) * taken) / pairs
    method = f"Harrell's C over pairs of the same batch, {len(found)} of {count} batches hold some; infinitesimal jackknife"
    return ranked(name, rows, value, jackknife_error(rows, influence), method)


def _pairs(time: Floats, event: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the comparable pairs that each row leads, and those in which it takes part."""
    times, events, censored = np.sort(time), np.sort(time[event]), np.sort(time[~event])
    longer = time.size - np.searchsorted(times, time, side="right")
    alike = np.searchsorted(censored, time, side="right") - np.searchsorted(censored, time, side="left")
    led = np.where(event, longer + alike, 0.0)
    followed = np.where(event, np.searchsorted(events, time, side="left"), np.searchsorted(events, time, side="right"))
    return led, led + followed
