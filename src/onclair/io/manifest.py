"""A folder sealed by its manifest: the SHA-256 of every file, checked before any of them is opened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from onclair.core.errors import BadModelFile
from onclair.io.executable import refuse_executable
from onclair.io.files import sealed_folder

#: The version of the layout, and the file's name.
MANIFEST_FORMAT = "onclair-manifest/1"
MANIFEST = "manifest.json"


def write_sealed(folder: str | Path, contents: Mapping[str, bytes]) -> Path:
    """Write files and their manifest as a folder, whole or not at all; equal contents give equal bytes.

    Parameters
    ----------
    folder : path
        Must not exist, or be empty.
    contents : mapping of str to bytes
        By file name.

    Raises
    ------
    NoRoom
        When the folder is taken or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     read_sealed(write_sealed(Path(home, "m"), {"a.json": b"{}"}), ("a.json",))
    {'a.json': b'{}'}
    """
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    manifest = (json.dumps({"format": MANIFEST_FORMAT, "files": hashes}, indent=1, ensure_ascii=False) + "\n").encode()
    with sealed_folder(folder) as partial:
        for name, data in {**contents, MANIFEST: manifest}.items():
            (partial / name).write_bytes(data)
    return Path(folder)


def read_sealed(folder: str | Path, allowed: Collection[str]) -> dict[str, bytes]:
    """Return the bytes of each file in a folder, all of them named by its manifest, allowed, unchanged and harmless.

    Parameters
    ----------
    folder : path
    allowed : collection of str
        File names that such a folder may hold, the manifest apart.

    Raises
    ------
    BadModelFile
        For a folder or file that is absent or cannot be read, an added or changed file, and for pickle in any dress, which is never opened.
    """
    folder = Path(folder)
    if folder.is_file():
        refuse_executable(read_bytes(folder), folder.name)
    if not folder.is_dir():
        found = "is a single file" if folder.exists() else "does not exist"
        raise BadModelFile(f"The model {folder} {found}; give the folder that holds model.json and {MANIFEST}.", item=str(folder))
    contents = {path.name: read_bytes(path) for path in sorted(folder.iterdir())}
    for name, data in contents.items():
        refuse_executable(data, name)
    if MANIFEST not in contents:
        sentence = f"The model {folder.name} has no {MANIFEST}, so nothing says what it should be; fetch it again."
        raise BadModelFile(sentence, item=folder.name)
    manifest = parsed_json(contents.pop(MANIFEST), MANIFEST)
    files = manifest.get("files")
    if manifest.get("format") != MANIFEST_FORMAT or not isinstance(files, dict):
        raise BadModelFile(f"{MANIFEST} is not of the format '{MANIFEST_FORMAT}'; fetch the model again.", item=MANIFEST)
    for name in sorted({*files, *contents}):
        if name not in contents:
            raise BadModelFile(f"The model {folder.name} lacks {name}, which its manifest names; fetch it again.", item=name)
        if name not in files or name not in allowed:
            raise BadModelFile(f"The model {folder.name} holds {name}, which its manifest does not allow; remove it.", item=name)
        if hashlib.sha256(contents[name]).hexdigest() != files[name]:
            raise BadModelFile(f"{name} of the model {folder.name} was changed after it was saved; fetch it again.", item=name)
    return contents


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a model file.

    Raises
    ------
    BadModelFile
        When it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise BadModelFile(f"The model file {path} cannot be read ({why}); correct its path or its rights.", item=path.name) from error


def parsed_json(data: bytes, name: str) -> dict[str, Any]:
    """Return a JSON table: UTF-8, no NaN, no key written twice.

    Parameters
    ----------
    data : bytes
    name : str
        Of the file, for errors.

    Raises
    ------
    BadModelFile
        When it is none.

    Examples
    --------
    >>> parsed_json(b'{"intercept": -2, "intercept": 2}', "risk.json")
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadModelFile: risk.json is no JSON that a model may hold (the key 'intercept' is written twice); correct it.
    """
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant, object_pairs_hook=_once)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BadModelFile(f"{name} is no JSON that a model may hold ({error}); correct it.", item=name) from error
    if not isinstance(document, dict):
        raise BadModelFile(f'{name} is no JSON table; a model is written as {{"format": ..., "name": ...}}.', item=name)
    return document


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ValueError(f"the key '{key}' is written twice")
        table[key] = value
    return table
