"""`onclair bone lesions`: agreement of lesions, and nothing else yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from onclair.cli.lazy import Commands, LazyGroup
from onclair.cli.options import as_json, folder, language, print_json, skip_bad

if TYPE_CHECKING:
    from onclair.studies.tasks.bone_compare import Done

COMMANDS: Commands = {
    "compare": ("onclair.cli.bone_lesions:compare", "Compare predicted lesions with the truth: three rules, strata, FROC, readers."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def lesions() -> None:
    """Compare lesion masks, boxes or readers under rules that are named."""


@click.command()
@click.option("--truth", type=folder, required=True, help="A map of lesions (NIfTI, SEG), a table of boxes in LPS mm, or a folder of maps.")
@click.option("--predicted", type=folder, required=True, help="As --truth; a scan without lesions needs an empty map.")
@click.option("--scores", type=folder, default=None, help="A table case, instance, score of the predicted lesions, for the FROC curve.")
@click.option(
    "--readers", default="", help="Readers with commas between: folders, files, or NAME of maps CASE_NAME.nii.gz beside the truth."
)
@click.option("--table", "tables", type=folder, multiple=True, help="Types and bones: case, instance, type, bone, reader; may be repeated.")
@click.option("--replicates", type=click.IntRange(min=2), default=2000, show_default=True, help="Bootstrap replicates; patients are drawn.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the bootstrap.")
@skip_bad
@language
@as_json
def compare(
    truth: Path, predicted: Path, scores: Path | None, readers: str, tables: tuple[Path, ...], as_json: bool, **how: object
) -> None:
    """Compare predicted lesions with the truth: three rules, strata, FROC, readers.

    Lesions are matched one to one, the most matches first, then the largest summed overlap: from one common voxel on, and from an
    intersection over union of 0.1 and of 0.5 on. Boxes are hit by a centroid inside or by a box that overlaps by 0.1.
    """
    from onclair.studies.tasks.bone_compare import Asked
    from onclair.studies.tasks.bone_compare import compare as compared
    from onclair.validate.lesion_ratios import Drawing

    drawing = Drawing(replicates=int(str(how["replicates"])), seed=int(str(how["seed"])))
    named = tuple(name.strip() for name in readers.split(",") if name.strip())
    done = compared(Asked(truth, predicted, scores, named, tables, drawing, bool(how["skip_bad"])))
    if as_json:
        print_json(done.as_dict())
        return
    _tell(done, str(how["lang"]))


def _tell(done: Done, lang: str) -> None:
    from rich.console import Console

    from onclair.report.terminal import show_estimates

    show_estimates(Console(), list(done.estimates), "fr" if lang == "fr" else "en")
    for case in done.as_dict()["cases"]:
        click.echo(f"{case['case']}: {len(case['pairs'])} found, {len(case['missed'])} missed, {len(case['false'])} false ({case['rule']})")
    for warning in done.warnings:
        click.echo(f"note: {warning['text']}", err=True)
