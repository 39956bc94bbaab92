"""What to extract from a region, and how: one frozen record, refused at once where it makes no sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.science.radiomics.aggregate import AGGREGATIONS
from onclair.science.radiomics.discretise import Discretisation, Method
from onclair.science.radiomics.grid import Grid
from onclair.science.radiomics.resegment import checked_range, checked_sigmas

#: In the order of the reference tables. `enclosing` is the part of the morphology that has no consensus value.
FAMILY_NAMES = (
    "morphology", "enclosing", "autocorrelation", "local_peak", "statistics", "histogram", "volume_histogram",
    "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm",
)  # fmt: skip
#: What a study takes unless it asks for more.
USUAL = ("morphology", "autocorrelation", "statistics", "histogram", "volume_histogram", "glcm", "glrlm")


@dataclass(frozen=True, slots=True)
class Extraction:
    """What to extract, and how.

    Attributes
    ----------
    discretisation : {"fixed-width", "fixed-number", "none"}
        Grey levels for the histogram and texture: IBSI's FBS, FBN, or whole numbers as they are.
    width : float or None
        Bin width, in the image's unit (fixed-width).
    minimum : float or None
        Lower edge of the first bin (fixed-width); without it, the lower bound of `range`.
    bins : int or None
        Number of bins (fixed-number).
    range : (float, float) or None
        Re-segmentation: intensities outside it do not count; the shape stays.
    families : tuple of str
        Of `FAMILY_NAMES`.
    aggregations : tuple of str
        Of `aggregate.AGGREGATIONS`: how texture is put together over slices and directions. Families whose matrices have no
        direction (zones, neighbourhoods) take the first half of each name: ``2D``, ``2_5D``, ``3D``.
    ivh_discretisation, ivh_width, ivh_bins : as above
        For the intensity-volume histogram: ``none`` for HU, 1,000 bins for continuous intensities.
    outliers : float or None
        Re-segmentation, after the range: intensities further than so many standard deviations from the mean do not count.
    grid : Grid or None
        The grid to resample onto first; None leaves the voxels as they are.

    Raises
    ------
    BadSetting
        For an unknown or impossible setting, quoting the nearest known one.

    Examples
    --------
    >>> Extraction("fixed-width", width=0.5, minimum=0.0).aggregations
    ('3D_comb',)
    """

    discretisation: Method = "fixed-number"
    width: float | None = None
    minimum: float | None = None
    bins: int | None = 32
    range: tuple[float, float] | None = None
    families: tuple[str, ...] = USUAL
    aggregations: tuple[str, ...] = ("3D_comb",)
    ivh_discretisation: Method = "fixed-number"
    ivh_width: float | None = None
    ivh_bins: int | None = 1000
    outliers: float | None = None
    grid: Grid | None = None

    def __post_init__(self) -> None:
        checked_range(self.range)
        checked_sigmas(self.outliers)
        _check_names("family", self.families, FAMILY_NAMES)
        _check_names("aggregation", self.aggregations, AGGREGATIONS)
        _ = self.levels_by, self.ivh_by

    @property
    def levels_by(self) -> Discretisation:
        """How the grey levels of histogram and texture are made."""
        return Discretisation(self.discretisation, self.width, self._lower_edge, self.bins)

    @property
    def ivh_by(self) -> Discretisation:
        """How the axis of the intensity-volume histogram is made."""
        return Discretisation(self.ivh_discretisation, self.ivh_width, self._lower_edge, self.ivh_bins)

    @property
    def _lower_edge(self) -> float | None:
        return self.range[0] if self.minimum is None and self.range is not None else self.minimum

    def as_record(self) -> dict[str, Any]:
        """Return every setting as plain values; the grid, where there is one, as a record of its own.

        Examples
        --------
        >>> Extraction(grid=Grid((2.0, 2.0))).as_record()["grid"]["spacing_mm"]
        [2.0, 2.0]
        """
        return {name: _plain(value) for name, value in asdict(self).items()}


def extraction_from(record: Mapping[str, Any]) -> Extraction:
    """Return the extraction that a record describes, as a TOML file holds it or :meth:`Extraction.as_record` gives it.

    Parameters
    ----------
    record : mapping
        Keys as the attributes of `Extraction`, all optional; under ``grid`` those of `Grid`. Lists stand for tuples.

    Raises
    ------
    BadSetting
        For an unknown key, quoting the nearest known one, or an impossible value.

    Examples
    --------
    >>> how = extraction_from({"discretisation": "none", "grid": {"spacing_mm": [1.0, 1.0, 1.0], "image": "cubic"}})
    >>> how.grid.image, extraction_from(how.as_record()) == how
    ('cubic', True)
    """
    given = _known(record, tuple(field.name for field in fields(Extraction)))
    if given.get("grid") is not None and not isinstance(given["grid"], Grid):
        grid = _known(given["grid"], tuple(field.name for field in fields(Grid)))
        if "spacing_mm" not in grid:
            raise BadSetting("The grid to resample onto has no spacing_mm; give two or three lengths in mm.", item="spacing_mm")
        given["grid"] = Grid(**grid)
    return Extraction(**given)


def _known(record: Any, names: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(record, Mapping):
        raise BadSetting(f"The settings of an extraction hold {record!r} where a table of {', '.join(names[:3])}... belongs.")
    for name in record:
        if name not in names:
            raise BadSetting(f"The settings of an extraction hold an unknown key '{name}'; {did_you_mean(name, names)}", item=str(name))
    return {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _check_names(what: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise BadSetting(f"The {what} '{name}' is unknown; {did_you_mean(name, known)}", item=name)
    if len(set(given)) != len(given) or not given:
        raise BadSetting(f"The list of {what} names is {list(given)}; give each once, and at least one.", item=what)
