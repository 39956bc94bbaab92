"""The single checks of the leakage audit: identifiers, echoes, order, time, centres and scanners, transformations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.science.statistics.ranks import auc as area
from onclair.science.statistics.ranks import midranks
from onclair.validate.discrimination import auc
from onclair.validate.leakage.plan import Bools, Floats, LeakageTable

Severity = Literal["leak", "warning", "info"]

#: One feature (or the row's place in the file) that ranks the outcome better than this, either way, echoes it.
ECHO = 0.98
#: A centre or scanner that predicts the outcome this well (and surely this well) for patients it was not learnt on.
BATCH_LEAK, BATCH_WARNING = (0.85, 0.75), (0.82, 0.72)
#: The place in the file that ranks the outcome this well (and surely this well): a warning.
ORDER_WARNING = (0.85, 0.75)
#: Held-out rows later (or earlier) than training rows this often, and surely this often: the split follows time.
IN_TIME = (0.7, 0.58)
#: Mean and standard deviation of a standardised feature lie this near 0 and 1; ranks this near an even spacing.
STANDARD = 1e-6
#: Fewer different values than this make no rank scale.
FEW_RANKS = 10
#: Fewer patients than this in a class cannot tell an echo from luck.
FEW_PATIENTS = 10
#: Most items that a finding lists; `count` has them all.
MOST_ITEMS = 100


@dataclass(frozen=True, slots=True)
class LeakageFinding:
    """What one check found.

    Attributes
    ----------
    check : str
    severity : {"leak", "warning", "info"}
    count : int
        Patients, identifiers, rows or features concerned.
    items : tuple of str
        The first 100 of them, by name.
    value : float or None
        The figure behind it: an AUC, a share, a distance.
    explanation : str
        One sentence or two: what was found, and what to do.
    """

    check: str
    severity: Severity
    count: int
    items: tuple[str, ...]
    value: float | None
    explanation: str


def patient_in_both_splits(table: LeakageTable) -> list[LeakageFinding]:
    """Name the patients who have rows in more than one split.

    Examples
    --------
    >>> table = LeakageTable(np.array(["a", "a"]), np.array(["train", "test"]), np.array([True, True]), pd.DataFrame({"f": [0.0, 1.0]}))
    >>> patient_in_both_splits(table)[0].items
    ('a',)
    """
    both = _in_several(table.patient.astype(object), table.split)
    if not both:
        return []
    share = len(both) / np.unique(table.patient).size
    text = f"{some(len(both), 'patient has', 'patients have')} rows in more than one split, so the model is judged on people it has learnt."
    return [finding("patient-in-both-splits", "leak", both, share, f"{text} Split by patient.")]


def uid_in_both_splits(table: LeakageTable) -> list[LeakageFinding]:
    """Name the lesions and exams that occur in more than one split, under whatever patient code.

    Where identifiers are numbered anew for each patient (many occur with several patients within one split), only a lesion of the same
    patient counts as the same.

    Examples
    --------
    >>> table = LeakageTable(
    ...     np.array(["a", "b"]), np.array(["train", "test"]), np.array([True, True]), pd.DataFrame({"f": [0.0, 1.0]}),
    ...     lesion=np.array(["L7", "L7"], dtype=object),
    ... )
    >>> uid_in_both_splits(table)[0].items
    ('lesion L7',)
    """
    items: list[str] = []
    for kind, column in (("lesion", table.lesion), ("exam", table.exam)):
        if column is None:
            continue
        named = column if not _numbered_anew(column, table) else _with_patient(column, table.patient)
        items += [f"{kind} {uid}" for uid in _in_several(named, table.split)]
    if not items:
        return []
    text = f"{some(len(items), 'lesion or exam stands', 'lesions or exams stand')} in more than one split: learnt, and judged."
    return [finding("uid-in-both-splits", "leak", items, None, f"{text} Put all rows of one identifier into one split.")]


def target_echo(table: LeakageTable) -> list[LeakageFinding]:
    """Name the features that alone rank the outcome with an AUC above .98, either way, or whose gaps do.

    With fewer than 10 patients in a class it is a warning: luck can do that.
    """
    found = {name: value for name, value in _single_aucs(table).items() if max(value, 1 - value) > ECHO}
    if not found:
        return []
    few = min(np.unique(table.patient[table.truth]).size, np.unique(table.patient[~table.truth]).size) < FEW_PATIENTS
    best = max(found.values(), key=lambda value: abs(value - 0.5))
    names = sorted(found, key=lambda name: -abs(found[name] - 0.5))
    text = f"{some(len(found), 'feature alone tells', 'features alone tell')} the outcome (AUC above {ECHO} either way)"
    text += ", as what is measured after it would."
    doubt = f" With fewer than {FEW_PATIENTS} patients in a class this may be luck." if few else ""
    return [
        finding(
            "target-echo",
            "warning" if few else "leak",
            names,
            best,
            f"{text}{doubt} Find out how and when it is obtained, or leave it out.",
        )
    ]


def row_order(table: LeakageTable) -> list[LeakageFinding]:
    """Say whether the place of a row in the file (or within a split) tells its outcome.

    A leak when the place ranks the outcome with an AUC above .98 either way, a warning above .85; parts with fewer than 10
    patients in a class are not judged.
    """
    parts = {"the file": np.ones(table.truth.size, dtype=bool), **{f"the split '{s}'": table.split == s for s in np.unique(table.split)}}
    found = [(*_order_auc(table, rows), where) for where, rows in parts.items()]
    value, low, where = max(found)
    if value < ORDER_WARNING[0] or low < ORDER_WARNING[1]:
        return []
    severity: Severity = "leak" if value > ECHO else "warning"
    text = f"In {where} the place of a row alone tells its outcome (AUC {value:.2f} either way): rows are sorted by it, or nearly."
    advice = "A split by position, or any number given in that order, leaks; shuffle patients first."
    return [finding("row-order", severity, [where], value, f"{text} {advice}")]


def time_order(table: LeakageTable) -> list[LeakageFinding]:
    """Say whether training rows are later than held-out rows.

    A split in time (held-out rows mostly later) with late training rows among them, or one that runs backwards, is a leak. Where
    the dates of both parts are mixed, as a split at random makes them, it is an info: the figures say nothing of the future.
    """
    assert table.date is not None
    assert table.training is not None
    dated = ~np.isnan(table.date)
    held, date = ~table.training[dated], table.date[dated]
    first = date[held].min()
    late = np.flatnonzero(dated & table.training & (np.where(dated, table.date, -np.inf) > first))
    if late.size == 0:
        return []
    later = float(area(held, date))
    value, low = _bounded_auc(held, date, table.patient[dated])
    if value < IN_TIME[0] or low < IN_TIME[1]:
        text = "Training and held-out rows are of the same time, as in a split at random; the figures say nothing of patients to come."
        return [finding("time-order", "info", [], later, text)]
    if later > 0.5:
        text = (
            f"{some(late.size, 'training row is', 'training rows are')} later than the first held-out row although the split follows time"
        )
    else:
        text = (
            f"The split runs backwards in time: {some(late.size, 'training row is', 'training rows are')} later than the first held-out row"
        )
    items = [table.row(int(at)) for at in late]
    return [
        finding(
            "time-order",
            "leak",
            items,
            later,
            f"{text}: the model learns from the future of those it is judged on. Train on the past alone.",
        )
    ]


def batch_predicts_outcome(check: str, table: LeakageTable, batch: npt.NDArray[np.object_]) -> list[LeakageFinding]:
    """Say how well the centre (or scanner) alone predicts the outcome of patients it was not learnt on.

    Five parts of the patients, each predicted by the rates of their centre among the other four; a patient counts once, as positive when
    any row is.
    """
    what = check.split("-", 1)[0]
    rows = pd.DataFrame({"batch": batch, "patient": table.patient, "truth": table.truth}).dropna()
    people = rows.groupby(["patient", "batch"], sort=True)["truth"].max().reset_index()
    truth, names = people["truth"].to_numpy(dtype=bool), people["batch"].to_numpy().astype(str)
    if truth.size == 0 or truth.all() or not truth.any():
        return []
    found = auc("auc:batch", truth, _rates_elsewhere(names, truth), patients=people["patient"])
    value = 0.5 if found.value is None else found.value
    low = value if found.low is None else found.low
    if value < BATCH_WARNING[0] or low < BATCH_WARNING[1]:
        return []
    severity: Severity = "leak" if value >= BATCH_LEAK[0] and low >= BATCH_LEAK[1] else "warning"
    shares = pd.Series(truth).groupby(names).mean().sort_values()
    items = [f"{name}: {share:.0%} positive" for name, share in shares.items()]
    text = (
        f"The {what} alone predicts the outcome (AUC {value:.2f}): a model that recognises the {what} looks good without reading disease."
    )
    return [
        finding(check, severity, items, value, f"{text} Judge within each {what}, and compare with a rival that knows only the {what}.")
    ]


def transform_before_split(table: LeakageTable) -> list[LeakageFinding]:
    """Name the features that were standardised or ranked on all rows together, the held-out ones among them."""
    assert table.training is not None
    found = {}
    for name in table.features.columns:
        column = table.features[name].to_numpy()
        present = ~np.isnan(column)
        every, train = column[present], column[present & table.training]
        if 3 <= train.size < every.size:
            for how, made in (("standardised", _standardised), ("ranked", _ranked)):
                if made(every) and not made(train):
                    found[str(name)] = how
    if not found:
        return []
    items = [f"{name} ({how})" for name, how in found.items()]
    text = f"{some(len(items), 'feature was', 'features were')} standardised or ranked on all rows together: held-out rows took part."
    return [finding("transform-before-split", "leak", items, None, f"{text} Fit every transformation on the training rows alone.")]


def finding(check: str, severity: Severity, items: list[str], value: float | None, explanation: str) -> LeakageFinding:
    """Return a finding with its items counted and the first hundred kept."""
    return LeakageFinding(check, severity, len(items), tuple(items[:MOST_ITEMS]), value, explanation)


def some(count: int, one: str, several: str) -> str:
    """Return a count with the words for one or for several.

    Examples
    --------
    >>> some(2, "row has", "rows have")
    '2 rows have'
    """
    return f"{count} {one if count == 1 else several}"


def _in_several(uids: npt.NDArray[np.object_], split: npt.NDArray[np.str_]) -> list[str]:
    """Return the identifiers that occur with more than one value of the split, sorted; missing ones left out."""
    frame = pd.DataFrame({"uid": uids, "split": split}).dropna()
    counts = frame.groupby("uid")["split"].nunique()
    return sorted(map(str, counts.index[counts > 1]))


def _numbered_anew(uids: npt.NDArray[np.object_], table: LeakageTable) -> bool:
    """Whether more than a tenth of the identifiers belong to several patients within one split."""
    frame = pd.DataFrame({"uid": uids, "split": table.split, "patient": table.patient}).dropna()
    counts = frame.groupby(["split", "uid"])["patient"].nunique()
    return bool(len(counts)) and float((counts > 1).mean()) > 0.1


def _with_patient(uids: npt.NDArray[np.object_], patient: npt.NDArray[np.str_]) -> npt.NDArray[np.object_]:
    return np.array([None if u is None else f"{u} of patient {p}" for u, p in zip(uids, patient, strict=True)], dtype=object)


def _single_aucs(table: LeakageTable) -> dict[str, float]:
    """Return the AUC of each feature, and of its gaps, where both classes have values."""
    found = {}
    for name in table.features.columns:
        column = table.features[name].to_numpy()
        present = ~np.isnan(column)
        found[str(name)] = float(area(table.truth[present], column[present])) if present.any() else np.nan
        if not present.all():
            found[f"{name} (missing or not)"] = float(area(table.truth, present.astype(np.float64)))
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _order_auc(table: LeakageTable, rows: Bools) -> tuple[float, float]:
    truth, patient = table.truth[rows], table.patient[rows]
    if min(np.unique(patient[truth]).size, np.unique(patient[~truth]).size) < FEW_PATIENTS:
        return 0.5, 0.5
    return _bounded_auc(truth, np.flatnonzero(rows).astype(np.float64), patient)


def _bounded_auc(positive: Bools, score: Floats, patient: npt.NDArray[np.str_]) -> tuple[float, float]:
    """Return the AUC turned to the side above one half, and the lower end of its interval by patient."""
    if positive.all() or not positive.any():
        return 0.5, 0.5
    sign = 1.0 if float(area(positive, score)) >= 0.5 else -1.0
    found = auc("auc:order", positive, sign * score, patients=patient)
    value = 0.5 if found.value is None else found.value
    return value, value if found.low is None else found.low


def _rates_elsewhere(batch: npt.NDArray[np.str_], truth: Bools) -> Floats:
    """Return each patient's rate of positives in the batch among patients of the other four parts, drawn to the overall rate."""
    part = np.random.default_rng(0).permutation(truth.size) % 5
    code = np.unique(batch, return_inverse=True)[1]
    rates = np.empty(truth.size)
    for p in range(min(5, truth.size)):
        here, rest = part == p, part != p
        overall = float(truth[rest].mean()) if rest.any() else 0.5
        count = np.bincount(code[rest], minlength=code.max() + 1)
        events = np.bincount(code[rest], weights=truth[rest], minlength=code.max() + 1)
        rates[here] = ((events + overall) / (count + 1))[code[here]]
    return rates


def _standardised(values: Floats) -> bool:
    """Whether the mean is 0 and the standard deviation 1, by either divisor."""
    spread = [abs(float(values.std(ddof=ddof)) - 1) for ddof in (0, 1)]
    return abs(float(values.mean())) <= STANDARD and min(spread) <= STANDARD


def _ranked(values: Floats) -> bool:
    """Whether the values are their own mid-ranks, shifted and scaled: evenly spaced but for ties."""
    if np.unique(values).size < FEW_RANKS:
        return False
    ranks = midranks(values)
    low, high = int(values.argmin()), int(values.argmax())
    step = (values[high] - values[low]) / (ranks[high] - ranks[low])
    return bool(np.abs(values[low] + step * (ranks - ranks[low]) - values).max() <= STANDARD * (values[high] - values[low]))
