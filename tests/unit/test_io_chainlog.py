"""The chained log: what was written stays provable, whoever is killed, and whatever is changed is named."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadInput, CheckFailed, NoRoom
from onclair.io.chainlog import GENESIS, ChainLog, append, head_from_dict, read, sign_head, transact, verify, verify_signature
from onclair.io.signatures import make_keys, read_key, read_private_key

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def log_of(folder: Path, records: int = 5) -> ChainLog:
    log = ChainLog(folder / "log.jsonl")
    for n in range(records):
        append(log, {"kind": "prediction", "case": f"P{n:03}"}, now=NOON)
    return log


def rewrite(log: ChainLog, change: Callable[[list[bytes]], list[bytes]]) -> list[str]:
    """Change the lines of a log and return the codes of what is found."""
    log.path.write_bytes(b"".join(change(log.path.read_bytes().splitlines(keepends=True))))
    return [problem.code for problem in verify(log).problems]


def test_a_line_is_canonical_json_whose_hash_anyone_can_recompute(tmp_path: Path) -> None:
    log = log_of(tmp_path, 2)
    first, second = (json.loads(line) for line in log.path.read_text(encoding="utf-8").splitlines())
    assert (first["seq"], first["prev"], first["time"]) == (1, GENESIS, "2026-03-01T12:00:00.000000Z")
    assert second["prev"] == first["hash"] == sha256_of({k: v for k, v in first.items() if k != "hash"})


def test_the_head_is_the_last_hash_and_the_receipt(tmp_path: Path) -> None:
    log = log_of(tmp_path, 2)
    receipt = append(log, {"kind": "look"})
    assert receipt.head == json.loads(log.head_path.read_bytes())["hash"] == read(log).head


def test_times_are_written_in_utc_and_none_without_a_zone(tmp_path: Path) -> None:
    log = ChainLog(tmp_path / "log.jsonl", time_field="at")
    entry = append(log, {}, now=datetime(2026, 3, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))).entries[0]
    assert entry.fields == {"at": "2026-03-01T12:00:00.000000Z"}
    with pytest.raises(BadInput, match="no time zone"):
        append(log, {}, now=datetime(2026, 3, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ((1, 2), "tuple"),
        ({1: "a"}, "keys of a record are text"),
        (b"x", "bytes"),
        ("\ud800", "surrogate"),
        (Path("x"), "a record holds only"),
    ],
)
def test_what_json_cannot_hold_exactly_is_refused_and_nothing_written(tmp_path: Path, value: object, words: str) -> None:
    log = log_of(tmp_path, 1)
    before = log.path.read_bytes()
    with pytest.raises(BadInput, match=words):
        append(log, {"good": 1}, {"value": value})
    assert log.path.read_bytes() == before
    assert verify(log).valid


@pytest.mark.parametrize("name", ["seq", "prev", "hash", "time"])
def test_a_record_may_not_bring_fields_of_the_chain(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=f"own '{name}'"):
        append(log_of(tmp_path, 1), {name: "x"})


def test_an_edited_line_is_named(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    assert rewrite(log, lambda lines: [lines[0], lines[1].replace(b"P001", b"P999"), *lines[2:]]) == ["edited"]
    assert verify(log).problems[0].line == 2


def test_an_edited_line_with_its_hash_recomputed_breaks_the_next_link(tmp_path: Path) -> None:
    log = log_of(tmp_path)

    def forge(lines: list[bytes]) -> list[bytes]:
        record = {**json.loads(lines[1]), "case": "P999"}
        record.pop("hash")
        record["hash"] = sha256_of(record)
        return [lines[0], json.dumps(record, sort_keys=True, separators=(",", ":")).encode() + b"\n", *lines[2:]]

    assert rewrite(log, forge) == ["broken_link"]


def test_a_removed_line_is_named(tmp_path: Path) -> None:
    assert rewrite(log_of(tmp_path), lambda lines: [*lines[:2], *lines[3:]]) == ["missing"]


def test_swapped_lines_are_named(tmp_path: Path) -> None:
    assert rewrite(log_of(tmp_path), lambda lines: [lines[0], lines[2], lines[1], *lines[3:]]) == ["missing", "out_of_order", "missing"]


def test_a_repeated_line_is_named(tmp_path: Path) -> None:
    assert rewrite(log_of(tmp_path), lambda lines: [*lines[:3], lines[2], *lines[3:]])[0] == "repeated"


def test_a_line_with_spaces_is_not_canonical(tmp_path: Path) -> None:
    assert rewrite(log_of(tmp_path), lambda lines: [lines[0].replace(b'":', b'": '), *lines[1:]]) == ["not_canonical"]


def test_a_key_written_twice_is_refused_on_reading(tmp_path: Path) -> None:
    log = log_of(tmp_path, 1)
    rewrite(log, lambda lines: [lines[0].replace(b'{"case":"P000"', b'{"case":"P999","case":"P000"')])
    assert "a key stands twice" in verify(log).problems[0].message


def test_a_tail_cut_off_differs_from_the_head(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    assert rewrite(log, lambda lines: lines[:3]) == ["cut"]


def test_a_tail_cut_off_with_its_head_shows_only_against_a_receipt(tmp_path: Path) -> None:
    log = log_of(tmp_path, 3)
    early_log, early_head = log.path.read_bytes(), log.head_path.read_bytes()
    receipt = append(log, {"kind": "outcome"}).head
    log.path.write_bytes(early_log)
    log.head_path.write_bytes(early_head)
    assert verify(log).valid
    assert [problem.code for problem in verify(log, receipt).problems] == ["head_not_found"]


def test_an_earlier_receipt_holds_as_long_as_its_record_does(tmp_path: Path) -> None:
    log = log_of(tmp_path, 2)
    receipt = read(log).head
    append(log, {"kind": "outcome"})
    assert verify(log, receipt).valid


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"format":"onclair-head/1","hash":"x","seq":3,"time":null}\n'])
def test_a_damaged_head_is_a_problem(tmp_path: Path, damage: bytes) -> None:
    log = log_of(tmp_path, 3)
    log.head_path.write_bytes(damage)
    assert not verify(log).valid


def test_nothing_is_appended_to_a_log_that_was_cut_or_lost_its_head(tmp_path: Path) -> None:
    log = log_of(tmp_path, 3)
    log.head_path.rename(tmp_path / "elsewhere")
    with pytest.raises(CheckFailed, match="HEAD is missing"):
        append(log, {"n": 1})
    (tmp_path / "elsewhere").rename(log.head_path)
    rewrite(log, lambda lines: lines[:2])
    with pytest.raises(CheckFailed, match="counts 3"):
        append(log, {"n": 1})


def test_nothing_is_appended_after_a_last_line_that_was_changed(tmp_path: Path) -> None:
    log = log_of(tmp_path, 3)
    rewrite(log, lambda lines: [*lines[:2], lines[2].replace(b"P002", b"P999")])
    with pytest.raises(CheckFailed, match="last line"):
        append(log, {"n": 1})


def test_a_transaction_refuses_a_chain_broken_anywhere(tmp_path: Path) -> None:
    log = log_of(tmp_path, 4)
    rewrite(log, lambda lines: [lines[0].replace(b"P000", b"P999"), *lines[1:]])
    with pytest.raises(CheckFailed, match="Line 1 was edited"):
        transact(log, lambda entries: [{"n": len(entries)}])


def test_a_transaction_that_refuses_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    log = log_of(tmp_path, 2)
    before = log.path.read_bytes()

    def refuse(entries: object) -> list[dict[str, int]]:
        raise BadInput("a second prediction")

    with pytest.raises(BadInput, match="second"):
        transact(log, refuse)
    assert log.path.read_bytes() == before


def test_a_line_left_unfinished_at_any_byte_is_set_aside_and_the_log_goes_on(tmp_path: Path) -> None:
    log = log_of(tmp_path, 2)
    whole = log.path.read_bytes()
    head = log.head_path.read_bytes()
    line = append(log, {"case": "é"}) and log.path.read_bytes()[len(whole) :]
    for cut in range(1, len(line)):
        log.path.write_bytes(whole + line[:cut])
        log.head_path.write_bytes(head)
        log.torn_path.unlink(missing_ok=True)
        found = verify(log)
        assert (found.valid, [note.code for note in found.notes]) == (True, ["torn"])
        assert append(log, {"case": "next"}).set_aside == cut
        assert log.torn_path.read_bytes() == line[:cut] + b"\n"
        assert [e.fields.get("case") for e in read(log).entries] == ["P000", "P001", "next"]


def test_a_batch_left_unfinished_at_any_byte_counts_not_at_all(tmp_path: Path) -> None:
    log = log_of(tmp_path, 1)
    whole, head = log.path.read_bytes(), log.head_path.read_bytes()
    append(log, {"n": 1}, {"n": 2}, {"n": 3}, now=NOON)
    batch = log.path.read_bytes()[len(whole) :]
    pending = json.dumps({"from": len(whole), "to": len(whole) + len(batch)}).encode()
    for cut in range(0, len(batch) + 1, 3):
        log.path.write_bytes(whole + batch[:cut])
        log.head_path.write_bytes(head)
        log.pending_path.write_bytes(pending)
        finished = cut == len(batch)
        assert len(verify(log).entries) == (4 if finished else 1)
        append(log, {"n": "next"})
        assert [e.fields.get("n") for e in read(log).entries[1:]] == ([1, 2, 3, "next"] if finished else ["next"])
        assert not log.pending_path.exists()


def test_a_forged_mark_of_a_batch_cannot_make_the_log_forget(tmp_path: Path) -> None:
    log = log_of(tmp_path, 3)
    log.pending_path.write_bytes(b'{"from":0,"to":99999999}')
    assert [problem.code for problem in verify(log).problems] == ["cut"]
    with pytest.raises(CheckFailed, match="cut off"):
        append(log, {"n": 1})


def test_a_whole_record_that_its_writer_could_not_put_into_the_head_still_counts(tmp_path: Path) -> None:
    log = log_of(tmp_path, 2)
    head = log.head_path.read_bytes()
    append(log, {"n": 3})
    log.head_path.write_bytes(head)
    assert (verify(log).valid, [note.code for note in verify(log).notes]) == (True, ["head_behind"])
    append(log, {"n": 4})
    assert [len(read(log).entries), list(verify(log).notes)] == [4, []]


WRITER = """
import sys
from pathlib import Path
from onclair.io.chainlog import ChainLog, append
log = ChainLog(Path(sys.argv[1]))
print("ready", flush=True)
for n in range(int(sys.argv[2])):
    receipt = append(log, *({"who": sys.argv[3], "n": n, "long": "x" * 20000} for _ in range(int(sys.argv[4]))))
    print(receipt.head, flush=True)
