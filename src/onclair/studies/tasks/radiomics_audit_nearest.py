"""Which patients of an audit a case is most like: by the card's features, and by volume and uptake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from onclair.core.errors import OnclairError
from onclair.explain.similar import Reference, reference

#: What is compared besides the card's own features, on a logarithmic scale.
BESIDE = ("volume", "suv_max")
#: So many cases are shown.
CASES = 3


def described(features: pd.DataFrame, rivals: pd.DataFrame) -> pd.DataFrame:
    """Return what cases are compared by: the card's features and the logarithms of volume and SUVmax, finite columns that vary.

    Parameters
    ----------
    features, rivals : DataFrame, one row a case, with the same index

    Examples
    --------
    >>> features = pd.DataFrame({"cm_corr": [0.5, 0.6]}, index=["P1", "P2"])
    >>> described(features, pd.DataFrame({"volume": [1.0, np.e], "suv_max": [0.0, 4.0]}, index=["P1", "P2"])).columns.tolist()
    ['cm_corr', 'log volume']
    """
    usable = [name for name in BESIDE if name in rivals and (rivals[name] > 0).all()]
    logs = {f"log {name}": np.log(rivals[name].to_numpy(dtype=np.float64)) for name in usable}
    return features.assign(**logs).astype(np.float64)


def known_cases(features: pd.DataFrame, scores: pd.DataFrame) -> Reference | str:
    """Return the patients of an audit, ready to be compared with; or why they cannot be.

    Parameters
    ----------
    features : DataFrame, one row a patient, indexed by patient
    scores : DataFrame
        ``patient score event`` and the rivals, as ``scores.csv`` of a run.

    Examples
    --------
    >>> known_cases(pd.DataFrame({"a": [1.0]}, index=["P1"]), pd.DataFrame({"patient": ["P1"], "event": [1], "volume": [2.0]}))
    'Similar cases need 5 known patients to tell near from far; found 1.'
    """
    beside = scores.set_index("patient").reindex(features.index)
    table = described(features, beside)
    values = table.to_numpy()
    whole = table.loc[:, np.isfinite(values).all(axis=0) & (np.ptp(values, axis=0) > 0)]
    labels = [str(int(each)) for each in beside["event"]]
    try:
        return reference(whole if len(whole.columns) else table, patients=list(features.index), labels=labels)
    except OnclairError as error:
        return str(error)


def nearest_cases(known: Reference, row: Mapping[str, float], scores: pd.DataFrame, patient: str) -> dict[str, Any]:
    """Return the audited patients nearest to a case, as plain values: ``cases`` and, where there is none, ``reason``.

    They are not named: a finding about one patient carries no other patient's code.

    Parameters
    ----------
    known : Reference
    row : mapping of str to float
        As `described` gives it.
    scores : DataFrame
        ``patient score`` of the audit.
    patient : str
        Whose case it is; never named as similar to itself.
    """
    try:
        found = known.similar(row, k=CASES, patient=patient)
    except OnclairError as error:
        return {"cases": [], "reason": str(error)}
    by = scores.set_index("patient")["score"]
    cases = [
        {
            "score": _number(by.get(each.patient)),
            "event": int(each.label),
            "percentile": each.percentile,
            "apart": each.apart,
        }
        for each in found.cases
    ]
    return {"cases": cases, "reason": found.reason}


def example(features: pd.DataFrame, scores: pd.DataFrame) -> dict[str, Any] | None:
    """Return the patient with the highest score and the cases nearest to it, for the report; None where nothing can be compared."""
    known = known_cases(features, scores)
    if isinstance(known, str) or not np.isfinite(scores["score"]).any():
        return None
    at = int(np.nanargmax(scores["score"].to_numpy(dtype=np.float64)))
    patient = str(scores["patient"].iloc[at])
    row = dict(zip(known.columns, known.rows[known.patients.index(patient)], strict=True))
    found = nearest_cases(known, row, scores, patient)
    return {"score": _number(scores["score"].iloc[at]), "event": int(scores["event"].iloc[at]), **found}


def _number(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
