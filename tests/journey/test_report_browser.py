"""The report in headless Chromium: it opens without network and nothing scrolls sideways, at 200 % zoom either."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from report_records import RECORDS

from onclair.report.html import render_html

pytestmark = pytest.mark.browser

#: 1280 and 834 px, and what 834 px is at 200 % zoom.
WIDTHS = (1280, 834, 417)
MEASURE = """<!doctype html><body>{frames}<pre id="out"></pre><script>
addEventListener("load", () => {{ out.textContent = [...document.querySelectorAll("iframe")].map((f) => {{
  const page = f.contentDocument;
  const wide = [...page.querySelectorAll("body *")].filter((e) =>
    e.getBoundingClientRect().right > Number(f.width) + 1 && !e.closest("svg, thead"));
  return f.id + " " + page.documentElement.scrollWidth + " " + wide.length; }}).join("\\n"); }});
</script>"""


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium")
    if found is None:
        sentence = "There is no chromium to look at reports with; `apt-get install chromium`."
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"{sentence} With CI=true it may not be missing.", pytrace=False)
        pytest.skip(sentence)
    return found


def _run(chromium: str, home: Path, *arguments: str) -> str:
    private = f"--user-data-dir={home / 'profile'}"
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", private]
    offline = ["--allow-file-access-from-files", "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=10000"]
    command = [chromium, *quiet, *offline, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_nothing_scrolls_sideways_on_any_width(chromium: str, tmp_path: Path) -> None:
    frames = []
    for name, record in RECORDS.items():
        for language in ("en", "fr"):
            (tmp_path / f"{name}.{language}.html").write_text(render_html(record(), language), encoding="utf-8")  # type: ignore[arg-type]
            frames += [
                f'<iframe id="{name}.{language}.{w}" src="{name}.{language}.html" width="{w}" height="900"></iframe>' for w in WIDTHS
            ]
    look = tmp_path / "look.html"
    look.write_text(MEASURE.format(frames="".join(frames)), encoding="utf-8")
    dom = _run(chromium, tmp_path, "--dump-dom", look.as_uri())
    lines = dom.partition('<pre id="out">')[2].partition("</pre>")[0].split("\n")
    assert len(lines) == len(frames)
    for line in lines:
        key, scrolled, beyond = line.split(" ")
        assert int(scrolled) <= int(key.rsplit(".", 1)[1]), line
        assert beyond == "0", line


def test_a_report_prints_to_a_pdf(chromium: str, tmp_path: Path) -> None:
    page, pdf = tmp_path / "report.html", tmp_path / "report.pdf"
    page.write_text(render_html(RECORDS["sarcoma"](), "fr"), encoding="utf-8")
    _run(chromium, tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())
    assert pdf.read_bytes().startswith(b"%PDF")
    assert 2 <= pdf.read_bytes().count(b"/Type /Page\n") + pdf.read_bytes().count(b"/Type /Page ") <= 8
