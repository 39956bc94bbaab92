"""How much of a model to change for new patients: nothing, its intercept, its slope too, or all, and what that gains on others.

The choice is a closed test; the gain is judged on patients who did not take part in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.science.statistics.glm import GlmFit, logistic, with_intercept
from onclair.validate.calibration import citl, o_e, slope
from onclair.validate.discrimination import auc, auc_difference
from onclair.validate.overall import brier
from onclair.validate.rows import Floats, Rows
from onclair.validate.subgroups import Indices

Method = Literal["none", "intercept", "logistic", "refit"]
Fold = tuple[Indices, Indices]

METHODS: tuple[Method, ...] = ("none", "intercept", "logistic", "refit")
VERGOUWE = "closed test of Vergouwe 2017"


@dataclass(frozen=True, slots=True, eq=False)
class Refitted:
    """A model with all its coefficients estimated anew.

    Attributes
    ----------
    log_likelihood : float
        Unpenalised, of the rows it was fitted on.
    parameters : int
        Estimated ones, the intercept included.
    linear_predictor : callable
        Takes row indices of the whole table, int64 (m,), and returns logits, (m,).
    coefficients : tuple of float
        Intercept first.
    design_effect : float or None
        By how much repeated rows inflate the coefficients' variances, on average; None where that is not known, which is no matter
        when each patient has one row.
    reason : str or None
        Why it could not be fitted.
    """

    log_likelihood: float
    parameters: int
    linear_predictor: Callable[[Indices], Floats]
    coefficients: tuple[float, ...] = ()
    design_effect: float | None = None
    reason: str | None = None


#: Fits the whole model on the rows whose indices are given.
Refit = Callable[[Indices], Refitted]


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """The update that the closed test chose.

    Attributes
    ----------
    method : {"none", "intercept", "logistic", "refit"}
    p_values : dict
        ``"none" "intercept" "logistic"`` -> p-value of the refitted model against that one; all are given, though the choice stops
        at the first that is not small.
    coefficients : tuple of float
        Nothing, the shift, intercept and slope on the linear predictor, or the refitted coefficients.
    refitted : Refitted or None
        Only where chosen.
    reason : str or None
        Why nothing could be tested; the method is then ``none``.
    """

    method: Method
    p_values: dict[str, float] = field(default_factory=dict)
    coefficients: tuple[float, ...] = ()
    refitted: Refitted | None = None
    reason: str | None = None

    def linear_predictor(self, original: npt.ArrayLike, rows: Indices) -> Floats:
        """Return updated logits of `rows`, whose original ones are `original`, both of shape (m,).

        Examples
        --------
        >>> Update("logistic", coefficients=(0.5, 2.0)).linear_predictor([1.0, -1.0], np.arange(2))
        array([ 2.5, -1.5])
        """
        lp = np.asarray(original, dtype=np.float64)
        if self.refitted is not None:
            return np.asarray(self.refitted.linear_predictor(rows), dtype=np.float64)
        shift, factor = {"none": (0.0, 1.0), "intercept": (*self.coefficients, 1.0)}.get(self.method, self.coefficients)
        return np.asarray(shift + factor * lp)


@dataclass(frozen=True, slots=True, eq=False)
class UpdateJudged:
    """An update, and what updating gains on patients who took no part in it.

    Attributes
    ----------
    update : Update
        Chosen on all rows: the one to carry forward.
    chosen : dict
        Method -> in how many folds it was chosen; when they disagree, the choice is a matter of chance.
    estimates : tuple of Estimate
        ``auc brier o_e citl slope`` of ``WHO`` (before) and ``WHO-updated`` on the held-out rows, and the paired difference of AUCs.
    """

    update: Update
    chosen: dict[Method, int]
    estimates: tuple[Estimate, ...]


def glm_refit(predictors: npt.ArrayLike, truth: npt.ArrayLike, patients: npt.ArrayLike | None = None) -> Refit:
    """Return a refit by maximum likelihood on given predictors.

    Parameters
    ----------
    predictors : array_like, shape (n, p)
        Finite, coded as in the original model, without a column of ones.
    truth : array_like, shape (n,), 0 or 1
    patients : array_like, shape (n,), optional
        Whose row it is; the design effect is then estimated.

    Returns
    -------
    callable
        Row indices -> :class:`Refitted`.

    Raises
    ------
    BadInput
        As :func:`onclair.science.statistics.glm.logistic`.

    Examples
    --------
    >>> found = glm_refit([[0.0], [0.0], [1.0], [1.0]] * 2, [0, 1, 0, 1] * 2)(np.arange(8))
    >>> found.parameters, [round(c, 9) for c in found.coefficients]
    (2, [0.0, 0.0])
    """
    design, y = with_intercept(predictors), np.asarray(truth)
    owners = None if patients is None else np.asarray(patients)

    def refit(rows: Indices) -> Refitted:
        """Fit on some of the rows."""
        fit = logistic(design[rows], y[rows], clusters=None if owners is None else owners[rows])
        coefficients = tuple(fit.coefficients.tolist())
        return Refitted(
            fit.log_likelihood,
            design.shape[1],
            lambda where: design[where] @ fit.coefficients,
            coefficients,
            None if owners is None else _design_effect(fit),
            fit.reason,
        )

    return refit


def choose_update(rows: Rows, refit: Refit, *, among: Indices | None = None, alpha: float = 0.05) -> Update:
    """Return how far to update a logistic model, by the closed test.

    The refitted model is tested against the original one (as many degrees of freedom as it has parameters); if it is better,
    against a new intercept (one fewer); if again, against a new intercept and slope (two fewer). The first model
    that it does not beat is chosen. The chance of changing a model that is right is `alpha`.

    Parameters
    ----------
    rows : Rows
        From :func:`onclair.validate.rows.judged_rows`, the original logits as scores (one line).
    refit : callable
        See :func:`glm_refit`.
    among : ndarray, int64, shape (m,), optional
        The rows to update on; all when left out.
    alpha : float
        In (0, 1).

    Returns
    -------
    Update
        Where patients repeat, likelihood ratios are divided by the refit's mean design effect (Rao & Scott).

    Raises
    ------
    BadInput
        For an alpha outside (0, 1), several lines of scores, or repeated rows of patients and a refit without a design effect.

    References
    ----------
    Vergouwe et al. 2017, doi:10.1002/sim.7179; Rao & Scott 1984, doi:10.1214/aos/1176346391.

    Examples
    --------
    Risks of 0.2 where half have the event, whatever the predictor says: only the intercept is wrong.

    >>> from onclair.validate.rows import judged_rows
    >>> truth, x = [0, 1] * 40, [0.0, 0.0, 1.0, 1.0] * 20
    >>> found = choose_update(judged_rows(truth, special.logit([0.2] * 40 + [0.2001] * 40)), glm_refit([[v] for v in x], truth))
    >>> found.method, round(found.coefficients[0], 2)
    ('intercept', 1.39)
    """
    if not 0 < alpha < 1:
        raise BadInput(f"Alpha is {alpha:g}; give the chance of a needless update between 0 and 1, such as 0.05.", item="alpha")
    where = np.arange(rows.size) if among is None else among
    lp, y = _one_line(rows)[where], rows.truth[where]
    shift, line, new = logistic(np.ones((lp.size, 1)), y, offset=lp), logistic(with_intercept(lp), y), refit(where)
    if rows.clusters is not None and new.design_effect is None:
        found_rows = f"{rows.n} patients have {rows.size} rows, and the refit gives no design effect"
        raise BadInput(f"{found_rows}, so the test would change models too readily; name the patients to glm_refit.", item="design_effect")
    reason = shift.reason or line.reason or new.reason
    if reason:
        return Update("none", reason=f"nothing could be tested: {reason}")
    simpler = {"none": float((y * lp - np.logaddexp(0.0, lp)).sum()), "intercept": shift.log_likelihood, "logistic": line.log_likelihood}
    p_values = {name: _p_value(new, likelihood, df) for df, (name, likelihood) in enumerate(simpler.items())}
    method: Method = next((name for name in METHODS[:3] if p_values[name] >= alpha), "refit")
    found: dict[Method, Sequence[float]] = {
        "none": (),
        "intercept": shift.coefficients.tolist(),
        "logistic": line.coefficients.tolist(),
        "refit": new.coefficients,
    }
    return Update(method, p_values, tuple(found[method]), new if method == "refit" else None)


def judged_update(who: str, rows: Rows, refit: Refit, folds: Sequence[Fold], *, alpha: float = 0.05) -> UpdateJudged:
    """Return the update chosen on all rows, with the figures before and after updating on held-out patients.

    In each fold the closed test is repeated on the training rows and what it chooses predicts the held-out ones, so
    that the figures judge the procedure, choice included.

    Parameters
    ----------
    who : str
        The model.
    rows : Rows
        As :func:`choose_update`.
    refit : callable
    folds : sequence of (ndarray, ndarray)
        Training and held-out rows: one split or cross-fitting (:func:`patient_folds`).
    alpha : float

    Returns
    -------
    UpdateJudged

    Raises
    ------
    BadInput
        When a row is held out twice, a patient stands on both sides of a fold, or the refit gives a row no finite logit.

    Examples
    --------
    >>> from onclair.validate.rows import judged_rows
    >>> truth, x = [0, 1] * 40, [[v] for v in [0.0, 0.0, 1.0, 1.0] * 20]
    >>> rows = judged_rows(truth, special.logit(np.linspace(0.19, 0.21, 80)))
    >>> found = judged_update("m", rows, glm_refit(x, truth), patient_folds(80, 4, seed=1))
    >>> found.update.method, found.chosen, found.estimates[0].name
    ('intercept', {'intercept': 4}, 'auc:m')
    """
    _refuse_shared(rows, folds)
    before = _one_line(rows)
    after, chosen = np.full(rows.size, np.nan), Counter[Method]()
    for training, held_out in folds:
        update = choose_update(rows, refit, among=training, alpha=alpha)
        chosen[update.method] += 1
        after[held_out] = update.linear_predictor(before[held_out], held_out)
    where = np.sort(np.concatenate([held_out for _, held_out in folds]))
    if not np.isfinite(after[where]).all():
        bad = int(np.count_nonzero(~np.isfinite(after[where])))
        raise BadInput(f"The refit gave {bad} of {where.size} held-out rows no finite logit; correct the fitting function.", item=who)
    owners = None if rows.clusters is None else rows.clusters[where]
    truth, level = rows.truth[where], rows.level
    said = f"on rows held out of the update ({VERGOUWE}, {len(folds)} folds)"
    found: list[Estimate] = []
    for name, lp in ((who, before[where]), (f"{who}-updated", after[where])):
        risks = special.expit(lp)
        figures = {"auc": auc, "brier": brier, "o_e": o_e, "citl": citl, "slope": slope}
        found += [of(f"{figure}:{name}", truth, risks, patients=owners, level=level) for figure, of in figures.items()]
    gap = auc_difference(f"auc:{who}-updated-minus-{who}", truth, after[where], before[where], patients=owners, level=level)
    estimates = tuple(Estimate(**{**e.as_dict(), "method": f"{e.method}; {said}" if e.method else said}) for e in [*found, gap])
    return UpdateJudged(choose_update(rows, refit, alpha=alpha), dict(chosen), estimates)


def patient_folds(n: int, folds: int, *, seed: int, patients: npt.ArrayLike | None = None) -> list[Fold]:
    """Return training and held-out rows of each fold; a patient's rows stay together.

    Parameters
    ----------
    n : int
        Rows.
    folds : int
        At least 2, at most as many as patients.
    seed : int
    patients : array_like, shape (n,), optional

    Raises
    ------
    BadInput
        For fewer than 2 folds or more than patients, or patients not named for every row.

    Examples
    --------
    >>> [held_out.size for _, held_out in patient_folds(5, 2, seed=1)]
    [3, 2]
    """
    owners = np.arange(n) if patients is None else np.unique(np.asarray(patients), return_inverse=True)[1]
    if owners.shape != (n,):
        raise BadInput(f"{owners.size} patients were named for {n} rows; name the patient of each row.")
    count = int(owners.max()) + 1 if n else 0
    if not 2 <= folds <= count:
        raise BadInput(f"{folds} folds of {count} patients are impossible; ask for 2 or more, and no more than patients.", item="folds")
    fold = np.empty(count, dtype=np.int64)
    fold[np.random.default_rng(seed).permutation(count)] = np.arange(count) % folds
    return [(np.flatnonzero(fold[owners] != i), np.flatnonzero(fold[owners] == i)) for i in range(folds)]


def _one_line(rows: Rows) -> Floats:
    if len(rows.scores) > 1:
        raise BadInput(f"There are {len(rows.scores)} lines of logits; an update needs those of one locked model.")
    return np.asarray(rows.scores[0], dtype=np.float64)


def _p_value(new: Refitted, likelihood: float, fewer: int) -> float:
    """Return the p-value of the refitted model against one with `fewer` parameters; 1 when that leaves no degree of freedom."""
    df, effect = new.parameters - fewer, 1.0 if new.design_effect is None else new.design_effect
    statistic = max(2 * (new.log_likelihood - likelihood), 0.0) / max(effect, np.finfo(float).tiny)
    return float(stats.chi2.sf(statistic, df)) if df > 0 else 1.0


def _design_effect(fit: GlmFit) -> float:
    """Return the mean generalised design effect, tr(model covariance^-1 sandwich) / p; 1 where there is no fit."""
    if not fit.ok:
        return 1.0
    return float(np.trace(np.linalg.solve(fit.covariance, fit.sandwich)) / fit.coefficients.size)


def _refuse_shared(rows: Rows, folds: Sequence[Fold]) -> None:
    owners = np.arange(rows.size) if rows.clusters is None else rows.clusters
    held = np.concatenate([held_out for _, held_out in folds]) if folds else np.array([], dtype=np.int64)
    if not held.size:
        raise BadInput("No row is held out of the update; give at least one fold.", item="folds")
    if np.unique(held).size < held.size:
        raise BadInput(f"{held.size - np.unique(held).size} rows are held out twice; hold each out once.", item="folds")
    for i, (training, held_out) in enumerate(folds):
        both = np.intersect1d(owners[training], owners[held_out])
        if both.size:
            raise BadInput(f"{both.size} patients stand on both sides of fold {i}; keep a patient's rows together.", item="folds")
