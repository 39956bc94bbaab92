"""What every instrument speaks, and the one that replays."""

import numpy as np
import pytest

from onclair.core.errors import BadCase, BadSetting, NotReachable
from onclair.core.values import Spectrum
from onclair.io.instruments import Frame, NoFrame, NoMoreFrames, Pose, Replay, Settings

NM = np.array([500.0, 501.0])


def recorded(*times: float) -> list[Frame]:
    return [Frame(f"F{place}", "lamp_off", Spectrum(NM, NM, None, 20.0), "abc", at) for place, at in enumerate(times)]


def replay(*times: float, speed: float = np.inf) -> tuple[Replay, list[float]]:
    waits: list[float] = []
    device = Replay(recorded(*times), speed, clock=lambda: sum(waits), sleep=waits.append)
    device.open()
    return device, waits


def test_frames_come_again_in_their_order_and_then_no_more():
    device, _ = replay(1.0, 1.1, 1.2)
    assert [device.frame(1.0).frame for _ in range(3)] == ["F0", "F1", "F2"]
    with pytest.raises(NoMoreFrames, match="3"):
        device.frame(1.0)


def test_frames_keep_their_intervals_at_speed_one():
    device, waits = replay(1.0, 1.1, 1.4, speed=1.0)
    for _ in range(3):
        device.frame(1.0)
    assert sum(waits) == pytest.approx(0.4)


def test_a_gap_in_the_recording_is_a_gap_in_the_replay():
    device, waits = replay(1.0, 3.0, speed=1.0)
    device.frame(0.5)
    with pytest.raises(NoFrame):
        device.frame(0.5)
    assert sum(waits) == pytest.approx(0.5)


def test_a_recording_that_is_not_open_says_so():
    with pytest.raises(NotReachable, match="open"):
        Replay(recorded(1.0)).frame(1.0)


def test_two_recorded_frames_of_one_name_are_refused():
    with pytest.raises(BadCase, match="F0"):
        Replay([*recorded(1.0), *recorded(2.0)])


def test_a_speed_that_is_not_positive_is_refused():
    with pytest.raises(BadSetting, match="speed"):
        Replay(recorded(1.0), 0.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"integration_ms": 0.0},
        {"integration_ms": np.nan},
        {"integration_ms": 20.0, "averages": 0},
        {"integration_ms": 20.0, "excitations_nm": ()},
    ],
)
def test_settings_that_nothing_can_be_measured_with_are_refused(wrong):
    with pytest.raises(BadSetting):
        Settings(**wrong)


def test_every_setting_changes_the_id():
    ids = {
        each.id for each in (Settings(20.0), Settings(21.0), Settings(20.0, 2), Settings(20.0, 1, (405.0,)), Settings(20.0, white=False))
    }
    assert len(ids) == 5


def test_a_pose_says_whether_it_is_lps_or_ras():
    with pytest.raises(BadCase, match="LPS or RAS"):
        Pose(np.eye(4), 0.0, "LAS")
