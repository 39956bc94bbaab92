"""A planned look at a running trial: whether one is due, what the figure says, and whether it reaches the boundary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.science.statistics.sequential import boundary_at
from onclair.validate.calibration import o_e
from onclair.validate.discrimination import auc
from onclair.validate.protocol.plan import LooksPlan

Code = Literal["continue", "rejected", "not_rejected", "cannot_tell"]
#: What each code means, in the words that the log keeps.
DECISIONS: dict[Code, str] = {
    "continue": "continue",
    "rejected": "stop: null rejected",
    "not_rejected": "stop: null not rejected",
    "cannot_tell": "cannot tell",
}


@dataclass(frozen=True, slots=True)
class Look:
    """One look.

    Attributes
    ----------
    index : int
        From 1, in the order in which looks were taken.
    information : int
        Events at the look.
    z : float or None
        Distance of the figure from the null in standard errors; None where it cannot be had.
    boundary : float
        Of ``|z|``, two-sided.
    code : {"continue", "rejected", "not_rejected", "cannot_tell"}
    figure : Estimate
    text : str
        The same in one sentence.
    """

    index: int
    information: int
    z: float | None
    boundary: float
    code: Code
    figure: Estimate
    text: str

    @property
    def decision(self) -> str:
        """The code in plain words."""
        return DECISIONS[self.code]

    def as_dict(self) -> dict[str, Any]:
        """Return the look as plain JSON values."""
        plain = {name: getattr(self, name) for name in ("index", "information", "z", "boundary", "decision", "code", "text")}
        return {**plain, "figure": self.figure.as_dict()}


def judge_look(plan: LooksPlan, truth: npt.ArrayLike, risks: npt.ArrayLike, earlier: Sequence[int]) -> Look:
    """Return a look at all outcomes entered so far.

    ``z = (AUC - null) / se`` with DeLong's standard error, or ``ln(O:E / null) / se`` with that of ``ln(O:E)``. Where the classes are
    wholly separated DeLong's is zero, and that of an AUC at the null is taken. The boundary is that of the information
    actually seen, as a share of the last planned look.

    Parameters
    ----------
    plan : LooksPlan
    truth : array_like, shape (n,), 0 or 1
    risks : array_like, shape (n,), in [0, 1]
    earlier : sequence of int
        Events at the looks taken so far.

    Raises
    ------
    BadInput
        When no look is due: too early, repeated, or none left in the plan.

    References
    ----------
    Jennison & Turnbull 2000, Group Sequential Methods, chapters 2 and 7; DeLong et al. 1988, doi:10.2307/2531595; Hanley &
    McNeil 1982, doi:10.1148/radiology.143.1.7063747.

    Examples
    --------
    Two events among four, all ranked rightly but one: AUC 0.75, standard error 0.354.

    >>> plan = LooksPlan(figure="auc", null=0.5, planned=(2, 4), spending="pocock")
    >>> look = judge_look(plan, [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], [])
    >>> round(look.z, 6), round(look.boundary, 3), look.decision
    (0.707107, 2.178, 'continue')
    """
    events = int(np.sum(np.asarray(truth) == 1))
    due = plan.next_due(earlier)
    _refuse_unplanned(plan, events, earlier, due)
    figure = (auc if plan.figure == "auc" else o_e)(f"{plan.figure}:model", truth, risks)
    z = _distance(figure, plan)
    last = plan.planned[-1]
    boundary = boundary_at([each / last for each in (*earlier, events)], [each / last for each in plan.planned], plan.alpha, plan.spending)
    final = plan.next_due([*earlier, events]) is None
    code: Code = "cannot_tell"
    if z is not None:
        code = "rejected" if abs(z) >= boundary else "not_rejected" if final else "continue"
    return Look(len(earlier) + 1, events, z, boundary, code, figure, _sentence(plan, figure, z, boundary, code))


def _refuse_unplanned(plan: LooksPlan, events: int, earlier: Sequence[int], due: int | None) -> None:
    if due is None:
        planned = ", ".join(str(each) for each in plan.planned)
        raise BadInput(f"All planned looks ({planned} events) were taken; a look that was not planned is not taken.", item="look")
    if earlier and events <= earlier[-1]:
        raise BadInput(
            f"Look {len(earlier)} was taken at {events} events and is not repeated; the next is due at {due} events.", item="look"
        )
    if events < due:
        raise BadInput(f"Look {len(earlier) + 1} is due at {due} events and there are {events}; enter more outcomes first.", item="look")


def _distance(figure: Estimate, plan: LooksPlan) -> float | None:
    """Return z, or None where the figure has no standard error."""
    value, se = figure.value, figure.se
    if value in (0.0, 1.0) and plan.figure == "auc":
        return (value - plan.null) / _null_error(plan.null, figure)
    if value is None or se is None or not se > 0:
        return None
    if plan.figure == "o_e":
        return math.log(value / plan.null) / se
    own = se * value * (1 - value) if figure.scale == "logit" else se
    return (value - plan.null) / own


def _null_error(null: float, figure: Estimate) -> float:
    """Return the standard error of an AUC that equals the null (Hanley & McNeil 1982, eq. 2)."""
    events = figure.events or 0
    others = (figure.n or 0) - events
    q1, q2 = null / (2 - null), 2 * null**2 / (1 + null)
    variance = null * (1 - null) + (events - 1) * (q1 - null**2) + (others - 1) * (q2 - null**2)
    return math.sqrt(variance / (events * others))


def _sentence(plan: LooksPlan, figure: Estimate, z: float | None, boundary: float, code: Code) -> str:
    name = {"auc": "AUC", "o_e": "O:E"}[plan.figure]
    if z is None:
        return (
            f"{name} {figure.text()}: no z can be had from it ({figure.reason or 'no standard error'}), so nothing is decided at this look."
        )
    side = "reaches" if abs(z) >= boundary else "is inside"
    end = {"continue": "go on", "rejected": f"{plan.null:g} is rejected", "not_rejected": f"{plan.null:g} is not rejected"}[code]
    return f"{name} {figure.text()}; z = {z:.3f} {side} the boundary {boundary:.3f}: {end}."
