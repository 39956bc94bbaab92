"""The house stands: a floor imports only from below, rooms say what they hold, bodies stay small, imports do no work."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FILE_LINES, BODY_LINES, ARGUMENTS = 400, 60, 6
Function = ast.FunctionDef | ast.AsyncFunctionDef
HEAVY = ("numpy", "scipy", "pandas", "sklearn", "torch", "numba", "pyarrow", "nibabel", "pydantic")


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on a working tree, on its own src and on no other."""
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copied_tree(repository: Path, tmp_path: Path) -> Path:
    """A working tree that a test may spoil."""
    shutil.copytree(repository / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(repository / "pyproject.toml", tmp_path)
    return tmp_path


def plant(tree: Path, room: str, line: str) -> None:
    (tree / "src" / "onclair" / room / "planted.py").write_text(f'"""A planted violation."""\n\n{line}\n', encoding="utf-8")


def rooms(repository: Path) -> list[Path]:
    return sorted((repository / "src" / "onclair").rglob("*/__init__.py"))


def modules(repository: Path) -> list[tuple[str, ast.Module]]:
    root = repository / "src"
    return [(str(p.relative_to(root)), ast.parse(p.read_text(encoding="utf-8"))) for p in sorted(root.rglob("*.py"))]


def body_lines(node: Function) -> int:
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1 if statements else 0


def functions(repository: Path) -> list[tuple[str, Function]]:
    return [
        (f"{name}:{node.lineno} {node.name}", node)
        for name, tree in modules(repository)
        for node in ast.walk(tree)
        if isinstance(node, Function)
    ]


def test_every_import_contract_holds(repository: Path) -> None:
    answer = lint_imports(repository)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "0 broken" in answer.stdout


@pytest.mark.parametrize(
    ("room", "line", "broken"),
    [
        ("core", "import onclair.studies", "onclair.core is not allowed to import onclair.studies"),
        ("validate", "import onclair.learn", "onclair.validate is not allowed to import onclair.learn"),
        ("core", "import torch", "onclair.core is not allowed to import torch"),
        ("core", "from sklearn import base", "onclair.core is not allowed to import sklearn"),
    ],
    ids=["an upward import", "a neighbour on the same floor", "torch in core", "sklearn in core"],
)
def test_a_planted_import_is_caught(copied_tree: Path, room: str, line: str, broken: str) -> None:
    plant(copied_tree, room, line)
    answer = lint_imports(copied_tree)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert broken in answer.stdout


def test_every_room_says_in_three_lines_what_it_holds(repository: Path) -> None:
    says = {str(p.relative_to(repository)): ast.get_docstring(ast.parse(p.read_text(encoding="utf-8"))) or "" for p in rooms(repository)}
    lengths = {name: len(text.splitlines()) for name, text in says.items()}
    assert len(lengths) >= 15
    assert {name: lines for name, lines in lengths.items() if lines != 3} == {}


def test_importing_onclair_imports_nothing_heavy() -> None:
    code = f"import sys, onclair; print([m for m in {HEAVY!r} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_core_imports_without_torch_or_sklearn(repository: Path) -> None:
    names = [p.stem for p in sorted((repository / "src" / "onclair" / "core").glob("*.py")) if p.stem != "__init__"]
    code = f"import sys, {', '.join('onclair.core.' + n for n in names)}; print('torch' in sys.modules, 'sklearn' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False False"


def test_the_help_of_onclair_imports_nothing_heavy() -> None:
    ask = "from onclair.cli.main import cli; cli.main(['--help'], standalone_mode=False)"
    code = f"import sys; {ask}; print([m for m in {HEAVY!r} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Commands:" in answer.stdout
    assert answer.stdout.strip().splitlines()[-1] == "[]"


def test_no_file_is_longer_than_400_lines(repository: Path) -> None:
    sizes = {str(p.relative_to(repository)): p.read_text(encoding="utf-8").count("\n") for p in (repository / "src").rglob("*.py")}
    assert {name: lines for name, lines in sizes.items() if lines > FILE_LINES} == {}


def test_no_body_is_longer_than_60_lines_and_nine_in_ten_stay_under_25(repository: Path) -> None:
    bodies = {name: body_lines(node) for name, node in functions(repository)}
    assert {name: lines for name, lines in bodies.items() if lines > BODY_LINES} == {}
    assert sorted(bodies.values())[int(0.9 * (len(bodies) - 1))] <= 25


def test_no_function_takes_more_than_six_arguments(repository: Path) -> None:
    counted = {}
    for name, node in functions(repository):
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        counted[name] = len([a for a in every if a.arg not in ("self", "cls")])
    assert {name: n for name, n in counted.items() if n > ARGUMENTS} == {}


def test_no_file_is_called_utils_or_its_like(repository: Path) -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
    assert [str(p) for p in (repository / "src").rglob("*.py") if p.stem in vague] == []


def test_no_source_takes_a_setting_from_the_environment(repository: Path) -> None:
    reads = ("os.getenv(", "os.environ[", "os.environ.get(")  # handing the whole environment on to a child process is none
    found = [
        f"{name}:{node.lineno}"
        for name, tree in modules(repository)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call | ast.Subscript) and ast.unparse(node).startswith(reads)
    ]
    assert found == []


def test_no_source_imports_pickle_or_its_like(repository: Path) -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in modules(repository)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import) and {a.name for a in node.names} & {"pickle", "joblib", "dill", "cloudpickle"}
    ]
    assert found == []
