"""What the descriptions of a run keep beside their rows: outlines that the study drew, and facts no model looks at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onclair.core.values import Mask
from onclair.io.nifti import read_mask
from onclair.run.describe import FACTS, OUTLINE, STAGE
from onclair.run.store import read_evidence


def facts_of(root: Path, patient: str) -> Mapping[str, Any]:
    """Return the facts that the description of one patient keeps; empty where it keeps none.

    Parameters
    ----------
    root : Path
        The run's folder.
    patient : str

    Raises
    ------
    BadInput
        When the patient was not described.
    """
    found: Mapping[str, Any] = read_evidence(root / STAGE / patient).facts.get(FACTS, {})
    return found


def outline_of(root: Path, patient: str, name: str, labels: Mapping[int, str] | None = None) -> Mask:
    """Return an outline that the study drew of one patient.

    Parameters
    ----------
    root : Path
        The run's folder.
    patient, name : str
    labels : mapping of int to str, optional
        As :func:`onclair.io.nifti.read_mask`.

    Raises
    ------
    BadCase
        When there is none, or it cannot be read.
    """
    return read_mask(root / STAGE / patient / OUTLINE.format(name), labels=labels, of=f"the outline '{name}' of {patient}")
