"""The reference values and response maps of IBSI-2 beside what this program computes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.geometry import reindexed
from onclair.io.nifti import read_image, read_mask
from onclair.io.tables import read_table
from onclair.run.ibsi import Further, Reference, Score, score
from onclair.run.recipes import response_statistics, whole_hu
from onclair.science.radiomics.filters.sets import MAP_SETS, VALUE_SETS, response_map
from onclair.science.radiomics.grid import Grid

#: A response agrees when it lies within this share of the range of the reference map.
TOLERANCE = 0.01
#: How the files of the reference maps end; the set-up stands before it, with ``_`` for its dots.
ENDINGS = ("-ValidCRM.nii", "-ValidCRM.nii.gz", ".nii", ".nii.gz")


def further(maps: Path | None = None) -> Further:
    """Return the sets of IBSI-2, for :func:`onclair.run.ibsi.check_ibsi`: ``ibsi2``, and ``maps`` where their folder is given.

    Examples
    --------
    >>> list(further()), list(further(Path("maps")))
    (['ibsi2'], ['ibsi2', 'maps'])
    """
    return {"ibsi2": check_values} | ({} if maps is None else {"maps": partial(check_maps, maps)})


def check_values(home: Path) -> Score:
    """Compare the statistics of filtered images of the CT phantom with the 323 published ones.

    Parameters
    ----------
    home : Path
        The folder that holds ``ibsi1/`` and ``ibsi2/``.

    Returns
    -------
    Score
        Tags as ``4.B:stat_mean``.

    Raises
    ------
    BadInput
        When a file is missing, or the table holds other columns.

    References
    ----------
    Whybra et al., Radiology 2024;310:e231319, doi:10.1148/radiol.231319.
    """
    references = read_value_references(home / "ibsi2" / "reference_values.csv")
    image = read_image(home / "ibsi1" / "ct_phantom_image.nii.gz", "HU", "CT", of="the CT phantom")
    region = read_mask(home / "ibsi1" / "ct_phantom_mask.nii.gz", of="the outline of the CT phantom").on(image).region()
    values: dict[str, float] = {}
    ready: dict[Grid | None, tuple[Any, Any, tuple[float, float, float]]] = {}
    for name, chosen in VALUE_SETS.items():
        if chosen.grid not in ready:
            ready[chosen.grid] = whole_hu(image.array, region, image.spacing_mm, chosen)
        array, outline, spacing = ready[chosen.grid]
        found = response_statistics(array, outline, spacing, chosen).values
        values |= {f"{name.removeprefix('ibsi2-')}:{tag}": value for tag, value in found.items()}
    return score(values, references)


def read_value_references(path: Path) -> dict[str, Reference]:
    """Return the consensus values, by ``FILTER:tag``; rows without one are left out.

    Raises
    ------
    BadInput
        When the file is missing, or lacks a column.
    """
    frame = read_table(path, text=["filter_id", "feature_tag"]).frame
    columns = ("filter_id", "feature_tag", "consensus_value", "tolerance")
    if not set(columns) <= set(frame.columns):
        raise BadInput(f"The table {path.name} has columns {list(frame.columns)}; it must have {', '.join(columns)}.", item=path.name)
    rows = zip(*(frame[column] for column in columns), strict=True)
    return {f"{name}:{tag}": Reference(float(value), float(slack)) for name, tag, value, slack in rows if not np.isnan(value)}


def check_maps(maps: Path, home: Path) -> Score:
    """Compare response maps of the digital phantoms with published ones: every voxel within 1 % of the reference's range.

    Parameters
    ----------
    maps : Path
        The folder of reference maps, such as ``1_a_1-ValidCRM.nii``; those that are there are compared.
    home : Path
        The folder that holds ``ibsi2/`` with the phantoms.

    Returns
    -------
    Score
        Of a map that does not agree, `value` is its largest difference, `reference` 0 and `tolerance` what it may be.

    Raises
    ------
    BadInput
        When the folder holds no reference map.
    """
    files = reference_maps(maps)
    if not files:
        raise BadInput(f"The folder {maps} holds no reference map; they are named like 1_a_1-ValidCRM.nii.", item=str(maps))
    failed: list[Mapping[str, Any]] = []
    for name, path in files.items():
        phantom = read_image(home / "ibsi2" / f"{MAP_SETS[name].phantom}.nii.gz", "a.u.", of=f"the phantom {MAP_SETS[name].phantom}")
        given = read_image(path, "a.u.", of=f"the reference map {name}")
        reference = reindexed(given.array, given.affine, phantom.affine, phantom.array.shape, of=f"the reference map {name}")
        worst, slack = _departure(response_map(phantom.array, name, phantom.spacing_mm), reference)
        if worst > slack:
            failed.append({"tag": name, "value": worst, "reference": 0.0, "tolerance": slack})
    return Score(len(files) - len(failed), len(files), tuple(failed))


def reference_maps(folder: Path) -> dict[str, Path]:
    """Return the files of reference maps in a folder, or in one of its own, by set-up.

    Examples
    --------
    >>> reference_maps(Path("/nowhere"))
    {}
    """
    present: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.nii*")) if folder.is_dir() else ():
        present.setdefault(path.name, path)
    names = {name: [f"{name.replace('.', sign)}{ending}" for ending in ENDINGS for sign in "_.-"] for name in MAP_SETS}
    return {name: present[file] for name, files in names.items() for file in files[::-1] if file in present}


def _departure(response: npt.NDArray[np.float64], reference: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the largest difference, and what it may be."""
    given = reference.astype(np.float64)
    return float(np.abs(response - given).max()), TOLERANCE * float(np.ptp(given))
