"""`onclair radiomics extract`: features of a cohort, or of one image."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json, workers
from onclair.core.errors import BadSetting

if TYPE_CHECKING:
    from onclair.run.extraction import Extracted, OneImage
    from onclair.run.pool import MapFunction


@click.command()
@click.option("--data", type=folder, default=None, help="A cohort folder: every image with an outline is a row.")
@click.option("--image", type=folder, default=None, help="One image: NIfTI, or a folder or file of a DICOM series.")
@click.option("--mask", type=folder, default=None, help="Its outline: NIfTI, RTSTRUCT or SEG.")
@click.option("--structure", default=None, help="The structure to take, by name; of a NIfTI, by number. Needed where there are several.")
@click.option("--kind", default=None, help="With --data: the kind of acquisition to describe, where there are several, such as pet.")
@click.option(
    "--settings", default="pet-fbs-0.5", show_default=True, help="The name of settings (ibsi-a, pyradiomics-bw25...), or a TOML file."
)
@workers
@click.option("--dask", "address", default=None, help="A running Dask scheduler to work on, such as tcp://127.0.0.1:8786.")
@click.option(
    "--out", type=folder, default=None, help="Keep rows and table here; an unfinished extraction in it goes on. With --data: NAME-features."
)
@as_json
def extract(as_json: bool, **given: Any) -> None:
    """Extract IBSI features: of every patient of a cohort, resumed where it stopped, or of one image.

    Give --data, or --image with --mask. Settings: ibsi-digital, ibsi-a to ibsi-e, ibsi2-1.A to ibsi2-9.B, pet-fbs-0.5, pyradiomics-bw25,
    pyradiomics-bw25-1mm, pyradiomics-bw0.5, or a TOML file of your own. A patient whose files cannot be used is told and left out.
    """
    _check(given)
    if given["data"] is not None:
        found = _cohort(given, quiet=as_json)
        print_json(found.as_dict()) if as_json else _tell(found)
    else:
        one = _image(given)
        print_json(one.as_dict()) if as_json else _tell_features(one)


def _check(given: dict[str, Any]) -> None:
    """Refuse flags that contradict each other."""
    image, mask = given["image"], given["mask"]
    if (given["data"] is None) == (image is None and mask is None):
        raise BadSetting("Give either a cohort with --data, or one image with --image and --mask.", item="--data")
    if given["data"] is None and (image is None or mask is None):
        raise BadSetting("An image needs its outline and an outline its image; give both --image and --mask.", item="--mask")
    if given["address"] is not None and given["workers"] is not None:
        raise BadSetting("--workers is for processes here and --dask for a scheduler's workers; give one of them.", item="--dask")


def _cohort(given: dict[str, Any], *, quiet: bool) -> Extracted:
    from onclair.cli.terminal import listener
    from onclair.run.extraction import Order, extract_cohort
    from onclair.run.recipes import recipe

    data: Path = given["data"]
    chosen, out = recipe(given["settings"]), given["out"] or Path(f"{data.resolve().name}-features")
    with listener(quiet=quiet) as progress, _pool(given["workers"], given["address"]) as over:
        return extract_cohort(data, Order(chosen, out, given["structure"], progress), over, kind=given["kind"])


def _image(given: dict[str, Any]) -> OneImage:
    from onclair.run.extraction import Order, extract_image
    from onclair.run.recipes import recipe

    return extract_image(given["image"], given["mask"], Order(recipe(given["settings"]), given["out"], given["structure"]))


def _pool(workers: int | None, address: str | None) -> AbstractContextManager[MapFunction]:
    """Return the workers: processes here, or those of a Dask scheduler."""
    if address is not None:
        from onclair.run.dask import scheduled

        return scheduled(address)
    from onclair.run.pool import cores, pool

    return pool(workers or cores())


def _tell(found: Extracted) -> None:
    for one in found.left_out:
        click.echo(f"left out: {one['reason']}", err=True)
    for note in found.notes:
        click.echo(f"note: {note['text']}", err=True)
    counted = f"{found.frame.shape[0]} rows, {found.frame.shape[1]} columns"
    click.echo(f"{counted}: {found.extracted} extracted, {found.reused} reused, {len(found.left_out)} failed")
    if found.table is not None:
        click.echo(f"Table: {found.table}  SHA-256 {found.table_sha256}")


def _tell_features(one: OneImage) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("feature", "value")
    for tag, value in one.features.items():
        table.add_row(tag, one.reasons.get(tag) or f"{value:.9g}")
    Console().print(table)
    _tell(one.extracted)
