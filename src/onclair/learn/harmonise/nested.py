"""Nested ComBat: several batch columns taken off one after the other, in the order that leaves the fewest features differing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import numpy as np
import pandas as pd

from onclair.core.errors import BadCohort, BadSetting
from onclair.core.names import did_you_mean
from onclair.learn.harmonise.combat import PLAIN, ComBat
from onclair.learn.harmonise.location_scale import LocationScale
from onclair.learn.harmonise.protocol import Batch, Unseen
from onclair.learn.harmonise.samples import batches_of
from onclair.learn.pipeline import numbers
from onclair.science.statistics.groups import brown_forsythe, kruskal_wallis

#: Most batch columns of which every order is tried: 5 have 120.
MOST_COLUMNS = 5
#: A feature counts as differing between batches below this p-value.
DIFFERS = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class FittedNested:
    """Nested ComBat after it has seen its training samples: one step a batch column.

    Attributes
    ----------
    steps : tuple of LocationScale
        In the order in which they are taken.
    differing : mapping of tuple of str to int
        For each order tried, how many pairs of a feature and a batch column still differ on the training samples.
    """

    steps: tuple[LocationScale, ...]
    differing: Mapping[tuple[str, ...], int]

    @property
    def columns(self) -> tuple[str, ...]:
        """The features, in order."""
        return self.steps[0].columns

    @property
    def untouched(self) -> dict[str, str]:
        """The features that some step hands on as they are, and why."""
        return {column: f"{why} (step '{s.variable}')" for s in reversed(self.steps) for column, why in s.untouched.items()}

    @property
    def variables(self) -> tuple[str, ...]:
        """The batch columns in the order in which they are taken off."""
        return tuple(step.variable for step in self.steps)

    @property
    def batches(self) -> dict[str, dict[str, int]]:
        """The training samples of each batch, by batch column."""
        return {variable: sizes for step in self.steps for variable, sizes in step.batches.items()}

    def unseen(self, batch: Batch) -> dict[str, dict[str, int]]:
        """Return the batches that were not among the training samples, and how many samples each has, by batch column."""
        table = self._table(batch)
        return {variable: sizes for step in self.steps for variable, sizes in step.unseen(table[step.variable]).items()}

    def transform(
        self, features: pd.DataFrame, batch: Batch, *, covariates: pd.DataFrame | None = None, unseen: Unseen = "refuse"
    ) -> pd.DataFrame:
        """Return the features with each batch column taken off in turn; arguments and errors as :meth:`LocationScale.transform`.

        Raises
        ------
        BadCohort
            When a batch column is absent too.
        """
        table = self._table(batch)
        for step in self.steps:
            features = step.transform(features, table[step.variable], covariates=covariates, unseen=unseen)
        return features

    def mapped(self, features: pd.DataFrame, batch: Batch) -> FittedNested:
        """Return a nested ComBat that knows the unseen batches too, learnt from these cases; see :meth:`LocationScale.mapped`."""
        table, steps = self._table(batch), []
        for step in self.steps:
            steps.append(step.mapped(features, table[step.variable]))
            features = steps[-1].transform(features, table[step.variable])
        return FittedNested(tuple(steps), self.differing)

    def _table(self, batch: Batch) -> pd.DataFrame:
        table = batch.to_frame() if isinstance(batch, pd.Series) else batch
        for variable in self.variables:
            if variable not in table.columns:
                raise BadCohort(
                    f"The batch column '{variable}' is absent; {did_you_mean(variable, map(str, table.columns))}", item=variable
                )
        return table


@dataclass(frozen=True, slots=True)
class Nested:
    """Settings of nested ComBat.

    Attributes
    ----------
    step : ComBat
        What is done for each batch column; without a reference.
    order : {"chosen", "given"}
        ``chosen`` tries every order on the training samples and keeps that after which the fewest features differ between batches.

    Raises
    ------
    BadSetting
        For a reference batch or an unknown order.

    References
    ----------
    In sequence: Horng et al. 2022, doi:10.1038/s41598-022-08412-9; in the best order: Horng et al. 2022,
    doi:10.1038/s41598-022-23328-0. A feature differs there by the Anderson-Darling test; here when location (Kruskal-Wallis) or spread
    (Brown-Forsythe) has p < 0.05, which is what ComBat can take off.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> batch = pd.DataFrame({"centre": ["x", "y"] * 20, "kernel": ["s"] * 20 + ["b"] * 20})
    >>> table = pd.DataFrame(rng.normal(size=(40, 3)) + 5 * (batch[["kernel"]] == "s").to_numpy(), columns=list("abc"))
    >>> fitted = Nested().fit(table, batch)
    >>> fitted.variables, min(fitted.differing.values())
    (('centre', 'kernel'), 0)
    """

    step: ComBat = PLAIN
    order: Literal["chosen", "given"] = "chosen"

    def __post_init__(self) -> None:
        if self.step.reference is not None:
            raise BadSetting(
                f"Nested ComBat takes no reference batch ('{self.step.reference}'): it has several batch columns.", item="reference"
            )
        if self.order not in ("chosen", "given"):
            raise BadSetting(f"Nested ComBat has order = '{self.order}'; {did_you_mean(self.order, ('chosen', 'given'))}", item="order")

    def fit(self, features: pd.DataFrame, batch: Batch, covariates: pd.DataFrame | None = None) -> FittedNested:
        """Return nested ComBat learnt from these samples alone, the order of its steps included.

        Parameters
        ----------
        features, covariates
            As :meth:`ComBat.fit`.
        batch : DataFrame of the same rows
            One column for each batch variable, at most five unless the order is given.

        Raises
        ------
        BadCohort, BadCase
            As :meth:`ComBat.fit`.
        BadSetting
            For more columns than orders can be tried of.
        """
        table = batch.to_frame() if isinstance(batch, pd.Series) else batch
        given = tuple(str(c) for c in table.columns)
        if self.order == "chosen" and len(given) > MOST_COLUMNS:
            found = f"{len(given)} batch columns have too many orders to try (at most {MOST_COLUMNS})"
            raise BadSetting(f"{found}; give fewer, or take them in the order given.", item="batch")
        orders = permutations(given) if self.order == "chosen" else iter([given])
        done: dict[tuple[str, ...], tuple[tuple[LocationScale, ...], pd.DataFrame]] = {(): ((), features)}
        differing: dict[tuple[str, ...], int] = {}
        for order in orders:
            for length in range(1, len(order) + 1):
                if order[:length] not in done:
                    steps, values = done[order[: length - 1]]
                    column = table[order[length - 1]]
                    fitted = self.step.fit(values, column, covariates)
                    done[order[:length]] = (*steps, fitted), fitted.transform(values, column, covariates=covariates)
            differing[order] = still_differing(done[order][1], table)
        best = min(differing, key=lambda order: differing[order])
        return FittedNested(done[best][0], differing)


def still_differing(features: pd.DataFrame, batch: pd.DataFrame) -> int:
    """Return how many pairs of a feature and a batch column differ between batches in location or spread, p < 0.05 each.

    Parameters
    ----------
    features : DataFrame, float columns, shape (n, p)
    batch : DataFrame of the same rows

    Examples
    --------
    >>> table = pd.DataFrame({"f": np.arange(20.0), "g": [1.0, 2.0] * 10})
    >>> still_differing(table, pd.DataFrame({"centre": ["x"] * 10 + ["y"] * 10}))
    1
    """
    x, count = numbers(features, tuple(features.columns)), 0
    for name in batch.columns:
        labels = batches_of(features.index, batch[name]).labels
        low = np.fmin(kruskal_wallis(x, labels), brown_forsythe(x, labels))
        count += int((low < DIFFERS).sum())
    return count
