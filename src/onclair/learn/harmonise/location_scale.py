"""What ComBat and z-scores leave behind: for each batch and feature a location to take off and a spread to divide by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadCase
from onclair.core.names import did_you_mean
from onclair.learn.harmonise.protocol import FEWEST_TO_MAP, Batch, Floats, Unseen
from onclair.learn.harmonise.samples import NO_COVARIATES, Batches, Coding, aligned, batches_of
from onclair.learn.harmonise.shrink import Adjusts, Moments, Prior, moments, shrunken
from onclair.learn.pipeline import numbers


@dataclass(frozen=True, slots=True, eq=False)
class LocationScale:
    """A fitted harmoniser of one batch column.

    A value x of batch i becomes ``(( x - m) / scale - location[i]) / sqrt(spread[i]) * scale + m``, where m is `centre`, or with
    covariates ``grand + covariates @ coefficients``.

    Attributes
    ----------
    method : str
        ``"combat"`` or ``"zscore"``.
    variable : str
        The batch column.
    names, sizes : tuple
        Its batches and the samples each was learnt from.
    columns : tuple of str
        The p features.
    centre, grand, scale : ndarray, float64, shape (p,)
        Mean over the training samples of the standardising mean; that mean without covariates; the pooled standard deviation.
    coefficients : ndarray, float64, shape (q, p)
        Of the covariates' columns, which `coding` makes.
    location, spread : ndarray, float64, shape (k, p)
    coding : Coding
    prior, adjusts, reference
        As they were set; how a new batch would be learnt. Samples of the reference come back untouched.
    untouched : mapping of str to str
        Features that come back as they are, and why.

    Examples
    --------
    >>> from onclair.learn.harmonise.zscore import ZScore
    >>> table, batch = pd.DataFrame({"f": [1.0, 3.0, 10.0, 14.0]}), pd.Series(list("xxyy"))
    >>> ZScore().fit(table, batch).transform(pd.DataFrame({"f": [12.0]}), pd.Series(["y"]))["f"].tolist()
    [0.0]
    """

    method: str
    variable: str
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    columns: tuple[str, ...]
    centre: Floats
    grand: Floats
    scale: Floats
    coefficients: Floats
    location: Floats
    spread: Floats
    coding: Coding = NO_COVARIATES
    prior: Prior = "none"
    adjusts: Adjusts = "mean-and-variance"
    reference: str | None = None
    untouched: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> tuple[str, ...]:
        """The batch column."""
        return (self.variable,)

    @property
    def batches(self) -> dict[str, dict[str, int]]:
        """The training samples of each batch, by batch column."""
        return {self.variable: dict(zip(self.names, self.sizes, strict=True))}

    @property
    def touched(self) -> npt.NDArray[np.bool_]:
        """Which features are harmonised, shape (p,)."""
        return np.array([column not in self.untouched for column in self.columns], dtype=bool)

    def unseen(self, batch: Batch) -> dict[str, dict[str, int]]:
        """Return the batches that were not among the training samples, and how many samples each has.

        Examples
        --------
        >>> from onclair.learn.harmonise.zscore import ZScore
        >>> fitted = ZScore().fit(pd.DataFrame({"f": [1.0, 3.0, 10.0, 14.0]}), pd.Series(list("xxyy"), name="scanner"))
        >>> fitted.unseen(pd.Series(list("xzz")))
        {'scanner': {'z': 2}}
        """
        given = self._batches(batch, None)
        found = Counter(str(label) for label in given.labels[given.codes < 0])
        return {self.variable: dict(sorted(found.items()))} if found else {}

    def transform(
        self, features: pd.DataFrame, batch: Batch, *, covariates: pd.DataFrame | None = None, unseen: Unseen = "refuse"
    ) -> pd.DataFrame:
        """Return the features with the batch taken off; nothing is learnt from them unless `unseen` is ``"map"``.

        Parameters
        ----------
        features : DataFrame, shape (n, p or more)
            Holds at least `columns`; a missing value stays missing.
        batch : Series or one-column DataFrame of the same rows
        covariates : DataFrame of the same rows, optional
            Only to give training samples what R's neuroCombat gives them: later samples start from the mean over the training samples.
        unseen : {"refuse", "leave", "map"}
            Of a batch unknown at training: refused, handed back as it is, or learnt from these cases without a label (:meth:`mapped`).

        Returns
        -------
        DataFrame, float64, shape (n, p)

        Raises
        ------
        BadCase
            For an absent, textual or infinite feature, an unseen batch (with ``"refuse"``), or one of fewer than 20 cases
            (with ``"map"``).
        BadCohort
            When rows differ or a sample has no batch.

        Examples
        --------
        >>> from onclair.learn.harmonise.zscore import ZScore
        >>> fitted = ZScore(reference="x").fit(pd.DataFrame({"f": [1.0, 3.0, 10.0, 14.0]}), pd.Series(list("xxyy")))
        >>> later = pd.DataFrame({"f": [12.0, 99.0]})
        >>> fitted.transform(later, pd.Series(["y", "z"]), unseen="leave")["f"].tolist()
        [2.0, 99.0]
        """
        known = self.mapped(features, batch) if unseen == "map" else self
        given = known._batches(batch, features.index)
        if unseen == "refuse" and (given.codes < 0).any():
            raise self._not_seen(given)
        x, mean = numbers(features, self.columns), self.standardising_mean(features.index, covariates)
        adjusted = known.taken_off((x - mean) / self.scale, given) * self.scale + mean
        kept = (given.codes < 0) if self.reference is None else (given.codes < 0) | (given.labels == self.reference)
        return pd.DataFrame(np.where(kept[:, None] | ~self.touched, x, adjusted), index=features.index, columns=list(self.columns))

    def standardising_mean(self, index: pd.Index, covariates: pd.DataFrame | None) -> Floats:
        """Return what is taken off each value before it is scaled, shape (n, p), or (p,) without covariates."""
        if covariates is None or not self.coding.names:
            return self.centre
        aligned(covariates, index)
        return np.asarray(self.grand + self.coding.matrix(covariates) @ self.coefficients)

    def taken_off(self, z: Floats, given: Batches) -> Floats:
        """Return standardised values (n, p) with location and spread of their batch taken off; unseen batches as they are."""
        location = np.vstack([self.location, np.zeros(len(self.columns))])  # the last row serves code -1
        spread = np.vstack([self.spread, np.ones(len(self.columns))])
        return np.asarray((z - location[given.codes]) / np.sqrt(spread[given.codes]))

    def mapped(self, features: pd.DataFrame, batch: Batch) -> LocationScale:
        """Return a harmoniser that knows the unseen batches too, each learnt from its own cases, without label or covariate.

        What was learnt at training stays as it is. The new batch's cases should be like the training cases: what sets its patients
        apart is taken for the scanner's doing.

        Parameters
        ----------
        features : DataFrame, shape (n, p or more)
        batch : Series or one-column DataFrame of the same rows

        Raises
        ------
        BadCase
            When an unseen batch has fewer than 20 cases.

        References
        ----------
        Mapping new batches to a frozen reference: Stein et al. 2015, doi:10.1186/s12859-015-0478-3 (M-ComBat).

        Examples
        --------
        >>> from onclair.learn.harmonise.zscore import ZScore
        >>> fitted = ZScore().fit(pd.DataFrame({"f": [1.0, 3.0, 10.0, 14.0]}), pd.Series(list("xxyy")))
        >>> fitted.mapped(pd.DataFrame({"f": np.arange(20.0)}), pd.Series(["new"] * 20)).names
        ('x', 'y', 'new')
        """
        known = self
        given = self._batches(batch, features.index)
        for name, size in self.unseen(batch).get(self.variable, {}).items():
            if size < FEWEST_TO_MAP:
                found = f"The unseen batch '{name}' of '{self.variable}' has {size} cases"
                advice = "gather more, or leave it as it is (--unseen leave)"
                raise BadCase(f"{found}; at least {FEWEST_TO_MAP} are needed to map it: {advice}.", item=name)
            rows = numbers(features, self.columns)[given.labels == name]
            known = known._with(name, size, *self._learnt((rows - self.centre) / self.scale))
        return known

    def _learnt(self, z: Floats) -> tuple[Floats, Floats]:
        """Return location and spread of a new batch's standardised cases; 0 and 1 where they say nothing."""
        found = moments(z, np.zeros(len(z), dtype=np.int64), 1)
        enough = self.touched & (found.n[0] > 1) & (found.squares[0] > 1e-24 * found.n[0])
        location, spread = np.zeros(z.shape[1]), np.ones(z.shape[1])
        if enough.any():
            usable = Moments(*(part[:, enough] for part in (found.n, found.mean, found.squares)))
            one, other = shrunken(usable, self.prior, self.adjusts)
            location[enough], spread[enough] = one[0], other[0]
        return location, spread

    def _with(self, name: str, size: int, location: Floats, spread: Floats) -> LocationScale:
        return replace(
            self,
            names=(*self.names, name),
            sizes=(*self.sizes, size),
            location=np.vstack([self.location, location]),
            spread=np.vstack([self.spread, spread]),
        )

    def _batches(self, batch: Batch, index: pd.Index | None) -> Batches:
        if isinstance(batch, pd.DataFrame) and self.variable in batch.columns:
            batch = batch[self.variable]
        return batches_of(batch.index if index is None else index, batch, self.names)

    def _not_seen(self, given: Batches) -> BadCase:
        foreign = [str(label) for label in given.labels[given.codes < 0]]
        found = f"The batch '{foreign[0]}' of '{self.variable}' ({foreign.count(foreign[0])} samples) was not among the training samples"
        advice = f"leave it as it is (--unseen leave), or map it from at least {FEWEST_TO_MAP} of its cases (--unseen map)"
        return BadCase(f"{found} ({did_you_mean(foreign[0], self.names).rstrip('.?')}); {advice}.", item=foreign[0])
