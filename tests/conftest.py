"""What every test may ask for: the folder of reference data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

# The same examples everywhere, and no deadline: a busy machine is no defect.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--reference-data DIR``."""
    parser.addoption(
        "--reference-data",
        type=Path,
        default=ROOT.parent / "shared" / "data",
        metavar="DIR",
        help="folder of public reference data (IBSI phantoms and values, sarcoma PET); default: ../shared/data beside the repository",
    )


@pytest.fixture(scope="session")
def reference_data(request: pytest.FixtureRequest) -> Path:
    """Return the folder of reference data; without it the test is skipped, on a CI machine it fails."""
    folder: Path = request.config.getoption("--reference-data")
    if folder.is_dir():
        return folder.resolve()
    sentence = f"There is no reference data in {folder}; give the folder with --reference-data DIR."
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{sentence} With CI=true it may not be missing.", pytrace=False)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the working tree."""
    return ROOT
