"""`onclair verify RUN`: recompute every hash."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from onclair.cli.options import as_json, folder, print_json


@click.command()
@click.argument("run", type=folder)
@as_json
def verify(run: Path, as_json: bool) -> None:
    """Recompute every hash of a run; name what was changed, added or removed.

    Exit code 0 when every byte is as it was written, 1 when not. A run that was moved or copied still verifies.
    """
    from onclair.run.verify import verify as recompute

    found = recompute(run)
    if as_json:
        print_json(found.as_dict())
    elif found.valid:
        click.echo(f"Valid: {found.records} records, every byte as it was written. Seal {found.seal}")
    else:
        click.echo(f"Not valid: {len(found.problems)} problems in {run}.", err=True)
        for problem in found.problems:
            click.echo(f"  {problem.message}", err=True)
    sys.exit(0 if found.valid else 1)
