"""Virtual spectra cohorts: reproducible, said to be virtual everywhere, readable as any cohort, each fault where it was asked for."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadSetting, NoRoom
from onclair.io.cohorts import read_cohort
from onclair.io.spectra.cohort import measurements_of
from onclair.virtual.spectra import FAULTS, VirtualSpectra, write

TINY = {"patients": 4, "centres": 3, "pixels": 256}
ISSUE = ["point", "patient", "centre", "true_class", "histology", "infiltration", "visible", "grade", "idh"]
ISSUE += ["PpIX634", "PpIX620", "shift_nm"]


def backwards(function, items):
    done = {item: function(item) for item in reversed(list(items))}
    return [done[item] for item in sorted(done)]


def digests(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Path:
    return write(VirtualSpectra(**TINY), tmp_path_factory.mktemp("virtual") / "cohort")


@pytest.fixture(scope="module")
def struck(tmp_path_factory):
    home, made = tmp_path_factory.mktemp("struck"), {}

    def folder(fault: str, **more) -> Path:
        key = (fault, *more.items())
        if key not in made:
            made[key] = write(VirtualSpectra(**{**TINY, "patients": 3, **more}, fault=fault), home / f"{len(made)}")
        return made[key]

    return folder


def points(folder: Path):
    cohort = read_cohort(folder)
    return [each for patient in cohort.patients for each in measurements_of(cohort, patient)]


def net(frame, measurement) -> np.ndarray:
    return frame.counts - np.mean([off.counts for off in measurement.lamp_off], axis=0)


def within(measurement) -> np.ndarray:
    nm = measurement.frames[0].wavelength_nm
    return (nm > 420) & (nm < 730)


def test_the_same_seed_gives_the_same_bytes_whatever_the_order_of_the_patients(cohort, tmp_path):
    assert digests(write(VirtualSpectra(**TINY), tmp_path / "again", map=backwards)) == digests(cohort)


def test_another_seed_gives_other_spectra(cohort, tmp_path):
    other = write(VirtualSpectra(**{**TINY, "patients": 2}, seed=2), tmp_path / "other")
    assert digests(other)["spectra/VP001.csv"] != digests(cohort)["spectra/VP001.csv"]


def test_a_larger_cohort_begins_with_the_smaller_one(cohort, tmp_path):
    smaller = write(VirtualSpectra(**{**TINY, "patients": 2}), tmp_path / "smaller")
    assert digests(smaller)["spectra/VP002.csv"] == digests(cohort)["spectra/VP002.csv"]


def test_a_folder_that_holds_something_is_left_alone(cohort):
    with pytest.raises(NoRoom):
        write(VirtualSpectra(**TINY), cohort)


def test_an_unknown_fault_is_refused_with_those_that_there_are():
    with pytest.raises(BadSetting, match="swapped_excitation"):
        VirtualSpectra.read({"fault": "broken"})


def test_every_record_says_virtual(cohort):
    assert 'data = "virtual"' in (cohort / "cohort.toml").read_text()
    assert json.loads((cohort / "truth.json").read_text())["data"] == "virtual"
    assert set(pd.read_csv(cohort / "truth.csv")["data"]) == {"virtual"}


def test_the_truth_begins_with_the_columns_of_the_contract(cohort):
    assert list(pd.read_csv(cohort / "truth.csv").columns)[: len(ISSUE)] == ISSUE


def test_a_patient_has_four_to_eight_points_and_each_two_to_five_rounds_of_both_excitations(cohort):
    table = pd.read_csv(cohort / "acquisitions.csv")
    assert table.groupby("patient")["point"].nunique().between(4, 8).all()
    for _, point in table.groupby("point"):
        lit = point[point["kind"] == "fluorescence"]["excitation_nm"].value_counts()
        assert set(lit.index) == {385.0, 405.0}
        assert lit[385.0] == lit[405.0]
        assert 2 <= lit[405.0] <= 5
        assert (point["kind"] == "lamp_off").sum() == 2
        assert (point["kind"] == "white").sum() == 1


def test_the_cohort_reads_back_as_measurements_with_poses(cohort):
    found = points(cohort)
    assert len(found) == len(pd.read_csv(cohort / "truth.csv"))
    for each in found:
        assert each.excitations_nm[:2] == (385.0, 405.0)
        assert len(each.lamp_off) == 2
        assert each.pose is not None
        assert each.registration_error_mm is not None
        assert {frame.integration_ms for frame in (*each.frames, *each.lamp_off, *each.white)} == {each.frames[0].integration_ms}


def test_counts_are_whole_numbers_within_the_range_of_the_detector(cohort):
    for each in points(cohort):
        for frame in (*each.frames, *each.lamp_off, *each.white):
            assert (frame.counts == np.rint(frame.counts)).all()
            assert frame.counts.min() >= 0
            assert frame.counts.max() <= frame.detector.saturation_counts


def test_outcomes_follow_the_pathologist_and_are_empty_where_the_question_does_not_arise(cohort):
    truth = pd.read_csv(cohort / "truth.csv").set_index("point")["histology"]
    outcomes = pd.read_csv(cohort / "outcomes.csv").set_index("item")
    assert outcomes["margin"].equals(truth.map({"healthy": 0.0, "margin": 1.0}).rename("margin").rename_axis("item"))
    assert outcomes["core"].equals(truth.map({"healthy": 0.0, "core": 1.0}).rename("core").rename_axis("item"))
    assert not outcomes[["patient", "grade", "idh"]].drop_duplicates()["patient"].duplicated().any()


def test_the_noise_is_that_of_photons_and_of_the_readout(struck):
    measurement = points(struck("none", patients=2, pixels=2048))[0]
    off = [frame.counts for frame in measurement.lamp_off]
    detector, nm = measurement.frames[0].detector, measurement.frames[0].wavelength_nm
    quiet = nm < 400
    light = np.mean(off, axis=0)[quiet] - 300.0
    expected = light.mean() * detector.gain_counts_per_electron + detector.read_noise_counts**2
    apart = (off[0] - off[1])[quiet]
    assert apart[np.abs(apart) < 50].var() / 2 == pytest.approx(expected, rel=0.25)  # beyond 50 counts lie cosmic rays


def test_a_centre_moves_peaks_as_its_spectrometer_does(struck):
    truth = pd.read_csv(struck("none", patients=18, pixels=512) / "truth.csv").set_index("point")
    cohort = read_cohort(struck("none", patients=18, pixels=512))
    peaks: dict[str, list[float]] = {}
    for patient in cohort.patients:
        for each in measurements_of(cohort, patient):
            if truth.loc[each.point, "PpIX634"] > 0.6:
                frame = next(f for f in each.frames if f.excitation_nm == 405.0)
                near = (frame.wavelength_nm > 610) & (frame.wavelength_nm < 650)
                light = net(frame, each)[near]
                top = light > 0.8 * np.quantile(light, 0.99)
                peak = np.average(frame.wavelength_nm[near][top], weights=light[top])
                peaks.setdefault(str(truth.loc[each.point, "centre"]), []).append(peak - truth.loc[each.point, "tissue_shift_nm"])
    level = {centre: np.median(found) for centre, found in peaks.items()}
    assert level["C2"] - level["C1"] == pytest.approx(0.6, abs=0.4)
    assert level["C3"] - level["C2"] == pytest.approx(-1.4, abs=0.5)


def test_a_fault_strikes_only_its_share_of_the_points_and_is_told(struck):
    found = pd.read_csv(struck("lamp_off", patients=6, fault_share=0.4) / "truth.csv")["fault"]
    assert set(found) == {"none", "lamp_off"}
    assert 0.15 < (found == "lamp_off").mean() < 0.6


def test_a_fault_leaves_what_the_tissue_is(struck):
    columns = [*ISSUE[:11], "NADH", "FAD", "Lipofuscin"]
    clean = pd.read_csv(struck("none") / "truth.csv")[columns]
    for fault in FAULTS:
        pd.testing.assert_frame_equal(pd.read_csv(struck(fault) / "truth.csv")[columns], clean)


def test_saturated_points_are_full_inside_the_window_at_both_excitations(struck):
    for each in points(struck("saturated")):
        for excitation in (385.0, 405.0):
            frame = next(f for f in each.frames if f.excitation_nm == excitation)
            assert (frame.counts[within(each)] >= frame.detector.saturation_counts).any()


def test_without_the_lamp_excited_frames_are_like_those_without_excitation(struck):
    for clean, unlit in zip(points(struck("none")), points(struck("lamp_off")), strict=True):
        light = [max(np.median(net(frame, each)[within(each)]) for frame in each.frames) for each in (clean, unlit)]
        assert light[1] < 0.05 * light[0]


def test_without_contact_little_light_comes_back(struck):
    clean, away = points(struck("none")), points(struck("no_contact"))
    level = [[net(each.white[0], each).mean() / each.white[0].integration_ms for each in made] for made in (clean, away)]
    assert max(np.divide(level[1], level[0])) < 0.1


def test_flooding_blood_darkens_the_green_of_the_white_light(struck):
    for clean, bloody in zip(points(struck("none")), points(struck("blood_flood")), strict=True):
        nm = clean.frames[0].wavelength_nm
        green, red = np.abs(nm - 560) < 25, np.abs(nm - 690) < 25
        ratio = [net(each.white[0], each)[green].mean() / net(each.white[0], each)[red].mean() for each in (clean, bloody)]
        assert ratio[1] < 0.5 * ratio[0]


def test_a_spectrometer_that_is_off_is_off_by_three_nm_more_on_its_own_side(struck):
    clean, off = (pd.read_csv(struck(fault) / "truth.csv") for fault in ("none", "shift3nm"))
    assert (off["shift_nm"] - clean["shift_nm"]).abs().to_numpy() == pytest.approx(3.0)
    assert (off["shift_nm"].abs() > 2.0).all()


def test_room_light_that_came_on_is_in_the_excited_frames_and_not_in_the_others(struck):
    for clean, lit in zip(points(struck("none")), points(struck("ambient")), strict=True):
        nm = clean.frames[0].wavelength_nm
        line, quiet = np.abs(nm - 546) < 4, nm < 395
        room = [np.mean([f.counts[line].mean() - f.counts[quiet].mean() for f in each.lamp_off]) for each in (clean, lit)]
        rise = np.mean([f.counts[line].mean() for f in lit.frames]) - np.mean([f.counts[line].mean() for f in clean.frames])
        assert room[1] < 2 * room[0]
        assert rise > 10 * room[0]


def test_the_unknown_dye_glows_where_no_base_has_its_peak(struck):
    for clean, dyed in zip(points(struck("none")), points(struck("unknown_fluorophore")), strict=True):
        nm = clean.frames[0].wavelength_nm
        at, beside = np.abs(nm - 575) < 8, np.abs(nm - 525) < 8
        bump = [net(each.frames[1], each)[at].mean() / net(each.frames[1], each)[beside].mean() for each in (clean, dyed)]
        assert bump[1] > 2 * bump[0]


def test_swapped_excitations_show_nadh_under_the_wrong_name(struck):
    for each in points(struck("swapped_excitation")):
        nm = each.frames[0].wavelength_nm
        blue, green = np.abs(nm - 455) < 10, np.abs(nm - 530) < 10
        share = {}
        for frame in each.frames:
            light = net(frame, each)
            share.setdefault(frame.excitation_nm, []).append(light[blue].mean() / light[green].mean())
        assert np.mean(share[405.0]) > np.mean(share[385.0])
