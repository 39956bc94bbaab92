"""Unique identifiers made from content, under the 2.25 root: the same parts give the same UID on any machine."""

from __future__ import annotations

import hashlib

from onclair.core.canonical import canonical_json

#: The root whose UIDs anybody may make from a UUID (DICOM PS3.5 B.2).
ROOT = "2.25."


def uid(*parts: str | int) -> str:
    """Return the UID that belongs to some parts: ``2.25.`` and the first 128 bits of their SHA-256 as a decimal number.

    Parameters
    ----------
    *parts : str or int
        What names the object: a seed, a patient, ``"series"``, a slice number.

    Returns
    -------
    str
        At most 44 characters; never a clock, a host or chance.

    Examples
    --------
    >>> uid("seed", 1) == uid("seed", 1), uid("seed", 1) == uid("seed", 2)
    (True, False)
    >>> uid("seed", 1)[:5]
    '2.25.'
    """
    digest = hashlib.sha256(canonical_json(list(parts))).digest()
    return ROOT + str(int.from_bytes(digest[:16], "big"))
