"""A cohort folder into a training layout: files linked or copied byte for byte, labels and owners written beside them."""

from __future__ import annotations

from builtins import map as in_turn
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadInput, OnclairError
from onclair.core.names import did_you_mean
from onclair.core.progress import Listener, Progress, silent
from onclair.io.cohorts.folder import read_with_notes
from onclair.io.files import sealed_folder
from onclair.io.layouts.bring import Layout, MapFunction, Moved, refuse, summary
from onclair.io.layouts.export_bids import write_bids
from onclair.io.layouts.export_raw import write_raw
from onclair.io.layouts.label_maps import check_label_map, grid_of
from onclair.io.layouts.label_names import read_label_names
from onclair.io.layouts.labelled import LESIONS, LabelledCase, LeftOut, case_name


@dataclass(frozen=True, slots=True)
class Taken:
    """Which kinds of a cohort go into a layout.

    Attributes
    ----------
    images, labels : tuple of str
        Kinds of ``acquisitions.csv``. Left empty, images are those that ``cohort.toml`` gives a unit, and labels those that
        ``labels.csv`` names, or ``lesions``.
    skip_bad : bool
        True goes on without what cannot be used; the result lists it.

    Examples
    --------
    >>> Taken(images=("ct",)).labels
    ()
    """

    images: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    skip_bad: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Outgoing:
    """A cohort as a layout will hold it.

    Attributes
    ----------
    cohort : Cohort
    root : Path
    images, labels : tuple of str
    names : mapping of str to mapping of int to str
        Of the kinds whose values have names; others number instances.
    cases : tuple of LabelledCase
    """

    cohort: Cohort
    root: Path
    images: tuple[str, ...]
    labels: tuple[str, ...]
    names: Mapping[str, Mapping[int, str]]
    cases: tuple[LabelledCase, ...] = field(default=())


_WRITERS: dict[str, Callable[[Outgoing, Path], tuple[Mapping[str, str], ...]]] = {
    "nnunet": lambda going, folder: write_raw(going, folder, "nnunet"),
    "msd": lambda going, folder: write_raw(going, folder, "msd"),
    "bids": write_bids,
}


def export_cohort(
    source: str | Path,
    out: str | Path,
    layout: Layout,
    taken: Taken | None = None,
    *,
    map: MapFunction = in_turn,  # noqa: A002
    progress: Listener = silent,
) -> Moved:
    """Write a cohort folder in nnU-Net's, the Decathlon's or BIDS' layout, whole or not at all.

    Parameters
    ----------
    source : path
        A cohort folder.
    out : path
        Must not exist, or be empty.
    layout : {"nnunet", "msd", "bids"}
    taken : Taken, optional
    map : callable
        ``map(function, items)`` in order.
    progress : callable
        Hears of each case.

    Returns
    -------
    Moved

    Raises
    ------
    BadInput
        For a kind that no patient has, several images or label maps where the layout has room for one, or nothing that can be used.
    BadCohort, BadTable
        As :func:`onclair.io.cohorts.folder.read_cohort`.
    NoRoom
        When the folder is taken or cannot be written.

    Notes
    -----
    Patients and centres go into ``patients.csv`` (BIDS: ``participants.tsv``), from where an import takes them back. Outcomes, and kinds
    that were not taken, stay behind and are named. Where values number lesions, nnU-Net and the Decathlon get a map of 0 and 1;
    nnU-Net's folder keeps the numbers in ``instancesTr``.
    """
    taken = taken or Taken()
    going = _outgoing(Path(source), taken, layout)
    cases, bad = _usable(going, map, progress)
    if not cases:
        raise BadInput(f"Nothing in {source} can be exported{': ' + bad[0].reason if bad else '.'}", item=str(source))
    if not taken.skip_bad:
        refuse(tuple(bad))
    going = Outgoing(going.cohort, going.root, going.images, going.labels, going.names, tuple(cases))
    with sealed_folder(out) as folder:
        notes = _WRITERS[layout](going, folder)
    return summary(Path(out), layout, cases, tuple(bad), (*_behind(going), *notes))


