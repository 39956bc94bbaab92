"""The gates beside rivals and controls: authors' values, perturbation, batches, harmonising, another cohort, interpretation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import OnclairError
from onclair.core.estimate import Estimate, not_available
from onclair.explain.semantics import FALSE_SHARE, associations, beside
from onclair.io.cards import SUMS, Card, model_record
from onclair.io.cohorts import read_semantic
from onclair.io.tables import read_table
from onclair.learn.harmonise import BatchClassifier, ComBat, refuse_aliased
from onclair.science.statistics.cox import FollowUp
from onclair.science.statistics.formula import Formula, formula_of
from onclair.studies.tasks.radiomics_audit_gates import Status
from onclair.studies.tasks.radiomics_audit_rows import VOXEL_SIZE, Rows
from onclair.studies.tasks.radiomics_audit_score import Scores, score_formula, scores_of
from onclair.validate.acting import acting_in_time
from onclair.validate.batch import Resampling, aliasing_estimate, batch_auc, batch_tests, within_batch_auc
from onclair.validate.batch_in_time import within_batch_harrell
from onclair.validate.benefits import benefits, benefits_of_all_or_none
from onclair.validate.calibration import citl, o_e, slope
from onclair.validate.followed import followed_risks, followed_rows
from onclair.validate.overall import brier
from onclair.validate.replication import CHANCE, BatchFigures
from onclair.validate.stability import concordance, icc
from onclair.validate.survival.claim import SurvivalAsked, SurvivalClaim, survival_figures
from onclair.validate.survival.ranking import uno
from onclair.validate.truths import Binary, Timed, rival
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
#: Bootstrap replicates behind the intervals of calibration errors over time, and fewest events from which they are drawn.
REPLICATES, CURVED = 100, 30


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
    if scores is None:
        steady = sum(_at_least(each, GOOD) for each in found)
        note: Note = (
            "passed" if steady == len(found) else "failed",
            f"{steady} of {len(found)} features are steady over {len(stack)} looks at each patient.",
        )
        return Further(tuple(found), note)
    formula, names = score_formula(card), [str(name) for name in rows.features.columns]
    usable = np.isfinite(stack).all(axis=(0, 2))
    again = [formula.linear_predictor({name: copy[usable][:, at] for at, name in enumerate(names)}) for copy in stack]
    whole = icc("icc:model", np.stack(again, axis=1))
    told = f"ICC(1,1) of the score over {len(stack)} looks at each patient: {whole.text()}"
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
        within = not_available(name, "there is no score to rank patients within a batch by", n=rows.patients)
        if scores is not None and isinstance(truth, Binary):
            within = within_batch_auc(name, truth.truth, scores.true, batch)
        elif scores is not None and isinstance(truth, Timed):
            within = within_batch_harrell(name, followed_rows(truth.time, truth.event, scores.true), batch)
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
    if isinstance(truth, Timed):
        found.append(uno("uno:model:external", followed_rows(truth.time, truth.event, scores.true)))
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
    if card.model.kind not in SUMS:
        return [not_available(name, "the network gives a score, and no risk to compare with the outcome", n=rows.patients)]
    if card.model.kind == "linear" or getattr(card.model, constant) is None:
        return [not_available(name, f"the card gives no {constant}, so there is no risk to compare with the outcome", n=rows.patients)]
    formula, truth = formula_of(model_record(card).document), rows.truth
    table = {str(c): rows.features[c].to_numpy() for c in rows.features.columns}
    if isinstance(truth, Timed):
        return _over_time(formula, table, rows, where)
    if not isinstance(truth, Binary) or card.model.kind == "cox":
        return [not_available(name, "the card gives a risk by a time, and the outcome has none", n=rows.patients)]
    risks = formula.predict(table)
    found = [
        make(f"{short}:model{where}", truth.truth, risks)
        for short, make in (("o_e", o_e), ("citl", citl), ("slope", slope), ("brier", brier))
    ]
    curve = [*net_benefit("model", truth.truth, risks, THRESHOLDS), *net_benefit_of_all_or_none(truth.truth, THRESHOLDS)]
    return [*found, *(replace(each, name=f"{each.name}{where}") for each in curve)]


def _over_time(formula: Formula, table: Mapping[str, Floats], rows: Rows, where: str) -> list[Estimate]:
    """Return calibration, Brier score and net benefit of risks by the baseline's horizon, in the outcome's own unit of time."""
    truth, base, name = rows.truth, formula.baseline, f"o_e:model{where}"
    if not isinstance(truth, Timed) or base is None:
        return [not_available(name, "the card gives a risk without a time, and the outcome comes in time", n=rows.patients)]
    if base.unit and base.unit != rows.outcome.unit:
        reason = f"the baseline of the card counts in {base.unit}, the outcome in {rows.outcome.unit}"
        return [not_available(name, reason, n=rows.patients)]
    wanted = rows.outcome.horizon if rows.outcome.horizon in base.horizons else base.horizons[-1]
    risks, predictor = formula.predict(table, horizon=wanted), formula.linear_predictor(table) - base.centre
    claim = SurvivalClaim(risk=risks, linear_predictor=predictor)
    follow_up = FollowUp(truth.time, truth.event.astype(np.int64))
    asked = SurvivalAsked(horizon=wanted, replicates=REPLICATES if truth.events >= CURVED else 0)
    with np.errstate(over="ignore"):  # a smooth curve through a handful of events may run off to infinity, where its risk is 1
        found, _ = survival_figures("model", follow_up, claim, asked=asked)
    found = [each for each in found if each.name.partition(":")[0] not in ("harrell", "uno", "poisson_o_e")]
    try:
        acting = acting_in_time(followed_risks(truth.time, truth.event, risks), wanted)
        found += [*benefits("model", acting, THRESHOLDS), *benefits_of_all_or_none(acting, THRESHOLDS)]
    except OnclairError as error:
        found.append(not_available(f"nb:model@{THRESHOLDS[0]:g}", str(error).rstrip("."), n=rows.patients))
    return [replace(each, name=f"{each.name}{where}") for each in found]


def interpretation(rows: Rows, scores: Scores | None) -> Further:
    """Return how the score goes with reader scores and biology (``semantic.csv``), adjusted for how many were asked, and beyond volume."""
    table = None if rows.cohort.root is None else read_semantic(rows.cohort.root)
    if table is None or scores is None:
        return Further()
    volume = rows.rivals["volume"].to_numpy(dtype=np.float64)
    given = {"volume": volume} if np.isfinite(volume).all() and np.ptp(volume) > 0 else {}
    found = associations(scores.true, beside(table, rows.features.index), given=given)
    if not found.asked:
        return Further(found.estimates, ("not_available", "semantic.csv holds no column that enough patients share and that varies."))
    close = found.close()
    told = f"Of {found.asked} columns of semantic.csv, the score goes with {', '.join(close) if close else 'nothing'}"
    return Further(found.estimates, ("passed" if close else "failed", f"{told} (at most {FALSE_SHARE:.0%} of such calls false)."))


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
