"""Could the batch be fooling us? Whether it shows in the features, goes with the outcome, and whether the claim holds within it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.science.statistics.groups import brown_forsythe, chi_square, kruskal_wallis
from onclair.validate.discrimination import auc, auc_influence
from onclair.validate.rows import Floats, Rows, judged_rows
from onclair.validate.subgroups import adjusted

Ints = npt.NDArray[np.int64]

#: Scores of held-out rows, one column a batch, shape (held, k): ``(train rows, codes of the train rows, held rows, rng) -> scores``.
FitBatch = Callable[[Ints, Ints, Ints, np.random.Generator], Floats]

#: Fewest samples of a batch from which a classifier is judged.
FEWEST = 4


@dataclass(frozen=True, slots=True, eq=False)
class BatchTests:
    """How each feature differs between batches.

    Attributes
    ----------
    column : str
        The batch column.
    table : DataFrame
        One row a feature: ``p_location``, ``p_spread`` and ``q_location``, ``q_spread``, adjusted over both tests of all features;
        NaN where a test cannot be had.
    """

    column: str
    table: pd.DataFrame

    def differing(self, level: float = 0.05) -> tuple[str, ...]:
        """Return the features whose location or spread differs, with an expected share of false ones of at most `level`."""
        least = self.table[["q_location", "q_spread"]].min(axis=1)
        return tuple(str(name) for name in self.table.index[least < level])

    def estimate(self, where: str = "", *, level: float = 0.05) -> Estimate:
        """Return the share of features that differ, ``share_differing:batch:COLUMN[:WHERE]``; a count of tests, without an interval."""
        tested = int(self.table[["p_location", "p_spread"]].notna().any(axis=1).sum())
        name = f"share_differing:batch:{self.column}" + (f":{where}" if where else "")
        if tested == 0:
            return not_available(name, "no feature varies, or there is one batch only")
        said = f"Kruskal-Wallis 1952 and Brown-Forsythe 1974, Benjamini & Hochberg 1995 over both, q < {level:g}; {tested} features"
        return Estimate(name, len(self.differing(level)) / tested, method=said)


def batch_tests(column: str, features: pd.DataFrame, batch: npt.ArrayLike) -> BatchTests:
    """Test every feature for differing between batches in location and in spread.

    Parameters
    ----------
    column : str
        Name of the batch column.
    features : DataFrame, float columns, shape (n, p)
        A missing value is left out of its own feature.
    batch : array_like, shape (n,)

    Returns
    -------
    BatchTests

    Raises
    ------
    BadInput
        When lengths differ.

    References
    ----------
    Kruskal & Wallis 1952, doi:10.1080/01621459.1952.10483441 (location); Brown & Forsythe 1974,
    doi:10.1080/01621459.1974.10482955 (spread); Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> table = pd.DataFrame({"moved": np.arange(20.0), "same": [1.0, 2.0] * 10})
    >>> batch_tests("scanner", table, ["x"] * 10 + ["y"] * 10).differing()
    ('moved',)
    """
    x = features.to_numpy(dtype=np.float64)
    p = np.column_stack([kruskal_wallis(x, batch), brown_forsythe(x, batch)])
    q = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    if known.any():
        q[known] = adjusted(p[known], "bh")
    names = ["p_location", "p_spread", "q_location", "q_spread"]
    return BatchTests(column, pd.DataFrame(np.column_stack([p, q]), index=[str(c) for c in features.columns], columns=names))


@dataclass(frozen=True, slots=True)
class Resampling:
    """How held-out rows are chosen.

    Attributes
    ----------
    folds, repeats, seed : int
        Fewer folds where the smallest batch has fewer samples. Each fit's random numbers depend on the seed and its place alone.
    """

    folds: int = 10
    repeats: int = 3
    seed: int = 1


#: Ten folds, three times.
TEN_FOLDS = Resampling()


def batch_auc(
    name: str,
    batch: npt.ArrayLike,
    fit: FitBatch,
    *,
    how: Resampling = TEN_FOLDS,
    said: str = "",
    map: Callable[..., Iterable[Floats]] = map,  # noqa: A002
) -> Estimate:
    """Return how well a classifier tells the batch of rows that it was not trained on, by nested cross-validation.

    Parameters
    ----------
    name : str
        For example ``"auc:batch:kernel:before"``.
    batch : array_like, shape (n,)
        Rows without a batch are left out.
    fit : callable
        ``(train, codes, held, rng) -> scores (held, k)``: trains on the rows `train`, whose batches are `codes` (0 to k - 1, in order of
        name), and scores the rows `held`. Whatever it tunes, it tunes within `train`. Picklable for a `map` over processes.
    how : Resampling
        Outer folds, batches spread evenly.
    said : str
        What the method adds: which classifier, and what was harmonised on which samples.
    map : callable
        One unit a fold of a repeat.

    Returns
    -------
    Estimate
        For two batches the AUC of the later name against the other; for more, the mean over batches of each against all others. With
        repeats, placements are averaged first. ``not_available`` with one batch only; ``too_few`` when a batch has fewer than four samples.

    Raises
    ------
    BadInput
        When `fit` returns scores of another shape.

    References
    ----------
    Nested cross-validation: Varma & Simon 2006, doi:10.1186/1471-2105-7-91; variance as :func:`onclair.validate.discrimination.auc`.

    Examples
    --------
    A feature that is the batch:

    >>> feature, batch = np.arange(20.0), np.repeat(["x", "y"], 10)
    >>> tell = lambda train, codes, held, rng: np.column_stack([-feature[held], feature[held]])
    >>> batch_auc("auc:batch:scanner:before", batch, tell, how=Resampling(5, 1)).value
    1.0
    """
    every, levels = pd.factorize(np.asarray(batch).ravel(), sort=True)
    rows = np.flatnonzero(every >= 0)
    codes = every[rows].astype(np.int64)
    counts = np.bincount(codes, minlength=len(levels))
    if len(levels) < 2:
        return not_available(name, f"all {rows.size} samples have the same batch", n=int(rows.size))
    if counts.min() < FEWEST:
        few = str(levels[int(counts.argmin())])
        reason = f"the batch '{few}' has {int(counts.min())} samples; at least {FEWEST} of each are needed to judge a classifier of it"
        return not_available(name, reason, status="too_few", n=int(rows.size))
    folds = min(how.folds, int(counts.min()))
    parts = [_parts(codes, folds, np.random.default_rng(np.random.SeedSequence(how.seed, spawn_key=(r,)))) for r in range(how.repeats)]
    units = [(r, k) for r in range(how.repeats) for k in range(folds)]
    cuts = [(rows[parts[r] != k], codes[parts[r] != k], rows[parts[r] == k]) for r, k in units]
    rngs = [np.random.default_rng(np.random.SeedSequence(how.seed, spawn_key=(r, k, 1))) for r, k in units]
    scores = np.full((how.repeats, rows.size, len(levels)), np.nan)
    for (r, k), found in zip(units, map(fit, *zip(*cuts, strict=True), rngs), strict=True):
        held = parts[r] == k
        if np.shape(found) != (int(held.sum()), len(levels)):
            raise BadInput(
                f"The classifier of '{name}' gave scores of shape {np.shape(found)} for {int(held.sum())} rows, {len(levels)} batches."
            )
        scores[r, held] = found
    method = f"nested cross-validation, {folds} folds by sample; {said}" if said else f"nested cross-validation, {folds} folds by sample"
    return _told(name, codes, scores, method, [str(level) for level in levels])


def aliasing_estimate(name: str, batch: npt.ArrayLike, outcome: npt.ArrayLike, *, level: float = 0.95) -> Estimate:
    """Return Cramer's V of batch and outcome: 0 when they have nothing to do with each other, 1 when the batch decides the outcome.

    Parameters
    ----------
    name : str
        For example ``"cramers_v:batch:centre"``.
    batch, outcome : array_like, shape (n,)
        Labels; rows where either is missing are left out.

    Returns
    -------
    Estimate
        The interval inverts the noncentral chi-square; where the table is flatter than chance makes it (chi-square below its degrees
        of freedom), the upper end is that of chance. ``not_available`` when either has one value only.

    Raises
    ------
    BadInput
        When lengths differ.

    References
    ----------
    Cramer 1946; interval: Smithson 2003, Confidence Intervals, doi:10.4135/9781412983761, chapter 4.

    Examples
    --------
    >>> found = aliasing_estimate("cramers_v:batch:centre", ["x"] * 50 + ["y"] * 50, ([0] * 25 + [1] * 25) * 2)
    >>> found.value, found.low, round(found.high, 2)
    (0.0, 0.0, 0.3)
    """
    chi2, n, smaller = chi_square(batch, outcome)
    if smaller < 1:
        return not_available(name, "the batch or the outcome has one value only", n=n)
    known = pd.DataFrame({"batch": np.asarray(batch).ravel(), "outcome": np.asarray(outcome).ravel()}).dropna()
    freedom = (known["batch"].nunique() - 1) * (known["outcome"].nunique() - 1)
    value = float(np.sqrt(min(chi2 / (n * smaller), 1.0)))
    low = _strength(chi2, freedom, (1 + level) / 2, n * smaller)
    high = _strength(max(chi2, float(freedom)), freedom, (1 - level) / 2, n * smaller)
    method = "Cramer's V 1946, uncorrected; interval by the noncentral chi-square, Smithson 2003"
    return Estimate(name, value, low=min(low, value), high=max(high, value), level=level, n=n, method=method)


def within_batch_auc(
    name: str,
    truth: npt.ArrayLike,
    scores: npt.ArrayLike,
    batch: npt.ArrayLike,
    *,
    patients: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return the AUC over pairs of the same batch: what the claim ranks rightly where the batch cannot help it.

    Parameters
    ----------
    name : str
        For example ``"auc:model:within-batch"``.
    truth : array_like, shape (n,), 0 or 1
    scores : array_like, shape (n,) or (repeats, n)
    batch : array_like, shape (n,)
    patients : array_like, shape (n,), optional

    Returns
    -------
    Estimate
        Batches count by their pairs of an event and a non-event; the error takes these weights as fixed. ``not_available`` when no batch
        holds both.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.discrimination.auc`, and for a row without batch.

    References
    ----------
    Stratified area with pair weights: Janes & Pepe 2009, doi:10.1093/biomet/asp002, section 2; placements: DeLong et al. 1988.

    Examples
    --------
    A score that follows the batch, as the prevalence does, ranks well over all pairs and no better than chance within:

    >>> truth, score, batch = [0, 0, 0, 1, 0, 1, 1, 1], [1, 1, 1, 1, 2, 2, 2, 2], list("xxxxyyyy")
    >>> auc("auc:model", truth, score).value, within_batch_auc("auc:model:within-batch", truth, score, batch).value
    (0.75, 0.5)
    """
    rows = judged_rows(truth, scores, patients, level=level)
    codes, count = batch_codes(batch, rows.truth.size)
    pairs = np.bincount(codes[rows.truth], minlength=count) * np.bincount(codes[~rows.truth], minlength=count)
    if not pairs.any():
        return rows.missing(name, "no batch holds both an event and a non-event")
    value, influence = 0.0, np.zeros(rows.truth.size)
    for code in np.flatnonzero(pairs):
        here, share = codes == code, pairs[code] / pairs.sum()
        area, contributions = auc_influence(replace(rows, truth=rows.truth[here], scores=rows.scores[:, here], clusters=None))
        value += share * area
        influence[here] = share * contributions
    method = f"AUC over pairs of the same batch, {int(np.count_nonzero(pairs))} of {count} batches hold both classes; DeLong 1988"
    return _area(rows, name, value, influence, method)


