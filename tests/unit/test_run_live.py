"""The live loop: what is shown, what is not, and why; each with an instrument that does just that."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_made import Told, bright, made, steadily
from onclair.core.errors import BadCase, NoRoom, NotReachable
from onclair.core.values import Measurement
from onclair.io.instruments import Frame, Settings
from onclair.run.live import Live
from onclair.run.live_parts import Loop, Mark, Outcome
from onclair.run.live_rounds import Arrived, Rounds
from onclair.run.live_screen import Limits, Screen
from onclair.run.session_frames import read_frame, stored_frames


def events(session: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (session / "events.jsonl").read_text().splitlines()]


def run(instrument: Told, session: Path, seconds: float = 0.35, **how: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run a session and return its summary and events."""
    agenda = how.pop("agenda", lambda live: ())
    live = Live(instrument, session, Loop(how.pop("step", bright), "rule", **how))
    summary = live.run(seconds, agenda(live))
    return summary, events(session)


def reasons(summary: dict[str, Any]) -> list[str]:
    return [blank["reason"] for blank in summary["blanked"]]


def test_every_frame_is_accounted_for_once(tmp_path: Path) -> None:
    summary, told = run(Told(steadily()), tmp_path)
    frames = summary["frames"]
    used = Counter(name for e in told if e["kind"] == "measurement" for name in e["frames"])
    assert frames["acquired"] == frames["decided"] + sum(frames["discarded"].values())
    assert frames["decided"] > 20
    assert set(used.values()) == {1}
    assert summary["reused_frames"] == 0
    assert summary["answers"] == {"suspect": frames["decided"] // 2}


def test_events_are_numbered_without_gaps_and_end_with_a_blank_screen(tmp_path: Path) -> None:
    _, told = run(Told(steadily()), tmp_path)
    assert [e["seq"] for e in told] == list(range(1, len(told) + 1))
    assert {e["kind"] for e in told} == {"status", "measurement", "decision", "blank"}
    assert [(e["kind"], e.get("reason")) for e in told if e["kind"] in ("decision", "blank")][-1] == ("blank", "ended")


def test_a_decision_says_what_it_rests_on(tmp_path: Path) -> None:
    _, told = run(Told(steadily(pose_age_s=0.05)), tmp_path)
    decision = next(e for e in told if e["kind"] == "decision")
    assert {"frame", "answer", "model", "age_ms", "reason", "pose"} <= set(decision)
    assert decision["pose"]["lps_mm"] == [1.0, 2.0, 3.0]
    assert 50.0 <= decision["pose"]["age_ms"] <= 200.0


def test_frames_are_discarded_until_they_carry_the_new_settings(tmp_path: Path) -> None:
    first, second = Settings(5.0), Settings(6.0)
    instrument = Told(steadily(), stale=3)
    summary, told = run(instrument, tmp_path, settings=first, agenda=lambda live: [(0.2, lambda: live.configure(second))])
    changed = next(e["seq"] for e in told if e.get("state") == "settings")
    after = [e["settings_id"] for e in told if e["kind"] in ("measurement", "decision") and e["seq"] > changed]
    assert summary["frames"]["discarded"]["old_settings"] >= 6
    assert after
    assert set(after) == {second.id}
    assert summary["decided_on_old_settings"] == 0
    assert "settings_changed" in reasons(summary)


def test_an_instrument_that_changes_by_itself_never_mixes_settings_in_a_measurement(tmp_path: Path) -> None:
    def frames() -> Iterator[Frame]:
        yield from (made(number, "A" if number < 21 else "B") for number in range(10_000))

    summary, told = run(Told(frames), tmp_path)
    assert reasons(summary) == ["settings_changed"]
    assert {e["settings_id"] for e in told if e["kind"] == "decision"} == {"A", "B"}
    assert summary["frames"]["discarded"]["incomplete"] >= 1


def test_a_frame_that_comes_again_is_not_used_again_and_blanks_the_answer(tmp_path: Path) -> None:
    def frames() -> Iterator[Frame]:
        yield from (made(number) for number in range(20))
        while True:
            yield made(19, at=None)

    summary, _ = run(Told(frames), tmp_path)
    assert reasons(summary) == ["repeated"]
    assert summary["frames"]["decided"] <= 20
    assert summary["reused_frames"] == 0


def test_equal_counts_under_a_new_name_are_a_stale_source(tmp_path: Path) -> None:
    def frames() -> Iterator[Frame]:
        for number in range(10_000):
            same = made(min(number, 20 + number % 2))
            yield Frame(f"N{number}", same.kind, same.spectrum, "S", same.time_s)

    summary, _ = run(Told(frames), tmp_path)
    assert reasons(summary) == ["repeated"]


def test_silence_blanks_within_half_a_second_and_the_answer_comes_back(tmp_path: Path) -> None:
    def frames() -> Iterator[Frame | None]:
        for number in range(10_000):
            if number == 30:
                yield from [None] * 120
            yield made(number)

    summary, told = run(Told(frames), tmp_path, seconds=1.2)
    (blank,) = summary["blanked"]
    assert blank["reason"] == "silent"
    assert blank["after_ms"] <= 500
    assert any(e["kind"] == "decision" and e["at_s"] > blank["at_s"] + blank["for_s"] - 0.01 for e in told)
    assert any(e["text"] == "The instrument of the test says nothing." for e in told if e["kind"] == "blank")


def test_while_it_is_blank_the_screen_is_told_so_again_and_again(tmp_path: Path) -> None:
    summary, told = run(Told(lambda: iter([None] * 10_000)), tmp_path)
    assert summary["frames"] == {"acquired": 0, "decided": 0, "discarded": {}}
    assert summary["latency_ms"] == {"p50": None, "p95": None, "max": None}
    assert sum(e["kind"] == "blank" for e in told) >= 3


def test_an_expired_pose_blanks_and_no_decision_rests_on_one(tmp_path: Path) -> None:
    def frames() -> Iterator[Frame]:
        for number in range(10_000):
            yield made(number, pose_age_s=0.02 if number < 30 else 0.3)

    summary, told = run(Told(frames), tmp_path)
    assert reasons(summary) == ["pose_expired"]
    assert summary["poses"]["expired"] > 0
    assert all(e["pose"]["age_ms"] <= 200 for e in told if e["kind"] == "decision")


def test_a_tracker_that_stops_sending_poses_is_an_expired_pose(tmp_path: Path) -> None:
    def frames() -> Iterator[Frame]:
        for number in range(10_000):
            yield made(number, pose_age_s=0.02 if number < 30 else None)

    assert reasons(run(Told(frames), tmp_path)[0]) == ["pose_expired"]


def test_a_saturated_frame_blanks(tmp_path: Path) -> None:
    def frames() -> Iterator[Frame]:
        yield from (made(number, saturated=number >= 31) for number in range(10_000))

    summary, _ = run(Told(frames), tmp_path)
    assert reasons(summary) == ["saturated"]
    assert summary["frames"]["discarded"]["saturated"] > 0


def test_a_gate_that_shuts_blanks_with_its_own_words(tmp_path: Path) -> None:
    def step(measurement: Measurement) -> Outcome:
        late = float(measurement.frames[0].counts[0]) > 30
        return Outcome(None, "The lamp is off.", "lamp_off") if late else bright(measurement)

    summary, told = run(Told(steadily()), tmp_path, step=step)
    assert reasons(summary) == ["lamp_off"]
    assert next(e["text"] for e in told if e["kind"] == "blank" and e["reason"] == "lamp_off") == "The lamp is off."


def test_a_step_that_fails_blanks_and_the_loop_goes_on(tmp_path: Path) -> None:
    def step(measurement: Measurement) -> Outcome:
        if 20 < measurement.frames[0].counts[0] < 30:
            raise ZeroDivisionError("by nothing")
        return bright(measurement)

    summary, told = run(Told(steadily()), tmp_path, step=step)
    assert reasons(summary) == ["unusable"]
    assert summary["frames"]["decided"] > 25
    assert any("ZeroDivisionError" in e.get("text", "") for e in told)


def test_frames_that_come_late_are_not_used(tmp_path: Path) -> None:
    def frames() -> Iterator[Frame]:
        for number in range(10_000):
            yield made(number, at=time.monotonic() - (0.0 if number < 30 else 0.6))

    summary, _ = run(Told(frames), tmp_path)
    assert reasons(summary) == ["late"]
    assert summary["frames"]["discarded"]["late"] > 0


def test_a_slow_computation_blanks_the_answer_meanwhile(tmp_path: Path) -> None:
    def step(measurement: Measurement) -> Outcome:
        if 20 < measurement.frames[0].counts[0] < 23:
            time.sleep(0.8)
        return bright(measurement)

    summary, _ = run(Told(steadily()), tmp_path, step=step, seconds=1.2)
    assert reasons(summary)
    assert summary["blanked"][0]["after_ms"] <= 500
    assert summary["latency_ms"]["max"] <= 500


def test_an_instrument_that_is_lost_is_opened_again(tmp_path: Path) -> None:
    def frames() -> Iterator[Frame | Exception]:
        for number in range(10_000):
            if number == 30:
                yield NotReachable("The cable was pulled.")
            yield made(number)

    instrument = Told(frames)
    summary, told = run(instrument, tmp_path, seconds=1.0)
    assert instrument.opened == 2
    assert reasons(summary) == ["instrument_lost"]
    assert any(e.get("text") == "The cable was pulled." for e in told if e["kind"] == "status")
    assert [e["kind"] for e in told].index("decision") < next(i for i, e in enumerate(told) if e.get("state") == "instrument_lost_over")


def test_an_instrument_that_does_not_open_is_an_error_and_an_event(tmp_path: Path) -> None:
    class Absent(Told):
        def open(self) -> None:
            raise NotReachable("There is no instrument.")

    with pytest.raises(NotReachable, match="no instrument"):
        run(Absent(steadily()), tmp_path)
    assert [e.get("state") for e in events(tmp_path)] == ["starting", "failed"]


def test_an_altered_model_blanks_for_good(tmp_path: Path) -> None:
    asked = iter([None, "The model was altered."])
    summary, told = run(Told(steadily()), tmp_path, intact=lambda: next(asked), seconds=0.5, limits=Limits(guard_s=0.15))
    assert reasons(summary) == ["model_altered"]
    last = [e for e in told if e["kind"] == "decision"][-1]
    assert last["at_s"] < summary["blanked"][0]["at_s"]


def test_silent_decisions_say_nothing_of_the_answer(tmp_path: Path) -> None:
    _, told = run(Told(steadily()), tmp_path, silent=True)
    decisions = [e for e in told if e["kind"] == "decision"]
    assert decisions
    assert all(e["answer"] is None and "detail" not in e for e in decisions)


def test_no_more_measurements_are_judged_than_were_asked_for(tmp_path: Path) -> None:
    summary, _ = run(Told(steadily()), tmp_path, rate_hz=5.0, seconds=1.0)
    assert 2 <= summary["frames"]["decided"] / 2 <= 7
    assert summary["frames"]["discarded"]["rate"] > 0


def test_a_mark_is_acknowledged_once_its_frames_are_stored_as_hashed(tmp_path: Path) -> None:
    marks: list[Mark] = []

    def marker(mark: Mark) -> dict[str, Any]:
        marks.append(mark)
        return {"site": 7}

    summary, told = run(Told(steadily()), tmp_path, marker=marker, agenda=lambda live: [(0.3, lambda: live.mark("grey", "Ada"))])
    (event,) = [e for e in told if e["kind"] == "mark"]
    assert (event["site"], event["note"], event["by"], summary["marks"]) == (7, "grey", "Ada", 1)
    assert [each.frame for each in marks[0].frames] == list(marks[0].judged.frames)
    read = [read_frame(tmp_path, each) for each in marks[0].frames]
    np.testing.assert_array_equal(read[-1].spectrum.counts, marks[0].judged.measurement.frames[0].counts)


def test_a_mark_before_anything_was_judged_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCase, match="There is no measurement to be marked yet"):
        Live(Told(steadily()), tmp_path, Loop(bright)).mark()


