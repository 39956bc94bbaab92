"""Every study through the same contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from contract import CHECKS, EXPECTED
from made import Made

from onclair.studies import load, names

CASES = [(study, check) for study in names() for check in CHECKS if CHECKS[check].applies(load(study))]


@pytest.fixture(scope="module")
def all_made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    return {name: Made(name, tmp_path_factory.mktemp(name)) for name in names()}


@pytest.mark.parametrize(("study", "check"), CASES, ids=[f"{s}-{c}" for s, c in CASES])
def test_the_study_keeps(study: str, check: str, all_made: dict[str, Made]) -> None:
    CHECKS[check].keep(all_made[study])


@pytest.mark.parametrize("name", names())
def test_as_many_promises_bind_the_study_as_its_outcome_and_signal_say(name: str) -> None:
    study = load(name)
    bound = [check for owner, check in CASES if owner == name]
    assert len(bound) == EXPECTED[study.outcome, study.signal]


def test_the_suite_stands_in_this_folder_alone() -> None:
    assert sorted(p.name for p in Path(__file__).parent.glob("*.py")) == [
        "contract.py",
        "made.py",
        "test_a_new_study.py",
        "test_contract.py",
    ]