def batch_codes(batch: npt.ArrayLike, size: int) -> tuple[Ints, int]:
    """Return the batch of each row as a number from 0, and how many there are.

    Raises
    ------
    BadInput
        For a row without batch.

    Examples
    --------
    >>> batch_codes(["x", "y", "x"], 3)
    (array([0, 1, 0]), 2)
    """
    codes, levels = pd.factorize(np.asarray(batch).ravel())
    if codes.size != size or (codes < 0).any():
        raise BadInput(f"{int((codes >= 0).sum())} batches were named for {size} rows; name the batch of each row, or leave the row out.")
    return codes.astype(np.int64), len(levels)


def _told(name: str, codes: Ints, scores: Floats, method: str, levels: list[str]) -> Estimate:
    """Return the AUC of scores (repeats, n, k): of two batches as it is, of more the mean of each against the others."""
    if len(levels) == 2:
        found = auc(name, codes == 1, scores[:, :, 1])
        return replace(found, method=f"{method}; {found.method}; '{levels[1]}' against '{levels[0]}'")
    every = [judged_rows(codes == c, scores[:, :, c]) for c in range(len(levels))]
    areas, contributions = zip(*(auc_influence(rows) for rows in every), strict=True)
    rows = every[0]
    method += f"; mean over {len(levels)} batches of each against the others, {len(scores)} repeats; placements, DeLong 1988"
    found = _area(rows, name, float(np.mean(areas)), np.mean(contributions, axis=0), method)
    # the rows' events are those of the first batch against the others
    return replace(found, events=None)


