"""Whether the patients that there are can bear what was asked, before anything is computed."""

from __future__ import annotations

import math

import pandas as pd

from onclair.core.errors import BadCohort, BadSetting
from onclair.core.outcome import Outcome
from onclair.core.settings import RunSettings
from onclair.core.study import Study
from onclair.io.cohorts.check import one_class_only


def check_settings(study: Study, settings: RunSettings) -> None:
    """Refuse settings that only a later stage would stumble over.

    Raises
    ------
    BadSetting
        For a model that the study does not have, or a threshold that is no probability.
    """
    study.model(settings)
    for threshold in settings.thresholds:
        if not 0 < threshold < 1:
            raise BadSetting(f"The threshold {threshold:g} is not a probability between 0 and 1; 20 percent is 0.2.", item="thresholds")


def check_kind(study: Study, outcome: Outcome) -> None:
    """Refuse an outcome of another kind than a run of the study resamples and judges.

    Raises
    ------
    BadCohort
        Follow-up times are sent to `onclair validate`, which judges the predictions of any survival model.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> check_kind(SimpleNamespace(name="table", outcome="binary"), Outcome("death", "survival", "day", time="days"))
    Traceback (most recent call last):
    onclair.core.errors.BadCohort: The outcome 'death' is survival; `onclair run table` predicts a binary one: follow-up \
times are not learnt by a run yet (`onclair validate` judges any survival model's predictions); name another with --outcome.
    """
    if outcome.kind == study.outcome:
        return
    told = f"The outcome '{outcome.name}' is {outcome.kind}; `onclair run {study.name}` predicts a {study.outcome} one"
    later = "follow-up times are not learnt by a run yet (`onclair validate` judges any survival model's predictions); "
    raise BadCohort(f"{told}: {later if outcome.kind == 'survival' else ''}name another with --outcome.", item=outcome.name)


def check_folds(settings: RunSettings, truth: pd.Series, outcome: Outcome) -> None:
    """Refuse more folds than the patients, or the patients of the rarer class, can be cut into.

    Every training part must keep two patients of each class, so that its own inner folds can hold one out.

    Parameters
    ----------
    settings : RunSettings
    truth : Series of 0 and 1, indexed by patient
        Of each patient, or of each of its items.
    outcome : Outcome

    Raises
    ------
    BadCohort
        For one class, or too few patients for the folds.

    Examples
    --------
    >>> relapse = Outcome("relapse", "binary")
    >>> check_folds(RunSettings(folds=3), pd.Series([0, 0, 0, 0, 0, 1, 1, 1]), relapse)
    >>> check_folds(RunSettings(folds=5), pd.Series([0, 0, 0, 0, 0, 0, 1, 1]), relapse)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    onclair.core.errors.BadCohort: 2 of the 8 patients have the outcome 'relapse' = 1, too few for 5 folds: each ...
    """
    patients = int(truth.index.nunique())
    if outcome.kind != "binary":
        return
    if truth.nunique() < 2:
        raise one_class_only(outcome, patients, int(truth.max()) if patients else 0, some_left_out=True)
    inner = patients - math.ceil(patients / settings.folds)
    if settings.folds > patients or settings.inner_folds > inner:
        name, most = ("--folds", patients) if settings.folds > patients else ("--inner-folds", inner)
        asked = settings.folds if name == "--folds" else settings.inner_folds
        raise BadCohort(f"{patients} patients cannot be cut with {name} {asked}; give {most} or fewer, or add patients.", item=name)
    events, others = (int(truth.index[truth == value].nunique()) for value in (1, 0))
    rarer, few = (1, events) if events <= others else (0, others)
    if few - math.ceil(few / settings.folds) < 2:
        what = "add patients" if few < 3 else "give --folds 3, or add patients"
        raise BadCohort(
            f"{few} of the {patients} patients {'has' if few == 1 else 'have'} the outcome '{outcome.name}' = {rarer}, too few for "
            f"{settings.folds} folds: each training part needs two of them; {what}.",
            item=outcome.name,
        )
