"""Patient codes, centres and kinds: they become names of files and figures, so they must be plain, and nobody's name."""

from __future__ import annotations

import re

from onclair.core.errors import BadCohort

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KIND = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_CENTRE = re.compile(r"[^\W_][^:/\\\x00-\x1f\"<>|?*]{0,63}")
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_DATE = re.compile(rf"(?<!\d)(?:{_YEAR}([-._]?){_MONTH}\1{_DAY}|{_DAY}([-._]?){_MONTH}\2{_YEAR})(?!\d)")
_ADVICE = "replace it by a pseudonym of letters, digits, '.', '_' or '-' and keep the key apart"


def checked_code(code: str, *, where: str) -> str:
    """Return a patient code that may stand in file names and outputs.

    Parameters
    ----------
    code : str
    where : str
        The table it stands in, for the error.

    Raises
    ------
    BadCohort
        For other characters than letters, digits, ``.``, ``_`` and ``-``, a first character that is neither letter nor
        digit, more than 64 characters, or a code with a calendar date in it.

    Examples
    --------
    >>> checked_code("STS_001", where="outcomes.csv")
    'STS_001'
    """
    if "@" in code:
        raise BadCohort(f"The patient code '{code}' in {where} looks like an e-mail address; {_ADVICE}.", item=code)
    if re.search(r"\s|,", code):
        raise BadCohort(f"The patient code '{code}' in {where} looks like a name; {_ADVICE}.", item=code)
    if _DATE.search(code):
        raise BadCohort(f"The patient code '{code}' in {where} looks like it holds a date of birth; {_ADVICE}.", item=code)
    if not _CODE.fullmatch(code):
        raise BadCohort(f"The patient code '{code}' in {where} cannot stand in file names; {_ADVICE}.", item=code)
    return code


def checked_kind(kind: str, *, where: str) -> str:
    """Return a kind of acquisition that may stand in names.

    Raises
    ------
    BadCohort
        For other characters than letters, digits, ``_`` and ``-``.

    Examples
    --------
    >>> checked_kind("pet", where="acquisitions.csv")
    'pet'
    """
    if not _KIND.fullmatch(kind):
        raise BadCohort(f"The kind '{kind}' in {where} is no plain word; use letters, digits, '_' or '-', such as pet.", item=kind)
    return kind


def checked_centre(centre: str, *, where: str) -> str:
    """Return a centre's name that may stand in the name of a figure.

    Raises
    ------
    BadCohort
        For an empty name, or one with ``:``, ``/`` or another sign that file names cannot hold.

    Examples
    --------
    >>> checked_centre("McGill", where="acquisitions.csv")
    'McGill'
    """
    if not _CENTRE.fullmatch(centre):
        sentence = f"The centre '{centre}' in {where} cannot stand in a name; use letters, digits and spaces, such as North."
        raise BadCohort(sentence, item=centre)
    return centre


def checked_visit(visit: str, *, where: str) -> str:
    """Return a visit's name, which may be empty.

    Raises
    ------
    BadCohort
        For other characters than letters, digits, ``.``, ``_`` and ``-``.

    Examples
    --------
    >>> checked_visit("baseline", where="acquisitions.csv")
    'baseline'
    """
    if visit and not _CODE.fullmatch(visit):
        raise BadCohort(f"The visit '{visit}' in {where} is no plain word; use letters, digits, '.', '_' or '-'.", item=visit)
    return visit
