"""`onclair spectra replay`: a session recomputed from its stored frames."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from onclair.cli.options import as_json, folder, print_json


@click.command()
@click.argument("session", type=folder)
@click.option("--model", type=folder, default=None, help="The run whose model the session locked; not needed where the rule answered.")
@as_json
def replay(session: Path, model: Path | None, as_json: bool) -> None:
    """Recompute each marked site of SESSION from its stored frames. Exit code 0 when all come out the same, 1 when not."""
    from onclair.studies.tasks.spectra_session_replay import replay as recompute

    found = recompute(session, model=model)
    if as_json:
        print_json({"estimates": [], **found.as_dict(), "warnings": []})
    else:
        click.echo(f"{found.reproduced} of {found.rows} rows are reproduced from the stored frames.")
        for difference in found.differences:
            click.echo(f"  {difference.reason}", err=True)
    sys.exit(1 if found.differences else 0)
