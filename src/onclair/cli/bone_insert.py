"""`onclair bone insert`: virtual lesions in a real scan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json

if TYPE_CHECKING:
    from onclair.studies.tasks.bone_insert import Done


@click.command()
@click.option("--image", type=folder, required=True, help="The CT: NIfTI in HU, or a DICOM folder.")
@click.option("--labels", type=folder, required=True, help="Labels of its bones, NIfTI on the same grid; bones without lesions.")
@click.option("--out", type=folder, required=True, help="The folder for ct.nii.gz, lesions.nii.gz and truth.csv.")
@click.option("--n", "n", type=click.IntRange(min=1), default=1, show_default=True, help="How many lesions.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of every random choice.")
@click.option(
    "--type",
    "type",
    type=click.Choice(["any", "lytic", "blastic", "mixed", "occult"]),
    default="any",
    show_default=True,
    help="What they make of bone; any draws as virtual patients do.",
)
@click.option("--diameter", default="6-25", show_default=True, metavar="LO-HI", help="Their equivalent diameter in mm.")
@click.option("--scheme", default="totalseg", show_default=True, metavar="totalseg|verse|FILE", help="What the labels mean.")
@click.option("--series", default=None, metavar="UID", help="The series, where the folder holds several.")
@as_json
def insert(as_json: bool, **given: Any) -> None:
    """Put virtual lesions into a real, lesion-free bone.

    They pass through the scan's own kernel and noise, which are measured on it; no voxel changes beyond three voxels from a lesion, and at
    least 80 % of each lies in a labelled bone. The result says virtual.
    """
    from onclair.studies.tasks.bone_insert import Insertion, insert_lesions

    done = insert_lesions(Insertion(**given))
    print_json(done.as_dict()) if as_json else _tell(done)


def _tell(done: Done) -> None:
    for lesion in done.lesions:
        where = " ".join(str(part) for part in (lesion["side"], lesion["bone"], lesion["level"]) if part)
        size = f"{lesion['diameter_mm']:.1f} mm, median {lesion['box_median_hu']:.0f} HU in its box"
        click.echo(f"{lesion['lesion']}: {lesion['type']} in {where}, {size}")
    for warning in done.warnings:
        click.echo(f"note: {warning['text']}", err=True)
    click.echo(f"Written: {', '.join(done.outputs.values())}")
