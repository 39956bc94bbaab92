"""Settings of an extraction by name or from a TOML file, whatever kind they are, and the one call that applies them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.io.files import toml_fault
from onclair.science.radiomics.diagnostics import diagnostics
from onclair.science.radiomics.dialects import DIALECT_PRESETS, PyRadiomics, extract_published, published_names
from onclair.science.radiomics.extract import extract, feature_tags
from onclair.science.radiomics.extraction import Extraction, extraction_from
from onclair.science.radiomics.features import Features
from onclair.science.radiomics.filtered import FilteredExtraction, extract_filtered, responses_of
from onclair.science.radiomics.filters.gabor import Gabor
from onclair.science.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from onclair.science.radiomics.filters.laws import Laws
from onclair.science.radiomics.filters.mean import Mean
from onclair.science.radiomics.filters.response import Filter, Setup, filtered
from onclair.science.radiomics.filters.riesz import Riesz
from onclair.science.radiomics.filters.separable_wavelets import SeparableWavelet
from onclair.science.radiomics.filters.sets import VALUE_SETS, ValueSet
from onclair.science.radiomics.filters.simoncelli import Simoncelli
from onclair.science.radiomics.grid import resampled
from onclair.science.radiomics.intensity import STAT_TAGS, intensity_statistics
from onclair.science.radiomics.presets import PRESETS
from onclair.science.radiomics.resegment import within_range
from onclair.science.radiomics.roi import box_around, checked_outline, checked_spacing

How: TypeAlias = Extraction | FilteredExtraction | ValueSet | PyRadiomics
Array: TypeAlias = npt.NDArray[Any]
Region: TypeAlias = npt.NDArray[np.bool_]

#: Every extraction that has a name.
NAMED: Mapping[str, How] = {**PRESETS, **VALUE_SETS, **DIALECT_PRESETS}
#: What is extracted when nothing is said.
DEFAULT = "pet-fbs-0.5"
#: The filters by the word for them in a file.
FILTERS: Mapping[str, Callable[..., Filter]] = {
    "mean": Mean,
    "laplacian-of-gaussian": LaplacianOfGaussian,
    "laws": Laws,
    "gabor": Gabor,
    "wavelet": SeparableWavelet,
    "simoncelli": Simoncelli,
    "riesz": Riesz,
}
_OF_A_FILTER = ("name", "kind", "dimensions", "boundary")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to extract, under a name.

    Attributes
    ----------
    name : str
        The settings' name, or that of their file.
    how : Extraction, FilteredExtraction, ValueSet or PyRadiomics

    Examples
    --------
    >>> recipe("ibsi-c").columns[0]
    'morph_volume'
    """

    name: str
    how: How

    @property
    def columns(self) -> tuple[str, ...]:
        """The features in order, without computing any."""
        how = self.how
        if isinstance(how, Extraction):
            return feature_tags(how)
        if isinstance(how, FilteredExtraction):
            of_each = feature_tags(how.responses)
            return (*feature_tags(how.original), *(f"{name}:{tag}" for name, _ in how.filters for tag in of_each))
        return STAT_TAGS if isinstance(how, ValueSet) else published_names()

    def as_record(self) -> dict[str, Any]:
        """Return everything that a number depends on, as plain JSON values.

        Examples
        --------
        >>> recipe("pyradiomics-bw25").as_record()["dialect"]
        'pyradiomics'
        """
        if isinstance(self.how, Extraction):
            return {"dialect": "ibsi", **self.how.as_record()}
        kind = {FilteredExtraction: "ibsi-filtered", ValueSet: "ibsi-2"}.get(type(self.how), "pyradiomics")
        return {"dialect": kind, **_plain(self.how)}


def recipe(settings: str) -> Recipe:
    """Return the extraction of that name, or the one that a TOML file holds.

    Parameters
    ----------
    settings : str
        Of `NAMED`, or the path of a file.

    Raises
    ------
    BadSetting
        For an unknown name or key, quoting the nearest known one, a file that cannot be read, or an impossible value.

    Examples
    --------
    >>> recipe("ibsi2-4.B").how.setup.filter.kernels
    'L5E5E5'
    """
    if settings in NAMED:
        return Recipe(settings, NAMED[settings])
    path = Path(settings)
    if path.suffix.lower() == ".toml" or path.is_file():
        return Recipe(path.name, how_from(_document(path)))
    raise BadSetting(f"There are no settings named '{settings}', and no such file; {did_you_mean(settings, NAMED)}", item=settings)


