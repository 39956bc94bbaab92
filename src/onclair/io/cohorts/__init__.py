"""Cohort folders: read, written and checked; and loose files of new cases, read as if they were one.

``cohort.toml`` (what, licence, outcomes, units), ``acquisitions.csv``, ``outcomes.csv``, optionally ``semantic.csv``, and the files.
"""

from onclair.io.cohorts.cases import cohort_from_files
from onclair.io.cohorts.check import CohortCheck, Problem, check_cohort
from onclair.io.cohorts.folder import file_of, read_cohort, read_semantic, write_cohort

__all__ = ["CohortCheck", "Problem", "check_cohort", "cohort_from_files", "file_of", "read_cohort", "read_semantic", "write_cohort"]
