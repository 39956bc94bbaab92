"""The registry's downloader against a real server on the loopback: resumes, retries, and believes nothing but the hash."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from onclair.core.errors import BadInput, CheckFailed, NoRoom, NotReachable
from onclair.core.progress import Progress
from onclair.core.values import Image
from onclair.io.cohorts import check_cohort
from onclair.io.download import Patience, fetch
from onclair.io.nifti import write_image
from onclair.io.public_data import Dataset, RemoteFile
from onclair.io.registry import dataset, get, get_dataset, listing, where

CONTENT = bytes(range(256)) * 4096  # 1 MiB


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@dataclass
class Site:
    """What the server serves and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    drop_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""


class Handler(http.server.BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.site.asked.append((self.path, wanted))
        if self.site.statuses:
            self.send_error(self.site.statuses.pop(0))
            return
        data = self.site.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.site.ranges else 0
        if start >= len(data) > 0:
            self.send_error(416)
            return
        body = data[start:]
        self.send_response(206 if wanted and self.site.ranges else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.site.drop_after.pop(0)] if self.site.drop_after else body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site({"/a.bin": CONTENT})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Served", (Handler,), {"site": served}))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


def remote(site: Site, name: str = "/a.bin", content: bytes = CONTENT) -> RemoteFile:
    return RemoteFile(site.url + name, hashlib.sha256(content).hexdigest(), len(content), name[1:], name[1:])


def impatient(tries: int = 3) -> tuple[Patience, list[float]]:
    waited: list[float] = []
    return Patience(tries, waited.append), waited


def test_a_file_is_fetched_whole(site: Site, tmp_path: Path):
    seen: list[int] = []
    fetch(remote(site), tmp_path / "a.bin", gained=seen.append)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert names(tmp_path) == ["a.bin"]
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)


def test_a_dropped_connection_is_taken_up_where_it_broke(site: Site, tmp_path: Path):
    site.drop_after = [300_000, 1000]
    patience, waited = impatient()
    fetch(remote(site), tmp_path / "a.bin", patience=patience)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    starts = [int(str(wanted).removeprefix("bytes=").rstrip("-")) for _, wanted in site.asked]
    assert starts == [0, 300_000, 301_000]
    assert len(waited) == 2


