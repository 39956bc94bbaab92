"""Does the held-out part know what it should not? The leakage audit: every check by its name, those that could not run, the verdict.

A finding is a ``leak`` (the held-out figures cannot be trusted), a ``warning`` (something could be fooling the model) or an ``info``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from onclair.validate.leakage import checks
from onclair.validate.leakage.checks import LeakageFinding, finding, some
from onclair.validate.leakage.duplicates import Copies, exact_copies, near_copies
from onclair.validate.leakage.permutation import Fit, permuted_auc, ridge_scores
from onclair.validate.leakage.plan import LeakageTable

Verdict = Literal["leak", "warnings", "clean"]


@dataclass(frozen=True, slots=True)
class LeakageAudit:
    """The answer of :func:`audit`.

    Attributes
    ----------
    findings : tuple of LeakageFinding
    checks_run : tuple of str
    not_run : mapping of str to str
        Check to the reason why it could not run.
    """

    findings: tuple[LeakageFinding, ...]
    checks_run: tuple[str, ...]
    not_run: Mapping[str, str]

    @property
    def verdict(self) -> Verdict:
        """``leak`` when a finding is one, ``warnings`` when one warns, else ``clean``."""
        found = {finding.severity for finding in self.findings}
        return "leak" if "leak" in found else "warnings" if "warning" in found else "clean"

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        findings = [{**asdict(finding), "items": list(finding.items)} for finding in self.findings]
        return {"findings": findings, "checks_run": list(self.checks_run), "checks_not_run": dict(self.not_run), "verdict": self.verdict}


def audit(table: LeakageTable, *, fit: Fit = ridge_scores, seed: int = 1) -> LeakageAudit:
    """Run every check that the table's columns allow.

    Parameters
    ----------
    table : LeakageTable
        From :func:`onclair.validate.leakage.plan.leakage_table`.
    fit : callable
        The pipeline for `permutation-null`: ``fit(train features, train labels, held-out features) -> scores``.
    seed : int
        Of the shuffles and of the rows that distances are sampled from.

    Returns
    -------
    LeakageAudit

    Examples
    --------
    >>> import pandas as pd
    >>> table = LeakageTable(
    ...     patient=np.array(["a", "b", "b", "c"]),
    ...     split=np.array(["train", "train", "test", "test"]),
    ...     truth=np.array([True, False, False, True]),
    ...     features=pd.DataFrame({"f": [0.3, 0.1, 0.9, 0.4]}),
    ...     training=np.array([True, True, False, False]),
    ... )
    >>> found = audit(table)
    >>> found.verdict, [(f.check, f.items) for f in found.findings if f.severity == "leak"]
    ('leak', [('patient-in-both-splits', ('b',))])
    >>> found.not_run["time-order"]
    'the plan names no date column'
    """
    findings: list[LeakageFinding] = []
    run: list[str] = []
    left: dict[str, str] = {}
    for name, (why_not, check) in _checks(fit, seed).items():
        reason = why_not(table)
        if reason is not None:
            left[name] = reason
            continue
        run.append(name)
        findings += check(table)
    return LeakageAudit(tuple(findings), tuple(run), left)


def duplicates_across_splits(check: str, copies: Copies | None) -> list[LeakageFinding]:
    """Put into words what :func:`exact_copies` or :func:`near_copies` found."""
    if copies is None:
        return []
    if check.startswith("exact"):
        text = f"{some(len(copies.items), 'held-out row has', 'held-out rows have')} the very features of a row in another split"
    else:
        text = (
            f"{some(len(copies.items), 'held-out row lies', 'held-out rows lie')} far nearer to a row of another split "
            f"(at most {copies.value:.3g} robust units) than rows of one split lie to each other"
        )
    advice = "Find out whether they are the same patient, and keep copies in one split."
    return [
        finding(check, "leak", list(copies.items), copies.value, f"{text}: the model may remember them instead of reading them. {advice}")
    ]


def permutation_null(table: LeakageTable, fit: Fit, *, replicates: int = 20, seed: int = 1) -> list[LeakageFinding]:
    """Say whether the pipeline still predicts held-out labels that were shuffled between patients.

    Parameters
    ----------
    table : LeakageTable
    fit : callable
        ``fit(train features, train labels, held-out features) -> scores``.
    replicates : int
    seed : int
    """
    aucs = permuted_auc(table, fit, replicates=replicates, seed=seed)
    aucs = aucs[np.isfinite(aucs)]
    if aucs.size < 5:
        return []
    mean, error = float(aucs.mean()), float(aucs.std(ddof=1) / np.sqrt(aucs.size))
    if mean < 0.55 or mean - 4 * error < 0.5:
        return []
    text = f"On labels shuffled between patients the pipeline still reaches AUC {mean:.2f} on the held-out rows, where .50 is honest"
    text += f" ({aucs.size} shuffles)."
    return [finding("permutation-null", "warning", [], mean, f"{text} Something in the held-out rows is known from training.")]


_WhyNot = Callable[[LeakageTable], str | None]
_Check = Callable[[LeakageTable], list[LeakageFinding]]


def _checks(fit: Fit, seed: int) -> dict[str, tuple[_WhyNot, _Check]]:
    """Return the checks of the audit by name: why it cannot run, and what it does."""
    return {
        "patient-in-both-splits": (_always, checks.patient_in_both_splits),
        "uid-in-both-splits": (_no_uid, checks.uid_in_both_splits),
        "exact-duplicate-across-splits": (
            _always,
            lambda t: duplicates_across_splits("exact-duplicate-across-splits", exact_copies(t)),
        ),
        "near-duplicate-across-splits": (
            _always,
            lambda t: duplicates_across_splits("near-duplicate-across-splits", near_copies(t, seed=seed)),
        ),
        "target-echo": (_always, checks.target_echo),
        "row-order": (_always, checks.row_order),
        "time-order": (_no_time, checks.time_order),
        "centre-predicts-outcome": (_lacks("centre"), lambda t: _batch("centre", t)),
        "scanner-predicts-outcome": (_lacks("scanner"), lambda t: _batch("scanner", t)),
        "transform-before-split": (_no_training, checks.transform_before_split),
        "permutation-null": (_no_null, lambda t: permutation_null(t, fit, seed=seed)),
    }


def _always(table: LeakageTable) -> str | None:
    del table
    return None


def _lacks(column: str) -> _WhyNot:
    def why(table: LeakageTable) -> str | None:
        return f"the plan names no {column} column" if getattr(table, column) is None else None

    return why


def _no_uid(table: LeakageTable) -> str | None:
    return "the plan names neither a lesion nor an exam column" if table.lesion is None and table.exam is None else None


def _no_training(table: LeakageTable) -> str | None:
    if table.training is not None:
        return None
    return f'no split reads as training ({", ".join(np.unique(table.split)[:5])}); name it with training = "..." in the plan'


def _no_time(table: LeakageTable) -> str | None:
    if table.date is None:
        return "the plan names no date column"
    if table.training is None:
        return _no_training(table)
    dated = ~np.isnan(table.date)
    if not (dated & table.training).any() or not (dated & ~table.training).any():
        return "no training row or no held-out row has a date"
    return None


def _no_null(table: LeakageTable) -> str | None:
    pool = table.pool
    for where, rows in (("training", pool), ("held-out", ~pool)):
        if table.truth[rows].all() or not table.truth[rows].any():
            return f"the {where} rows hold one class"
    return None


def _batch(column: str, table: LeakageTable) -> list[LeakageFinding]:
    return checks.batch_predicts_outcome(f"{column}-predicts-outcome", table, getattr(table, column))


#: The names of all checks, in the order they run.
CHECKS = tuple(_checks(ridge_scores, 1))
