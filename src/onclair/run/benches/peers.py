"""What is timed beside Onclair: programs for the peers' own environments, which know nothing of Onclair.

Each defines ``call(data, replicates)``; data are the arrays of the task, by name. The loop that times them is Onclair's own.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from onclair.run.benches.tasks import timed

#: The environment that holds them all, in a home of peers.
ENVIRONMENT = "statistics"

_SCIKIT_LEARN = """
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

def call(data, replicates):
    y, p, rng = data["y"], data["p"], np.random.default_rng(1)
    lp = np.log(p / (1 - p))[:, None]
    figures = []
    for _ in range(replicates):
        i = rng.integers(0, y.size, y.size)
        slope = LogisticRegression(C=np.inf, tol=1e-8).fit(lp[i], y[i]).coef_[0, 0]
        ranked = roc_auc_score(y[i], p[i]), average_precision_score(y[i], p[i])
        figures.append((*ranked, brier_score_loss(y[i], p[i]), log_loss(y[i], p[i]), slope))
    return np.mean(figures, axis=0)[0]
"""

_CONFIDENCEINTERVAL = """
from confidenceinterval import roc_auc_score

def call(data, replicates):
    value, _ = roc_auc_score(data["y"].astype(int), data["p"], method="bootstrap_percentile", n_resamples=replicates)
    return value
"""

_MLSTATKIT = """
from MLstatkit import Bootstrapping

def call(data, replicates):
    return Bootstrapping(data["y"].astype(int), data["p"], "roc_auc", n_bootstraps=replicates)[0]
"""

_LIFELINES = """
from lifelines.utils import concordance_index

def call(data, replicates):
    return concordance_index(data["time"], -data["score"], data["event"])
"""

_SKSURV = """
from sksurv.metrics import concordance_index_censored

def call(data, replicates):
    return concordance_index_censored(data["event"] == 1, data["time"], data["score"])[0]
"""

_REPLICATED = """
once = call

def call(data, replicates):
    rng, n = np.random.default_rng(1), data["time"].size
    drawn = []
    for _ in range(replicates):
        i = rng.integers(0, n, n)
        drawn.append(once({name: column[i] for name, column in data.items()}, 0))
    return np.mean(drawn)
"""

_DCURVES = """
import pandas as pd
from dcurves import dca

def call(data, replicates):
    frame = pd.DataFrame({"y": data["y"].astype(int), "p": data["p"]})
    found = dca(data=frame, outcome="y", modelnames=["p"], thresholds=[i / 100 for i in range(1, 100)])
    return found.loc[(found["model"] == "p") & ((found["threshold"] - 0.2).abs() < 1e-9), "net_benefit"].iloc[0]
"""

_AROUND = """
import importlib.metadata, json, sys
from time import process_time

import numpy as np
{code}
{timed}
small, rows, replicates = dict(np.load(sys.argv[1])), dict(np.load(sys.argv[2])), int(sys.argv[3])
call(small, min(replicates, 2))
value, cpu_s = timed(lambda: call(rows, replicates))
print(json.dumps(dict(version=importlib.metadata.version({name!r}), value=float(value), cpu_s=cpu_s)))
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """One tool on one task.

    Attributes
    ----------
    name, module : str
        Of the distribution, and what is imported.
    task : str
    what : str
        What it computes, where that is not what the task does.
    code : str
        Defines ``call(data, replicates)``.
    replicates : int
        Bootstrap replicates that are timed; the rest is extrapolated.
    """

    name: str
    module: str
    task: str
    what: str
    code: str
    replicates: int = 0

    def program(self) -> str:
        """Return the whole program: called with an NPZ of few rows, one of all rows, and the replicates.

        Examples
        --------
        >>> "def timed(" in PEERS[0].program() and "onclair" not in PEERS[0].code
        True
        """
        loop = "from __future__ import annotations\n" + _AROUND.lstrip("\n")
        return loop.format(code=self.code, timed=inspect.getsource(timed), name=self.name)


PEERS: tuple[Peer, ...] = (
    Peer(
        "scikit-learn",
        "sklearn",
        "bootstrap-binary",
        "loop of AUC, average precision, Brier, log-loss and unpenalised slope",
        _SCIKIT_LEARN,
        20,
    ),
    Peer("confidenceinterval", "confidenceinterval", "bootstrap-binary", "AUC alone", _CONFIDENCEINTERVAL, 100),
    Peer("MLstatkit", "MLstatkit", "bootstrap-binary", "AUC alone", _MLSTATKIT, 100),
    Peer("lifelines", "lifelines", "harrell", "without an error", _LIFELINES),
    Peer("scikit-survival", "sksurv", "harrell", "without an error", _SKSURV),
    Peer("lifelines", "lifelines", "bootstrap-harrell", "loop", _LIFELINES + _REPLICATED, 25),
    Peer("scikit-survival", "sksurv", "bootstrap-harrell", "loop", _SKSURV + _REPLICATED, 25),
    Peer("dcurves", "dcurves", "decision-curve", "without an interval", _DCURVES),
)
