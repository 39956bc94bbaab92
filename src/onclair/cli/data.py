"""`onclair data list|get|where`: named public data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json

if TYPE_CHECKING:
    from onclair.io.public_data import Dataset


@click.group()
def data() -> None:
    """List and fetch named public data: source, licence, citation, SHA-256."""


@data.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the named data sets with licence, size and citation."""
    from onclair.io.registry import listing

    entries = listing()
    if as_json:
        print_json({"datasets": [_record(entry) for entry in entries], "warnings": []})
        return
    for entry in entries:
        click.echo(f"{entry.name:28} {entry.size / 1e6:7.1f} MB  {entry.licence}\n    {entry.title}\n    {entry.citation}")


@data.command()
@click.argument("name")
@click.option("--out", type=folder, required=True, help="The cohort folder to write.")
@click.option("--mirror", type=folder, default=None, help="Take the same files from this folder instead of the network.")
@as_json
def get(name: str, out: Path, mirror: Path | None, as_json: bool) -> None:
    """Fetch a named data set, verify every file, and lay out a cohort folder.

    A broken download goes on where it stopped. A file whose SHA-256 is another is refused.
    """
    from onclair.cli.terminal import listener
    from onclair.io.registry import dataset
    from onclair.io.registry import get as fetch

    with listener(quiet=as_json) as progress:
        path = fetch(name, out, mirror=mirror, progress=progress)
    entry = dataset(name)
    if as_json:
        print_json({"name": name, "out": str(path), "licence": entry.licence, "citation": entry.citation, "warnings": []})
    else:
        click.echo(f"{path}: {entry.title}. Licence {entry.licence}. Please cite: {entry.citation}")


@data.command()
@click.argument("name")
@as_json
def where(name: str, as_json: bool) -> None:
    """Say where a named data set comes from: addresses, commit, SHA-256, licence, citation."""
    from onclair.io.registry import dataset

    entry = dataset(name)
    if as_json:
        print_json({**_record(entry), "warnings": []})
        return
    click.echo(f"{entry.title}\nLicence {entry.licence}\nPlease cite: {entry.citation}")
    for file in entry.files:
        click.echo(f"{file.sha256}  {file.size:>10}  {file.url}")


def _record(entry: Dataset) -> dict[str, Any]:
    """Return what `--json` prints of a data set."""
    return {
        "name": entry.name,
        "title": entry.title,
        "licence": entry.licence,
        "citation": entry.citation,
        "source": entry.source,
        "bytes": entry.size,
        "files": [{"url": f.url, "sha256": f.sha256, "bytes": f.size, "path": f.path, "mirror": f.mirror} for f in entry.files],
    }
