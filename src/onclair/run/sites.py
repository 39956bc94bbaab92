"""What the log of a session tells of its sites: the rows put together, the last word on each standing.

Rows of ``sites.jsonl`` are ``mark``, ``review``, ``pathology`` and, where a session was silent, one ``opening``
(:mod:`onclair.run.journal` writes them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onclair.core.errors import BadInput
from onclair.io.chainlog import ChainLog, Entry
from onclair.run.session_folder import Session

LOG, HEAD = "sites.jsonl", "sites.head"
#: What a step says of a measurement, and a mark logs; `blank` names the gate that shut where no answer was shown.
RESULT = ("answer", "probability", "prediction_set", "reason", "blank", "amounts", "quality", "inputs")
#: Of these, what a silent session keeps to itself until pathology is in.
SEALED = ("answer", "probability", "prediction_set", "reason")


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """One site as the whole log tells it.

    Attributes
    ----------
    number : int
    mark : mapping
        The fields of its row; of a silent session that was opened, with the answer that had been sealed.
    row : int
        Of the mark, from 1.
    reviews, pathologies : tuple of mapping
        In the order in which they came; the last one stands.
    """

    number: int
    mark: Mapping[str, Any]
    row: int
    reviews: tuple[Mapping[str, Any], ...] = ()
    pathologies: tuple[Mapping[str, Any], ...] = ()

    @property
    def review(self) -> Mapping[str, Any] | None:
        """The review that stands."""
        return self.reviews[-1] if self.reviews else None

    @property
    def pathology(self) -> Mapping[str, Any] | None:
        """The pathology that stands."""
        return self.pathologies[-1] if self.pathologies else None

    @property
    def sealed(self) -> bool:
        """Whether its answer is still kept back."""
        return bool(self.mark.get("sealed")) and not self.mark.get("opened")

    @property
    def position(self) -> tuple[float, float, float] | None:
        """Where the probe's tip was, LPS mm; None without a pose."""
        pose = self.mark.get("pose")
        return None if pose is None else (float(pose[0][3]), float(pose[1][3]), float(pose[2][3]))


def log_of(session: Session) -> ChainLog:
    """Return where the log of a session lies."""
    return ChainLog(session.folder / LOG, head_name=HEAD)


def sites_of(entries: Sequence[Entry]) -> tuple[Site, ...]:
    """Return the sites that a log tells of, by number.

    Examples
    --------
    >>> told = [{"kind": "mark", "site": 1, "pose": None}, {"kind": "pathology", "site": 1, "diagnosis": "margin"},
    ...         {"kind": "pathology", "site": 1, "diagnosis": "core"}]
    >>> site, = sites_of([Entry(n, "", "", fields) for n, fields in enumerate(told, 1)])
    >>> site.number, site.pathology["diagnosis"], len(site.pathologies), site.position
    (1, 'core', 2, None)
    """
    marks: dict[int, tuple[int, dict[str, Any]]] = {}
    after: dict[str, dict[int, list[Mapping[str, Any]]]] = {"review": {}, "pathology": {}}
    for entry in entries:
        kind, fields = entry.fields.get("kind"), entry.fields
        if kind == "mark":
            marks[int(fields["site"])] = (entry.seq, dict(fields))
        elif kind in after:
            after[kind].setdefault(int(fields["site"]), []).append(fields)
        elif kind == "opening":
            for number, opened in fields["answers"].items():
                marks[int(number)][1].update({**opened["answer"], "opened": True})
    return tuple(
        Site(number, fields, row, tuple(after["review"].get(number, ())), tuple(after["pathology"].get(number, ())))
        for number, (row, fields) in sorted(marks.items())
    )


def record_of(site: Site) -> dict[str, Any]:
    """Return a site as plain JSON values: what listings and exports are made from.

    Returns
    -------
    dict
        ``site row time x_lps_mm y_lps_mm z_lps_mm frame_of_reference registration_error_mm pose_age_ms sealed answer probability
        prediction_set reason amounts quality inputs note author settings_id calibration model frames``, and ``review`` and ``pathology``
        as they stand (None where there is none), ``pathologies`` how often it was told.

    Examples
    --------
    >>> record = record_of(Site(1, {"pose": [[1, 0, 0, 4.0], [0, 1, 0, 5.0], [0, 0, 1, 6.0], [0, 0, 0, 1]], "answer": "suspect"}, 1))
    >>> record["x_lps_mm"], record["answer"], record["sealed"], record["pathology"]
    (4.0, 'suspect', False, None)
    """
    x, y, z = site.position or (None, None, None)
    kept = (*RESULT, "time", "note", "author", "settings_id", "calibration", "model", "frames")
    posed = ("frame_of_reference", "registration_error_mm", "pose_age_ms")
    return {
        "site": site.number,
        "row": site.row,
        "x_lps_mm": x,
        "y_lps_mm": y,
        "z_lps_mm": z,
        **{name: site.mark.get(name) for name in (*posed, *kept)},
        "sealed": site.sealed,
        "review": _without(site.review),
        "pathology": _without(site.pathology),
        "pathologies": len(site.pathologies),
    }


def _without(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if row is None else {name: value for name, value in row.items() if name not in ("kind", "site")}


def refuse_unknown(sites: Sequence[int], known: Mapping[int, Site]) -> None:
    """Refuse sites that were never marked.

    Raises
    ------
    BadInput
        Naming the first.

    Examples
    --------
    >>> refuse_unknown([3], {})
    Traceback (most recent call last):
    onclair.core.errors.BadInput: Site 3 was never marked in this session (it has no sites); nothing was logged: correct the number.
    """
    lost = [site for site in sites if site not in known]
    if lost:
        held = f"it has sites {min(known)} to {max(known)}" if known else "it has no sites"
        raise BadInput(
            f"Site {lost[0]} was never marked in this session ({held}); nothing was logged: correct the number.", item=str(lost[0])
        )