"""


def writer(log: ChainLog, times: int, who: str, batch: int = 1) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(log.path), str(times), who, str(batch)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_what_a_killed_process_was_promised_is_in_the_log_and_the_log_goes_on(tmp_path: Path) -> None:
    log, wait = ChainLog(tmp_path / "log.jsonl"), random.Random(5)
    for round_ in range(4):
        process = writer(log, 10_000, f"round {round_}", batch=1 + round_ % 2 * 6)
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.readline()
        time.sleep(wait.uniform(0.0, 0.05))
        os.kill(process.pid, signal.SIGKILL)
        promised = [line.strip() for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        process.wait()
        assert all(verify(log, head).valid for head in promised[-2:])
        append(log, {"who": "after"})
        chain = read(log)
        whole_batches = [e for e in chain.entries if e.fields["who"] == f"round {round_}"]
        assert len(whole_batches) % (1 + round_ % 2 * 6) == 0
    assert not list(tmp_path.glob(".*.partial"))


def test_processes_that_append_at_once_leave_one_valid_chain(tmp_path: Path) -> None:
    log = ChainLog(tmp_path / "log.jsonl")
    writers = [writer(log, 20, name) for name in ("a", "b")]
    assert [process.communicate()[0].count("\n") for process in writers] == [21, 21]
    chain = read(log)
    assert [[e.fields["n"] for e in chain.entries if e.fields["who"] == name] for name in ("a", "b")] == [list(range(20))] * 2


def test_a_folder_that_cannot_be_written_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NoRoom, match="lies in the way"):
        append(ChainLog(tmp_path / "file" / "log.jsonl"), {"n": 1})


FULL = """
import resource, signal, sys
from pathlib import Path
from onclair.core.errors import NoRoom
from onclair.io.chainlog import ChainLog, append
log = ChainLog(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (log.path.stat().st_size + 1000,) * 2)
try:
    append(log, {"n": 1}, {"long": "x" * 5000})
