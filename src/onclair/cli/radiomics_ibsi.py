"""`onclair radiomics ibsi`: every reference value of the IBSI beside what is computed here."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from onclair.cli.options import as_json, folder, print_json


@click.command()
@click.option("--reference-data", type=folder, required=True, help="The folder that holds ibsi1/ and ibsi2/, or radiomics/ with them.")
@click.option("--maps", type=folder, default=None, help="The reference response maps of IBSI-2, named like 1_a_1-ValidCRM.nii.")
@as_json
def ibsi(reference_data: Path, maps: Path | None, as_json: bool) -> None:
    """Compare every reference value of the IBSI with what is computed here; exit code 1 unless all agree."""
    from onclair.run.ibsi import check_ibsi
    from onclair.run.ibsi2 import further

    found = check_ibsi(reference_data, further(maps))
    if as_json:
        print_json({**found, "warnings": []})
    else:
        _tell(found["sets"])
    sys.exit(0 if all(score["passed"] == score["total"] for score in found["sets"].values()) else 1)


def _tell(sets: dict[str, dict[str, object]]) -> None:
    for name, score in sets.items():
        click.echo(f"{name:8} {score['passed']} of {score['total']}")
        failed = score["failed"]
        for row in failed if isinstance(failed, list) else ():
            click.echo(f"  {row['tag']}: {row['value']} for {row['reference']} +- {row['tolerance']}", err=True)
