"""The units that values may carry, and nothing else."""

from __future__ import annotations

from onclair.core.errors import BadInput
from onclair.core.names import did_you_mean

#: Units of a volume's voxels.
VOXEL_UNITS = ("HU", "SUV", "a.u.")
#: Units of outcomes, times and figures.
UNITS = (
    "1",
    "%",
    "mm",
    "mm2",
    "mm3",
    "mL",
    "cm3",
    "nm",
    "ms",
    "counts",
    "day",
    "week",
    "month",
    "year",
    "N",
    "MPa",
    "Gy",
    "GyRBE",
    *VOXEL_UNITS,
)


def checked_unit(unit: str, allowed: tuple[str, ...] = UNITS, *, of: str = "this value") -> str:
    """Return `unit` when it is one of `allowed`.

    Raises
    ------
    BadInput
        Naming the value, the unit found and the nearest allowed one.

    Examples
    --------
    >>> checked_unit("SUV", VOXEL_UNITS)
    'SUV'
    """
    if unit not in allowed:
        raise BadInput(f"The unit of {of} is '{unit}', which Onclair does not know; {did_you_mean(unit, allowed)}", item=unit)
    return unit
