"""Files of new cases, without outcomes, read as if they were a cohort."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from onclair.core.cohort import ACQUISITION_COLUMNS, Cohort
from onclair.core.errors import BadCase, BadInput
from onclair.io.cohorts.codes import checked_code
from onclair.io.cohorts.folder import read_with_notes

#: The centre of cases that nobody named one for.
NO_CENTRE = "unknown"


def cohort_from_files(paths: Iterable[str | Path], kinds: Sequence[str], *, also: Sequence[str] = (), whole: bool = True) -> Cohort:
    """Return new cases as a cohort without outcomes.

    Parameters
    ----------
    paths : iterable of path
        One cohort folder (its ``outcomes.csv`` may be absent), or files named ``CASE_KIND.nii.gz`` (any ending), or folders of
        such files, in which other files are left alone.
    kinds : sequence of str
        What each case needs, for example ``("pet", "mask")``.
    also : sequence of str
        Further kinds that are taken where they are given.
    whole : bool
        False keeps a case that lacks a kind, for the reader to refuse.

    Returns
    -------
    Cohort
        Centre ``"unknown"``, paths relative to the root where all files lie in one folder.

    Raises
    ------
    BadInput
        For no file, a path that does not exist, a name without a kind, or two files for one case and kind.
    BadCase
        For a case that lacks a kind, when `whole`.
    BadCohort
        For a cohort folder that cannot be read, or a case whose name may identify a person.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     for name in ("A_pet.nii.gz", "A_mask.nii.gz"):
    ...         Path(home, name).touch()
    ...     cohort_from_files([home], ("pet", "mask")).patients
    ('A',)
    """
    given = [Path(path) for path in paths]
    if len(given) == 1 and (given[0] / "cohort.toml").is_file():
        cohort = read_with_notes(given[0], outcomes_needed=False)[0]
        found = {(str(r["patient"]), str(r["kind"])) for r in cohort.acquisitions.to_dict("records")}
        _check_whole(found, kinds if whole else ())
        return cohort
    files: dict[tuple[str, str], Path] = {}
    for case, kind, path in _named_files(given, (*kinds, *also)):
        if (case, kind) in files:
            raise BadInput(f"Case {case} has two files of the kind '{kind}': {files[case, kind].name} and {path}; give one.", item=case)
        files[case, kind] = path
    if not files:
        names = " and ".join(f"CASE_{kind}.nii.gz" for kind in kinds)
        raise BadInput(f"No file is named like {names} in {', '.join(map(str, given))}; name them so, or give a cohort folder.")
    _check_whole(set(files), kinds if whole else ())
    return _as_cohort(files)


def _named_files(given: Sequence[Path], kinds: Sequence[str]) -> Iterator[tuple[str, str, Path]]:
    for path in given:
        if path.is_dir():
            for inside in sorted(path.iterdir()):
                if inside.is_file() and (named := _case_and_kind(inside, kinds)) is not None:
                    yield *named, inside
        elif not path.exists():
            raise BadInput(f"There is no file {path}; correct the path.", item=path.name)
        elif (named := _case_and_kind(path, kinds)) is None:
            expected = ", ".join(f"CASE_{kind}" for kind in kinds)
            raise BadInput(f"The name {path.name} does not say what the file is; name it like {expected} with its ending.", item=path.name)
        else:
            yield *named, path


def _case_and_kind(path: Path, kinds: Sequence[str]) -> tuple[str, str] | None:
    stem = path.name.removesuffix(".gz")
    stem = stem.rpartition(".")[0] or stem
    for kind in sorted(kinds, key=len, reverse=True):
        if stem.endswith(f"_{kind}") and len(stem) > len(kind) + 1:
            return checked_code(stem[: -len(kind) - 1], where=f"the file name {path.name}"), kind
    return None


def _check_whole(found: set[tuple[str, str]], kinds: Sequence[str]) -> None:
    for case in sorted({case for case, _ in found}):
        for kind in kinds:
            if (case, kind) not in found:
                sentence = f"Case {case} has no {kind}; give the file {case}_{kind}.nii.gz, or go on without such cases: --skip-bad."
                raise BadCase(sentence, item=case)


def _as_cohort(files: dict[tuple[str, str], Path]) -> Cohort:
    absolute = {key: path.resolve() for key, path in files.items()}
    parents = {path.parent for path in absolute.values()}
    root = parents.pop() if len(parents) == 1 else None
    rows = [(case, NO_CENTRE, "", kind, path.name if root else str(path)) for (case, kind), path in sorted(absolute.items())]
    table = pd.DataFrame(rows, columns=list(ACQUISITION_COLUMNS))
    return Cohort(table, pd.DataFrame({"patient": sorted(table["patient"].unique())}), root=root)
