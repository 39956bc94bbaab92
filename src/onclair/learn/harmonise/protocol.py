"""What every way of harmonising promises: learnt on training samples, then applied to those and to any later ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: The batch of each sample: one column, or several where batches are nested.
Batch = pd.Series | pd.DataFrame
#: What becomes of a sample whose batch was not among the training samples.
Unseen = Literal["refuse", "leave", "map"]
#: Fewest cases of an unseen batch from which its own location and spread may be learnt.
FEWEST_TO_MAP = 20


class FittedHarmoniser(Protocol):
    """A harmoniser after it has seen its training samples."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The features it learnt, in order."""
        ...

    @property
    def untouched(self) -> Mapping[str, str]:
        """The features that it hands back as they are, and why."""
        ...

    @property
    def variables(self) -> tuple[str, ...]:
        """The batch columns, in the order in which they are taken off."""
        ...

    @property
    def batches(self) -> Mapping[str, Mapping[str, int]]:
        """The training samples of each batch, by batch column."""
        ...

    def unseen(self, batch: Batch) -> Mapping[str, Mapping[str, int]]:
        """Return the batches that were not among the training samples and how many samples each has, by batch column."""
        ...

    def transform(
        self, features: pd.DataFrame, batch: Batch, *, covariates: pd.DataFrame | None = None, unseen: Unseen = "refuse"
    ) -> pd.DataFrame:
        """Return the features with the batch taken off."""
        ...

    def mapped(self, features: pd.DataFrame, batch: Batch) -> FittedHarmoniser:
        """Return a harmoniser that knows the unseen batches too, learnt from these cases without any label."""
        ...


class Harmoniser(Protocol):
    """Settings that can be fitted again and again, inside each training fold."""

    def fit(self, features: pd.DataFrame, batch: Batch, covariates: pd.DataFrame | None = None) -> FittedHarmoniser:
        """Return the harmoniser learnt from these samples alone."""
        ...
