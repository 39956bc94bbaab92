"""Images with their label maps to learn from, whatever layout they lie in: a cohort folder, nnU-Net's raw data, the Decathlon, BIDS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from onclair.core.errors import BadInput
from onclair.io.cohorts.folder import read_with_notes
from onclair.io.layouts.label_names import read_label_names
from onclair.io.layouts.labelled import LESIONS, Labelled, LabelledCase, Owners, dataset_json, told
from onclair.io.layouts.msd import read_msd
from onclair.io.layouts.nnunet import read_nnunet


@dataclass(frozen=True, slots=True)
class Pair:
    """One scan and what was drawn on it.

    Attributes
    ----------
    case : str
        Unique among pairs; stands in the names of files.
    patient, centre : str
        Folds are cut by patient, never by case.
    image : Path
    label : Path or None
        None only for a scan kept for testing.
    """

    case: str
    patient: str
    centre: str
    image: Path
    label: Path | None


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The pairs of a folder.

    Attributes
    ----------
    layout : {"cohort", "nnunet", "msd", "bids"}
    pairs : tuple of Pair
        In order of patient and case.
    labels : mapping of int to str
        What the values of the label maps mean, 0 among them; ``{0: "background", 1: "lesion"}`` where they number instances.
    instances : bool
        True where values number lesions, so that every value above 0 means label 1.
    """

    layout: str
    pairs: tuple[Pair, ...]
    labels: Mapping[int, str]
    instances: bool = False


def pairs_of(path: str | Path, *, patients: str | Path | None = None, image: str = "ct", label: str = LESIONS) -> Pairs:
    """Return the images of a folder with their label maps, its layout found by its documents.

    Parameters
    ----------
    path : path
        A cohort folder (``cohort.toml``), nnU-Net's raw data or a task of the Decathlon (``dataset.json``), or BIDS
        (``dataset_description.json``).
    patients : path, optional
        A table ``case,patient[,centre]`` for layouts that know no patients.
    image, label : str
        Kinds to pair in a cohort folder.

    Returns
    -------
    Pairs
        Only headers of tables were read; :func:`onclair.io.layouts.label_maps.read_pair` opens one.

    Raises
    ------
    BadInput
        For a folder in no known layout, an image without label map (by name), several channels, or no label map at all.
    BadCohort, BadTable
        For tables that cannot be used.
    """
    root = Path(path)
    if (root / "cohort.toml").is_file():
        found = _of_cohort(root, image, label)
    else:
        laid = told(read_layout(root, Owners(root, patients)))
        found = Pairs(laid.layout, tuple(_pair(case, root) for case in laid.cases), _named(laid), not _named_values(laid))
    if not any(pair.label for pair in found.pairs):
        raise BadInput(f"The folder {root} holds no label map of the kind '{label}'; there is nothing to learn from.", item=str(root))
    return found


def read_layout(root: Path, owners: Owners) -> Labelled:
    """Return what a folder in nnU-Net's, the Decathlon's or BIDS' layout holds.

    Raises
    ------
    BadInput
        For another layout.
    """
    from onclair.io.layouts.bids import read_bids

    if (root / "dataset_description.json").is_file():
        return read_bids(root, owners)
    if not (root / "dataset.json").is_file():
        known = "cohort.toml (a cohort folder), dataset.json (nnU-Net, Decathlon) or dataset_description.json (BIDS)"
        raise BadInput(f"The folder {root} is in no layout that is known; it should hold {known}.", item=str(root))
    read = read_msd if isinstance(dataset_json(root).get("training"), list) else read_nnunet
    return read(root, owners)


def _of_cohort(root: Path, image: str, label: str) -> Pairs:
    cohort, _ = read_with_notes(root, outcomes_needed=False)
    table = cohort.acquisitions
    pairs = []
    for (patient, visit), rows in table[table["kind"].isin([image, label])].groupby(["patient", "visit"], sort=True):
        files = {kind: rows["path"][rows["kind"] == kind].tolist() for kind in (image, label)}
        at = f" at the visit '{visit}'" if visit else ""
        if len(files[image]) != 1 or len(files[label]) > 1:
            counted = f"{len(files[image])} files of the kind '{image}' and {len(files[label])} of '{label}'"
            raise BadInput(f"Patient {patient} has {counted}{at}; one of each makes a pair: correct acquisitions.csv.", item=str(patient))
        if not files[label]:
            sentence = f"The {image} of {patient}{at} has no '{label}' in acquisitions.csv"
            raise BadInput(f"{sentence}; add the label map (empty where there is nothing), or leave the patient out.", item=str(patient))
        case = f"{patient}_{visit}" if visit else str(patient)
        pairs.append(Pair(case, str(patient), str(rows["centre"].iloc[0]), root / files[image][0], root / files[label][0]))
    names = read_label_names(root).get(label)
    return Pairs("cohort", tuple(pairs), names or {0: "background", 1: "lesion"}, names is None)


def _pair(case: LabelledCase, root: Path) -> Pair:
    if len(case.images) != 1 or len(case.labels) > 1:
        found = f"{len(case.images)} images ({', '.join(case.images)}) and {len(case.labels)} label maps"
        raise BadInput(f"The case {case.name} of {root} has {found}; one of each is needed.", item=case.name)
    return Pair(case.name, case.patient, case.centre, next(iter(case.images.values())), next(iter(case.labels.values()), None))


def _named_values(laid: Labelled) -> Mapping[int, str]:
    return next(iter(laid.names.values()), {})


def _named(laid: Labelled) -> Mapping[int, str]:
    return {0: "background", **_named_values(laid)} if _named_values(laid) else {0: "background", 1: "lesion"}
