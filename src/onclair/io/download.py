"""One file from the network: resumed where it stopped, tried again with patience, believed only by its SHA-256."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from onclair.core.errors import CheckFailed, NotReachable
from onclair.io.files import sha256_file, writing_to
from onclair.io.public_data import RemoteFile

_BLOCK = 1 << 18
_TIMEOUT_S = 30.0
_WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504}
_AGENT = "onclair (+registry of public data)"


@dataclass(frozen=True, slots=True)
class Patience:
    """How often to try without any byte gained, and how to wait in between.

    Attributes
    ----------
    tries : int
    wait : callable
        Given the seconds: 1, 2, 4, ... at most 30.
    """

    tries: int = 5
    wait: Callable[[float], None] = time.sleep


def _unheard(size: int) -> None:
    del size


def fetch(file: RemoteFile, target: Path, *, gained: Callable[[int], None] = _unheard, patience: Patience | None = None) -> None:
    """Download a file to `target`, going on from ``target.part`` where an earlier try left one.

    Parameters
    ----------
    file : RemoteFile
    target : Path
        Left alone when it already is the file.
    gained : callable
        Called with the bytes of this file that are there, after each block.
    patience : Patience, optional

    Raises
    ------
    NotReachable
        When the server does not answer or refuses; what was downloaded stays for the next try.
    CheckFailed
        When the bytes are not those expected; they are removed.
    NoRoom
        When `target` cannot be written.
    """
    if target.is_file() and target.stat().st_size == file.size and sha256_file(target) == file.sha256:
        gained(file.size)
        return
    part = target.with_name(target.name + ".part")
    with writing_to(target.parent, target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        _patiently(file, part, gained, patience or Patience())
        verify(file, part)
        part.replace(target)


def verify(file: RemoteFile, path: Path) -> None:
    """Remove a file that is not what the registry says, and say so.

    Raises
    ------
    CheckFailed
        Naming the file, what was expected and what was found.
    """
    size, found = path.stat().st_size, sha256_file(path)
    if size != file.size or found != file.sha256:
        path.unlink()
        sentence = f"{file.path} is not the file expected: {file.size} bytes with SHA-256 {file.sha256}, found {size} bytes with {found}"
        raise CheckFailed(f"{sentence}; it was removed: try again, or use a mirror that you trust.", item=file.path)


def _patiently(file: RemoteFile, part: Path, gained: Callable[[int], None], patience: Patience) -> None:
    vain, most = 0, _size(part)
    while _size(part) < file.size:
        try:
            _some(file, part, gained)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416:  # the part is no beginning of this file: start again
                part.unlink(missing_ok=True)
            elif error.code not in _WORTH_ANOTHER_TRY:
                raise _unreachable(file, f"it answers {error.code} {error.reason}") from error
            reason = f"it answers {error.code} {error.reason}"
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            reason = str(getattr(error, "reason", "") or error) or type(error).__name__
        else:
            reason = "it closes the connection early"
        vain = 0 if _size(part) > most else vain + 1  # against the most there ever was: a part may be thrown away and come again
        most = max(most, _size(part))
        if vain >= patience.tries:
            raise _unreachable(file, reason)
        if _size(part) < file.size:
            patience.wait(min(2.0 ** max(vain - 1, 0), 30.0))


def _some(file: RemoteFile, part: Path, gained: Callable[[int], None]) -> None:
    """Append to `part` what one connection gives, from the byte where it stopped."""
    have = _size(part)
    request = urllib.request.Request(file.url, headers={"User-Agent": _AGENT, "Range": f"bytes={have}-"})
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
        resumed = answer.status == 206
        with part.open("ab" if resumed else "wb") as stream:
            have = have if resumed else 0
            while have < file.size and (block := answer.read1(min(_BLOCK, file.size - have))):
                stream.write(block)
                have += len(block)
                gained(have)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _unreachable(file: RemoteFile, reason: str) -> NotReachable:
    host = file.url.split("/")[2]
    sentence = f"{file.path} could not be downloaded from {host} ({reason}); what came is kept"
    return NotReachable(f"{sentence}: try again, or give a folder that holds the same files with --mirror DIR.", item=file.path)
