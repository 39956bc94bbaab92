"""`onclair radiomics train`: the house's own 3-D network, trained on folds of a cohort's patients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json, skip_bad, workers

if TYPE_CHECKING:
    from onclair.studies.tasks.radiomics_train import TrainedModel


@click.command()
@click.option("--data", type=folder, required=True, help="The cohort folder.")
@click.option("--out", type=folder, required=True, help="The network folder to write; it must not hold anything yet.")
@click.option("--outcome", default=None, help="A binary or survival outcome; the only one of the cohort when left out.")
@click.option("--modality", type=click.Choice(["PET", "CT", "MR"]), default=None, help="The images to read; the only ones when left out.")
@click.option("--structure", default=None, help="The label in the outline; all labels together when left out.")
@click.option("--folds", type=click.IntRange(min=2), default=5, show_default=True, help="Folds of patients: one network each.")
@click.option("--epochs", type=click.IntRange(min=1), default=40, show_default=True, help="Passes over the patients.")
@click.option("--size", type=click.IntRange(4, 128), default=20, show_default=True, help="Voxels of the network's grid along each axis.")
@click.option(
    "--spacing-mm", type=click.FloatRange(min=0, min_open=True), default=5.0, show_default=True, help="Spacing of that grid, in mm."
)
@click.option(
    "--channels",
    default="inside,mask",
    show_default=True,
    help="What the network is shown: image (everywhere), inside (within the outline), mask; separated by commas.",
)
@click.option(
    "--normalise",
    type=click.Choice(["z-score", "none"]),
    default="z-score",
    show_default=True,
    help="Of intensities: by mean and standard deviation within the outline, which hides how bright a lesion is, or as they are.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of every random choice.")
@skip_bad
@workers
@as_json
def train(**flags: Any) -> None:
    """Train small 3-D networks on outlined lesions: one a fold of patients, saved together as one ONNX file.

    The figures are of patients whom the scoring network never saw. What the network measures, only an audit on other patients tells:
    onclair radiomics audit --model MODEL --data OTHER-COHORT. A training that was killed goes on when the same command is given again.
    """
    from onclair.cli.terminal import listener
    from onclair.run.pool import cores
    from onclair.studies.tasks.radiomics_train import Train
    from onclair.studies.tasks.radiomics_train import train as do_train

    quiet = flags.pop("as_json")
    channels = tuple(name.strip() for name in flags.pop("channels").split(",") if name.strip())
    with listener(quiet=quiet) as progress:
        found = do_train(Train(**{**flags, "channels": channels, "workers": flags["workers"] or cores()}, progress=progress))
    print_json(found.as_dict()) if quiet else _show(found)


def _show(found: TrainedModel) -> None:
    from rich.console import Console

    from onclair.report.terminal import show_estimates

    show_estimates(Console(), list(found.estimates), "en")
    for warning in found.warnings:
        click.echo(f"! {warning['text']}")
    click.echo(f"{found.model}: trained on {found.patients} patients, {found.events} with the event; sha256 {found.model_sha256}")
    click.echo(f"Next, on other patients: onclair radiomics audit --model {found.model} --data OTHER-COHORT")
