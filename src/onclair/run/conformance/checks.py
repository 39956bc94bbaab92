"""What is expected, within what, and whether the figure that came out of the tables holds."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from onclair.core.errors import BadInput, OnclairError
from onclair.run.conformance.binary import calibration_cases, case_control_curves, decision_curves, haemorrhage
from onclair.run.conformance.follow_up import competing_focus, rotterdam_to_gbsg, survival_decision_curves
from onclair.run.conformance.meta import euroscore, ovarian
from onclair.run.conformance.planning import reader_study, sample_sizes

#: Block of EXPECTED.json -> the function that computes it from the tables in a folder.
BLOCKS: Mapping[str, Callable[[Path], Mapping[str, Any]]] = {
    "aSAH_delong": haemorrhage,
    "calibration_cases": calibration_cases,
    "dca_binary": decision_curves,
    "dca_survival": survival_decision_curves,
    "dca_case_control": case_control_curves,
    "rotterdam_to_gbsg": rotterdam_to_gbsg,
    "competing_risks_focus": competing_focus,
    "euroscore_meta": euroscore,
    "ovarian4_loso": ovarian,
    "vandyke_mrmc": reader_study,
    "sample_size": sample_sizes,
}
#: What describes the input, what the reference data's own account does not require, and published figures of limited precision.
NOT_REQUIRED = re.compile(
    r"\.(n|ev|events|readers|cases|time|cause|horizon|prevalence|abs_tol|tol|dev_n_events|val_n_events|thresholds)(\[\d+\])?$"
    r"|C_binned_by_rms_do_not_match|wrong_conventions_basic|^rotterdam_to_gbsg\.published"
    r"|^competing_risks_focus\.published\.(?!pseudo_)"
)
#: Frozen figures whose optimiser had stopped early, converged further (the reference data's account, section 10 of the specification).
CONVERGED = {
    "rotterdam_to_gbsg.basic.val.ici_rcs3_cloglog": 0.0301288355,
    "rotterdam_to_gbsg.basic.val.e50": 0.0261996194,
    "rotterdam_to_gbsg.basic.val.e90": 0.0745937191,
}
#: Pattern -> (tolerance, whether relative), before a block's own ``abs_tol``.
TOLERANCES: Sequence[tuple[str, float, bool]] = (
    (r"^rotterdam_to_gbsg\..*\.(auc_se|brier_se)$", 5e-6, False),
    (r"^rotterdam_to_gbsg\.basic\.val\.(ici_rcs3_cloglog|e50|e90)$", 1e-6, False),
    (r"^euroscore_meta\.reml_knha\.(mu|se)$", 5e-5, False),
    (r"^euroscore_meta\.reml_knha\.I2$", 1e-4, False),
    (r"^euroscore_meta\.", 1e-5, False),
    (r"^competing_risks_focus\.published\.pseudo_", 0.005, False),
    (r"^sample_size\..*simulated.*\[", 0.02, True),
    (r"^sample_size\..*slope_tol_3pct$", 0.03, True),
    (r"^sample_size\.", 0.0, False),
)


@dataclass(frozen=True, slots=True)
class Check:
    """One figure.

    Attributes
    ----------
    name : str
        Its path in EXPECTED.json, lists by ``[i]``.
    expected, tolerance : float
        Tolerance is absolute.
    got : float or None
        None where it could not be computed.
    """

    name: str
    expected: float
    got: float | None
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether the figure lies within the tolerance."""
        return self.got is not None and math.isfinite(self.got) and abs(self.got - self.expected) <= self.tolerance

    def as_dict(self) -> dict[str, Any]:
        """Return the check as plain JSON values."""
        return {**asdict(self), "holds": self.holds}


@dataclass(frozen=True, slots=True)
class Conformance:
    """Every check, and why a block could not be computed at all."""

    checks: tuple[Check, ...]
    failures: Mapping[str, str]

    @property
    def total(self) -> int:
        """Figures expected."""
        return len(self.checks)

    @property
    def held(self) -> int:
        """Figures that hold."""
        return sum(check.holds for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain JSON values."""
        checks = [check.as_dict() for check in self.checks]
        return {"checks": checks, "held": self.held, "total": self.total, "failures": dict(self.failures)}


def check_conformance(reference_data: Path) -> Conformance:
    """Compute every required figure from the tables and compare it with the frozen one.

    Parameters
    ----------
    reference_data : Path
        Holds ``evidence/`` with EXPECTED.json and the tables beside it.

    Returns
    -------
    Conformance

    Raises
    ------
    BadInput
        When there is no such folder or EXPECTED.json cannot be read.
    """
    folder = reference_data / "evidence"
    try:
        document = json.loads((folder / "EXPECTED.json").read_bytes())
    except (OSError, ValueError):
        found = f"{folder / 'EXPECTED.json'} is missing or no JSON"
        raise BadInput(f"{found}; name the folder that holds evidence/ with the reference tables.", item="EXPECTED.json") from None
    checks: list[Check] = []
    failures: dict[str, str] = {}
    for block, frozen in document.items():
        if not isinstance(frozen, Mapping):
            continue
        got, failure = _computed(block, folder)
        if failure is not None:
            failures[block] = failure
        default = float(frozen.get("abs_tol", 0.0))
        checks += [_check(name, value, got.get(name), default) for name, value in leaves(frozen, block) if not NOT_REQUIRED.search(name)]
    return Conformance(tuple(checks), failures)


def leaves(value: Any, name: str) -> Iterator[tuple[str, float]]:
    """Yield (path, number) of every number below a JSON value, lists by ``[i]``.

    Examples
    --------
    >>> list(leaves({"ci": [0.1, 0.2], "file": "a.csv"}, "auc"))
    [('auc.ci[0]', 0.1), ('auc.ci[1]', 0.2)]
    """
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from leaves(part, f"{name}.{key}")
    elif isinstance(value, list | tuple):
        for i, part in enumerate(value):
            yield from leaves(part, f"{name}[{i}]")
    elif value is not None and not isinstance(value, str | bool):
        yield name, float(value)


def _computed(block: str, folder: Path) -> tuple[dict[str, float], str | None]:
    """Return the figures of a block by path; one block that cannot be had leaves the others."""
    if block not in BLOCKS:
        return {}, "this version computes no such block"
    try:
        return dict(leaves(BLOCKS[block](folder), block)), None
    except (OnclairError, KeyError, ValueError) as error:
        return {}, str(error)


def _check(name: str, frozen: float, got: float | None, default: float) -> Check:
    expected = CONVERGED.get(name, frozen)
    for pattern, width, relative in TOLERANCES:
        if re.search(pattern, name):
            return Check(name, expected, got, width * abs(expected) if relative else width)
    return Check(name, expected, got, default)
