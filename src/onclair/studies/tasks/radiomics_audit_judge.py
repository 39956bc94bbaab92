"""The rows of an audit judged: figures, gates, verdict and what a reader must be warned of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from onclair.core.estimate import Estimate
from onclair.io.cards import Card
from onclair.studies.tasks.radiomics_audit_figures import collinearity, figures, refits_of, survey
from onclair.studies.tasks.radiomics_audit_further import (
    Further,
    batches,
    calibration,
    external,
    extraction,
    harmonisation,
    interpretation,
    notes_of,
    perturbation,
)
from onclair.studies.tasks.radiomics_audit_gates import Found, Gate, gates_of, verdict_of
from onclair.studies.tasks.radiomics_audit_nearest import example
from onclair.studies.tasks.radiomics_audit_network import network_figures
from onclair.studies.tasks.radiomics_audit_plan import Reading
from onclair.studies.tasks.radiomics_audit_rivals import clinical, random_features
from onclair.studies.tasks.radiomics_audit_rows import Rows
from onclair.studies.tasks.radiomics_audit_score import Scores, scores_of
from onclair.validate.confounds import too_few_events
from onclair.validate.replication import Verdict
from onclair.validate.truths import Timed, folded


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What an audit found.

    Attributes
    ----------
    estimates : tuple of Estimate
    gates : tuple of Gate
    verdict : Verdict
    events : int
    features : list of mapping
        ``name``, ``tag``, ``permutation_invariant`` and ``coefficient`` of each.
    survey : mapping or None
    scores : DataFrame
        ``patient``, ``score``, the rivals, and ``event`` (``time`` too where it comes in time).
    warnings : tuple of mapping
    nearest : mapping or None
        The patient with the highest score and the cases nearest to it.
    """

    estimates: tuple[Estimate, ...]
    gates: tuple[Gate, ...]
    verdict: Verdict
    events: int
    features: list[dict[str, Any]]
    survey: Mapping[str, Any] | None
    scores: pd.DataFrame
    warnings: tuple[Mapping[str, str], ...]
    nearest: Mapping[str, Any] | None = None


def judged(card: Card, reading: Reading, own: Rows, away: Rows | None, *, seed: int) -> Judged:
    """Return the figures, the gates and the verdict.

    Parameters
    ----------
    card : Card
    reading : Reading
    own : Rows
        The cohort audited on.
    away : Rows or None
        The external one, on which the score is taken as it is.
    seed : int
    """
    told: Mapping[str, Any] | None = None
    scores: Scores | None = None
    estimates: list[Estimate] = []
    if card.model.kind == "survey" and not reading.lacking:
        told, estimates = survey(own)
    elif not reading.lacking:
        scores = scores_of(card, own.features, own.controls)
        further = [*clinical(own, scores.true, seed=seed), *random_features(card, own, scores.true, seed=seed)]
        estimates = [*figures(own, scores, seed), *further, *calibration(card, own), *collinearity(card, own)]
        estimates += network_figures(own, reading)
    if scores is None:
        estimates += [folded(own.truth.ranks(f"{own.truth.figure}:rival:{name}", own.rivals[name])) for name in _known_rivals(own)]
    known, more = batches(own, scores) if len(own.features.columns) else ((), [])
    parts = _parts(card, own, away, scores) if not reading.lacking else {}
    estimates += [*more, *(estimate for part in parts.values() for estimate in part.estimates)]
    counts, by_name = (own.truth.events, own.truth.non_events), {estimate.name: estimate for estimate in estimates}
    notes = notes_of(parts)
    rivals = [name for name in (*_known_rivals(own), "clinical") if _stands(by_name.get(f"{own.truth.figure}:model-minus-{name}"))]
    found = Found(card, reading, counts, own.truth.figure, tuple(rivals), by_name, known, told, notes, refits_of(card))
    verdict = verdict_of(found)
    frame = _frame(own, scores)
    features = _features(card, reading)
    nearest = example(own.features, frame) if scores is not None else None
    return Judged(tuple(estimates), gates_of(found, verdict), verdict, counts[0], features, told, frame, _warnings(own), nearest)


def _parts(card: Card, own: Rows, away: Rows | None, scores: Scores | None) -> dict[str, Further]:
    """Return the gates that stand beside rivals and controls."""
    return {
        "extraction": extraction(own),
        "perturbation": perturbation(card, own, scores),
        "harmonisation": harmonisation(card, own, scores),
        "external": external(card, away) if scores is not None else Further(),
        "interpretation": interpretation(own, scores),
    }


def _frame(rows: Rows, scores: Scores | None) -> pd.DataFrame:
    """Return what is known of each patient in one table: score, rivals and outcome."""
    frame = pd.DataFrame({"patient": rows.rivals.index, "score": np.nan if scores is None else scores.true})
    frame = frame.assign(**{str(name): rows.rivals[name].to_numpy() for name in rows.rivals.columns}, event=rows.truth.happened.astype(int))
    return frame.assign(time=rows.truth.time) if isinstance(rows.truth, Timed) else frame


def _stands(estimate: Estimate | None) -> bool:
    return estimate is not None and estimate.value is not None


def _known_rivals(rows: Rows) -> list[str]:
    return [str(name) for name in rows.rivals.columns if np.isfinite(rows.rivals[name].to_numpy()).all()]


def _features(card: Card, reading: Reading) -> list[dict[str, Any]]:
    weights = [each.coefficient for each in card.features]
    known = weights if len(weights) == len(reading.columns) else [None] * len(reading.columns)
    return [
        {"name": name, "tag": tag, "permutation_invariant": same, "coefficient": weight}
        for name, tag, same, weight in zip(reading.columns, reading.tags, reading.invariant, known, strict=True)
    ]


def _warnings(rows: Rows) -> tuple[Mapping[str, str], ...]:
    """Return what a reader must know before a figure is quoted."""
    warnings: list[Mapping[str, str]] = []
    few = too_few_events(rows.truth.events, rows.truth.non_events)
    if few:
        warnings.append({"code": "too_few_events", "text": few})
    if rows.cohort.about.data == "virtual":
        warnings.append({"code": "virtual", "text": "These patients are virtual: no figure here says anything about a person."})
    warnings += [{"code": "left_out", "text": f"{who['patient']} was left out: {who['reason']}."} for who in rows.left_out]
    return tuple(warnings)
