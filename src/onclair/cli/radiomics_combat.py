"""`onclair radiomics combat`: take scanner and centre effects off a table of features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json
from onclair.core.errors import BadSetting

if TYPE_CHECKING:
    from onclair.studies.tasks.radiomics_combat import Harmonised
    from onclair.studies.tasks.radiomics_combat_tables import Given, Roles


@click.command()
@click.option("--features", type=folder, default=None, help="The table of features: CSV, TSV, XLSX or Parquet, one row a sample.")
@click.option("--features-in-rows", is_flag=True, help="Each row of --features is a feature, each column a sample.")
@click.option("--samples", type=folder, default=None, help="The table that describes the samples; its column 'sample' names them.")
@click.option("--data", type=folder, default=None, help="A cohort that holds features, in the place of --features and --samples.")
@click.option("--any-match", is_flag=True, help="With --data: take patients too whose codes match only after they were altered.")
@click.option("--batch", multiple=True, help="Column to take off; several with --method nested. With --apply, the saved one by default.")
@click.option("--covariate", multiple=True, help="Column to keep while the batch is taken off; never the outcome.")
@click.option("--method", type=click.Choice(["combat", "zscore", "nested", "covbat"]), default=None, help="How; combat by default.")
@click.option("--prior", type=click.Choice(["parametric", "nonparametric", "none"]), default=None, help="Of ComBat; parametric by default.")
@click.option("--mean-only", is_flag=True, help="Adjust the mean and leave the variance; a batch may then have one sample.")
@click.option("--reference", default=None, help="Bring all to this batch, whose samples come back untouched (M-ComBat).")
@click.option("--model-out", type=folder, default=None, help="Save the harmoniser in this folder, to apply it to later samples.")
@click.option("--apply", "model", type=folder, default=None, help="Apply a saved harmoniser; nothing is learnt from these samples.")
@click.option(
    "--unseen",
    type=click.Choice(["refuse", "leave", "map"]),
    default=None,
    help="With --apply: a batch unknown at training is refused (default), left as it is, or mapped from at least 20 of its cases.",
)
@click.option("--outcome", default=None, help="Outcome column: refused where the batch decides it; it is never a covariate.")
@click.option("--diagnose", multiple=True, help="Column that a classifier tries to tell from the features, before and after.")
@click.option("--out", type=folder, required=True, help="The table to write, in the layout of the one read.")
@as_json
def combat(as_json: bool, **given: Any) -> None:
    """Take batch effects (centre, scanner, kernel) off a table of features.

    Learn from the samples given and harmonise them; with --model-out save what was learnt, with --apply use it on later samples.
    Where a model is to be judged, learn inside its training folds: a harmoniser that saw the test patients flatters it.
    """
    found = _apply(given) if given["model"] else _learn(given)
    if as_json:
        print_json(found.as_dict())
    else:
        _tell(found)


def _learn(given: dict[str, Any]) -> Harmonised:
    from onclair.studies.tasks.radiomics_combat import How, learn_and_apply

    if not given["batch"]:
        raise BadSetting("No batch column is given; name it with --batch, for example --batch centre.", item="--batch")
    if given["unseen"]:
        raise BadSetting("--unseen is for --apply: while learning every batch is seen; leave it out.", item="--unseen")
    how = How(given["method"] or "combat", given["prior"], given["mean_only"], given["reference"])
    tables, roles = _read(given, given["batch"])
    return learn_and_apply(tables, roles, how, given["out"], model_out=given["model_out"])


def _apply(given: dict[str, Any]) -> Harmonised:
    from onclair.studies.tasks.radiomics_combat import apply_saved, load_harmoniser

    for flag in ("covariate", "method", "prior", "mean_only", "reference"):
        if given[flag]:
            name = "--" + flag.replace("_", "-")
            raise BadSetting(f"{name} is for learning and the harmoniser of --apply is learnt; leave it out.", item=name)
    model = load_harmoniser(given["model"])
    tables, roles = _read(given, given["batch"] or model.variables)
    return apply_saved(tables, roles, model, given["unseen"] or "refuse", given["out"], model_out=given["model_out"])


def _read(given: dict[str, Any], batch: tuple[str, ...]) -> tuple[Given, Roles]:
    from onclair.studies.tasks.radiomics_combat_tables import Roles, read_cohort_features, read_files

    roles = Roles(tuple(batch), tuple(given["covariate"]), given["outcome"], tuple(given["diagnose"]))
    if given["data"] is not None and (given["features"] or given["samples"]):
        raise BadSetting("--data is given beside --features or --samples; give the one or the others.", item="--data")
    if given["data"] is not None:
        return read_cohort_features(given["data"], roles, any_match=given["any_match"]), roles
    for flag in ("features", "samples"):
        if given[flag] is None:
            raise BadSetting(f"--{flag} is missing; give --features and --samples, or a cohort with --data.", item=f"--{flag}")
        if given[flag].resolve() == given["out"].resolve():
            raise BadSetting(f"--out names the table of --{flag}, which would be lost; choose another name.", item="--out")
    return read_files(given["features"], given["samples"], roles, in_rows=given["features_in_rows"]), roles


def _tell(found: Harmonised) -> None:
    """Print what was done in words."""
    batches = ", ".join(f"{name} ({n})" for name, n in found.batches.items())
    click.echo(f"{found.samples} samples, {found.features} features, {found.method} by {', '.join(found.fitted.variables)}: {batches}")
    for estimate in found.estimates:
        click.echo(f"  {estimate.name}: {estimate.text()}")
    for warning in found.warnings:
        click.echo(f"note: {warning['text']}", err=True)
    if found.model:
        click.echo(f"Harmoniser: {found.model}")
    click.echo(f"Written: {found.out}  SHA-256 {found.sha256}")
