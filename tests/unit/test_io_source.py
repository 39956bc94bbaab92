"""The hash of what a function can reach changes with what it reaches, and with nothing else."""

from __future__ import annotations

import functools
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from onclair.core.errors import BadInput
from onclair.io.source import source_sha256

FILES = {
    "__init__.py": "",
    "study.py": "from . import near\nfrom .deep import inner\nimport onclair.core.names\n"
    "def run():\n    from thirdstudy.late import x\n    return x\n",
    "near.py": "X = 1\n",
    "late.py": "x = 1\n",
    "deep/__init__.py": "",
    "deep/inner.py": "from ..near import X\n",
    "unrelated.py": "raise RuntimeError('never imported')\n",
}
PROGRAM = """
from onclair.io.source import source_sha256, reached_modules
from thirdstudy.study import run
print(source_sha256(run), *reached_modules(run))
"""
HOUSE = str(Path(importlib.import_module("onclair").__file__ or "").parents[1])


def printed(code: str, *places: str) -> list[str]:
    """Return the words that a fresh process prints."""
    whole = f"import sys; sys.path[:0] = {[*places, HOUSE]!r}\n{code}"
    return subprocess.run([sys.executable, "-B", "-c", whole], capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "thirdstudy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "thirdstudy"


def reached(package: Path) -> tuple[str, list[str]]:
    """Return hash and modules as a fresh process sees them."""
    digest, *modules = printed(PROGRAM, str(package.parent))
    return digest, modules


def test_a_third_partys_function_reaches_its_own_package_and_the_house(package: Path):
    modules = reached(package)[1]
    own = [m for m in modules if m.startswith("thirdstudy")]
    assert own == ["thirdstudy", "thirdstudy.deep", "thirdstudy.deep.inner", "thirdstudy.late", "thirdstudy.near", "thirdstudy.study"]
    assert {"onclair", "onclair.core", "onclair.core.names"} <= set(modules)
    assert not any(m.startswith(("onclair.cli", "onclair.run", "numpy")) for m in modules)


def test_a_changed_module_that_is_reached_changes_the_hash_and_another_does_not(package: Path):
    before = reached(package)[0]
    (package / "unrelated.py").write_text("Y = 2\n")
    assert reached(package)[0] == before
    (package / "near.py").write_bytes(b"X = 1\r\n")
    assert reached(package)[0] == before, "line ends do not count"
    (package / "near.py").write_text("X = 2\n")
    assert reached(package)[0] != before


def test_a_moved_package_keeps_its_hash(package: Path, tmp_path: Path):
    before = reached(package)[0]
    (tmp_path / "elsewhere").mkdir()
    assert reached(package.rename(tmp_path / "elsewhere" / "thirdstudy"))[0] == before


def test_partials_and_decorated_functions_are_unwrapped():
    @functools.wraps(source_sha256)
    def wrapped() -> None: ...

    assert source_sha256(functools.partial(source_sha256, None)) == source_sha256(source_sha256) == source_sha256(wrapped)


def test_a_function_without_source_is_refused():
    namespace: dict[str, object] = {"__name__": "typed_at_a_prompt"}
    exec("def f(): pass", namespace)
    with pytest.raises(BadInput, match="'typed_at_a_prompt' has no source file"):
        source_sha256(namespace["f"])  # type: ignore[arg-type]


def test_reading_the_source_imports_nothing(package: Path):
    (package / "study.py").write_text("def run(): ...\n\nif False:\n    from thirdstudy import unrelated\n")
    assert "thirdstudy.unrelated" in reached(package)[1]
