"""The samples that a harmoniser is given: features, batch and covariates of the same rows, checked once at the door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadCase, BadCohort, BadSetting
from onclair.core.names import did_you_mean
from onclair.learn.harmonise.protocol import Batch, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """One batch column.

    Attributes
    ----------
    variable : str
        Name of the column.
    names : tuple of str
        In order of name.
    codes : ndarray, int64, shape (n,)
        Place of each sample's batch in `names`; -1 where it is none of them.
    labels : ndarray of str, shape (n,)
    """

    variable: str
    names: tuple[str, ...]
    codes: Ints
    labels: npt.NDArray[np.object_]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Samples of each batch."""
        return tuple(int(n) for n in np.bincount(self.codes[self.codes >= 0], minlength=len(self.names)))


def batches_of(index: pd.Index, batch: Batch, names: Sequence[str] | None = None) -> Batches:
    """Return the batch of each sample.

    Parameters
    ----------
    index : Index
        Of the features' rows.
    batch : Series, or DataFrame of one column
        Of the same rows, in their order. Whole numbers and texts that spell alike are one batch.
    names : sequence of str, optional
        The batches that are known; by default those found.

    Raises
    ------
    BadCohort
        When there are several columns, the rows differ, or a sample has no batch (it is named).

    Examples
    --------
    >>> found = batches_of(pd.Index(["a", "b"]), pd.Series([2.0, 1.0], index=["a", "b"], name="scanner"))
    >>> found.names, found.codes.tolist()
    (('1', '2'), [1, 0])
    """
    column = _one_column(batch)
    variable = "batch" if column.name is None else str(column.name)
    if not column.index.equals(index):
        raise BadCohort(f"The batch '{variable}' names {len(column)} samples and the features {len(index)}, not the same; align them.")
    gaps = column.isna().to_numpy()
    if gaps.any():
        first = str(index[int(gaps.argmax())])
        raise BadCohort(f"{int(gaps.sum())} samples have no '{variable}', the first {first}; give it, or leave them out.", item=first)
    labels = np.array([spelled(value) for value in column], dtype=object)
    known = tuple(sorted(set(labels))) if names is None else tuple(names)
    place = {name: i for i, name in enumerate(known)}
    return Batches(variable, known, np.array([place.get(label, -1) for label in labels], dtype=np.int64), labels)


def spelled(value: object) -> str:
    """Return a batch as text, whole numbers without ".0".

    Examples
    --------
    >>> spelled(1.0), spelled("GE "), spelled(True)
    ('1', 'GE', 'True')
    """
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


@dataclass(frozen=True, slots=True)
class Coding:
    """How covariates become columns: a number as it is, a category as one column for each level but its first.

    Attributes
    ----------
    names : tuple of str
    levels : tuple of tuple of str
        Of each covariate, in order; empty for a number.

    Examples
    --------
    >>> coding = coding_of(pd.DataFrame({"age": [60, 70], "sex": ["F", "M"]}))
    >>> coding.matrix(pd.DataFrame({"age": [65], "sex": ["M"]})).tolist()
    [[65.0, 1.0]]
    """

    names: tuple[str, ...] = ()
    levels: tuple[tuple[str, ...], ...] = ()

    @property
    def widths(self) -> tuple[int, ...]:
        """Columns that each covariate takes."""
        return tuple(len(levels) - 1 if levels else 1 for levels in self.levels)

    def matrix(self, covariates: pd.DataFrame) -> Floats:
        """Return the columns, shape (n, sum of `widths`).

        Raises
        ------
        BadCase
            For a covariate that is absent, missing in a sample (it is named), infinite or of a level unknown at training.
        """
        blocks = [np.empty((len(covariates), 0))]
        for name, levels in zip(self.names, self.levels, strict=True):
            if name not in covariates.columns:
                near = did_you_mean(name, map(str, covariates.columns))
                raise BadCase(f"The covariate '{name}' is absent; {near}", item=name)
            _refuse_gaps(covariates[name], name)
            blocks.append(_dummies(covariates[name], name, levels) if levels else _number(covariates[name], name))
        return np.hstack(blocks)


#: No covariate at all.
NO_COVARIATES = Coding()


def coding_of(covariates: pd.DataFrame | None) -> Coding:
    """Return how these covariates become columns.

    Raises
    ------
    BadCohort
        When one has the same value in every sample.

    Examples
    --------
    >>> coding_of(pd.DataFrame({"sex": ["M", "F"]}))
    Coding(names=('sex',), levels=(('F', 'M'),))
    """
    if covariates is None:
        return NO_COVARIATES
    levels = []
    for name in covariates.columns:
        column = covariates[name]
        if column.nunique() < 2:
            raise BadCohort(f"The covariate '{name}' has the same value in every sample; leave it out.", item=str(name))
        numeric = pd.api.types.is_numeric_dtype(column)
        levels.append(() if numeric else tuple(sorted({str(v) for v in column.dropna()})))
    return Coding(tuple(str(c) for c in covariates.columns), tuple(levels))


