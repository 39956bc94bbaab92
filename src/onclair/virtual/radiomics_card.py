"""The model card that comes with a virtual cohort: a logistic sum of a few features, fitted on another virtual cohort of the same law.

What the card measures is chosen so that an audit has something to find, and is no secret: under the law ``volume`` a run-length feature
whose name says texture and whose value is volume; under ``texture`` features that follow the correlation length; under ``batch`` some
that follow the scanner; under ``noise`` those of ``texture``, which then have nothing to follow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadSetting
from onclair.science.radiomics.extract import Extraction, extract
from onclair.science.radiomics.grid import Grid
from onclair.science.statistics.auc_covariance import delong_covariance
from onclair.science.statistics.glm import logistic, with_intercept
from onclair.science.statistics.ranks import auc
from onclair.virtual.radiomics_knobs import VirtualRadiomics, draw_knobs
from onclair.virtual.radiomics_patient import patient_of

Floats = npt.NDArray[np.float64]
#: Penalty on the standardised coefficients: next to nothing, but it keeps them finite where few patients are told apart perfectly.
RIDGE = 0.1
#: Significant digits of every number on a card.
DIGITS = 6
#: Fewest patients of each class.
FEWEST = 2


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a card measures, and on what.

    Attributes
    ----------
    tags : tuple of str
        Of the extractor.
    families : tuple of str
        Those that hold the tags.
    method : {"fixed-width", "fixed-number"}
    size : float
        Bin width, or number of bins.
    minimum : float
        Lower edge of the first bin of a fixed width.
    spacing_mm : float or None
        Isotropic grid to resample onto, linearly; None keeps the voxels.
    range : (float, float) or None
        Intensities that count.
    """

    tags: tuple[str, ...]
    families: tuple[str, ...]
    method: str
    size: float
    minimum: float = 0.0
    spacing_mm: float | None = None
    range: tuple[float, float] | None = None

    @property
    def extraction(self) -> Extraction:
        """The extraction that the card describes."""
        shared: dict[str, Any] = {"families": self.families, "range": self.range}
        shared["grid"] = None if self.spacing_mm is None else Grid((self.spacing_mm,) * 3)
        if self.method == "fixed-number":
            return Extraction("fixed-number", bins=int(self.size), **shared)
        return Extraction("fixed-width", width=self.size, minimum=self.minimum, **shared)

    @property
    def preprocessing(self) -> dict[str, Any]:
        """The card's table of the same name."""
        bins = {"bins": int(self.size)} if self.method == "fixed-number" else {"width": self.size, "minimum": self.minimum}
        spacing: dict[str, Any] = {"spacing": "native"}
        if self.spacing_mm is not None:
            spacing = {"spacing": [self.spacing_mm] * 3, "interpolation": "linear"}
        kept = "none" if self.range is None else list(self.range)
        return {"dialect": "ibsi", **spacing, "range": kept, "normalise": "none", "discretise": {"method": self.method, **bins}}


#: HU of soft tissue: what spills in from fat, bone and air does not count.
SOFT_HU = (-150.0, 250.0)
_PET = Recipe(("cm_corr_3D_comb", "morph_moran_i"), ("glcm", "autocorrelation"), "fixed-width", 0.5)
_CT = Recipe(("morph_moran_i",), ("autocorrelation",), "fixed-width", 25.0, SOFT_HU[0], range=SOFT_HU)
#: By modality and law.
RECIPES: Mapping[tuple[str, str], Recipe] = {
    ("pet", "volume"): Recipe(("rlm_rlnu_3D_comb",), ("glrlm",), "fixed-number", 32, spacing_mm=4.0),
    ("pet", "texture"): _PET,
    ("pet", "batch"): Recipe(("cm_energy_3D_comb", "ngl_hdlge_3D"), ("glcm", "ngldm"), "fixed-width", 0.5),
    ("pet", "noise"): _PET,
    ("ct", "volume"): Recipe(("rlm_rlnu_3D_comb",), ("glrlm",), "fixed-number", 32, spacing_mm=4.0, range=SOFT_HU),
    ("ct", "texture"): _CT,
    ("ct", "batch"): Recipe(("cm_info_corr1_3D_comb",), ("glcm",), "fixed-width", 25.0, SOFT_HU[0], range=SOFT_HU),
    ("ct", "noise"): _CT,
}


def recipe_of(settings: VirtualRadiomics) -> Recipe:
    """Return what the card of a cohort measures.

    Examples
    --------
    >>> recipe_of(VirtualRadiomics(truth="volume")).tags
    ('rlm_rlnu_3D_comb',)
    """
    return RECIPES[settings.modality, settings.truth]