def test_a_part_of_an_earlier_try_is_not_asked_for_again(site: Site, tmp_path: Path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT[:500_000])
    fetch(remote(site), tmp_path / "a.bin")
    assert site.asked == [("/a.bin", "bytes=500000-")]
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_server_without_ranges_is_read_from_the_start(site: Site, tmp_path: Path):
    site.ranges = False
    (tmp_path / "a.bin.part").write_bytes(b"x" * 500_000)
    fetch(remote(site), tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_busy_server_is_asked_again_with_longer_waits(site: Site, tmp_path: Path):
    site.statuses = [503, 503]
    patience, waited = impatient()
    fetch(remote(site), tmp_path / "a.bin", patience=patience)
    assert waited == [1.0, 2.0]


def test_a_server_that_stays_busy_is_given_up_with_a_hint_at_the_mirror(site: Site, tmp_path: Path):
    site.statuses = [503] * 9
    with pytest.raises(NotReachable, match=r"a.bin could not be downloaded from 127.0.0.1:\d+ \(it answers 503 .*--mirror DIR"):
        fetch(remote(site), tmp_path / "a.bin", patience=impatient()[0])
    assert len(site.asked) == 3


def test_a_file_that_is_gone_is_not_asked_for_twice(site: Site, tmp_path: Path):
    with pytest.raises(NotReachable, match="it answers 404"):
        fetch(remote(site, "/none.bin"), tmp_path / "a.bin")
    assert len(site.asked) == 1


def test_no_server_at_all_is_one_sentence(site: Site, tmp_path: Path):
    nobody = replace(remote(site), url="http://127.0.0.1:9/a.bin")
    with pytest.raises(NotReachable, match="refused"):
        fetch(nobody, tmp_path / "a.bin", patience=impatient()[0])


def test_wrong_bytes_are_removed_and_both_hashes_named(site: Site, tmp_path: Path):
    site.files["/a.bin"] = CONTENT[:-1] + b"!"
    wanted = remote(site)
    with pytest.raises(CheckFailed) as caught:
        fetch(wanted, tmp_path / "a.bin")
    assert wanted.sha256 in str(caught.value)
    assert hashlib.sha256(site.files["/a.bin"]).hexdigest() in str(caught.value)
    assert names(tmp_path) == []


def test_a_shorter_file_than_promised_is_given_up(site: Site, tmp_path: Path):
    site.files["/a.bin"] = CONTENT[:1000]
    with pytest.raises(NotReachable):
        fetch(remote(site), tmp_path / "a.bin", patience=impatient()[0])


def two_volumes(site: Site, folder: Path) -> Dataset:
    files = []
    for kind in ("pet", "mask"):
        write_image(folder / f"up_{kind}.nii.gz", Image(np.ones((2, 2, 2), np.float32), np.eye(4), "SUV"))
        site.files[f"/{kind}"] = data = (folder / f"up_{kind}.nii.gz").read_bytes()
        place = replace(remote(site, f"/{kind}", data), path=f"images/P1_{kind}.nii.gz", mirror=f"up_{kind}.nii.gz")
        files.append(place)
    facts = {"centre": "North", "measured": "pet", "unit": "SUV"}
    return Dataset("demo", "Demo", "CC0", "Nobody 2020", "here", "images", tuple(files), facts)


def test_a_data_set_becomes_a_cohort_with_its_licence(site: Site, tmp_path: Path):
    entry = two_volumes(site, tmp_path / "mirror")
    events: list[Progress] = []
    out = get_dataset(entry, tmp_path / "cohort", progress=events.append)
    check = check_cohort(out, ("pet", "mask"))
    assert check.problems == ()
    assert (check.cohort.about.licence, check.cohort.about.citation) == ("CC0", "Nobody 2020")
    assert events[-1] == Progress("download", entry.size, entry.size, item="images/P1_mask.nii.gz", unit="bytes")
    assert names(tmp_path) == ["cohort", "mirror"]


def test_a_data_set_that_is_there_is_verified_and_left(site: Site, tmp_path: Path):
    entry = two_volumes(site, tmp_path / "mirror")
    out = get_dataset(entry, tmp_path / "cohort")
    asked = len(site.asked)
    get_dataset(entry, out)
    assert len(site.asked) == asked
    (out / "images" / "P1_pet.nii.gz").write_bytes(b"changed")
    with pytest.raises(CheckFailed, match=r"images/P1_pet.nii.gz in .* is not the file of 'demo'"):
        get_dataset(entry, out)


def test_a_broken_download_goes_on_from_what_came(site: Site, tmp_path: Path):
    entry = two_volumes(site, tmp_path / "mirror")
    mask = site.files.pop("/mask")
    with pytest.raises(NotReachable):
        get_dataset(entry, tmp_path / "cohort")
    assert not (tmp_path / "cohort").exists()
    site.files["/mask"] = mask
    get_dataset(entry, tmp_path / "cohort")
    assert [path for path, _ in site.asked] == ["/pet", "/mask", "/mask"]


def test_a_mirror_needs_no_network_and_is_verified(site: Site, tmp_path: Path):
    entry = two_volumes(site, tmp_path / "mirror")
    get_dataset(entry, tmp_path / "cohort", mirror=tmp_path / "mirror")
    assert site.asked == []
    (tmp_path / "mirror" / "up_mask.nii.gz").write_bytes(b"other")
    with pytest.raises(CheckFailed, match="is not the file expected"):
        get_dataset(entry, tmp_path / "second", mirror=tmp_path / "mirror")
    (tmp_path / "mirror" / "up_mask.nii.gz").unlink()
    with pytest.raises(BadInput, match=r"lacks up_mask.nii.gz"):
        get_dataset(entry, tmp_path / "third", mirror=tmp_path / "mirror")


def test_a_folder_that_holds_something_else_is_not_touched(site: Site, tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(NoRoom, match="nothing was replaced"):
        get_dataset(two_volumes(site, tmp_path / "mirror"), tmp_path / "mine")
    assert names(tmp_path / "mine") == ["thesis.txt"]


#: Archives of record that publish one state of a data set and no commits: the hash alone pins what comes from them.
ARCHIVES = ("https://archive.ics.uci.edu/ml/machine-learning-databases/",)


def test_every_entry_is_pinned_to_a_commit_and_names_its_licence_and_citation():
    for entry in listing():
        assert entry.licence
        assert "doi" in entry.citation
        assert entry.size > 0
        for file in entry.files:
            assert len(file.sha256) == 64
            if file.url.startswith(ARCHIVES):
                continue
            commit = file.url.split("/")[5]
            assert file.url.startswith("https://raw.githubusercontent.com/")
            assert len(commit) == 40
            assert int(commit, 16)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(BadInput, match="did you mean 'sts-pet'"):
        get("sts_pet", "anywhere")
    assert where("sts-pet") == dataset("sts-pet").files
