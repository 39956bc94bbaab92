"""What runs at a hospital: pure functions from a state and a site's rows to the numbers that leave.

One program a subject; each says in plain words what it computes, which arrays leave, and what they could tell of patients.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from onclair.core.errors import BadInput
from onclair.core.names import did_you_mean
from onclair.federate.values import Program
from onclair.io.source import source_sha256

#: Name -> module and attribute; nothing is imported before it is asked for.
PROGRAMS: Mapping[str, str] = {
    "count": "onclair.federate.programs.count:count",
    "moments": "onclair.federate.programs.moments:moments",
    "histogram": "onclair.federate.programs.histogram:histogram",
    "glm": "onclair.federate.programs.glm:glm",
    "cox_stratified": "onclair.federate.programs.cox:cox_stratified",
    "cox": "onclair.federate.programs.cox:cox",
    "combat": "onclair.federate.programs.combat:combat",
    "roc_counts": "onclair.federate.programs.counts:roc_counts",
    "calibration_counts": "onclair.federate.programs.counts:calibration_counts",
    "conformal_counts": "onclair.federate.programs.counts:conformal_counts",
    "describe_cohort": "onclair.federate.programs.describe_cohort:describe_cohort",
}


def program_of(name: str) -> Program:
    """Return a program by name.

    Raises
    ------
    BadInput
        For an unknown name; the nearest known one is quoted.

    Examples
    --------
    >>> program_of("count").name
    'count'
    """
    if name not in PROGRAMS:
        raise BadInput(f"There is no site program '{name}'; {did_you_mean(name, PROGRAMS)}", item=name)
    module, _, attribute = PROGRAMS[name].partition(":")
    found: Program = getattr(import_module(module), attribute)
    return found


def program_sha256(name: str) -> str:
    """Return the hash of everything that a program can reach: what a site's allow-list names.

    Raises
    ------
    BadInput
        As :func:`program_of`.
    """
    return source_sha256(program_of(name).run)
