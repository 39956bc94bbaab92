"""`onclair spectra unmix`: amounts of fluorophores, with standard errors, from a table of counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json

if TYPE_CHECKING:
    from onclair.science.spectra.unmix_amounts import Amount
    from onclair.studies.tasks.spectra_unmix import Done, Point


@click.command()
@click.argument("table", type=folder)
@click.option("--about", type=folder, required=True, help="What describes the table: a row a column, rows of one 'point' together.")
@click.option("--fluorophores", default=None, help="Names with commas between; PpIX634,PpIX620,NADH,FAD,Lipofuscin by default.")
@click.option("--bases", type=folder, default=None, help="Emission bases of your own: wavelength_nm and a column a fluorophore.")
@click.option(
    "--transport",
    type=click.Choice(["none", "joint", "reflectance"]),
    default=None,
    help="What is done about blood; by default the white reflectance where measured, else a joint fit where blood shows.",
)
@click.option(
    "--width", type=click.Choice(["auto", "fixed", "fitted"]), default="auto", show_default=True, help="A common factor on all widths."
)
@click.option("--baseline", type=click.Choice(["none", "smooth"]), default="none", show_default=True, help="A smooth, shared baseline.")
@click.option("--calibration", type=folder, default=None, help="Of the spectrometer, where TABLE holds the wavelengths it tells itself.")
@click.option("--out", type=folder, required=True, help="The folder for points.json and features.csv.")
@as_json
def unmix(as_json: bool, **given: Any) -> None:
    """Unmix each point of TABLE (wavelength_nm and a column a frame, dark-subtracted counts) into amounts of fluorophores.

    All excitations of a point are fitted together, with the wavelength shift and, where asked or needed, blood. An amount that the
    excitations at hand cannot tell is said to be not identifiable, never 0.
    """
    from onclair.studies.tasks.spectra_unmix import Asked, unmix_table

    done = unmix_table(Asked(**given))
    print_json(done.as_dict()) if as_json else _tell(done)


def _tell(done: Done) -> None:
    for point in done.points:
        _tell_point(point)
    for warning in done.warnings:
        click.echo(f"note: {warning['text']}", err=True)
    for path, sha256 in done.files.items():
        click.echo(f"Written: {path}  SHA-256 {sha256}")


def _tell_point(point: Point) -> None:
    found = point.unmixed
    shift = _number(found.shift_nm, 2)
    click.echo(f"{point.point or 'point'}: {found.status}, shift {shift} nm, chi-squared {found.chi2:.2f}, transport {found.transport}")
    if found.reason:
        click.echo(f"  ! {found.reason}")
    for gate in point.gates:
        if not gate.passed:
            click.echo(f"  ! {gate.reason}")
    for name, amount in found.abundances.items():
        click.echo(f"  {name:<12} {_number(amount, 4)}")


def _number(amount: Amount, digits: int) -> str:
    if amount.value is None or amount.se is None:
        return f"not identifiable: {amount.reason}"
    if amount.status == "at_bound" and amount.value == 0:
        return f"below {amount.high:.{digits}g}"
    return f"{amount.value:.{digits}g} ± {amount.se:.2g}"
