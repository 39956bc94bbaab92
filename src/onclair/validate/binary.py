"""Every figure of one claim about a binary outcome, in one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.science.statistics.bootstrap import Map
from onclair.validate.calibration import citl, o_e, slope
from onclair.validate.calibration_curves import calibration_curve, calibration_distances
from onclair.validate.curves import Curve
from onclair.validate.discrimination import auc
from onclair.validate.overall import brier, ipa
from onclair.validate.rows import Rows, judged_risks, judged_rows

#: The figures that a probability has and a score has not.
OF_RISK = {"brier": brier, "ipa": ipa, "o_e": o_e, "citl": citl, "slope": slope}
DISTANCES = ("ici", "e50", "e90", "emax")
NOT_A_RISK = "the claim is a score, not a probability"


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """What someone says of each row.

    Attributes
    ----------
    values : array_like, shape (n,) or (repeats, n)
        Held-out predictions; one line a repeat of the resampling, one line for a locked model.
    kind : {"risk", "score"}
        A score ranks only: its calibration, Brier score and net benefit are ``not_available``.

    Raises
    ------
    BadInput
        For another kind.

    Examples
    --------
    >>> Claim([12.0, 40.0], kind="score").kind
    'score'
    """

    values: npt.ArrayLike
    kind: Literal["risk", "score"] = "risk"

    def __post_init__(self) -> None:
        if self.kind not in ("risk", "score"):
            raise BadInput(f"The claim is of kind '{self.kind}'; it must be 'risk' (a probability) or 'score' (it ranks only).")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which figures are asked for, declared before the truth is seen.

    Attributes
    ----------
    thresholds : tuple of float
        For net benefit and operating points.
    level : float
        Of every interval.
    replicates : int
        Bootstrap replicates for the figures that need one (ICI and its like); 0 for none.
    seed : int
    smoother : {"loess", "lowess", "rcs3", "rcs4", "rcs5"}
        Of the flexible calibration curve.
    against : str
        The claim from which every other is subtracted; without a claim of that name there are no differences.

    Examples
    --------
    >>> Asked(thresholds=(0.2,)).against
    'model'
    """

    thresholds: tuple[float, ...] = ()
    level: float = 0.95
    replicates: int = 200
    seed: int = 0
    smoother: str = "loess"
    against: str = "model"


def judge_binary(
    who: str,
    truth: npt.ArrayLike,
    claim: Claim,
    *,
    patients: npt.ArrayLike | None = None,
    asked: Asked | None = None,
    map: Map = map,  # noqa: A002
) -> tuple[list[Estimate], list[Curve]]:
    """Return ``auc brier ipa o_e citl slope ici e50 e90 emax`` ``:WHO`` and the calibration curve.

    Parameters
    ----------
    who : str
    truth : array_like, shape (n,), 0 or 1
    claim : Claim
    patients : array_like, shape (n,), optional
    asked : Asked, optional
    map : callable
        For the bootstrap.

    Returns
    -------
    estimates : list of Estimate
        A figure that cannot be had is there, with its reason.
    curves : list of Curve

    Raises
    ------
    BadInput
        For truth, predictions or patients that cannot be used; the claim is named.

    Examples
    --------
    >>> found, _ = judge_binary("model", [0, 0, 1, 1], Claim([0.1, 0.4, 0.35, 0.8], kind="score"))
    >>> [e.name for e in found if e.status == "ok"]
    ['auc:model']
    """
    asked = asked or Asked()
    rows = checked_claim(who, truth, claim, patients, asked)
    estimates = [auc(f"auc:{who}", truth, claim.values, patients=patients, level=asked.level)]
    if claim.kind == "score":
        return [*estimates, *(rows.missing(f"{figure}:{who}", NOT_A_RISK) for figure in (*OF_RISK, *DISTANCES))], []
    estimates += [of(f"{name}:{who}", truth, claim.values, patients=patients, level=asked.level) for name, of in OF_RISK.items()]
    estimates += calibration_distances(who, rows, smoother=asked.smoother, replicates=asked.replicates, seed=asked.seed, map=map)
    return estimates, [calibration_curve(who, truth, claim.values, patients=patients, smoother=asked.smoother, level=asked.level)]


def checked_claim(who: str, truth: npt.ArrayLike, claim: Claim, patients: npt.ArrayLike | None, asked: Asked) -> Rows:
    """Return the claim's rows, checked; an error names the claim.

    Raises
    ------
    BadInput
    """
    check = judged_risks if claim.kind == "risk" else judged_rows
    try:
        return check(truth, claim.values, patients, level=asked.level)
    except BadInput as error:
        raise BadInput(f"The predictions of '{who}' cannot be judged. {error}", item=who) from error
