"""CovBat: ComBat, then the same on principal components, so that how features vary together agrees between batches too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from onclair.core.errors import BadCohort, BadSetting
from onclair.learn.harmonise.combat import PLAIN, ComBat
from onclair.learn.harmonise.location_scale import LocationScale
from onclair.learn.harmonise.protocol import Batch, Floats, Unseen
from onclair.learn.harmonise.samples import batches_of
from onclair.learn.pipeline import numbers


@dataclass(frozen=True, slots=True, eq=False)
class FittedCovBat:
    """CovBat after it has seen its training samples.

    Attributes
    ----------
    first : LocationScale
        ComBat on the features.
    scores : LocationScale
        Location and spread of each batch on the leading components of what ComBat leaves.
    mean, deviation : ndarray, float64, shape (p,)
        Of what ComBat leaves, standardised; 0 and 1 for features that it does not touch.
    axes : ndarray, float64, shape (q, p)
        Leading principal directions, orthonormal.
    """

    first: LocationScale
    scores: LocationScale
    mean: Floats
    deviation: Floats
    axes: Floats

    @property
    def columns(self) -> tuple[str, ...]:
        """The features, in order."""
        return self.first.columns

    @property
    def untouched(self) -> Mapping[str, str]:
        """The features handed back as they are, and why."""
        return self.first.untouched

    @property
    def variables(self) -> tuple[str, ...]:
        """The batch column."""
        return self.first.variables

    @property
    def batches(self) -> dict[str, dict[str, int]]:
        """The training samples of each batch."""
        return self.first.batches

    def unseen(self, batch: Batch) -> dict[str, dict[str, int]]:
        """Return the batches that were not among the training samples, and how many samples each has."""
        return self.first.unseen(batch)

    def transform(
        self, features: pd.DataFrame, batch: Batch, *, covariates: pd.DataFrame | None = None, unseen: Unseen = "refuse"
    ) -> pd.DataFrame:
        """Return the features with the batch taken off; arguments and errors as :meth:`LocationScale.transform`.

        Raises
        ------
        BadCohort
            For a missing value too: components need every feature of a sample.
        """
        if unseen == "map":
            return self.mapped(features, batch).transform(features, batch, covariates=covariates)
        once = self.first.transform(features, batch, covariates=covariates, unseen=unseen)
        refuse_missing(once)
        mean = self.first.standardising_mean(features.index, covariates)
        left = (once.to_numpy() - mean) / self.first.scale
        before = self._scored(left, features.index)
        after = self.scores.transform(before, self._column(batch), unseen="leave").to_numpy()
        moved = left + ((after - before.to_numpy()) @ self.axes) * self.deviation
        given = batches_of(features.index, self._column(batch), self.first.names)
        kept = (given.codes < 0) | (given.labels == self.first.reference)
        values = np.where(kept[:, None] | ~self.first.touched, once.to_numpy(), moved * self.first.scale + mean)
        return pd.DataFrame(values, index=features.index, columns=list(self.columns))

    def mapped(self, features: pd.DataFrame, batch: Batch) -> FittedCovBat:
        """Return a CovBat that knows the unseen batches too, learnt from these cases; see :meth:`LocationScale.mapped`."""
        first = self.first.mapped(features, batch)
        left = first.transform(features, batch)
        refuse_missing(left)
        scored = self._scored((left.to_numpy() - first.centre) / first.scale, features.index)
        return replace(self, first=first, scores=self.scores.mapped(scored, self._column(batch)))

    def _scored(self, left: Floats, index: pd.Index) -> pd.DataFrame:
        return pd.DataFrame((left - self.mean) / self.deviation @ self.axes.T, index=index, columns=list(self.scores.columns))

    def _column(self, batch: Batch) -> Batch:
        return batch[self.first.variable] if isinstance(batch, pd.DataFrame) and self.first.variable in batch.columns else batch


@dataclass(frozen=True, slots=True)
class CovBat:
    """Settings of CovBat.

    Attributes
    ----------
    first : ComBat
        What is done to the features themselves; the components are then adjusted without a prior, as the paper does.
    variance : float
        Share of the variance that the adjusted components hold, in (0, 1].

    Raises
    ------
    BadSetting
        For a share outside (0, 1].

    References
    ----------
    Chen et al. 2022, doi:10.1002/hbm.25688.

    Examples
    --------
    Two features that vary together in one batch only:

    >>> rng = np.random.default_rng(0)
    >>> apart, together = rng.normal(size=(50, 2)), rng.normal(size=(50, 1)).repeat(2, axis=1) + 0.1 * rng.normal(size=(50, 2))
    >>> table, batch = pd.DataFrame(np.vstack([apart, together]), columns=["a", "b"]), pd.Series(["x"] * 50 + ["y"] * 50)
    >>> out = CovBat().fit(table, batch).transform(table, batch)
    >>> gap = lambda t: abs(t[:50].corr().iloc[0, 1] - t[50:].corr().iloc[0, 1])
    >>> bool(gap(out) < gap(table) / 4)
    True
    """

    first: ComBat = PLAIN
    variance: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.variance <= 1:
            raise BadSetting(
                f"CovBat adjusts components that hold {self.variance:g} of the variance; give a share in (0, 1].", item="variance"
            )

    def fit(self, features: pd.DataFrame, batch: Batch, covariates: pd.DataFrame | None = None) -> FittedCovBat:
        """Return CovBat learnt from these samples alone; arguments and errors as :meth:`ComBat.fit`.

        Raises
        ------
        BadCohort
            For a batch of one sample whatever is adjusted, a missing value (feature and sample are named), or fewer than two features
            that can be harmonised.
        """
        refuse_missing(features)
        first = self.first.fit(features, batch, covariates)
        if first.touched.sum() < 2:
            raise BadCohort(f"CovBat needs two features that can be harmonised and there are {int(first.touched.sum())}; use ComBat.")
        once = first.transform(features, batch, covariates=covariates)
        left = (once.to_numpy() - first.standardising_mean(features.index, covariates)) / first.scale
        mean = np.where(first.touched, left.mean(axis=0), 0.0)
        deviation = np.where(first.touched, left.std(axis=0, ddof=1), 1.0)
        z = np.where(first.touched, (left - mean) / deviation, 0.0)
        axes = leading_axes(z, self.variance)
        names = [f"component_{i + 1}" for i in range(len(axes))]
        scored = pd.DataFrame(z @ axes.T, index=features.index, columns=names)
        scores = ComBat("none", "mean-and-variance", self.first.reference).fit(scored, batch)
        return FittedCovBat(first, scores, mean, deviation, axes)


def leading_axes(z: Floats, share: float) -> Floats:
    """Return the principal directions of centred rows that together hold at least `share` of the variance, shape (q, p).

    A direction's sign is that which makes its largest entry positive, so that no machine's library decides.

    Examples
    --------
    >>> leading_axes(np.array([[-1.0, -1.0], [1.0, 1.0]]), 0.95).round(6)
    array([[0.707107, 0.707107]])
    """
    _, singular, axes = np.linalg.svd(z, full_matrices=False)
    held = np.cumsum(singular**2) / (singular**2).sum()
    real = int((singular > 1e-10 * singular[0]).sum())
    kept = axes[: min(int(np.searchsorted(held, share - 1e-12)) + 1, real)]
    largest = kept[np.arange(len(kept)), np.abs(kept).argmax(axis=1)]
    return np.asarray(kept * np.sign(largest)[:, None])


def refuse_missing(features: pd.DataFrame) -> None:
    """Refuse a missing value, naming feature and sample.

    Raises
    ------
    BadCohort

    Examples
    --------
    >>> refuse_missing(pd.DataFrame({"f": [1.0, None]}, index=["P1", "P2"]))
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadCohort: The feature 'f' is missing in P2; CovBat needs every value: leave either out, or use ComBat.
    """
    gaps = np.isnan(numbers(features, tuple(features.columns)))
    if gaps.any():
        row, column = (int(i) for i in np.argwhere(gaps)[0])
        name, sample = str(features.columns[column]), str(features.index[row])
        raise BadCohort(
            f"The feature '{name}' is missing in {sample}; CovBat needs every value: leave either out, or use ComBat.", item=name
        )
