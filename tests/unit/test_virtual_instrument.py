"""The simulated instrument: takes its time, hands out stale frames, says where the probe is, and fails by script."""

import numpy as np
import pytest

from onclair.core.errors import BadSetting, NotReachable
from onclair.io.instruments import Frame, NoFrame, Settings
from onclair.virtual.instrument import Simulated, simulated
from onclair.virtual.instrument_script import read_script
from onclair.virtual.spectra_patients import person_of
from onclair.virtual.spectra_settings import VirtualSpectra


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


def opened(*entries, pixels: int = 256, **more) -> tuple[Simulated, Time]:
    time = Time()
    device = simulated(pixels=pixels, script=read_script(entries), clock=time.clock, sleep=time.sleep, **more)
    device.open()
    return device, time


def frames(device: Simulated, count: int) -> list[Frame]:
    return [device.frame(1.0) for _ in range(count)]


def test_frames_come_in_rounds_of_lamp_off_each_excitation_and_white():
    device, _ = opened()
    device.configure(Settings(20.0))
    device.frame(1.0)
    found = [(each.kind, each.spectrum.excitation_nm) for each in frames(device, 5)]
    lit = [("fluorescence", 385.0), ("fluorescence", 405.0)]
    assert found == [("lamp_off", None), *lit, ("white", None), ("lamp_off", None)]


def test_one_frame_after_new_settings_is_stale_and_says_so():
    device, _ = opened()
    first = device.configure(Settings(20.0))
    frames(device, 4)
    second = device.configure(Settings(40.0))
    found = [(each.settings_id, each.spectrum.integration_ms) for each in frames(device, 3)]
    assert found == [(first, 20.0), (second, 40.0), (second, 40.0)]


def test_settings_changed_twice_at_once_leave_one_stale_frame():
    device, _ = opened()
    first = device.configure(Settings(20.0))
    frames(device, 2)
    device.configure(Settings(30.0))
    last = device.configure(Settings(40.0))
    assert [each.settings_id for each in frames(device, 3)] == [first, last, last]


def test_frames_take_as_long_as_their_exposure():
    device, time = opened()
    device.configure(Settings(20.0, averages=3))
    device.frame(1.0)
    before = time.now
    frames(device, 5)
    assert time.now - before == pytest.approx(5 * 0.062)


def test_no_frame_within_the_time_given_is_said_and_waits_no_longer():
    device, time = opened()
    device.configure(Settings(500.0))
    device.frame(1.0)
    before = time.now
    with pytest.raises(NoFrame, match=r"0\.1 s"):
        device.frame(0.1)
    assert time.now - before == pytest.approx(0.1)
    assert device.frame(1.0).spectrum.integration_ms == 500.0


def test_no_two_frames_share_a_name_or_their_counts():
    device, _ = opened()
    found = frames(device, 24)
    assert len({each.frame for each in found}) == 24
    assert len({each.spectrum.counts.tobytes() for each in found}) == 24


def test_equal_seeds_give_equal_frames():
    one, other = (frames(opened()[0], 6) for _ in range(2))
    assert all(np.array_equal(a.spectrum.counts, b.spectrum.counts) for a, b in zip(one, other, strict=True))


def test_a_stall_gives_nothing_while_it_lasts_and_then_goes_on():
    device, time = opened({"at_s": 0.1, "do": "stall", "for_s": 0.5})
    while time.now < 100.1:
        device.frame(1.0)
    with pytest.raises(NoFrame):
        device.frame(0.2)
    after = device.frame(1.0)
    assert after.time_s >= 100.6


def test_saturation_by_script_fills_the_excited_frames_while_it_lasts():
    device, _ = opened({"at_s": 0.5, "do": "saturate", "for_s": 0.5})
    found = [each for each in frames(device, 45) if each.kind == "fluorescence"]
    full = {each.saturated for each in found if 100.5 <= each.time_s < 101.0}
    well = {each.saturated for each in found if not 100.5 <= each.time_s < 101.0}
    assert (full, well) == ({True}, {False})


