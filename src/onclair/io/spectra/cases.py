"""New cases of spectra: tables or instruments' files with the ABOUT that describes them, as a cohort without outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from onclair.core.cohort import Cohort
from onclair.core.errors import BadInput
from onclair.core.names import did_you_mean
from onclair.io.cohorts.cases import NO_CENTRE
from onclair.io.cohorts.codes import checked_code
from onclair.io.spectra.about import KINDS, check_columns
from onclair.io.tables import read_table

_TEXTS = ("patient", "column", "point", "kind", "file", "frame", "settings_id")


def cases_from_about(files: Sequence[Path], about: Path) -> Cohort:
    """Return the points that an ABOUT describes as a cohort.

    Parameters
    ----------
    files : sequence of Path
        Tables of spectra or instruments' files; in the latter the columns are the roles ``processed sample dark reference``.
    about : Path
        A row a column, as :func:`~onclair.io.spectra.about.read_measurements` takes it. ``file`` names the file where there are several,
        or is its path from the ABOUT's own folder, which it may not leave; ``patient`` says whose point it is. Without ``patient`` all is
        one case, called by the ABOUT's stem.

    Returns
    -------
    Cohort
        Centre ``"unknown"``.

    Raises
    ------
    BadInput
        For a file that does not exist, a row that names none of the files or one outside of the ABOUT's folder, two files of one name, or
        no name where there are several.
    BadTable
        For an ABOUT that cannot be read or lacks a column.
    BadCohort
        For a patient's code that may identify a person.
    """
    for path in files:
        if not path.is_file():
            raise BadInput(f"There is no file {path}; give the tables or instrument files that {about.name} describes.", item=str(path))
    frame = read_table(about, text=_TEXTS).frame
    check_columns([str(name) for name in frame.columns if name not in ("patient", "file")], about.name)
    if "patient" not in frame.columns:
        frame["patient"] = about.stem
    if "kind" not in frame.columns:
        frame["kind"] = KINDS[0]
    named = frame["file"] if "file" in frame.columns else pd.Series([None] * len(frame), index=frame.index)
    frame["path"] = [_place(name, files, about) for name in named]
    frame = frame.assign(centre=NO_CENTRE, visit="", kind=frame["kind"].fillna(KINDS[0]))
    for name in ("point", "excitation_nm"):
        if name not in frame.columns:
            frame[name] = None
    patients = [checked_code(str(name), where=about.name) for name in frame["patient"].unique()]
    first = ["patient", "centre", "visit", "kind", "path"]
    rows = frame[[*first, *(name for name in frame.columns if name not in (*first, "file"))]]
    return Cohort(rows, pd.DataFrame({"patient": patients}))


def _place(name: object, files: Sequence[Path], about: Path) -> str:
    """Return the file that a row names: by its name among those given, or by its path from the folder of the ABOUT."""
    if not isinstance(name, str) or not name:
        if len(files) == 1:
            return str(files[0].resolve())
        raise BadInput(f"{len(files)} files were given and a row of {about.name} does not say which it describes; fill its column 'file'.")
    called = {path.resolve() for path in files if path.name == name}
    if len(called) == 1:
        return str(called.pop())
    home = about.resolve().parent
    there = (home / name).resolve()
    if there in {path.resolve() for path in files}:
        return str(there)
    if called:
        said = f"{about.name} names the file '{name}', and {len(called)} files of that name were given"
        raise BadInput(f"{said}; write its path from the folder of {about.name}.", item=name)
    if not there.is_relative_to(home):
        said = f"{about.name} names the file '{name}', which lies outside of its folder"
        raise BadInput(f"{said}; give it after --input, or write a path within {home}.", item=name)
    if not there.is_file():
        known = [path.name for path in files]
        said = f"{about.name} names the file '{name}', which was not given and does not lie beside it"
        raise BadInput(f"{said}; {did_you_mean(name, known)}", item=name)
    return str(there)