def card_outcomes(settings: VirtualRadiomics) -> npt.NDArray[np.int64]:
    """Return the outcomes of the independent cohort, without imaging anybody.

    Raises
    ------
    BadSetting
        When fewer than two of them had the event, or had it not.

    Examples
    --------
    >>> card_outcomes(VirtualRadiomics(card_patients=8)).size
    8
    """
    events = np.array([int(draw_knobs(settings, i, "card")["event"]) for i in range(settings.card_size)], dtype=np.int64)
    found = int(events.sum())
    if min(found, events.size - found) < FEWEST:
        told = f"card_patients is {events.size}, and {found} of these patients have the event"
        raise BadSetting(
            f"{told}; a card needs at least {FEWEST} with and {FEWEST} without: ask for more, or for none with 0.", item="card_patients"
        )
    return events


def card_features(settings: VirtualRadiomics, index: int) -> list[float]:
    """Return what the card measures of one patient of the independent cohort.

    Parameters
    ----------
    settings : VirtualRadiomics
    index : int
        From 0.

    Returns
    -------
    list of float
        In the order of the recipe's tags.
    """
    recipe = recipe_of(settings)
    image, outline = patient_of(settings, index, "card").scanned()
    values = extract(image.array, outline.region(), image.spacing_mm, recipe.extraction).values
    return [float(values[tag]) for tag in recipe.tags]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A logistic sum as a card writes it: every number in six significant digits.

    Attributes
    ----------
    intercept : float
    coefficients : tuple of float
        Of the features as they are, not standardised.
    n, events : int
    auc, low, high : float
        On the patients that it was fitted on; the interval is DeLong's on the logit scale, level 0.95.
    """

    intercept: float
    coefficients: tuple[float, ...]
    n: int
    events: int
    auc: float
    low: float
    high: float


def fit(features: npt.ArrayLike, events: npt.ArrayLike) -> Fitted:
    """Fit a card's model.

    Parameters
    ----------
    features : array_like, shape (n, p)
        Finite; no column is constant.
    events : array_like, shape (n,), 0 or 1
        At least two of each.

    Returns
    -------
    Fitted

    References
    ----------
    DeLong et al. 1988, doi:10.2307/2531595.

    Examples
    --------
    >>> card = fit([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]], [0, 0, 1, 0, 1, 1])
    >>> card.n, card.events, card.coefficients[0] > 0, round(card.auc, 3)  # one of nine pairs in the wrong order
    (6, 3, True, 0.889)
    """
    x, y = np.asarray(features, dtype=np.float64), np.asarray(events, dtype=np.int64)
    mean, sd = x.mean(axis=0), x.std(axis=0)
    found = logistic(with_intercept((x - mean) / sd), y, ridge=np.append(0.0, np.full(x.shape[1], RIDGE)))
    slopes = np.array([_rounded(v) for v in found.coefficients[1:] / sd])
    score = x @ slopes
    area = float(auc(y, score))
    low, high = _interval(area, float(delong_covariance(y, score[:, None])[0, 0]))
    intercept = _rounded(float(found.coefficients[0] - slopes @ mean))
    return Fitted(intercept, tuple(float(v) for v in slopes), y.size, int(y.sum()), _rounded(area), _rounded(low), _rounded(high))


def _interval(area: float, variance: float) -> tuple[float, float]:
    """Return the interval of an AUC on the logit scale; that of a perfect one ends at 1."""
    if not 0 < area < 1:
        return area, area
    half = float(special.ndtri(0.975)) * math.sqrt(variance) / (area * (1 - area))
    centre = special.logit(area)
    return float(special.expit(centre - half)), float(special.expit(centre + half))


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def card_document(settings: VirtualRadiomics, features: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return the card, as TOML holds it.

    Parameters
    ----------
    settings : VirtualRadiomics
    features : sequence of sequence of float, shape (n, p)
        Of the independent cohort, one row a patient, as `card_features` gives them.

    Returns
    -------
    dict
        ``card roi preprocessing feature model reported``.
    """
    recipe, fitted = recipe_of(settings), fit(features, card_outcomes(settings))
    how = f"logistic regression (ridge {RIDGE:g} on standardised features) on {fitted.n} virtual patients of the same law"
    return {
        "card": {
            "name": f"virtual-{settings.modality}-{settings.truth}",
            "source": f"virtual: {how}, independent of this cohort (seed {settings.seed})",
            "claim": "virtual: the texture of the lesion tells who will have the event",
            "modality": settings.modality.upper(),
            "population": "virtual patients with a soft-tissue lesion of a limb",
            "outcome": "event",
            "notes": [f"The outcome of these virtual patients follows the law '{settings.truth}'."],
        },
        "roi": {"description": "virtual: the lesion as a reader outlined it"},
        "preprocessing": recipe.preprocessing,
        "feature": [{"tag": tag, "coefficient": weight} for tag, weight in zip(recipe.tags, fitted.coefficients, strict=True)],
        "model": {"kind": "logistic", "intercept": fitted.intercept},
        "reported": {
            "n": fitted.n,
            "events": fitted.events,
            "measure": "auc",
            "figure": fitted.auc,
            "interval": [fitted.low, fitted.high],
        },
    }
