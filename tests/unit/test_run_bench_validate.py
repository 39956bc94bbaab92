"""The timed tasks: each runs end to end in a process of its own, its peers beside it, and what is not installed is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from onclair.core.errors import BadSetting
from onclair.run.bench_validate import PeerTiming, TaskTiming, _bounded, bench_validate, timing_of
from onclair.run.benches.peers import PEERS, Peer
from onclair.run.benches.tasks import TASKS

ABSENT = Peer("no-such-tool", "no_such_tool_at_all", "decision-curve", "nothing", "def call(data, replicates):\n    return 0.0\n")
PLAIN = Peer("numpy", "numpy", "decision-curve", "a mean", "def call(data, replicates):\n    return data['p'].mean()\n", 2)
BROKEN = replace(PLAIN, code="def call(data, replicates):\n    raise RuntimeError('it broke')\n")


@pytest.fixture(scope="module")
def tiny() -> TaskTiming:
    """The decision curve on 300 rows with three peers: one that works, one that is absent, one that breaks."""
    return timing_of(replace(TASKS["decision-curve"], rows=300, replicates=4), [PLAIN, ABSENT, BROKEN])


def test_a_task_runs_in_a_fresh_process_and_is_measured(tiny):
    assert (tiny.status, tiny.rows) == ("ok", 300)
    assert min(tiny.cpu_s, tiny.compile_s, tiny.peak_mb) > 0
    assert tiny.as_dict()["bound_s"] == 0.05


def test_a_peer_is_measured_on_the_same_rows_and_its_extrapolation_is_marked(tiny):
    peer = tiny.peers[0]
    drawn = TASKS["decision-curve"].draw(300)
    assert (peer.status, peer.extrapolated, peer.replicates) == ("ok", True, 2)
    assert peer.value == pytest.approx(drawn["p"].mean())
    assert peer.version


def test_a_peer_that_is_not_installed_is_a_row_that_says_so(tiny):
    peer = tiny.peers[1]
    assert (peer.status, peer.cpu_s) == ("missing", None)
    assert "make peers" in peer.reason


def test_a_peer_that_breaks_is_a_row_with_its_reason(tiny):
    assert (tiny.peers[2].status, tiny.peers[2].reason) == ("failed", "RuntimeError: it broke")


def test_the_tasks_are_those_of_the_issue_with_their_bounds():
    bounds = {name: (task.bound_s, task.bound_mb) for name, task in TASKS.items()}
    assert bounds == {
        "bootstrap-binary": (6.0, None),
        "harrell": (0.06, None),
        "bootstrap-harrell": (9.0, None),
        "decision-curve": (0.05, None),
        "million-rows": (20.0, 2048.0),
    }
    assert TASKS["million-rows"].rows == 1_000_000


def test_every_peer_belongs_to_a_task_and_a_bootstrap_is_timed_on_twenty_replicates_at_least():
    assert {peer.task for peer in PEERS} == set(TASKS) - {"million-rows"}
    assert all(peer.replicates >= 20 for peer in PEERS if TASKS[peer.task].replicates)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_every_task_gives_a_figure_on_few_rows(name):
    task = TASKS[name]
    assert 0 < task.call(task.draw(400), min(task.replicates, 2)) < 1


@pytest.mark.parametrize(("ours", "theirs", "holds"), [(1.0, 20.0, True), (1.0, 5.0, False), (7.0, 100.0, False), (1.0, None, True)])
def test_a_bound_on_a_share_of_a_peer_holds_when_both_bounds_do(ours, theirs, holds):
    task = TASKS["bootstrap-binary"]
    found = TaskTiming(
        task.name, task.what, task.rows, cpu_s=ours, peak_mb=100.0, peers=(PeerTiming("scikit-learn", "loop", cpu_s=theirs),)
    )
    assert _bounded(task, found).holds is holds


def test_an_unknown_task_is_refused_with_the_nearest_name():
    with pytest.raises(BadSetting, match="'harell'; did you mean 'harrell'"):
        next(bench_validate(only=["harell"]))
