"""`onclair leakage`: look for what the held-out part should not know."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from onclair.cli.options import as_json, folder, print_json

if TYPE_CHECKING:
    from onclair.validate.leakage.audit import LeakageAudit

_ENDINGS = {
    "leak": "Leak: the held-out figures cannot be trusted.",
    "warnings": "No leak; read the warnings.",
    "clean": "Clean: no check found a leak.",
}


@click.command()
@click.option("--table", type=folder, required=True, help="The table of features with patient, split and truth: CSV, TSV or XLSX.")
@click.option("--plan", type=folder, required=True, help='What its columns are: TOML, format = "onclair-leakage/1".')
@as_json
def leakage(table: Path, plan: Path, as_json: bool) -> None:
    """Audit a table for what may have leaked from test to training.

    Exit code 1 when a check finds a leak, 0 when the table is clean or has warnings only.
    """
    from onclair.io.tables import read_table
    from onclair.validate.leakage.audit import audit
    from onclair.validate.leakage.plan import leakage_table, read_leakage_plan

    asked = read_leakage_plan(plan)
    read = read_table(table, text=asked.columns.identifiers)
    checked = leakage_table(read.frame, asked, source=table.name)
    found = audit(checked)
    warnings = [dict(note) for note in (*read.notes, *checked.notes)]
    if as_json:
        print_json({**found.as_dict(), "data": asked.data, "rows": int(checked.truth.size), "warnings": warnings})
    else:
        for note in warnings:
            click.echo(f"note: {note['text']}")
        _tell(found)
    sys.exit(1 if found.verdict == "leak" else 0)


def _tell(found: LeakageAudit) -> None:
    for each in found.findings:
        click.echo(f"{each.severity}: {each.check}. {each.explanation}")
        for item in each.items[:10]:
            click.echo(f"    {item}")
        if each.count > 10:
            click.echo(f"    ... {each.count} in all; --json lists the first hundred")
    click.echo(f"{len(found.checks_run)} checks run: {', '.join(found.checks_run)}.")
    for check, reason in found.not_run.items():
        click.echo(f"not run: {check}, because {reason}.")
    click.echo(_ENDINGS[found.verdict])
