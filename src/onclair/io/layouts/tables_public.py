"""Public clinical tables of several hospitals as cohorts: UCI's heart disease, TCGA's breast cancers by region, TCGA's gliomas by hospital.

A benchmark's own split stays a column ``split`` of ``acquisitions.csv``. Patients get codes of our own, so that no code of the source says
where a patient was treated.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.cohort import ACQUISITION_COLUMNS, About, Cohort
from onclair.core.errors import BadTable
from onclair.core.outcome import Outcome
from onclair.io.cohorts.folder import write_tables
from onclair.io.layouts.tables import FILE, KIND
from onclair.io.public_data import Dataset
from onclair.io.tables import read_table, write_table

#: The fourteen columns of the heart files; slope, vessels and thal are missing at most hospitals and left out.
HEART = ("age", "sex", "cp", "trestbps", "chol", "fbs", "restecg", "thalach", "exang", "oldpeak", "slope", "ca", "thal", "num")
HEART_LEFT_OUT = ("slope", "ca", "thal")
#: Levels of the two coded columns, the reference first.
HEART_LEVELS: Mapping[str, str] = {"cp": "1|2|3|4", "restecg": "0|1|2"}
#: What a follow-up of 0 days is written as: no cohort holds a time of 0, and half a day keeps every order and every risk set.
HALF_A_DAY = 0.5
#: Days of a mean year.
YEAR_DAYS = 365.25


def lay_out_heart(entry: Dataset, folder: Path) -> None:
    """Write the tables of the heart disease data: four hospitals, complete rows, 13 features once the codes are spread out.

    Rows with a ``?`` in one of the columns kept are left out (740 of 920 stay). The outcome ``disease`` is whether `num` is above 0.
    ``split`` is the benchmark's (Ogier du Terrail 2022), recomputed from its rule: see :func:`benchmark_split`. A patient's code is
    hospital and line.
    """
    parts = []
    for file in entry.files:
        hospital = Path(file.path).suffixes[0].removeprefix(".") if file.path.endswith(".data") else ""
        if hospital:
            parts.append(_heart_part(folder / file.path, hospital))
    rows = pd.concat(parts, ignore_index=True)
    _write(entry, folder, rows, Outcome("disease", "binary"), also=("split",))


def _heart_part(path: Path, hospital: str) -> pd.DataFrame:
    """Return one hospital's complete rows, in the order of its file."""
    lines = path.read_text(encoding="ascii").split()
    cells = [line.split(",") for line in lines]
    wrong = next((number for number, row in enumerate(cells, start=1) if len(row) != len(HEART)), None)
    if wrong is not None:
        raise BadTable(f"Line {wrong} of {path.name} has {len(cells[wrong - 1])} cells; the heart files have {len(HEART)}.", item=path.name)
    frame = pd.DataFrame(cells, columns=list(HEART)).apply(pd.to_numeric, errors="coerce")
    frame = frame.assign(line=np.arange(1, len(frame) + 1)).drop(columns=list(HEART_LEFT_OUT)).dropna()
    disease = (frame["num"] > 0).to_numpy()
    frame = frame.assign(
        patient=[f"{hospital}-{line:03}" for line in frame["line"]],
        centre=hospital,
        split=np.where(benchmark_split(disease), "train", "test"),
        disease=disease.astype(int),
    )
    coded = {name: frame[name].astype(int) for name in HEART_LEVELS}
    named = {name: f"{name}={levels}" for name, levels in HEART_LEVELS.items()}
    rows: pd.DataFrame = frame.assign(**coded).rename(columns=named).drop(columns=["num", "line"])
    return rows


