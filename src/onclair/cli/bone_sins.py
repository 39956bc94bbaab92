"""`onclair bone sins`: the spinal instability neoplastic score."""

from __future__ import annotations

from typing import Any

import click

from onclair.cli.bone_mirels import show
from onclair.cli.options import as_json


@click.command()
@click.option("--location", default=None, help="The level, such as L1 (C0 to C7, T1 to T13, L1 to L6, S1 to S5).")
@click.option("--pain", default=None, help="mechanical, occasional, or none.")
@click.option("--type", "lesion_type", default=None, help="lytic, mixed, or blastic.")
@click.option("--alignment", default=None, help="translation, deformity, or normal.")
@click.option("--collapse", default=None, help="over-half, under-half, none-involved (more than half of the body is involved), or none.")
@click.option("--posterolateral", default=None, help="Involvement: bilateral, unilateral, or none.")
@as_json
def sins(as_json: bool, **given: Any) -> None:
    """Score a spinal metastasis by SINS; an unanswered item gives a range.

    Fisher et al. 2010, doi 10.1097/BRS.0b013e3181e16ae2: 0 to 6 stable, 7 to 12 potentially unstable, 13 to 18 unstable.
    """
    from onclair.science.bone.scores import sins as score

    show(score(**given), as_json=as_json)
