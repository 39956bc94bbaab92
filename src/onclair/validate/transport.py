"""Does the claim travel? Figures by centre, pooled with what a new centre may expect, refitted without each centre, and merged.

Every centre whose figure has a finite, positive standard error enters the pool, whatever its size: a random-effects weight
already discounts a small one, while a rule on events would choose centres by their outcome (and shift O:E). In simulations of 25
centres, asking for 5 or 10 events and non-events changed the coverage of the prediction interval by at most 0.03. It is 0.91 to 0.95
where centres differ by more than their errors, and less (down to 0.82) where they differ a little and the errors hide it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, Scale, not_available
from onclair.science.statistics.meta_analysis import AT_ZERO, TOO_FEW, Pooled
from onclair.science.statistics.meta_analysis import pooled as meta_analysis
from onclair.validate.checked import UNKNOWN
from onclair.validate.subgroups import (
    FiguresOf,
    Floats,
    Indices,
    each_group,
    group_names,
    in_order,
    known_sum,
    marked,
    name_part,
    on_identity,
    placed,
)

#: The scale on which each figure is pooled (Debray et al. 2017); what is not named is not pooled.
POOLED_ON: Mapping[str, Scale] = {
    **dict.fromkeys(("auc", "harrell", "uno", "c_index", "auc_t"), "logit"),
    **dict.fromkeys(("o_e", "poisson_o_e"), "log"),
    **dict.fromkeys(("citl", "slope", "pseudo_intercept", "pseudo_slope"), "identity"),
}
#: Where a pooled estimate stands.
WHERE = ("centres", "new-centre", "tau2")

#: Takes training rows and held-out rows, int64; returns the predictions of the held-out ones.
Refit = Callable[[Indices, Indices], npt.ArrayLike]
#: Takes held-out rows and their predictions; returns ``FIGURE:WHO`` on those rows alone.
Judge = Callable[[Indices, Floats], Sequence[Estimate]]

_CITED = "REML (Viechtbauer 2005), Hartung & Knapp 2001"

#: An error below this on the pooling scale is a zero that rounding left.
LEAST_ERROR = 1e-9


def pooled_over_centres(by_centre: Mapping[str, Estimate], prefix: str) -> list[Estimate]:
    """Return one figure pooled over centres: its mean, what a new centre may expect, and the variance between centres.

    C-statistics are pooled as logits, observed over expected as logarithms, intercepts and slopes as they are; errors are
    brought to that scale by the delta method (``se(logit C) = se / (C (1 - C))``).

    Parameters
    ----------
    by_centre : mapping of str to Estimate
        Centre -> the figure there, of whatever status; the centre ``unknown`` is left out.
    prefix : str
        ``FIGURE:WHO``, for example ``"auc:basic"``.

    Returns
    -------
    list of Estimate
        ``PREFIX:centres`` (Hartung-Knapp interval), ``PREFIX:new-centre`` (low and high are the prediction interval) and
        ``PREFIX:tau2`` (Q-profile interval, on the pooling scale), each saying how many centres entered and which did not, why.
        ``not_available`` with fewer than two centres, the prediction with fewer than three. Nothing for figures that are not
        pooled (:data:`POOLED_ON`) and for differences of models.

    Raises
    ------
    BadInput
        When the centres' intervals are of different levels.

    References
    ----------
    Debray et al. 2017, doi:10.1136/bmj.i6460; Debray et al. 2019, doi:10.1177/0962280218785504.

    Examples
    --------
    >>> slopes = {"A": Estimate("slope:m", 0.0, se=0.5), "B": Estimate("slope:m", 1.0, se=0.5), "C": Estimate("slope:m", 2.0, se=0.5)}
    >>> [(e.name, round(e.value, 6)) for e in pooled_over_centres(slopes, "slope:m")]
    [('slope:m:centres', 1.0), ('slope:m:new-centre', 1.0), ('slope:m:tau2', 0.75)]
    """
    scale = pooling_scale(prefix)
    if scale is None:
        return []
    entered, left_out = _entering(by_centre, scale)
    if len(entered) < 2:
        reason = f"{len(entered)} of {len(by_centre)} centres has a figure that can be pooled; 2 are needed{left_out}"
        return [not_available(f"{prefix}:{where}", reason) for where in WHERE]
    levels = {e.level for e in entered.values()}
    if len(levels) > 1:
        raise BadInput(f"The intervals of '{prefix}' are of the levels {sorted(levels)}; judge all at one.", item=prefix)
    points = [on_scale(e, scale) for e in entered.values()]
    found = meta_analysis([value for value, _ in points], [se for _, se in points], levels.pop())
    return _said(found, prefix, scale, (list(entered.values()), f"{found.k} of {len(by_centre)} centres entered{left_out}"))


def pooling_scale(prefix: str) -> Scale | None:
    """Return the scale on which ``FIGURE:WHO`` is pooled, or None where it is not.

    Examples
    --------
    >>> pooling_scale("harrell:basic"), pooling_scale("o_e:basic"), pooling_scale("brier:basic"), pooling_scale("auc:a-minus-b")
    ('logit', 'log', None, None)
    """
    figure, _, who = prefix.partition(":")
    return None if "-minus-" in who else POOLED_ON.get(figure.partition("@")[0])


def on_scale(estimate: Estimate, scale: Scale) -> tuple[float, float]:
    """Return a figure and its standard error on `scale`, by the delta method; NaN where they have none there.

    Examples
    --------
    >>> value, se = on_scale(Estimate("auc:m", 0.8, se=0.04), "logit")
    >>> round(value, 6) == round(float(np.log(4)), 6), round(se, 6)
    (True, 0.25)
    """
    value, error = estimate.value, on_identity(estimate)
    if value is None or error is None:
        return float("nan"), float("nan")
    if scale == "identity":
        return value, error
    if value <= 0 or (scale == "logit" and value >= 1):
        return float("nan"), float("nan")
    slope = 1 / value if scale == "log" else 1 / (value * (1 - value))
    se = estimate.se if estimate.scale == scale and estimate.se is not None else error * slope
    return float(np.log(value) - (np.log1p(-value) if scale == "logit" else 0.0)), se


def merge_estimates(runs: Sequence[tuple[str, Sequence[Estimate]]]) -> list[Estimate]:
    """Return several sites' estimates side by side and pooled, as one run over all their rows would give them.

    Only figures, errors and counts are needed, never rows. A run over two or more centres brings its estimates by centre,
    any other its figures as those of one centre, named after the site. Its subgroups and pooled figures are left behind.

    Parameters
    ----------
    runs : sequence of (str, sequence of Estimate)
        Site -> what it found, named ``FIGURE:WHO[@T][:WHERE]``.

    Returns
    -------
    list of Estimate
        ``FIGURE:WHO:centre=SITE`` of every figure, ``too_few`` as in one run, then the three of :func:`pooled_over_centres`
        for each figure that is pooled.

    Raises
    ------
    BadInput
        For no run, a site or centre that comes twice, sites with different figures, or intervals of different levels.

    Examples
    --------
    >>> site = lambda value: [Estimate("slope:m", value, se=0.5, n=90, events=40)]
    >>> [e.name for e in merge_estimates([("A", site(0.0)), ("B", site(1.0))])]
    ['slope:m:centre=A', 'slope:m:centre=B', 'slope:m:centres', 'slope:m:new-centre', 'slope:m:tau2']
    """
    if not runs:
        raise BadInput("There is no run to merge; name at least one.")
    _refuse_mismatch(runs)
    shown: dict[str, Sequence[Estimate]] = {}
    for site, estimates in runs:
        for centre, theirs in _contribution(site, estimates).items():
            if centre in shown:
                raise BadInput(f"The centre '{centre}' comes twice, the second time in the run '{site}'; merge each once.", item=centre)
            shown[centre] = theirs
    return _with_pooled({centre: shown[centre] for centre in in_order(set(shown))})


def per_centre(
    figures: FiguresOf, centres: npt.ArrayLike, *, truth: npt.ArrayLike | None = None, patients: npt.ArrayLike | None = None
) -> list[Estimate]:
    """Return the figures of a frozen model in each centre, and pooled.

    Parameters
    ----------
    figures, truth, patients
        As :func:`onclair.validate.subgroups.by_group`.
    centres : array_like, shape (n,)

    Returns
    -------
    list of Estimate
        ``FIGURE:WHO:centre=NAME``, then the three of :func:`pooled_over_centres` by figure; ``too_few`` as in subgroups.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.subgroups.by_group`, and when a patient has rows in two centres.

    Examples
    --------
    >>> def mean(rows):
    ...     return [Estimate("slope:m", float(rows.mean()), se=1.0, n=rows.size, events=30)]
    >>> [e.name for e in per_centre(mean, ["A", "B", "A"])][:2]
    ['slope:m:centre=A', 'slope:m:centre=B']
    """
    _refuse_travellers(centres, patients)
    return _with_pooled(each_group(figures, centres, truth=truth, patients=patients))


def leave_one_centre_out(
    refit: Refit, judge: Judge, centres: npt.ArrayLike, *, truth: npt.ArrayLike | None = None, patients: npt.ArrayLike | None = None
) -> list[Estimate]:
    """Return the figures in each centre of a model refitted on all the others, and pooled.

    Parameters
    ----------
    refit : callable
        The whole pipeline (selection, tuning, imputation): takes training and held-out rows and returns the held-out predictions.
        It may raise an :class:`~onclair.core.errors.OnclairError`, which becomes the reason of that centre's figures.
    judge : callable
        Takes held-out rows and their predictions, returns ``FIGURE:WHO``.
    centres : array_like, shape (n,)
        Rows whose centre is unknown are neither taught on nor judged.
    truth, patients
        As :func:`onclair.validate.subgroups.by_group`.

    Returns
    -------
    list of Estimate
        As :func:`per_centre`; each method says on how many rows of how many centres the model was refitted.

    Raises
    ------
    BadInput
        For fewer than two known centres, a patient with rows in two centres, or predictions that do not fit the rows.

    References
    ----------
    Internal-external cross-validation: Steyerberg & Harrell 2016, doi:10.1016/j.jclinepi.2015.04.005.

    Examples
    --------
    >>> def mean_elsewhere(training, held_out):
    ...     return np.full(held_out.size, training.mean())
    >>> def judge(rows, predictions):
    ...     return [Estimate("slope:refit", float(predictions[0]), se=1.0, n=rows.size, events=30)]
    >>> [e.value for e in leave_one_centre_out(mean_elsewhere, judge, ["A", "A", "B"])][:2]
    [2.0, 0.5]
    """
    _refuse_travellers(centres, patients)
    named = group_names(centres)
    known = np.flatnonzero(named != UNKNOWN)
    count = np.unique(named[known]).size
    if count < 2:
        raise BadInput(f"There is {count} known centre; leaving one out needs at least 2.", item="centre")

    def left_out(rows: Indices) -> list[Estimate]:
        """Judge one centre by the others."""
        held_out = known[rows]
        training = np.setdiff1d(known, held_out, assume_unique=True)
        predictions = np.asarray(refit(training, held_out), dtype=np.float64)
        if predictions.shape != (held_out.size,):
            raise BadInput(f"The refit gave predictions of shape {predictions.shape} for {held_out.size} rows; it must give one a row.")
        said = f"refitted on {training.size} rows of {count - 1} other centres"
        return [replace(e, method="; ".join(filter(None, (e.method, said)))) for e in judge(held_out, predictions)]

    beside = [None if column is None else np.asarray(column)[known] for column in (truth, patients)]
    return _with_pooled(each_group(left_out, named[known], truth=beside[0], patients=beside[1]))


def _entering(by_centre: Mapping[str, Estimate], scale: Scale) -> tuple[dict[str, Estimate], str]:
    """Return the centres that enter, in order of name, and a clause that says which do not, and why."""
    entered: dict[str, Estimate] = {}
    refused: dict[str, list[str]] = {}
    for centre in in_order(set(by_centre)):
        estimate = by_centre[centre]
        value, se = on_scale(estimate, scale)
        if centre == UNKNOWN:
            refused.setdefault("no centre is named", []).append(centre)
        elif estimate.value is None:
            refused.setdefault("no figure", []).append(centre)
        elif not np.isfinite(value) and estimate.se is not None:
            refused.setdefault("at the end of its scale", []).append(centre)
        elif not (np.isfinite(se) and se > LEAST_ERROR):
            refused.setdefault("no usable standard error", []).append(centre)
        else:
            entered[centre] = estimate
    listed = "; ".join(f"{reason}: {', '.join(names)}" for reason, names in refused.items())
    return entered, f" (left out, {listed})" if listed else ""


def _said(found: Pooled, prefix: str, scale: Scale, entered: tuple[list[Estimate], str]) -> list[Estimate]:
    """Return the three estimates of one pooled figure, brought back from `scale`."""
    estimates, counted = entered
    n, events = known_sum(e.n for e in estimates), known_sum(e.events for e in estimates)
    how = f"{counted}; random effects on the {scale} scale, {_CITED}"
    between = f"I2 {found.i2:.1f} %, tau2 {found.tau2:.4g}, Q {found.q:.4g} (p = {found.q_p:.3g})"
    low, high = _back(found.low, scale), _back(found.high, scale)
    known = Estimate(f"{prefix}:centres", _back(found.value, scale), level=found.level, se=found.se, scale=scale, n=n, events=events)
    remark = "; ".join(said for said in found.remarks if said != TOO_FEW) or None
    mean = replace(known, low=low, high=high, method=f"{how}, t({found.k - 1}); {between}", reason=remark)
    return [mean, _prediction(found, replace(known, name=f"{prefix}:new-centre", reason=remark), how), _between(found, prefix, known, how)]


def _prediction(found: Pooled, known: Estimate, how: str) -> Estimate:
    if found.new_low is None or found.new_high is None:
        return not_available(known.name, f"{TOO_FEW}; {found.k} centres entered", n=known.n, events=known.events)
    low, high = _back(found.new_low, known.scale), _back(found.new_high, known.scale)
    said = f"{how}; prediction interval t({found.k - 2}) sqrt(tau2 + se^2), Higgins 2009"
    return replace(known, low=low, high=high, se=found.new_se, method=said)


def _between(found: Pooled, prefix: str, known: Estimate, how: str) -> Estimate:
    reason = AT_ZERO if AT_ZERO in found.remarks else None
    if reason is None and not found.tau2_low <= found.tau2 <= found.tau2_high:
        reason = "the Q-profile interval does not hold the REML estimate; both are right, they weigh the centres differently"
    said = f"{how}; interval: Q-profile, Viechtbauer 2007; I2 {found.i2:.1f} %"
    return Estimate(
        f"{prefix}:tau2",
        found.tau2,
        low=found.tau2_low,
        high=found.tau2_high,
        level=found.level,
        n=known.n,
        events=known.events,
        method=said,
        reason=reason,
    )


def _back(value: float, scale: Scale) -> float:
    if scale == "identity":
        return value
    return float(np.exp(value) if scale == "log" else 1 / (1 + np.exp(-value)))


def _with_pooled(shown: Mapping[str, Sequence[Estimate]]) -> list[Estimate]:
    """Return every centre's estimates, then what is pooled over centres, figure by figure."""
    figures: dict[str, dict[str, Estimate]] = {}
    for centre, estimates in shown.items():
        for e in estimates:
            figures.setdefault(e.name, {})[centre] = e
    return placed(shown, "centre") + [e for prefix, by_centre in figures.items() for e in pooled_over_centres(by_centre, prefix)]


def _refuse_travellers(centres: npt.ArrayLike, patients: npt.ArrayLike | None) -> None:
    """Refuse a patient who has rows in two centres."""
    if patients is None:
        return
    owners, named = np.asarray(patients).astype(str), group_names(centres)
    if owners.shape != named.shape:
        raise BadInput(f"{owners.size} patients were named for {named.size} rows with a centre; name the patient of each row.")
    pairs = np.unique(np.stack([owners, named]), axis=1)
    twice = pairs[0][1:][pairs[0][1:] == pairs[0][:-1]]
    if twice.size:
        theirs = ", ".join(pairs[1][pairs[0] == twice[0]])
        raise BadInput(f"The patient '{twice[0]}' has rows in the centres {theirs}; a patient belongs to one.", item=str(twice[0]))


def _refuse_mismatch(runs: Sequence[tuple[str, Sequence[Estimate]]]) -> None:
    """Refuse a site that comes twice, sites with different figures and intervals of different levels."""
    first, asked = runs[0][0], {e.name for e in runs[0][1] if _stem(e.name)[1] == ""}
    seen: set[str] = set()
    for site, estimates in runs:
        if name_part(site) in seen:
            raise BadInput(f"The site '{site}' comes twice; merge each site once.", item=site)
        seen.add(name_part(site))
        here = {e.name for e in estimates if _stem(e.name)[1] == ""}
        if here != asked or not here:
            odd = sorted(here ^ asked)
            found = f"'{odd[0]}' stands in one of the two only" if odd else "there is no figure"
            raise BadInput(f"The sites '{first}' and '{site}' did not judge the same figures: {found}; use one plan for all.", item=site)
    levels = sorted({e.level for _, estimates in runs for e in estimates if e.low is not None})
    if len(levels) > 1:
        raise BadInput(f"The sites' intervals are of the levels {levels}; use one plan for all.", item="level")


def _stem(name: str) -> tuple[str, str]:
    """Return ``FIGURE:WHO`` and WHERE, "" where there is none."""
    head, _, last = name.rpartition(":")
    return (head, last) if ":" in head and ("=" in last or last in WHERE) else (name, "")


def _contribution(site: str, estimates: Sequence[Estimate]) -> dict[str, list[Estimate]]:
    """Return what a run brings: its centres' estimates when it has two or more, else its own as those of one centre."""
    centres: dict[str, list[Estimate]] = {}
    own = []
    for e in estimates:
        stem, where = _stem(e.name)
        if where.startswith("centre=") and "-minus-" not in where:
            centres.setdefault(where.removeprefix("centre="), []).append(replace(e, name=stem))
        elif not where:
            own.append(e)
    if len(centres) > 1:
        return centres
    binary = any(e.name.startswith(("auc:", "citl:")) for e in own)
    rest = (e.n - e.events if binary and e.n is not None and e.events is not None else None for e in own)
    return {name_part(site): [marked(e, non_events) for e, non_events in zip(own, rest, strict=True)]}
