"""`onclair readers`: several readers, several modalities, the same cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from onclair.cli.options import as_json, folder, print_json

if TYPE_CHECKING:
    from onclair.validate.readers.comparison import ReaderStudy


@click.command()
@click.option("--ratings", type=folder, required=True, help="A table with columns reader, treatment (or modality), case, truth and rating.")
@click.option(
    "--readers", type=click.Choice(["random", "fixed"]), default="random", show_default=True, help="Readers like these, or these."
)
@click.option("--cases", type=click.Choice(["random", "fixed"]), default="random", show_default=True, help="Patients like these, or these.")
@click.option(
    "--covariance",
    type=click.Choice(["delong", "jackknife", "unbiased"]),
    default="delong",
    show_default=True,
    help="How the AUCs of the same cases are held to move together.",
)
@as_json
def readers(ratings: Path, readers: str, cases: str, covariance: str, as_json: bool) -> None:
    """Compare modalities over readers: Obuchowski and Rockette's test with Hillis' degrees of freedom.

    Every reader rates every case by every modality, one row a rating; truth is 0 or 1, a higher rating more suspicious.
    """
    from onclair.io.tables import read_table
    from onclair.validate.readers.comparison import compare_modalities
    from onclair.validate.readers.table import CODES, ratings_of

    table = read_table(ratings, text=CODES)
    found = compare_modalities(ratings_of(table.frame, ratings.name), readers=readers, cases=cases, covariance=covariance)
    if as_json:
        document = found.as_dict()
        print_json({**document, "warnings": [*map(dict, table.notes), *document["warnings"]]})
        return
    _show(found)
    for warning in (*table.notes, *found.warnings):
        click.echo(f"Note: {warning['text']}", err=True)


def _show(found: ReaderStudy) -> None:
    """Print the estimates and the test in words."""
    from rich.console import Console
    from rich.table import Table

    table = Table("figure", "value", "95 % interval", title=f"{found.design['cases']} cases, {found.design['positives']} with the disease")
    for estimate in found.estimates:
        ends = (estimate.low, estimate.high)
        interval = "-" if None in ends else "{:.4f} to {:.4f}".format(*ends)
        table.add_row(estimate.name, "-" if estimate.value is None else f"{estimate.value:.4f}", interval)
    Console().print(table)
    for reason in dict.fromkeys(estimate.reason for estimate in found.estimates if estimate.reason):
        click.echo(f"Without an interval: {reason}.")
    test = found.test
    if test.p is None:
        click.echo(f"No test: {test.reason}.")
    else:
        click.echo(f"All modalities alike? {test.kind} = {test.statistic:.3f}, df = {test.df:.2f}, p = {test.p:.4f}")
