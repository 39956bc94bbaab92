"""`onclair radiomics filter`: an image through one of the set-ups of IBSI-2."""

from __future__ import annotations

from pathlib import Path

import click

from onclair.cli.options import as_json, folder, print_json


@click.command()
@click.option("--image", type=folder, required=True, help="The image: NIfTI, or a folder or file of a DICOM series.")
@click.option("--set", "name", required=True, help="The set-up, 1.a.1 to 10.b.1, of the reference response maps.")
@click.option("--out", type=folder, required=True, help="The NIfTI file to write, on the image's grid.")
@as_json
def filter_image(image: Path, name: str, out: Path, as_json: bool) -> None:
    """Filter an image as one of IBSI-2's response maps is made: mean, LoG, Laws, Gabor, wavelets, Simoncelli, Riesz."""
    from onclair.run.filtering import filter_file

    done = filter_file(image, name, out)
    if as_json:
        print_json(done.as_dict())
    else:
        click.echo(f"{done.set}: {done.low:.6g} to {done.high:.6g}. Written: {done.out}  SHA-256 {done.sha256}")
