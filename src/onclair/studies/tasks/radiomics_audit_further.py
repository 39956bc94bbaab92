"""The gates beside rivals and controls: authors' values, perturbation, batches, harmonising, another cohort, interpretation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import OnclairError
from onclair.core.estimate import Estimate, not_available
from onclair.io.cards import Card, model_record
from onclair.io.cohorts import read_semantic
from onclair.io.tables import read_table
from onclair.learn.harmonise import BatchClassifier, ComBat, refuse_aliased
from onclair.science.statistics.formula import formula_of
from onclair.studies.tasks.radiomics_audit_gates import Status
from onclair.studies.tasks.radiomics_audit_rows import VOXEL_SIZE, Rows
from onclair.studies.tasks.radiomics_audit_score import Scores, score_formula, scores_of
from onclair.validate.batch import Resampling, aliasing_estimate, batch_auc, batch_tests, within_batch_auc
from onclair.validate.calibration import citl, o_e, slope
from onclair.validate.confounds import nuisance_correlation
from onclair.validate.overall import brier
from onclair.validate.replication import CHANCE, BatchFigures
from onclair.validate.stability import concordance, icc
from onclair.validate.subgroups import adjusted
from onclair.validate.truths import Binary, rival
from onclair.validate.utility import net_benefit, net_benefit_of_all_or_none

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Note = tuple[Status, str]

#: From this lower bound of the ICC on, a score would be nearly the same again (Koo & Li 2016, doi:10.1016/j.jcm.2016.02.012).
GOOD = 0.75
#: From this lower bound of Lin's coefficient on, our values are the authors'.
SAME = 0.99
#: How a classifier of batches is judged: one pass of five folds, since it is asked of every batch column, before and after.
FIVE_FOLDS = Resampling(folds=5, repeats=1)
#: Risks at which the decision curve is drawn.
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)
#: A share of false ones that is taken among correlations that are called one.
FALSE_SHARE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Further:
    """What a part of the audit adds: figures, and what its gate says (None leaves the gate's own word)."""

    estimates: tuple[Estimate, ...] = ()
    note: Note | None = None


def extraction(rows: Rows) -> Further:
    """Return how our features agree with the authors' own, where the cohort brings them in ``authors.csv``.

    The table has ``patient`` and a column for each feature, named as on the card.
    """
    path = None if rows.cohort.root is None else rows.cohort.root / "authors.csv"
    if path is None or not path.is_file():
        return Further()
    theirs = read_table(path, text=("patient",)).frame.set_index("patient").reindex(rows.features.index)
    shared = [str(name) for name in rows.features.columns if name in theirs.columns]
    if not shared:
        return Further(note=("not_available", "authors.csv holds none of the card's features."))
    found: list[Estimate] = []
    for name in shared:
        ours, other = rows.features[name].to_numpy(), pd.to_numeric(theirs[name], errors="coerce").to_numpy(dtype=np.float64)
        known = np.isfinite(ours) & np.isfinite(other)
        found.append(concordance(f"ccc:feature:{name}", ours[known], other[known]))
        found.append(_worst(f"relative_error:feature:{name}", ours[known], other[known]))
    off = [e.name.removeprefix("ccc:feature:") for e in found if e.name.startswith("ccc:") and not _at_least(e, SAME)]
    if off:
        return Further(tuple(found), ("failed", f"Our values are not the authors' for {', '.join(off)}: settings or engine differ."))
    return Further(tuple(found), ("passed", f"Our values are the authors' for all {len(shared)} features compared."))


def _worst(name: str, ours: Floats, theirs: Floats) -> Estimate:
    """Return the largest relative difference from the authors' values; a value of theirs that is 0 has none."""
    usable = theirs != 0
    if not usable.any():
        return not_available(name, "no patient has both values, the authors' one not 0")
    apart = np.abs(ours[usable] / theirs[usable] - 1.0)
    return Estimate(name, float(apart.max()), n=int(usable.sum()), method="largest relative difference from the authors' values")


def perturbation(card: Card, rows: Rows, scores: Scores | None) -> Further:
    """Return whether features and score come out the same on a second scan and a second reader."""
    if not rows.perturbed:
        return Further()
    stack = np.stack([rows.features.to_numpy(dtype=np.float64), *rows.perturbed.values()])
    found = [icc(f"icc:feature:{name}", stack[:, :, at].T) for at, name in enumerate(rows.features.columns)]
    changes = ", ".join(rows.perturbed)
    if scores is None:
        steady = sum(_at_least(each, GOOD) for each in found)
        note: Note = ("passed" if steady == len(found) else "failed", f"{steady} of {len(found)} features are steady when {changes}.")
        return Further(tuple(found), note)
    formula, names = score_formula(card), [str(name) for name in rows.features.columns]
    usable = np.isfinite(stack).all(axis=(0, 2))
    again = [formula.linear_predictor({name: copy[usable][:, at] for at, name in enumerate(names)}) for copy in stack]
    whole = icc("icc:model", np.stack(again, axis=1))
    told = f"ICC(1,1) of the score over {changes}: {whole.text()}"
    if whole.value is None:
        return Further((whole, *found), ("not_available", f"{told}."))
    return Further(
        (whole, *found), ("passed" if _at_least(whole, GOOD) else "failed", f"{told}; at least {GOOD} is asked of the lower bound.")
    )


def batches(rows: Rows, scores: Scores | None) -> tuple[tuple[BatchFigures, ...], list[Estimate]]:
    """Return what is known of each batch column; the first that the tables declare gives the figure its plain name."""
    truth, figure = rows.truth, rows.truth.figure
    declared = [str(column) for column in rows.batches.columns if column != VOXEL_SIZE]
    found: list[BatchFigures] = []
    estimates: list[Estimate] = []
    if not declared and scores is not None:
        estimates.append(not_available(f"{figure}:model:within-batch", "all patients come from one centre", n=rows.patients))
    for column in map(str, rows.batches.columns):
        batch = rows.batches[column].to_numpy(dtype=object)
        name = f"{figure}:model:within-batch" if [column] == declared[:1] else f"{figure}:model:within-{column}"
        within = not_available(name, "discrimination within batches is not available for survival outcomes", n=rows.patients)
        if scores is not None and isinstance(truth, Binary):
            within = within_batch_auc(name, truth.truth, scores.true, batch)
            within = replace(within, method=f"{within.method}; batches by {column}") if within.method else within
        aliasing = aliasing_estimate(f"cramers_v:batch:{column}", batch, truth.happened)
        found.append(BatchFigures(column, within, aliasing, column in declared))
        estimates += [*([within] if scores is not None else []), aliasing, batch_tests(column, rows.features, batch).estimate()]
        estimates.append(_told(f"auc:batch:{column}:before", rows.features, rows.batches[column]))
    return tuple(found), estimates


def harmonisation(card: Card, rows: Rows, scores: Scores | None) -> Further:
    """Return what ComBat by the first declared batch does: how well the batch is still told, and what the score loses or gains."""
    declared = [str(column) for column in rows.batches.columns if column != VOXEL_SIZE]
    if not declared:
        return Further()
    column, truth = declared[0], rows.truth
    batch = rows.batches[column]
    try:
        refuse_aliased(batch.to_frame(), pd.Series(truth.happened, index=batch.index))
        fitted = ComBat(prior="parametric" if rows.features.shape[1] > 1 else "none").fit(rows.features, batch)
        after = fitted.transform(rows.features, batch)
    except OnclairError as error:
        return Further(note=("not_available", f"Harmonising by {column} was refused: {error}"))
    found = [_told(f"auc:batch:{column}:after", after, batch)]
    said = f"ComBat by {column}, fitted on all patients without the outcome"
    if scores is None:
        return Further(tuple(found), ("passed", f"{said}; there is no score to compare."))
    try:
        harmonised = scores_of(card, after, {}).true
    except OnclairError as error:
        return Further(tuple(found), ("not_available", f"{said}; the card cannot score the harmonised features: {error}"))
    changed = truth.ranks(f"{truth.figure}:model:harmonised", harmonised)
    lost = truth.gains(f"{truth.figure}:model-minus-harmonised", scores.true, harmonised)
    worse = lost.low is not None and lost.low > 0
    told = f"{said}; the score goes to {changed.text()}, a loss of {lost.text()}"
    note: Note = ("failed", f"{told}: part of what it tells is the batch.") if worse else ("passed", f"{told}.")
    return Further((*found, changed, lost), note)


def external(card: Card, away: Rows | None) -> Further:
    """Return the figures of the frozen score on another cohort: discrimination, rivals, and calibration where there is a risk."""
    if away is None:
        return Further()
    truth, scores = away.truth, scores_of(card, away.features, {})
    whole = truth.ranks(f"{truth.figure}:model:external", scores.true)
    found = [whole]
    for name in away.rivals.columns:
        values = away.rivals[name].to_numpy()
        if np.isfinite(values).all():
            found += [replace(each, name=f"{each.name}:external") for each in rival(truth, str(name), scores.true, values)]
    found += calibration(card, away, ":external")
    low = whole.low if whole.low is not None else whole.value
    counts = f"{truth.events} events among {away.patients} patients of the external cohort"
    if low is None or low <= CHANCE:
        return Further(tuple(found), ("failed", f"{counts}: {whole.text()}, which chance alone would allow."))
    return Further(tuple(found), ("passed", f"{counts}: {whole.text()}."))


def calibration(card: Card, rows: Rows, where: str = "") -> list[Estimate]:
    """Return calibration, Brier score and net benefit of the card's own risks; nothing but the reason where it gives none."""
    constant = "baseline" if card.model.kind == "cox" else "intercept"
    name = f"o_e:model{where}"
    if card.model.kind == "linear" or getattr(card.model, constant) is None:
        return [not_available(name, f"the card gives no {constant}, so there is no risk to compare with the outcome", n=rows.patients)]
    truth = rows.truth
    if not isinstance(truth, Binary):
        return [not_available(name, "calibration over time needs `onclair validate` with the risks in scores.csv", n=rows.patients)]
    formula = formula_of(model_record(card).document)
    risks = formula.predict({str(c): rows.features[c].to_numpy() for c in rows.features.columns})
    found = [
        make(f"{short}:model{where}", truth.truth, risks)
        for short, make in (("o_e", o_e), ("citl", citl), ("slope", slope), ("brier", brier))
    ]
    curve = [*net_benefit("model", truth.truth, risks, THRESHOLDS), *net_benefit_of_all_or_none(truth.truth, THRESHOLDS)]
    return [*found, *(replace(each, name=f"{each.name}{where}") for each in curve)]


def interpretation(rows: Rows, scores: Scores | None) -> Further:
    """Return how the score goes with reader scores and biology (``semantic.csv``), adjusted for how many were asked."""
    table = None if rows.cohort.root is None else read_semantic(rows.cohort.root)
    if table is None or scores is None:
        return Further()
    beside = table.drop_duplicates("patient").set_index("patient").reindex(rows.features.index)
    found = list(_with_columns(beside, scores.true))
    if not found:
        return Further(note=("not_available", "semantic.csv holds no number that varies."))
    p = np.array([_p_value(each) for each in found])
    q = adjusted(p, "bh")
    told = [
        replace(e, method=f"{e.method}; q = {value:.3g}, Benjamini & Hochberg 1995 over {len(found)}")
        for e, value in zip(found, q, strict=True)
    ]
    close = [each.name.rpartition(":")[2] for each, value in zip(told, q, strict=True) if value < FALSE_SHARE]
    known = ", ".join(close) if close else "nothing"
    return Further(tuple(told), ("passed" if close else "failed", f"Of {len(found)} columns of semantic.csv, the score goes with {known}."))


def _with_columns(beside: pd.DataFrame, score: Floats) -> Iterator[Estimate]:
    for column in beside.columns:
        values = pd.to_numeric(beside[column], errors="coerce").to_numpy(dtype=np.float64)
        known = np.isfinite(values)
        if known.sum() >= 10 and np.ptp(values[known]) > 0:
            each = nuisance_correlation(f"spearman:model:semantic:{_plain(str(column))}", score[known], values[known])
            if each.value is not None:
                yield each


def _plain(name: str) -> str:
    return name.strip().replace(" ", "-").replace(":", "-") or "column"


def _p_value(estimate: Estimate) -> float:
    """Return the two-sided p of a rank correlation from its error on Fisher's z."""
    from scipy import special

    value = min(abs(estimate.value or 0.0), 1 - 1e-12)
    z = np.arctanh(value) * np.sqrt(max((estimate.n or 0) - 3, 1) / (1 + value**2 / 2))
    return float(2 * special.ndtr(-z))


def _told(name: str, features: pd.DataFrame, batch: pd.Series) -> Estimate:
    """Return how well a classifier tells the batch from the features, by nested cross-validation."""

    def fit(train: Ints, codes: Ints, held: Ints, rng: np.random.Generator) -> Floats:
        return BatchClassifier().fit(features.iloc[train], codes, rng)(features.iloc[held])

    try:
        return batch_auc(name, batch.to_numpy(), fit, how=FIVE_FOLDS, said="ridge logistic on the card's features")
    except OnclairError as error:
        return not_available(name, f"the classifier could not be fitted: {error}", n=len(batch))


def _at_least(estimate: Estimate, bound: float) -> bool:
    low = estimate.low if estimate.low is not None else estimate.value
    return low is not None and low >= bound


def notes_of(parts: Mapping[str, Further]) -> dict[str, Note]:
    """Return what the gates say, by name.

    Examples
    --------
    >>> notes_of({"external": Further(), "extraction": Further(note=("passed", "Our values are the authors'."))})
    {'extraction': ('passed', "Our values are the authors'.")}
    """
    return {name: part.note for name, part in parts.items() if part.note is not None}
