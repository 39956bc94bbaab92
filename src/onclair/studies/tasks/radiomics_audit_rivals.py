"""What an audited score is set beside besides volume and uptake: clinical columns, random features, and random weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadCohort
from onclair.core.estimate import Estimate, not_available
from onclair.core.seeds import rng_for
from onclair.explain.readings import as_numbers, known_values
from onclair.io.cards import SUMS, Card
from onclair.io.tables import read_table
from onclair.science.statistics.cox import FollowUp, cox
from onclair.science.statistics.glm import ridge_logistic
from onclair.studies.tasks.radiomics_audit_rows import Rows
from onclair.studies.tasks.radiomics_audit_score import score_formula, scores_of
from onclair.validate.confounds import nuisance_correlation
from onclair.validate.truths import Timed, Truth

Floats = npt.NDArray[np.float64]

#: The cohort's table of what is known of a patient without the image: ``patient`` and columns.
CLINICAL = "clinical.csv"
#: Folds in which the clinical rival is fitted, how often they are drawn, and its ridge on standardised columns.
FOLDS, REPEATS, RIDGE = 5, 5, 1.0
#: A column of words with more of them than this is left out: it is a name, no finding.
MOST_WORDS = 6
#: Draws of random features, and of random weights.
DRAWS = 20
#: How random features come about.
RANDOM_FEATURES = "each feature dealt anew to the patients, by itself, the card's own weights kept"
#: How random weights come about.
RANDOM_WEIGHTS = "the card's weights redrawn (normal, on standardised features), each draw turned to the side on which it does better"


def clinical(rows: Rows, score: Floats, *, seed: int) -> list[Estimate]:
    """Return how well clinical columns alone rank the patients, out of fold, and what the score adds to them.

    The columns stand in ``clinical.csv`` of the cohort: ``patient``, and anything known without the image (age, stage...). Numbers are
    standardised, words become one column each, gaps are filled by the training fold's median and marked; all within the fold.

    Parameters
    ----------
    rows : Rows
    score : ndarray, shape (n,)
    seed : int
        Of the folds.

    Returns
    -------
    list of Estimate
        ``FIGURE:rival:clinical``, ``FIGURE:model-minus-clinical`` and ``spearman:model:clinical``; ``not_available`` without the table.

    Raises
    ------
    BadCohort
        When the table names a patient twice.
    """
    figure = rows.truth.figure
    names = (f"{figure}:rival:clinical", f"{figure}:model-minus-clinical", "spearman:model:clinical")
    table = None if rows.cohort.root is None else _clinical_table(rows.cohort.root, rows.rivals.index)
    if table is None:
        return [not_available(name, "the cohort brings no clinical columns (clinical.csv)", n=rows.patients) for name in names]
    if not len(table.columns):
        return [not_available(name, "clinical.csv holds no column that varies", n=rows.patients) for name in names]
    held = _out_of_fold(rows, table, seed)
    if isinstance(held, str):
        return [not_available(name, held, n=rows.patients) for name in names]
    model = "ridge Cox" if isinstance(rows.truth, Timed) else "ridge logistic"
    said = f"{model} on {len(table.columns)} clinical columns, out of fold, {FOLDS} folds by patient, {REPEATS} repeats"
    own = rows.truth.ranks(names[0], held)
    found = [own, rows.truth.gains(names[1], score, held), nuisance_correlation(names[2], score, held.mean(axis=0))]
    return [replace(each, method=f"{each.method}; {said}") if each.method else each for each in found]


def random_features(card: Card, rows: Rows, score: Floats, *, seed: int) -> list[Estimate]:
    """Return how the card's sum does on random features, and random sums on the card's features.

    A feature dealt anew to the patients keeps its distribution and tells nothing of anybody: what the sum of such features reaches is
    what a card of this shape reaches by luck. Random weights ask whether the published ones matter, given the features.

    Parameters
    ----------
    card : Card
    rows : Rows
    score : ndarray, shape (n,)
    seed : int

    Returns
    -------
    list of Estimate
        ``FIGURE:model:random-features`` and ``FIGURE:model-minus-random-features``; the same of ``random-weights`` where the card has two
        features or more. Of a network, the reason why there is none.
    """
    truth, figure = rows.truth, rows.truth.figure
    if card.model.kind not in SUMS:
        reason = "a network reads an image, not features; its controls destroy the image instead"
        return [not_available(f"{figure}:model:random-features", reason, n=rows.patients)]
    values = rows.features.to_numpy(dtype=np.float64)
    names = [str(name) for name in rows.features.columns]
    dealt = np.stack([_dealt(values, rng_for(seed, "random-features", str(draw))) for draw in range(DRAWS)])
    control = scores_of(card, rows.features, {"random-features": dealt}).controls["random-features"]
    if isinstance(control, str):
        return [not_available(f"{figure}:model:random-features", control, n=rows.patients)]
    found = _compared(truth, "random-features", score, control, f"{RANDOM_FEATURES}, {DRAWS} draws")
    if len(names) < 2:
        return found
    parts = np.column_stack([_part(card, rows.features, name) for name in names])
    spread = parts.std(axis=0)
    standard = (parts - parts.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    weights = np.stack([rng_for(seed, "random-weights", str(draw)).standard_normal(len(names)) for draw in range(DRAWS)])
    sums = _turned(truth, weights @ standard.T)
    return [*found, *_compared(truth, "random-weights", score, sums, f"{RANDOM_WEIGHTS}, {DRAWS} draws")]


def _compared(truth: Truth, control: str, score: Floats, copies: Floats, said: str) -> list[Estimate]:
    own = truth.ranks(f"{truth.figure}:model:{control}", copies)
    gain = truth.gains(f"{truth.figure}:model-minus-{control}", score, copies)
    return [replace(each, method=f"{each.method}; {said}") if each.method else each for each in (own, gain)]


def _dealt(values: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(rng.permuted(values, axis=0))


def _part(card: Card, features: pd.DataFrame, name: str) -> Floats:
    """Return what one feature adds to the card's sum."""
    formula = score_formula(card)
    terms = [term for term in formula.terms if term.input == name]
    return np.asarray(np.sum([term.values(features[name].to_numpy(dtype=np.float64)) for term in terms], axis=0))


