"""Groups, centres, updates, controls, readers, sample sizes, looks, drift, leakage and tables as read: what they say, good and bad."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fragment_sweep import Told, planned, table, told
from scipy.special import expit, logit
from test_validate_leakage import (
    SAID,
    backwards,
    centre_tells,
    clean,
    echo,
    late_training,
    near_copy,
    one_copy,
    scanner_tells,
    shared_lesion,
    shared_patient,
    sorted_by_outcome,
    standardised,
)

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.core.fragments import each_once
from onclair.io.tables import read_table
from onclair.learn.calibrate_curves import beta, temperature
from onclair.learn.calibrate_isotonic import isotonic
from onclair.learn.conformal.coverage import coverage, coverage_law, exchangeable_by_centre
from onclair.learn.conformal.selective import aurc
from onclair.learn.instability import instability
from onclair.learn.optimism import AUC, SLOPE, Merit, corrected
from onclair.learn.pipeline import Prevalence
from onclair.learn.refits import Refits, refits
from onclair.science.statistics.glm import logistic
from onclair.validate.calibration import o_e, slope
from onclair.validate.case_mix import case_mix
from onclair.validate.confounds import (
    auc_given,
    negative_control,
    nuisance_alone,
    nuisance_correlation,
    null_auc,
    permutation_test,
    too_few_events,
)
from onclair.validate.discrimination import auc
from onclair.validate.drift import input_drift, mmd, psi
from onclair.validate.leakage.audit import audit
from onclair.validate.leakage.plan import leakage_plan, leakage_table
from onclair.validate.noise import noise_auc
from onclair.validate.operating_points import operating_points
from onclair.validate.protocol.looks import DECISIONS, judge_look
from onclair.validate.protocol.plan import LooksPlan
from onclair.validate.readers.comparison import compare_modalities
from onclair.validate.readers.table import Ratings
from onclair.validate.rows import judged_rows
from onclair.validate.samplesize.development import develop
from onclair.validate.samplesize.validation import normal_predictor, validate
from onclair.validate.samplesize.validation import planned as planned_validation
from onclair.validate.shares import share
from onclair.validate.subgroups import by_group
from onclair.validate.transport import leave_one_centre_out, merge_estimates, per_centre, pooled_over_centres
from onclair.validate.updating import choose_update, glm_refit, judged_update, patient_folds

_TWO = {"m": {"column": "p"}, "b": {"column": "q"}, "s": {"column": "s", "kind": "score"}}
_FIGURES = {"thresholds": [0.2, 0.5], "compare": [["m", "b"], ["m", "s"]], "bootstrap": 4}
_TIME = {"time": "time", "event": "event", "centre": "centre"}
_LINES = {"m": {"column": "p", "linear_predictor": "lp", "cumulative_hazard": "h"}, "b": {"column": "q"}}
_PLANS: dict[str, dict[str, Any]] = {
    "binary": {"columns": {"truth": "y", "centre": "centre", "subgroups": ["sex", "mixed"]}, "models": _TWO, "figures": _FIGURES},
    "lesions": {"columns": {"truth": "y", "patient": "pid", "lesion": "row", "subgroups": ["sex"]}, "models": {"m": _TWO["m"]}},
    "case-control": {"columns": {"truth": "y"}, "models": _TWO, "design": "case-control", "figures": {**_FIGURES, "prevalence": 0.1}},
    "survival": {
        "outcome": "survival",
        "columns": {**_TIME, "subgroups": ["sex"]},
        "models": _LINES,
        "figures": {**_FIGURES, "compare": [["m", "b"]], "horizon": 3},
    },
    "scores": {"outcome": "survival", "columns": _TIME, "models": {"s": _TWO["s"]}},
    "competing": {
        "outcome": "competing",
        "columns": {**_TIME, "event": "kind"},
        "models": _TWO,
        "figures": {**_FIGURES, "horizon": 3},
    },
}


def plan(name: str) -> Told:
    """A whole plan: figures of the table, of groups, of centres, and over the centres."""
    return planned({"outcome": "binary", **_PLANS[name]}, table())


def groups() -> Told:
    """Gaps between groups: on the log scale, adjusted either way, of groups without a figure or an error, of shared patients."""

    def figures(rows: Any) -> list[Estimate]:
        lone = rows.size < 3
        ratio = Estimate("o_e:m", 1.0 + rows.size / 50, se=0.1, scale="log", n=rows.size, events=40)
        none = not_available("auc:m", "only one class is present") if lone else Estimate("auc:m", 0.7, se=0.05, n=30, events=9)
        return [ratio, none, Estimate("brier:m", 0.2, n=rows.size, events=40)]

    column = ["a"] * 9 + ["b"] * 5 + ["c"] * 2
    found = [e for adjust in ("holm", "bh") for e in by_group(figures, column, "g", adjust=adjust)]
    found += by_group(figures, column, "g", truth=[0, 1] * 8, patients=["P"] * 2 + list("bcdefghijklmn") + ["b"])
    found += by_group(figures, ["a", "b"] * 8, "g", patients=np.arange(16) // 2)
    return told(found)


def centres() -> Told:
    """Pooling over centres: none, one, two, equal, alike, at the end of their scale; each left out in turn; sites merged."""

    def of(figure: str, values: Iterable[float | None], se: float | None = 0.1) -> list[Estimate]:
        named = {
            str(i): not_available(f"{figure}:m", "there is no event") if v is None else Estimate(f"{figure}:m", v, se=se, n=50, events=25)
            for i, v in enumerate(values)
        }
        return pooled_over_centres({**named, "unknown": Estimate(f"{figure}:m", 0.5, se=0.1)}, f"{figure}:m")

    several = [[0.2, 0.5, 1.9], [0.2, 0.21, 0.22], [0.3] * 3, [0.2, 0.9], [0.2, None], [None, None], [0.2, 0.4, None, None]]
    found = [e for figure in ("slope", "auc", "o_e") for values in several for e in of(figure, [v and min(v, 0.97) for v in values])]
    found += [*of("auc", [1.0, 0.8, 0.7]), *of("auc", [0.6, 0.7], None), *of("citl", [0.0, 0.1, 5.0], 0.001)]
    found += pooled_over_centres({"A": Estimate("slope:m", 1.0, se=0.1)}, "slope:m")
    found += pooled_over_centres({str(v): Estimate("slope:m", v, se=se, level=0.6) for v, se in _UNEQUAL}, "slope:m")
    frame = table(n=120)

    def judge(rows: Any, risks: Any) -> list[Estimate]:
        return [auc("auc:m", frame["y"].to_numpy()[rows], risks)]

    def refit(training: Any, held: Any) -> Any:
        if held.size == 1:
            raise BadInput("Only one class is present.")
        return frame["p"].to_numpy()[held]

    names = frame["centre"].to_numpy()
    found += leave_one_centre_out(refit, judge, names, truth=frame["y"])
    found += per_centre(lambda rows: judge(rows, frame["p"].to_numpy()[rows]), names, truth=frame["y"])
    return told(found, merge_estimates([(site, [Estimate("auc:m", 0.8, se=0.05, n=60, events=9)]) for site in "AB"]))


#: Figures and errors whose REML estimate of tau2 lies outside its Q-profile interval (at 60 %).
_UNEQUAL = ((2.9, 9.7), (3.9, 7.54), (3.6, 3.24), (2.6, 1.5), (0.7, 0.63))


def case_mixes() -> Told:
    """Case-mix and updates, of ordinary rows, of one centre, of a centre of one row, of one that nothing varies in."""
    rng = np.random.default_rng(5)
    lp = rng.normal(size=60)
    truth = (rng.uniform(size=60) < expit(lp)).astype(int)
    rows = judged_rows(truth, lp)
    names = np.array(["A"] * 30 + ["B"] * 29 + ["C"])
    flat = judged_rows([0, 1] * 10, np.r_[np.zeros(10), np.ones(10)])
    far = judged_rows([0, 1], [-800.0, 900.0])
    found = [*case_mix("m", rows, names), *case_mix("m", rows, ["A"] * 60), *case_mix("m", flat, ["A"] * 10 + ["B"] * 10)]
    found += case_mix("m", far, ["A", "A"])
    found += case_mix("m", judged_rows(truth, lp, np.arange(60) // 2), np.repeat(["A", "B"], 30))
    update = judged_update("m", rows, glm_refit(lp[:, None], truth), patient_folds(60, 3, seed=1))
    why = choose_update(judged_rows([0, 0, 1, 1] * 3, [-1.0, -2, 1, 2] * 3), glm_refit([[0.0]] * 12, [0, 0, 1, 1] * 3))
    return each_once([*told(found, update.estimates), str(why.reason)])


def controls() -> Told:
    """Nuisances, shuffled labels, destroyed signal, noise and shares."""
    truth, rng = [0, 1] * 15, np.random.default_rng(1)
    one, other = rng.normal(size=(3, 30)), rng.normal(size=30)
    found = [
        *[e for c in (one, truth) for e in negative_control("model", truth, c, other)],
        *nuisance_alone("model", "volume", truth, one, other),
        *operating_points("model", truth, rng.uniform(size=(2, 30)), [0.3, 0.99999]),
        nuisance_correlation("spearman:model:volume", one, other),
        nuisance_correlation("spearman:model:volume", one, other, given=rng.normal(size=30)),
        nuisance_correlation("spearman:model:volume", one, other, patients=np.arange(30) // 2),
        nuisance_correlation("spearman:model:volume", one, np.ones(30)),
        nuisance_correlation("spearman:model:volume", one[:, :3], other[:3]),
        *[auc_given("auc:model:given-volume", y, other[: len(y)], v) for y, v in _NUISANCES],
        *[null_auc("auc:model:shuffled-labels", a) for a in ([0.4, 0.5, np.nan], [np.nan], np.linspace(0.4, 0.6, 30))],
        *[permutation_test("p_permutation:model", at, null) for at, null in ((0.8, [0.5] * 9), (0.8, [np.nan]), (np.nan, [0.5]))],
        *[noise_auc("noise_auc:rows", aucs) for aucs in ([0.4, 0.6], [0.5])],
        *[share("coverage:conformal", hits) for hits in ([True, False], [])],
    ]
    return each_once([*told(found), too_few_events(19, 32) or ""])


_NUISANCES = (([0, 1] * 15, np.arange(30)), ([0] * 5 + [1] * 5, [1] * 5 + [2] * 5), ([0, 0, 1, 1, 1], [1, 1, 1, 1, 2]))


def readers() -> Told:
    """Reader studies of every design, with one reader, one modality, few cases, no disagreement and negative covariance."""
    rng = np.random.default_rng(3)
    truth = np.arange(24) < 10

    def study(modalities: int, count: int, ratings: Any = None, positive: Any = truth) -> Ratings:
        made = rng.normal(size=(positive.size, modalities, count)) + 1.3 * positive[:, None, None] if ratings is None else ratings
        letters = [tuple(f"{letter}{i}" for i in range(k)) for letter, k in (("R", count), ("M", modalities), ("", positive.size))]
        return Ratings(letters[0], letters[1], letters[2], positive, made)

    alike = np.repeat(np.repeat(truth[:, None, None] * 1.0, 2, axis=1), 3, axis=2)
    constant = rng.normal(size=(24, 2, 3))
    constant[:, 1, 2] = 0.0
    crossed = rng.normal(size=(24, 2, 2))
    crossed[:, 1] = 2.0 * truth[:, None] + crossed[:, 0, ::-1]
    cases = (study(2, 3), study(2, 1), study(1, 2), study(2, 2, positive=np.arange(5) < 1), study(2, 3, alike))
    cases += (
        study(2, 3, constant),
        study(2, 2, crossed),
        study(2, 2, np.where(truth[:, None, None], 3.0, 0) + rng.normal(size=(24, 2, 2))),
    )
    designs = [("random", "random"), ("fixed", "random"), ("random", "fixed")]
    found = [compare_modalities(s, readers=r, cases=c) for s in cases for r, c in designs]
    found += [compare_modalities(cases[0], covariance=covariance) for covariance in ("jackknife", "unbiased")]
    texts = [*(f.test.reason or "" for f in found), *(w["text"] for f in found for w in f.warnings)]
    return each_once([*told(*(f.estimates for f in found)), *texts])


def planning() -> Told:
    """Sample sizes with their warnings, looks with their decisions, drift of every input."""
    sizes = [
        develop("binary", 24, {"r2cs": 0.1, "prevalence": 0.03}),
        develop("survival", 25, {"r2cs": 0.051, "rate": 0.065, "timepoint": 2, "followup": 2.07}),
        develop("continuous", 25, {"r2": 0.2, "mean": 1.9, "sd": 0.6}),
        validate(0.4, 0.8, normal_predictor(-3, 1)),
        *(planned_validation(p, 0.8, None, {"oe_width": 3.0, "slope_width": 3.0, "c_width": 0.4}) for p in (0.2, 0.9)),
    ]
    said = [text for size in sizes for text in (size.method, *(w["text"] for w in size.warnings))]
    rng = np.random.default_rng(1)
    risks = rng.uniform(0.1, 0.9, 60)
    truth = (rng.uniform(size=60) < risks).astype(int)
    for figure, null, y, p in (
        ("auc", 0.5, truth, risks),
        ("auc", 0.999, truth, risks),
        ("auc", 0.7, truth, 1 - risks),
        ("auc", 0.6, truth[:12], risks[:12]),
        ("o_e", 0.9, truth, risks),
        ("o_e", 0.2, truth, risks),
        ("o_e", 1.0, np.ones(6), np.full(6, 0.5)),
        ("o_e", 1.0, np.ones(6), np.zeros(6)),
        ("auc", 0.7, np.ones(6), np.full(6, 0.5)),
        ("auc", 0.7, [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]),
    ):
        count = int(np.sum(y))
        for planned_looks in ((count,), (count, count + 9)):
            look = judge_look(LooksPlan(figure=figure, null=null, planned=planned_looks), y, p, [])
            said += [look.text, look.decision, look.figure.method, look.figure.reason or ""]
    drifts = [input_drift("x", old, new, psi_alert=0.2) for old, new in ((risks, risks[:30]), (risks, [0.2] * 3), (risks, []), ([], risks))]
    figures = [e for d in drifts for e in (d.psi, d.ks, d.mmd)]
    return each_once([*said, *DECISIONS.values(), *told(figures, [mmd("mmd:x", [1.0], risks)[0], psi("psi:x", [0, 1] * 20, [1] * 40)])])


def leaks() -> Told:
    """Planted leaks, several in one table where they do not hide each other, checks that cannot run, and gaps."""
    many = clean(11, patients=40)
    for plant in (shared_patient, shared_lesion, echo, scanner_tells, one_copy, standardised):
        many = plant(many)
    foreign = clean(7, patients=12).replace({"set": {"train": "A", "test": "B"}})
    tables = [(many, SAID), (foreign, SAID), (clean(7, patients=12), {**SAID, "columns": _BARE}), (echo(clean(6, patients=16)), SAID)]
    tables += [(late_training(sorted_by_outcome(clean(11, patients=40))), SAID), (backwards(centre_tells(clean(11, patients=40))), SAID)]
    tables += [(near_copy(clean(11, in_time=False)), SAID)]
    tables += [(_taught(_holed(clean(7, patients=12)), label).assign(day=None), SAID) for label in (0, 1)]
    tables += [(_taught(clean(7, patients=12), 0, "test"), SAID)]
    read = [leakage_table(frame, leakage_plan(said)) for frame, said in tables]
    found = [audit(each) for each in read] + [_remembering()]
    said = [text for each in found for text in (*(f.explanation for f in each.findings), *each.not_run.values())]
    return each_once([*said, *(note["text"] for each in read for note in each.notes)])


_BARE = {"patient": "pid", "split": "set", "truth": "y"}


def _taught(frame: pd.DataFrame, label: int, split: str = "train") -> pd.DataFrame:
    """Return the table with one class in one of its splits and both in the other."""
    return frame.assign(y=np.where(frame["set"] == split, label, np.arange(len(frame)) % 2))


def _holed(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.astype({"f_0": float})
    for column in ("f_0", "c", "s", "day", "lesion", "exam"):
        frame[column] = frame[column].where(frame.index != 3)
    return frame


def _remembering() -> Any:
    frame = clean(9, patients=40)
    frame["set"] = np.where(np.random.default_rng(1).random(len(frame)) < 0.3, "test", "train")
    read = leakage_table(frame, leakage_plan(SAID))

    def remembers(train: Any, labels: Any, held: Any) -> Any:
        seen = dict(zip(read.patient[train.index], labels, strict=True))
        return np.array([float(seen.get(who, 0.5)) for who in read.patient[held.index]])

    return audit(read, fit=remembers)


def dialects(folder: Path) -> Told:
    """Tables that are not plain commas and UTF-8: what their reading says."""
    import openpyxl

    texts = {
        "semicolons.csv": b"a;b\n1,5;2\n",
        "tabs.csv": b"a\tb\n1\t2\n",
        "bars.csv": b"a|b\n1|2\n",
        "commas.tsv": b"a,b\n1,2\n",
        "latin.csv": "a,é\n1,2\n".encode("latin-1"),
        "wide.csv": "a,b\n1,2\n".encode("utf-16"),
        "mark.csv": b"\xef\xbb\xbfa,b\n1,2\n",
        "mac.csv": b"a,b\r1,2\r",
        "mixed.csv": b"a,b\r\n1,2\n3,4\n",
        "unnamed.csv": b"a,\n1,2\n",
        "words.csv": b"a,b\n1,#NAME?\n",
    }
    book = openpyxl.Workbook()
    book.active.append(["a"])
    book.active.append([1])
    book.create_sheet("more")
    book.save(folder / "sheets.xlsx")
    for name, data in texts.items():
        (folder / name).write_bytes(data)
    return each_once(note["text"] for name in (*texts, "sheets.xlsx") for note in read_table(folder / name).notes)


def regressions() -> Told:
    """Why a regression has no coefficients, read by itself and through the figures that rest on one."""
    apart, ones = [0, 0, 1, 1] * 3, np.ones((12, 1))
    fits = [logistic(np.column_stack([ones, apart]), apart), logistic(np.column_stack([ones, ones]), [0, 1] * 6)]
    risks = expit(logit(0.3) + 0.5 * np.arange(12) / 12)
    return each_once(
        [*(str(f.reason) for f in fits), *told([slope("slope:m", apart, np.clip(apart, 0.1, 0.9)), o_e("o_e:m", apart, risks)])]
    )


class _Column:
    """A learner that gives a column back as the risk, and cannot be trained on one class."""

    name = "column"

    def fit(self, features: pd.DataFrame, truth: Any, rng: np.random.Generator) -> _Column:
        if np.unique(truth).size < 2:
            raise BadInput("Only one class is present.")
        return self

    def risk(self, features: pd.DataFrame) -> Any:
        return features["x"].to_numpy(dtype=float)


def learning() -> Told:
    """Optimism and instability of a whole pipeline, calibrators and the coverage of prediction sets."""
    features = pd.DataFrame({"x": [0.2, 0.6, 0.3, 0.7, 0.5, 0.4]}, index=list("ABCDEF"))
    truth = [0, 1, 0, 1, 0, 1]
    pools = [refits(_Column(), features, truth, replicates=12), refits(Prevalence(), features, truth, replicates=4)]
    pools.append(refits(Prevalence(), features.iloc[:2], [0, 1], replicates=1, seed=2))
    pools.append(refits(_Column(), features, [0, 1, 0, 0, 0, 0], replicates=8))
    never = Refits("m", np.array([0.5]), np.array([0]), np.array([0.5]), np.full((2, 1), np.nan), np.ones((2, 1), dtype=int))
    nothing = Merit("auc", lambda y, p: float("nan"))
    found = [e for pool in pools for merit in (AUC, SLOPE, nothing) for e in corrected(pool, merit).estimates]
    found += [instability(pool).mean for pool in (*pools[:2], never)]
    hits, people = [True] * 9 + [False], list("abcdefghij")
    found += [coverage(hits, people), coverage(hits[:3], people[:3]), coverage([], [])]
    found += [aurc([0.9, 0.8, 0.6, 0.7], [0, 0, 1, 0], who, replicates=5) for who in (list("abcd"), list("aaaa"))]
    found.append(aurc([], [], []))
    laws = ((hits, people, coverage_law(99, 0.1)), (hits, people, coverage_law(3, 0.1)), (hits[:4], list("aabb"), coverage_law(99, 0.1)))
    tests = [test for held, who, law in laws for test in exchangeable_by_centre(held, who, ["A"] * len(who), law)]
    found += [test.coverage for test in tests]
    pairs = (([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]), ([0.9, 0.8, 0.2, 0.1], [0, 1, 0, 1]), ([0.5] * 4, truth[:4]), ([0.2, 0.3], [1, 1]))
    reasons = [str(fit(score, y).reason or "") for score, y in pairs for fit in (temperature, beta, isotonic)]
    return each_once([*told(found), *(str(t.reason or "") for t in tests), *reasons])


#: A sweep by its name.
ROOMS: Mapping[str, Callable[[], Told]] = {
    "groups": groups,
    "centres": centres,
    "case-mix and updates": case_mixes,
    "controls": controls,
    "readers": readers,
    "planning": planning,
    "leakage": leaks,
    "regressions": regressions,
    "learning": learning,
    **{f"plan: {name}": partial(plan, name) for name in _PLANS},
}