def benchmark_split(positive: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return who is in the training part of the published heart benchmark.

    Two thirds (66 %) by scikit-learn's ``train_test_split`` with seed 43, stratified by outcome where both classes have more than two
    patients; elsewhere plain.

    Parameters
    ----------
    positive : ndarray, bool, shape (n,)
        The outcome of each complete row of one hospital, in the order of its file.

    References
    ----------
    Ogier du Terrail et al. 2022, arXiv:2210.04620 (FLamby, Fed-Heart-Disease).

    Examples
    --------
    >>> int(benchmark_split(np.arange(100) % 2 == 0).sum())
    66
    """
    from sklearn.model_selection import train_test_split  # here: most of what this room does needs no scikit-learn

    classes = np.bincount(positive.astype(int), minlength=2)
    strata = positive if (classes > 2).all() else None
    train, _ = train_test_split(np.arange(len(positive)), test_size=1 - 0.66, train_size=0.66, random_state=43, stratify=strata)
    chosen = np.zeros(len(positive), dtype=bool)
    chosen[train] = True
    return chosen


def lay_out_brca(entry: Dataset, folder: Path) -> None:
    """Write the tables of TCGA's breast cancers: 1,088 patients of six regions, 39 encoded features, survival in days.

    ``fold2`` gives region and split. ``hospital`` is the tissue source site of the source's patient code: 37 hospitals stand behind the
    six regions. Twelve patients are censored on day 0 and are written with half a day of follow-up: no event comes before either, so
    that no risk set and no comparable pair changes.
    """
    table = read_table(folder / "source" / "brca.csv", text=("pid",)).frame
    split = read_table(folder / "source" / "train_test_split.csv", text=("pid", "fold", "fold2")).frame
    rows = table.merge(split[["pid", "fold2"]], on="pid", validate="one_to_one")
    part = rows["fold2"].str.split("_", n=1, expand=True)
    rows = rows.assign(
        patient=[f"BRCA-{number:04}" for number in range(1, len(rows) + 1)],
        centre="region-" + part[1],
        split=part[0],
        hospital=rows["pid"].str.split("-").str[1],
        death=rows["E"].astype(int),
        follow_up_day=rows["T"].where(rows["T"] > 0, HALF_A_DAY),
    ).drop(columns=["pid", "fold2", "E", "T"])
    _write(entry, folder, rows, Outcome("death", "survival", unit="day", time="follow_up_day"), also=("split", "hospital"))


def lay_out_glioma(entry: Dataset, folder: Path) -> None:
    """Write the tables of TCGA's gliomas: 862 patients of 45 hospitals, 20 mutations, age and sex, and whether it is a glioblastoma.

    The hospital is the second field of the source's case code, and every hospital sent one grade only. Ages such as ``51 years 108 days``
    become years; ``--`` is missing (age of five patients, sex of four).
    """
    source = read_table(folder / "source" / "gliomas.csv", text=("Grade", "Case_ID", "Gender", "Age_at_diagnosis")).frame
    mutations = list(source.columns[list(source.columns).index("IDH1") :])
    age = source["Age_at_diagnosis"].str.extract(r"^(\d+) years(?: (\d+) days)?$").astype(float)
    rows = (source[mutations] == "MUTATED").astype(int)
    rows = rows.assign(
        age_year=(age[0] + age[1].fillna(0.0) / YEAR_DAYS).round(4),
        male=source["Gender"].map({"Male": 1.0, "Female": 0.0}),
        patient=[f"GLIOMA-{number:04}" for number in range(1, len(source) + 1)],
        centre=source["Case_ID"].str.split("-").str[1],
        glioblastoma=source["Grade"].eq("GBM").astype(int),
    )
    _write(entry, folder, rows, Outcome("glioblastoma", "binary"))


def _write(entry: Dataset, folder: Path, rows: pd.DataFrame, outcome: Outcome, *, also: tuple[str, ...] = ()) -> None:
    """Write a cohort of rows that hold ``patient centre``, the outcome, what goes beside the path, and the features."""
    rows = rows.sort_values("patient", ignore_index=True)
    known = [outcome.name, *([outcome.time] if outcome.time else [])]
    acquisitions = rows[["patient", "centre"]].assign(visit="", kind=KIND, path=FILE)[list(ACQUISITION_COLUMNS)]
    features = [column for column in rows.columns if column not in {"patient", "centre", *known, *also}]
    write_table(folder / FILE, rows[["patient", *features]])
    about = About(entry.title, "real", entry.licence, entry.citation, (outcome,), {}, entry.source)
    write_tables(Cohort(acquisitions.join(rows[list(also)]), rows[["patient", *known]], about), folder)
