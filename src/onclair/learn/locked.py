"""The locked model: the procedure run once on everyone, with what it needs to say "cannot tell"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.canonical import plain_float
from onclair.core.cohort import Cohort, Split
from onclair.core.errors import BadCase, BadSetting
from onclair.core.study import Answer, Learner
from onclair.core.words import Language, Words
from onclair.learn.calibrate import Calibrator
from onclair.learn.choose import Place, choose
from onclair.learn.conformal import Conformal, conformal
from onclair.learn.folds import checked_truth, described, inside, patients_of, stream
from onclair.learn.nested import Nested
from onclair.learn.novelty import Novelty, NoveltyGate, novelty_gate
from onclair.learn.pipeline import FittedPipeline, numbers

Floats = npt.NDArray[np.float64]
Code = Literal["missing", "novel", "too_few", "both", "neither"]

#: Why the model cannot tell, by a code that does not change.
REASONS: Mapping[str, Words] = MappingProxyType(
    {
        "missing": Words(
            "The feature {feature} is missing for this case, and the model needs it.",
            "La caractéristique {feature} manque pour ce cas, et le modèle en a besoin.",
        ),
        "novel": Words(
            "This case is unlike those that the model learnt from; {feature} lies farthest out.",
            "Ce cas ne ressemble pas à ceux dont le modèle a appris ; {feature} s'en écarte le plus.",
        ),
        "too_few": Words(
            "The model was calibrated on too few patients to rule out either answer.",
            "Le modèle a été calibré sur trop peu de patients pour exclure l'une ou l'autre réponse.",
        ),
        "both": Words(
            "Neither answer can be ruled out at the error rate that was promised.",
            "Aucune des deux réponses ne peut être exclue au taux d'erreur promis.",
        ),
        "neither": Words(
            "Neither answer fits: the model errs on risks like this one more often than was promised.",
            "Aucune réponse ne convient : à un tel risque, le modèle se trompe plus souvent que promis.",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the locked model finds in one case.

    Attributes
    ----------
    risk, low, high : float or None
        Calibrated risk with its interval; None where the case is novel or a feature is missing.
    possible : tuple of bool
        Whether the classes without and with the event stay possible.
    novelty : Novelty or None
    code : str or None
        Why it cannot tell, a key of ``REASONS``; None when it can.
    feature : str or None
        The feature that the reason is about.
    """

    risk: float | None
    low: float | None
    high: float | None
    possible: tuple[bool, bool]
    novelty: Novelty | None
    code: Code | None
    feature: str | None = None

    def reason(self, language: Language = "en") -> str | None:
        """Return why it cannot tell, in words; None when it can.

        Examples
        --------
        >>> Judgement(None, None, None, (True, True), None, "missing", "suv_max").reason()
        'The feature suv_max is missing for this case, and the model needs it.'
        """
        return None if self.code is None else REASONS[self.code].in_(language).format(feature=self.feature)


