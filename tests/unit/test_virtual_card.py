"""The card of a virtual cohort: readable by everybody's reader, fitted on others, and finite whatever the luck."""

import tomllib

import numpy as np
import pytest

from onclair.core.errors import BadSetting
from onclair.io.cards import model_record, read_card
from onclair.science.radiomics.extract import Extraction, feature_tags
from onclair.science.statistics.ranks import auc
from onclair.virtual.radiomics import VirtualRadiomics, draw_knobs, write
from onclair.virtual.radiomics_card import RECIPES, card_document, card_outcomes, fit

SMALL = {"patients": 2, "centres": 2, "field_mm": 96.0, "card_patients": 12}


@pytest.fixture(scope="module")
def card_and_features(tmp_path_factory):
    told = []

    def listening(function, items):
        told.append([function(item) for item in items])
        return iter(told[-1])

    folder = write(VirtualRadiomics(**SMALL), tmp_path_factory.mktemp("card") / "cohort", map=listening)
    return folder / "card.toml", told[-1]


def test_a_card_comes_with_the_cohort_and_says_everything_that_a_card_may_say(card_and_features):
    card = read_card(card_and_features[0])
    assert card.missing == ()
    assert (card.about.outcome, card.about.modality, card.model.kind) == ("event", "PET", "logistic")
    assert "virtual" in card.about.source
    assert "virtual" in card.about.claim


def test_the_figure_that_a_card_reports_is_that_of_its_own_sum_on_the_patients_it_was_fitted_on(card_and_features):
    path, features = card_and_features
    card = read_card(path)
    terms = model_record(card).document["terms"]
    score = np.asarray(features) @ [term["coefficient"] for term in terms]
    assert card.reported.figure == pytest.approx(float(auc(card_outcomes(VirtualRadiomics(**SMALL)), score)), rel=1e-5)
    assert card.reported.interval[0] < card.reported.figure < card.reported.interval[1]
    assert card.reported.n == 12


def test_the_card_does_not_depend_on_how_many_patients_the_cohort_has(card_and_features):
    path, features = card_and_features
    again = card_document(VirtualRadiomics(**{**SMALL, "patients": 50}), features)
    assert again == tomllib.loads(path.read_text())


def test_nobody_of_the_cohort_is_among_those_whom_the_card_was_fitted_on():
    settings = VirtualRadiomics(patients=40)
    own = {draw_knobs(settings, i)["volume_z"] for i in range(40)}
    others = {draw_knobs(settings, i, "card")["volume_z"] for i in range(40)}
    assert len(own | others) == 80


def test_a_card_on_patients_of_one_outcome_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(BadSetting, match="at least 2 with and 2 without"):
        write(VirtualRadiomics(**{**SMALL, "card_patients": 2}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("modality", "truth"), sorted(RECIPES))
def test_a_recipe_asks_the_extractor_for_nothing_that_it_does_not_give(modality, truth):
    recipe = RECIPES[modality, truth]
    assert isinstance(recipe.extraction, Extraction)
    assert set(recipe.tags) <= set(feature_tags(recipe.extraction))


def test_a_fit_finds_the_coefficients_that_made_the_outcomes():
    rng = np.random.default_rng(0)
    features = rng.normal(3.0, [0.5, 20.0], (6000, 2))
    events = rng.uniform(size=6000) < 1 / (1 + np.exp(-(2.0 * features[:, 0] - 0.05 * features[:, 1] - 5.0)))
    found = fit(features, events.astype(int))
    assert found.coefficients == pytest.approx((2.0, -0.05), rel=0.1)
    assert found.intercept == pytest.approx(-5.0, rel=0.1)


def test_a_fit_on_perfectly_separated_patients_is_finite():
    found = fit([[1.0], [2.0], [8.0], [9.0]], [0, 0, 1, 1])
    assert np.isfinite(found.coefficients).all()
    assert (found.auc, found.low, found.high) == (1.0, 1.0, 1.0)