def _outgoing(root: Path, taken: Taken, layout: str) -> Outgoing:
    cohort, _ = read_with_notes(root, outcomes_needed=False)
    kinds = list(dict.fromkeys(cohort.acquisitions["kind"]))
    names = read_label_names(root)
    labels = taken.labels or tuple(kind for kind in names if kind in kinds) or tuple(kind for kind in (LESIONS,) if kind in kinds)
    images = taken.images or tuple(kind for kind in cohort.about.units if kind in kinds and kind not in labels)
    for kind in (*images, *labels):
        if kind not in kinds:
            raise BadInput(f"The cohort {root} has no files of the kind '{kind}'; {did_you_mean(kind, kinds)}", item=kind)
    if not images or not labels:
        what, flag = ("image", "--image ct") if not images else ("label map", "--labels lesions")
        found = ", ".join(kinds) or "none"
        raise BadInput(f"Which kind of {root} is the {what} is not said; it has {found}: say it, such as {flag}.", item=str(root))
    if layout != "bids" and len(labels) > 1:
        raise BadInput(
            f"One case has one label map there, and {', '.join(labels)} are {len(labels)}; choose with --labels.", item=labels[1]
        )
    if layout == "msd" and len(images) > 1:
        raise BadInput(f"The Decathlon keeps several images in 4-D files; choose one of {', '.join(images)} with --image.", item=images[1])
    cases, left = _cases(cohort, root, images, labels)
    return Outgoing(cohort, root, images, labels, names, (*cases, *left))


def _cases(cohort: Cohort, root: Path, images: Sequence[str], labels: Sequence[str]) -> tuple[list[LabelledCase], list[LabelledCase]]:
    """Return the scans of a cohort, those for testing last; what is missing is for :func:`_fault` to say."""
    found: list[LabelledCase] = []
    table = cohort.acquisitions[cohort.acquisitions["kind"].isin([*images, *labels])]
    for (patient, visit), rows in table.groupby(["patient", "visit"], sort=True):
        files = {str(kind): [root / path for path in rows["path"][rows["kind"] == kind]] for kind in rows["kind"].unique()}
        twice = {kind: paths for kind, paths in files.items() if len(paths) > 1}
        name = _name(str(patient), str(visit), next(iter(files.values()))[0])
        first = {kind: paths[0] for kind, paths in files.items() if kind not in twice}
        found.append(
            LabelledCase(
                name,
                str(patient),
                str(rows["centre"].iloc[0]),
                str(visit),
                {kind: first[kind] for kind in images if kind in first},
                {kind: first[kind] for kind in labels if kind in first},
                testing=any(path.parent.name == "imagesTs" for paths in files.values() for path in paths),
            )
        )
    return [case for case in found if not case.testing], [case for case in found if case.testing]


def _name(patient: str, visit: str, path: Path) -> str:
    """Return what a scan is called: as its file was where that says patient or visit, else both."""
    stem = case_name(path)
    own = (visit, patient)
    return next((one for one in own if one and stem in (one, f"{one}_0000")), f"{patient}_{visit}" if visit else patient)


def _usable(going: Outgoing, map: MapFunction, progress: Listener) -> tuple[list[LabelledCase], list[LeftOut]]:  # noqa: A002
    good, bad = [], []
    tasks = [(case, going.images, going.labels, going.names) for case in going.cases]
    for number, (case, reason) in enumerate(zip(going.cases, map(_fault, tasks), strict=True), start=1):
        if reason is None:
            good.append(case)
        else:
            bad.append(LeftOut(case.patient, case.name, reason))
        progress(Progress("export", number, len(tasks), item=case.name, unit="cases"))
    return good, bad


def _fault(task: tuple[LabelledCase, Sequence[str], Sequence[str], Mapping[str, Any]]) -> str | None:
    """Return why a scan cannot be exported, None where it can."""
    case, images, labels, names = task
    try:
        for kind in images:
            if kind not in case.images:
                raise BadCase(f"The scan {case.name} has no single file of the kind '{kind}'; correct acquisitions.csv.", item=case.name)
            grid_of(case.images[kind], case=case.name)
        if not case.labels and not case.testing:
            sentence = f"The scan {case.name} has no label map of the kind {' or '.join(labels)}"
            raise BadCase(f"{sentence}; add it (empty where there is nothing), or leave the patient out.", item=case.name)
        for kind, path in case.labels.items():
            check_label_map(case.images[images[0]], path, names.get(kind), case=case.name)
    except OnclairError as error:
        return str(error)
    return None


def _behind(going: Outgoing) -> tuple[Mapping[str, str], ...]:
    """Return what the layout has no room for."""
    kinds = sorted(set(going.cohort.acquisitions["kind"]) - {*going.images, *going.labels})
    outcomes = [outcome.name for outcome in going.cohort.about.outcomes]
    stayed = [*(f"the kind '{kind}'" for kind in kinds), *(f"the outcome '{name}'" for name in outcomes)]
    return ({"code": "stayed_behind", "text": f"The layout has no room for {', '.join(stayed)}."},) if stayed else ()
