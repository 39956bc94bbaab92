"""Rows of one split that are copies, exact or nearly, of rows of another: by hash, and by the nearest neighbour.

Chance decides what is suspicious: discrete features make equal rows of different people, and in few dimensions neighbours come near.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from onclair.validate.leakage.plan import Bools, Codes, Floats, LeakageTable

#: A feature is rich when it takes at least this many different values for each patient: two people hardly share one.
RICH = 0.5
#: What is less likely than this by chance is no chance: more copies than within the training rows; so many so near.
UNLIKELY, UNLIKELY_NEAR = 1e-4, 1e-3
#: Fewer twins than this expected by chance: every copy is one.
NO_TWINS = 1e-2
#: Rows whose nearest neighbour within their own split makes the reference.
REFERENCE_ROWS = 2000
#: More features than this are projected on as many principal directions, which keep small distances small.
MOST_DIMENSIONS = 64
#: Fewer patients than this make no reference.
FEWEST = 10
#: Entries of one block of distances.
_BLOCK = 8_000_000
#: How far the dimension that the tail of the reference suggests is trusted.
_CAUTION = 0.8


@dataclass(frozen=True, slots=True)
class Copies:
    """Held-out rows that are copies.

    Attributes
    ----------
    items : tuple of str
        One a held-out row, with the row that it copies.
    value : float
        Share of held-out rows (exact copies); largest distance among them in robust units (near copies).
    """

    items: tuple[str, ...]
    value: float


def exact_copies(table: LeakageTable) -> Copies | None:
    """Return the held-out rows whose features equal those of a training row, where chance does not explain it.

    Every copy counts where the product of the features' coincidences between people leaves fewer than one twin in a hundred tables, and
    either a feature is rich or no two people within the training rows are equal (features that go together would make some).
    Otherwise held-out patients with a copy must be more frequent than training patients who copy each other (one-sided binomial
    test, 1e-4). Copies within a patient count unless the patient's rows are commonly equal within a split.

    Parameters
    ----------
    table : LeakageTable

    Returns
    -------
    Copies or None

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> values = rng.normal(size=(6, 3))
    >>> values[5] = values[0]
    >>> train = np.arange(6) < 4
    >>> table = LeakageTable(
    ...     np.array(list("abcdef")), np.where(train, "train", "test"), train, pd.DataFrame(values), train
    ... )
    >>> exact_copies(table).items
    ('row 6 (patient f, test) = row 1 (patient a, train)',)
    """
    code, pool, owner = equal_rows(table.features), table.pool, table.owner
    twin, own = _twins(code, pool, owner)
    rich = int(_rich(table).sum())
    strangers = np.flatnonzero((twin >= 0) & ~own)
    unheard_of = _coincidences(table, pool) < NO_TWINS and (rich > 0 or not _copied_within(code, pool, owner).size)
    if not (unheard_of or _more_often(strangers, code, pool, owner)):
        strangers = strangers[:0]
    same = np.flatnonzero((twin >= 0) & own)
    if rich == 0 or _siblings_equal(code, table.split, owner):
        same = same[:0]
    rows = np.sort(np.concatenate([strangers, same]))
    if rows.size == 0:
        return None
    return Copies(tuple(f"{table.row(int(at))} = {table.row(int(twin[at]))}" for at in rows), rows.size / int((~pool).sum()))


def near_copies(table: LeakageTable, *, seed: int = 1) -> Copies | None:
    """Return the held-out rows that lie far nearer to a training row than chance brings them.

    Features are scaled by median and interquartile range, gaps filled by the median. Each held-out patient's smallest distance to another
    patient's training row is set against the same figure within the training rows; below its smallest values their
    distribution is extended by a power law whose exponent (the local dimension) is taken from the reference and never exceeds the
    number of rich features. The j nearest are called copies when so many within that distance have a probability below 1e-3. Rows of a
    patient who stands in both splits are set against the distances between rows of one patient within a split.

    Parameters
    ----------
    table : LeakageTable
    seed : int
        Of the sample of training patients that makes the reference.

    Returns
    -------
    Copies or None
        None also where no feature is rich, or fewer than 10 patients make the reference.

    References
    ----------
    The power law of nearest-neighbour distances: Levina & Bickel 2004, Advances in Neural Information Processing Systems 17.
    """
    rich = int(_rich(table).sum())
    if rich == 0:
        return None
    points, pool, owner = robust_points(table.features), table.pool, table.owner
    code = equal_rows(table.features)
    twin, _ = _twins(code, pool, owner)
    asked = np.flatnonzero(~pool & (twin < 0))
    pairs = _strangers(points, asked, np.flatnonzero(pool), owner, rich, seed)
    pairs |= _siblings(points, asked, pool, owner, rich, pairs)
    if not pairs:
        return None
    rows = sorted(pairs)
    items = tuple(f"{table.row(at)} is near {table.row(pairs[at][0])}" for at in rows)
    return Copies(items, max(pairs[at][1] for at in rows))


def equal_rows(features: pd.DataFrame) -> Codes:
    """Return a code for each row that equal rows share (gaps equal gaps, -0 equals 0); -1 where every feature is missing.

    Examples
    --------
    >>> equal_rows(pd.DataFrame({"a": [1.0, 1.0, 2.0, None], "b": [0.0, -0.0, 0.0, None]})).tolist()
    [0, 0, 1, -1]
    """
    values = features.to_numpy(dtype=np.float64) + 0.0
    values[np.isnan(values)] = np.nan  # one bit pattern for all gaps
    whole = np.ascontiguousarray(values).view([("", np.void, values.dtype.itemsize * values.shape[1])]).ravel()
    code = pd.factorize(pd.Series([row.tobytes() for row in whole]))[0].astype(np.int64)
    code[np.isnan(values).all(axis=1)] = -1
    return np.asarray(code)


def robust_points(features: pd.DataFrame) -> Floats:
    """Return features (n, p) less their median over their interquartile range (or deviation where that is 0), gaps at 0.

    Constant features are left out; more than 64 are projected on their leading principal directions.

    Examples
    --------
    >>> robust_points(pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0, 4.0], "b": [7.0] * 5})).ravel().tolist()
    [-1.0, -0.5, 0.0, 0.5, 1.0]
    """
    values = features.to_numpy(dtype=np.float64)
    values = values[:, ~np.isnan(values).all(axis=0)]
    quarter, middle, three = np.nanquantile(values, [0.25, 0.5, 0.75], axis=0)
    spread = np.where(three > quarter, three - quarter, np.nanstd(values, axis=0))
    kept = spread > 0
    points = np.nan_to_num((values[:, kept] - middle[kept]) / spread[kept])
    if points.shape[1] <= MOST_DIMENSIONS:
        return np.asarray(points)
    centred = points - points.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    return np.asarray(centred @ axes[:, -MOST_DIMENSIONS:])


def nearest_strangers(points: Floats, asked: Codes, pool: Codes, owner: Codes) -> tuple[Floats, Codes]:
    """Return each asked row's distance to the nearest row of the pool that belongs to another patient, and that row.

    Distances are formed block by block (in single precision, the winner's again in double), never all at once.

    Parameters
    ----------
    points : ndarray, float64, shape (n, p)
    asked, pool : ndarray, int64
        Rows.
    owner : ndarray, int64, shape (n,)
        Code of each row's patient.

    Returns
    -------
    distance : ndarray, float64, shape (asked,)
        Infinite where every row of the pool is the patient's own.
    row : ndarray, int64, shape (asked,)

    Examples
    --------
    >>> nearest_strangers(np.array([[0.0], [1.0], [1.5], [5.0]]), np.array([0, 3]), np.array([1, 2]), np.array([0, 0, 1, 2]))
    (array([1.5, 3.5]), array([2, 2]))
    """
    pool = pool[np.argsort(owner[pool], kind="stable")]
    begin, end = (np.searchsorted(owner[pool], owner[asked], side=side) for side in ("left", "right"))
    base = points[pool].astype(np.float32)
    square = np.einsum("ij,ij->i", base, base)
    winner = np.zeros(asked.size, dtype=np.int64)
    step = max(1, _BLOCK // max(1, pool.size))
    for start in range(0, asked.size, step):
        block = slice(start, start + step)
        gap = square - 2 * (points[asked[block]].astype(np.float32) @ base.T)
        for line, (b, e) in enumerate(zip(begin[block], end[block], strict=True)):
            gap[line, b:e] = np.inf
        winner[block] = gap.argmin(axis=1)
    distance = np.linalg.norm(points[asked] - points[pool[winner]], axis=1)
    distance[end - begin == pool.size] = np.inf
    return distance, pool[winner]


def chance_within(reference: Floats, radius: Floats, rich: int) -> Floats:
    """Return the probability that a nearest-neighbour distance falls within each radius, from a reference sample.

    The largest of the empirical share and two power laws, one through the bulk (5 % and 50 %), one through the ten smallest
    values (Hill's estimator); their exponents are cut to 0.8 times what is found and to the number of rich features, and every count of
    the reference is raised by four of its standard errors: two rows may be each other's neighbour, and a reference is a sample.

    Parameters
    ----------
    reference : ndarray, shape (m,)
        Positive distances, m >= 10.
    radius : ndarray, shape (j,)
    rich : int
        At least 1.

    Examples
    --------
    >>> within = chance_within(np.linspace(0.01, 1.0, 100), np.array([0.5, 0.001]), 1)
    >>> round(float(within[0]), 2), bool(0 < within[1] < 0.05)  # (50 + 4 * 50**0.5) / 100
    (0.78, True)
    """
    ranked = np.sort(reference)
    n, m = ranked.size, min(10, ranked.size // 2)
    low, middle = np.quantile(ranked, [0.05, 0.5])
    bulk = np.log(10) / max(np.log(middle / low), 1e-9)
    tail = (m - 1) / max(np.log(ranked[m - 1] / ranked[: m - 1]).sum(), 1e-9)
    share = _surely(np.searchsorted(ranked, radius, side="right")) / n
    for anchor, at, dimension in ((0.05 * n, low, bulk), (m, ranked[m - 1], tail)):
        power = np.clip(_CAUTION * dimension, 0.5, rich)
        share = np.maximum(share, np.where(radius < at, _surely(anchor) / n * (radius / at) ** power, 0.0))
    return np.minimum(share, 1.0)


def _rich(table: LeakageTable) -> Bools:
    """Which features take many values for each patient."""
    patients = np.unique(table.patient).size
    return np.asarray(table.features.nunique().to_numpy() >= max(FEWEST / 2, RICH * patients))


def _twins(code: Codes, pool: Bools, owner: Codes) -> tuple[Codes, Bools]:
    """Return each held-out row's first equal among the pool (-1 for none), and whether it is a row of the same patient."""
    base = np.flatnonzero(pool & (code >= 0))
    first = pd.Series(base).groupby(code[base]).first()
    twin = np.full(code.size, -1, dtype=np.int64)
    asked = np.flatnonzero(~pool & (code >= 0))
    twin[asked] = first.reindex(code[asked]).fillna(-1).to_numpy(dtype=np.int64)
    own = np.zeros(code.size, dtype=bool)
    own[asked] = (twin[asked] >= 0) & (owner[twin[asked]] == owner[asked])
    return twin, own


def _coincidences(table: LeakageTable, pool: Bools) -> float:
    """Return how many equal pairs of different people across the splits independent features would make."""
    pairs = float(pool.sum()) * float((~pool).sum())
    owner = pd.Series(table.owner)
    strangers = max(_pairs(np.full(1, owner.size)) - _pairs(owner.value_counts().to_numpy()), 1.0)
    for name in table.features.columns:
        value = pd.Series(pd.factorize(table.features[name], use_na_sentinel=False)[0])
        own = pd.DataFrame({"value": value, "owner": owner}).value_counts().to_numpy()
        equal = _pairs(value.value_counts().to_numpy()) - _pairs(own)
        pairs *= max(equal, 0.5) / strangers
    return pairs


def _pairs(counts: npt.ArrayLike) -> float:
    """Return how many pairs groups of these sizes hold."""
    sizes = np.asarray(counts, dtype=np.float64)
    return float((sizes * (sizes - 1) / 2).sum())


def _more_often(rows: Codes, code: Codes, pool: Bools, owner: Codes) -> bool:
    """Whether held-out patients copy other patients more often than training patients do."""
    found, asked = np.unique(owner[rows]).size, np.unique(owner[~pool]).size
    if found == 0:
        return False
    base = np.flatnonzero(pool & (code >= 0))
    copied = _copied_within(code, pool, owner).size
    share = min(1.0, float(_surely(copied + 1)) / np.unique(owner[base]).size)
    return float(special.betainc(found, asked - found + 1, share)) < UNLIKELY


def _copied_within(code: Codes, pool: Bools, owner: Codes) -> Codes:
    """Return the training patients who have a row that equals another training patient's."""
    base = np.flatnonzero(pool & (code >= 0))
    owners = pd.DataFrame({"code": code[base], "owner": owner[base]}).groupby("code")["owner"].nunique()
    return np.unique(owner[base[owners.reindex(code[base]).to_numpy() > 1]])


def _surely(count: npt.ArrayLike) -> Floats:
    """Return a count raised by four standard errors."""
    found = np.asarray(count, dtype=np.float64)
    return np.asarray(found + 4 * np.sqrt(found))


def _siblings_equal(code: Codes, split: npt.NDArray[np.str_], owner: Codes) -> bool:
    """Whether a tenth or more of the rows with a sibling in their split equal one."""
    rows = pd.DataFrame({"code": code, "split": split, "owner": owner})
    size = rows.groupby(["split", "owner"])["code"].transform("size")
    equal = rows.groupby(["split", "owner", "code"])["code"].transform("size")
    return bool((size > 1).any()) and float((equal[size > 1] > 1).mean()) >= 0.1


def _strangers(points: Floats, asked: Codes, pool: Codes, owner: Codes, rich: int, seed: int) -> dict[int, tuple[int, float]]:
    """Return held-out rows that nearly copy another patient's training row: row -> (copied row, distance)."""
    sample = _sample(pool, owner, seed)
    reference = _least(nearest_strangers(points, sample, pool, owner)[0], owner[sample])
    if reference.size < FEWEST or asked.size == 0:
        return {}
    distance, row = nearest_strangers(points, asked, pool, owner)
    radius = _radius(_least(distance, owner[asked]), reference, rich)
    return {int(a): (int(r), float(d)) for a, r, d in zip(asked, row, distance, strict=True) if 0 < d <= radius}


def _siblings(
    points: Floats, asked: Codes, pool: Bools, owner: Codes, rich: int, strangers: dict[int, tuple[int, float]]
) -> dict[int, tuple[int, float]]:
    """Return held-out rows of patients in both splits that nearly copy a training row of their own, beside those of `strangers`."""
    shared = np.intersect1d(owner[asked], owner[pool])
    if shared.size == 0:
        return {}
    base = np.flatnonzero(pool)
    rows = [int(at) for at in asked[np.isin(owner[asked], shared)] if int(at) not in strangers]
    near = {at: _own_nearest(points, at, base[owner[base] == owner[at]]) for at in rows}
    reference = _within_patient(points, base, owner)
    if reference.size < FEWEST:
        sample = _sample(base, owner, 0)
        reference = _least(nearest_strangers(points, sample, base, owner)[0], owner[sample])
    if reference.size < FEWEST or not near:
        return {}
    distances = np.array([d for _, d in near.values()])
    radius = _radius(_least(distances, owner[np.array(list(near))]), reference, rich)
    return {at: (row, d) for at, (row, d) in near.items() if 0 < d <= radius}


def _own_nearest(points: Floats, at: int, rows: Codes) -> tuple[int, float]:
    distance = np.linalg.norm(points[rows] - points[at], axis=1)
    return int(rows[distance.argmin()]), float(distance.min())


def _within_patient(points: Floats, base: Codes, owner: Codes) -> Floats:
    """Return the smallest distance between two rows of a patient within the pool, for up to 500 patients that have two."""
    found = []
    for _, rows in pd.Series(base).groupby(owner[base]):
        if len(rows) > 1:
            mine = points[rows.to_numpy()[:50]]
            gaps = np.linalg.norm(mine[:, None] - mine[None], axis=2)[np.triu_indices(len(mine), 1)]
            found.append(gaps.min())
        if len(found) == 500:
            break
    every = np.array(found)
    return every[every > 0]


def _sample(pool: Codes, owner: Codes, seed: int) -> Codes:
    """Return the rows of patients drawn from the pool until there are enough rows."""
    patients = np.random.default_rng(seed).permutation(np.unique(owner[pool]))
    counts = np.bincount(owner[pool], minlength=int(owner.max()) + 1)[patients]
    taken = patients[: int(np.searchsorted(np.cumsum(counts), REFERENCE_ROWS)) + 1]
    return np.asarray(pool[np.isin(owner[pool], taken)])


def _least(distance: Floats, owner: Codes) -> Floats:
    """Return each patient's smallest distance that is neither 0 nor infinite."""
    good = np.isfinite(distance) & (distance > 0)
    return np.asarray(pd.Series(distance[good]).groupby(owner[good]).min().to_numpy(dtype=np.float64))


def _radius(distance: Floats, reference: Floats, rich: int) -> float:
    """Return the distance within which patients lie nearer than chance allows; 0 when there is none."""
    ranked = np.sort(distance)
    if ranked.size == 0:
        return 0.0
    expected = ranked.size * chance_within(reference, ranked, rich)
    tail = special.gammainc(np.arange(1, ranked.size + 1), expected)  # P(Poisson(expected) >= j)
    unlikely = np.flatnonzero((tail < UNLIKELY_NEAR) & (ranked < np.quantile(reference, 0.05)))
    return float(ranked[unlikely[-1]]) if unlikely.size else 0.0
