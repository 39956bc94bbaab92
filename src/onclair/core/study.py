"""A study is a record of functions: no base class, no registry, no lifecycle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.cohort import Cohort
from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.core.outcome import OutcomeKind
from onclair.core.settings import RunSettings, Settings
from onclair.core.values import Case
from onclair.core.words import Words

Signal = Literal["volume", "spectrum", "photo", "table"]
Floats = npt.NDArray[np.float64]
MapFunction = Callable[..., Any]


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """What a study measured on one case.

    Attributes
    ----------
    rows : DataFrame, float columns
        One row an item (lesion, spectrum, photo); a patient with several rows is one cluster.
    reasons : mapping of str to str
        Why a column is NaN, by column.
    facts : mapping of str to plain values
        What no model looks at but the study's further questions need: the score of each outline, a table of lesions. It stands in the
        record of the case.
    """

    rows: pd.DataFrame
    reasons: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


class Fitted(Protocol):
    """A learner after it has seen its training rows."""

    def risk(self, features: pd.DataFrame) -> Floats:
        """Return the risk of each row, shape (n,), in [0, 1]."""
        ...


class Learner(Protocol):
    """A whole pipeline (imputing, scaling, selecting, fitting) that can be trained again and again."""

    @property
    def name(self) -> str:
        """What settings, folds and reports call it."""
        ...

    def fit(self, features: pd.DataFrame, truth: Floats, rng: np.random.Generator) -> Fitted:
        """Return the pipeline trained on these rows alone."""
        ...


@dataclass(frozen=True, slots=True)
class Rival:
    """A dull explanation that the model must beat.

    Attributes
    ----------
    name : str
    columns : tuple of str
        Columns of the description that it uses; none means the prevalence alone.
    words : Words
        What it is, for the report.
    sign : {1, -1}
        Whether more of a single column means more risk, fixed before looking.
    """

    name: str
    columns: tuple[str, ...]
    words: Words
    sign: Literal[1, -1] = 1


@dataclass(frozen=True, slots=True)
class Control:
    """A way of destroying the signal that the model claims to read.

    Attributes
    ----------
    name : str
        As in ``auc:model:NAME``.
    destroy : callable
        ``(case, settings, rng) -> Case`` with the signal gone and all else kept.
    keeps : callable
        ``(column) -> bool``: whether the column cannot change under it; such columns are no survivors.
    words : Words
    """

    name: str
    destroy: Callable[[Case, Any, np.random.Generator], Case]
    keeps: Callable[[str], bool]
    words: Words


@dataclass(frozen=True, slots=True)
class Virtual:
    """How a study makes virtual patients.

    Attributes
    ----------
    settings : type of Settings
        With ``patients``, ``centres`` and ``seed`` among its fields.
    write : callable
        ``(settings, out, *, map, progress) -> Path`` of the cohort folder.
    tiny, demo : mapping
        Settings of the conformance suite's cohort and of the demonstration's.
    quick : mapping
        Settings of the study for the tiny cohort, so that the suite stays short.
    shown : mapping
        Settings of the study for the demonstration, where its own would take too long.
    """

    settings: type[Settings]
    write: Callable[..., Path]
    tiny: Mapping[str, Any] = field(default_factory=dict)
    demo: Mapping[str, Any] = field(default_factory=dict)
    quick: Mapping[str, Any] = field(default_factory=dict)
    shown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the locked model says of one case, before the study puts it in its own words.

    Attributes
    ----------
    probability, low, high : float or None
        Calibrated risk with its interval.
    value : {"likely", "unlikely", "cannot_tell"}
    reason : str or None
        Required for "cannot_tell".
    reasons : tuple of mapping
        At most four ``{"feature", "value", "contribution"}``, signed, largest first.
    """

    probability: float | None
    low: float | None
    high: float | None
    value: Literal["likely", "unlikely", "cannot_tell"]
    reason: str | None = None
    reasons: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Further:
    """What a study adds to the figures that every study has.

    Attributes
    ----------
    estimates : tuple of Estimate
    facts : mapping of str to plain values
        Stands in the claim's record under ``further``.
    """

    estimates: tuple[Estimate, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Study:
    """A prediction study, in TRIPOD's sense.

    Attributes
    ----------
    name : str
    question : Words
    settings : type of RunSettings
    outcome : OutcomeKind
        The kind of outcome it predicts.
    signal : {"volume", "spectrum", "photo", "table"}
    kinds : tuple of str
        The `kind` of acquisitions that one case needs.
    also : tuple of str
        Further kinds that are used where a case has them.
    read : callable
        ``(cohort, patient) -> Case``.
    outline : callable
        ``(case, settings) -> Case`` with its masks; hands the case back where outlines came with it.
    describe : callable
        ``(case, settings) -> Description``.
    model : callable
        ``(settings) -> tuple of Learner``: the candidates.
    rivals : tuple of Rival
        Required.
    explain : callable
        ``(locked model, row) -> tuple of mapping``: ``feature value reference contribution``, signed, for one row.
    bedside : callable
        ``(case, description, answers, settings) -> mapping`` with ``estimates``, ``detail`` and ``warnings`` of a Finding,
        ``segments`` (codes by outline), and ``answer`` where the study words its own; ``shown``, the item whose risk goes with it, and
        ``withheld`` where no risk may; `answers` holds one Answer an item.
    virtual : Virtual
    references : tuple of str
    controls : tuple of Control
    volume : str or None
        The column that holds the outlined volume, where there are outlines.
    limits : tuple of Words
        What its answers may not be used for.
    further : callable or None
        ``(lesson, learnt) -> Further``: questions that only this study asks of what was learnt.

    Raises
    ------
    BadInput
        For a study without rivals, or one with outlines that names no volume.
    """

    name: str
    question: Words
    settings: type[RunSettings]
    outcome: OutcomeKind
    signal: Signal
    kinds: tuple[str, ...]
    read: Callable[[Cohort, str], Case]
    outline: Callable[[Case, Any], Case]
    describe: Callable[[Case, Any], Description]
    model: Callable[[Any], tuple[Learner, ...]]
    rivals: tuple[Rival, ...]
    explain: Callable[..., tuple[Mapping[str, Any], ...]]
    bedside: Callable[[Case, Description, Mapping[str, Answer], Any], Mapping[str, Any]]
    virtual: Virtual
    references: tuple[str, ...]
    controls: tuple[Control, ...] = ()
    volume: str | None = None
    limits: tuple[Words, ...] = ()
    further: Callable[[Any, Any], Further] | None = None
    also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.rivals:
            raise BadInput(f"The study '{self.name}' has no rivals; name at least the prevalence.", item=self.name)
        if self.signal == "volume" and self.volume is None:
            raise BadInput(f"The study '{self.name}' reads volumes but names no volume column; set volume='...'.", item=self.name)
