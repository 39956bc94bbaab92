"""The site log as markups of 3D Slicer: a point list in LPS for each navigation frame, a control point a site."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Site = Mapping[str, Any]
SCHEMA = "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#"
#: Identity, row by row: a site has a place and no direction.
_ORIENTATION = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
#: Okabe-Ito vermillion, RGB in [0, 1].
_COLOUR = [0.8353, 0.3686, 0.0]


def sites_markups(sites: Sequence[Site]) -> dict[str, Any]:
    """Return the sites as the content of a ``.mrk.json``.

    Parameters
    ----------
    sites : sequence of mapping
        As :func:`onclair.run.sites.record_of` makes them. One without a pose has no place in a scene and is left out
        (:func:`without_pose` names it).

    Returns
    -------
    dict
        A ``Fiducial`` list for each navigation frame, ``coordinateSystem`` LPS, which Slicer itself turns into its scene's RAS.

    Examples
    --------
    >>> made = sites_markups([{"site": 2, "x_lps_mm": 1.0, "y_lps_mm": 2.0, "z_lps_mm": 3.0, "answer": "suspect", "probability": 0.91}])
    >>> point, = made["markups"][0]["controlPoints"]
    >>> point["label"], point["position"], point["description"]
    ('2', [1.0, 2.0, 3.0], 'suspect, p = 0.91')
    """
    placed = [site for site in sites if site.get("x_lps_mm") is not None]
    frames = list(dict.fromkeys(str(site.get("frame_of_reference") or "") for site in placed)) or [""]
    lists = [_list(frame, [site for site in placed if str(site.get("frame_of_reference") or "") == frame]) for frame in frames]
    return {"@schema": SCHEMA, "markups": lists}


def render_markups(sites: Sequence[Site]) -> str:
    """Return the markups as JSON text with one line end.

    Examples
    --------
    >>> render_markups([]).splitlines()[1][:11]
    '  "@schema"'
    """
    return json.dumps(sites_markups(sites), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def without_pose(sites: Sequence[Site]) -> tuple[int, ...]:
    """Return the numbers of the sites that were marked without a pose.

    Examples
    --------
    >>> without_pose([{"site": 1, "x_lps_mm": None}, {"site": 2, "x_lps_mm": 0.0}])
    (1,)
    """
    return tuple(int(site["site"]) for site in sites if site.get("x_lps_mm") is None)


def _list(frame: str, sites: Sequence[Site]) -> dict[str, Any]:
    return {
        "type": "Fiducial",
        "name": f"Biopsy sites ({frame})" if frame else "Biopsy sites",
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": True,
        "fixedNumberOfControlPoints": False,
        "labelFormat": "%d",
        "lastUsedControlPointNumber": max((int(site["site"]) for site in sites), default=0),
        "controlPoints": [_point(site) for site in sites],
        "display": {"visibility": True, "opacity": 1.0, "selectedColor": _COLOUR, "pointLabelsVisibility": True, "glyphType": "Sphere3D"},
    }


def _point(site: Site) -> dict[str, Any]:
    return {
        "id": str(site["site"]),
        "label": str(site["site"]),
        "description": _described(site),
        "associatedNodeID": "",
        "position": [float(site[name]) for name in ("x_lps_mm", "y_lps_mm", "z_lps_mm")],
        "orientation": _ORIENTATION,
        "selected": True,
        "locked": True,
        "visibility": True,
        "positionStatus": "defined",
    }


def _described(site: Site) -> str:
    """Return model, pathology and note in one line, each said to be what it is."""
    answer = "sealed" if site.get("sealed") else site.get("answer")
    told = [str(answer)] if answer else []
    if site.get("probability") is not None:
        told.append(f"p = {float(site['probability']):.2f}")
    pathology = site.get("pathology") or {}
    found = f"pathology: {pathology['diagnosis']}" if pathology.get("diagnosis") else ""
    parts = [", ".join(told), found, str(site.get("note") or ""), "virtual" if site.get("data") == "virtual" else ""]
    return "; ".join(part for part in parts if part)
