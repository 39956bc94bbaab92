"""The stage `report`: a claim's files, made once and kept as long as claim and renderer are the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from onclair.core.evidence import Evidence
from onclair.io.source import source_sha256
from onclair.run.environment import environment
from onclair.run.store import Store

#: Renders a validate record into files: name -> bytes. The report room's function, handed in by the doors.
Renderer = Callable[[Evidence], dict[str, bytes]]


def write_report(store: Store, render: Renderer, claim: Evidence) -> Evidence:
    """Write the stage, or take it as it stands where claim and renderer are the same.

    Parameters
    ----------
    store : Store
    render : callable
    claim : Evidence
        The validate record.

    Returns
    -------
    Evidence
    """
    evidence = Evidence("report", "", {"validate": claim.id}, {}, source_sha256(render), environment())
    found = store.find("report", evidence.key)
    if found is not None:
        return found
    files = render(claim)

    def fill(partial: Path) -> None:
        for name, content in files.items():
            (partial / name).write_bytes(content)

    return store.write("report", evidence, fill)
