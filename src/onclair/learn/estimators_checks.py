"""What every estimator asks of its settings and of its training rows before it fits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCohort, BadSetting

Floats = npt.NDArray[np.float64]


def positive(name: str, value: float) -> None:
    """Refuse a setting that is not positive and finite.

    Raises
    ------
    BadSetting
        Naming the setting.

    Examples
    --------
    >>> positive("penalty", 0.0)
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadSetting: The setting 'penalty' of an estimator is 0; it must be positive.
    """
    if not value > 0 or not np.isfinite(value):
        raise BadSetting(f"The setting '{name}' of an estimator is {value:g}; it must be positive.", item=name)


def two_classes(truth: Floats) -> None:
    """Refuse a truth (n,) that holds anything but 0 and 1, or one of them only.

    Raises
    ------
    BadCohort
        Saying what was found.

    Examples
    --------
    >>> two_classes(np.array([0.0, 1.0]))
    """
    foreign = truth[(truth != 0) & (truth != 1)]
    if foreign.size:
        raise BadCohort(f"The outcome holds {foreign[0]:g} in {foreign.size} training rows; this estimator takes 0 and 1.")
    if truth.size == 0 or truth.min() == truth.max():
        found = f"{int(truth.sum())} events in {truth.size} training rows"
        raise BadCohort(f"A model needs both classes; found {found}: use fewer folds or gather more patients.")


def seed_of(rng: np.random.Generator) -> int:
    """Return the next seed of a generator, for a library that takes whole numbers.

    Examples
    --------
    >>> seed_of(np.random.default_rng(1)) == seed_of(np.random.default_rng(1))
    True
    """
    return int(rng.integers(2**31 - 1))
