"""True concordance and Cox slope of a claim about a time, which have no closed form: ten million draws, with their error."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.virtual.claim_times import TimesLaw, follow

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

#: Patients of one block of draws.
BLOCK = 100_000


def drawn_truth(law: TimesLaw, centres: pd.DataFrame, draws: int, rng: np.random.Generator) -> dict[str, dict[str, float]]:
    """Return concordance (and, for one cause, the Cox slope) as the mean of blocks of draws, each with its Monte Carlo error.

    Parameters
    ----------
    law : TimesLaw
    centres : DataFrame
        Of the cohort whose truth is wanted; their patients are the weights.
    draws : int
        Patients, one row each; at least two blocks of 100,000 are drawn.
    rng : Generator

    Returns
    -------
    dict of str to {"value", "error"}
        Survival: ``harrell`` (limit under this censoring), ``uno`` (up to the horizon, no censoring), ``slope`` (limit of the Cox
        slope on the claimed log hazard ratio, under this censoring). Competing: ``c_index`` (Wolbers, up to the horizon, no censoring).

    References
    ----------
    Wolbers et al. 2009, doi:10.1097/EDE.0b013e3181a39056.
    """
    blocks = [_figures(law, *block) for block in _blocks(law, centres, max(2, round(draws / BLOCK)), rng)]
    found = {}
    for name in blocks[0]:
        values = np.array([block[name] for block in blocks])
        found[name] = {"value": float(values.mean()), "error": float(values.std(ddof=1) / np.sqrt(values.size))}
    return found


def cox_slope(time: Floats, event: npt.NDArray[np.bool_], predictor: Floats) -> float:
    """Return the coefficient of one predictor by partial likelihood, times untied.

    Examples
    --------
    Two patients, the one with the larger value first, and one more the other way: nothing to choose.

    >>> round(cox_slope(np.array([1.0, 2.0, 3.0]), np.array([True, True, True]), np.array([0.0, 1.0, 0.0])), 6)
    0.346574
    """
    order = np.argsort(-time)
    x, dead = predictor[order] - predictor.mean(), event[order]
    beta = 0.0
    for _ in range(30):
        weight = np.exp(beta * x)
        total = np.cumsum(weight)
        mean = np.cumsum(weight * x) / total
        spread = np.cumsum(weight * x * x) / total - mean**2
        step = float((x - mean)[dead].sum() / spread[dead].sum())
        beta += step
        if abs(step) < 1e-8:
            break
    return beta


def _blocks(
    law: TimesLaw, centres: pd.DataFrame, count: int, rng: np.random.Generator
) -> Iterator[tuple[Floats, Floats, Codes, Floats, Codes]]:
    """Yield blocks: score, follow-up and event as censored, and as they would be without censoring."""
    sizes = centres["patients"].to_numpy()
    endless = centres.assign(loss=1e-12, followed_from=1e12, followed_to=1e12)
    for _ in range(count):
        place = rng.choice(sizes.size, BLOCK, p=sizes / sizes.sum())
        state = rng.bit_generator.state
        x, time, event = follow(law, centres, place, rng)
        again = np.random.Generator(type(rng.bit_generator)())
        again.bit_generator.state = state
        _, full, cause = follow(law, endless, place, again)  # the same patients, followed for ever
        yield x + law.noise * rng.standard_normal(BLOCK), time, event, full, cause


def _figures(law: TimesLaw, score: Floats, time: Floats, event: Codes, full: Floats, cause: Codes) -> dict[str, float]:
    if law.kind == "competing":
        rivalled = np.where(cause == 2, np.inf, full)  # who had the other cause never has this one
        return {"c_index": _concordance(score, full, (cause == 1) & (full <= law.horizon), rivalled)}
    found = {
        "harrell": _concordance(score, time, event == 1, time),
        "uno": _concordance(score, full, (cause == 1) & (full <= law.horizon), full),
    }
    return {**found, "slope": cox_slope(time, event == 1, law.linear_predictor(score))}


def _concordance(score: Floats, time: Floats, counts: npt.NDArray[np.bool_], partner: Floats) -> float:
    """Return the share of independent pairs in which who has the event first has the higher score; two pairings of the block."""
    half = score.size // 2
    right = usable = 0.0
    for one, two in ((slice(0, half), slice(half, None)), (slice(half, None), slice(0, half))):
        pair = counts[one] & (time[one] < partner[two])
        usable += float(pair.sum())
        right += float((pair & (score[one] > score[two])).sum())
    return right / usable
