"""`onclair radiomics combat`: learn a harmoniser and apply it, or apply one that was saved; say what it leaves of the batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadSetting, OnclairError
from onclair.core.estimate import Estimate, not_available
from onclair.io.files import sha256_file
from onclair.io.models import load_model, save_model
from onclair.learn.harmonise import (
    BatchClassifier,
    ComBat,
    CovBat,
    FittedHarmoniser,
    FittedNested,
    Harmoniser,
    Nested,
    Unseen,
    ZScore,
    harmoniser_of,
    harmoniser_record,
    refuse_aliased,
    refuse_outcome_among,
)
from onclair.learn.harmonise.shrink import Prior
from onclair.run.pool import pool
from onclair.studies.tasks.radiomics_combat_tables import Given, Roles, Warnings, listed, write_features
from onclair.validate.batch import TEN_FOLDS, Resampling, aliasing_estimate, batch_auc, batch_tests

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Method = Literal["combat", "zscore", "nested", "covbat"]

#: Cramer's V of batch and outcome from which a warning is given; from 0.9 harmonising is refused.
ENTANGLED = 0.5
LINEAR = "ridge logistic on standardised principal components, which sees shifts of means"


@dataclass(frozen=True, slots=True)
class How:
    """How batches are taken off, as it is asked for.

    Attributes
    ----------
    method : {"combat", "zscore", "nested", "covbat"}
    prior : {"parametric", "nonparametric", "none"} or None
        None for the parametric one.
    mean_only : bool
    reference : str or None

    Examples
    --------
    >>> How("combat", mean_only=True).harmoniser()
    ComBat(prior='parametric', adjusts='mean', reference=None)
    """

    method: Method = "combat"
    prior: Prior | None = None
    mean_only: bool = False
    reference: str | None = None

    def harmoniser(self) -> Harmoniser:
        """Return the settings that can be fitted.

        Raises
        ------
        BadSetting
            For an option that the method does not have.
        """
        if self.method == "zscore":
            extra = "--prior" if self.prior else "--mean-only" if self.mean_only else None
            if extra:
                raise BadSetting(f"{extra} is of no use to z-scores by batch; leave it out, or choose --method combat.", item=extra)
            return ZScore(self.reference)
        combat = ComBat(self.prior or "parametric", "mean" if self.mean_only else "mean-and-variance", self.reference)
        if self.method == "nested":
            return Nested(combat)
        return CovBat(combat) if self.method == "covbat" else combat


@dataclass(frozen=True, slots=True, eq=False)
class Harmonised:
    """What was done.

    Attributes
    ----------
    method : str
    fitted : FittedHarmoniser
    batches : mapping of str to int
        Samples of each batch, ``COLUMN=NAME`` where there are several batch columns.
    out : str
    sha256 : str
        Of the table written.
    samples, features : int
    estimates : tuple of Estimate
    warnings : list of dict
    model : str or None
        Where the harmoniser was saved.
    """

    method: str
    fitted: FittedHarmoniser
    batches: Mapping[str, int]
    out: str
    sha256: str
    samples: int
    features: int
    estimates: tuple[Estimate, ...] = ()
    warnings: Warnings = field(default_factory=list)
    model: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        more = {"order": list(self.fitted.variables)} if isinstance(self.fitted, FittedNested) else {}
        return {
            "method": self.method,
            "batches": dict(self.batches),
            "samples": self.samples,
            "features": self.features,
            "untouched": dict(self.fitted.untouched),
            **more,
            "out": self.out,
            "sha256": self.sha256,
            "model": self.model,
            "estimates": [estimate.as_dict() for estimate in self.estimates],
            "warnings": self.warnings,
        }


def learn_and_apply(
    given: Given, roles: Roles, how: How, out: Path, *, model_out: Path | None = None, resampling: Resampling = TEN_FOLDS
) -> Harmonised:
    """Learn a harmoniser from every sample given, write the samples harmonised, and judge what it leaves.

    Parameters
    ----------
    given : Given
    roles : Roles
    how : How
    out : path
        Of the table.
    model_out : path, optional
        A folder for the harmoniser.
    resampling : Resampling
        Of the classifiers that ``roles.diagnose`` asks for.

    Returns
    -------
    Harmonised

    Raises
    ------
    BadSetting
        For options that do not go together.
    BadCohort
        For a covariate that is the outcome, a batch that goes with the outcome, and whatever the method refuses.
    """
    harmoniser = how.harmoniser()
    _check_roles(roles, how.method)
    batch, covariates = given.samples[list(roles.batch)], _covariates(given, roles)
    warnings = list(given.warnings)
    estimates = _beside_outcome(given, batch, warnings)
    fitted = harmoniser.fit(given.table.features, batch, covariates)
    after = fitted.transform(given.table.features, batch, covariates=covariates)
    warnings += _about_features(fitted, given.table.features)
    refit = _refit(harmoniser, given.table.features, batch, covariates)
    estimates += _diagnosed(given, roles.diagnose, after, refit, resampling)
    done = _written(given, fitted, after, out, model_out)
    return replace(done, method=how.method, batches=_counted(batch), estimates=tuple(estimates), warnings=warnings)


def apply_saved(
    given: Given, roles: Roles, model: FittedHarmoniser, unseen: Unseen, out: Path, *, model_out: Path | None = None
) -> Harmonised:
    """Apply a saved harmoniser to later samples: nothing is learnt from them, unless an unseen batch is to be mapped.

    Parameters
    ----------
    given : Given
    roles : Roles
    model : FittedHarmoniser
    unseen : {"refuse", "leave", "map"}
    out : path
    model_out : path, optional
        Where to save the harmoniser with the mapped batches in it.

    Raises
    ------
    BadCase
        For an absent feature, or an unseen batch that is refused or too small to map.
    BadSetting
        When as many batch columns are not given as the harmoniser has.
    """
    batch = _renamed(given.samples[list(roles.batch)], model)
    values, warnings = given.table.features, list(given.warnings)
    if given.table.in_rows and given.table.key is None and len(values.columns) == len(model.columns):
        values = values.set_axis(list(model.columns), axis=1)
    found = model.unseen(batch)
    if unseen == "map" and found:
        model = model.mapped(values, batch)
    after = model.transform(values, batch, unseen="leave" if unseen == "leave" else "refuse")
    warnings += _about_features(model, values) + _about_unseen(found, unseen)
    table = replace(given.table, features=values)
    given = replace(given, table=table)
    estimates = _diagnosed(given, roles.diagnose, after, None, TEN_FOLDS)
    done = _written(given, model, after, out, model_out)
    return replace(done, batches=_counted(batch), estimates=tuple(estimates), warnings=warnings)


def load_harmoniser(path: Path) -> FittedHarmoniser:
    """Return a saved harmoniser.

    Raises
    ------
    BadModelFile
        When it is damaged, foreign or no harmoniser.
    """
    return harmoniser_of(load_model(path))


def _check_roles(roles: Roles, method: Method) -> None:
    if method == "nested" and len(roles.batch) < 2:
        raise BadSetting(
            f"Nested ComBat takes two or more batch columns; found '{', '.join(roles.batch)}': give --batch again.", item="--batch"
        )
    if method != "nested" and len(roles.batch) != 1:
        raise BadSetting(f"--method {method} takes one batch column and found {len(roles.batch)}; choose --method nested.", item="--batch")
    for name in roles.covariates:
        if name in roles.batch:
            raise BadSetting(f"'{name}' is both batch and covariate; it is taken off or kept, not both.", item=name)


def _covariates(given: Given, roles: Roles) -> pd.DataFrame | None:
    """Return the covariates, or refuse the outcome among them."""
    if not roles.covariates:
        return None
    covariates = given.samples[list(roles.covariates)]
    for name in given.outcomes:
        if name in given.samples.columns:
            refuse_outcome_among(covariates, given.samples[name])
    return covariates


def _beside_outcome(given: Given, batch: pd.DataFrame, warnings: Warnings) -> list[Estimate]:
    """Return how far each batch column goes with the outcome; refused where it decides it."""
    if given.outcome is None or given.outcome not in given.samples.columns:
        return []
    outcome = given.samples[given.outcome]
    for name, strength in refuse_aliased(batch, outcome).items():
        if strength >= ENTANGLED:
            found = f"The batch '{name}' and the outcome '{given.outcome}' go together (Cramer's V {strength:.2f})"
            text = f"{found}: part of the signal may be lost with the batch."
            warnings.append({"code": "batch_goes_with_outcome", "text": text})
    if outcome.nunique() > 10:
        return []
    return [aliasing_estimate(f"cramers_v:batch:{name}", batch[name], outcome.astype(object)) for name in batch.columns]


def _about_features(fitted: FittedHarmoniser, values: pd.DataFrame) -> Warnings:
    """Return what is to be said of features that are not harmonised, or not everywhere."""
    warnings: Warnings = []
    if fitted.untouched:
        each = [f"{name} ({why})" for name, why in fitted.untouched.items()]
        warnings.append({"code": "untouched_features", "text": f"{len(each)} features were not harmonised: {listed(each)}."})
    known = set(fitted.columns)
    foreign = [str(c) for c in values.columns if c not in known]
    if foreign:
        text = f"{len(foreign)} features are unknown to the harmoniser and handed on as they are: {listed(foreign)}."
        warnings.append({"code": "unknown_features", "text": text})
    gaps = values.isna()
    if gaps.to_numpy().any():
        column = str(gaps.columns[gaps.any()][0])
        found = f"{int(gaps.to_numpy().sum())} values are missing in {int(gaps.any().sum())} features"
        text = f"{found} (the first '{column}' in {gaps.index[gaps[column]][0]}); each was left out of its feature, and stays missing."
        warnings.append({"code": "missing_values", "text": text})
    return warnings


def _about_unseen(found: Mapping[str, Mapping[str, int]], unseen: Unseen) -> Warnings:
    """Return what became of the batches that were not among the training samples."""
    each = [f"'{name}' of '{column}' ({n} samples)" for column, sizes in found.items() for name, n in sizes.items()]
    if not each:
        return []
    if unseen == "leave":
        return [{"code": "unseen_left", "text": f"Batches unseen at training were left as they are: {listed(each)}."}]
    what = "mapped from their own cases, which takes true differences between patients off too"
    text = f"Batches unseen at training were {what}: {listed(each)}."
    return [{"code": "unseen_mapped", "text": text}]


Refit = Callable[[Ints, Ints], tuple[pd.DataFrame, pd.DataFrame]]


def _refit(harmoniser: Harmoniser, values: pd.DataFrame, batch: pd.DataFrame, covariates: pd.DataFrame | None) -> Refit:
    """Return a function that harmonises held rows by what the training rows teach."""

    def refit(train: Ints, held: Ints) -> tuple[pd.DataFrame, pd.DataFrame]:
        kept = None if covariates is None else covariates.iloc[train]
        fitted = harmoniser.fit(values.iloc[train], batch.iloc[train], kept)
        return fitted.transform(values.iloc[train], batch.iloc[train]), fitted.transform(values.iloc[held], batch.iloc[held])

    return refit


def _diagnosed(given: Given, columns: tuple[str, ...], after: pd.DataFrame, refit: Refit | None, how: Resampling) -> list[Estimate]:
    """Return how well each column is told from the features before and after, and how many features differ by it."""
    before = given.table.features
    found: list[Estimate] = []
    for column in columns:
        labels = given.samples[column]
        for where, table in (("before", before), ("after", after)):
            said = LINEAR if where == "before" else f"{LINEAR}; the table as written, to which every sample contributed"
            plain: Refit = lambda train, held, table=table: (table.iloc[train], table.iloc[held])  # type: ignore[misc]  # noqa: E731
            found.append(_told(f"auc:batch:{column}:{where}", labels, plain, (how, said)))
        if refit is not None:
            said = f"{LINEAR}; harmonised by what each training fold teaches"
            found.append(_told(f"auc:batch:{column}:after-in-training-folds", labels, refit, (how, said)))
        for where, table in (("before", before), ("after", after)):
            known = labels.notna().to_numpy()
            found.append(batch_tests(column, table[known], labels[known].to_numpy()).estimate(where))
    return found


def _told(name: str, labels: pd.Series, tables: Refit, how: tuple[Resampling, str]) -> Estimate:
    """Return how well the batch is told; a fold that cannot be fitted makes the figure not available."""

    def fit(train: Ints, codes: Ints, held: Ints, rng: np.random.Generator) -> Floats:
        known, new = tables(train, held)
        return BatchClassifier().fit(known, codes, rng)(new)

    with pool(1) as over:
        try:
            return batch_auc(name, labels.to_numpy(), fit, how=how[0], said=how[1], map=over)
        except OnclairError as error:
            return not_available(name, f"a training fold cannot be fitted: {error}", n=int(labels.notna().sum()))


def _written(given: Given, fitted: FittedHarmoniser, after: pd.DataFrame, out: Path, model_out: Path | None) -> Harmonised:
    """Write the table and the harmoniser."""
    whole = given.table.features.copy()
    whole[list(after.columns)] = after
    record = harmoniser_record(fitted)
    if model_out is not None:
        save_model(model_out, record)
    write_features(out, given.table.written(whole))
    model = None if model_out is None else str(model_out)
    return Harmonised(str(record.document["family"]), fitted, {}, str(out), sha256_file(out), *after.shape, model=model)


def _counted(batch: pd.DataFrame) -> dict[str, int]:
    """Return the samples of each batch."""
    single = batch.shape[1] == 1
    counts: dict[str, int] = {}
    for name in batch.columns:
        for label, n in batch[name].value_counts().sort_index().items():
            counts[str(label) if single else f"{name}={label}"] = int(n)
    return counts


def _renamed(batch: pd.DataFrame, model: FittedHarmoniser) -> pd.DataFrame:
    """Return the batch columns under the names that the harmoniser learnt them by: by name, or the only one."""
    wanted = list(model.variables)
    if set(wanted) <= set(batch.columns):
        return batch[wanted]
    if len(wanted) == 1 and batch.shape[1] == 1:
        return batch.set_axis(wanted, axis=1)
    found = ", ".join(map(str, batch.columns))
    raise BadSetting(f"The harmoniser takes off {', '.join(wanted)} and --batch names {found}; name the same columns.", item="--batch")
