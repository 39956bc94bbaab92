"""`onclair radiomics audit`: whether a published model holds on other patients, and what it really measures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json, workers

if TYPE_CHECKING:
    from onclair.studies.tasks.radiomics_audit import Audited


@click.command()
@click.option("--card", default=None, help="The model card: the name of one that ships, or a TOML file.")
@click.option("--model", type=folder, default=None, help="Instead of a card, a network: its folder, or the card of an ONNX file.")
@click.option("--allow-code", is_flag=True, help="Run the code that the card of a torch network names; only where you trust it.")
@click.option("--data", type=folder, required=True, help="The cohort folder.")
@click.option("--external", type=folder, default=None, help="Another cohort, on which the score is taken as it is.")
@click.option("--seeds", type=click.IntRange(min=1), default=10, show_default=True, help="Copies of each destroyed signal.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of every random choice.")
@click.option("--out", type=folder, default=None, help="The run folder for evidence and report; nothing is kept when left out.")
@workers
@as_json
def audit(**flags: Any) -> None:
    """Rebuild a published model from its card, or open a network, put it through ten gates, and say whether it holds and what it measures.

    The gates: card, extraction, rivals, controls, perturbation, batch, harmonisation, external, interpretation, verdict.
    docs/how-to/audit.md shows a card.
    """
    from onclair.cli.terminal import listener
    from onclair.run.pool import cores
    from onclair.studies.tasks.radiomics_audit import Audit
    from onclair.studies.tasks.radiomics_audit import audit as do_audit

    quiet = flags.pop("as_json")
    with listener(quiet=quiet) as progress:
        found = do_audit(Audit(**{**flags, "workers": flags["workers"] or cores()}, progress=progress))
    print_json(found.as_dict()) if quiet else _show(found)


def _show(found: Audited) -> None:
    from rich.console import Console

    from onclair.report.terminal import show_estimates

    facts = found.claim.facts
    show_estimates(Console(), list(found.claim.estimates)[:40], "en")
    for gate in facts["gates"]:
        click.echo(f"{gate['status']:>13}  {gate['name']}: {gate['reason']}")
    for warning in found.claim.warnings:
        click.echo(f"! {warning['text']}")
    click.echo(f"evidence {found.claim.id}")
    if found.report is not None:
        click.echo(f"report {Path(found.report)}")
