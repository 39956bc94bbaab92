"""The site log as a table: a row a site, what the model answered and what pathology said side by side, never mixed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

Site = Mapping[str, Any]
#: Columns that every table has, in this order.
COLUMNS = (
    *("site", "x_lps_mm", "y_lps_mm", "z_lps_mm", "frame_of_reference", "registration_error_mm"),
    *("answer", "probability", "note", "diagnosis", "infiltration"),
    *("prediction_set", "reason", "review", "reviewed_by", "pose_age_ms", "author", "time", "settings_id", "quality_failed", "data"),
)
SEALED = "sealed"


def sites_csv(sites: Sequence[Site]) -> str:
    r"""Return the table as CSV: UTF-8 text, ``\n``, numbers by their shortest exact form, what is not known as an empty cell.

    Parameters
    ----------
    sites : sequence of mapping
        As :func:`onclair.run.sites.record_of` makes them. Other columns of the pathology follow the fixed ones, by name.

    Returns
    -------
    str

    Examples
    --------
    >>> text = sites_csv([{"site": 1, "x_lps_mm": 1.5, "answer": "suspect", "probability": 0.9,
    ...                    "pathology": {"diagnosis": "margin", "infiltration": 0.3, "further": {"block": "A"}}}])
    >>> header, row = text.splitlines()
    >>> header.split(",")[:3], header.split(",")[-1], row.split(",")[:2], row.split(",")[9:11]
    (['site', 'x_lps_mm', 'y_lps_mm'], 'block', ['1', '1.5'], ['margin', '0.3'])
    """
    further = sorted({str(name) for site in sites for name in (site.get("pathology") or {}).get("further") or {}} - {*COLUMNS})
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*COLUMNS, *further])
    for site in sites:
        cells = _cells(site)
        writer.writerow([_written(cells.get(name)) for name in (*COLUMNS, *further)])
    return buffer.getvalue()


def _cells(site: Site) -> dict[str, Any]:
    pathology, review = site.get("pathology") or {}, site.get("review") or {}
    failed = [str(gate["name"]) for gate in site.get("quality") or () if gate.get("passed") is False]
    own = {name: value for name, value in site.items() if name in COLUMNS}
    return {
        **(pathology.get("further") or {}),
        **own,
        "answer": SEALED if site.get("sealed") else site.get("answer"),
        "prediction_set": " ".join(site.get("prediction_set") or ()),
        "review": review.get("action"),
        "reviewed_by": review.get("by"),
        "diagnosis": pathology.get("diagnosis"),
        "infiltration": pathology.get("infiltration"),
        "quality_failed": " ".join(failed),
    }


def _written(value: Any) -> str:
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)
