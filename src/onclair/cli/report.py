"""`onclair report RUN`: the report again, in another format or language."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from onclair.cli.options import folder

KINDS = ("html", "pdf", "json", "schema", "fhir", "checklists")


@click.command()
@click.argument("run", type=folder)
@click.option("--format", "kind", type=click.Choice(KINDS), default="html", show_default=True, help="What to write.")
@click.option("--lang", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Language of the words.")
@click.option("--out", type=folder, default=None, help="The file; printed when left out.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def report(run: Path, kind: str, lang: str, out: Path | None, as_json: bool) -> None:
    """Write a run's report again, in English or French.

    html and pdf are for people; json holds the same facts, schema says how json is laid out, fhir gives FHIR R5 resources and
    checklists TRIPOD+AI, PROBAST+AI, CLAIM and METRICS. The report is a function of the evidence alone; a run whose evidence
    was changed is refused.
    """
    from onclair.core.errors import BadSetting, NoRoom
    from onclair.io.files import write_atomically
    from onclair.report.files import BINARY, rendered
    from onclair.run.store import claim_of

    kind = "json" if as_json else kind
    if out is not None and out.is_dir():
        raise NoRoom(f"{out} is a folder; name a file after --out, such as {out / f'report.{kind}'}.", item=str(out))
    if out is None and kind in BINARY and sys.stdout.isatty():
        raise BadSetting(f"A {kind.upper()} is no text that a terminal could show; name a file, such as --out report.{kind}.", item=kind)
    content = rendered(claim_of(run), kind, "fr" if lang == "fr" else "en")
    if out is None:
        click.echo(content, nl=False)
    else:
        write_atomically(out, content)
        click.echo(str(out))
