"""Training layouts into a cohort folder: every label map checked against its image, files linked or copied byte for byte, paths kept."""

from __future__ import annotations

import os
import shutil
from builtins import map as in_turn
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from onclair.core.cohort import ACQUISITION_COLUMNS, Cohort
from onclair.core.errors import BadInput, OnclairError
from onclair.core.progress import Listener, Progress, silent
from onclair.io.cohorts.folder import write_tables
from onclair.io.files import sealed_folder
from onclair.io.layouts.bids import read_bids
from onclair.io.layouts.label_maps import check_label_map, grid_of
from onclair.io.layouts.label_names import write_label_names
from onclair.io.layouts.labelled import LESIONS, Labelled, LabelledCase, LeftOut, Owners
from onclair.io.layouts.msd import read_msd
from onclair.io.layouts.nnunet import read_nnunet

Layout = Literal["nnunet", "msd", "bids"]
MapFunction = Callable[..., Iterator[Any]]
_READERS = {"nnunet": read_nnunet, "msd": read_msd, "bids": read_bids}
_UNITS = {"ct": "HU"}
_TITLES = {"nnunet": "Imported from nnU-Net's raw layout", "msd": "Imported from the Decathlon's layout", "bids": "Imported from BIDS"}


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose the cases are, where the layout does not say.

    Attributes
    ----------
    patients : path or None
        A table ``case,patient[,centre]``; ``patients.csv`` in the folder where left out.
    centre : str
        Of those whose centre no table names.
    labels_as : str
        Kind of the label maps in the cohort.
    skip_bad : bool
        True goes on without what cannot be used; the result lists it.

    Examples
    --------
    >>> Whose().labels_as
    'lesions'
    """

    patients: Path | None = None
    centre: str = ""
    labels_as: str = LESIONS
    skip_bad: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """What went from one layout to another and what did not.

    Attributes
    ----------
    out : Path
    layout : str
    cases, patients : int
    centres : mapping of str to int
        Patients of each.
    acquisitions : mapping of str to int
        Files of each kind.
    left_out : tuple of LeftOut
    notes : tuple of mapping
        ``code text``.
    """

    out: Path
    layout: str
    cases: int
    patients: int
    centres: Mapping[str, int]
    acquisitions: Mapping[str, int]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[Mapping[str, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "out": str(self.out),
            "layout": self.layout,
            "cases": self.cases,
            "patients": self.patients,
            "centres": dict(self.centres),
            "acquisitions": dict(self.acquisitions),
            "left_out": [{"patient": one.patient, "item": one.item, "reason": one.reason} for one in self.left_out],
            "warnings": [dict(note) for note in self.notes],
        }


def import_labelled(
    source: str | Path,
    out: str | Path,
    layout: Layout,
    whose: Whose | None = None,
    *,
    map: MapFunction = in_turn,  # noqa: A002
    progress: Listener = silent,
) -> Moved:
    """Write a cohort folder from a folder in nnU-Net's, the Decathlon's or BIDS' layout, whole or not at all.

    Parameters
    ----------
    source : path
    out : path
        Must not exist, or be empty.
    layout : {"nnunet", "msd", "bids"}
    whose : Whose, optional
    map : callable
        ``map(function, items)`` in order; hand in one that spreads over processes.
    progress : callable
        Hears of each case.

    Returns
    -------
    Moved

    Raises
    ------
    BadInput
        For a folder in another layout, something in it that cannot be used unless that is to be skipped, or nothing that can.
    BadCohort, BadTable
        For codes that may identify a person, and tables that cannot be used.
    NoRoom
        When the folder is taken or cannot be written.

    Notes
    -----
    Files keep their relative path and their bytes, packed ones stay packed; where the disk allows, a file is a second name of the same
    bytes (hard link) and nothing is copied. Label values keep their meaning in ``labels.csv``, and the layout's own documents are kept,
    so that :func:`onclair.io.layouts.export.export_cohort` gives the same folder back.
    """
    whose = whose or Whose()
    found = _READERS[layout](Path(source), Owners(source, whose.patients, centre=whose.centre), labels_as=whose.labels_as)
    good, bad = _checked(found, map, progress)
    if not good:
        reasons = [*found.left_out, *bad]
        why = f": {reasons[0].reason}" if reasons else "."
        raise BadInput(f"Nothing in {source} can be used{why}", item=str(source))
    if not whose.skip_bad:
        refuse((*found.left_out, *bad))
    with sealed_folder(out) as folder:
        for case in good:
            for path in (*case.images.values(), *case.labels.values()):
                place(path, folder / path.relative_to(found.root))
        for path in found.kept:
            place(path, folder / path.relative_to(found.root))
        _write_tables(found, good, folder)
    return summary(Path(out), layout, good, (*found.left_out, *bad), found.notes)


def refuse(left: tuple[LeftOut, ...]) -> None:
    """Refuse what was left out, if anything was.

    Raises
    ------
    BadInput

    Examples
    --------
    >>> refuse((LeftOut("", "a", "The image of a has no label map."), LeftOut("", "b", "The image of b has none.")))
    Traceback (most recent call last):
    onclair.core.errors.BadInput: The image of a has no label map; 1 more cannot be used; --skip-bad goes on with the rest.
    """
    if left:
        others = f"; {len(left) - 1} more cannot be used" if len(left) > 1 else ""
        raise BadInput(f"{left[0].reason.rstrip('.')}{others}; --skip-bad goes on with the rest.", item=left[0].item)


def place(source: Path, target: Path) -> None:
    """Give a file a second name, or copy its bytes where the disk does not allow that.

    Raises
    ------
    OSError
        When it cannot be read or written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def summary(out: Path, layout: str, cases: list[LabelledCase], left: tuple[LeftOut, ...], notes: tuple[Mapping[str, str], ...]) -> Moved:
    """Return what was moved, counted."""
    owners = {case.patient: case.centre for case in cases}
    kinds = Counter(kind for case in cases for kind in (*case.images, *case.labels))
    centres = dict(sorted(Counter(owners.values()).items()))
    return Moved(out, layout, len(cases), len(owners), centres, dict(sorted(kinds.items())), left, notes)


