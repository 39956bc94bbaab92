"""`onclair demo`: every study's main job on embedded virtual patients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from onclair.cli.options import as_json, folder, language, print_json, workers


@click.command()
@click.argument("studies", nargs=-1)
@click.option(
    "--out",
    type=folder,
    default=Path("out/demo"),
    show_default=True,
    help="Where cohorts and runs go; a finished demo there is verified and shown again.",
)
@click.option("--tiny", is_flag=True, help="The conformance suite's small cohorts: seconds, for trying things out.")
@workers
@language
@as_json
def demo(studies: tuple[str, ...], out: Path, tiny: bool, workers: int | None, lang: str, as_json: bool) -> None:
    """Run every study's main job on virtual patients; nothing is downloaded.

    Each study's virtual cohort is made, run, and judged beside its rivals. Figures are virtual: they say nothing about a person.
    """
    from onclair.cli.run import summary
    from onclair.cli.terminal import listener, show_result
    from onclair.report.files import report_files
    from onclair.run.demonstration import demonstrate
    from onclair.run.pool import cores
    from onclair.studies import load, names

    done: dict[str, Any] = {}
    for name in studies or names():
        study = load(name)
        with listener(quiet=as_json) as progress:
            place = out / (f"{name}-tiny" if tiny else name)
            result = demonstrate(study, place, report_files, tiny=tiny, workers=workers or cores(), progress=progress)
        done[name] = summary(result, lang)
        if not as_json:
            click.echo(f"\n{study.question.in_('fr' if lang == 'fr' else 'en')}\n")
            show_result(result, lang)
    if as_json:
        print_json({"studies": done, "warnings": [{"code": "virtual", "text": "All figures are from virtual patients."}]})