def how_from(document: Mapping[str, Any]) -> How:
    """Return the extraction that a parsed TOML file describes.

    Parameters
    ----------
    document : mapping
        The keys of `Extraction`, with a table ``grid``; optional tables ``[[filter]]`` (``name kind dimensions boundary`` and the filter's
        own) and ``[filtered]`` (what differs for their responses). With ``dialect = "pyradiomics"`` the keys of `PyRadiomics` alone.

    Raises
    ------
    BadSetting
        For an unknown key, quoting the nearest known one, or an impossible value.

    Examples
    --------
    >>> how_from({"dialect": "pyradiomics", "width": 25.0}) == NAMED["pyradiomics-bw25"]
    True
    >>> log = {"name": "log-3", "kind": "laplacian-of-gaussian", "sigma_mm": 3.0}
    >>> how_from({"bins": 32, "filter": [log]}).filters[0][1].filter
    LaplacianOfGaussian(sigma_mm=3.0, cutoff=4.0)
    """
    given = dict(document)
    dialect = given.pop("dialect", "ibsi")
    if dialect == "pyradiomics":
        engine: PyRadiomics = _built(PyRadiomics, given, "the dialect pyradiomics")
        return engine
    if dialect != "ibsi":
        raise BadSetting(f"The dialect '{dialect}' is unknown; {did_you_mean(str(dialect), ('ibsi', 'pyradiomics'))}", item="dialect")
    filters, responses = given.pop("filter", None), given.pop("filtered", {})
    known = {*(field.name for field in fields(Extraction)), "dialect", "filter", "filtered"}
    for name in given:
        if name not in known:
            raise BadSetting(f"The settings of an extraction hold an unknown key '{name}'; {did_you_mean(name, known)}", item=name)
    original: Extraction = _typed(extraction_from, given, "an extraction")
    if filters is None:
        if responses:
            raise BadSetting("The settings hold [filtered] but no [[filter]]; name a filter or leave the table out.", item="filtered")
        return original
    if not isinstance(filters, list) or not isinstance(responses, Mapping):
        raise BadSetting("Filters are a list of tables [[filter]], and what differs for their responses a table [filtered].", item="filter")
    allowed = ("discretisation", "width", "minimum", "bins", "families", "aggregations")
    settings = _known(responses, allowed, "the table [filtered]")
    return FilteredExtraction(
        original, tuple(_filter(table) for table in filters), _typed(lambda s: responses_of(original, s), settings, "[filtered]")
    )


def described(array: Array, region: Region, spacing_mm: npt.ArrayLike, how: How) -> Features:
    """Describe one outlined region, whatever the kind of settings.

    Parameters
    ----------
    array : ndarray of real numbers, shape (x, y, z)
        Not changed.
    region : ndarray, bool, shape (x, y, z)
    spacing_mm : array_like, shape (3,)
    how : Extraction, FilteredExtraction, ValueSet or PyRadiomics

    Returns
    -------
    Features
        By the IBSI's tags; by its own names in the dialect ``pyradiomics``.

    Raises
    ------
    BadGeometry, BadCase
        As the extractions do.

    Examples
    --------
    >>> a = np.arange(27.0).reshape(3, 3, 3)
    >>> described(a, a > 0, (2, 2, 2), NAMED["ibsi2-1.A"]).values["stat_mean"]
    13.5
    """
    if isinstance(how, Extraction):
        return extract(array, region, spacing_mm, how)
    if isinstance(how, FilteredExtraction):
        return extract_filtered(array, region, spacing_mm, how)
    if isinstance(how, ValueSet):
        return response_statistics(*whole_hu(array, region, spacing_mm, how), how)
    return extract_published(array, region, spacing_mm, how)


def whole_hu(array: Array, region: Region, spacing_mm: npt.ArrayLike, how: ValueSet) -> tuple[Array, Region, tuple[float, float, float]]:
    """Return image, outline and spacing as a set of IBSI-2's values wants them: resampled where it says so, in whole HU.

    Raises
    ------
    BadGeometry, BadCase
        As :func:`onclair.science.radiomics.grid.resampled`.
    """
    array, region = checked_outline(array, region)
    spacing = checked_spacing(spacing_mm)
    if how.grid is None:
        return np.rint(array.astype(np.float64)), region, spacing
    moved = resampled(array, region, spacing, how.grid)
    return moved.array, moved.region, moved.spacing_mm


