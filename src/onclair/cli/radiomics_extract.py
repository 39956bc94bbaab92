"""`onclair radiomics extract`: features of a cohort, or of one image."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from onclair.cli.options import as_json, folder, print_json, workers
from onclair.core.errors import BadSetting

if TYPE_CHECKING:
    from onclair.run.extraction import Extracted, OneImage
    from onclair.run.extraction_maps import Mapped
    from onclair.run.pool import MapFunction


@click.command()
@click.option("--data", type=folder, default=None, help="A cohort folder: every image with an outline is a row.")
@click.option("--image", type=folder, default=None, help="One image: NIfTI, or a folder or file of a DICOM series.")
@click.option("--mask", type=folder, default=None, help="Its outline: NIfTI, RTSTRUCT or SEG.")
@click.option("--series", default=None, help="Of a DICOM folder with several series: the SeriesInstanceUID of the image.")
@click.option("--structure", default=None, help="The structure to take, by name; of a NIfTI, by number. Needed where there are several.")
@click.option("--kind", default=None, help="With --data: the kind of acquisition to describe, where there are several, such as pet.")
@click.option(
    "--settings", default="pet-fbs-0.5", show_default=True, help="The name of settings (ibsi-a, pyradiomics-bw25...), or a TOML file."
)
@click.option("--maps", default=None, help="Write voxel-wise maps of these features or families, apart by commas, instead of the features.")
@click.option("--map-radius", type=float, default=None, help="Half-width of a map's kernel in voxels; 1 when left out.")
@click.option("--map-radius-mm", type=float, default=None, help="Radius of a map's kernel in mm, a ball, instead of voxels.")
@click.option("--map-slices", is_flag=True, help="Keep each map's kernel in its slice, for the 2D features.")
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
    With --maps, each voxel of one image gets the feature of its neighbourhood, one NIfTI a feature.
    """
    _check(given)
    if given["maps"] is not None:
        maps = _maps(given)
        print_json(maps.as_dict()) if as_json else _tell_maps(maps)
    elif given["data"] is not None:
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
    if given["data"] is not None and given["series"] is not None:
        raise BadSetting("--series chooses the series of one image; with --data, acquisitions.csv names each.", item="--series")
    _check_maps(given)


def _check_maps(given: dict[str, Any]) -> None:
    """Refuse flags of maps that lack their image or folder, or contradict each other."""
    asked = [flag for flag in ("map_radius", "map_radius_mm", "map_slices") if given[flag] not in (None, False)]
    if given["maps"] is None and asked:
        name = "--" + asked[0].replace("_", "-")
        raise BadSetting(f"{name} is for maps; name them with --maps, or leave it out.", item=name)
    if given["maps"] is not None and (given["image"] is None or given["out"] is None):
        raise BadSetting("Maps are made of one image and written into a folder; give --image, --mask and --out.", item="--maps")
    if given["map_radius"] is not None and given["map_radius_mm"] is not None:
        raise BadSetting("The kernel of the maps has two radii; give --map-radius or --map-radius-mm.", item="--map-radius")
    if given["maps"] is not None and given["address"] is not None:
        raise BadSetting("Maps of one image are made here, not on a scheduler; leave --dask out.", item="--dask")


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

    order = Order(recipe(given["settings"]), given["out"], given["structure"])
    return extract_image(given["image"], given["mask"], order, series=given["series"])


def _maps(given: dict[str, Any]) -> Mapped:
    from onclair.run.extraction import name_of
    from onclair.run.extraction_maps import MapOrder, map_image
    from onclair.run.outlined import series_at
    from onclair.run.pool import cores
    from onclair.run.recipes import recipe
    from onclair.science.radiomics.voxel_maps import Kernel

    radius, dimensions = given["map_radius_mm"], _dimensions(given)
    kernel = (
        Kernel(1.0 if given["map_radius"] is None else given["map_radius"], "voxels", dimensions)
        if radius is None
        else Kernel(radius, "mm", dimensions)
    )
    tags = tuple(word.strip() for word in given["maps"].split(",") if word.strip())
    order = MapOrder(recipe(given["settings"]), tags, given["out"], kernel, given["structure"], given["workers"] or cores())
    return map_image(series_at(given["image"], given["series"]), given["mask"], name_of(given["image"]), order)


def _dimensions(given: dict[str, Any]) -> Literal[2, 3]:
    return 2 if given["map_slices"] else 3


def _pool(workers: int | None, address: str | None) -> AbstractContextManager[MapFunction]:
    """Return the workers: processes here, or those of a Dask scheduler."""
    if address is not None:
        from onclair.run.dask import scheduled

        return scheduled(address)
    from onclair.run.pool import cores, pool

    return pool(workers or cores())


def _tell_maps(found: Mapped) -> None:
    for note in found.notes:
        click.echo(f"note: {note['text']}", err=True)
    for one in found.maps:
        span = "undefined everywhere" if one["low"] is None else f"{one['low']:.6g} to {one['high']:.6g}"
        missing = f", undefined in {one['undefined']}" if one["undefined"] and one["low"] is not None else ""
        click.echo(f"{one['tag']}: {span} in {one['voxels']} voxels{missing}. Written: {one['file']}")


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
