"""Drift in a running protocol: inputs against what was locked, risks against what happened, and what is still awaited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onclair.core.estimate import Estimate, not_available
from onclair.validate.drift import Cusum, InputDrift, cusum, drift_by_input
from onclair.validate.overall import brier
from onclair.validate.protocol.bundle import Bundle


@dataclass(frozen=True, slots=True)
class ProtocolDrift:
    """What has moved since the model was locked.

    Attributes
    ----------
    reference : str
        Whom the cases are compared with.
    inputs : tuple of InputDrift
    cusum : Cusum
    brier : Estimate
    predicted, awaited : int
        Cases with a prediction, and of these those without an outcome.
    """

    reference: str
    inputs: tuple[InputDrift, ...]
    cusum: Cusum
    brier: Estimate
    predicted: int
    awaited: int

    @property
    def alerts(self) -> tuple[str, ...]:
        """The inputs beyond their limit, and ``cusum`` where the sum is."""
        return (*(each.input for each in self.inputs if each.alert), *(("cusum",) if self.cusum.crossed_at else ()))

    def text(self) -> str:
        """Return the drift in words.

        Examples
        --------
        >>> none = not_available("psi:age", "what came since holds no value")
        >>> few = (InputDrift("age", none, none, none, None, None, None, False),)
        >>> ProtocolDrift("first 100 cases", few, Cusum(()), none, 90, 90).text().partition(". ")[0]
        'Drift against the first 100 cases: no input can be judged yet (what came since holds no value)'
        """
        unjudged = [each for each in self.inputs if each.psi.status != "ok"]
        said = [f"beyond their limits: {', '.join(self.alerts)}" if self.alerts else "nothing is beyond its limit"]
        if unjudged:
            every = len(unjudged) == len(self.inputs)
            who = "no input can" if every else f"{', '.join(each.input for each in unjudged)} cannot"
            said = [*(said if self.alerts or not every else []), f"{who} be judged yet ({unjudged[0].psi.reason})"]
        moved = "; ".join(said)
        return f"Drift against the {self.reference}: {moved}. Brier {self.brier.text()}. Outcomes awaited: {self.awaited}."

    def as_dict(self) -> dict[str, Any]:
        """Return the drift as plain JSON values."""
        return {
            "reference": self.reference,
            "predicted": self.predicted,
            "awaited": self.awaited,
            "alerts": list(self.alerts),
            "inputs": [each.as_dict() for each in self.inputs],
            "cusum": self.cusum.as_dict(),
            "brier": self.brier.as_dict(),
        }


def protocol_drift(bundle: Bundle, cases: Sequence[Mapping[str, float]], truth: Sequence[int], risks: Sequence[float]) -> ProtocolDrift:
    """Return the drift of all cases predicted so far.

    Where no reference was locked, the first cases stand for it (``first`` in the plan), and only later ones are compared.

    Parameters
    ----------
    bundle : Bundle
    cases : sequence of mapping
        The inputs of each case, in the order of prediction.
    truth, risks : sequence, shape (n,)
        Of the cases with an outcome, in the order in which outcomes were entered.
    """
    plan, names = bundle.plan.drift, [each.name for each in bundle.formula.inputs]
    columns = {name: [case[name] for case in cases] for name in names}
    if bundle.reference:
        said, reference, current = "reference table locked with the model", dict(bundle.reference), columns
    else:
        said = f"first {plan.first} cases of the protocol"
        reference = {name: tuple(values[: plan.first]) for name, values in columns.items()}
        current = {name: values[plan.first :] for name, values in columns.items()}
    score = brier("brier:model", truth, risks) if truth else not_available("brier:model", "no outcome was entered yet")
    inputs = drift_by_input(reference, current, psi_alert=plan.psi_alert, seed=plan.seed)
    return ProtocolDrift(said, inputs, cusum(truth, risks, limit=plan.cusum_limit), score, len(cases), len(cases) - len(truth))
