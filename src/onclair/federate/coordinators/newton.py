"""Newton's method over sites: trial weights go out, loss, gradient and Hessian come back as sums; steps are halved where they overshoot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
#: The fit is settled when no weight would move by more.
SETTLED = 1e-10
#: Steps after which it is given up, and halvings of one step.
MOST_STEPS, MOST_HALVINGS = 60, 40
#: A loss that rises by less than this share is rounding.
ROUNDING = 1e-12
#: Weights on standardised columns beyond this mean separated classes.
RUNAWAY = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What the sites' sums say at the trial weights."""

    loss: float
    gradient: Floats
    hessian: Floats


def started(weights: Floats) -> tuple[dict[str, Floats], dict[str, Any]]:
    """Return the arrays and numbers of a fit that begins at `weights`."""
    arrays = {"weights": weights, "trial": weights, "step": np.zeros_like(weights)}
    return arrays, {"loss": None, "halvings": 0, "steps": 0, "fit": "running", "reason": None}


def advanced(
    arrays: Mapping[str, Floats], numbers: Mapping[str, Any], found: Sums, penalty: Floats
) -> tuple[dict[str, Floats], dict[str, Any]]:
    """Return the next arrays and numbers from the sums at the trial weights.

    Parameters
    ----------
    arrays : mapping
        ``weights trial step``.
    numbers : mapping
        ``loss halvings steps fit reason``.
    found : Sums
        Without the penalty.
    penalty : ndarray, shape (p,)
        ``penalty / 2 * weights**2`` is added; 0 leaves a weight free.

    Examples
    --------
    One weight, loss (w - 3)^2 / 2: one step goes to 3, the next says that it is settled.

    >>> arrays, numbers = started(np.zeros(1))
    >>> for _ in range(2):
    ...     w = arrays["trial"]
    ...     sums = Sums(float((w[0] - 3) ** 2 / 2), w - 3, np.eye(1))
    ...     arrays, numbers = advanced(arrays, numbers, sums, np.zeros(1))
    >>> arrays["weights"].tolist(), numbers["fit"]
    ([3.0], 'settled')
    """
    trial = arrays["trial"]
    loss = found.loss + float(0.5 * (penalty * trial**2).sum())
    before = numbers["loss"]
    if not np.isfinite(loss) or (before is not None and loss > before + ROUNDING * (1 + abs(before))):
        return _halved(arrays, numbers)
    numbers = {**numbers, "loss": loss, "halvings": 0, "steps": int(numbers["steps"]) + 1}
    step, reason = _step(found.hessian + np.diag(penalty), found.gradient + penalty * trial)
    if reason is not None:
        return {**arrays, "weights": trial}, {**numbers, "fit": "failed", "reason": reason}
    if float(np.abs(step).max(initial=0.0)) < SETTLED:
        return {"weights": trial + step, "trial": trial + step, "step": step}, {**numbers, "fit": "settled"}
    if numbers["steps"] >= MOST_STEPS or float(np.abs(trial).max(initial=0.0)) > RUNAWAY:
        reason = "a combination of the columns separates the outcome perfectly, so its weight has no finite estimate"
        return {**arrays, "weights": trial}, {**numbers, "fit": "failed", "reason": reason}
    return {"weights": trial, "trial": trial + step, "step": step}, numbers


def _halved(arrays: Mapping[str, Floats], numbers: Mapping[str, Any]) -> tuple[dict[str, Floats], dict[str, Any]]:
    halvings = int(numbers["halvings"]) + 1
    if halvings > MOST_HALVINGS:
        return dict(arrays), {**numbers, "fit": "settled"}  # no shorter step helps: the minimum to rounding
    step = arrays["step"] / 2
    return {**arrays, "step": step, "trial": arrays["weights"] + step}, {**numbers, "halvings": halvings}


def _step(hessian: Floats, gradient: Floats) -> tuple[Floats, str | None]:
    """Return Newton's step; columns that carry nothing stay where they are."""
    carries = np.abs(hessian).sum(axis=0) > 0
    step = np.zeros_like(gradient)
    try:
        step[carries] = -np.linalg.solve(hessian[np.ix_(carries, carries)], gradient[carries])
    except np.linalg.LinAlgError:
        return step, "a column is a combination of others, so their weights have no single estimate; take one out or penalise"
    return step, None if np.isfinite(step).all() else "the sums of the sites are not finite"
