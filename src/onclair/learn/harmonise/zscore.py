"""Z-scores by batch: each feature centred and scaled by its own batch, feature by feature, with no prior and no covariate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from onclair.core.errors import BadCohort
from onclair.learn.harmonise.combat import unfit
from onclair.learn.harmonise.location_scale import LocationScale
from onclair.learn.harmonise.protocol import Batch
from onclair.learn.harmonise.samples import NO_COVARIATES, batches_of, refuse_few, refuse_reference
from onclair.learn.harmonise.shrink import moments
from onclair.learn.pipeline import numbers


@dataclass(frozen=True, slots=True)
class ZScore:
    """Settings of z-scores by batch.

    Not ComBat: what differs between the patients of two batches is taken off with what differs between their scanners.

    Attributes
    ----------
    reference : str or None
        With a batch named, values keep its mean, standard deviation and unit; without, they become pure numbers of mean 0 and
        standard deviation 1 (ddof 1) in every batch.

    Examples
    --------
    >>> table, batch = pd.DataFrame({"f": [1.0, 3.0, 10.0, 14.0]}), pd.Series(list("xxyy"))
    >>> ZScore().fit(table, batch).transform(table, batch)["f"].round(4).tolist()
    [-0.7071, 0.7071, -0.7071, 0.7071]
    >>> ZScore(reference="x").fit(table, batch).transform(table, batch)["f"].round(9).tolist()
    [1.0, 3.0, 1.0, 3.0]
    """

    reference: str | None = None

    def fit(self, features: pd.DataFrame, batch: Batch, covariates: pd.DataFrame | None = None) -> LocationScale:
        """Return the z-scores learnt from these samples alone; arguments and errors as :meth:`ComBat.fit`.

        Raises
        ------
        BadCohort
            For covariates too: a z-score keeps none.
        """
        if covariates is not None and covariates.shape[1]:
            raise BadCohort(f"Z-scores by batch keep no covariate ({covariates.columns[0]}); leave it out, or use ComBat.")
        columns = tuple(str(c) for c in features.columns)
        x, given = numbers(features, tuple(features.columns)), batches_of(features.index, batch)
        refuse_few(given, 2)
        untouched = unfit(x, columns, given, "mean-and-variance")
        touched = np.array([c not in untouched for c in columns], dtype=bool)
        found = moments(x, given.codes, len(given.names))
        centre, scale = np.zeros(len(columns)), np.ones(len(columns))
        if self.reference is not None:
            place = refuse_reference(self.reference, given)
            centre, scale = np.where(touched, found.mean[place], 0.0), np.where(touched, np.sqrt(found.variance[place]), 1.0)
        location = np.where(touched, (found.mean - centre) / scale, 0.0)
        spread = np.where(touched, found.variance / scale**2, 1.0)
        return LocationScale(
            "zscore",
            given.variable,
            given.names,
            given.sizes,
            columns,
            centre,
            centre,
            scale,
            np.empty((0, len(columns))),
            location,
            spread,
            NO_COVARIATES,
            reference=self.reference,
            untouched=untouched,
        )