def test_a_full_disk_blanks_and_nothing_is_lost_when_it_has_room_again(tmp_path: Path) -> None:
    target = tmp_path / "events.jsonl"
    target.symlink_to("/dev/full")

    def freed() -> None:
        target.unlink()
        target.touch()

    summary, told = run(Told(steadily()), tmp_path, seconds=0.8, agenda=lambda live: [(0.3, freed)])
    assert [e["seq"] for e in told] == list(range(1, len(told) + 1))
    assert any("takes nothing more" in e.get("text", "") for e in told if e["kind"] == "status")
    assert any(e.get("state") == "not_recorded_over" for e in told)
    assert summary["frames"]["decided"] > 0
    assert not any(e["kind"] == "decision" and e["at_s"] < 0.3 for e in told)


def test_a_disk_that_stays_full_ends_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").symlink_to("/dev/full")
    with pytest.raises(NoRoom, match="did not take everything"):
        run(Told(steadily()), tmp_path, seconds=0.3)


def test_a_listener_that_is_too_slow_loses_the_oldest_and_is_told_how_many(tmp_path: Path) -> None:
    live = Live(Told(steadily()), tmp_path, Loop(bright))
    heard = live.stream.subscribe(size=4)
    live.run(0.3)
    left = [heard.get(0.0) for _ in range(4)]
    assert heard.dropped == len(events(tmp_path)) - 4
    assert [e.seq for e in left if e] == [e["seq"] for e in events(tmp_path)[-4:]]