except NoRoom:
    print("no room", end="")
"""


def test_a_disk_that_is_full_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    log = log_of(tmp_path, 3)
    before = log.path.read_bytes()
    done = subprocess.run([sys.executable, "-c", FULL, str(log.path)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("no room", "")
    assert log.path.read_bytes() == before
    assert (verify(log).valid, verify(log).notes, log.pending_path.exists()) == (True, (), False)


def test_a_log_that_is_not_there_is_not_valid(tmp_path: Path) -> None:
    assert verify(ChainLog(tmp_path / "log.jsonl")).problems[0].code == "unreadable"


def test_a_signed_head_proves_who_held_the_log_and_shows_a_log_rewritten_whole(tmp_path: Path) -> None:
    log, other = log_of(tmp_path, 3), log_of(tmp_path / "other", 3)
    private, public = (read_key(path) for path in make_keys(tmp_path / "trial.key"))
    kept = head_from_dict(json.loads(json.dumps(sign_head(log, private).as_dict())))
    assert verify_signature(log, public) == verify_signature(log, public, kept) == ()
    append(log, {"kind": "outcome"})
    assert verify_signature(log, public, kept) == ()
    assert verify_signature(log, public)[0].code == "unsigned"
    rewrite(other, lambda lines: lines[:1])
    assert verify_signature(other, public, kept)[0].code == "head_not_found"


def test_a_signature_by_another_key_or_of_another_head_is_refused(tmp_path: Path) -> None:
    log = log_of(tmp_path, 1)
    private, public = (read_key(path) for path in make_keys(tmp_path / "a.key"))
    stranger = read_key(make_keys(tmp_path / "b.key")[1])
    assert append(log, {"n": 2}, key=private).head == read(log).head
    assert verify_signature(log, public) == ()
    assert verify_signature(log, stranger)[0].code == "signature"
    forged = head_from_dict({**json.loads(log.head_path.read_bytes()), "seq": 1})
    assert verify_signature(log, public, forged)[0].code == "signature"


def test_a_private_key_is_for_its_owner_alone_and_never_replaced(tmp_path: Path) -> None:
    private, _ = make_keys(tmp_path / "trial.key")
    assert private.stat().st_mode & 0o777 == 0o600
    with pytest.raises(NoRoom, match="was not replaced"):
        make_keys(tmp_path / "trial.key")
    private.chmod(0o640)
    with pytest.raises(BadInput, match="may be read by others"):
        read_private_key(private)


def test_a_key_of_another_kind_signs_nothing(tmp_path: Path) -> None:
    log = log_of(tmp_path, 1)
    with pytest.raises(BadInput, match="PEM"):
        append(log, {"n": 2}, key=b"no key")
    assert len(read(log).entries) == 1


def test_an_append_reads_the_end_of_a_long_log_only(tmp_path: Path) -> None:
    log = log_of(tmp_path, 3)
    rewrite(log, lambda lines: [b"x" * (len(lines[0]) - 1) + b"\n", *lines[1:]])
    append(log, {"n": 4})
    assert [problem.code for problem in verify(log).problems] == ["unreadable"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_of_the_log_or_its_head_is_found(tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "log"
    log = ChainLog(folder / "log.jsonl")
    if not folder.exists():
        log_of(folder, 3)
        (tmp_path / "log.kept").write_bytes(log.path.read_bytes())
        (tmp_path / "head.kept").write_bytes(log.head_path.read_bytes())
    log.path.write_bytes((tmp_path / "log.kept").read_bytes())
    log.head_path.write_bytes((tmp_path / "head.kept").read_bytes())
    assert verify(log).valid
    path = data.draw(st.sampled_from([log.path, log.path, log.head_path]))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    assert not verify(log).valid


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(0, 3), min_size=0, max_size=6).filter(lambda order: order != [0, 1, 2, 3]))
def test_any_other_choice_or_order_of_lines_is_found(tmp_path: Path, order: list[int]) -> None:
    log = ChainLog(tmp_path / "log" / "log.jsonl")
    kept = tmp_path / "kept"
    if not kept.exists():
        log_of(log.path.parent, 4)
        kept.write_bytes(log.path.read_bytes())
    lines = kept.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[i] for i in order))
    assert not verify(log).valid
