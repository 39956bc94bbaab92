"""What the pages show is what the commands answer: files are written, commands run in order, and every line of output is there.

On a page, a block with a ``title`` is a file; in a ``console`` block a line after ``$`` is a command, and what follows is found in its
answer, whatever the spaces between words. A line may end (or a command's answer be cut) with ``...``.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from onclair.cli.main import main

BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
#: Page -> the file of the reference data that it starts from.
PAGES = {
    "tutorial/validate-a-model.md": "gbsg.csv",
    "tutorial/audit-a-published-model.md": None,
    "how-to/validate.md": None,
    "how-to/samplesize.md": None,
    "how-to/readers.md": None,
}


class Command(NamedTuple):
    words: str
    shown: list[str]


def commands_of(block: str) -> list[Command]:
    """The commands of a console block, each with the lines shown under it."""
    found: list[Command] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        elif line.strip() and line.strip() != "...":
            found[-1].shown.append(line)
    return found


def answer(words: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """What a command answers in this folder: `onclair` here, anything else in the shell."""
    capfd.readouterr()
    code = 0
    if words.startswith("onclair "):
        monkeypatch.setattr(sys, "argv", shlex.split(words))
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    else:
        code = subprocess.run(re.sub(r"^python ", f"{shlex.quote(sys.executable)} ", words), shell=True, check=False).returncode
    said = capfd.readouterr()
    return code, said.out + said.err


def missing(shown: list[str], said: str) -> list[str]:
    """The lines shown that the answer does not hold."""
    lines = [" ".join(line.split()) for line in said.splitlines()]
    wanted = [" ".join(line.split()) for line in shown]
    return [w for w in wanted if not any(line.startswith(w[:-3].rstrip()) if w.endswith("...") else line == w for line in lines)]


def follow(page: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Do what a page says, in the working folder; the number of commands."""
    count = 0
    for language, title, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        if title:
            Path(title).write_text(block, encoding="utf-8")
        for command in commands_of(block) if language == "console" else []:
            code, said = answer(command.words, capfd, monkeypatch)
            expected = 2 if any(line.startswith("onclair: ") for line in command.shown) else 0
            assert code == expected, f"{command.words}\n{said}"
            assert missing(command.shown, said) == [], f"{command.words}\n{said}"
            count += 1
    return count


@pytest.mark.parametrize("page", [page for page, file in PAGES.items() if file is None])
def test_a_page_shows_what_its_commands_answer(
    page: str, repository: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert follow(repository / "docs" / page, capfd, monkeypatch) >= 2


@pytest.mark.parametrize(("page", "file"), [(page, file) for page, file in PAGES.items() if file is not None])
def test_a_page_on_reference_data_shows_what_its_commands_answer(
    page: str,
    file: str,
    repository: Path,
    reference_data: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(reference_data / "evidence" / file, file)
    assert follow(repository / "docs" / page, capfd, monkeypatch) >= 2


def test_a_line_that_is_not_in_the_answer_is_seen() -> None:
    assert missing(["auc:m 0.80 (0.75 to 0.85)", "Valid: ..."], "auc:m   0.81 (0.75 to 0.85)\nValid: 3 records.\n") == [
        "auc:m 0.80 (0.75 to 0.85)"
    ]


def test_every_page_with_a_console_block_is_followed(repository: Path) -> None:
    shown = {
        p.relative_to(repository / "docs").as_posix() for p in (repository / "docs").rglob("*.md") if "```console" in p.read_text("utf-8")
    }
    assert shown == set(PAGES)
