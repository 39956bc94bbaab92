"""At the bedside: a probe that does not touch never gets an answer, and of several reasons the cause is named."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from calibration_made import SERIAL, TIME_MS, Clock, device, measurements, rounds, session_of
from onclair.core.errors import BadInput, CheckFailed
from onclair.io.instruments import Settings
from onclair.io.spectra.calibration import Calibration
from onclair.io.tables import write_parquet
from onclair.run.journal_replay import recomputed
from onclair.run.live import Live
from onclair.run.live_parts import Loop, Outcome, overfull
from onclair.run.session_folder import new_session
from onclair.science.spectra.prepared import Gate
from onclair.studies.tasks.spectra_calibrate import Asked, calibrate
from onclair.studies.tasks.spectra_calibrated import CALIBRATION, calibrated_step, locked_calibration
from onclair.studies.tasks.spectra_live import Asked as LiveAsked
from onclair.studies.tasks.spectra_live import prepared
from onclair.studies.tasks.spectra_live_step import judge_of, known_inputs, telling


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Calibration:
    """A calibration of the simulated instrument on a phantom."""
    home = tmp_path_factory.mktemp("calibrated")
    session_of(home / "phantom", device(seed=3), 12)
    return calibrate(Asked(home / "c.json", contact=home / "phantom")).calibration


def shown(calibration: Calibration | None, seeds: Sequence[int] = (11, 12), **fault: float) -> Counter[str]:
    """Return how often each reason stands instead of an answer; an answer is ''."""
    step = judge_of(None, calibration).step
    return Counter(step(each).blank for seed in seeds for each in measurements(device(seed, **fault), 8))


def test_with_contact_levels_a_probe_that_does_not_touch_is_always_named_so(known: Calibration) -> None:
    for touch, room in ((0.05, 1.0), (0.05, 3.0), (0.03, 3.0), (0.01, 1.0), (0.0, 3.0)):
        assert set(shown(known, touch=touch, room=room)) == {"no_contact"}, touch


def test_without_contact_levels_some_of_them_are_answered(known: Calibration) -> None:
    assert shown(None, touch=0.05)[""] > 0
    assert set(shown(known)) == {""}


def test_the_light_of_the_room_is_named_where_it_is_the_cause(known: Calibration) -> None:
    found = shown(known, seeds=(2, 4, 6), room=150.0)
    assert found["ambient"] >= 22
    assert found[""] == 0


def test_a_live_session_shows_no_answer_while_the_probe_does_not_touch(known: Calibration, tmp_path: Path) -> None:
    judge = judge_of(None, known)
    how = Loop(judge.step, judge.name, Settings(TIME_MS), 8.0)
    summary = Live(device(7, touch=0.04, real=True), tmp_path, how).run(1.5)
    assert summary["answers"] == {}
    told = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    reasons = Counter(e["reason"] for e in told if e["kind"] == "blank" and e["frame"] is not None and e["reason"] != "settings_changed")
    assert reasons["no_contact"] >= 3
    assert set(reasons) <= {"no_contact", "slow"}


def gate(name: str, threshold: float = 0.02) -> Gate:
    return Gate(name, 0.0, threshold, False, f"{name}.")


@pytest.mark.parametrize(
    ("shut", "named"),
    [
        (["saturated", "ambient", "snr"], "ambient"),
        (["lamp_off", "no_contact", "ambient", "snr"], "lamp_off"),
        (["no_contact", "ambient"], "no_contact"),
        (["blood_flood", "ambient"], "blood_flood"),
        (["ambient", "snr", "flicker"], "ambient"),
        (["shift", "unexplained"], "shift"),
    ],
)
def test_of_several_gates_the_cause_is_named(shut: list[str], named: str) -> None:
    assert telling([gate(name) for name in shut]).name == named


def test_a_probe_without_white_light_is_in_the_air_and_not_without_lamp() -> None:
    assert telling([gate("lamp_off"), gate("no_contact", 0.25), gate("ambient")]).name == "no_contact"


def test_a_detector_full_of_the_light_of_the_room_says_so() -> None:
    by_kind = {frame.kind: frame for frame in rounds(device(1, room=3000.0), 1)[0]}
    assert by_kind["lamp_off"].saturated
    full = overfull([by_kind["lamp_off"], by_kind["fluorescence"]])
    assert full is not None
    assert (full.blank, overfull([by_kind["fluorescence"]]).blank) == ("ambient", "saturated")
    assert recomputed(list(by_kind.values()), lambda measurement: Outcome("suspect")).blank == "ambient"


def test_other_pixels_or_excitations_than_the_calibrations_are_not_judged(known: Calibration) -> None:
    def never(measurement: object) -> Outcome:
        raise AssertionError

    made = device(1)
    made.by = type(made.by)(**{name: getattr(made.by, name) for name in made.by.__slots__ if name != "ends_nm"}, ends_nm=(361.0, 821.0))
    found = calibrated_step(never, known)(measurements(made, 1)[0])
    assert (found.answer, found.blank) == (None, "unusable")
    assert "1024 pixels from 360.00 to 820.00 nm, and the spectrum has 1024 pixels from 361.00" in found.reason


def test_a_calibration_of_another_spectrometer_or_other_settings_begins_no_session(known: Calibration, tmp_path: Path) -> None:
    def refused(**other: object) -> str:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        path.write_bytes(type(known)(**{**{n: getattr(known, n) for n in known.__slots__}, **other}).as_bytes())
        with pytest.raises(BadInput) as error, prepared(LiveAsked("simulated", tmp_path / "s", calibration=path)):
            raise AssertionError
        assert not (tmp_path / "s").exists()
        return str(error.value)

    assert f"'OTHER' and this is '{SERIAL}'" in refused(serial="OTHER")
    assert "1024 pixels" in refused()  # the command's instrument has 2048
    assert "the settings ask for 385 and 405 nm" in refused(
        axis=type(known.axis)(2048, 360.0, 594.1124, 820.0), usual={**known.usual, "excitations_nm": [405.0]}
    )


def test_a_session_whose_calibration_was_changed_is_not_replayed(known: Calibration, tmp_path: Path) -> None:
    about = {"data": "virtual", "calibration": known.about(CALIBRATION), "beside": [CALIBRATION]}
    session = new_session(tmp_path / "s", about, {CALIBRATION: known.as_bytes()})
    assert locked_calibration(session).sha256 == known.sha256
    path = session.folder / CALIBRATION
    path.write_bytes(path.read_bytes().replace(b'"virtual C1"', b'"virtual C2"'))
    with pytest.raises(CheckFailed, match="not the one that the session locked"):
        locked_calibration(session)


def test_the_reference_of_the_monitor_is_what_the_models_patients_varied_by(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {
            "patient": ["a", "a", "b", "b", "c", "c"],
            "item": list("123456"),
            "shift_nm": [0.0, 2.0, 4.0, 6.0, 8.0, 10.0],
            "sto2": [0.5, math.nan, 0.6, math.nan, math.nan, math.nan],
            "margin": [0, 1, 0, 1, 0, 1],
        }
    )
    (tmp_path / "table").mkdir()
    write_parquet(tmp_path / "table" / "features.parquet", rows)
    found = known_inputs(tmp_path)
    assert found == {"shift_nm": {"mean": 5.0, "between": pytest.approx(15.0**0.5), "within": pytest.approx(2.0**0.5)}}


def test_time_goes_by_only_where_somebody_waits() -> None:
    clock = Clock()
    clock.sleep(2.0)
    assert clock() == 2.0
