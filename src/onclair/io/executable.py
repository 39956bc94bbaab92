"""Files that run code when they are loaded, told by their content and never opened: pickle in any dress.

Only the shape of the bytes is looked at (magic numbers, opcodes, zip directories, at most the first MiB of a compressed stream).
"""

from __future__ import annotations

import ast
import bz2
import io
import lzma
import pickletools
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onclair.core.errors import BadModelFile

_PREFIX = 1 << 20
_DEEPEST = 3
_NPY = b"\x93NUMPY"
_PACKED: tuple[tuple[bytes, str, Callable[[], Any]], ...] = (
    (b"\x1f\x8b", "gzip", lambda: zlib.decompressobj(wbits=31)),
    (b"\x78\x01", "zlib", zlib.decompressobj),
    (b"\x78\x5e", "zlib", zlib.decompressobj),
    (b"\x78\x9c", "zlib", zlib.decompressobj),
    (b"\x78\xda", "zlib", zlib.decompressobj),
    (b"BZh", "bzip2", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\x00", "xz", lzma.LZMADecompressor),
    (b"\x5d\x00\x00", "lzma", lzma.LZMADecompressor),
)
#: Streams that joblib writes and that cannot be looked into here; no honest model file begins so.
_SHUT = ((b"\x04\x22\x4d\x18", "lz4"), (b"\x28\xb5\x2f\xfd", "zstandard"))
_ZIP, _ZIP_END, _ZIP_TAIL = b"PK\x03\x04", b"PK\x05\x06", 65_557


def executable_kind(data: bytes) -> str | None:
    """Return what makes bytes executable when loaded, or None when nothing does.

    Parameters
    ----------
    data : bytes
        A whole file. It is inspected, never unpickled.

    Returns
    -------
    str or None
        Such as ``"a pickle"``, ``"a pickle inside gzip"``, ``"a zip with data.pkl"``.

    Examples
    --------
    >>> import pickle
    >>> executable_kind(pickle.dumps([1], protocol=0)), executable_kind(zlib.compress(pickle.dumps([1])))
    ('a pickle', 'a pickle inside zlib')
    >>> executable_kind(b'{"format": "onclair-model/1"}') is None
    True
    """
    return _kind(data, _DEEPEST)


def refuse_executable(data: bytes, name: str) -> None:
    """Refuse bytes that run code when they are loaded.

    Parameters
    ----------
    data : bytes
    name : str
        Of the file, for the error.

    Raises
    ------
    BadModelFile
        Saying what was found; the file was not opened.

    Examples
    --------
    >>> refuse_executable(b"{}", "model.json")
    """
    if (kind := executable_kind(data)) is not None:
        sentence = f"{name} is {kind}: loading it would run code, so it was not opened"
        raise BadModelFile(f"{sentence}; ask for the model as JSON and NPZ, safetensors, ONNX or skops.", item=name)


def refuse_executable_file(path: str | Path) -> None:
    """Refuse a file that runs code when it is loaded, whatever its name says.

    Raises
    ------
    BadModelFile
        When it is executable, or cannot be read.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise BadModelFile(f"The model file {path} cannot be read ({why}); correct its path.", item=str(path)) from error
    refuse_executable(data, Path(path).name)


def _kind(data: bytes, depth: int) -> str | None:
    if depth == 0:
        return "an archive nested too deeply to be a model"
    if data[:4] == _ZIP:
        return _zip_kind(data, depth)
    if _ZIP_END in data[-_ZIP_TAIL:] and (kind := _zip_kind(data, depth)) is not None:  # a zip may have anything before it
        return f"{kind}, behind other bytes"
    if data[:6] == _NPY:
        return "an array of Python objects (a pickle)" if _holds_objects(data) else None
    if data[257:262] == b"ustar":
        return "a tar archive (an old torch model)"
    for magic, name in _SHUT:
        if data.startswith(magic):
            return f"a stream packed by {name}, as joblib writes them"
    for magic, name, opener in _PACKED:
        if data.startswith(magic) and (inside := _unpacked(data, opener)) is not None:
            kind = _kind(inside, depth - 1)
            return f"{kind} inside {name}" if kind else None
    return "a pickle" if _is_pickle(data) else None


def _is_pickle(data: bytes) -> bool:
    """Return whether bytes are a chain of pickle's opcodes up to STOP, or begin as protocols 2 to 5 do (joblib and old torch among them).

    A safetensors file begins with the length of its header, which may look like either by chance; within those 8 bytes no pickle can have
    loaded anything yet, so there STOP is taken for what it is, part of a length.
    """
    weights = _is_safetensors(data)
    if not weights and len(data) >= 2 and data[0] == 0x80 and data[1] <= 5:
        return True
    try:
        return any(opcode.name == "STOP" and not (weights and (at or 0) < 8) for opcode, _, at in pickletools.genops(data))
    except Exception as error:  # anything but a chain of opcodes up to STOP is no pickle; genops raises many types on foreign bytes
        return len(data) == _PREFIX and "unknown" not in str(error)  # the first MiB of something packed: opcodes up to where it was cut


def _is_safetensors(data: bytes) -> bool:
    return len(data) >= 10 and 2 <= int.from_bytes(data[:8], "little") <= len(data) - 8 and data[8:9] == b"{"


def _zip_kind(data: bytes, depth: int) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            pickles = [name for name in names if name.endswith((".pkl", ".pickle"))]
            if pickles:
                return f"a zip with {pickles[0].rpartition('/')[2]}"
            kinds = ((name, _member_kind(archive, name, depth)) for name in names)
            return next((f"a zip whose {name} is {kind}" for name, kind in kinds if kind), None)
    except _DAMAGED:
        return None  # damaged, hence nothing that could be loaded; whoever expects a zip says so


def _member_kind(archive: zipfile.ZipFile, name: str, depth: int) -> str | None:
    try:
        with archive.open(name) as member:
            return _kind(member.read(_PREFIX), depth - 1)
    except _DAMAGED:
        return None  # one damaged member says nothing of the others


_DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, lzma.LZMAError, ValueError)


def _holds_objects(data: bytes) -> bool:
    size, start = (2, 10) if data[6:7] == b"\x01" else (4, 12)
    length = int.from_bytes(data[8 : 8 + size], "little")
    try:
        header = ast.literal_eval(data[start : start + length].decode("latin-1"))
        return "O" in str(header["descr"])
    except (ValueError, SyntaxError, KeyError, TypeError):
        return False


def _unpacked(data: bytes, opener: Callable[[], Any]) -> bytes | None:
    """Return at most the first MiB of what a compressed stream holds, or None when it is no such stream."""
    try:
        return bytes(opener().decompress(data, _PREFIX))
    except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError):
        return None
