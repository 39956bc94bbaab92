"""`onclair report RUN`: the report again, in another format or language."""

from __future__ import annotations

from pathlib import Path

import click

from onclair.cli.options import folder


@click.command()
@click.argument("run", type=folder)
@click.option("--format", "kind", type=click.Choice(["html", "json"]), default="html", show_default=True, help="What to write.")
@click.option("--lang", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Language of the words.")
@click.option("--out", type=folder, default=None, help="The file; printed when left out.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def report(run: Path, kind: str, lang: str, out: Path | None, as_json: bool) -> None:
    """Write a run's report again: html or json, in English or French.

    The report is a function of the evidence alone; a run whose evidence was changed is refused.
    """
    from onclair.core.errors import NoRoom
    from onclair.io.files import write_atomically
    from onclair.report.files import rendered
    from onclair.run.replay import claim_of

    if out is not None and out.is_dir():
        raise NoRoom(f"{out} is a folder; name a file after --out, such as {out / 'report.html'}.", item=str(out))
    content = rendered(claim_of(run), "json" if as_json else kind, "fr" if lang == "fr" else "en")
    if out is None:
        click.echo(content.decode(), nl=False)
    else:
        write_atomically(out, content)
        click.echo(str(out))
