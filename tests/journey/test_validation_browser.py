"""The report of a validation run in headless Chromium: it opens without network, and nothing scrolls sideways, on a telephone either."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from report_validation_records import RECORDS

from onclair.core.words import LANGUAGES
from onclair.report.html import render_html

pytestmark = pytest.mark.browser

#: A desk, a tablet, a telephone; and the tablet at 200 % zoom.
WIDTHS = (1200, 834, 417, 390)
MEASURE = """<!doctype html><body>{frames}<pre id="out"></pre><script>
addEventListener("load", () => {{ out.textContent = [...document.querySelectorAll("iframe")].map((f) => {{
  const page = f.contentDocument;
  const beyond = [...page.querySelectorAll("body *")].filter((e) =>
    e.getBoundingClientRect().right > Number(f.width) + 1 && !e.closest("svg, thead"));
  const cut = [...page.querySelectorAll("svg text")].filter((t) => {{
    const own = t.getBoundingClientRect(), svg = t.closest("svg").getBoundingClientRect();
    return own.right > svg.right + 1 || own.left < svg.left - 1 || own.bottom > svg.bottom + 1; }});
  return [f.id, page.documentElement.scrollWidth, beyond.length, cut.length, cut.map((t) => t.textContent).join("|")].join("\\t");
}}).join("\\n"); }});
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


def _dom(chromium: str, home: Path, page: Path) -> str:
    private = f"--user-data-dir={home / 'profile'}"
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", private]
    offline = ["--allow-file-access-from-files", "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=10000"]
    command = [chromium, *quiet, *offline, "--dump-dom", page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_nothing_scrolls_sideways_and_no_word_of_a_figure_is_cut(chromium: str, tmp_path: Path) -> None:
    frames = []
    for name, record in RECORDS.items():
        for language in LANGUAGES:
            file = f"{name}.{language}.html"
            (tmp_path / file).write_text(render_html(record(), language), encoding="utf-8")
            frames += [f'<iframe id="{name}.{language}.{w}" src="{file}" width="{w}" height="900"></iframe>' for w in WIDTHS]
    look = tmp_path / "look.html"
    look.write_text(MEASURE.format(frames="".join(frames)), encoding="utf-8")
    lines = _dom(chromium, tmp_path, look).partition('<pre id="out">')[2].partition("</pre>")[0].split("\n")
    assert len(lines) == len(frames)
    for line in lines:
        key, scrolled, beyond, cut, words = line.split("\t")
        assert int(scrolled) <= int(key.rsplit(".", 1)[1]), line
        assert beyond == "0", line
        assert cut == "0", f"{key}: {words}"
