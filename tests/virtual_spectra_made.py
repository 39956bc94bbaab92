"""A virtual spectra cohort read back as anybody would read it: light per ms on one grid, and what it tells of tissue and patient."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

GRID_NM = np.arange(430.0, 731.0, 2.0)


def truth_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "truth.csv").set_index("point")


def spectra_of(folder: Path) -> pd.DataFrame:
    """Return counts per ms of the frames at 405 nm, less the lamp-off frames of their point, one row a frame."""
    rows = {}
    for (path, point), group in pd.read_csv(folder / "acquisitions.csv").groupby(["path", "point"], sort=False):
        table = _table(folder / path)
        off = np.mean([table[column] for column in group.loc[group["kind"] == "lamp_off", "column"]], axis=0)
        for frame in group[group["excitation_nm"] == 405.0].itertuples():
            light = (table[frame.column] - off) / frame.integration_ms
            rows[frame.patient, point, frame.column] = np.interp(GRID_NM, table["wavelength_nm"], _smooth(light))
    names = ["patient", "point", "frame"]
    return pd.DataFrame(np.array(list(rows.values())), index=pd.MultiIndex.from_tuples(rows, names=names), columns=GRID_NM)


def oracle_auc(truth: pd.DataFrame, label: str) -> float:
    """Return the AUC of a patient-grouped logistic model on the true amounts, margin against healthy."""
    kept = truth[truth[label].isin(["healthy", "margin"])]
    amounts = np.log(kept[["PpIX634", "PpIX620", "NADH", "FAD", "Lipofuscin"]])
    model = make_pipeline(StandardScaler(), LogisticRegression())
    margin = kept[label] == "margin"
    risk = cross_val_predict(model, amounts, margin, groups=kept["patient"], cv=GroupKFold(5), method="predict_proba")[:, 1]
    return float(roc_auc_score(margin, risk))


def raw_auc(truth: pd.DataFrame, spectra: pd.DataFrame, label: str) -> float:
    """Return the AUC of the light near 634 nm as it stands."""
    light = spectra.loc[:, 630.0:638.0].mean(axis=1).groupby("point").mean()
    kept = truth[truth[label].isin(["healthy", "margin"])]
    return float(roc_auc_score(kept[label] == "margin", light[kept.index]))


def named_by_neighbour(spectra: pd.DataFrame) -> float:
    """Return how often the frame nearest in shape, of another point, is of the same patient."""
    shape = np.log(spectra.div(spectra.sum(axis=1), axis=0).clip(lower=1e-5)).to_numpy()
    u = np.linalg.svd(shape - shape.mean(axis=0), full_matrices=False)[0]
    scores = u[:, :20]
    patient, point = (spectra.index.get_level_values(name).to_numpy() for name in ("patient", "point"))
    length = (scores**2).sum(axis=1)
    apart = length[:, None] + length[None] - 2 * scores @ scores.T
    apart[point[:, None] == point[None]] = np.inf
    return float((patient[apart.argmin(axis=1)] == patient).mean())


def depth(mean: pd.Series, at: float, left: float, right: float) -> float:
    """Return the light at a dip over that of its two shoulders."""
    level = {nm: float(mean[np.abs(mean.index - nm) <= 2.0].mean()) for nm in (at, left, right)}
    return 2.0 * level[at] / (level[left] + level[right])


def _table(path: Path) -> dict[str, np.ndarray]:
    header = path.read_text().split("\n", 1)[0].split(",")
    values = pd.read_csv(path).to_numpy(float)
    return dict(zip(header, values.T, strict=True))


def _smooth(light: np.ndarray) -> np.ndarray:
    """Return the running median of five pixels: cosmic rays go."""
    padded = np.pad(light, 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
