"""Named public data: what, whose, under which licence, from where, and byte for byte which."""

from __future__ import annotations

import functools
import importlib.resources
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onclair.core.errors import BadInput, CheckFailed, NoRoom
from onclair.core.names import did_you_mean
from onclair.core.progress import Listener, Progress, silent
from onclair.io.cohorts import read_cohort
from onclair.io.download import fetch, verify
from onclair.io.files import sealed_folder, sha256_file, writing_to
from onclair.io.public_data import Dataset, RemoteFile
from onclair.io.public_layouts import LAYOUTS


def listing() -> tuple[Dataset, ...]:
    """Return every data set that the registry names, in order of name.

    Examples
    --------
    >>> [dataset.name for dataset in listing()][:3]
    ['heart-hospitals', 'ibsi1-digital', 'nsclc-radiogenomics-table']
    """
    return _entries()


def dataset(name: str) -> Dataset:
    """Return the data set called `name`.

    Raises
    ------
    BadInput
        When there is none, with the nearest name.

    Examples
    --------
    >>> dataset("sts-pet").licence
    'CC BY 3.0'
    """
    known = {entry.name: entry for entry in _entries()}
    if name not in known:
        raise BadInput(f"There is no public data set '{name}'; {did_you_mean(name, known)}", item=name)
    return known[name]


def where(name: str) -> tuple[RemoteFile, ...]:
    """Return the files of a data set: URL, SHA-256, bytes, and their places in a cohort and in a mirror.

    Raises
    ------
    BadInput
        When there is no such data set.

    Examples
    --------
    >>> len(where("sts-pet"))
    102
    """
    return dataset(name).files


def get(name: str, out: str | Path, *, mirror: str | Path | None = None, progress: Listener = silent) -> Path:
    """Download a named data set and lay it out as a cohort.

    Parameters
    ----------
    name : str
    out : path
        The cohort's folder; when the data set lies there already, its files are verified and left.
    mirror : path, optional
        A folder that holds the same files; then nothing is downloaded.
    progress : callable
        Gets bytes done of bytes in all.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    BadInput
        For an unknown name, or a mirror that lacks a file.
    NotReachable
        When the network does not answer; what came is kept for the next try.
    CheckFailed
        When a file is not, byte for byte, the one expected.
    NoRoom
        When `out` is taken, full or cannot be written.
    """
    return get_dataset(dataset(name), out, mirror=mirror, progress=progress)


def get_dataset(entry: Dataset, out: str | Path, *, mirror: str | Path | None = None, progress: Listener = silent) -> Path:
    """Download one data set, of the registry or of your own, and lay it out as a cohort.

    Parameters
    ----------
    entry : Dataset
    out, mirror, progress
        As :func:`get`.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    BadInput, NotReachable, CheckFailed, NoRoom
        As :func:`get`.
    """
    out = Path(out)
    if (out / "cohort.toml").is_file() and any((out / file.path).exists() for file in entry.files):
        _verify_existing(entry, out)
        return out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise NoRoom(f"{out} exists and is no cohort of '{entry.name}'; nothing was replaced: choose another folder.", item=str(out))
    place = out.resolve()
    waiting = place.parent / f".{place.name}.download"
    _gather(entry, waiting, None if mirror is None else Path(mirror), progress)
    with sealed_folder(out) as folder:
        for file in entry.files:
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(waiting / file.path, target)
        LAYOUTS[entry.layout](entry, folder)
    shutil.rmtree(waiting, ignore_errors=True)
    return out


def _gather(entry: Dataset, waiting: Path, mirror: Path | None, progress: Listener) -> None:
    """Bring every file into the waiting folder, where a later try finds it."""
    done = 0
    for file in entry.files:
        if mirror is None:
            fetch(file, waiting / file.path, gained=lambda size, done=done, item=file.path: _tell(progress, entry, done + size, item))  # type: ignore[misc]
        else:
            _copy(file, mirror, waiting / file.path)
        done += file.size
        _tell(progress, entry, done, file.path)


def _tell(progress: Listener, entry: Dataset, done: int, item: str) -> None:
    progress(Progress("download", done, entry.size, item=item, unit="bytes"))


def _copy(file: RemoteFile, mirror: Path, target: Path) -> None:
    source = mirror / file.mirror
    if not mirror.is_dir():
        raise BadInput(f"There is no folder {mirror}; correct --mirror, or leave it out to download.", item=str(mirror))
    if not source.is_file():
        raise BadInput(f"The mirror {mirror} lacks {file.mirror}; give the folder that holds it, or leave --mirror out.", item=file.mirror)
    with writing_to(target.parent, target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    try:
        verify(file, target)
    except CheckFailed as error:
        told = str(error).partition("; it was removed")[0]
        advice = "the mirror's file is another one: take it from its source again, or leave --mirror out"
        raise CheckFailed(f"{told}; {advice}.", item=file.mirror) from None


def _verify_existing(entry: Dataset, out: Path) -> None:
    for file in entry.files:
        path = out / file.path
        found = sha256_file(path) if path.is_file() else "no such file"
        if found != file.sha256:
            sentence = f"{file.path} in {out} is not the file of '{entry.name}': expected SHA-256 {file.sha256}, found {found}"
            raise CheckFailed(f"{sentence}; move the folder away and get the data again.", item=file.path)
    read_cohort(out)


@functools.cache
def _entries() -> tuple[Dataset, ...]:
    text = (importlib.resources.files("onclair.io") / "reference" / "datasets.toml").read_text(encoding="utf-8")
    return tuple(_entry(name, table) for name, table in sorted(tomllib.loads(text).items()))


def _entry(name: str, table: Mapping[str, Any]) -> Dataset:
    texts = {key: str(table[key]) for key in ("title", "licence", "citation", "source", "layout")}
    files = tuple(
        RemoteFile(f"{table['base']}/{file['at']}", file["sha256"], file["bytes"], file["path"], file["mirror"]) for file in table["files"]
    )
    return Dataset(name, files=files, facts=table.get("facts", {}), **texts)
