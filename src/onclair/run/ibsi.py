"""Every reference value of the IBSI beside what this program computes: which sets pass, and what fails where."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.values import Image
from onclair.io.nifti import read_image, read_mask
from onclair.io.tables import read_table
from onclair.science.radiomics.extract import extract
from onclair.science.radiomics.presets import preset

#: Rows of the tables that describe the image and the masks: reported by nobody's features, and not counted.
DIAGNOSTICS = ("img_dim_", "vox_dim_", "mean_int_", "min_int_", "max_int_", "int_mask_", "morph_mask_")


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """One table of reference values of the first IBSI.

    Attributes
    ----------
    settings : str
        The preset that it is for.
    table, phantom : str
        The table's file, and how the phantom's two files begin.
    """

    settings: str
    table: str
    phantom: str


Phantom = tuple[Image, npt.NDArray[np.bool_]]

#: By the names that `check_ibsi` gives them.
SETS: Mapping[str, ReferenceSet] = MappingProxyType(
    {
        "digital": ReferenceSet("ibsi-digital", "ibsi_1_dig_phantom.csv", "digital_phantom"),
        **{name: ReferenceSet(f"ibsi-{name}", f"ibsi_1_chest_config_{name}.csv", "ct_phantom") for name in "abcde"},
    }
)
#: Further sets, by name: the folder that holds ``ibsi1/`` and ``ibsi2/`` to a score. The filters bring theirs.
Further = Mapping[str, Callable[[Path], "Score"]]


@dataclass(frozen=True, slots=True)
class Reference:
    """A published value.

    Attributes
    ----------
    value, tolerance : float
        Of three significant digits.
    """

    value: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Score:
    """How one set came out.

    Attributes
    ----------
    passed, total : int
    failed : tuple of mapping
        ``tag``, ``value`` (None where there is none), ``reference`` and ``tolerance`` of each value that does not pass.
    """

    passed: int
    total: int
    failed: tuple[Mapping[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the score as plain JSON values."""
        return {"passed": self.passed, "total": self.total, "failed": [dict(row) for row in self.failed]}


def check_ibsi(reference_data: Path, further: Further = MappingProxyType({})) -> dict[str, Any]:
    """Compute every set of the IBSI and compare it with the published values.

    Parameters
    ----------
    reference_data : Path
        The folder that holds ``ibsi1/``, or one that holds ``radiomics/`` with it.
    further : mapping of str to callable
        Sets beyond those of the first IBSI, such as the filters' values and response maps.

    Returns
    -------
    dict
        ``sets``: for each name of `SETS` and `further`, ``passed``, ``total`` and ``failed``.

    Raises
    ------
    BadInput
        When the folder or one of its files is missing.

    References
    ----------
    Zwanenburg et al., Radiology 2020;295:328-338, doi:10.1148/radiol.2020191145.
    """
    home = reference_home(reference_data)
    phantoms = {name: _phantom(home / "ibsi1", name) for name in dict.fromkeys(each.phantom for each in SETS.values())}
    scores = {name: check_set(home, name, phantoms[each.phantom]) for name, each in SETS.items()}
    scores |= {name: check(home) for name, check in further.items()}
    return {"sets": {name: score.as_dict() for name, score in scores.items()}}


def reference_home(reference_data: Path) -> Path:
    """Return the folder that holds ``ibsi1/``: the one given, or ``radiomics/`` in it.

    Raises
    ------
    BadInput
        When neither does.
    """
    for home in (reference_data, reference_data / "radiomics"):
        if (home / "ibsi1").is_dir():
            return home
    raise BadInput(
        f"The folder {reference_data} holds neither ibsi1/ nor radiomics/ibsi1/; give the folder of the IBSI's phantoms and tables.",
        item=str(reference_data),
    )


def check_set(home: Path, name: str, phantom: Phantom | None = None) -> Score:
    """Compare one set of the first IBSI.

    Parameters
    ----------
    home : Path
        The folder that holds ``ibsi1/``.
    name : str
        Of `SETS`.
    phantom : Phantom or None
        The set's image and outline, where they have been read already.
    """
    chosen = SETS[name]
    image, region = phantom or _phantom(home / "ibsi1", chosen.phantom)
    features = extract(image.array, region, image.spacing_mm, preset(chosen.settings))
    return score(features.values, read_references(home / "ibsi1" / chosen.table))


def read_references(path: Path) -> dict[str, Reference]:
    """Return the reference values of one table, by tag; diagnostics, and rows without a consensus value, are left out.

    Raises
    ------
    BadInput
        When the file is missing, or holds other columns than ``reference value``, ``tolerance`` and ``tag``.
    """
    frame = read_table(path, text=["tag"]).frame
    columns = ("tag", "reference value", "tolerance")
    if not set(columns) <= set(frame.columns):
        raise BadInput(f"The table {path.name} has columns {list(frame.columns)}; it must have {', '.join(columns)}.", item=path.name)
    rows = zip(*(frame[column] for column in columns), strict=True)
    return {
        str(tag): Reference(float(value), float(tolerance))
        for tag, value, tolerance in rows
        if not str(tag).startswith(DIAGNOSTICS) and not math.isnan(value)
    }


def score(values: Mapping[str, float], references: Mapping[str, Reference]) -> Score:
    """Compare values with references, tag by tag.

    Parameters
    ----------
    values : mapping of str to float
        A tag that is absent fails, as NaN does.
    references : mapping of str to Reference

    Examples
    --------
    >>> done = score({"stat_mean": 2.149, "stat_var": 3.2}, {"stat_mean": Reference(2.15, 0.0), "stat_var": Reference(3.05, 0.0)})
    >>> done.passed, done.total, [row["tag"] for row in done.failed]
    (1, 2, ['stat_var'])
    """
    failed = []
    for tag, reference in references.items():
        value = values.get(tag, math.nan)
        if not agrees(value, reference):
            found = None if math.isnan(value) else value
            failed.append({"tag": tag, "value": found, "reference": reference.value, "tolerance": reference.tolerance})
    return Score(len(references) - len(failed), len(references), tuple(failed))


def agrees(value: float, reference: Reference) -> bool:
    """Return whether a value passes: it, or it rounded to the three digits that references have, lies within the tolerance.

    Examples
    --------
    >>> agrees(0.03970413, Reference(0.0397, 0.0)), agrees(0.0398, Reference(0.0397, 0.0)), agrees(float("nan"), Reference(0.0, 9.0))
    (True, False, False)
    """
    slack = reference.tolerance + 1e-9 * abs(reference.value)
    return any(abs(candidate - reference.value) <= slack for candidate in (value, float(f"{value:.3g}")))


def _phantom(folder: Path, name: str) -> Phantom:
    image = read_image(folder / f"{name}_image.nii.gz", "HU", "CT", of=f"the {name.replace('_', ' ')}")
    mask = read_mask(folder / f"{name}_mask.nii.gz", of=f"the outline of the {name.replace('_', ' ')}")
    return image, mask.on(image).region()
