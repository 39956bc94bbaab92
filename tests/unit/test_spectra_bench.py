"""The benchmark of spectra on tiny cases: parts in processes of their own, figures by name, bounds that can fail, peers that are absent."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from commandline import onclair_here
from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.run.bench import measured
from onclair.run.benches.spectra_accuracy import COUNTS, SHIFTS_NM, Condition, judged
from onclair.run.benches.spectra_gates import JUDGED, abstentions
from onclair.run.benches.spectra_points import calibrated, one_a_patient
from onclair.run.benches.spectra_solvers import SOLVERS, mixing, multiplicative_poisson, nnls, reweighted_nnls
from onclair.run.benches.spectra_times import preprocessing_times
from onclair.studies.tasks.spectra_bench import _PROGRAM, BOUNDS, PARTS, Size, SpectraBenchmark, _estimates, _jobs
from onclair.studies.tasks.spectra_bench_parts import PARTS as RUN
from onclair.studies.tasks.spectra_bench_parts import main
from onclair.virtual.spectra_settings import FAULTS, VirtualSpectra
from onclair.virtual.spectra_tissue import Tissue

BLOODY = Tissue({"PpIX634": 0.4, "PpIX620": 0.1, "NADH": 1.0, "FAD": 0.6, "Lipofuscin": 0.25})


def test_the_chain_is_timed_in_a_process_of_its_own():
    said, _, _ = measured([sys.executable, "-c", _PROGRAM, "chain", json.dumps({"what": "chain", "measurements": 2, "seed": 3})])
    figures = {each["name"]: each["value"] for each in said["estimates"]}
    assert list(figures) == ["chain_cpu_ms:median", "chain_cpu_ms:p95"]
    assert 0 < figures["chain_cpu_ms:median"] <= figures["chain_cpu_ms:p95"]
    assert said["peak_mb"] > 20


def test_a_process_that_fails_leaves_a_figure_that_says_why():
    found = _estimates("chain", {"error": ["ValueError: it broke"]}, 1.0)
    assert [(each.value, each.reason) for each in found] == [(None, "ValueError: it broke")]


def test_every_job_names_a_part_that_runs_and_what_it_is_told():
    jobs = [job for part in PARTS for job in _jobs(part, Size(), "/nowhere")]
    assert {name for _, name, _ in jobs} == set(RUN)
    for label, name, settings in jobs:
        known = RUN[name].__code__.co_varnames[: RUN[name].__code__.co_argcount]
        assert set(settings) <= set(known), label
    assert len({label for label, _, _ in jobs}) == len(jobs)


def test_an_unknown_part_is_refused_with_the_nearest():
    with pytest.raises(BadInput, match="chain"):
        main(["chian", "{}"])


def test_the_bounds_are_those_of_the_issue_and_one_that_is_missed_says_so():
    assert {bound.figure for bound in BOUNDS if bound.at_least == 0.95} == {f"abstain:{fault}" for fault in FAULTS}
    name = "unmix:mse:S3000:shift0.5"
    figures = (Estimate(f"{name}:model", 0.3), Estimate(f"{name}:nnls", 1.0), Estimate("abstain:clean", 0.04))
    held = {bound.figure: (bound.value, bound.holds) for bound in SpectraBenchmark(figures).bounds}
    assert held == {f"{name}:model": (0.3, False), "abstain:clean": (0.04, True)}


def test_in_bloody_tissue_the_model_beats_every_solver_that_knows_no_blood():
    found = {each.name: each.value for each in judged(Condition("unmix", 3000, 0.5), [BLOODY, BLOODY], 5)}
    assert sorted(found) == sorted(f"unmix:mse:S3000:shift0.5:{who}" for who in ("model", *SOLVERS))
    assert found["unmix:mse:S3000:shift0.5:model"] < 0.25 * min(found[f"unmix:mse:S3000:shift0.5:{who}"] for who in SOLVERS)


def test_without_blood_and_shift_no_solver_is_far_from_the_truth():
    found = judged(Condition("unmix-bloodless", 3000, 0.0), [BLOODY, BLOODY], 5)
    assert max(each.value for each in found) < 1e-5


def test_the_conditions_are_those_of_the_specification():
    assert COUNTS == (3000, 300, 50)
    assert SHIFTS_NM == (0.0, 0.5, 1.0)


def test_solvers_find_what_was_mixed():
    names, amounts = ("PpIX634", "NADH", "FAD"), np.array([3.0e4, 5.0e4, 2.0e4])
    bases = mixing(names, np.arange(420.0, 731.0), (385.0, 405.0))
    for solve in (nnls, reweighted_nnls):
        assert solve(bases, bases @ amounts, 4.0) == pytest.approx(amounts, rel=1e-6)
    assert multiplicative_poisson(bases, bases @ amounts, 4.0) == pytest.approx(amounts, rel=1e-3)


@pytest.mark.parametrize(("what", "share", "gate"), [("clean", 0.0, None), ("lamp_off", 1.0, "lamp_off"), ("shift3nm", 1.0, "shift")])
def test_abstentions_are_counted_and_put_down_to_their_gates(what, share, gate):
    estimate, detail = abstentions(what, 2, 2, 3, pixels=512)
    assert (estimate.name, estimate.value, estimate.n) == (f"abstain:{what}", share, 2)
    assert estimate.low <= share <= estimate.high
    assert detail["closed"].get(gate, 0) == (2 if gate else 0)
    assert detail["unexpected"] == []


def test_everything_that_can_be_wrong_is_judged():
    assert set(JUDGED) == {"clean", *FAULTS}
    assert len(FAULTS) == 8


def test_an_instrument_is_calibrated_on_patients_that_are_not_judged():
    settings = VirtualSpectra(pixels=256)
    usual = calibrated(settings, 1, 2).preparing.usual
    assert usual.white > 0
    assert usual.fluorescence > 0
    assert usual != calibrated(settings, 2, 2).preparing.usual
    assert [each.person.centre for each in one_a_patient(settings, range(4))] == [0, 1, 2, 0]


def test_preprocessing_is_timed_and_agrees_with_the_peers_that_are_there():
    rows = preprocessing_times(2, 3, pixels=256)
    assert {(row["tool"], row["status"]) for row in rows} >= {("onclair", "ok"), ("pybaselines", "missing")}
    assert all(row["reason"] for row in rows if row["status"] == "missing")
    assert all(row["difference"] < 1e-8 for row in rows if row["difference"] is not None)


def test_the_command_refuses_a_part_that_it_does_not_know():
    said = onclair_here("bench", "spectra", "--parts", "chian")
    assert said.code == 2
    assert "chain" in said.err
