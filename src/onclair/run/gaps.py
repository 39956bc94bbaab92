"""What is missing, patient by patient: one warning a patient and reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from onclair.core.fragments import in_french

CODE = "feature_missing"


def gap_warnings(reasons: Mapping[str, Mapping[str, str]], columns: int) -> tuple[dict[str, str], ...]:
    """Return what a reader must know of missing values.

    Parameters
    ----------
    reasons : mapping of patient to (mapping of column to reason)
    columns : int
        How many there are in all.

    Returns
    -------
    tuple of dict
        ``code text fr``, in order of patient, the commonest reason first.

    Examples
    --------
    >>> gap_warnings({"P1": {}, "P2": {"corr": "the region is a single voxel"}}, 9)[0]["text"][:66]
    'P2: 1 of 9 features is missing because the region is a single voxe'
    """
    found = []
    for patient, why in sorted(reasons.items()):
        for reason, count in _by_reason(why):
            found.append({"code": CODE, "text": _english(patient, count, columns, reason), "fr": _french(patient, count, columns, reason)})
    return tuple(found)


def empty_cells(reasons: Mapping[str, Mapping[str, str]], columns: int) -> tuple[dict[str, str], ...]:
    """Return what a reader of a table must know of its empty cells, where nothing is learnt and nothing filled in.

    Parameters
    ----------
    reasons, columns
        As for `gap_warnings`.

    Returns
    -------
    tuple of dict
        ``code text fr``.

    Examples
    --------
    >>> empty_cells({"P2": {"corr": "the region is a single voxel"}}, 9)[0]["text"][68:]
    ' nothing was filled in: check what was outlined and measured.'
    """
    return tuple(
        {
            "code": CODE,
            "text": f"{patient}: {_count(count, columns)} missing because {reason}; nothing was filled in: check what was outlined and "
            "measured.",
            "fr": f"{patient} : {_french_count(count, columns)} : {_in_french(reason)} ; rien n'a été complété : vérifiez ce qui a été "
            "contouré et mesuré.",
        }
        for patient, why in sorted(reasons.items())
        for reason, count in _by_reason(why)
    )


def case_warnings(reasons: Mapping[str, str], columns: int) -> list[dict[str, str]]:
    """Return the warnings of one new case, for its finding: one a reason.

    Examples
    --------
    >>> case_warnings({"corr": "the region is a single voxel"}, 9)
    [{'code': 'feature_missing', 'text': '1 of 9 features is missing because the region is a single voxel.'}]
    """
    return [{"code": CODE, "text": f"{_count(n, columns)} missing because {why}."} for why, n in _by_reason(reasons)]


def _by_reason(reasons: Mapping[str, str]) -> list[tuple[str, int]]:
    return sorted(Counter(reasons.values()).items(), key=lambda pair: (-pair[1], pair[0]))


def _count(count: int, columns: int) -> str:
    return f"1 of {columns} features is" if count == 1 else f"{count} of {columns} features are"


def _english(patient: str, count: int, columns: int, reason: str) -> str:
    takes = "It takes" if count == 1 else "Each takes"
    return (
        f"{patient}: {_count(count, columns)} missing because {reason}. {takes} the median of the training patients; "
        "check what was outlined and measured, or leave the patient out."
    )


def _french(patient: str, count: int, columns: int, reason: str) -> str:
    what = _french_count(count, columns)
    takes = "Chacune prend" if count > 1 else "Elle prend"
    return (
        f"{patient} : {what} : {_in_french(reason)}. {takes} la médiane des patients d'apprentissage ; "
        "vérifiez ce qui a été contouré et mesuré, ou excluez le patient."
    )


def _french_count(count: int, columns: int) -> str:
    return f"{count} caractéristique{'s' if count > 1 else ''} sur {columns} manque{'nt' if count > 1 else ''}"


def _in_french(reason: str) -> str:
    """Return a reason in French, fragment by fragment; one that nobody translated is quoted as it is."""
    return " ; ".join(in_french(part) or f"« {part} »" for part in reason.split("; "))
