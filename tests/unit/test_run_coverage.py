"""Coverage of intervals on virtual cohorts: every kind is there, with its Monte Carlo error, whatever the number of workers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from onclair.cli.bench import bench
from onclair.core.errors import BadSetting
from onclair.core.estimate import Estimate
from onclair.run.benches.noise import noise_aucs
from onclair.run.benches.repeated import correlation, draw_rows
from onclair.run.benches.seen import Seen, holds, totals
from onclair.run.coverage import SETTINGS, coverage
from onclair.run.pool import pool
from onclair.validate.discrimination import auc

DRAWN = [name for name, setting in SETTINGS.items() if setting.cohorts is None]


@pytest.fixture(scope="module")
def small() -> dict[str, Estimate]:
    with pool(1) as over:
        return {e.name: e for e in coverage(3, only=DRAWN, map=over)}


def test_every_promised_coverage_is_there(small):
    promised = ["auc:clustered", "auc:naive", "auc:bootstrap", "new-centre", "conformal", "mondrian:worst-group"]
    promised += [f"{figure}:clustered" for figure in ("citl", "slope", "o_e", "brier", "nb@0.2")]
    promised += ["harrell:clustered:survival", "auc_t:clustered:survival", "o_e:clustered:competing", "auc:centres"]
    assert [name for name in promised if f"coverage:{name}" not in small] == []


def test_every_interval_is_shown_naive_beside_clustered(small):
    clustered = [name for name in small if ":clustered" in name]
    assert len(clustered) > 20
    assert [name for name in clustered if name.replace(":clustered", ":naive") not in small] == []


def test_every_coverage_of_an_interval_has_its_monte_carlo_error_and_counts_its_cohorts(small):
    shares = [e for e in small.values() if "share of" in e.method]
    assert len(shares) > 40
    assert all(e.low < e.high and e.low <= e.value <= e.high and e.n == 3 for e in shares)


def test_the_worst_group_is_the_lowest_of_its_groups(small):
    groups = [e.value for name, e in small.items() if name.startswith("coverage:mondrian:") and not name.endswith("worst-group")]
    assert small["coverage:mondrian:worst-group"].value == min(groups)


def test_the_clustered_interval_is_wider_than_the_naive_one(small):
    assert small["width:auc:clustered"].value > 2 * small["width:auc:naive"].value


def test_the_command_prints_one_object_and_its_figures_do_not_depend_on_the_number_of_workers():
    some = ["repeated", "sets", "readers"]
    words = ["coverage", "--cohorts", "6", "--workers", "2", "--json", *(w for name in some for w in ("--setting", name))]
    said = json.loads(CliRunner().invoke(bench, words, catch_exceptions=False).output)
    with pool(1) as here:
        assert said["estimates"] == [e.as_dict() for e in coverage(6, only=some, map=here)]
    assert (said["cohorts"], said["seed"], said["warnings"]) == (6, 1, [])


def test_another_seed_draws_other_cohorts():
    one, two = (coverage(2, seed, only=["sets"])[0].value for seed in (1, 2))
    assert one != two


def test_an_interval_holds_its_ends_and_nothing_beyond():
    found = Estimate("auc:m", 0.7, low=0.6, high=0.8)
    assert [holds("coverage:auc:naive", found, truth).value for truth in (0.6, 0.8, 0.59, 0.81)] == [True, True, False, False]


def test_cohorts_without_an_interval_are_counted_and_not_taken_for_misses():
    seen = [[Seen("coverage:slope:naive", v)] for v in (True, True, None)]
    found = totals(seen, "three cohorts")[0]
    assert (found.value, found.n) == (1.0, 2)
    assert "1 of 3 cohorts gave no interval" in found.method


def test_a_figure_that_no_cohort_has_says_so():
    assert totals([[Seen("coverage:slope:naive", None)]], "one cohort")[0].status == "not_available"


def test_the_closed_form_of_the_repeated_rows_is_their_auc():
    rng = np.random.default_rng(5)
    found = [auc("auc:m", truth, risk).value for truth, risk, _ in (draw_rows(rng) for _ in range(200))]
    assert np.mean(found) == pytest.approx(0.7, abs=4 * np.std(found) / np.sqrt(200))
    assert 0 < correlation(0.7) < 1


def test_careless_habits_make_noise_look_good_and_honest_ones_do_not():
    with pool(1):
        found = dict(noise_aucs(np.random.default_rng(1)))
    assert found["noise_auc:selection-outside"] > 0.75 > found["noise_auc:selection-inside"]
    assert found["noise_auc:rows"] > 0.95 > 0.75 > found["noise_auc:patients"]


@pytest.mark.parametrize(("cohorts", "only", "word"), [(1, (), "at least 2"), (2, ("repeatd",), "repeated")])
def test_what_cannot_be_asked_is_refused_in_one_sentence(cohorts, only, word):
    with pytest.raises(BadSetting, match=word):
        coverage(cohorts, only=only)
