"""A study added as one file and one line keeps the whole contract, with no other edit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from contract import EXPECTED

#: The whole study: settings, seven short functions and the record. Its virtual patients are a table with one known slope.
ONE_FILE = '''
"""The study `throwaway`: does a blood count tell who relapses, better than age does?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from onclair.core.cohort import About, Cohort
from onclair.core.outcome import Outcome
from onclair.core.seeds import rng_for
from onclair.core.settings import RunSettings, Settings, setting
from onclair.core.study import Answer, Description, Learner, Rival, Study, Virtual
from onclair.core.values import Case
from onclair.core.words import Words
from onclair.explain.contributions import contributions
from onclair.io.cohorts import file_of, write_cohort
from onclair.io.tables import read_table, write_table
from onclair.learn.estimators import estimator
from onclair.learn.pipeline import Pipeline


class ThrowawaySettings(RunSettings):
    """Settings of the throw-away study."""

    penalty: float = setting(1.0, "strength of the ridge", "force de la pénalité", gt=0)


class VirtualThrowaway(Settings):
    """Settings of its virtual patients."""

    patients: int = setting(40, "virtual patients", "patients virtuels", ge=2)
    centres: int = setting(2, "centres", "nombre de centres", ge=1)
    seed: int = setting(1, "seed", "graine", ge=0)


def write(settings: VirtualThrowaway, out: Path, *, map: Any = map, progress: Any = None) -> Path:
    rows, truth = [], []
    (out / "tables").mkdir(parents=True)
    for number in range(settings.patients):
        patient, rng = f"VT{number:03}", rng_for(settings.seed, "throwaway", number)
        blood, age = rng.normal(), rng.normal(60, 8)
        write_table(out / "tables" / f"{patient}.csv", pd.DataFrame({"blood": [blood], "age": [age], "noise": [rng.normal()]}))
        rows.append((patient, f"C{number % settings.centres + 1}", "t0", "table", f"tables/{patient}.csv"))
        truth.append((patient, int(rng.random() < 1 / (1 + np.exp(-1.5 * blood)))))
    about = About("Virtual blood counts", "virtual", "CC0", "Onclair", (Outcome("relapse", "binary"),))
    acquisitions = pd.DataFrame(rows, columns=["patient", "centre", "visit", "kind", "path"])
    return write_cohort(Cohort(acquisitions, pd.DataFrame(truth, columns=["patient", "relapse"]), about), out)


def read(cohort: Cohort, patient: str) -> Case:
    table = read_table(file_of(cohort, patient, "table")).frame
    return Case(patient, str(cohort.centre_of([patient])[patient]), signals={"table": table})


def outline(case: Case, settings: ThrowawaySettings) -> Case:
    return case


def describe(case: Case, settings: ThrowawaySettings) -> Description:
    return Description(case.signals["table"].astype(float).set_axis(["patient"]))


def model(settings: ThrowawaySettings) -> tuple[Learner, ...]:
    return (Pipeline("logistic", estimator("logistic", penalty=settings.penalty)),)


def explain(locked: Any, row: pd.DataFrame) -> tuple[Mapping[str, Any], ...]:
    return contributions(locked.risk, row, locked.pipeline.reference)


def bedside(case: Case, description: Description, answers: Mapping[str, Answer], settings: ThrowawaySettings) -> Mapping[str, Any]:
    return {"detail": {"reasons": [dict(r) for r in answers["patient"].reasons]}}


study = Study(
    name="throwaway",
    question=Words("Does the blood count tell who relapses?", "La numération dit-elle qui rechute ?"),
    settings=ThrowawaySettings,
    outcome="binary",
    signal="table",
    kinds=("table",),
    read=read,
    outline=outline,
    describe=describe,
    model=model,
    rivals=(
        Rival("prevalence", (), Words("the same risk for everybody", "le même risque pour tous")),
        Rival("age", ("age",), Words("age alone", "l'âge seul")),
    ),
    explain=explain,
    bedside=bedside,
    virtual=Virtual(VirtualThrowaway, write, tiny={"patients": 40}, demo={"patients": 60}, quick={"repeats": 1}),
    references=("none",),
    limits=(Words("It is thrown away after the test.", "Elle est jetée après le test."),),
)
'''
ONE_LINE = '    "throwaway": "onclair.studies.throwaway:study",\n'


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A copy of the house with the study moved in."""
    place = tmp_path_factory.mktemp("house")
    without_caches = shutil.ignore_patterns("__pycache__")
    for folder in ("src", "tests/conformance", "docs"):
        shutil.copytree(repository / folder, place / folder, ignore=without_caches)
    for file in ("pyproject.toml", "tests/conftest.py", "tests/commandline.py"):
        shutil.copy(repository / file, place / file)
    (place / "src/onclair/studies/throwaway.py").write_text(ONE_FILE)
    line = '    "radiomics": "onclair.studies.radiomics:study",\n'
    listing = place / "src/onclair/studies/__init__.py"
    assert line in listing.read_text()
    listing.write_text(listing.read_text().replace(line, line + ONE_LINE))
    return place


def test_a_study_of_one_file_and_one_line_keeps_every_promise(house: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(house / "src")}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "tests/conformance/test_contract.py",
        "-k",
        "throwaway",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    done = subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True, check=False)
    promises = EXPECTED["binary", "table"]
    assert f"{promises + 1} passed" in done.stdout, done.stdout[-3000:] + done.stderr[-1000:]
    assert done.returncode == 0


def test_the_floors_still_hold_with_the_new_study(house: Path) -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    if not lint.exists():
        pytest.skip("import-linter is not installed here; `make setup` installs it")
    done = subprocess.run(
        [lint, "--no-cache"], cwd=house, env={**os.environ, "PYTHONPATH": str(house / "src")}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
