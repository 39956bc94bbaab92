"""The figures that only a network has: how its members agree, how much of it plain features foretell, and where it looks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.estimate import Estimate, not_available
from onclair.core.evidence import Evidence
from onclair.explain.occlusion import Occlusion, occlusion_figures
from onclair.io.tables import read_parquet
from onclair.run.store import Store
from onclair.science.statistics.bootstrap import bootstrap
from onclair.studies.tasks.radiomics_audit_plan import Reading
from onclair.studies.tasks.radiomics_audit_probe import BESIDE, COVERED, MEMBER, PLAIN
from onclair.studies.tasks.radiomics_audit_rows import Rows
from onclair.studies.tasks.radiomics_audit_scorer import SCORE, NetworkEngine
from onclair.validate.stability import icc

Floats = npt.NDArray[np.float64]
#: So many patients are asked where the network looks, spread evenly over the cohort: each costs a few hundred answers.
OCCLUDED = 8
#: Folds of the probe, how often they are drawn anew, and fewest patients that it is tried on.
FOLDS, REPEATS, FEWEST = 5, 10, 20
#: The ridge penalty of the probe, on standardised columns; bootstrap samples of its interval; the seed of both.
PENALTY, REPLICATES, SEED = 1.0, 500, 1
_VOLUME = f"{PLAIN}morph_volume"


@dataclass(frozen=True, slots=True, eq=False)
class NetworkRows(Rows):
    """The patients of an audit with what is kept beside a network's score.

    Attributes
    ----------
    beside : DataFrame, one row a patient, indexed as `features`
        Each member's score and plain features.
    covered : DataFrame
        ``patient base drop inside samples``, one row a patch of those patients of whom it was asked where the network looks.
    """

    beside: pd.DataFrame = field(default_factory=pd.DataFrame)
    covered: pd.DataFrame = field(default_factory=pd.DataFrame)


def with_network(rows: Rows, store: Store, records: Mapping[str, Evidence]) -> Rows:
    """Return the rows with what is kept beside a network's score; as they are where nothing is kept."""
    folders = {store.root / folder: record.outputs for folder, record in sorted(records.items())}
    kept = [read_parquet(folder / BESIDE) for folder, outputs in folders.items() if BESIDE in outputs]
    if not kept:
        return rows
    table = pd.concat(kept).set_index("patient").drop(columns=["control", "copy"]).reindex(rows.features.index)
    covered = [read_parquet(folder / COVERED) for folder, outputs in folders.items() if COVERED in outputs]
    patches = pd.concat(covered, ignore_index=True) if covered else pd.DataFrame()
    return NetworkRows(**{each.name: getattr(rows, each.name) for each in fields(Rows)}, beside=table, covered=patches)


def asked_where(reading: Reading, patients: Sequence[str]) -> Collection[str]:
    """Return the patients of whom a network is asked where it looks: at most `OCCLUDED`, spread evenly; nobody for a sum of features.

    Examples
    --------
    >>> from pathlib import Path
    >>> from onclair.learn.network_input import NetworkInput
    >>> engine = NetworkEngine(Path("m"), "", "onnx", NetworkInput((4.0, 4.0, 4.0), (8, 8, 8)))
    >>> reading = Reading((SCORE,), (SCORE,), (None,), engine, None, "pet", "SUV")
    >>> sorted(asked_where(reading, [f"P{n:02d}" for n in range(16)]))
    ['P00', 'P02', 'P04', 'P06', 'P09', 'P11', 'P13', 'P15']
    """
    if not isinstance(reading.engine, NetworkEngine) or not patients:
        return frozenset()
    places = np.linspace(0, len(patients) - 1, min(OCCLUDED, len(patients))).round().astype(int)
    return frozenset(patients[at] for at in places)


def network_figures(rows: Rows, reading: Reading) -> list[Estimate]:
    """Return the figures that only a network has.

    Parameters
    ----------
    rows : Rows
        As `with_network` returns them.
    reading : Reading

    Returns
    -------
    list of Estimate
        ``icc:model:members``, ``sd:model:members``: whether the members of an ensemble, which differ by their folds and seeds, say the
        same; ``r2:model:volume``, ``r2:model:volume-and-handcrafted``: how much of the score a ridge regression on the lesion's volume,
        and on volume, shape, intensity and texture, foretells of patients that it was not fitted on; and the three figures of
        :func:`onclair.explain.occlusion.occlusion_figures`: how much of what moves the score lies within the outline. Nothing for a
        sum of features.
    """
    if not isinstance(reading.engine, NetworkEngine) or not isinstance(rows, NetworkRows):
        return []
    table, score = rows.beside, rows.features[SCORE].to_numpy(dtype=np.float64)
    return [*_members(table), *_probe(table, score), *_looking(rows.covered)]