def test_a_lamp_that_fails_leaves_the_room_alone():
    device, _ = opened({"at_s": 0.5, "do": "lamp_off", "for_s": 0.5})
    found = [each for each in frames(device, 45) if each.spectrum.excitation_nm == 405.0]
    light = {
        each.time_s: each.spectrum.counts[(each.spectrum.wavelength_nm > 500) & (each.spectrum.wavelength_nm < 600)].mean()
        for each in found
    }
    failed = [level for at, level in light.items() if 100.5 <= at < 101.0]
    lit = [level for at, level in light.items() if not 100.5 <= at < 101.0]
    assert max(failed) < 0.5 * min(lit)


def test_a_lost_tracker_leaves_the_last_pose_with_its_time():
    device, _ = opened({"at_s": 0.5, "do": "tracker_lost", "for_s": 0.5})
    found = frames(device, 45)
    ages = {each.time_s: each.time_s - each.pose.time_s for each in found}
    assert max(age for at, age in ages.items() if at < 100.5 or at >= 101.0) == 0.0
    assert max(ages.values()) > 0.4


def test_somebody_turning_the_knob_gives_one_stale_frame_and_then_other_settings():
    device, _ = opened({"at_s": 0.2, "do": "integration_ms", "value": 60})
    asked = device.configure(Settings(20.0))
    found = frames(device, 20)
    turned = next(place for place, each in enumerate(found) if each.spectrum.integration_ms == 60.0)
    assert {each.settings_id for each in found[1:turned]} == {asked}
    assert {each.settings_id for each in found[turned:]} == {Settings(60.0).id}


def test_the_pose_lies_beside_the_truth_by_the_registration_error():
    device, _ = opened()
    person = device.person
    tip = np.mean([each.pose.lps[:3, 3] for each in frames(device, 30)], axis=0)
    assert np.linalg.norm(tip - person.points[0].tip_mm) == pytest.approx(person.registration_error_mm, abs=0.1)


def test_the_patient_on_the_table_is_none_of_the_cohort_of_that_seed():
    cohort = {person_of(VirtualSpectra(), index).points[0].tip_mm for index in range(3)}
    assert simulated(seed=1).person.points[0].tip_mm not in cohort


def test_a_tracker_in_ras_tells_the_same_place():
    poses = [opened(space=space)[0].frame(1.0).pose for space in ("LPS", "RAS")]
    assert poses[1].space == "RAS"
    assert poses[1].matrix[:3, 3] == pytest.approx(poses[0].matrix[:3, 3] * [-1, -1, 1])
    assert poses[1].lps == pytest.approx(poses[0].lps)


def test_the_tissue_changes_slowly_from_point_to_point():
    device, _ = opened()
    amounts = [device.truth(at)[0].amounts["FAD"] for at in np.arange(0.0, 12.0, 0.05)]
    assert np.abs(np.diff(np.log(amounts))).max() < 0.25
    assert device.truth(0.0)[1] is device.person.points[0]
    assert device.truth(3.1)[1] is device.person.points[1]


def test_a_closed_instrument_says_so():
    device, _ = opened()
    device.close()
    device.close()
    with pytest.raises(NotReachable, match=r"open\(\)"):
        device.frame(1.0)


def test_an_excitation_without_a_lamp_is_refused():
    device, _ = opened()
    with pytest.raises(NotReachable, match="365"):
        device.configure(Settings(20.0, excitations_nm=(365.0,)))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"at_s": 1, "do": "explode"}, "explode"),
        ({"at_s": 1, "do": "stall"}, "for_s"),
        ({"at_s": 1, "do": "stall", "for_s": 0}, "0 s"),
        ({"at_s": -1, "do": "mark"}, "at_s"),
        ({"at_s": 1, "do": "integration_ms"}, "value"),
        ({"at_s": 1, "do": "mark", "whom": "A"}, "whom"),
        ("stall", "object"),
    ],
)
def test_a_script_that_cannot_be_played_is_refused_by_its_place(entry, said):
    with pytest.raises(BadSetting, match=said):
        read_script([entry])
