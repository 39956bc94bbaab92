"""The table of a reader study: what is read, and what is refused by name."""

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadTable
from onclair.io.tables import read_table
from onclair.validate.readers.table import CODES, ratings_of


@pytest.fixture
def table():
    rows = [
        (reader, modality, case, int(case > 2), case + len(reader))
        for reader in "AB"
        for modality in ("CT", "PET")
        for case in (1, 2, 3, 10)
    ]
    return pd.DataFrame(rows, columns=["reader", "treatment", "case", "truth", "rating"])


def test_the_order_of_rows_does_not_matter(table):
    straight, shuffled = ratings_of(table), ratings_of(table.sample(frac=1, random_state=1))
    assert straight.cases == shuffled.cases == ("1", "2", "3", "10")
    assert np.array_equal(straight.ratings, shuffled.ratings)
    assert straight.truth.tolist() == [False, False, True, True]


@pytest.mark.parametrize("name", ["treatment", "modality", "Test", " MODALITY "])
def test_a_modality_may_be_called_what_the_field_calls_it(table, name):
    assert ratings_of(table.rename(columns={"treatment": name})).modalities == ("CT", "PET")


def test_leading_zeros_of_a_code_survive(tmp_path, table):
    path = tmp_path / "ratings.csv"
    table.assign(case=table.case.map("{:03d}".format)).rename(columns={"case": "Case"}).to_csv(path, index=False)
    assert ratings_of(read_table(path, text=CODES).frame).cases == ("001", "002", "003", "010")


def _without(column):
    return lambda t: t.drop(columns=column)


def _set(row, column, value):
    def change(t):
        t = t.astype({column: object})
        t.loc[row, column] = value
        return t

    return change


@pytest.mark.parametrize(
    ("spoil", "item", "said"),
    [
        (lambda t: t.rename(columns={"rating": "ratings"}), "rating", "has no column 'rating'; did you mean 'ratings'"),
        (_without("treatment"), "modality", "no column 'treatment' or 'modality' or 'test'; known: case"),
        (lambda t: t.assign(modality="x"), "modality", "treatment and modality both tell the modality"),
        (_set(3, "reader", None), "reader", "the reader is empty in 1 rows, first in row 5"),
        (_set(3, "reader", "A:1"), "reader", "'A:1'"),
        (_set(0, "truth", None), "truth", "the truth is missing in 1 rows, first in row 2"),
        (_set(0, "truth", 2), "truth", "row 2 is '2'; write 0"),
        (_set(0, "truth", "no"), "truth", "row 2 is 'no'; write 0"),
        (_set(0, "truth", 1), "1", "the truth of case 1 is 0 in some rows and 1 in others"),
        (lambda t: t.assign(truth=1), "truth", "all 4 cases are with the disease"),
        (lambda t: t.assign(truth=0), "truth", "all 4 cases are without the disease"),
        (_set(5, "rating", None), "rating", "reader A modality PET case 2 is missing"),
        (_set(5, "rating", "high"), "rating", "reader A modality PET case 2 is 'high'"),
        (_set(5, "rating", float("inf")), "rating", "reader A modality PET case 2 is 'inf'"),
        (lambda t: t.drop(index=5), "2", "no rating of reader A, modality PET, case 2"),
        (lambda t: pd.concat([t, t.iloc[[5]]]), "2", "has 2 ratings of reader A, modality PET, case 2"),
    ],
)
def test_a_table_that_is_no_crossed_reader_study_is_refused_by_name(table, spoil, item, said):
    with pytest.raises(BadTable) as caught:
        ratings_of(spoil(table))
    assert said in str(caught.value)
    assert caught.value.item == item
