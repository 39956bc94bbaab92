"""`onclair bone train`: the house's own segmentation network, planned by nnU-Net's rules and trained on a laptop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json
from onclair.core.errors import BadSetting

if TYPE_CHECKING:
    from onclair.studies.tasks.bone_train import TrainedBone


@click.command()
@click.option("--data", type=folder, required=True, help="A cohort folder, nnU-Net's raw data, a Decathlon task, or BIDS.")
@click.option("--out", type=folder, required=True, help="The network folder to write.")
@click.option("--plan-only", is_flag=True, help="Print the plan and stop; nothing is trained or written.")
@click.option(
    "--preset",
    type=click.Choice(["demo", "laptop", "full"]),
    default="laptop",
    show_default=True,
    help="What a step may cost: demo detects within the hour and may coarsen to 2 mm, full is as wide as nnU-Net.",
)
@click.option("--folds", type=click.IntRange(min=2), default=5, show_default=True, help="Parts of the patients.")
@click.option(
    "--fold",
    default="0",
    show_default=True,
    metavar="I|all",
    help="The part held out, from 0, on which scores are calibrated; all trains a network for each and averages them.",
)
@click.option("--steps", type=click.IntRange(min=1), default=None, help="Steps of each network; the preset's when left out.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of every random choice.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads; weights depend on their number.")
@as_json
def train(**flags: Any) -> None:
    """Plan and train the house's segmentation network; the same command resumes.

    The plan follows nnU-Net's rules under a budget of memory and CPU seconds a step. A training that was killed goes on when the same
    command is given again, and ends with the weights of one that was not. The model that is written needs nothing else:
    onclair bone segment --model OUT.
    """
    from onclair.cli.terminal import listener
    from onclair.studies.tasks.bone_train import Train
    from onclair.studies.tasks.bone_train import train as do_train

    quiet, fold = flags.pop("as_json"), _fold(flags.pop("fold"))
    with listener(quiet=quiet) as progress:
        found = do_train(Train(**flags, fold=fold, progress=progress))
    print_json(found.as_dict()) if quiet else _show(found)


def _fold(given: str) -> int | None:
    if given == "all":
        return None
    if not given.isdecimal():
        raise BadSetting(f"The fold is '{given}'; give a number from 0, or all.", item="fold")
    return int(given)


def _show(found: TrainedBone) -> None:
    plan = found.plan
    spacing, patch = " x ".join(f"{mm:.3g}" for mm in plan.spacing_mm), " x ".join(map(str, plan.patch))
    click.echo(f"Plan: {spacing} mm, patches of {patch}, {plan.batch} at once, filters {', '.join(map(str, plan.features))}")
    click.echo(f"Clip {plan.clip[0]:g} to {plan.clip[1]:g} HU, mean {plan.mean:.1f}, standard deviation {plan.std:.1f}")
    if found.model is not None:
        pace = "" if found.seconds_per_step is None else f", {found.seconds_per_step:.2f} s a step"
        click.echo(f"{found.model}: {found.steps_done} steps, {found.resumed_from} of them before this call{pace}")
        click.echo(f"weights {found.weights_sha256}")
    for warning in found.warnings:
        click.echo(f"! {warning['text']}")
