"""The nearest known name, for errors that offer it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: Share of letters in common, in order, from which a name is a slip for another: one letter wrong of four, two of eight.
ALIKE = 0.75
#: Letters from which the beginning of a name stands for it.
PREFIX = 3


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` is a slip for, or begins; None when none is near.

    Capitals do not matter. A name that is merely the least unlike is not offered: it would send the reader astray.

    Parameters
    ----------
    name : str
        What was written.
    known : iterable of str
        What could have been meant.

    Returns
    -------
    str or None

    Examples
    --------
    >>> nearest("bin_widht", ["bin_width", "folds"]), nearest("radio", ["folds", "radiomics"])
    ('bin_width', 'radiomics')
    >>> nearest("nosuch", ["bench", "run"]) is None
    True
    """
    plain = {each.casefold(): each for each in sorted(known, reverse=True)}
    wanted = name.casefold()
    close = difflib.get_close_matches(wanted, sorted(plain), n=1, cutoff=ALIKE)
    begun = [each for each in sorted(plain, key=lambda each: (abs(len(each) - len(wanted)), each)) if _begins(wanted, each)]
    return plain[(close or begun)[0]] if close or begun else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return an ending for an error sentence that names the nearest known name, or lists them all.

    Examples
    --------
    >>> did_you_mean("fold", ["folds", "seed"])
    "did you mean 'folds'?"
    >>> did_you_mean("q", ["folds", "seed"])
    'known: folds, seed.'
    """
    names = sorted(known)
    near = nearest(name, names)
    return f"did you mean '{near}'?" if near else f"known: {', '.join(names)}."


def _begins(one: str, other: str) -> bool:
    """Return whether one name begins the other, the shorter having letters enough to tell."""
    short, long = sorted((one, other), key=len)
    return len(short) >= PREFIX and long.startswith(short)
