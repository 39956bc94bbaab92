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
    if data[:4] == b"PK\x03\x04":
        return _zip_kind(data, depth)
    if data[:6] == _NPY:
        return "an array of Python objects (a pickle)" if _holds_objects(data) else None
    if data[257:262] == b"ustar":
        return "a tar archive (an old torch model)"
    for magic, name, opener in _PACKED:
        if data.startswith(magic) and (inside := _unpacked(data, opener)) is not None:
            kind = _kind(inside, depth - 1)
            return f"{kind} inside {name}" if kind else None
    return "a pickle" if _is_pickle(data) else None


def _is_pickle(data: bytes) -> bool:
    if len(data) >= 2 and data[0] == 0x80 and data[1] <= 5:  # protocols 2 to 5, joblib and torch's old files among them
        return True
    try:
        return any(opcode.name == "STOP" for opcode, _, _ in pickletools.genops(data[:_PREFIX]))
    except Exception:  # anything but a chain of opcodes up to STOP is no pickle; genops raises many types on foreign bytes
        return False


def _zip_kind(data: bytes, depth: int) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                if name.endswith((".pkl", ".pickle")):
                    return f"a zip with {name.rpartition('/')[2]}"
                with archive.open(name) as member:
                    kind = _kind(member.read(_PREFIX), depth - 1)
                if kind:
                    return f"a zip whose {name} is {kind}"
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, lzma.LZMAError):
        return None  # damaged, hence nothing that could be loaded; whoever expects a zip says so
    return None


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
