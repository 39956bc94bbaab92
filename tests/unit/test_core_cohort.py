"""A cohort that contradicts itself is refused; a cut that cannot be made says why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onclair.core.cohort import About, Cohort
from onclair.core.errors import BadCohort
from onclair.core.outcome import Outcome


def rows(*patients: tuple[str, str], **more: list) -> pd.DataFrame:
    table = pd.DataFrame([{"patient": p, "centre": c, "visit": "1", "kind": "pet", "path": f"{p}.nii.gz"} for p, c in patients])
    return table.assign(**more)


def outcomes(*patients: str) -> pd.DataFrame:
    return pd.DataFrame({"patient": list(patients), "relapse": [1] * len(patients)})


def refusal(act) -> str:
    with pytest.raises(BadCohort) as caught:
        act()
    assert str(caught.value).endswith((".", "?"))
    return str(caught.value)


def test_a_patient_in_two_centres_is_refused_naming_both() -> None:
    sentence = refusal(lambda: Cohort(rows(("A", "Caen"), ("A", "Lyon")), outcomes("A")))
    assert "Patient A" in sentence
    assert "Caen, Lyon" in sentence


def test_two_rows_of_outcomes_for_one_patient_are_refused() -> None:
    assert "Patient A has more than one row" in refusal(lambda: Cohort(rows(("A", "Caen")), outcomes("A", "A")))


def test_a_missing_column_is_named() -> None:
    assert "'centre'" in refusal(lambda: Cohort(rows(("A", "Caen")).drop(columns="centre"), outcomes("A")))


def test_outcomes_without_patients_are_refused() -> None:
    assert "'patient'" in refusal(lambda: Cohort(rows(("A", "Caen")), pd.DataFrame({"id": ["A"]})))


def test_more_folds_than_patients_are_refused_with_what_would_do() -> None:
    cohort = Cohort(rows(("A", "Caen"), ("B", "Caen")), outcomes("A", "B"))
    assert "choose 2 to 2" in refusal(lambda: cohort.by_patient(3, np.random.default_rng(0)))


def test_leaving_out_the_only_centre_is_refused() -> None:
    assert "Caen" in refusal(Cohort(rows(("A", "Caen")), outcomes("A")).by_centre)


def test_an_unknown_outcome_is_answered_with_the_nearest() -> None:
    about = About(outcomes=(Outcome("relapse", "binary"), Outcome("death", "binary")))
    cohort = Cohort(rows(("A", "Caen")), outcomes("A"), about)
    assert "did you mean 'relapse'?" in refusal(lambda: cohort.outcome("relaps"))


def test_several_outcomes_without_a_choice_are_listed() -> None:
    about = About(outcomes=(Outcome("relapse", "binary"), Outcome("death", "binary")))
    assert "relapse, death" in refusal(Cohort(rows(("A", "Caen")), outcomes("A"), about).outcome)


def test_a_missing_outcome_is_nan_and_never_zero() -> None:
    cohort = Cohort(rows(("A", "Caen"), ("B", "Caen")), outcomes("A"))
    truth = cohort.truth(Outcome("relapse", "binary"), ("A", "B"))
    assert truth["A"] == 1.0
    assert np.isnan(truth["B"])


def test_a_cut_in_time_learns_from_before_and_judges_after() -> None:
    cohort = Cohort(rows(("A", "Caen"), ("B", "Caen"), ("C", "Caen"), year=[2019, 2021, 2022]), outcomes("A", "B", "C"))
    split = cohort.in_time("year", 2021)
    assert (split.train, split.test) == (("A",), ("B", "C"))


def test_a_cut_in_time_with_one_empty_side_tells_the_range() -> None:
    cohort = Cohort(rows(("A", "Caen"), ("B", "Caen"), year=[2019, 2021]), outcomes("A", "B"))
    assert "from 2019 to 2021" in refusal(lambda: cohort.in_time("year", 2030))


def test_only_keeps_both_tables_in_step() -> None:
    part = Cohort(rows(("A", "Caen"), ("B", "Lyon")), outcomes("A", "B")).only(["B"])
    assert part.patients == ("B",)
    assert list(part.outcomes["patient"]) == ["B"]