def _turned(truth: Truth, copies: Floats) -> Floats:
    values = [truth.ranks(f"{truth.figure}:model", line).value for line in copies]
    return np.stack([-line if value is not None and value < 0.5 else line for value, line in zip(values, copies, strict=True)])


def _clinical_table(root: Path, patients: pd.Index) -> pd.DataFrame | None:
    """Return the clinical columns as numbers, a row a patient, NaN where nothing is known; None without the table."""
    path = root / CLINICAL
    if not path.is_file():
        return None
    frame = read_table(path, text=("patient",)).frame
    if "patient" not in frame.columns:
        raise BadCohort(f"{CLINICAL} lacks the column 'patient'; name the patient of each row.", item=CLINICAL)
    twice = frame.loc[frame["patient"].duplicated(), "patient"]
    if len(twice):
        raise BadCohort(f"{CLINICAL} names the patient {twice.iloc[0]} twice; keep one row a patient.", item=str(twice.iloc[0]))
    beside = frame.set_index("patient").reindex(patients)
    return pd.DataFrame({name: values for name, values in _numbers(beside) if _varies(values)}, index=patients)


def _numbers(beside: pd.DataFrame) -> Iterator[tuple[str, Floats]]:
    """Yield each column as numbers; one of words as a column for each word but the first, words for "nobody knows" as gaps."""
    for column in map(str, beside.columns):
        values = known_values(beside[column])
        numbers = as_numbers(values)
        if numbers is not None:
            yield column, numbers.to_numpy(dtype=np.float64)
            continue
        words, known = values.astype(str), values.notna().to_numpy()
        every = sorted(set(words[known]))
        for word in every[1:] if len(every) <= MOST_WORDS else ():
            yield f"{column}={word}", np.where(known, (words == word).to_numpy(dtype=np.float64), np.nan)


def _varies(values: Floats) -> bool:
    known = values[np.isfinite(values)]
    return bool(known.size) and float(known.min()) < float(known.max())


def _out_of_fold(rows: Rows, table: pd.DataFrame, seed: int) -> Floats | str:
    """Return the clinical model's score of every patient when they were held out, of shape (repeats, n), or why there is none."""
    patients = [str(p) for p in table.index]
    place = {patient: at for at, patient in enumerate(patients)}
    strata = pd.Series(rows.truth.happened, index=patients)
    held = np.full((REPEATS, len(patients)), np.nan)
    cohort = rows.cohort.only(patients)
    folds = min(FOLDS, rows.truth.events, rows.truth.non_events)
    if folds < 2:
        return "too few events to fit a clinical model out of fold"
    for repeat in range(REPEATS):
        for split in cohort.by_patient(folds, rng_for(seed, "clinical", str(repeat)), strata=strata):
            train, test = ([place[str(p)] for p in part] for part in (split.train, split.test))
            found = _fitted(table.to_numpy(dtype=np.float64), rows.truth, np.array(train), np.array(test))
            if isinstance(found, str):
                return f"the clinical model could not be fitted: {found}"
            held[repeat, test] = found
    return held


def _fitted(table: Floats, truth: Truth, train: npt.NDArray[np.int64], test: npt.NDArray[np.int64]) -> Floats | str:
    """Return the sums of the held-out rows by a ridge fitted on the others."""
    gaps: npt.NDArray[np.bool_] = np.isnan(table)
    known = np.asarray(np.isfinite(table[train]).any(axis=0))
    middle = np.array([np.nanmedian(table[train, at]) if known[at] else 0.0 for at in range(table.shape[1])])
    marked = gaps[:, [at for at in range(table.shape[1]) if gaps[train, at].any()]]
    filled = np.column_stack([np.where(gaps, middle, table), marked])
    mean, spread = filled[train].mean(axis=0), np.asarray(filled[train].std(axis=0))
    varies = np.flatnonzero(spread > 0)
    design = (filled - mean)[:, varies] / spread[varies]
    if not design.shape[1]:
        return "no clinical column varies in a training fold"
    if isinstance(truth, Timed):
        timed = cox(design[train], FollowUp(truth.time[train], truth.event[train]), ridge=RIDGE)
        return np.asarray(design[test] @ timed.coefficients) if timed.ok else str(timed.reason)
    fit = ridge_logistic(design[train], truth.happened[train], RIDGE)
    return np.asarray(fit.coefficients[0] + design[test] @ fit.coefficients[1:]) if fit.ok else str(fit.reason)
