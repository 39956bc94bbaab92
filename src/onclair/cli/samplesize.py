"""`onclair samplesize develop|validate`: how many patients a model needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from onclair.cli.options import as_json, print_json

if TYPE_CHECKING:
    from onclair.validate.samplesize.answer import SampleSize


@click.group()
def samplesize() -> None:
    """How many patients it takes to develop a model, or to validate one."""


@samplesize.command()
@click.option("--outcome", type=click.Choice(["binary", "survival", "continuous"]), required=True)
@click.option("--parameters", type=int, required=True, help="Candidate predictor parameters: a category of four levels is three.")
@click.option("--r2cs", type=float, default=None, help="Cox-Snell R2 to expect, adjusted for optimism (binary, survival).")
@click.option("--c", type=float, default=None, help="C statistic to expect, in the place of R2 (binary).")
@click.option("--r2", type=float, default=None, help="Nagelkerke's R2 (binary, survival), or adjusted R2 (continuous).")
@click.option("--prevalence", type=float, default=None, help="Share of patients with the outcome (binary).")
@click.option("--rate", type=float, default=None, help="Events a person and unit of time (survival).")
@click.option("--timepoint", type=float, default=None, help="Time at which risk is of interest (survival).")
@click.option("--followup", type=float, default=None, help="Mean follow-up, in the same unit (survival).")
@click.option("--mean", type=float, default=None, help="Mean of the outcome (continuous).")
@click.option("--sd", type=float, default=None, help="Standard deviation of the outcome (continuous).")
@as_json
def develop(outcome: str, parameters: int, as_json: bool, **given: float | None) -> None:
    """Patients needed to develop a model: Riley's criteria (2019, 2020).

    Exactly one of --r2cs, --c and --r2 tells how strong the model is expected to be; take it from an earlier study, adjusted.
    """
    from onclair.validate.samplesize.development import develop as plan

    _answer(plan(outcome, parameters, given), as_json=as_json)


@samplesize.command()
@click.option("--prevalence", type=float, required=True, help="Share of patients with the outcome.")
@click.option("--c", type=float, required=True, help="C statistic to expect.")
@click.option(
    "--lp-normal", type=(float, float), default=None, metavar="MEAN SD", help="Linear predictor (log-odds); from --c when left out."
)
@click.option("--oe-width", type=float, default=0.2, show_default=True, help="Width of the interval of observed over expected.")
@click.option("--slope-width", type=float, default=0.2, show_default=True, help="Width of the interval of the calibration slope.")
@click.option("--c-width", type=float, default=0.1, show_default=True, help="Width of the interval of the C statistic.")
@click.option("--nb-width", type=float, default=0.2, show_default=True, help="Width of the interval of the standardised net benefit.")
@click.option("--threshold", type=float, default=None, help="Risk from which one acts: net benefit becomes a criterion.")
@click.option("--sensitivity", type=float, default=None, help="At the threshold; from the linear predictor when left out.")
@click.option("--specificity", type=float, default=None, help="At the threshold; from the linear predictor when left out.")
@as_json
def validate(prevalence: float, c: float, lp_normal: tuple[float, float] | None, as_json: bool, **given: float | None) -> None:
    """Patients needed to validate a model of a binary outcome to given widths (Riley 2021)."""
    from onclair.validate.samplesize.validation import planned

    _answer(planned(prevalence, c, lp_normal, given), as_json=as_json)


def _answer(found: SampleSize, *, as_json: bool) -> None:
    """Print what each criterion asks for."""
    if as_json:
        print_json(found.as_dict())
        return
    for name, patients in found.criteria.items():
        click.echo(f"{name:12} {patients:>9,} patients")
    click.echo(f"{'all':12} {found.n:>9,} patients, decided by {found.decided_by}")
    for name, value in found.figures.items():
        click.echo(f"  {name.replace('_', ' ')}: {value:.4g}")
    for warning in found.warnings:
        click.echo(f"Note: {warning['text']}", err=True)
    click.echo(found.method)
