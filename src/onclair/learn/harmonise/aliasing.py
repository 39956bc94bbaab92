"""Batch and outcome that go together: what harmonising takes off is then what a model is to find, and nothing tells them apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from onclair.core.errors import BadCohort
from onclair.science.statistics.groups import correlation_ratio, cramers_v

#: Cramer's V from which batch and outcome count as one.
ALIASED = 0.9
#: A number with more different values than this is no category.
MOST_LEVELS = 10


def aliasing(batch: pd.Series, outcome: pd.Series) -> float:
    """Return how far the batch decides the outcome, from 0 to 1; samples without an outcome are left out.

    Cramer's V; for a number of more than ten values the correlation ratio, which is the same thing for 0 and 1.

    Parameters
    ----------
    batch, outcome : Series of the same rows

    Returns
    -------
    float
        NaN when either has one value only.

    Examples
    --------
    >>> aliasing(pd.Series(list("xxyy")), pd.Series([0, 0, 1, 1])), aliasing(pd.Series(list("xyxy")), pd.Series([0, 0, 1, 1]))
    (1.0, 0.0)
    """
    if pd.api.types.is_numeric_dtype(outcome) and outcome.nunique() > MOST_LEVELS:
        return correlation_ratio(batch.astype(object).to_numpy(), outcome.to_numpy(dtype=np.float64))
    return cramers_v(batch.astype(object).to_numpy(), outcome.astype(object).to_numpy())


def refuse_aliased(batch: pd.DataFrame, outcome: pd.Series) -> dict[str, float]:
    """Return how far each batch column decides the outcome, or refuse where one does wholly.

    Parameters
    ----------
    batch : DataFrame, one column a batch variable
    outcome : Series of the same rows

    Raises
    ------
    BadCohort
        At 0.9 and above.

    Examples
    --------
    >>> refuse_aliased(pd.DataFrame({"centre": list("xxyy")}), pd.Series([0, 0, 1, 1], name="relapse"))
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadCohort: The batch 'centre' and the outcome 'relapse' are aliased (Cramer's V 1.00, at most 0.9): taking one off \
takes the other; gather patients of both outcomes in each batch.
    """
    strengths = {str(name): aliasing(batch[name], outcome) for name in batch.columns}
    for name, strength in strengths.items():
        if strength >= ALIASED - 1e-12:
            found = f"The batch '{name}' and the outcome '{outcome.name}' are aliased (Cramer's V {strength:.2f}, at most {ALIASED:g})"
            raise BadCohort(f"{found}: taking one off takes the other; gather patients of both outcomes in each batch.", item=name)
    return strengths


def refuse_outcome_among(covariates: pd.DataFrame, outcome: pd.Series) -> None:
    """Refuse a covariate that is the outcome, by name or by value: features kept along the outcome are no evidence of it.

    Parameters
    ----------
    covariates : DataFrame
    outcome : Series of the same rows

    Raises
    ------
    BadCohort
        Naming the covariate.

    Examples
    --------
    >>> refuse_outcome_among(pd.DataFrame({"event": [1.0, 0.0]}), pd.Series(["yes", "no"], name="relapse"))
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadCohort: The covariate 'event' has the same values as the outcome 'relapse'; the outcome is never kept while \
the batch is taken off: leave it out.
    """
    for name in covariates.columns:
        same = "is" if str(name) == str(outcome.name) else "has the same values as" if _alike(covariates[name], outcome) else None
        if same:
            found = f"The covariate '{name}' {same} the outcome '{outcome.name}'"
            raise BadCohort(f"{found}; the outcome is never kept while the batch is taken off: leave it out.", item=str(name))


def _alike(one: pd.Series, other: pd.Series) -> bool:
    """Return whether two columns part the rows in the same way."""
    (left, _), (right, _) = pd.factorize(one.to_numpy()), pd.factorize(other.to_numpy())
    return bool((left == right).all())
