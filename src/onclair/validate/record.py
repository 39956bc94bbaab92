"""Everything asked of a claim on one cohort, in one call: estimates and curves under stable names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.science.statistics.bootstrap import Map
from onclair.validate.binary import NOT_A_RISK, Asked, Claim, checked_claim, judge_binary
from onclair.validate.curves import Curve
from onclair.validate.discrimination import auc, auc_difference
from onclair.validate.rows import Rows
from onclair.validate.utility import decision_curve, net_benefit, net_benefit_of_all_or_none

__all__ = ["Asked", "Claim", "Judgement", "auc_by_group", "judge"]

#: A group with fewer events than this has its figures marked ``too_few``.
EVENTS_A_GROUP = 20


class Judgement(NamedTuple):
    """What :func:`judge` found."""

    estimates: list[Estimate]
    curves: list[Curve]


def judge(
    truth: npt.ArrayLike,
    claims: Mapping[str, Claim],
    *,
    patients: npt.ArrayLike | None = None,
    centres: npt.ArrayLike | None = None,
    asked: Asked | None = None,
    map: Map = map,  # noqa: A002
) -> Judgement:
    """Judge every claim on the same rows.

    Parameters
    ----------
    truth : array_like, shape (n,), 0 or 1
    claims : mapping of str to Claim
        WHO -> predictions: ``model`` and ``rival:NAME`` (any name will do).
    patients : array_like, shape (n,), optional
        Rows of one patient are one cluster everywhere.
    centres : array_like, shape (n,), optional
        With two or more, AUCs by centre are added for every claim that is not a rival.
    asked : Asked, optional
    map : callable
        For the bootstrap; see :func:`onclair.science.statistics.bootstrap.bootstrap`.

    Returns
    -------
    Judgement
        Estimates ``auc brier ipa o_e citl slope ici e50 e90 emax`` ``:WHO``, ``auc:model-minus-NAME`` against every other
        claim, ``nb:WHO@T`` with ``nb:all@T`` and ``nb:none@T``, ``auc:WHO:centre:NAME``; curves ``calibration`` and
        ``decision``. A figure that cannot be had is there, with its reason.

    Raises
    ------
    BadInput
        For truth, predictions, patients or centres that cannot be used; the claim is named.

    Examples
    --------
    >>> found = judge([0, 0, 1, 1], {"model": Claim([0.1, 0.4, 0.35, 0.8]), "rival:size": Claim([3, 1, 2, 4], kind="score")})
    >>> [e.name for e in found.estimates if e.name.startswith("auc") and e.value is not None]
    ['auc:model', 'auc:model-minus-size', 'auc:rival:size']
    """
    asked = asked or Asked()
    estimates: list[Estimate] = []
    curves: list[Curve] = []
    for who, claim in claims.items():
        found, drawn = judge_binary(who, truth, claim, patients=patients, asked=asked, map=map)
        estimates.append(found[0])
        if who == asked.against:
            estimates += _differences(truth, claims, patients, asked)
        estimates += found[1:]
        curves += drawn
        if claim.kind == "score":
            rows = checked_claim(who, truth, claim, patients, asked)
            estimates += [rows.missing(f"nb:{who}@{t:g}", NOT_A_RISK) for t in asked.thresholds]
        if centres is not None and not who.startswith("rival:"):
            estimates += auc_by_group(f"auc:{who}:centre", checked_claim(who, truth, claim, patients, asked), centres, patients)
    return Judgement(*_with_utility(truth, claims, patients, asked, (estimates, curves)))


def auc_by_group(prefix: str, rows: Rows, groups: npt.ArrayLike, patients: npt.ArrayLike | None = None) -> list[Estimate]:
    """Return the AUC in each group, ``PREFIX:GROUP``, in order of name; nothing where there is one group.

    Parameters
    ----------
    prefix : str
        For example ``"auc:model:centre"``.
    rows : Rows
    groups : array_like, shape (n,)
        The centre of each row.
    patients : array_like, shape (n,), optional

    Returns
    -------
    list of Estimate
        ``too_few`` (with the figure) under 20 events or 20 non-events, ``not_available`` where one class is absent.

    Raises
    ------
    BadInput
        When groups are not named for every row.

    Examples
    --------
    >>> from onclair.validate.rows import judged_rows
    >>> rows = judged_rows([0, 1, 0, 1], [0.2, 0.6, 0.7, 0.4])
    >>> [(e.name, e.value, e.status) for e in auc_by_group("auc:model:centre", rows, ["A", "A", "B", "B"])]
    [('auc:model:centre:A', 1.0, 'too_few'), ('auc:model:centre:B', 0.0, 'too_few')]
    """
    named = np.asarray(groups).astype(str)
    if named.shape != rows.truth.shape:
        raise BadInput(f"{named.size} groups were named for {rows.truth.size} rows; name the group of each row.")
    known = sorted(set(named.tolist()))
    owner = None if patients is None else np.asarray(patients)
    return [_in_group(prefix, name, rows, named == name, owner) for name in known] if len(known) > 1 else []


def _in_group(prefix: str, name: str, rows: Rows, here: npt.NDArray[np.bool_], owner: npt.NDArray[np.generic] | None) -> Estimate:
    of = None if owner is None else owner[here]
    found = auc(f"{prefix}:{_plain(name)}", rows.truth[here], rows.scores[:, here], patients=of, level=rows.level)
    if found.status != "ok" or found.n is None or found.events is None:
        return found
    negative = np.count_nonzero(~rows.truth[here]) if owner is None else np.unique(owner[here & ~rows.truth]).size
    if min(found.events, negative) >= EVENTS_A_GROUP:
        return found
    reason = f"{found.events} events and {negative} non-events; a group's figure needs {EVENTS_A_GROUP} of each"
    return replace(found, status="too_few", reason=reason)


def _plain(name: str) -> str:
    """Return a group's name as one part of an estimate's name."""
    return name.strip().replace(":", "-") or "unnamed"


def _differences(truth: npt.ArrayLike, claims: Mapping[str, Claim], patients: npt.ArrayLike | None, asked: Asked) -> list[Estimate]:
    found, ours = [], claims[asked.against].values
    for who, claim in claims.items():
        if who != asked.against:
            name = f"auc:{asked.against}-minus-{who.removeprefix('rival:')}"
            found.append(auc_difference(name, truth, ours, claim.values, patients=patients, level=asked.level))
    return found


def _with_utility(
    truth: npt.ArrayLike,
    claims: Mapping[str, Claim],
    patients: npt.ArrayLike | None,
    asked: Asked,
    found: tuple[list[Estimate], list[Curve]],
) -> tuple[list[Estimate], list[Curve]]:
    if not asked.thresholds:
        return found
    risks = [who for who, claim in claims.items() if claim.kind == "risk"]
    benefits = [
        e for who in risks for e in net_benefit(who, truth, claims[who].values, asked.thresholds, patients=patients, level=asked.level)
    ]
    benefits += net_benefit_of_all_or_none(truth, asked.thresholds, patients=patients, level=asked.level)
    return [*found[0], *benefits], [*found[1], *(decision_curve(who, benefits) for who in [*risks, "all", "none"])]