def _area(rows: Rows, name: str, value: float, influence: Floats, method: str) -> Estimate:
    """Return an area with its interval, on the logit scale where Wald's would leave [0, 1]; without one where it has no spread."""
    se = rows.error(influence)
    if np.isfinite(se) and (se == 0 or value in (0.0, 1.0)):
        return rows.bare(name, value, method, "its estimated variance is zero, so no interval can be had")
    found = rows.estimate(name, value, se, method)
    if found.low is None or found.high is None or (found.low >= 0 and found.high <= 1):
        return found
    return rows.estimate(name, value, se / (value * (1 - value)), f"{method}; logit scale", scale="logit")


def _strength(chi2: float, freedom: int, share: float, most: int) -> float:
    """Return the V whose noncentral chi-square would stay below the one found with probability `share`."""
    from scipy import optimize, stats  # here, because loading scipy.stats costs every command half a second

    if stats.chi2.cdf(chi2, freedom) <= share:
        return 0.0
    top = max(4.0 * chi2, 50.0)
    noncentrality = optimize.brentq(lambda x: stats.ncx2.cdf(chi2, freedom, x) - share, 1e-9, top)
    return float(min(np.sqrt(noncentrality / most), 1.0))


def _parts(codes: Ints, folds: int, rng: np.random.Generator) -> Ints:
    """Return the fold of each row, batches spread evenly."""
    parts = np.empty(codes.size, dtype=np.int64)
    place = 0
    for code in range(int(codes.max()) + 1):
        rows = rng.permutation(np.flatnonzero(codes == code))
        parts[rows] = (place + np.arange(rows.size)) % folds
        place += rows.size
    return parts
