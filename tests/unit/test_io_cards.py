"""Model cards: what a paper says, what it does not, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onclair.core.errors import BadInput, BadSetting
from onclair.io.cards import card_from, card_names, keys_of_card, model_record, read_card
from onclair.science.statistics.formula import formula_of

SHIPPED = (
    "aerts-2014", "aerts-refit-radcure", "choi-opc-hpv", "choi-opc-os", "kwan",
    "survey-texture-3d", "suvmax-only", "suvpeak-mtv", "volume-cox", "volume-only",
)  # fmt: skip

LEAST = """
[card]
name = "rlnu"
claim = "predicts lung metastasis"
modality = "PET"
outcome = "lung_metastasis"
[preprocessing]
dialect = "ibsi"
discretise = {method = "fixed-width", width = 0.5, minimum = 0.0}
[[feature]]
tag = "rlm_rlnu_3D_comb"
coefficient = 1.0
[model]
kind = "logistic"
"""


def card(**tables: Any) -> Any:
    plain = {"card": {"name": "m"}, "feature": [{"tag": "stat_max", "coefficient": 2.0}], "model": {"kind": "logistic"}}
    return card_from({**plain, **tables})


def test_the_ten_cards_ship_each_with_its_source_and_doi() -> None:
    assert card_names() == SHIPPED
    for name in SHIPPED:
        about = read_card(name).about
        assert about.source, name
        assert about.doi, name


def test_the_least_card_is_read_and_what_it_does_not_say_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rlnu.toml"
    path.write_text(LEAST)
    found = read_card(path)
    assert (found.name, found.preprocessing.discretise.width, found.features[0].coefficient) == ("rlnu", 0.5, 1.0)
    assert {"card.source", "preprocessing.spacing", "model.intercept", "reported.interval"} <= set(found.missing)
    assert "preprocessing.discretise" not in found.missing


def test_the_weights_of_the_aerts_signature_are_those_distributed() -> None:
    weights = [each.coefficient for each in read_card("aerts-2014").features]
    assert weights == [1.74e-11, -16.5, 4.95e-5, 2.81e-6]
    assert [each.coefficient for each in read_card("aerts-refit-radcure").features] == [2.2237081e-11, -12.5988855, 1.132e-4, -9.8450932e-6]
    assert [each.coefficient for each in read_card("kwan").features] == [2.42e-11, -5.38e-3, -1.47e-4, 9.39e-6]


def test_a_card_whose_scaling_was_never_published_says_so() -> None:
    missing = read_card("choi-opc-hpv").missing
    assert "feature.original_shape_Flatness.mean" in missing
    assert "model.intercept" in missing
    with pytest.raises(BadInput, match="without it there is no score"):
        model_record(read_card("choi-opc-hpv"))


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"cardd": {}}, "unknown key 'cardd'; did you mean 'card'"),
        ({"card": {"name": "m", "claims": "x"}}, "unknown key 'claims'; did you mean 'claim'"),
        ({"feature": [{"tag": "stat_max", "coeficient": 1.0}]}, "did you mean 'coefficient'"),
        ({"model": {"kind": "logistik"}}, "did you mean 'logistic'"),
        ({"model": {}}, "has no 'kind'"),
        ({"preprocessing": {"dialect": "pyradiomic"}}, "did you mean 'pyradiomics'"),
        ({"preprocessing": {"discretise": {"method": "fixed-width", "size": 25}}}, "unknown key 'size'"),
        ({"preprocessing": {"range": [400, -500]}}, "lower bound first"),
        ({"preprocessing": {"spacing": [1, 0, 1]}}, "three positive lengths"),
        ({"feature": [{"tag": "stat_max", "coefficient": "1,5"}]}, "write a number"),
        ({"feature": {"tag": "stat_max"}}, "double brackets"),
        (
            {"feature": [{"tag": "stat_max", "filter": "wavelt"}], "filter": [{"name": "wavelet", "kind": "wavelet"}]},
            "did you mean 'wavelet'",
        ),
        ({"feature": [{"tag": "stat_max"}, {"tag": "stat_max"}]}, "listed twice"),
        ({"feature": []}, "names no feature"),
    ],
)
def test_what_a_card_may_not_say_is_refused_in_one_sentence(tables: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        card(**tables)


def test_an_unknown_card_offers_the_nearest_name_and_broken_toml_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="did you mean 'suvmax-only'"):
        read_card("suvmaxonly")
    path = tmp_path / "broken.toml"
    path.write_text("[card\nname = 1")
    with pytest.raises(BadSetting, match=r"broken\.toml is not TOML"):
        read_card(path)


def test_the_model_of_a_card_becomes_a_formula_that_applies_its_scaling() -> None:
    scaled = {"tag": "stat_max", "coefficient": 2.0, "transform": "z-score", "mean": 5.0, "sd": 4.0}
    found = formula_of(model_record(card(feature=[scaled], model={"kind": "linear", "intercept": 1.0})).document)
    assert found.predict({"stat_max": [5.0, 9.0]}).tolist() == [1.0, 3.0]


def test_the_baseline_of_a_cox_card_gives_risks() -> None:
    baseline = {"horizon": 5.0, "survival": 0.9}
    found = formula_of(model_record(card(model={"kind": "cox", "baseline": baseline}, feature=[{"tag": "x", "coefficient": 1.0}])).document)
    assert found.predict({"x": [0.0]}).round(12).tolist() == [0.1]


def test_a_card_has_the_same_hash_whatever_the_order_of_its_keys() -> None:
    one = card_from({"card": {"name": "m", "claim": "c"}, "feature": [{"tag": "stat_max"}], "model": {"kind": "logistic"}})
    two = card_from({"model": {"kind": "logistic"}, "feature": [{"tag": "stat_max"}], "card": {"claim": "c", "name": "m"}})
    assert one.sha256 == two.sha256


def test_every_key_of_a_card_says_what_it_means() -> None:
    assert all(words for table in keys_of_card().values() for words in table.values())