def design_of(batches: Batches, coding: Coding, covariates: pd.DataFrame | None, reference: int | None) -> Floats:
    """Return ``[one column a batch | covariates]``, float64, shape (n, k + q); the reference's column is all ones.

    Raises
    ------
    BadCohort
        When there are not more samples than columns, or a covariate is decided by the batch (it is named) or by other covariates.
    BadCase
        As :meth:`Coding.matrix`.

    Examples
    --------
    >>> two = batches_of(pd.RangeIndex(4), pd.Series(list("xxyy")))
    >>> design_of(two, Coding(), None, 0).tolist()
    [[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]]
    """
    n, k = len(batches.codes), len(batches.names)
    one_hot = np.eye(k)[batches.codes]
    if reference is not None:
        one_hot[:, reference] = 1.0
    columns = np.empty((n, 0)) if covariates is None else coding.matrix(covariates)
    design = np.hstack([one_hot, columns])
    if n <= design.shape[1]:
        found = f"{n} samples for {k} batches and {columns.shape[1]} covariate columns"
        raise BadCohort(f"There are {found}; harmonising needs more samples than that: gather more, or take fewer covariates.")
    if np.linalg.matrix_rank(_scaled(design)) < design.shape[1]:
        raise _aliased_covariate(one_hot, columns, coding, batches.variable)
    return design


def aligned(covariates: pd.DataFrame | None, index: pd.Index) -> None:
    """Refuse covariates of other rows than the features.

    Raises
    ------
    BadCohort
    """
    if covariates is not None and not covariates.index.equals(index):
        raise BadCohort(f"The covariates name {len(covariates)} samples and the features {len(index)}, not the same; align them.")


def refuse_reference(reference: str, batches: Batches) -> int:
    """Return the place of the reference batch.

    Raises
    ------
    BadSetting
        When no sample has that batch.

    Examples
    --------
    >>> refuse_reference("y", batches_of(pd.RangeIndex(2), pd.Series(list("xy"))))
    1
    """
    if reference not in batches.names:
        found = f"The reference batch '{reference}' is none of those in '{batches.variable}'"
        raise BadSetting(f"{found}; {did_you_mean(reference, batches.names)}", item=reference)
    return batches.names.index(reference)


def refuse_few(batches: Batches, fewest: int) -> None:
    """Refuse one batch only, and a batch of fewer samples than its spread takes.

    Raises
    ------
    BadCohort

    Examples
    --------
    >>> refuse_few(batches_of(pd.RangeIndex(3), pd.Series(list("xxy"), name="scanner")), 2)
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadCohort: The batch 'y' of 'scanner' has one sample, from which no spread can be learnt; merge it, leave it out, \
or adjust the mean only, as ComBat can (--mean-only).
    """
    if len(batches.names) < 2:
        found = f"All {len(batches.codes)} samples have the same '{batches.variable}' ({', '.join(batches.names)})"
        raise BadCohort(f"{found}; there is nothing to harmonise: choose another batch column.", item=batches.variable)
    for name, size in zip(batches.names, batches.sizes, strict=True):
        if size < fewest:
            found = f"The batch '{name}' of '{batches.variable}' has one sample, from which no spread can be learnt"
            raise BadCohort(f"{found}; merge it, leave it out, or adjust the mean only, as ComBat can (--mean-only).", item=name)


def _one_column(batch: Batch) -> pd.Series:
    if isinstance(batch, pd.Series):
        return batch
    if batch.shape[1] != 1:
        found = f"{batch.shape[1]} batch columns were given"
        raise BadCohort(f"{found} where one is harmonised; give one, or take the nested method.")
    return batch.iloc[:, 0]


def _refuse_gaps(column: pd.Series, name: str) -> None:
    gaps = column.isna().to_numpy()
    if gaps.any():
        first = str(column.index[int(gaps.argmax())])
        raise BadCase(f"{int(gaps.sum())} samples have no '{name}', the first {first}; give it, or leave the covariate out.", item=first)


def _number(column: pd.Series, name: str) -> Floats:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        first = str(column.index[int((~np.isfinite(values)).argmax())])
        raise BadCase(f"The covariate '{name}' of {first} is no finite number; correct it.", item=first)
    return values[:, None]


def _dummies(column: pd.Series, name: str, levels: Sequence[str]) -> Floats:
    found = column.astype(str).to_numpy(dtype=object)
    foreign = [v for v in found if v not in levels]
    if foreign:
        raise BadCase(f"The covariate '{name}' is '{foreign[0]}', unknown at training; {did_you_mean(foreign[0], levels)}", item=name)
    return np.asarray(found[:, None] == np.array(levels[1:], dtype=object)[None, :], dtype=np.float64)


def _scaled(design: Floats) -> Floats:
    return np.asarray(design / np.maximum(np.abs(design).max(axis=0), 1e-300))


def _aliased_covariate(one_hot: Floats, columns: Floats, coding: Coding, variable: str) -> BadCohort:
    """Return the error that names the first covariate which the batch decides, or says that they decide each other."""
    start = 0
    for name, width in zip(coding.names, coding.widths, strict=True):
        both = np.hstack([one_hot, columns[:, start : start + width]])
        if np.linalg.matrix_rank(_scaled(both)) < both.shape[1]:
            found = f"The covariate '{name}' is decided by the batch '{variable}', so their effects cannot be told apart"
            return BadCohort(f"{found}; leave it out.", item=name)
        start += width
    return BadCohort(f"The covariates {', '.join(coding.names)} decide each other; leave one out.", item=coding.names[-1])
