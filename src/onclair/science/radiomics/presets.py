"""Extractions with a name: the configurations of the IBSI, and what the sarcoma PET are read with."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.science.radiomics.aggregate import AGGREGATIONS
from onclair.science.radiomics.extraction import FAMILY_NAMES, Extraction
from onclair.science.radiomics.grid import Grid

_SLICES, _VOLUME = AGGREGATIONS[:4], AGGREGATIONS[4:]
_LUNG, _SOFT = (-1000.0, 400.0), (-500.0, 400.0)
_ISOTROPIC = (2.0, 2.0, 2.0)

#: Configurations of the IBSI's reference manual (arXiv:1612.07003, section 5.2); HU are whole numbers in all of them.
PRESETS: Mapping[str, Extraction] = MappingProxyType(
    {
        "ibsi-digital": Extraction("none", families=FAMILY_NAMES, aggregations=AGGREGATIONS, ivh_discretisation="none"),
        "ibsi-a": Extraction(
            "fixed-width", width=25.0, range=_SOFT, families=FAMILY_NAMES, aggregations=_SLICES, ivh_discretisation="none"
        ),
        "ibsi-b": Extraction(
            "fixed-number",
            bins=32,
            range=_SOFT,
            families=FAMILY_NAMES,
            aggregations=_SLICES,
            ivh_discretisation="none",
            grid=Grid((2.0, 2.0), rounded=True),
        ),
        "ibsi-c": Extraction(
            "fixed-width",
            width=25.0,
            range=_LUNG,
            families=FAMILY_NAMES,
            aggregations=_VOLUME,
            ivh_discretisation="fixed-width",
            ivh_width=2.5,
            grid=Grid(_ISOTROPIC, rounded=True),
        ),
        "ibsi-d": Extraction(
            "fixed-number",
            bins=32,
            families=FAMILY_NAMES,
            aggregations=_VOLUME,
            ivh_discretisation="none",
            outliers=3.0,
            grid=Grid(_ISOTROPIC, rounded=True),
        ),
        "ibsi-e": Extraction(
            "fixed-number",
            bins=32,
            range=_LUNG,
            families=FAMILY_NAMES,
            aggregations=_VOLUME,
            ivh_discretisation="fixed-number",
            ivh_bins=1000,
            outliers=3.0,
            grid=Grid(_ISOTROPIC, image="cubic", rounded=True),
        ),
        "pet-fbs-0.5": Extraction("fixed-width", width=0.5, minimum=0.0, families=FAMILY_NAMES),
    }
)


def preset(name: str) -> Extraction:
    """Return the extraction of that name.

    Parameters
    ----------
    name : str
        Of `PRESETS`.

    Raises
    ------
    BadSetting
        For an unknown name, quoting the nearest known one.

    Examples
    --------
    >>> preset("ibsi-c").grid.spacing_mm
    (2.0, 2.0, 2.0)
    """
    if name not in PRESETS:
        raise BadSetting(f"There are no settings named '{name}'; {did_you_mean(name, PRESETS)}", item=name)
    return PRESETS[name]
