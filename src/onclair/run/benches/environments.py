"""Environments of peers: each tool in a virtual environment of its own under one folder, with the versions this project has pinned."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

#: What an environment holds is kept beside it, so that one that is up to date is left alone.
STAMP = ".installed"
#: The newest Python that is looked for, where a peer needs a newer one than this.
NEWEST_MINOR = 14


@dataclass(frozen=True, slots=True)
class PeerEnvironment:
    """What one peer needs to be installed.

    Attributes
    ----------
    name : str
        Of its folder, and of its pins.
    distribution : str
        With its version, as pip wants it: installed alone where the pins of a checkout are not at hand.
    python : (int, int)
        The oldest Python that it runs on.
    built : bool
        Whether it is built against packages that have to be there before it.
    """

    name: str
    distribution: str
    python: tuple[int, int] = (3, 11)
    built: bool = False


def install(peer: PeerEnvironment, home: Path) -> str | None:
    """Make the environment of a peer, unless it is there and up to date.

    Parameters
    ----------
    peer : PeerEnvironment
    home : Path
        The folder of environments; ``HOME/NAME`` is made anew where it is not up to date.

    Returns
    -------
    str or None
        Why there is none: no Python that is new enough, or the last that pip said.

    Examples
    --------
    >>> install(PeerEnvironment("tool", "tool==1.0", (3, 99)), Path("nowhere"))
    'it needs Python 3.99 or newer, and none was found on PATH or beside this one'
    """
    python = interpreter(peer.python)
    if python is None:
        return f"it needs Python {peer.python[0]}.{peer.python[1]} or newer, and none was found on PATH or beside this one"
    pins = pinned(peer)
    place, stamp = home / peer.name, hashlib.sha256("\n".join([python, *pins]).encode()).hexdigest()
    if (place / STAMP).is_file() and (place / STAMP).read_text(encoding="ascii") == stamp:
        return None
    shutil.rmtree(place, ignore_errors=True)
    why = next((why for command in _commands(peer, pins, python, place) if (why := _failed(command))), None)
    if why is None:
        (place / STAMP).write_text(stamp, encoding="ascii")
    else:
        shutil.rmtree(place, ignore_errors=True)
    return why


def pinned(peer: PeerEnvironment) -> list[str]:
    """Return the pins of a checkout's ``requirements/peer-NAME.txt``; without a checkout, the peer alone.

    Examples
    --------
    >>> pinned(PeerEnvironment("no-such-tool", "no-such-tool==1.0"))
    ['no-such-tool==1.0']
    """
    path = Path(__file__).resolve().parents[4] / "requirements" / f"peer-{peer.name}.txt"
    return path.read_text(encoding="utf-8").split() if path.is_file() else [peer.distribution]


def interpreter(at_least: tuple[int, int]) -> str | None:
    """Return a Python that is new enough: this one, one on PATH, or one installed beside this one; None where none answers.

    Examples
    --------
    >>> interpreter((3, 11)) == sys.executable, interpreter((3, 99))
    (True, None)
    """
    if sys.version_info >= at_least:
        return sys.executable
    return next((found for found in _others(at_least) if _failed([found, "-c", "import venv"]) is None), None)


def _others(at_least: tuple[int, int]) -> Iterator[str]:
    """Yield candidates, the oldest that will do first: it is the one a peer is likeliest to have wheels for."""
    beside = Path(sys.base_prefix).parent
    for minor in range(at_least[1], NEWEST_MINOR + 1):
        name = f"python{at_least[0]}.{minor}"
        on_path = shutil.which(name)
        if on_path is not None:
            yield on_path
        yield from sorted(str(path) for path in beside.glob(f"*/bin/{name}"))


def _commands(peer: PeerEnvironment, pins: Sequence[str], python: str, place: Path) -> Iterator[list[str]]:
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    yield [python, "-m", "venv", str(place)]
    if peer.built:
        itself = peer.distribution.partition("==")[0]
        yield [*pip, *(pin for pin in pins if pin.partition("==")[0] != itself)]
        yield [*pip, "--no-build-isolation", *pins]
    else:
        yield [*pip, *pins]


def _failed(command: Sequence[str]) -> str | None:
    """Run a command; return None where it succeeds, else the last that it said."""
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return None if done.returncode == 0 else (said[-1].strip() if said else f"it ended with {done.returncode}")
