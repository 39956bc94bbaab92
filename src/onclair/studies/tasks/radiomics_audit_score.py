"""A card's score: its sum over features, for every patient and on every copy of every control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.io.cards import NETWORKS, SUMS, Card, model_record
from onclair.io.model_document import FORMAT
from onclair.science.statistics.formula import Formula, formula_of
from onclair.studies.tasks.radiomics_audit_scorer import SCORE

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """A card's score of every patient.

    Attributes
    ----------
    true : ndarray, shape (n,)
    controls : mapping of str to ndarray, shape (copies, n), or to the reason why there is none
    """

    true: Floats
    controls: Mapping[str, Floats | str] = field(default_factory=dict)


def has_score(card: Card) -> bool:
    """Return whether a card has one score a patient, by a sum or by a network, rather than a list of features.

    Examples
    --------
    >>> from onclair.io.cards import read_card
    >>> has_score(read_card("aerts-2014")), has_score(read_card("survey-texture-3d"))
    (True, False)
    """
    return card.model.kind in (*SUMS, *NETWORKS)


def score_formula(card: Card) -> Formula:
    """Return the card's sum as a formula; an intercept that is not known is left out, which changes no ranking.

    A network's is its own score, as it is.

    Examples
    --------
    >>> from onclair.io.cards import read_card
    >>> score_formula(read_card("volume-cox")).family
    'linear'
    """
    if card.model.kind in NETWORKS:
        term = {"input": SCORE, "transform": "identity", "coefficient": 1.0}
        said = {"format": FORMAT, "name": card.name, "family": "linear", "outcome": card.about.outcome or "unknown"}
        return formula_of({**said, "inputs": [{"name": SCORE}], "terms": [term], "intercept": 0.0})
    document = dict(model_record(card).document)
    document |= {"family": "linear", "intercept": document.get("intercept") or 0.0}
    document.pop("baseline", None)
    return formula_of(document)


def faults(card: Card, features: pd.DataFrame, reasons: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the patients whom the card cannot score, and why.

    Examples
    --------
    >>> from onclair.io.cards import read_card
    >>> table = pd.DataFrame({"stat_max": [4.0, np.nan]}, index=["P1", "P2"])
    >>> faults(read_card("suvmax-only"), table, {"P2": {"stat_max": "nobody measured it"}})
    {'P2': 'the feature stat_max has no value: nobody measured it'}
    """
    formula = score_formula(card)
    found = {}
    for patient, row in features.iterrows():
        gaps = [str(name) for name in features.columns[row.isna()]]
        if gaps:
            why = reasons.get(str(patient), {}).get(gaps[0], "it is undefined")
            found[str(patient)] = f"the feature {gaps[0]} has no value: {why}"
        elif (fault := formula.fault({str(name): float(value) for name, value in row.items()})) is not None:
            found[str(patient)] = fault
    return found


def scores_of(card: Card, features: pd.DataFrame, controls: Mapping[str, Floats]) -> Scores:
    """Return the card's score of every patient, and on every copy of every control.

    Examples
    --------
    >>> from onclair.io.cards import read_card
    >>> table = pd.DataFrame({"stat_max": [4.0, 9.0]}, index=["P1", "P2"])
    >>> scores_of(read_card("suvmax-only"), table, {"shuffled-voxels": np.array([[[4.0], [9.0]]])}).controls["shuffled-voxels"].tolist()
    [[4.0, 9.0]]
    """
    formula, names = score_formula(card), list(features.columns)
    true = formula.linear_predictor({name: features[name].to_numpy() for name in names})
    found_on: dict[str, Floats | str] = {}
    for control, values in controls.items():
        if not np.isfinite(values).all():
            found_on[control] = "a feature has no value on some destroyed copies"
            continue
        flat = values.reshape(-1, len(names))
        found = formula.linear_predictor({name: flat[:, at] for at, name in enumerate(names)})
        found_on[control] = found.reshape(values.shape[:2])
    return Scores(true, found_on)
