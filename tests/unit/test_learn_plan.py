"""The plan of a segmentation network follows the scans by nnU-Net's rules, within the budget, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.errors import BadCohort, BadSetting
from onclair.learn.plan import PRESETS, Plan, Scan, Tally, folds_of, plan_of, target_spacing
from onclair.learn.plan_topology import Budget, fitted, step_cost, topology_of


def scans(n: int = 6, spacing: tuple[float, float, float] = (0.8, 0.8, 1.5), shape: tuple[int, int, int] = (200, 180, 90)) -> list[Scan]:
    return [Scan(f"c{i}", f"p{i // 2}", spacing, shape, has_foreground=i % 3 != 0) for i in range(n)]


def planned(preset: str = "laptop", **options: object) -> Plan:
    tally = Tally().add(np.arange(-50, 400))
    return plan_of(scans(**options), tally, preset=preset, folds=3, rng=np.random.default_rng(1))


def test_the_tally_gives_the_percentiles_mean_and_deviation_of_all_values_at_once() -> None:
    rng = np.random.default_rng(2)
    parts = [np.rint(rng.normal(100, 80, n)) for n in (1000, 1, 37)]
    tally, every = Tally(), np.concatenate(parts)
    for part in parts:
        tally.add(part)
    assert [tally.percentile(share) for share in (0.5, 50, 99.5)] == pytest.approx(np.percentile(every, (0.5, 50, 99.5)).tolist(), abs=1e-9)
    assert (tally.n, tally.mean, tally.std) == (1038, pytest.approx(every.mean()), pytest.approx(every.std()))


def test_the_spacing_is_the_median_and_a_coarse_axis_takes_its_tenth_percentile() -> None:
    spacings = [[0.7, 0.7, z] for z in (3.0, 4.0, 5.0, 5.0, 5.0)]
    assert target_spacing(spacings, [[512, 512, 60]] * 5) == pytest.approx((0.7, 0.7, np.percentile([3, 4, 5, 5, 5], 10)))
    assert target_spacing(spacings, [[512, 512, 400]] * 5) == (0.7, 0.7, 5.0)
    assert target_spacing([[0.7, 0.7, 2.0]] * 5, [[512, 512, 60]] * 5) == (0.7, 0.7, 2.0)


@pytest.mark.parametrize("preset", ["laptop", "full"])
def test_clip_mean_and_spacing_are_those_of_the_data(preset: str) -> None:
    plan = planned(preset)
    assert plan.spacing_mm == (0.8, 0.8, 1.5)
    assert plan.clip == pytest.approx(tuple(np.percentile(np.arange(-50, 400), (0.5, 99.5))))
    assert plan.mean == pytest.approx(np.arange(-50, 400).mean())


def test_the_patch_follows_the_shape_of_the_scans_and_stays_within_the_budget() -> None:
    for preset in ("demo", "laptop", "full"):
        plan, budget = planned(preset), PRESETS[preset].budget
        cpu_s, memory_gb = step_cost(plan.topology, plan.features, plan.batch)
        assert cpu_s <= budget.cpu_s
        assert memory_gb <= budget.memory_gb
        assert all(side % np.prod([stride[axis] for stride in plan.strides]) == 0 for axis, side in enumerate(plan.patch))
    assert np.prod(planned("full").patch) > np.prod(planned("demo").patch)
    assert planned("laptop", shape=(40, 40, 38)).patch == (40, 40, 40)


def test_the_demonstration_coarsens_fine_scans_to_at_most_two_millimetres_and_leaves_small_ones_alone() -> None:
    assert planned("demo", shape=(500, 500, 300)).spacing_mm == (2.0, 2.0, 2.0)
    assert planned("demo", shape=(60, 60, 40)).spacing_mm == (0.8, 0.8, 1.5)


def test_patches_of_the_demonstration_are_cubes_whatever_the_shape_of_the_scans() -> None:
    plan = planned("demo", spacing=(2.0, 2.0, 2.0), shape=(200, 60, 90))
    assert (plan.spacing_mm, plan.patch, plan.batch) == ((2.0, 2.0, 2.0), (32, 32, 32), 6)
    assert len(set(planned("laptop", spacing=(2.0, 2.0, 2.0), shape=(200, 60, 90)).patch)) > 1


def test_filters_are_those_of_the_presets() -> None:
    assert (planned("demo").features[0], max(planned("laptop").features), planned("full").features[0]) == (8, 64, 32)
    assert max(planned("full").features) == 320


@pytest.mark.parametrize("fold", range(3))
def test_no_patient_is_trained_on_and_held_out(fold: int) -> None:
    every = {scan.case: scan.patient for scan in scans()}
    cut = planned().folds[fold]
    assert set(cut.train) | set(cut.validation) == set(every)
    assert not {every[case] for case in cut.train} & {every[case] for case in cut.validation}


def test_folds_spread_patients_with_lesions_evenly() -> None:
    people = [Scan(f"c{i}", f"p{i}", (1.0, 1.0, 1.0), (9, 9, 9), i < 4) for i in range(8)]
    cuts = folds_of(people, 4, np.random.default_rng(0))
    assert [sum(case in {"c0", "c1", "c2", "c3"} for case in cut.validation) for cut in cuts] == [1, 1, 1, 1]


def test_a_plan_comes_back_from_its_record_with_the_same_hash() -> None:
    plan = planned()
    again = Plan.from_record(plan.as_record())
    assert (again, again.sha256) == (plan, plan.sha256)
    assert planned("demo").sha256 != plan.sha256


def test_a_cohort_without_lesions_or_with_one_patient_is_refused() -> None:
    with pytest.raises(BadCohort, match="None of the label maps holds a lesion"):
        plan_of(scans(), Tally(), rng=np.random.default_rng(0))
    with pytest.raises(BadCohort, match="only one patient"):
        plan_of(scans(2), Tally().add(np.arange(9)), rng=np.random.default_rng(0))


def test_an_unknown_preset_and_a_budget_below_any_patch_are_refused() -> None:
    with pytest.raises(BadSetting, match=r"no preset 'lapto'.*'laptop'"):
        plan_of(scans(), Tally().add(np.arange(9)), preset="lapto", rng=np.random.default_rng(0))
    with pytest.raises(BadSetting, match=r"does not hold the smallest patch, \(16, 16, 16\)"):
        fitted((1.0, 1.0, 1.0), (100, 100, 100), Budget(1e-6, 1.0, 8, 64))


def test_no_axis_is_pooled_below_four_voxels() -> None:
    for patch in ((160, 96, 24), (16, 16, 16), (20, 256, 224)):
        topology = topology_of((1.0, 1.0, 1.0), patch)
        assert (np.array(topology.patch) / np.prod(topology.strides, axis=0)).min() >= 4
