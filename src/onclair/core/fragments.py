"""How a figure was made, or why there is none: the record's English fragments in French.

A method or a reason of the record is fragments joined by ``"; "``. Each is looked up by itself in the tables of
:mod:`onclair.core.french`; one that is not there stays English and is marked so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from onclair.core.french import FRAGMENTS, TABLES

__all__ = ["FRAGMENTS", "TABLES", "each_once", "in_french"]

_KNOWN = tuple((re.compile(pattern), french) for pattern, french in FRAGMENTS)
_PLACE = re.compile(r"\\(\d)")
_NUMBER = re.compile(r"(?<![\w.])(\d+)\.(\d+)(?=e[-+]\d|(?![\w.]))")


def in_french(fragment: str) -> str | None:
    """Return one fragment in French, its capital and full stop kept; None where it, or a fragment that it holds, is not known.

    Examples
    --------
    >>> in_french("mean over 3 repeats"), in_french("Every voxel has the same value (3.2).")
    ('moyenne de 3 répétitions', 'Tous les voxels ont la même valeur (3,2).')
    >>> in_french("one of the groups has no figure: there is no event")
    "l'un des groupes n'a pas de valeur : il n'y a aucun événement"
    >>> in_french("read in the stars") is None, in_french("one of the groups has no figure: read in the stars") is None
    (True, True)
    """
    stop = "." if fragment.endswith(".") else ""
    plain = fragment.removesuffix(".")
    found = _matched(plain)
    if found is None and plain[:1].isupper():
        found = _matched(plain[0].lower() + plain[1:])
        found = None if found is None else found[:1].upper() + found[1:]
    return None if found is None else found + stop


def each_once(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the fragments of several texts, each once, in the order in which they first come.

    Examples
    --------
    >>> each_once(["AUC; DeLong 1988", "score; DeLong 1988", ""])
    ('AUC', 'DeLong 1988', 'score')
    """
    return tuple(dict.fromkeys(part for text in texts for part in text.split("; ") if part))


@lru_cache(maxsize=4096)
def _matched(fragment: str) -> str | None:
    for pattern, french in _KNOWN:
        found = pattern.fullmatch(fragment)
        told = None if found is None else _filled(found, french)
        if told is not None:
            return told
    return None


def _filled(found: re.Match[str], french: str) -> str | None:
    """Return the French with what was caught in its places, or None where a fragment that was caught is not known."""
    caught = {str(place): _NUMBER.sub(r"\1,\2", text) for place, text in enumerate(found.groups(), start=1)}
    for name, place in found.re.groupindex.items():
        told = found[name] if name.startswith("name") else in_french(found[name])
        if told is None:
            return None
        caught[str(place)] = told
    return _PLACE.sub(lambda place: caught[place[1]], french)