def response_statistics(array: Array, region: Region, spacing_mm: tuple[float, float, float], how: ValueSet) -> Features:
    """Return the statistics of a filter's response inside an outline, re-segmented on the image before the filter.

    Parameters
    ----------
    array, region, spacing_mm
        From `whole_hu`.
    how : ValueSet

    Raises
    ------
    BadCase
        When no voxel lies in the range, or the image holds NaN.
    """
    kept = within_range(array, region, how.range)
    box = box_around(kept)
    return intensity_statistics(filtered(array, spacing_mm, how.setup, box=box)[kept[box]])


def diagnosed(array: Array, region: Region, spacing_mm: npt.ArrayLike, how: How) -> dict[str, float]:
    """Return the IBSI's diagnostic figures: before, after resampling and after re-segmentation.

    In the dialect ``pyradiomics``, whose grid is another, those from before alone.
    """
    if isinstance(how, PyRadiomics):
        found = diagnostics(array, region, spacing_mm, Extraction(families=("statistics",)))
        return {name: value for name, value in found.items() if "_init_" in name}
    if isinstance(how, ValueSet):
        rounded = np.rint(array) if how.grid is None else array
        return diagnostics(rounded, region, spacing_mm, Extraction(families=("statistics",), range=how.range, grid=how.grid))
    return diagnostics(array, region, spacing_mm, how.original if isinstance(how, FilteredExtraction) else how)


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        why = (error.strerror or "").lower()
        raise BadSetting(f"The settings file {path} cannot be read ({why}); correct its name after --settings.", item=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(
            f"The settings file {path} is not TOML ({toml_fault(error)}); write lines such as bins = 32.", item=str(path)
        ) from None


def _filter(table: Any) -> tuple[str, Setup]:
    if not isinstance(table, Mapping) or "name" not in table or "kind" not in table:
        raise BadSetting("A table [[filter]] needs a name, for its columns, and a kind, such as laplacian-of-gaussian.", item="filter")
    own = {key: value for key, value in table.items() if key not in _OF_A_FILTER}
    placed = {key: table[key] for key in ("dimensions", "boundary") if key in table}
    if placed.get("dimensions", 3) not in (2, 3):
        raise BadSetting(f"The filter '{table['name']}' has {placed['dimensions']} dimensions; give 2 or 3.", item="dimensions")
    return str(table["name"]), Setup(_kernel(str(table["kind"]), own), **placed)


def _kernel(kind: str, own: dict[str, Any]) -> Filter:
    if kind not in FILTERS:
        raise BadSetting(f"The filter '{kind}' is unknown; {did_you_mean(kind, FILTERS)}", item=kind)
    if kind == "riesz" and isinstance(own.get("of"), Mapping):
        inner = dict(own["of"])
        own = {**own, "of": _kernel(str(inner.pop("kind", "")), inner)}
    made: Filter = _built(FILTERS[kind], own, f"the filter {kind}", extra=_OF_A_FILTER)
    return made


def _built(kind: Any, given: Mapping[str, Any], what: str, *, extra: tuple[str, ...] = ()) -> Any:
    """Make a record of settings from the keys of a file."""
    names = tuple(field.name for field in fields(kind))
    return _typed(lambda known: kind(**known), _known(given, names, what, extra), what)


def _known(given: Mapping[str, Any], names: tuple[str, ...], what: str, extra: tuple[str, ...] = ()) -> dict[str, Any]:
    for name in given:
        if name not in names:
            raise BadSetting(f"The settings of {what} hold an unknown key '{name}'; {did_you_mean(name, (*names, *extra))}", item=name)
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def _typed(make: Callable[[Any], Any], given: Mapping[str, Any], what: str) -> Any:
    """Make a record of settings; a value of another type, or one that is missing, becomes a sentence."""
    try:
        return make(given)
    except (TypeError, ValueError, AttributeError) as error:
        raise BadSetting(
            f"The settings of {what} hold a value of the wrong kind, or lack one ({error}); correct them.", item=what
        ) from None


def _plain(value: Any) -> Any:
    """Return a record of settings as JSON values; a filter says which one it is."""
    if isinstance(value, Extraction):
        return value.as_record()
    if hasattr(value, "__dataclass_fields__"):
        own = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        named = {made: word for word, made in FILTERS.items()}
        return {"kind": named[type(value)], **own} if type(value) in named else own
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple | list) else value
