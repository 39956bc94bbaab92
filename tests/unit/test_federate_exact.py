"""Exact federation: what sites send adds up to what pooling would give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadInput
from onclair.federate.checkpoint import Checkpoint
from onclair.federate.coordinators.combat import FitCombat
from onclair.federate.coordinators.counts import Counts, auc_of_counts, conformal_quantile
from onclair.federate.coordinators.cox import FitCox
from onclair.federate.coordinators.glm import FitGlm, predicted
from onclair.federate.coordinators.quantiles import Quantiles
from onclair.federate.coordinators.scaler import Scaler
from onclair.federate.drivers.local import Local
from onclair.federate.rounds import Rules, federated
from onclair.federate.values import SiteData
from onclair.learn.harmonise.combat import ComBat
from onclair.science.statistics.cox import FollowUp, cox
from onclair.science.statistics.glm import logistic, poisson

COLUMNS = ("a", "b", "c")


def sites(rng: np.random.Generator, *, kind: str = "binary") -> dict[str, SiteData]:
    """Three hospitals of unlike size and case mix."""
    made = {}
    for place, (name, rows) in enumerate({"north": 60, "south": 35, "west": 21}.items()):
        x = rng.normal(place, 1 + place, (rows, 3))
        eta = (x - 1) @ np.array([0.8, -0.5, 0.1])
        truth = (
            (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(float) if kind != "count" else rng.poisson(np.exp(0.2 * eta)).astype(float)
        )
        time = np.ceil(rng.exponential(np.exp(-eta / 3), rows) * 10) if kind == "survival" else None
        risks = 1 / (1 + np.exp(-eta + rng.normal(0, 1, rows)))
        made[name] = SiteData(name, COLUMNS, x, truth, tuple(f"{name}{i}" for i in range(rows)), time, arrays={"risks": risks})
    return made


def pooled(data: dict[str, SiteData]) -> tuple[np.ndarray, np.ndarray]:
    """All rows, and the same on one scale."""
    x = np.vstack([data[name].features for name in sorted(data)])
    return x, (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)


def truth_of(data: dict[str, SiteData]) -> np.ndarray:
    return np.concatenate([data[name].truth for name in sorted(data)])


def test_the_scale_is_that_of_pooled_data() -> None:
    data = sites(np.random.default_rng(0))
    found = federated(Scaler(COLUMNS), Local(data)).state
    x = pooled(data)[0]
    np.testing.assert_allclose(found.arrays["mean"], x.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(found.arrays["spread"], x.std(axis=0, ddof=1), atol=1e-12)


def test_quantiles_close_in_on_the_pooled_ones() -> None:
    data = sites(np.random.default_rng(1))
    found = federated(Quantiles(COLUMNS, (0.1, 0.5, 0.9)), Local(data)).state.arrays["quantiles"]
    x = pooled(data)[0]
    exact = np.quantile(x, [0.1, 0.5, 0.9], axis=0, method="inverted_cdf").T
    assert (np.abs(found - exact) <= 1e-6 * np.ptp(x, axis=0)[:, None]).all()


@pytest.mark.parametrize(("family", "kind", "fit"), [("logistic", "binary", logistic), ("poisson", "count", poisson)])
def test_a_regression_over_sites_is_the_pooled_one(family: str, kind: str, fit: object) -> None:
    data = sites(np.random.default_rng(2), kind=kind)
    found = federated(FitGlm(COLUMNS, family, 1.5), Local(data)).state  # type: ignore[arg-type]
    design = np.column_stack([np.ones(116), pooled(data)[1]])
    alone = fit(design, truth_of(data), ridge=[0.0, 1.5, 1.5, 1.5])  # type: ignore[operator]
    np.testing.assert_allclose(found.arrays["weights"], alone.coefficients, atol=1e-9)


@pytest.mark.parametrize("stratified", [True, False])
@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_cox_over_sites_is_the_pooled_one_with_either_ties(stratified: bool, ties: str) -> None:
    data = sites(np.random.default_rng(3), kind="survival")
    found = federated(FitCox(COLUMNS, 2.0, ties, stratified), Local(data)).state  # type: ignore[arg-type]
    time = np.concatenate([data[name].time for name in sorted(data)])
    strata = np.concatenate([[name] * data[name].rows for name in sorted(data)])
    follow_up = FollowUp(time, truth_of(data), strata if stratified else None)
    alone = cox(pooled(data)[1], follow_up, ridge=2.0, ties=ties)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.arrays["weights"], alone.coefficients, atol=1e-8)


@pytest.mark.parametrize("prior", ["parametric", "nonparametric", "none"])
def test_combat_over_sites_is_the_pooled_one(prior: str) -> None:
    rng = np.random.default_rng(4)
    names = ("age", *(f"f{i}" for i in range(6)))
    data, frames, batch = {}, [], []
    for place, (name, rows) in enumerate({"x": 20, "y": 14, "z": 30}.items()):
        age = rng.normal(60, 8, rows)
        values = rng.normal(place * 0.7, 1 + 0.4 * place, (rows, 6)) + 0.05 * age[:, None]
        data[name] = SiteData(name, names, np.column_stack([age, values]), np.zeros(rows), tuple(map(str, range(rows))))
        frames.append(pd.DataFrame(data[name].features, columns=list(names)))
        batch += [name] * rows
    found = federated(FitCombat(names, ("age",), prior), Local(data)).state.arrays  # type: ignore[arg-type]
    table = pd.concat(frames, ignore_index=True)
    alone = ComBat(prior=prior).fit(table.drop(columns="age"), pd.Series(batch), table[["age"]])  # type: ignore[arg-type]
    for name in ("grand", "scale", "location", "spread"):
        np.testing.assert_allclose(found[name], getattr(alone, name), rtol=1e-9, atol=1e-10)


def test_auc_from_counts_differs_from_that_of_the_risks_by_less_than_it_says() -> None:
    from sklearn.metrics import roc_auc_score

    data = sites(np.random.default_rng(5))
    found = federated(Counts("roc_counts", 50), Local(data)).state.arrays
    value, bound = auc_of_counts(found["events"], found["others"])
    risks = np.concatenate([data[name].arrays["risks"] for name in sorted(data)])
    assert abs(value - roc_auc_score(truth_of(data), risks)) <= bound
    assert 0 < bound < 0.02


def test_the_conformal_quantile_of_counts_is_that_of_the_scores_to_a_bin() -> None:
    data = sites(np.random.default_rng(6))
    found = federated(Counts("conformal_counts", 1000), Local(data)).state.arrays["misfit"]
    risks, truth = np.concatenate([data[name].arrays["risks"] for name in sorted(data)]), truth_of(data)
    misfit = np.sort(np.where(truth > 0, 1 - risks, risks))
    exact = misfit[int(np.ceil(117 * 0.9)) - 1]
    assert 0 <= conformal_quantile(found, 0.1) - exact <= 1e-3


def test_one_class_is_reported_and_not_iterated() -> None:
    data = sites(np.random.default_rng(7))
    alone = {"south": SiteData("south", COLUMNS, data["south"].features, np.ones(35), data["south"].patients)}
    found = federated(FitGlm(COLUMNS), Local(alone))
    assert found.state.numbers["fit"] == "failed"
    assert "one class" in found.state.numbers["reason"]
    assert len(found.rounds) == 1


def test_separated_classes_are_reported_and_not_iterated_to_infinity() -> None:
    x = np.linspace(-1, 1, 20)[:, None]
    site = {"s": SiteData("s", ("a",), x, (x[:, 0] > 0).astype(float), tuple(map(str, range(20))))}
    found = federated(FitGlm(("a",), penalty=0.0), Local(site)).state
    assert found.numbers["fit"] == "failed"
    assert "separates" in found.numbers["reason"]


def test_the_answer_does_not_depend_on_the_order_of_sites() -> None:
    data = sites(np.random.default_rng(8))
    turned = dict(reversed(data.items()))
    first, second = (federated(FitGlm(COLUMNS), Local(one)).state for one in (data, turned))
    assert first.sha256 == second.sha256


def test_a_run_that_stopped_goes_on_to_the_state_of_an_undisturbed_one(tmp_path: Path) -> None:
    data = sites(np.random.default_rng(9))
    whole = federated(FitGlm(COLUMNS), Local(data)).state

    class Stop(Exception):
        pass

    kept = Checkpoint(tmp_path / "c", {"study": "table"})

    def until_three(state: object, finished: object) -> None:
        kept.keep(state, finished)  # type: ignore[arg-type]
        if state.round == 3:  # type: ignore[attr-defined]
            raise Stop

    with pytest.raises(Stop):
        federated(FitGlm(COLUMNS), Local(data), Rules(keep=until_three))
    start = kept.load()
    assert start is not None
    assert start.round == 3
    again = federated(FitGlm(COLUMNS), Local(data), Rules(keep=kept.keep, start=start)).state
    assert again.sha256 == whole.sha256
    assert [line["round"] for line in kept.lines()] == list(range(1, whole.round + 1))


@pytest.mark.parametrize("harm", ["task", "cut", "state"])
def test_a_checkpoint_of_something_else_or_damaged_is_refused(tmp_path: Path, harm: str) -> None:
    kept = Checkpoint(tmp_path / "c", {"study": "table"})
    federated(FitGlm(COLUMNS), Local(sites(np.random.default_rng(10))), Rules(keep=kept.keep))
    if harm == "task":
        kept = Checkpoint(tmp_path / "c", {"study": "oral"})
    elif harm == "cut":
        (tmp_path / "c" / "checkpoint.json").write_bytes((tmp_path / "c" / "checkpoint.json").read_bytes()[:20])
    else:
        file = next((tmp_path / "c").glob("*-state.npz"))
        data = bytearray(file.read_bytes())
        data[-400] ^= 1
        file.write_bytes(data)
    with pytest.raises(BadInput, match=r"checkpoint|state"):
        kept.load()


def test_a_quorum_above_the_sites_is_refused() -> None:
    with pytest.raises(BadInput, match="quorum is 9"):
        federated(FitGlm(COLUMNS), Local(sites(np.random.default_rng(11))), Rules(quorum=9))


def test_predictions_come_back_on_the_scale_of_the_columns() -> None:
    data = sites(np.random.default_rng(12))
    state = federated(FitGlm(COLUMNS), Local(data)).state
    risks = predicted(state, pooled(data)[0])
    assert ((risks > 0) & (risks < 1)).all()
    assert abs(risks.mean() - truth_of(data).mean()) < 1e-9  # the intercept is free