def test_stored_frames_are_those_that_were_judged(tmp_path: Path) -> None:
    _, told = run(Told(steadily()), tmp_path)
    assert [each.frame for each in stored_frames(tmp_path)] == [name for e in told if e["kind"] == "measurement" for name in e["frames"]]


def test_a_screen_that_is_blank_says_the_reason_of_now_and_the_summary_that_of_the_beginning() -> None:
    screen = Screen(Limits())
    screen.fresh(1.0)
    screen.show(1.1, 1.0)
    screen.blank("snr", 1.2)
    screen.fresh(1.2)
    assert not screen.blank("no_contact", 1.3)
    assert screen.reason == "no_contact"
    assert screen.overdue(1.6) == "silent"
    assert screen.blank("silent", 1.6)
    screen.fresh(2.0)
    screen.show(2.1, 2.0)
    assert [(each.reason, each.at, each.until) for each in screen.blanks] == [("snr", 1.2, 1.6), ("silent", 1.6, 2.1)]
    assert screen.blanks[1].cause == 1.2


def test_a_reason_that_stands_is_not_hidden_by_another() -> None:
    screen = Screen(Limits())
    screen.show(1.1, 1.0)
    screen.standing["model_altered"] = "The model was altered."
    assert screen.overdue(1.2) == "model_altered"
    screen.blank("model_altered", 1.2)
    screen.blank("saturated", 1.3)
    assert screen.reason == "model_altered"


def test_a_round_that_breaks_is_given_up_and_a_new_order_is_learnt() -> None:
    rounds = Rounds()

    def fed(keys: str) -> list[int]:
        kinds = {"o": ("lamp_off", None), "a": ("fluorescence", 385.0), "b": ("fluorescence", 405.0), "w": ("white", None)}
        sizes = []
        for number, key in enumerate(keys):
            kind, lit = kinds[key]
            frame = made(number)
            spectrum = replace(frame.spectrum, excitation_nm=lit)
            complete, _ = rounds.add(Arrived(replace(frame, kind=kind, spectrum=spectrum), float(number)))
            sizes += [len(complete)] if complete else []
        return sizes

    assert fed("woabwoabwoabw") == [4, 4, 4]
    assert fed("oabobwoabw") == [4]
    assert fed("obobobobobobobobobobobob")[-1] == 2
