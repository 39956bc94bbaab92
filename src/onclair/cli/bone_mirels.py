"""`onclair bone mirels`: the score of a long-bone metastasis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, print_json

if TYPE_CHECKING:
    from onclair.science.bone.scores import Score


@click.command()
@click.option("--site", default=None, help="upper (limb), lower, or peritrochanteric.")
@click.option("--pain", default=None, help="mild, moderate, or functional.")
@click.option("--type", "lesion_type", default=None, help="blastic, mixed, or lytic.")
@click.option("--size-fraction", type=float, default=None, help="Share of the bone's cross-section that is destroyed, 0 to 1.")
@as_json
def mirels(as_json: bool, **given: Any) -> None:
    """Score a long-bone metastasis by Mirels; an unanswered item gives a range.

    Mirels 1989, doi 10.1097/00003086-198912000-00027: 7 or less, 8, 9 or more.
    """
    from onclair.science.bone.scores import mirels as score

    show(score(**given), as_json=as_json)


def show(found: Score, *, as_json: bool) -> None:
    """Print a score, as JSON or in words."""
    if as_json:
        print_json({"estimates": [], "warnings": [], **found.as_dict()})
        return
    click.echo(f"Score {found.score}" if found.score is not None else f"Score {found.low} to {found.high}: not every item was answered")
    for item, points in found.parts.items():
        click.echo(f"  {item:<15} {'not answered' if points is None else points}")
    click.echo(found.advice)