def _members(table: pd.DataFrame) -> list[Estimate]:
    """Return how the members agree."""
    each = table[[name for name in table.columns if name.startswith(MEMBER)]].to_numpy(dtype=np.float64)
    n, k = each.shape
    if k < 2:
        reason = "the network is a single one: without members trained from other seeds, nothing tells how it varies"
        return [not_available(f"{figure}:model:members", reason, n=n) for figure in ("icc", "sd")]
    return [icc("icc:model:members", each), _spread("sd:model:members", each)]


def _spread(name: str, each: Floats, level: float = 0.95) -> Estimate:
    """Return the standard deviation over members within a patient, with its interval under normality."""
    from scipy import special

    n, k = each.shape
    free = n * (k - 1)
    total = float(((each - each.mean(axis=1, keepdims=True)) ** 2).sum())
    method = f"standard deviation over {k} members within a patient; exact interval under normality (chi-square)"
    if total == 0:
        return Estimate(name, 0.0, level=level, n=n, method=method, reason="the members agree exactly, so there is no interval")
    low, high = (float(np.sqrt(total / special.chdtri(free, tail))) for tail in ((1 - level) / 2, 1 - (1 - level) / 2))
    return Estimate(name, float(np.sqrt(total / free)), low=low, high=high, level=level, n=n, method=method)


def _probe(table: pd.DataFrame, score: Floats) -> list[Estimate]:
    """Return how much of the score is foretold by volume, and by volume and handcrafted features."""
    plain = [name for name in table.columns if name.startswith(PLAIN) and name != _VOLUME]
    volume = table[_VOLUME].to_numpy(dtype=np.float64)
    known = np.isfinite(volume) & (volume > 0)
    volumes = np.column_stack([volume, np.log(np.where(known, volume, 1.0))])
    more = table[plain].to_numpy(dtype=np.float64)
    usable = [at for at in range(more.shape[1]) if np.isfinite(more[known, at]).all()]
    both = np.column_stack([volumes, more[:, usable]])
    told = (
        "R2 of a ridge regression of the score on volume and its logarithm",
        f"R2 of a ridge regression of the score on volume, its logarithm and {len(usable)} IBSI features",
    )
    return [
        _foretold("r2:model:volume", volumes[known], score[known], told[0]),
        _foretold("r2:model:volume-and-handcrafted", both[known], score[known], told[1]),
    ]


def _foretold(name: str, columns: Floats, score: Floats, said: str) -> Estimate:
    """Return the cross-validated R2 of a ridge regression, never fitted on the patient that it foretells."""
    n = score.size
    if n < FEWEST:
        return not_available(name, f"{n} patients are too few for the probe, which asks for {FEWEST}", status="too_few", n=n)
    if float(np.ptp(score)) == 0:
        return not_available(name, "the score does not vary", n=n)
    rng = np.random.default_rng(SEED)
    guesses = np.mean([_out_of_fold(columns, score, rng) for _ in range(REPEATS)], axis=0)
    drawn = bootstrap(lambda weights: [_r2(score, guesses, weights)], np.arange(n), REPLICATES, seed=SEED)
    low, high = (float(end[0]) for end in drawn.interval())
    method = f"{said}; {FOLDS}-fold cross-validation, {REPEATS} times; percentile bootstrap over patients, {REPLICATES} samples"
    return Estimate(name, _r2(score, guesses, np.ones(n)), low=low, high=high, level=0.95, n=n, method=method)


def _out_of_fold(columns: Floats, score: Floats, rng: np.random.Generator) -> Floats:
    """Return the ridge regression's guess of each patient by the folds that do not hold that patient."""
    fold = rng.permutation(np.arange(score.size) % FOLDS)
    guesses = np.empty(score.size)
    for number in range(FOLDS):
        held = fold == number
        mean, spread = columns[~held].mean(axis=0), columns[~held].std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        design, away = (columns[~held] - mean) / spread, (columns[held] - mean) / spread
        middle = score[~held].mean()
        gram = design.T @ design + PENALTY * np.eye(design.shape[1])
        guesses[held] = middle + away @ np.linalg.solve(gram, design.T @ (score[~held] - middle))
    return guesses


def _r2(score: Floats, guesses: Floats, weights: Floats) -> float:
    middle = np.average(score, weights=weights)
    total = float(weights @ (score - middle) ** 2)
    return 1.0 - float(weights @ (score - guesses) ** 2) / total if total > 0 else float("nan")


def _looking(patches: pd.DataFrame) -> list[Estimate]:
    """Return how much of what moves the score lies within the outline, over the patients who were asked."""
    found = []
    for _, each in patches.groupby("patient") if len(patches) else ():
        drop, inside, samples = (each[name].to_numpy(dtype=np.float64) for name in ("drop", "inside", "samples"))
        nowhere = np.empty(0, dtype=np.float32), np.empty((0, 3, 2), dtype=np.int64)
        found.append(Occlusion(nowhere[0], float(each["base"].iloc[0]), drop, inside, samples, nowhere[1]))
    return list(occlusion_figures(found))
