"""No harmonisation, as one of the family: what every other is judged beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from onclair.learn.harmonise.protocol import Batch, Unseen
from onclair.learn.pipeline import numbers


@dataclass(frozen=True, slots=True)
class Unharmonised:
    """Features as they are; settings and fitted harmoniser in one.

    Examples
    --------
    >>> table, batch = pd.DataFrame({"f": [1.0, 3.0]}), pd.Series(list("xy"))
    >>> Unharmonised().fit(table, batch).transform(table, batch)["f"].tolist()
    [1.0, 3.0]
    """

    columns: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    batches: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def untouched(self) -> dict[str, str]:
        """Every feature."""
        return dict.fromkeys(self.columns, "nothing is harmonised")

    def fit(self, features: pd.DataFrame, batch: Batch, covariates: pd.DataFrame | None = None) -> Unharmonised:
        """Return it with the columns it saw; nothing else is learnt."""
        del batch, covariates
        return Unharmonised(tuple(str(c) for c in features.columns))

    def unseen(self, batch: Batch) -> dict[str, dict[str, int]]:
        """Return nothing: every batch is as good as seen."""
        del batch
        return {}

    def transform(
        self, features: pd.DataFrame, batch: Batch, *, covariates: pd.DataFrame | None = None, unseen: Unseen = "refuse"
    ) -> pd.DataFrame:
        """Return the features as float64."""
        del batch, covariates, unseen
        return pd.DataFrame(numbers(features, self.columns), index=features.index, columns=list(self.columns))

    def mapped(self, features: pd.DataFrame, batch: Batch) -> Unharmonised:
        """Return itself."""
        del features, batch
        return self