@dataclass(frozen=True, slots=True, eq=False)
class Locked:
    """A model that will not change any more.

    Attributes
    ----------
    pipeline : FittedPipeline
        Trained on all patients.
    calibrator : Calibrator
        From out-of-fold scores of the same learner.
    conformal : Conformal
        From the risks of nested resampling.
    gate : NoveltyGate
    about : mapping of str to plain values
        How it came to be: patients, events, candidates, their inner AUC, votes of the outer folds.
    level : float
        Of the interval of a risk.
    """

    pipeline: FittedPipeline
    calibrator: Calibrator
    conformal: Conformal
    gate: NoveltyGate
    about: Mapping[str, Any]
    level: float = 0.95

    def risk(self, features: pd.DataFrame) -> Floats:
        """Return the calibrated risk of each row, shape (n,); errors as :meth:`FittedPipeline.risk`."""
        return self.calibrator.risk(self.pipeline.risk(features))

    def judge(self, row: pd.DataFrame) -> Judgement:
        """Judge one case.

        Parameters
        ----------
        row : DataFrame of one row
            Holds at least the columns that the model sees.

        Raises
        ------
        BadCase
            For another number of rows, or when a column is absent, is not a number or holds an infinity.
        """
        if len(row) != 1:
            raise BadCase(f"The locked model judges one row at a time; found {len(row)} rows: hand them in one by one.")
        missing = np.isnan(numbers(row, self.pipeline.columns)[0])
        if missing.any():
            feature = self.pipeline.columns[int(np.argmax(missing))]
            return Judgement(None, None, None, (True, True), None, "missing", feature)
        novelty = self.gate.judge(self.pipeline.prepared(row)[0])
        if novelty.novel:
            return Judgement(None, None, None, (True, True), novelty, "novel", novelty.feature)
        score = self.pipeline.risk(row)
        risk = self.calibrator.risk(score)
        low, high = self.calibrator.interval(score, self.level)
        without, with_event = (bool(b) for b in self.conformal.sets(risk)[0])
        return Judgement(
            float(risk[0]), plain_float(low[0]), plain_float(high[0]), (without, with_event), novelty, self._undecided(without, with_event)
        )

    def answer(self, row: pd.DataFrame, language: Language = "en") -> Answer:
        """Return the answer on one case, without the reasons that :mod:`onclair.explain` adds; errors as :meth:`judge`."""
        judged = self.judge(row)
        if judged.code is not None:
            return Answer(judged.risk, judged.low, judged.high, "cannot_tell", judged.reason(language))
        return Answer(judged.risk, judged.low, judged.high, "likely" if judged.possible[1] else "unlikely")

    def _undecided(self, without: bool, with_event: bool) -> Code | None:
        if self.conformal.threshold is None:
            return "too_few"
        if without == with_event:
            return "both" if without else "neither"
        return None


def lock(
    cohort: Cohort, rows: pd.DataFrame, truth: pd.Series, learners: Sequence[Learner], nested: Nested, *, alpha: float = 0.1
) -> Locked:
    """Run the procedure that `nested` judged once more, on everyone, and keep the result.

    Inner folds over all patients choose the learner and fit its calibrator, and it is refitted on all rows; prediction sets rest
    on the nested risks, each patient weighing the same however many rows and repeats it has; the gate learns what is familiar.

    Parameters
    ----------
    cohort, rows, truth, learners
        As handed to :func:`onclair.learn.nested.nested`; every learner is a Pipeline.
    nested : Nested
        What it returned; its plan gives inner folds and seed.
    alpha : float
        Share of patients whose true class may lie outside the prediction set.

    Returns
    -------
    Locked

    Raises
    ------
    BadCohort
        As :func:`onclair.learn.nested.nested`.
    BadSetting
        When the chosen learner is not a Pipeline, whose parts alone can be saved.
    """
    plan, values = nested.plan, checked_truth(rows, truth)
    present = described(cohort, rows.index)
    everyone = Split("the whole cohort", present.patients, ())
    inner = inside(present, everyone, values, plan.inner_folds, stream(plan.seed, 4))
    chosen = choose(rows, values.to_numpy(dtype=np.float64), learners, inner, Place(plan.seed, plan.repeats, 0))
    if not isinstance(chosen.fitted, FittedPipeline):
        said = f"The learner '{chosen.name}' is not a Pipeline, so it cannot be locked; leave it among the rivals."
        raise BadSetting(said, item=chosen.name)
    who = patients_of(rows.index)
    gate = novelty_gate(chosen.fitted.prepared(rows), who, chosen.fitted.preparation.columns)
    about = {
        "outcome": str(truth.name or "outcome"),
        "learner": chosen.name,
        "patients": len(present.patients),
        "rows": len(rows),
        "events": int(values.sum()),
        "inner_auc": {learner.name: _rounded(a) for learner, a in zip(learners, chosen.inner_auc, strict=True)},
        "votes": nested.votes,
        "seed": plan.seed,
    }
    return Locked(chosen.fitted, chosen.calibrator, _sets(nested, values, who, alpha), gate, about)


def _sets(nested: Nested, truth: pd.Series, who: npt.NDArray[np.object_], alpha: float) -> Conformal:
    repeats = len(nested.risks)
    risks = nested.risks.ravel()
    judged = np.isfinite(risks)
    return conformal(risks[judged], np.tile(truth.to_numpy(), repeats)[judged], np.tile(who.astype(str), repeats)[judged], alpha)


def _rounded(area: float) -> float | None:
    return None if np.isnan(area) else round(area, 6)
