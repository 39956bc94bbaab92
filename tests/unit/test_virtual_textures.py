"""After imaging the knobs are still apart: the texture knob moves where the intensities lie, not which intensities there are."""

import numpy as np
import pandas as pd
import pytest

from onclair.science.radiomics.extract import Extraction, extract
from onclair.virtual.lesions import random_border
from onclair.virtual.limb import Lesion, phantom_of, placed
from onclair.virtual.pet import acquire, grid_of, on_grid
from onclair.virtual.radiomics import correlation_of, texture_for
from onclair.virtual.scanner import pet_scanners

FIELD_MM, KNOBS = 160.0, (-1.5, 0.0, 1.5)
FEATURES = Extraction("fixed-width", width=0.5, minimum=0.0, families=("statistics", "autocorrelation"))


class Noiseless:
    """Counts are what is expected of them."""

    def poisson(self, expected):
        return expected


@pytest.fixture(scope="module")
def seen() -> pd.DataFrame:
    """Nine lesions, three a scanner, each with three textures: the features of their noise-free images."""
    return pd.DataFrame([features(lesion, knob) for lesion in range(9) for knob in KNOBS])


def features(lesion: int, knob: float) -> dict[str, float]:
    anatomy, scanner = np.random.default_rng(lesion), pet_scanners(3)[lesion % 3]
    border = placed(random_border(80.0, anatomy), FIELD_MM, anatomy)
    texture = texture_for(scanner, correlation_of(knob, FIELD_MM), FIELD_MM)
    phantom, occupied = phantom_of(Lesion(border, 4.0, texture), FIELD_MM, 2.0, anatomy)
    image = acquire(phantom, scanner, Noiseless())
    region = on_grid(occupied, 2.0, grid_of(phantom, scanner)) > 0.5
    found = extract(image.array, region, image.spacing_mm, FEATURES)
    return {"lesion": lesion, "knob": knob, **dict(found.values)}


def change_a_unit_of_the_knob(seen: pd.DataFrame, tag: str) -> float:
    """Return the slope on the knob, relative to the mean, over lesions that differ in nothing else."""
    within = seen[tag] - seen.groupby("lesion")[tag].transform("mean")
    return float((within * seen["knob"]).sum() / (seen["knob"] ** 2).sum() / abs(seen[tag].mean()))


@pytest.mark.parametrize("tag", ["stat_mean", "stat_cov", "stat_qcod", "stat_p10", "stat_p90", "stat_iqr"])
def test_the_texture_knob_leaves_the_histogram_of_the_image_alone(seen, tag):
    assert abs(change_a_unit_of_the_knob(seen, tag)) < 0.03


def test_the_texture_knob_moves_the_places_of_the_intensities(seen):
    moran = seen["morph_moran_i"] - seen.groupby("lesion")["morph_moran_i"].transform("mean")
    assert moran.corr(seen["knob"], method="spearman") > 0.6
    assert change_a_unit_of_the_knob(seen, "morph_moran_i") > 0.15
