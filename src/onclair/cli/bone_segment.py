"""`onclair bone segment`: the lesions of one CT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from onclair.cli.options import as_json, folder, print_json


@click.command()
@click.option("--image", type=folder, required=True, help="The CT: NIfTI in HU, or a DICOM file or folder.")
@click.option("--out", type=folder, required=True, help="A folder to write into; it must not hold anything yet.")
@click.option("--series", default=None, help="SeriesInstanceUID, where the folder holds several.")
@click.option("--allow-gaps", is_flag=True, help="Read a series with missing slices, to look at; no DICOM is written then.")
@click.option("--bone-mask", type=folder, default=None, help="Anyone's bone mask: NIfTI, SEG or RTSTRUCT.")
@click.option("--labels", type=folder, default=None, help="Bones by number, on the CT's grid.")
@click.option("--scheme", default="totalseg", show_default=True, help="What the numbers mean: totalseg, verse, or a TOML file.")
@click.option("--model", default="demo", show_default=True, help="demo, threshold, none, a folder of `bone train`, or MODEL.onnx.")
@click.option("--lesions", type=folder, default=None, help="Anyone's lesions, measured instead: NIfTI, SEG or RTSTRUCT.")
@click.option("--threshold", type=float, default=None, help="From which probability a voxel is lesion; the model's own when left out.")
@click.option("--precision", type=click.Choice(["f32", "bf16"]), default="f32", show_default=True, help="bf16 needs OpenVINO.")
@click.option("--ram-gb", type=float, default=None, help="Memory that the network may take.")
@click.option("--threads", type=int, default=1, show_default=True, help="Threads of the network.")
@as_json
def segment(image: Path, out: Path, as_json: bool, **flags: Any) -> None:
    """Find and measure bone lesions on one CT: masks, table, SEG, SR and RTSTRUCT.

    The bone comes from --bone-mask, from --labels, or is found without learning. The demonstration network was trained on virtual
    bones alone: its candidates are for a person to check.
    """
    from onclair.cli.terminal import listener
    from onclair.learn.lesion_finder import Finding
    from onclair.studies.tasks.bone_scan import Given
    from onclair.studies.tasks.bone_segment import Asked
    from onclair.studies.tasks.bone_segment import segment as segmented

    given = Given(image, flags["series"], flags["allow_gaps"], flags["bone_mask"], flags["labels"], flags["scheme"])
    running = Finding(flags["threshold"], flags["precision"], flags["ram_gb"], flags["threads"])
    with listener(quiet=as_json) as progress:
        done = segmented(Asked(given, out, flags["model"], flags["lesions"], running, progress))
    told = done.as_dict()
    if as_json:
        print_json(told)
        return
    click.echo(f"Bone: {told['bone']['volume_ml']:.1f} mL ({told['bone']['method']}).")
    for row in done.rows:
        where = " ".join(str(part) for part in (row.side, row.bone, row.level, row.part) if part)
        score = "" if row.score is None else f", score {row.score:.2f}"
        click.echo(
            f"Lesion {row.id}: {where}, {row.type or 'type unknown'}, {row.equivalent_diameter_mm:.1f} mm, {row.volume_ml:.2f} mL{score}"
        )
    if done.drawn and not done.rows:
        click.echo("No lesion was outlined.")
    for note in told["warnings"]:
        click.echo(f"Warning: {note['text']}")
    click.echo(f"Written: {out}; look at {out / 'sheet.html'}")
