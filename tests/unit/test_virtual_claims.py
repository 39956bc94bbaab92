"""The saved truth is true, and what is drawn is no toy."""

import dataclasses
import json
import tomllib

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadSetting, NoRoom
from onclair.science.statistics.ranks import auc
from onclair.virtual.claim_cells import cell_auc, edges, normal_cells, written
from onclair.virtual.claim_draws import cox_slope, drawn_truth
from onclair.virtual.claim_leaky import PLANTS, LeakyLaw
from onclair.virtual.claim_times import TimesLaw, follow
from onclair.virtual.claims import KINDS, VirtualClaims, draw, law, new_centre_auc, plan_of, truth, write

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One small claim of each kind on disk."""
    home = tmp_path_factory.mktemp("claims")
    return {kind: write(VirtualClaims(kind=kind, patients=120, centres=5, draws=200_000), home / kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_every_output_says_virtual(folders, kind):
    table = pd.read_csv(folders[kind] / "predictions.csv")
    assert (table["data"] == "virtual").all()
    assert tomllib.loads((folders[kind] / "plan.toml").read_text())["data"] == "virtual"
    assert json.loads((folders[kind] / "truth.json").read_text())["data"] == "virtual"


@pytest.mark.parametrize("kind", KINDS)
def test_equal_settings_give_equal_bytes(folders, kind, tmp_path):
    same = write(VirtualClaims(kind=kind, patients=120, centres=5, draws=200_000), tmp_path / "same")
    for name in ("predictions.csv", "plan.toml", "truth.json"):
        assert (same / name).read_bytes() == (folders[kind] / name).read_bytes()


@pytest.mark.parametrize("kind", ["clustered", "centres", "survival", "competing"])
def test_the_truth_gives_every_row_its_risk_and_every_centre_its_values(folders, kind):
    table, saved = pd.read_csv(folders[kind] / "predictions.csv"), json.loads((folders[kind] / "truth.json").read_text())
    assert len(saved["rows"]["true_risk"]) == len(table)
    assert {c["centre"] for c in saved["centres"]} == set(table["centre"])
    assert saved["missing"]["cells"]["p_lab"] == table["p_lab"].isna().sum() > 0


@pytest.mark.parametrize("kind", ["clustered", "centres", "survival", "competing"])
def test_a_claim_is_no_toy(kind):
    claim = draw(law(kind), RNG(1))
    rows = claim.table.groupby("patient").size()
    assert rows.min() == 1
    assert 1 < rows.max() <= 40
    assert claim.table["p"].duplicated().any()
    assert claim.table[["age", "stage", "p_lab"]].isna().any().all()
    assert (claim.centres["patients"] == 2).sum() == 2
    outcome = "y" if "y" in claim.table else "event"
    lonely = claim.centres.loc[claim.centres["special"] == "one class", "centre"].item()
    assert set(claim.table.loc[claim.table["centre"] == lonely, outcome]) == {0}
    assert claim.table.groupby("patient")["centre"].nunique().max() == 1


def test_rows_that_repeat_reach_forty():
    rows = draw(law("clustered", patients=2000), RNG(2)).table.groupby("patient").size()
    assert (rows.min(), rows.max()) == (1, 40)


@pytest.mark.parametrize("kind", ["clustered", "centres"])
def test_the_exact_figures_are_those_of_a_large_draw(kind):
    which = law(kind, patients=20_000, centres=6)
    claim = draw(which, RNG(3))
    found, y, p = truth(which, claim)["figures"], claim.table["y"].to_numpy(), claim.table["p"].to_numpy()
    assert float(auc(y, p)) == pytest.approx(found["claim"]["auc"], abs=0.01)
    assert float(auc(y, claim.table["rival"])) == pytest.approx(found["rival"]["auc"], abs=0.011)
    assert np.mean((p - y) ** 2) == pytest.approx(found["claim"]["brier"], abs=0.004)
    assert y.mean() / p.mean() == pytest.approx(found["claim"]["o_e"], abs=0.03)
    assert claim.risk.mean() == pytest.approx(y.mean(), abs=0.01)


def test_the_slope_of_a_claim_that_is_too_sure_is_its_inverse():
    which = dataclasses.replace(law("clustered", patients=400, centres=2), prevalence_sd=0.0)
    assert truth(which, draw(which, RNG(1)))["figures"]["claim"]["slope"] == pytest.approx(1 / which.slope, abs=1e-3)


def test_the_clustered_auc_does_not_depend_on_who_was_drawn():
    which = law("clustered", patients=80, centres=4)
    found = {round(truth(which, draw(which, RNG(seed)))["figures"]["claim"]["auc"], 9) for seed in range(3)}
    assert found == {round(which.true_auc, 9)}
    assert which.true_auc == pytest.approx(0.80, abs=1e-3)


def test_the_auc_of_the_claim_with_a_laboratory_value_is_that_of_a_large_draw():
    which = law("clustered", patients=20_000, centres=6)
    claim = draw(which, RNG(4))
    known = claim.table["p_lab"].notna()
    seen = float(auc(claim.table.loc[known, "y"], claim.table.loc[known, "p_lab"]))
    assert seen == pytest.approx(truth(which, claim)["figures"]["claim_with_lab"]["auc"], abs=0.01)


def test_true_aucs_of_centres_spread_as_the_law_says():
    which = law("centres")
    logits = [np.log(a / (1 - a)) for a in (new_centre_auc(which, rng) for rng in map(RNG, range(200)))]
    assert np.std(logits) == pytest.approx(which.tau, rel=0.1)
    saved = truth(which, draw(which, RNG(5)))
    own = np.array([c["auc"] for c in saved["centres"] if c["auc"] is not None])
    assert saved["between_centres"]["tau2_logit_auc"] == which.tau**2
    assert np.std(np.log(own / (1 - own))) == pytest.approx(which.tau, rel=0.35)


@pytest.mark.parametrize("kind", ["survival", "competing"])
def test_figures_at_the_horizon_are_those_of_patients_followed_for_ever(kind):
    which = law(kind, patients=20_000, centres=6)
    claim = draw(which, RNG(6))
    endless = claim.centres.assign(loss=1e-12, followed_from=1e12, followed_to=1e12)
    place, rng = np.repeat(np.arange(6), claim.centres["patients"]), RNG(7)
    x, time, event = follow(which, endless, place, rng)
    p, y = written(which.claimed(x + which.noise * rng.standard_normal(x.size))), (time <= which.horizon) & (event == 1)
    found = truth(which, claim, draws=200_000)["figures"]["claim"]
    assert float(auc(y, p)) == pytest.approx(found["auc_t"], abs=0.01)
    assert np.mean((p - y) ** 2) == pytest.approx(found["brier"], abs=0.005)
    assert y.mean() / p.mean() == pytest.approx(found["o_e"], abs=0.03)
    assert claim.risk.mean() == pytest.approx(y.mean(), abs=0.01)
    assert np.mean((p >= 0.2) * (y - (~y) * 0.25)) == pytest.approx(found["nb@0.2"], abs=0.01)


def test_without_noise_or_centres_the_cox_slope_is_the_inverse_of_the_claims():
    which = TimesLaw("survival", 100, 1, tau=0.0, mix=0.0, noise=0.0, slope=1.25)
    found = drawn_truth(which, draw(which, RNG(1)).centres, 400_000, RNG(2))
    assert found["slope"]["value"] == pytest.approx(0.8, abs=4 * found["slope"]["error"])
    assert found["uno"]["value"] > 0.6
    assert 0 < found["harrell"]["error"] < 0.003


def test_the_cox_slope_maximises_the_partial_likelihood():
    rng = RNG(3)
    time, event, x = rng.random(200), rng.random(200) < 0.7, rng.normal(size=200)
    beta = cox_slope(time, event, x)

    def likelihood(b):
        return sum(b * x[i] - np.log(np.exp(b * x[time >= time[i]]).sum()) for i in np.flatnonzero(event))

    assert likelihood(beta) >= max(likelihood(beta - 1e-3), likelihood(beta + 1e-3))


def test_censoring_depends_on_the_centre():
    claim = draw(law("survival", patients=4000, centres=6), RNG(8))
    claim_law = claim.centres.set_index("centre")
    assert claim_law["loss"].nunique() == claim_law["followed_from"].nunique() == 6


def test_the_ratings_rank_as_the_truth_says():
    which = law("readers", patients=1500, centres=20)
    claim = draw(which, RNG(9))
    found = truth(which, claim)["figures"]
    for treatment in (1, 2):
        mine = claim.table[claim.table["treatment"] == treatment]
        seen = np.mean([float(auc(rows["truth"], rows["rating"])) for _, rows in mine.groupby("reader")])
        assert seen == pytest.approx(found[f"auc:{treatment}"], abs=0.02)
    assert found["difference:1-minus-2"] == found["auc:1"] - found["auc:2"] < 0


def test_the_leaky_table_says_which_seven_leaks_it_holds():
    claim = draw(law("leaky"), RNG(1))
    assert [leak["check"] for leak in claim.leaks] == list(PLANTS)
    assert len(PLANTS) == 7
    assert draw(LeakyLaw(), RNG(1)).leaks == ()


def test_cells_are_those_of_the_written_risk():
    risk = RNG(1).random(1000)
    place = np.searchsorted(edges(), risk) - 1
    np.testing.assert_array_equal(written(risk), (place + 1) / 1000)


def test_the_auc_of_fine_cells_is_the_binormal_one():
    ends = np.concatenate([[-np.inf], np.linspace(-8, 8, 4000), [np.inf]])
    assert cell_auc(normal_cells(ends, np.sqrt(2), 1.0), normal_cells(ends, 0.0, 1.0)) == pytest.approx(0.8413447461, abs=1e-6)


def test_plans_name_columns_that_are_there():
    for kind in ("clustered", "centres", "survival", "competing", "leaky"):
        which = law(kind, patients=60, centres=4)
        table, columns = draw(which, RNG(1)).table, plan_of(which)["columns"]
        named = [name for value in columns.values() for name in (value if isinstance(value, list) else [value])]
        assert set(named) <= set(table.columns)


def test_an_unknown_kind_and_too_few_patients_are_refused():
    with pytest.raises(BadSetting, match="did you mean 'clustered'"):
        law("cluster")
    with pytest.raises(BadSetting, match="at least 40"):
        law("survival", patients=20, centres=10)


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(NoRoom):
        write(VirtualClaims(kind="readers"), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
