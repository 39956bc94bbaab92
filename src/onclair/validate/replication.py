"""Did a published model replicate, and what does it really measure? The rules of the audit, as they are printed in its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onclair.core.estimate import Estimate
from onclair.validate.confounds import ENOUGH_EVENTS

#: From this rank correlation on, up or down, a score runs with what it is correlated with.
CLOSE = 0.8
#: What ranks no better than a coin.
CHANCE = 0.5
#: From this Cramer's V on, batch and outcome cannot be told apart.
ALIASED = 0.9
#: So many missing items are named in a sentence.
NAMED = 3
#: An end of an interval nearer to zero than this is a zero that rounding left.
ROUNDING = 1e-9

REPLICATED, NOT_REPLICATED, INSUFFICIENT, NOT_REPLICABLE = "replicated", "not_replicated", "insufficient", "not_replicable"

#: The rules in words, in the order in which they are asked.
RULES: tuple[str, ...] = (
    f"volume: |Spearman(score, volume)| >= {CLOSE} and the lower bound of (model - volume) <= 0",
    f"intensity: median Spearman(score, shuffled score) >= {CLOSE} and the lower bound of (model - shuffled) <= 0; not of shape alone",
    f"batch: pooled lower bound > {CHANCE} but within batches <= {CHANCE}, or batch and outcome aliased (Cramer's V >= {ALIASED})",
    "not_replicable: the card lacks what the score needs",
    f"insufficient: fewer than {ENOUGH_EVENTS} events or {ENOUGH_EVENTS} non-events",
    f"replicated: lower bound > {CHANCE} and the interval meets the reported one; not_replicated otherwise",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an audit says in the end.

    Attributes
    ----------
    replication : {"replicated", "not_replicated", "insufficient", "not_replicable"}
    explained_by : tuple of {"volume", "intensity", "batch"}
    sentence : str
        For a clinician.
    """

    replication: str
    explained_by: tuple[str, ...]
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as plain JSON values."""
        return {"replication": self.replication, "explained_by": list(self.explained_by), "sentence": self.sentence}


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """What is known of one batch column.

    Attributes
    ----------
    column : str
    within : Estimate
        The model's figure over pairs of the same batch.
    aliasing : Estimate
        Cramer's V of batch and outcome.
    declared : bool
        Whether the cohort's tables name it; what was read off the images, as the size of voxels, is shown but decides nothing.
    """

    column: str
    within: Estimate
    aliasing: Estimate
    declared: bool = True


def follows(correlation: Estimate, difference: Estimate, *, signed: bool = False) -> bool:
    """Return whether a score runs with another quantity and ranks patients no better than that does.

    Parameters
    ----------
    correlation : Estimate
        Spearman's, of the score and the other quantity.
    difference : Estimate
        Model minus the other quantity, paired.
    signed : bool
        Whether only a positive correlation counts, as for a score against itself on a changed image.

    Examples
    --------
    >>> close, ahead = Estimate("spearman:model:volume", -0.9), Estimate("auc:model-minus-volume", 0.1, low=0.02, high=0.18)
    >>> follows(close, Estimate("auc:model-minus-volume", 0.02, low=-0.05, high=0.09)), follows(close, ahead)
    (True, False)
    """
    if correlation.value is None:
        return False
    near = correlation.value if signed else abs(correlation.value)
    low = _lower(difference)
    return near >= CLOSE and low is not None and low <= ROUNDING


def explained_by_batch(pooled: Estimate, batches: Sequence[BatchFigures]) -> tuple[str, ...]:
    """Return the batch columns that a model's discrimination hangs on.

    Parameters
    ----------
    pooled : Estimate
        The model's figure over all pairs.
    batches : sequence of BatchFigures

    Examples
    --------
    >>> whole, part = Estimate("auc:model", 0.7, low=0.6, high=0.8), Estimate("auc:model:within-batch", 0.52, low=0.4, high=0.64)
    >>> explained_by_batch(whole, [BatchFigures("kernel", part, Estimate("cramers_v:batch:kernel", 0.3))])
    ('kernel',)
    """
    low = _lower(pooled)
    above = low is not None and low > CHANCE
    found = []
    for batch in batches:
        within = _lower(batch.within)
        aliased = batch.aliasing.value is not None and batch.aliasing.value >= ALIASED
        if batch.declared and (aliased or (above and within is not None and within <= CHANCE)):
            found.append(batch.column)
    return tuple(found)


def replication(truth: tuple[int, int], figure: Estimate | None, reported: tuple[float, float] | None) -> str:
    """Return whether a figure was replicated.

    Parameters
    ----------
    truth : (int, int)
        Events and non-events.
    figure : Estimate or None
        The model's; None when the card lacks what the score needs.
    reported : (float, float) or None
        The interval that the paper reports; where there is none, only the first half of the rule is asked.

    Returns
    -------
    str

    Examples
    --------
    >>> found = Estimate("auc:model", 0.7, low=0.62, high=0.78)
    >>> replication((120, 120), found, (0.6, 0.7)), replication((19, 32), found, None), replication((120, 120), found, (0.8, 0.9))
    ('replicated', 'insufficient', 'not_replicated')
    """
    if figure is None:
        return NOT_REPLICABLE
    if min(truth) < ENOUGH_EVENTS:
        return INSUFFICIENT
    low, high = _lower(figure), figure.high if figure.high is not None else figure.value
    if low is None or high is None or low <= CHANCE:
        return NOT_REPLICATED
    meets = reported is None or (low <= reported[1] and high >= reported[0])
    return REPLICATED if meets else NOT_REPLICATED


def sentence(name: str, said: Mapping[str, Any]) -> str:
    """Return the verdict in one sentence or two, in plain words.

    Parameters
    ----------
    name : str
        The card's.
    said : mapping
        ``replication``, ``explained_by``; ``events`` and ``non_events``; ``figure`` (an Estimate or None), ``missing`` (what the
        score lacks).

    Examples
    --------
    >>> sentence("rlnu", {"replication": "insufficient", "explained_by": ["volume"], "events": 19, "non_events": 32})
    "19 events and 32 non-events are too few to say whether 'rlnu' holds; what it measures here is lesion volume."
    """
    what = said["replication"]
    if what == NOT_REPLICABLE:
        return f"'{name}' cannot be replicated from what was published: the card does not say {_first(said.get('missing') or ())}."
    figure = said.get("figure")
    told = "" if figure is None or figure.value is None else f" ({_interval(figure)})"
    openings = {
        INSUFFICIENT: f"{said['events']} events and {said['non_events']} non-events are too few to say whether '{name}' holds{told}",
        REPLICATED: f"'{name}' held on these patients{told}",
        NOT_REPLICATED: f"'{name}' did not hold on these patients{told}",
    }
    reasons = [_PLAIN[each] for each in said["explained_by"]]
    if not reasons:
        return f"{openings[what]}; neither lesion volume, nor the intensities alone, nor the batch explains what it measures."
    return f"{openings[what]}; what it measures here is {' and '.join(reasons)}."


def _first(missing: Sequence[str]) -> str:
    """Return the first of what is missing, and how many more there are."""
    told = ", ".join(missing[:NAMED]) or "what its score needs"
    return f"{told} and {len(missing) - NAMED} more" if len(missing) > NAMED else told


def _interval(figure: Estimate) -> str:
    name = {"auc": "AUC", "harrell": "Harrell's C"}.get(figure.name.partition(":")[0], "figure")
    ends = "" if figure.low is None or figure.high is None else f", {figure.low:.2f} to {figure.high:.2f}"
    return f"{name} {figure.value:.2f}{ends}"


_PLAIN = {
    "volume": "lesion volume",
    "intensity": "intensities whatever their place (no texture)",
    "batch": "which scanner or centre the patient came from",
}


def _lower(estimate: Estimate) -> float | None:
    """Return the lower bound; the value itself where the figure has no spread."""
    return estimate.low if estimate.low is not None else estimate.value