def _checked(found: Labelled, map: MapFunction, progress: Listener) -> tuple[list[LabelledCase], list[LeftOut]]:  # noqa: A002
    """Return the cases whose label maps belong to their images, and why the others do not."""
    good, bad = [], []
    tasks = [(case, found.names) for case in found.cases]
    for number, (case, reason) in enumerate(zip(found.cases, map(_fault, tasks), strict=True), start=1):
        if reason is None:
            good.append(case)
        else:
            bad.append(LeftOut(case.patient, case.name, reason))
        progress(Progress("import", number, len(tasks), item=case.name, unit="cases"))
    return good, bad


def _fault(task: tuple[LabelledCase, Mapping[str, Mapping[int, str]]]) -> str | None:
    """Return why a case cannot be used, None where it can."""
    case, names = task
    try:
        image = next(iter(case.images.values()))
        for one in case.images.values():
            grid_of(one, case=case.name)
        for kind, label in case.labels.items():
            check_label_map(image, label, names.get(kind), case=case.name)
    except OnclairError as error:
        return str(error)
    return None


def _write_tables(found: Labelled, cases: list[LabelledCase], folder: Path) -> None:
    rows = [
        (case.patient, case.centre, case.visit, kind, path.relative_to(found.root).as_posix())
        for case in cases
        for kind, path in (*case.images.items(), *case.labels.items())
    ]
    table = pd.DataFrame(rows, columns=list(ACQUISITION_COLUMNS)).sort_values(["patient", "visit", "kind"], ignore_index=True)
    units = {kind: _UNITS.get(kind, "a.u.") for kind in dict.fromkeys(kind for case in cases for kind in case.images)}
    outcomes = pd.DataFrame({"patient": sorted(table["patient"].unique())})
    about = replace(found.about, title=found.about.title or _TITLES[found.layout], units=units)
    write_tables(Cohort(table, outcomes, about), folder)
    write_label_names(folder, found.names)
