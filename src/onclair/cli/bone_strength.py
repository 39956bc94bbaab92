"""`onclair bone strength`: what load a bone still bears."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json
from onclair.core.errors import BadSetting

if TYPE_CHECKING:
    from onclair.studies.tasks.bone_strength import Done

CASES = ("uniaxial", "constrained-axial", "confined", "spine-compression", "femur-stance", "femur-sideways-fall")
LAWS = ("kopperdahl-vertebra", "keyak-femur", "morgan-neck", "morgan-vertebra")


@click.command()
@click.option("--material", type=folder, default=None, help="A map of Young's modulus in MPa, 0 where there is nothing (NIfTI).")
@click.option("--image", type=folder, default=None, help="A CT, NIfTI or DICOM; with --calibration.")
@click.option("--series", default=None, help="Of a DICOM folder with several series: which.")
@click.option("--calibration", type=folder, default=None, help="What 'bone calibrate' wrote for that CT.")
@click.option("--density", type=folder, default=None, help="K2HPO4-equivalent density in mg/cc (NIfTI).")
@click.option("--case", type=click.Choice(CASES), required=True, help="How the bone is loaded.")
@click.option("--bone-mask", type=folder, default=None, help="The bone, or labels of several: NIfTI or SEG.")
@click.option("--label", "label", multiple=True, help="The bone's value in the mask; several of one bone with commas, such as 20,48.")
@click.option("--lesions", type=folder, default=None, help="Lesions, binary or numbered: NIfTI or SEG.")
@click.option("--side", type=click.Choice(["left", "right"]), default=None, help="Of a femur in TotalSegmentator's labels.")
@click.option(
    "--axis", type=click.Choice(["x", "y", "z"]), default="z", show_default=True, help="The patient's axis that the load runs along."
)
@click.option("--strain", type=float, default=None, help="Of the loaded height, negative in compression; -0.01 where nothing is said.")
@click.option("--displacement", type=float, default=None, help="Of the moved end in mm, negative in compression, instead of a strain.")
@click.option("--poisson", type=float, default=0.3, show_default=True, help="Poisson ratio, in [0, 0.5).")
@click.option("--caps-mpa", type=float, default=2500.0, show_default=True, help="Young's modulus of the cement caps.")
@click.option("--law", type=click.Choice(LAWS), default=None, help="From density to stiffness; Keyak for femurs, else Kopperdahl.")
@click.option("--body-mass-kg", type=float, default=None, help="Sets the strength against loads of daily life.")
@click.option("--voxel-mm", type=float, default=None, help="Coarser voxels; the scan's own when left out.")
@click.option("--samples", type=int, default=16, show_default=True, help="Outlines of the lesions that are drawn; 0 for none.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the outlines.")
@click.option("--threads", type=click.IntRange(min=1), default=2, show_default=True, help="Of the solver.")
@click.option("--out", type=folder, required=True, help="The folder for fields and figures; not there yet, or empty.")
@as_json
def strength(as_json: bool, out: Path, **given: Any) -> None:
    """Estimate the load a bone still bears, with the band that nobody can narrow.

    A tumour's stiffness is not known: the strength is computed with the tumour at its calibrated density, at half and a tenth of the
    stiffness around it, and as a void. The interval holds all four, the doubt of its outline, and the calibration's error.
    """
    from onclair.studies.tasks.bone_strength import Loading, bone_strength
    from onclair.studies.tasks.bone_strength_inputs import Source

    names = ("material", "image", "series", "calibration", "density", "bone_mask", "lesions", "side")
    source = Source(**{name: given.pop(name) for name in names}, label=_labels(given.pop("label")))
    done = bone_strength(source, Loading(**given), out, say=_silent if as_json else _say)
    print_json(done.as_dict()) if as_json else _tell(done)


def _labels(texts: tuple[str, ...]) -> tuple[int, ...]:
    text = ",".join(texts)
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not all(word.isdecimal() and int(word) > 0 for word in words):
        raise BadSetting(f"The label is '{text}'; give whole numbers above 0 with commas between, such as 20,48.", item="label")
    return tuple(int(word) for word in words)


def _say(what: str) -> None:
    click.echo(f"solving: {what}", err=True)


def _silent(what: str) -> None:
    del what


def _tell(done: Done) -> None:
    found = done.strength
    model = done.as_dict()["model"]
    click.echo(f"{model['elements']} elements, {model['removed_elements']} removed; {found.solution.iterations} iterations")
    for estimate in found.estimates(body_mass_kg=done.body_mass_kg):
        click.echo(f"{estimate.name:<14} {estimate.text(2 if estimate.unit == '1' else 0)} {'' if estimate.unit == '1' else estimate.unit}")
    for step in found.band:
        click.echo(f"  tumour as {step.assumption:<8} {step.stiffness_n_per_mm:10.0f} N/mm {step.strength_n:10.0f} N")
    if found.strength is not None and found.strength.dominant is not None:
        click.echo(f"  the interval is mostly {found.strength.dominant}")
    if found.ctra.worst is not None:
        risk = "at risk" if found.ctra.at_risk else "not at risk"
        click.echo(f"Rigidity: worst loss {100 * found.ctra.worst:.0f} % against {found.ctra.against}: {risk} (35 %)")
    for row in done.load["tasks"]:
        click.echo(f"{row['task']}: {row['load_N']:.0f} N, {row['ratio']:.2f} of the strength")
    for warning in done.warnings:
        click.echo(f"note: {warning['text']}", err=True)
    for path in done.outputs.values():
        click.echo(f"Written: {path}")
