"""Who was left out, and why, in words that may be published: a patient's code, never the name of a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from onclair.core.cohort import Cohort


def left_out(problems: Iterable[tuple[str, str]], cohort: Cohort) -> list[dict[str, str]]:
    """Return ``patient`` and ``reason`` of everybody who was left out, in order of patient.

    File names often hold names and record numbers; the terminal shows them to the person at the keyboard, the evidence does not.

    Parameters
    ----------
    problems : iterable of (patient, sentence)
    cohort : Cohort
        Whose table names the files.
    """
    told = [{"patient": patient, "reason": without_files(sentence, cohort, patient)} for patient, sentence in problems]
    return sorted(told, key=lambda who: (who["patient"], who["reason"]))


def without_files(sentence: str, cohort: Cohort, patient: str) -> str:
    """Return a sentence with every path and file name of the patient replaced by "its KIND file".

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"patient": "P1", "centre": "A", "visit": "", "kind": "pet", "path": "in/DUPONT_1952.nii.gz"}
    >>> one = Cohort(pd.DataFrame([row]), pd.DataFrame({"patient": ["P1"]}))
    >>> without_files("The PET of P1 (DUPONT_1952.nii.gz) is cut short.", one, "P1")
    'The PET of P1 (its pet file) is cut short.'
    """
    rows = cohort.acquisitions[cohort.acquisitions["patient"] == patient]
    for kind, path in zip(rows["kind"], rows["path"].astype(str), strict=True):
        for written in (str((cohort.root or Path()) / path), path, Path(path).name):
            sentence = sentence.replace(written, f"its {kind} file")
    return sentence
