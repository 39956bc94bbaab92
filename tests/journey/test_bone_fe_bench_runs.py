"""`onclair bench fe` from the command to its figures, on the smallest case."""

from onclair.studies.tasks.bone_fe_bench import bench


def test_the_vertebra_is_solved_in_a_fresh_process_within_its_bounds(reference_data, tmp_path):
    found = bench(reference_data, "none", tmp_path, cases=("vertebra",))
    row = found.cases[0]
    assert row["ours"]["elements"] == 87_345
    assert -6844 < row["ours"]["reaction_N"] < -6816
    assert row["peer"] == {"name": "none", "reason": "no peer was asked for"}
    assert found.holds("iterations:vertebra") is True
    assert found.holds("peak-gb:vertebra") is True
    ratio = next(each for each in found.estimates if each.name == "cpu-ratio:vertebra")
    assert (ratio.value, ratio.status) == (None, "not_available")
