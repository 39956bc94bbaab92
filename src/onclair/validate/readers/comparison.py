"""Do readers see more by one modality than by another? Obuchowski and Rockette's analysis with Hillis' degrees of freedom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadSetting
from onclair.core.estimate import Estimate, not_available
from onclair.core.names import did_you_mean
from onclair.science.statistics.auc_covariance import COVARIANCES, auc_covariance
from onclair.science.statistics.ranks import auc
from onclair.validate.readers.table import Ratings

Floats = npt.NDArray[np.float64]

_COVARIANCE_WORDS = {"delong": "DeLong 1988", "jackknife": "jackknife", "unbiased": "unbiased (Gallas 2006)"}
_REFERENCE = "Obuchowski & Rockette 1995, Hillis 2014"

#: Variance, or a mean square of AUCs, that is rounding error.
_NOTHING = 1e-20
_ONE_READER = "one reader cannot stand for readers like this one; take --readers fixed, or more readers"
_FEW_CASES = "a class has fewer than two cases, so no error can be estimated"
_FIXED_CASES = "cases are fixed, so one reader's figure has no error"
_NO_SPREAD = "its estimated variance is not above zero, so no interval can be had"
_NO_TEST = "the estimated variance of a difference is not above zero, so there is no test"


@dataclass(frozen=True, slots=True)
class Components:
    """What the AUCs (modality, reader) vary by.

    Attributes
    ----------
    MS_T, MS_TR, MS_R : float or None
        Mean squares of modality, of modality by reader, of reader; None where there is one level only.
    error : float or None
        Mean variance of an AUC over cases.
    cov1, cov2, cov3 : float or None
        Mean covariance of one reader by two modalities, of two readers by one modality, of two readers by two.
    """

    MS_T: float | None
    MS_TR: float | None
    MS_R: float | None
    error: float | None = None
    cov1: float | None = None
    cov2: float | None = None
    cov3: float | None = None

    @property
    def excess(self) -> float:
        """``max(cov2 - cov3, 0)``: what two readers share by one modality and not by two."""
        return max((self.cov2 or 0.0) - (self.cov3 or 0.0), 0.0)


@dataclass(frozen=True, slots=True)
class EqualityTest:
    """The test that all modalities have the same mean AUC.

    Attributes
    ----------
    kind : str
        ``F`` or ``chi2``.
    statistic, df, numerator_df, p : float or None
        `df` of the denominator for F, of the statistic for chi2.
    se : float or None
        Standard error of the difference of two modalities.
    reason : str or None
        Why there is no test.
    """

    kind: str
    statistic: float | None = None
    df: float | None = None
    numerator_df: int | None = None
    p: float | None = None
    se: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ReaderStudy:
    """What a reader study says.

    Attributes
    ----------
    estimates : tuple of Estimate
        ``auc:MODALITY``, ``difference:A-minus-B``, and both by reader (``:reader=NAME``).
    test : EqualityTest
    components : Components
    design : mapping
        Readers, modalities and cases; which are random; the covariance.
    warnings : tuple of mapping
    """

    estimates: tuple[Estimate, ...]
    test: EqualityTest
    components: Components
    design: Mapping[str, Any]
    warnings: tuple[Mapping[str, str], ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "estimates": [estimate.as_dict() for estimate in self.estimates],
            "test": {name: getattr(self.test, name) for name in EqualityTest.__slots__},
            "components": {name: getattr(self.components, name) for name in Components.__slots__},
            "design": dict(self.design),
            "warnings": [dict(warning) for warning in self.warnings],
        }


def compare_modalities(
    study: Ratings, *, readers: str = "random", cases: str = "random", covariance: str = "delong", level: float = 0.95
) -> ReaderStudy:
    """Return the mean AUC of each modality over the readers, the differences, and the test that there is none.

    With random readers the answer is about readers like these; with random cases, about patients like these; what is fixed is
    only what was seen. Random readers and cases: ``F = MS_T / (MS_TR + r max(cov2 - cov3, 0))`` with Hillis' degrees of freedom;
    fixed readers: ``chi2 = (t - 1) MS_T / (error - cov1 + (r - 1) max(cov2 - cov3, 0))``; fixed cases: ``F = MS_T / MS_TR``.

    Parameters
    ----------
    study : Ratings
        Fully crossed: t modalities, r readers.
    readers, cases : {"random", "fixed"}
        Not both fixed: then nothing is uncertain.
    covariance : {"delong", "jackknife", "unbiased"}
    level : float
        Of the intervals, in (0, 1).

    Returns
    -------
    ReaderStudy
        One modality, one random reader or too few cases of a class are no errors: the figures that cannot be had say why.

    Raises
    ------
    BadSetting
        For an unknown word, readers and cases both fixed, or a level outside (0, 1).

    References
    ----------
    Obuchowski & Rockette 1995, doi:10.1080/03610919508813243; Hillis 2007, doi:10.1002/sim.2532; Hillis 2014,
    doi:10.1002/sim.5926.

    Examples
    --------
    >>> truth, ratings = np.array([0, 0, 1, 1]) == 1, np.array([[1, 2], [4, 3], [3, 4], [8, 9]], dtype=float).reshape(4, 2, 1)
    >>> found = compare_modalities(Ratings(("A",), ("CT", "PET"), ("1", "2", "3", "4"), truth, ratings), readers="fixed")
    >>> [(e.name, e.value) for e in found.estimates[:3]]
    [('auc:CT', 0.75), ('auc:PET', 1.0), ('difference:CT-minus-PET', -0.25)]
    """
    _checked(readers, cases, covariance, level)
    plan = _Analysis(study, readers, cases, covariance, level)
    return ReaderStudy(
        (*plan.modality_aucs(), *plan.differences(), *plan.reader_aucs(), *plan.reader_differences()),
        plan.test(),
        plan.components,
        plan.design(),
        plan.warnings(),
    )


class _Analysis:
    """The AUCs of a study and their covariance, from which every figure follows."""

    def __init__(self, study: Ratings, readers: str, cases: str, covariance: str, level: float) -> None:
        self.study, self.readers, self.cases, self.covariance, self.level = study, readers, cases, covariance, level
        self.t, self.r = len(study.modalities), len(study.readers)
        columns = study.ratings.reshape(len(study.cases), -1)
        self.auc: Floats = auc(study.truth, columns).reshape(self.t, self.r)
        self.cov = self._covariance(columns)
        self.components = self._components()
        self.z = float(special.ndtri((1 + level) / 2))
        self.events = int(study.truth.sum())

    def _covariance(self, columns: Floats) -> Floats | None:
        if self.cases == "fixed" or min(self.study.truth.sum(), (~self.study.truth).sum()) < 2:
            return None
        return auc_covariance(self.study.truth, columns, self.covariance)

    def _components(self) -> Components:
        by_modality, by_reader = self.auc.mean(axis=1, keepdims=True), self.auc.mean(axis=0, keepdims=True)
        rest = self.auc - by_modality - by_reader + self.auc.mean()
        found = (
            _ratio(self.r * float(((by_modality - self.auc.mean()) ** 2).sum()), self.t - 1),
            _ratio(float((rest**2).sum()), (self.t - 1) * (self.r - 1)),
            _ratio(self.t * float(((by_reader - self.auc.mean()) ** 2).sum()), self.r - 1),
        )
        mean_squares = tuple(0.0 if square is not None and square <= _NOTHING else square for square in found)
        if self.cov is None:
            return Components(*mean_squares)
        modality, reader = np.repeat(np.arange(self.t), self.r), np.tile(np.arange(self.r), self.t)
        same_modality, same_reader = modality[:, None] == modality, reader[:, None] == reader
        masks = (same_modality & same_reader, ~same_modality & same_reader, same_modality & ~same_reader, ~same_modality & ~same_reader)
        return Components(*mean_squares, *(float(self.cov[mask].mean()) if mask.any() else None for mask in masks))

    def refused(self) -> str | None:
        """Return why nothing can be said about the uncertainty of a difference, or None."""
        if self.t < 2:
            return "there is one modality; a difference needs two"
        if self.readers == "random" and self.r < 2:
            return _ONE_READER
        if self.cases == "random" and self.cov is None:
            return _FEW_CASES
        return _NO_SPREAD if self.denominator <= _NOTHING else None

    @property
    def denominator(self) -> float:
        """What MS_T is held against."""
        found = self.components
        if self.readers == "fixed":
            return (found.error or 0.0) - (found.cov1 or 0.0) + (self.r - 1) * found.excess
        return (found.MS_TR or 0.0) + (self.r * found.excess if self.cases == "random" else 0.0)

    @property
    def df(self) -> float:
        """Denominator degrees of freedom; infinite for fixed readers."""
        free = (self.t - 1) * (self.r - 1)
        if self.readers == "fixed":
            return float("inf")
        ms = self.components.MS_TR or 0.0
        return free if self.cases == "fixed" else _ratio(self.denominator**2 * free, ms**2) or float("inf")

    def test(self) -> EqualityTest:
        """Test of no difference: F, or chi2 where nothing but cases is random."""
        kind, numerator = ("chi2" if self.readers == "fixed" else "F"), self.t - 1
        reason = self.refused()
        if reason:
            return EqualityTest(kind, reason=_NO_TEST if reason == _NO_SPREAD else reason)
        statistic, se = (self.components.MS_T or 0.0) / self.denominator, float(np.sqrt(2 / self.r * self.denominator))
        if kind == "chi2" or np.isinf(self.df):
            return EqualityTest(
                "chi2", numerator * statistic, numerator, numerator, float(special.chdtrc(numerator, numerator * statistic)), se
            )
        return EqualityTest(kind, statistic, self.df, numerator, float(special.fdtrc(numerator, self.df, statistic)), se)

    def modality_aucs(self) -> list[Estimate]:
        """Mean AUC of each modality; each with its own mean square and covariance (Hillis 2014)."""
        return [self._modality(i, name) for i, name in enumerate(self.study.modalities)]

    def _modality(self, i: int, name: str) -> Estimate:
        value, label = float(self.auc[i].mean()), f"auc:{name}"
        if self.readers == "random" and self.r < 2:
            return self._bare(label, value, _ONE_READER)
        if self.cases == "random" and self.cov is None:
            return self._bare(label, value, _FEW_CASES)
        spread = float(self.auc[i].var(ddof=1)) if self.r > 1 else 0.0
        spread = spread if spread > _NOTHING else 0.0
        error, shared = self._of_modality(i)
        if self.readers == "fixed":
            return self._interval(label, value, (error + (self.r - 1) * max(shared, 0.0)) / self.r, float("inf"), cut=True)
        whole = spread + self.r * max(shared, 0.0)
        df = _ratio(whole**2 * (self.r - 1), spread**2) or float("inf")
        return self._interval(label, value, whole / self.r, df, cut=True)

    def _of_modality(self, i: int) -> tuple[float, float]:
        """Return mean variance and mean covariance of the readers by one modality; 0 where cases are fixed."""
        if self.cov is None:
            return 0.0, 0.0
        block = self.cov[i * self.r : (i + 1) * self.r, i * self.r : (i + 1) * self.r]
        error = float(block.diagonal().mean())
        return error, (float(block.sum()) - self.r * error) / (self.r * (self.r - 1)) if self.r > 1 else 0.0

    def differences(self) -> list[Estimate]:
        """Every pair of modalities, first minus second."""
        found = []
        for i, j in combinations(range(self.t), 2):
            label = f"difference:{self.study.modalities[i]}-minus-{self.study.modalities[j]}"
            value, reason = float(self.auc[i].mean() - self.auc[j].mean()), self.refused()
            if reason:
                found.append(self._bare(label, value, reason))
            else:
                found.append(self._interval(label, value, 2 / self.r * self.denominator, self.df))
        return found

    def reader_aucs(self) -> list[Estimate]:
        """Each reader's AUC by each modality, the reader fixed."""
        return [
            self._of_reader(f"auc:{modality}:reader={reader}", float(self.auc[i, j]), self._variance({(i, j): 1.0}), cut=True)
            for j, reader in enumerate(self.study.readers)
            for i, modality in enumerate(self.study.modalities)
        ]

    def reader_differences(self) -> list[Estimate]:
        """Each reader's difference of two modalities, the reader fixed."""
        names = self.study.modalities
        return [
            self._of_reader(
                f"difference:{names[a]}-minus-{names[b]}:reader={reader}",
                float(self.auc[a, j] - self.auc[b, j]),
                self._variance({(a, j): 1.0, (b, j): -1.0}),
                cut=False,
            )
            for j, reader in enumerate(self.study.readers)
            for a, b in combinations(range(self.t), 2)
        ]

    def _variance(self, contrast: Mapping[tuple[int, int], float]) -> float | None:
        if self.cov is None:
            return None
        weights = np.zeros((self.t, self.r))
        for place, weight in contrast.items():
            weights[place] = weight
        return float(weights.ravel() @ self.cov @ weights.ravel())

    def _of_reader(self, name: str, value: float, variance: float | None, *, cut: bool) -> Estimate:
        if variance is None:
            return self._bare(name, value, _FIXED_CASES if self.cases == "fixed" else _FEW_CASES)
        return self._interval(name, value, variance, float("inf"), cut=cut)

    def _interval(self, name: str, value: float, variance: float, df: float, *, cut: bool = False) -> Estimate:
        """Return an estimate with its t (or normal) interval, on the identity scale."""
        if variance <= _NOTHING:
            return self._bare(name, value, _NO_SPREAD)
        se = float(np.sqrt(variance))
        quantile = self.z if np.isinf(df) else float(special.stdtrit(df, (1 + self.level) / 2))
        low, high = value - quantile * se, value + quantile * se
        law = "normal interval" if np.isinf(df) else f"t interval on {df:.2f} degrees of freedom"
        if cut and (low < 0 or high > 1):
            low, high, law = max(low, 0.0), min(high, 1.0), law + ", cut at 0 and 1"
        return Estimate(
            name,
            value,
            low=low,
            high=high,
            level=self.level,
            se=se,
            n=len(self.study.cases),
            events=self.events,
            method=f"{self.method}; {law}",
        )

    def _bare(self, name: str, value: float, reason: str) -> Estimate:
        if not np.isfinite(value):
            return not_available(name, reason, n=len(self.study.cases), events=self.events)
        return Estimate(
            name, value, level=self.level, n=len(self.study.cases), events=self.events, method=self.method, status="ok", reason=reason
        )

    @property
    def method(self) -> str:
        said = f"empirical AUC, mid-ranks; {_REFERENCE}; {self.readers} readers, {self.cases} cases"
        return said if self.cases == "fixed" else f"{said}; covariance: {_COVARIANCE_WORDS[self.covariance]}"

    def design(self) -> dict[str, Any]:
        """Return who read what, and what is random."""
        return {
            "readers": list(self.study.readers),
            "modalities": list(self.study.modalities),
            "cases": len(self.study.cases),
            "positives": self.events,
            "random": [word for word, kind in (("readers", self.readers), ("cases", self.cases)) if kind == "random"],
            "covariance": None if self.cases == "fixed" else self.covariance,
        }

    def warnings(self) -> tuple[Mapping[str, str], ...]:
        """Say what a reader of the figures should know."""
        found = []
        constant = np.argwhere(np.ptp(self.study.ratings, axis=0) == 0)
        if constant.size:
            modality, reader = (self.study.modalities[constant[0][0]], self.study.readers[constant[0][1]])
            said = f"Reader {reader} gave every case the same rating by modality {modality}: an AUC of 0.5 ({len(constant)} such)."
            found.append({"code": "constant_ratings", "text": said})
        if self.components.cov2 is not None and self.components.cov3 is not None and self.components.cov2 < self.components.cov3:
            said = (
                "Readers agree less by one modality than by two (cov2 below cov3); their difference was set to zero, as Hillis 2014 does."
            )
            found.append({"code": "negative_covariance", "text": said})
        fewest = min(self.events, len(self.study.cases) - self.events)
        if fewest < 20:
            said = f"Only {fewest} cases are of the rarer kind; the intervals hold for larger numbers."
            found.append({"code": "few_cases", "text": said})
        return tuple(found)


def _ratio(above: float, below: float) -> float | None:
    return above / below if below > 0 else None


def _checked(readers: str, cases: str, covariance: str, level: float) -> None:
    for name, word, known in (
        ("readers", readers, ("random", "fixed")),
        ("cases", cases, ("random", "fixed")),
        ("covariance", covariance, COVARIANCES),
    ):
        if word not in known:
            raise BadSetting(f"--{name} is '{word}'; {did_you_mean(word, known)}", item=name)
    if readers == cases == "fixed":
        raise BadSetting("With --readers fixed and --cases fixed nothing is uncertain; let one of them be random.", item="cases")
    if not 0 < level < 1:
        raise BadSetting(f"The level is {level}; give one between 0 and 1, such as 0.95.", item="level")
