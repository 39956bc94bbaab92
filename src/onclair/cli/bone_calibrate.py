"""`onclair bone calibrate`: bone density from Hounsfield units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json

if TYPE_CHECKING:
    from onclair.studies.tasks.bone_calibrate import Done


@click.command()
@click.option("--tissues", type=folder, default=None, help="JSON with the HU of adipose, air, blood, bone, muscle, and contrast.")
@click.option("--phantom", type=folder, default=None, help="TOML with the rods of a phantom, or a table of scanners.")
@click.option("--image", type=folder, default=None, help="A CT, NIfTI or DICOM, whose tissues are sampled.")
@click.option("--labels", type=folder, default=None, help="Labels of that CT by TotalSegmentator, version 2.")
@click.option("--scanner", default=None, help="With a table of scanners: whose row.")
@click.option("--kvp", type=float, default=None, help="With a table of scanners: at which voltage.")
@click.option("--out", type=folder, required=True, help="The calibration file, which 'bone strength --calibration' reads.")
@as_json
def calibrate(as_json: bool, **given: Any) -> None:
    """Turn Hounsfield units into bone density: from tissues, a phantom, or the scan.

    Blood is used only without contrast: where neither the header nor the aorta (above 90 HU) shows any.
    """
    from onclair.studies.tasks.bone_calibrate import Asked
    from onclair.studies.tasks.bone_calibrate import calibrate as run

    done = run(Asked(**given))
    print_json(done.as_dict()) if as_json else _tell(done)


def _tell(done: Done) -> None:
    found = done.as_dict()
    if found["effective_energy_kev"] is not None:
        click.echo(f"Effective energy {found['effective_energy_kev']:g} keV, r2 {found['r2']:.5f}")
    line = found["hu_to_density"]
    click.echo(f"Density = {line['slope']:.6g} HU + {line['intercept']:.6g}  ({line['unit']})")
    for hu, density in found["density_mg_cc"].items():
        click.echo(f"{hu:>6} HU  {density:8.1f} ± {found['error_mg_cc'][hu]:.1f} mg/cc K2HPO4")
    for note in done.warnings:
        click.echo(f"note: {note['text']}", err=True)
    click.echo(f"Written: {done.out}  SHA-256 {done.sha256}")
