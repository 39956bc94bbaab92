"""The nearest known name, for errors that offer it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None when none is alike.

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
    >>> nearest("bin_widht", ["bin_width", "folds"])
    'bin_width'
    >>> nearest("zzz", ["bin_width"]) is None
    True
    """
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return close[0] if close else None


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
