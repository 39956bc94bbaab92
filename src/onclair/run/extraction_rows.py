"""The rows of an extraction: which image goes with which outline, and one row computed or taken as it stands."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from onclair.core.canonical import sha256_of
from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadCohort, BadInput, BadSetting
from onclair.core.evidence import Evidence, content_key
from onclair.core.names import did_you_mean
from onclair.io.source import source_sha256
from onclair.io.tables import write_parquet
from onclair.run.describe import about
from onclair.run.environment import environment
from onclair.run.outlined import read_outlined, sha256_of_files
from onclair.run.recipes import Recipe, described
from onclair.run.store import Store

STAGE = "describe"
#: Acquisitions of this kind are outlines, not images; so are ``mask_ct``, of one image, and ``mask-GTV``, of one structure.
OUTLINE = "mask"


@dataclass(frozen=True, slots=True)
class Subject:
    """One image with its outline: a row of the table.

    Attributes
    ----------
    patient, centre, visit : str
    image, mask : Path
    own_file : bool
        Whether the structure that is asked for has the outline's file to itself, by its kind.
    """

    patient: str
    centre: str
    visit: str
    image: Path
    mask: Path
    own_file: bool = False

    @property
    def name(self) -> str:
        """A name for files; '@' stands in no code.

        Examples
        --------
        >>> Subject("P1", "North", "baseline", Path("i"), Path("m")).name
        'P1@baseline'
        """
        return f"{self.patient}@{self.visit}" if self.visit else self.patient


@dataclass(frozen=True, slots=True)
class Task:
    """One subject to extract: a unit of work for any worker, here or elsewhere; its paths are absolute.

    Attributes
    ----------
    subject : Subject
    recipe : Recipe
    root : Path
        The folder that rows are kept in.
    structure : str or None
    code : str
        Hash of the source that the sender would run.
    """

    subject: Subject
    recipe: Recipe
    root: Path
    structure: str | None
    code: str


@dataclass(frozen=True, slots=True)
class Row:
    """What came of a task: a record, or the reason why there is none."""

    subject: Subject
    evidence: Evidence | None = None
    reason: str | None = None
    reused: bool = False


def subjects_of(cohort: Cohort, kind: str | None = None, structure: str | None = None) -> tuple[Subject, ...]:
    """Return each image of a cohort that has an outline, with it, in order of patient and visit.

    Parameters
    ----------
    cohort : Cohort
    kind : str or None
        Of the image. Its outline is of the kind ``mask_KIND``, or else ``mask``.
    structure : str or None
        An outline of the kind ``mask-STRUCTURE`` (or ``mask_KIND-STRUCTURE``) comes first, capitals ignored.

    Raises
    ------
    BadCohort
        For no image, none of that kind, several kinds without a choice, no outline, or two files of a kind at one visit.

    Examples
    --------
    >>> rows = [("A", "North", "", "pet", "a.nii"), ("A", "North", "", "mask", "m.nii")]
    >>> cohort = Cohort(pd.DataFrame(rows, columns=["patient", "centre", "visit", "kind", "path"]), pd.DataFrame({"patient": ["A"]}))
    >>> [s.mask.name for s in subjects_of(cohort)]
    ['m.nii']
    """
    chosen = _image_kind(cohort, kind)
    files: dict[tuple[str, str], dict[str, Path]] = {}
    centres = {}
    for row in cohort.acquisitions.sort_values(["patient", "visit", "kind"], kind="stable").to_dict("records"):
        here = files.setdefault((str(row["patient"]), str(row["visit"])), {})
        if row["kind"] in here and (row["kind"] == chosen or _is_outline(str(row["kind"]))):
            raise BadCohort(
                f"Patient {row['patient']} has two files of the kind '{row['kind']}' at one visit; keep one.", item=str(row["patient"])
            )
        here[str(row["kind"])] = absolute((cohort.root or Path()) / str(row["path"]))
        centres[str(row["patient"])] = str(row["centre"])
    found = []
    for (patient, visit), here in files.items():
        own = _of_structure(here, chosen, structure)
        mask = own or here.get(f"{OUTLINE}_{chosen}", here.get(OUTLINE))
        if chosen in here and mask is not None:
            found.append(Subject(patient, centres[patient], visit, here[chosen], mask, own_file=own is not None))
    if not found:
        raise BadCohort(_no_outline(chosen, {name for here in files.values() for name in here}))
    return tuple(found)


def _is_outline(kind: str) -> bool:
    return kind == OUTLINE or kind.startswith((f"{OUTLINE}_", f"{OUTLINE}-"))


def _of_structure(here: Mapping[str, Path], image: str, structure: str | None) -> Path | None:
    """Return the outline of a structure that has a file of its own; an import writes its name in letters, digits and lines."""
    if structure is None:
        return None
    name = "-".join(word for word in re.split(r"[^a-z0-9]+", structure.casefold()) if word)
    folded = {kind.casefold(): path for kind, path in here.items()}
    return folded.get(f"{OUTLINE}_{image}-{name}".casefold(), folded.get(f"{OUTLINE}-{name}"))


def _no_outline(image: str, kinds: Collection[str]) -> str:
    several = sorted(kind for kind in kinds if kind.startswith((f"{OUTLINE}-", f"{OUTLINE}_{image}-")))
    if several:
        names = ", ".join(kind.partition("-")[2] for kind in several)
        return f"The cohort has no {OUTLINE} but structures under their own names ({names}); choose one with --structure."
    return f"No patient of the cohort has both a {image} and a {OUTLINE} at one visit; add the outlines to acquisitions.csv."


def extract_subject(task: Task) -> Row:
    """Extract one subject, or take the finished row where its key is the same.

    Returns
    -------
    Row
        With a reason instead of a record where the files cannot be used.

    Raises
    ------
    BadSetting
        On a worker that runs other code than the one that sent the task, or for settings that the image cannot have.
    NoRoom
        When the row cannot be written.
    """
    subject, store, folder = task.subject, Store(task.root), f"{STAGE}/{task.subject.name}"
    code = extraction_code()
    if code != task.code:
        raise BadSetting(
            "A worker runs another version of Onclair than the one that sent it the work; install the same on all.", item="dask"
        )
    settings = {**task.recipe.as_record(), "structure": task.structure}
    try:
        inputs = {"image": sha256_of_files(subject.image), "mask": sha256_of_files(subject.mask)}
        found = store.find(folder, content_key(STAGE, inputs, settings, code, environment(), subject=subject.name))
        if found is not None:
            return Row(subject, found, reused=True)
        outlined = read_outlined(subject.image, subject.mask, structure=None if subject.own_file else task.structure, of=subject.patient)
        features = described(outlined.image.array, outlined.region, outlined.image.spacing_mm, task.recipe.how)
    except BadSetting:
        raise
    except BadInput as error:
        return Row(subject, reason=about(subject.patient, BadCase(str(error))))
    facts = {"reasons": dict(features.reasons), "notes": [dict(note) for note in outlined.notes]}
    evidence = Evidence(STAGE, subject.name, inputs, settings, code, environment(), facts=facts)
    frame = pd.DataFrame([{name: float(number) for name, number in features.values.items()}])  # noqa: PD011 - a dict
    return Row(subject, store.write(folder, evidence, lambda partial: write_parquet(partial / "features.parquet", frame)))


def extraction_code() -> str:
    """Return the hash of the source that reads a row's files and computes its features; how rows are spread and kept is no part of it.

    Examples
    --------
    >>> len(extraction_code())
    64
    """
    return sha256_of([source_sha256(read_outlined), source_sha256(described)])


def absolute(path: Path) -> Path:
    """Return a path that means the same for a worker in another folder; links stay as they are.

    Examples
    --------
    >>> absolute(Path("a")).is_absolute()
    True
    """
    return Path(os.path.normpath(Path.cwd() / path))


def _image_kind(cohort: Cohort, wanted: str | None) -> str:
    """Return the kind of acquisition that is the image: the one wanted, or the only one that is no outline."""
    kinds = sorted({str(kind) for kind in cohort.acquisitions["kind"]})
    images = [kind for kind in kinds if not _is_outline(kind)]
    if wanted is not None and wanted in images:
        return wanted
    if wanted is not None:
        raise BadCohort(f"The cohort has no image of the kind '{wanted}'; {did_you_mean(wanted, images)}", item=wanted)
    if len(images) != 1:
        found = (
            f"images of several kinds ({', '.join(images)}); choose one with --kind" if images else "no image in acquisitions.csv; add them"
        )
        raise BadCohort(f"The cohort has {found}.", item="kind")
    return images[0]
