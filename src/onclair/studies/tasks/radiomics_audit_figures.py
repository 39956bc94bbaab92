"""The figures of an audit: how a card's score ranks the patients, beside its rivals and on destroyed signals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.estimate import Estimate, not_available
from onclair.io.cards import SUMS, Card, card_names, input_name, read_card
from onclair.science.statistics.glm import logistic, ridge_logistic, with_intercept
from onclair.studies.tasks.radiomics_audit_rows import Rows
from onclair.studies.tasks.radiomics_audit_score import Scores
from onclair.validate.confounds import nuisance_correlation, permutation_test, shuffled_aucs
from onclair.validate.truths import Binary, Timed, Truth, folded, rival

Floats = npt.NDArray[np.float64]
#: Shuffles of the outcome for the null of the figure.
PERMUTATIONS = 999
#: The control that the rules ask about.
SHUFFLED = "shuffled-voxels"


def figures(rows: Rows, scores: Scores, seed: int) -> list[Estimate]:
    """Return every figure of a score but those by batch and on other cohorts.

    Parameters
    ----------
    rows : Rows
    scores : Scores
    seed : int
        Of the shuffled labels.
    """
    truth = rows.truth
    found = [truth.ranks(f"{truth.figure}:model", scores.true)]
    for name in rows.rivals.columns:
        found += _beside(rows, scores, str(name))
    found += _given_volume(rows, scores)
    for control, values in scores.controls.items():
        found += _on_control(truth, scores.true, control, values)
    found.append(_null(truth, scores.true, found[0], seed))
    return found


def survey(rows: Rows) -> tuple[dict[str, Any], list[Estimate]]:
    """Return how many features look promising one by one, and how many still do on shuffled voxels.

    Returns
    -------
    (dict, list of Estimate)
        ``features``; ``above``: with a folded figure above 0.7; ``still_above``: of these, with a mean folded figure above 0.7 on the
        shuffled copies, features that no shuffling can change not counted; ``mean_auc``, ``mean_auc_shuffled``: means of the folded
        figures; ``median_spearman``: over features, of the median over copies. And each feature's two figures.
    """
    truth, table_rows, estimates = rows.truth, [], []
    copies = rows.controls[SHUFFLED]
    for at, name in enumerate(rows.features.columns):
        values = rows.features[name].to_numpy()
        if not (np.isfinite(values).all() and np.isfinite(copies[:, :, at]).all()):
            estimates.append(not_available(f"{truth.figure}:feature:{name}", "the feature has no value for some patients or copies"))
            continue
        true = folded(truth.ranks(f"{truth.figure}:feature:{name}", values))
        each = [folded(truth.ranks(f"{truth.figure}:feature:{name}:{SHUFFLED}", line)) for line in copies[:, :, at]]
        mixed = replace(each[0], value=float(np.mean([e.value for e in each])), low=None, high=None, se=None)
        mixed = replace(mixed, method=f"mean of the folded figure over {len(each)} copies", reason="a mean over copies, without interval")
        rho = _median_spearman("spearman:feature:x", values, copies[:, :, at])
        table_rows.append((true.value, mixed.value, rho.value))
        estimates += [true, mixed]
    table = np.array(table_rows, dtype=np.float64).reshape(-1, 3)
    above = table[:, 0] > PROMISING
    said = {
        "features": len(rows.features.columns),
        "above": int(above.sum()),
        "still_above": int((above & (table[:, 1] > PROMISING)).sum()),
        "mean_auc": float(table[:, 0].mean()),
        "mean_auc_shuffled": float(table[:, 1].mean()),
        "median_spearman": float(np.nanmedian(table[:, 2])),
    }
    return said, estimates


def collinearity(card: Card, rows: Rows) -> list[Estimate]:
    """Return the variance inflation of each feature, and how often its refitted coefficient keeps the card's sign.

    The features' weights are fitted anew (ridge logistic, standardised) on bootstrap samples of the patients; binary outcomes only.
    """
    names = [str(name) for name in rows.features.columns]
    table = rows.features.to_numpy(dtype=np.float64)
    spread = table.std(axis=0)
    if len(names) < 2 or (spread == 0).any():
        return []
    standard = (table - table.mean(axis=0)) / spread
    inverse = np.linalg.pinv(np.corrcoef(standard.T), hermitian=True)
    method = "variance inflation factor: the diagonal of the inverse correlation matrix of the card's features"
    found = [Estimate(f"vif:feature:{name}", float(inverse[at, at]), n=len(table), method=method) for at, name in enumerate(names)]
    if not isinstance(rows.truth, Binary):
        return found
    signs = np.sign([each.coefficient or 0.0 for each in card.features])
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    kept = []
    for _ in range(REFITS):
        drawn = rng.integers(len(table), size=len(table))
        fit = ridge_logistic(standard[drawn], rows.truth.truth[drawn], 1.0)
        if fit.ok:
            kept.append(np.sign(fit.coefficients[1:]) == signs)
    if not kept:
        return found
    shares = np.mean(kept, axis=0)
    method = f"share of {len(kept)} bootstrap refits (ridge logistic, standardised) in which the coefficient keeps the card's sign"
    return found + [
        Estimate(f"same_sign:feature:{n}", float(share), n=len(table), method=method) for n, share in zip(names, shares, strict=True)
    ]


def refits_of(card: Card) -> dict[str, dict[str, int]]:
    """Return the sign of each feature on every shipped card of the same features, where signs differ.

    Examples
    --------
    >>> from onclair.io.cards import read_card
    >>> sorted(refits_of(read_card("aerts-2014"))["original_glrlm_GrayLevelNonUniformity"].items())
    [('aerts-2014', 1), ('aerts-refit-radcure', 1), ('kwan', -1)]
    """
    names = [input_name(each) for each in card.features]
    family = {card.name: card} | {name: read_card(name) for name in card_names()}
    same = {name: each for name, each in family.items() if [input_name(f) for f in each.features] == names and scorable(each)}
    if len(same) < 2:
        return {}
    signs = {
        name: {other: int(np.sign(each.features[at].coefficient or 0.0)) for other, each in same.items()} for at, name in enumerate(names)
    }
    return {name: found for name, found in signs.items() if len(set(found.values())) > 1}


def scorable(card: Card) -> bool:
    """Return whether a card has one score, rather than a list of features.

    Examples
    --------
    >>> scorable(read_card("aerts-2014")), scorable(read_card("survey-texture-3d"))
    (True, False)
    """
    return card.model.kind in SUMS


#: Bootstrap refits of the card's coefficients, and their seed.
REFITS, BOOTSTRAP_SEED = 200, 1
#: A folded figure above this looks promising in a survey.
PROMISING = 0.7


def _beside(rows: Rows, scores: Scores, name: str) -> Iterator[Estimate]:
    truth, values = rows.truth, rows.rivals[name].to_numpy()
    if not np.isfinite(values).all():
        reason = f"{name} has no value for {int((~np.isfinite(values)).sum())} patients"
        for each in (f"{truth.figure}:rival:{name}", f"{truth.figure}:model-minus-{name}", f"spearman:model:{name}"):
            yield not_available(each, reason)
        return
    yield from rival(truth, name, scores.true, values)
    yield nuisance_correlation(f"spearman:model:{name}", scores.true, values)


def _given_volume(rows: Rows, scores: Scores) -> Iterator[Estimate]:
    """Yield what the score tells beyond volume: partial rank correlation with the outcome, and the likelihood ratio given log volume."""
    truth, volume = rows.truth, rows.rivals["volume"].to_numpy()
    if not isinstance(truth, Binary):
        return
    yield nuisance_correlation("spearman:model:outcome-given-volume", scores.true, truth.truth, given=volume)
    name = "p_likelihood_ratio:model:given-volume"
    spread = float(np.std(scores.true))
    if spread == 0 or not (volume > 0).all():
        yield not_available(name, "the score does not vary, or a volume is zero")
        return
    less = with_intercept(_standard(np.log(volume))[:, None])
    fits = [logistic(design, truth.truth) for design in (less, np.column_stack([less, _standard(scores.true)]))]
    bad = next((fit.reason for fit in fits if not fit.ok), None)
    if bad is not None:
        yield not_available(name, bad)
        return
    from scipy import special

    statistic = max(2 * (fits[1].log_likelihood - fits[0].log_likelihood), 0.0)
    method = "likelihood ratio of the score added to log volume in a logistic model, chi-square with 1 degree"
    yield Estimate(name, float(special.chdtrc(1, statistic)), n=rows.patients, events=truth.events, method=method)


def _on_control(truth: Truth, true: Floats, control: str, values: Floats | str) -> Iterator[Estimate]:
    names = (f"{truth.figure}:model:{control}", f"{truth.figure}:model-minus-{control}", f"spearman:model:{control}")
    if isinstance(values, str):
        yield from (not_available(name, values) for name in names)
        return
    yield truth.ranks(names[0], values)
    yield truth.gains(names[1], true, values)
    yield _median_spearman(names[2], true, values)


def _median_spearman(name: str, true: Floats, copies: Floats) -> Estimate:
    """Return the median over copies of the rank correlation of a score with itself on a destroyed copy."""
    each = [nuisance_correlation(name, true, line) for line in copies]
    known = [e for e in each if e.value is not None]
    if not known:
        return each[0]
    value, low, high, se = (_median([getattr(e, key) for e in known]) for key in ("value", "low", "high", "se"))
    said = f"median over {len(known)} copies of value and interval; {known[0].method}"
    return replace(known[0], value=value, low=low, high=high, se=se, method=said)


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None


def _null(truth: Truth, true: Floats, observed: Estimate, seed: int) -> Estimate:
    """Return the p-value of the figure against shuffled outcomes."""
    name = "p:model:shuffled-labels"
    if observed.value is None:
        return not_available(name, observed.reason or "the figure is not available")
    if isinstance(truth, Binary):
        null = shuffled_aucs(truth.truth, partial(_area, true), PERMUTATIONS, seed=seed)
        return permutation_test(name, observed.value, null)
    if isinstance(truth, Timed):
        rng = np.random.default_rng(seed)
        orders = (rng.permutation(true.size) for _ in range(PERMUTATIONS // 5))
        values = [truth.ranks("harrell:model", true[order]).value for order in orders]
        return permutation_test(name, observed.value, [np.nan if value is None else value for value in values])
    return not_available(name, "the outcome is neither binary nor followed over time")


def _area(scores: Floats, labels: npt.NDArray[np.int64]) -> float:
    from onclair.science.statistics.ranks import auc

    return float(auc(labels, scores))


def _standard(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / values.std())
