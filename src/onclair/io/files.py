"""Files written whole or not at all: hashes, atomic files, sealed folders, gzip without a clock."""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import io
import os
import secrets
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

from onclair.core.errors import NoRoom

#: How a folder that is still being written ends; whatever ends so may be deleted.
PARTIAL = ".partial"

_BLOCK = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_IN_THE_WAY = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR}
_GZIP_MAGIC = b"\x1f\x8b"


def sha256_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder, "empty"), b"")
    ...     sha256_file(Path(folder, "empty"))[:8]
    'e3b0c442'
    """
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never half of one.

    Parameters
    ----------
    path : path
        Its folder is made when it is missing; an existing file is replaced.
    data : bytes

    Raises
    ------
    NoRoom
        When the folder is full, cannot be written, or a file lies where a folder should.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder, "a", "note.txt"), b"all or nothing")
    ...     Path(folder, "a", "note.txt").read_bytes()
    b'all or nothing'
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    with writing_to(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):  # the first error is the one worth telling
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


@contextlib.contextmanager
def sealed_folder(final: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside `final` that becomes `final` once the block ends well, and vanishes otherwise.

    Parameters
    ----------
    final : path
        Must not exist, or be an empty folder: nothing is ever replaced.

    Yields
    ------
    Path
        A folder whose name starts with "." and ends with ".partial".

    Raises
    ------
    NoRoom
        When something lies in the way, the disk is full or the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     with sealed_folder(Path(home, "run")) as folder:
    ...         _ = Path(folder, "a.txt").write_text("a")
    ...     sorted(p.name for p in Path(home).rglob("*"))
    ['a.txt', 'run']
    """
    final = Path(final)
    place = final.resolve()  # "." has no name to put another beside
    partial = place.parent / f".{place.name}.{secrets.token_hex(4)}{PARTIAL}"
    with writing_to(final.parent, partial):
        _check_free(final)
        partial.mkdir(parents=True)
        try:
            yield partial
            _sync_tree(partial)
            _check_free(final)
            if place.exists():
                place.rmdir()
            partial.rename(place)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        _sync_folder(place.parent)


def make_folder(folder: str | Path) -> Path:
    """Make a folder, with its parents, and make sure that a file can be written there.

    Raises
    ------
    NoRoom
        When it cannot be made or written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     make_folder(Path(home, "a", "b")).is_dir()
    True
    """
    folder = Path(folder)
    probe = folder / f".probe.{secrets.token_hex(4)}{PARTIAL}"
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            probe.write_bytes(b"probe")
        finally:
            probe.unlink(missing_ok=True)
    return folder


@contextlib.contextmanager
def writing_to(folder: str | Path, inside: str | Path | None = None) -> Iterator[None]:
    """Turn the OSErrors of writing into a folder, in the block, into :class:`NoRoom`.

    Parameters
    ----------
    folder : path
        What the sentence names.
    inside : path, optional
        Only errors about this folder, its parents or no file at all are turned; one about a file elsewhere (an input) goes on as it is.

    Raises
    ------
    NoRoom
        For no space left, no right to write, or a file in the way.

    Examples
    --------
    >>> with writing_to("/nowhere"):
    ...     raise OSError(errno.ENOSPC, "full")
    Traceback (most recent call last):
    onclair.core.errors.NoRoom: The disk that holds the folder /nowhere has no space left; free some, or choose a folder on another disk.
    """
    folder = Path(folder)
    try:
        yield
    except OSError as error:
        sentence = _sentence(error, folder)
        place = error.filename
        elsewhere = inside is not None and place is not None and Path(inside) not in (Path(str(place)), *Path(str(place)).parents)
        if sentence is None or (elsewhere and not folder.is_relative_to(Path(str(place)))):
            raise
        raise NoRoom(sentence, item=str(folder)) from error


def clear_partials(folder: str | Path) -> tuple[str, ...]:
    """Remove what killed writers left in `folder`, and return the names.

    Only names that start with "." and end with ".partial" go; call it when no other process writes there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     Path(home, ".run.0a1b2c3d.partial").mkdir()
    ...     clear_partials(home)
    ('.run.0a1b2c3d.partial',)
    """
    left = sorted(Path(folder).glob(f".*{PARTIAL}"))
    for path in left:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return tuple(path.name for path in left)


def gzipped(data: bytes, *, level: int = 6) -> bytes:
    """Return `data` as one gzip member without time or name, so that equal input gives equal bytes.

    Examples
    --------
    >>> gzipped(b"tumour") == gzipped(b"tumour"), gunzipped(gzipped(b"tumour"))
    (True, b'tumour')
    """
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=level, fileobj=buffer, mtime=0) as stream:
        stream.write(data)
    return buffer.getvalue()


def gunzipped(data: bytes) -> bytes:
    """Return the content of a gzip file, every member read to its end and its checksum compared.

    Parameters
    ----------
    data : bytes
        One or more gzip members; zero padding after the last is ignored.

    Raises
    ------
    EOFError
        When the file ends inside a member, be it in the last byte of its checksum.
    zlib.error
        When a member is damaged.

    Examples
    --------
    >>> gunzipped(gzipped(b"a") + gzipped(b"b"))
    b'ab'
    """
    parts: list[bytes] = []
    while data:
        member = zlib.decompressobj(wbits=31)
        parts.append(member.decompress(data))
        if not member.eof:
            raise EOFError("the gzip stream ends early")
        data = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def toml_fault(error: Exception) -> str:
    """Return what is wrong with a TOML file, in the middle of a sentence.

    Examples
    --------
    >>> toml_fault(ValueError("Invalid value (at line 1, column 9)"))
    'invalid value, at line 1, column 9'
    """
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    said = (error.strerror or "it does not open") if isinstance(error, OSError) else str(error)
    return (said[:1].lower() + said[1:]).replace(" (at ", ", at ").removesuffix(")")


def is_gzip(data: bytes) -> bool:
    """Return whether bytes start as a gzip file does.

    Examples
    --------
    >>> is_gzip(gzipped(b"")), is_gzip(b"PK")
    (True, False)
    """
    return data[:2] == _GZIP_MAGIC


def _check_free(final: Path) -> None:
    if final.is_symlink() or (final.exists() and not final.is_dir()):
        raise NoRoom(f"A file lies where the folder {final} should be written; move it away or choose another folder.", item=str(final))
    if final.is_dir() and any(final.iterdir()):
        sentence = f"The folder {final} exists and is not empty; nothing was replaced: choose another folder or empty it."
        raise NoRoom(sentence, item=str(final))


def _sentence(error: OSError, folder: Path) -> str | None:
    if error.errno in _FULL:
        return f"The disk that holds the folder {folder} has no space left; free some, or choose a folder on another disk."
    if error.errno in _CLOSED:
        why = os.strerror(error.errno or 0).lower()
        return f"The folder {folder} is not writable ({why}); give yourself the right to write there, or choose another folder."
    if error.errno in _IN_THE_WAY:
        return f"A file lies in the way of the folder {folder} (at {error.filename}); move it away or choose another folder."
    if error.errno == errno.ENOENT and not folder.exists():
        return f"The folder {folder} cannot be made there; choose another folder."
    if error.errno == errno.ENAMETOOLONG:
        return f"The name of a file in the folder {folder} is too long for this disk; choose a shorter folder or patient code."
    return None


def _sync_tree(root: Path) -> None:
    for place, _, names in os.walk(root):
        for name in names:
            if not Path(place, name).is_symlink():
                _sync(Path(place, name))
        _sync_folder(Path(place))


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(PermissionError, IsADirectoryError):  # a folder cannot be opened, hence not synced, on every system
        _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
