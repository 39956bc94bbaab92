"""Several sites' validations merged: estimates and their errors travel, rows never do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.io.source import source_sha256
from onclair.run.environment import environment
from onclair.run.store import claim_of
from onclair.run.validation import KIND
from onclair.validate.transport import merge_estimates

STAGE = "validate"
#: What must be the same at every site for its figures to mean the same.
SHARED = ("outcome", "figures", "design")


def merge(roots: Sequence[Path]) -> Evidence:
    """Pool the figures of several validation runs.

    Parameters
    ----------
    roots : sequence of Path
        Run folders of `onclair validate`, one a site; a run over one centre is named after it, another after its folder.

    Returns
    -------
    Evidence
        Its inputs are the ids of the sites' claims; estimates by site, pooled, for a new centre and their variance.

    Raises
    ------
    BadInput
        For fewer than two runs, one that is no validation, the same one twice, or plans that ask for different things.
    CheckFailed
        When a claim is not the one that was sealed.
    """
    if len(roots) < 2:
        raise BadInput(f"There {'is one run' if roots else 'are no runs'} to merge; name two or more.")
    claims = [_claim(root) for root in roots]
    _refuse_unlike(roots, claims)
    sites = sorted(((_site(root, claim), claim) for root, claim in zip(roots, claims, strict=True)), key=lambda site: (site[0], site[1].id))
    estimates = merge_estimates([(name, _had(claim, claims)) for name, claim in sites])
    inputs = {f"claim {claim.id[:12]}": claim.id for _, claim in sites}
    settings = {key: claims[0].settings[key] for key in SHARED}
    return Evidence(STAGE, "", inputs, settings, source_sha256(merge), environment(), estimates=tuple(estimates), facts=_facts(sites))


def _had(claim: Evidence, claims: Sequence[Evidence]) -> list[Estimate]:
    """Return a site's figures but those that no site could have, such as the calibration of a score."""
    had = {e.name for each in claims for e in each.estimates if e.status != "not_available"}
    return [e for e in claim.estimates if e.name in had]


def _claim(root: Path) -> Evidence:
    claim = claim_of(root)
    if claim.facts.get("kind") != KIND:
        raise BadInput(
            f"{root} holds a run of the study '{claim.facts.get('study')}'; merge takes runs of `onclair validate`.", item=str(root)
        )
    return claim


def _refuse_unlike(roots: Sequence[Path], claims: Sequence[Evidence]) -> None:
    seen: dict[str, Path] = {}
    for root, claim in zip(roots, claims, strict=True):
        if claim.id in seen:
            raise BadInput(f"{root} and {seen[claim.id]} hold the same evidence; name each site once.", item=str(root))
        seen[claim.id] = root
        for key in SHARED:
            if claim.settings[key] != claims[0].settings[key]:
                found = f"The plan of {root} asks for another {key} than that of {roots[0]}"
                raise BadInput(f"{found}; run both by the same plan before merging.", item=key)
        if [m["name"] for m in claim.facts["models"]] != [m["name"] for m in claims[0].facts["models"]]:
            raise BadInput(f"{root} judges other models than {roots[0]}; run both by the same plan before merging.", item="models")


def _site(root: Path, claim: Evidence) -> str:
    """Return what to call a site: its centre; its claim where it has several; the folder that its run was given where it named none."""
    centres = claim.facts["centres"]
    if len(centres) > 1:
        return str(claim.id[:12])
    return str(centres[0]) if centres else root.resolve().name


def _facts(sites: Sequence[tuple[str, Evidence]]) -> dict[str, Any]:
    claims = [claim for _, claim in sites]
    told = ("patients", "events", "data")
    return {
        "kind": "merge",
        "sites": [{"name": name, **{key: claim.facts[key] for key in told}} for name, claim in sites],
        "outcome": claims[0].facts["outcome"],
        "models": claims[0].facts["models"],
        "patients": sum(claim.facts["patients"] for claim in claims),
        "events": sum(claim.facts["events"] for claim in claims),
        "data": "virtual" if any(claim.facts["data"] == "virtual" for claim in claims) else "patients",
    }
