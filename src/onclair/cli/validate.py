"""`onclair validate`: judge any model's predictions by a plan; merge the figures of sites; check against reference figures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from onclair.cli.options import as_json, folder, language, print_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onclair.core.estimate import Estimate
    from onclair.run.validation import Validated


@click.group(invoke_without_command=True)
@click.option("--predictions", type=folder, default=None, help="The table: CSV, TSV or XLSX, one row a prediction.")
@click.option("--plan", type=folder, default=None, help="The plan: TOML, format onclair-plan/1.")
@click.option("--out", type=folder, default=None, help="The run folder for evidence and report; nothing is kept when left out.")
@click.option("--drop-missing", is_flag=True, help="Leave out rows without a prediction or outcome, and count them.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes; no result depends on it.")
@language
@as_json
@click.pass_context
def validate(context: click.Context, /, **flags: Any) -> None:
    """Judge any model's predictions by a plan; merge sites; check against reference figures.

    The predictions may come from anywhere: R, a vendor's box, a spreadsheet. The plan says which column holds what and which
    figures are wanted; docs/how-to/validate.md shows one.
    """
    if context.invoked_subcommand is not None:
        return
    for name in ("predictions", "plan"):
        if flags[name] is None:
            raise click.UsageError(f"--{name} is missing: name the {'table' if name == 'predictions' else 'plan'} to judge.", context)
    from onclair.report.files import report_files
    from onclair.run.validation import Validation
    from onclair.run.validation import validate as do_validate

    asked = (flags["predictions"], flags["plan"], flags["out"], report_files, flags["drop_missing"], flags["workers"])
    found = do_validate(Validation(*asked))
    if flags["as_json"]:
        print_json(summary(found))
    else:
        _show(found, flags["lang"])


def summary(found: Validated) -> dict[str, Any]:
    """Return what `--json` prints of a validation."""
    claim = found.claim
    facts = claim.facts
    counts = {key: facts[key] for key in ("rows", "patients", "events", "excluded")}
    return {
        **counts,
        "centres": len(facts["centres"]),
        "warnings": [dict(w) for w in claim.warnings],
        "data_sha256": facts["data_sha256"],
        "plan_sha256": facts["plan_sha256"],
        "evidence_id": claim.id,
        **({} if found.report is None else {"seal": found.seal.id, "report": str(found.report)}),
        "curves": facts["curves"],
        "estimates": [e.as_dict() for e in claim.estimates],
    }


def _show(found: Validated, lang: str) -> None:
    from onclair.report.words import say, warning_text

    spoken: Literal["en", "fr"] = "fr" if lang == "fr" else "en"
    _table(found.claim.estimates, lang)
    for warning in found.claim.warnings:
        click.echo(f"! {warning_text(warning, spoken)}")
    click.echo(f"{say('evidence', spoken)} {found.claim.id}")
    if found.report is not None:
        click.echo(f"{say('report', spoken)} {found.report if spoken == 'en' else found.report.with_name('report.fr.html')}")


def _table(estimates: Iterable[Estimate], lang: str) -> None:
    from rich.console import Console

    from onclair.report.terminal import show_estimates

    show_estimates(Console(), list(estimates), "fr" if lang == "fr" else "en")


@validate.command()
@click.argument("runs", type=folder, nargs=-1)
@language
@as_json
def merge(runs: tuple[Path, ...], lang: str, as_json: bool) -> None:
    """Pool the figures of several sites' runs: estimates and errors travel, rows never do."""
    from onclair.run.merging import merge as do_merge

    evidence = do_merge(runs)
    if as_json:
        facts = evidence.facts
        counts = {key: facts[key] for key in ("patients", "events", "sites")}
        print_json({**counts, "evidence_id": evidence.id, "warnings": [], "estimates": [e.as_dict() for e in evidence.estimates]})
    else:
        _table(evidence.estimates, lang)
        click.echo(f"evidence {evidence.id}")


@validate.command()
@click.option("--reference-data", type=folder, required=True, help="A folder that holds evidence/ with EXPECTED.json and its tables.")
@as_json
def conformance(reference_data: Path, as_json: bool) -> None:
    """Compute every reference figure anew from its table and compare; exit code 1 when one does not hold."""
    from onclair.run.conformance import check_conformance

    found = check_conformance(reference_data)
    if as_json:
        print_json(found.as_dict())
    else:
        for check in found.checks:
            said = "ok   " if check.holds else "FAILS"
            click.echo(f"{said} {check.name}  {check.got} (expected {check.expected}, within {check.tolerance:g})")
        click.echo(f"{found.held} of {found.total} figures hold.")
    sys.exit(0 if found.held == found.total else 1)
