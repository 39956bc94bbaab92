"""Virtual claims: predictions, a plan and the whole truth, to see whether a validation says what is so.

Six kinds: `clustered` (rows that repeat), `centres` (true AUC differs), `survival`, `competing`, `readers` and `leaky`. A law is drawn
from again and again (:func:`law`, :func:`draw`); :func:`truth` says what is true of one draw.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import tomli_w

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.core.seeds import rng_for
from onclair.core.settings import Settings, setting
from onclair.io.files import sealed_folder
from onclair.io.tables import write_table
from onclair.virtual.claim_binary import BinaryLaw, centres_law, clustered_law, draw_binary, new_centre_auc, truth_of_binary
from onclair.virtual.claim_draws import drawn_truth
from onclair.virtual.claim_leaky import LeakyLaw, draw_leaky, leaky_law
from onclair.virtual.claim_people import Claim
from onclair.virtual.claim_readers import ReadersLaw, draw_readers, readers_law, truth_of_readers
from onclair.virtual.claim_times import TimesLaw, competing_law, draw_times, exact_truth, survival_law

__all__ = ["KINDS", "Claim", "Law", "VirtualClaims", "draw", "law", "new_centre_auc", "plan_of", "truth", "write"]

Kind = Literal["clustered", "centres", "survival", "competing", "readers", "leaky"]
Law = BinaryLaw | TimesLaw | ReadersLaw | LeakyLaw
KINDS: tuple[str, ...] = get_args(Kind)

_LAWS: dict[str, Callable[[int, int], Law]] = {
    "clustered": clustered_law,
    "centres": centres_law,
    "survival": survival_law,
    "competing": competing_law,
    "readers": readers_law,
    "leaky": leaky_law,
}
#: Patients (or cases) and centres (or readers) where nothing is asked for.
_USUAL = {"clustered": (400, 8), "centres": (2500, 25), "survival": (600, 8), "competing": (600, 8), "readers": (120, 5), "leaky": (200, 5)}


class VirtualClaims(Settings):
    """Settings of a virtual claim."""

    kind: Kind = setting("clustered", "what is claimed", "ce qui est affirmé")
    patients: int | None = setting(
        None,
        "virtual patients (cases of a reader study); by kind when left out",
        "patients virtuels (ou cas) ; selon le genre par défaut",
        ge=10,
    )
    centres: int | None = setting(
        None,
        "centres (readers of a reader study); by kind when left out",
        "centres (ou lecteurs) ; selon le genre par défaut",
        ge=1,
        le=500,
    )
    seed: int = setting(1, "seed of every random choice", "graine de tous les tirages", ge=0)
    draws: int = setting(
        10_000_000,
        "draws for true figures that have no closed form",
        "tirages pour les vraies valeurs sans forme close",
        ge=200_000,
        le=1_000_000_000,
    )


def law(kind: str, *, patients: int | None = None, centres: int | None = None) -> Law:
    """Return the law of a kind of claim.

    Parameters
    ----------
    kind : {"clustered", "centres", "survival", "competing", "readers", "leaky"}
    patients, centres : int, optional
        Cases and readers of a reader study; at least four patients a centre otherwise.

    Raises
    ------
    BadSetting
        For an unknown kind, or too few patients for the centres.

    Examples
    --------
    >>> law("centres", patients=500, centres=10).tau
    0.35
    """
    if kind not in _LAWS:
        raise BadSetting(f"There is no kind of virtual claim '{kind}'; {did_you_mean(kind, KINDS)}", item="kind")
    usual = _USUAL[kind]
    n, k = usual[0] if patients is None else patients, usual[1] if centres is None else centres
    if kind != "readers" and n < 4 * k:
        what = f"{n} patients are too few for {k} centres: two of them hold two patients each, and the others must hold some"
        raise BadSetting(f"{what}; ask for at least {4 * k} with --patients, or for fewer --centres.", item="patients")
    return _LAWS[kind](n, k)


def draw(of: Law, rng: np.random.Generator) -> Claim:
    """Return one draw of a law: the table, each row's true risk, each centre's own values.

    Parameters
    ----------
    of : Law
    rng : Generator

    Examples
    --------
    >>> claim = draw(law("clustered", patients=20, centres=2), np.random.default_rng(1))
    >>> bool((claim.table["data"] == "virtual").all()), len(claim.risk) == len(claim.table)
    (True, True)
    """
    if isinstance(of, BinaryLaw):
        return draw_binary(of, rng)
    if isinstance(of, TimesLaw):
        return draw_times(of, rng)
    return draw_readers(of, rng) if isinstance(of, ReadersLaw) else draw_leaky(of, rng)


def truth(of: Law, claim: Claim, *, draws: int = 10_000_000, seed: int = 1) -> dict[str, Any]:
    """Return what is true of one draw: its figures without sampling error, each centre's, and how they differ.

    Parameters
    ----------
    of : Law
    claim : Claim
        From :func:`draw`.
    draws : int
        For concordance and Cox slope, which have no closed form.
    seed : int
        Of those draws.

    Returns
    -------
    dict
        Plain JSON values.

    Examples
    --------
    >>> which = law("clustered", patients=100, centres=4)
    >>> found = truth(which, draw(which, np.random.default_rng(1)))
    >>> round(found["figures"]["claim"]["auc"], 4) == round(which.true_auc, 4)
    True
    """
    if isinstance(of, BinaryLaw):
        return truth_of_binary(of, claim)
    if isinstance(of, ReadersLaw):
        return truth_of_readers(of, claim)
    if isinstance(of, LeakyLaw):
        return {"leaks": list(claim.leaks), "centres": claim.centres.to_dict("records")}
    found = exact_truth(of, claim)
    drawn = drawn_truth(of, claim.centres, draws, rng_for(seed, "claims", "truth"))
    found["figures"]["claim"].update({name: figure["value"] for name, figure in drawn.items()})
    found["monte_carlo"] = {"draws": draws, "error": {name: figure["error"] for name, figure in drawn.items()}}
    found["how"] = "quadrature over the score and sums over the written risks (error 0); the figures under monte_carlo by draws"
    return found


def plan_of(of: Law) -> dict[str, Any]:
    """Return the plan that goes with a law's table: for `onclair validate`, `leakage` or, as a note, `readers`.

    Examples
    --------
    >>> plan_of(law("survival"))["figures"]["horizon"]
    5.0
    """
    title = f"Virtual claim: {of.kind}; no patient was involved"
    if isinstance(of, ReadersLaw):
        return {"title": title, "data": "virtual", "command": "onclair readers --ratings predictions.csv --json"}
    if isinstance(of, LeakyLaw):
        columns = {name: name for name in ("patient", "split", "centre", "scanner", "date", "lesion", "exam")}
        audited = {"columns": {**columns, "truth": "y"}, "features": {"prefix": "f_"}}
        return {"format": "onclair-leakage/1", "title": title, "data": "virtual", **audited}
    head = {"format": "onclair-plan/1", "title": title, "data": "virtual"}
    common: dict[str, Any] = {"patient": "patient", "centre": "centre", "subgroups": ["sex"]}
    if isinstance(of, BinaryLaw):
        return {
            **head,
            "outcome": "binary",
            "design": "external",
            "columns": {**common, "truth": "y"},
            "models": {"claim": {"column": "p"}, "rival": {"column": "rival", "kind": "score"}},
            "figures": {"thresholds": [0.1, 0.2, 0.3, 0.5], "compare": [["claim", "rival"]]},
        }
    claimed = {"column": "p"} if of.kind == "competing" else {"column": "p", "linear_predictor": "lp"}
    return {
        **head,
        "outcome": of.kind,
        "design": "external",
        "columns": {**common, "time": "time", "event": "event"},
        "models": {"claim": claimed},
        "figures": {"horizon": of.horizon, "weights_at": round(of.horizon - 0.01, 2), "thresholds": [0.1, 0.2, 0.3, 0.5]},
    }


def write(settings: VirtualClaims, out: Path) -> Path:
    """Write ``predictions.csv``, ``plan.toml`` and ``truth.json``; equal settings give equal bytes.

    Parameters
    ----------
    settings : VirtualClaims
    out : Path
        A folder that does not exist yet or is empty; it appears whole or not at all.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    BadSetting
        As :func:`law`.
    NoRoom
        When `out` holds something already or cannot be made.
    """
    of = law(settings.kind, patients=settings.patients, centres=settings.centres)
    claim = draw(of, rng_for(settings.seed, "claims", settings.kind))
    record = truth_record(settings, of, claim)
    with sealed_folder(out) as place:
        write_table(place / "predictions.csv", claim.table)
        (place / "plan.toml").write_text(_said_before(of) + tomli_w.dumps(plan_of(of)), encoding="utf-8")
        text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
        (place / "truth.json").write_text(text + "\n", encoding="utf-8")
    return out


def truth_record(settings: VirtualClaims, of: Law, claim: Claim) -> dict[str, Any]:
    """Return what ``truth.json`` holds: the law, the true figures, each centre's, the censoring, the leaks, each row's true risk."""
    found = truth(of, claim, draws=settings.draws, seed=settings.seed)
    table = claim.table
    gaps = {str(name): int(count) for name, count in table.isna().sum().items() if count}
    parameters = {name: getattr(of, name) for name in of.__dataclass_fields__}
    rows = {"count": len(table), "true_risk": None if claim.risk is None else [round(float(r), 6) for r in claim.risk]}
    record = {
        "format": "onclair-truth/1",
        "data": "virtual",
        "kind": of.kind,
        "settings": settings.as_record(),
        "law": parameters,
        **found,
        "leaks": list(claim.leaks),
        "missing": {"cells": gaps, "note": _note(of)},
        "rows": rows,
    }
    plain: dict[str, Any] = _plain(record)
    return plain


def _note(of: Law) -> str:
    if isinstance(of, BinaryLaw | TimesLaw):
        return (
            "p_lab, the claim with a laboratory value, is missing where the value is (the whole first centre, and here and there); "
            'to judge it add [models.with_lab] column = "p_lab" to the plan and call onclair validate with --drop-missing'
        )
    return "missing cells are where hospitals leave them: no figure asked for by the plan needs them"


def _said_before(of: Law) -> str:
    lines = ["# Virtual: no patient was involved. The truth is in truth.json."]
    if isinstance(of, BinaryLaw | TimesLaw):
        lines += ["# The column p_lab is missing in places; with the two lines below, validate needs --drop-missing:"]
        lines += ["# [models.with_lab]", '# column = "p_lab"']
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> Any:
    """Return plain JSON values: numpy's numbers as Python's, NaN and infinities as None."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return None if value is pd.NA else value
