"""Prediction sets over two or more classes: LAC and APS, for everyone, by class or by centre (Mondrian)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadModelFile, BadSetting
from onclair.core.names import did_you_mean
from onclair.learn.conformal.threshold import SLACK, Threshold, check_alpha, threshold, too_few

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Misfit = Literal["lac", "aps", "aps-randomised"]
Taxonomy = Literal["everyone", "class", "group"]


@dataclass(frozen=True, slots=True)
class SetRule:
    """What is promised, and to whom.

    Attributes
    ----------
    alpha : float, in (0, 1)
        Share of new patients whose true class may lie outside the set.
    misfit : {"lac", "aps", "aps-randomised"}
        ``lac``: 1 - risk of the class, the smallest sets on average. ``aps``: the risks of all likelier classes, summed, so that a set
        takes classes from the likeliest down and is never empty; sets adapt to how hard the case is, and cover more than promised where
        the likeliest class alone would do. ``aps-randomised`` adds a uniform share of the class's own risk, which makes coverage exact
        and some sets empty.
    by : {"everyone", "class", "group"}
        Whether the promise holds over all, within each true class, or within each group (centre), each with a threshold of its own.

    Raises
    ------
    BadSetting
        For alpha outside (0, 1), an unknown misfit or taxonomy.

    Examples
    --------
    >>> SetRule(misfit="asp")
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadSetting: The setting 'misfit' of the prediction sets is 'asp'; known: aps, aps-randomised, lac.
    """

    alpha: float = 0.1
    misfit: Misfit = "lac"
    by: Taxonomy = "everyone"

    def __post_init__(self) -> None:
        check_alpha(self.alpha)
        for name, known in (("misfit", get_args(Misfit)), ("by", get_args(Taxonomy))):
            if (value := getattr(self, name)) not in known:
                raise BadSetting(f"The setting '{name}' of the prediction sets is '{value}'; {did_you_mean(str(value), known)}", item=name)


@dataclass(frozen=True, slots=True)
class PredictionSets:
    """Calibrated prediction sets.

    Attributes
    ----------
    rule : SetRule
    classes : int
        How many there are; a set is a row of that many bools.
    thresholds : mapping of str to Threshold
        By group: one named ``"everyone"``, or one for each class (``"0"``, ``"1"``...), or one for each group.

    Examples
    --------
    >>> calibrated = PredictionSets(SetRule(0.1), 2, {"everyone": Threshold(0.6, 50)})
    >>> calibrated.sets([0.5, 0.1]).tolist()
    [[True, True], [True, False]]
    """

    rule: SetRule
    classes: int
    thresholds: Mapping[str, Threshold]

    def sets(self, risks: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, rng: np.random.Generator | None = None) -> Bools:
        """Return which classes cannot be ruled out.

        Parameters
        ----------
        risks : array_like in [0, 1], shape (n, classes), or (n,) for the risk of class 1 of two
        groups : array_like, shape (n,), optional
            Needed where the rule is by group; a group that was not there in calibration gets the full set, and :meth:`notes` says so.
        rng : numpy Generator, optional
            Needed where the rule is randomised.

        Returns
        -------
        ndarray, bool, shape (n, classes)

        Raises
        ------
        BadInput
            For risks that are none, another number of classes, or absent groups or random numbers.

        Examples
        --------
        >>> PredictionSets(SetRule(0.1, "aps"), 3, {"everyone": Threshold(0.7, 50)}).sets([[0.6, 0.3, 0.1]]).tolist()
        [[True, True, False]]
        """
        p = checked_risks(risks)
        if p.shape[1] != self.classes:
            raise BadInput(f"The risks are of {p.shape[1]} classes; these sets were calibrated on {self.classes}.")
        limits = {name: np.inf if t.value is None else t.value for name, t in self.thresholds.items()}
        if self.rule.by == "class":
            limit = np.array([limits[str(k)] for k in range(self.classes)])[None, :]
        else:
            names = _groups(groups, len(p)) if self.rule.by == "group" else np.full(len(p), "everyone")
            limit = np.array([limits.get(str(name), np.inf) for name in names])[:, None]
        return np.asarray(misfits(p, self.rule.misfit, rng) <= limit + SLACK)

    def notes(self, groups: npt.ArrayLike | None = None) -> tuple[str, ...]:
        """Return, in words, for whom nothing can be ruled out: groups too small in calibration, and those of `groups` that were absent.

        Examples
        --------
        >>> PredictionSets(SetRule(0.1, by="group"), 2, {"4": Threshold(None, 7)}).notes(["4", "9"])[0]
        'Group 4: 7 patients are too few for sets that miss at most 10 %; at least 9 are needed, so every class stays possible there.'
        """
        what = {"everyone": "Everyone", "class": "Class {}", "group": "Group {}"}[self.rule.by]
        end = "so every class stays possible there" if self.rule.by != "class" else "so that class always stays possible"
        small = [
            f"{what.format(name)}: {too_few(t.patients, self.rule.alpha)}, {end}." for name, t in self.thresholds.items() if t.value is None
        ]
        present = [] if groups is None or self.rule.by != "group" else sorted({str(g) for g in np.asarray(groups).ravel()})
        absent = [
            f"Group {name}: it was not there in calibration, so every class stays possible there."
            for name in present
            if name not in self.thresholds
        ]
        return (*small, *absent)

    def as_record(self) -> dict[str, Any]:
        """Return plain JSON values, as ``onclair-model/1`` keeps them.

        Examples
        --------
        >>> PredictionSets(SetRule(0.1), 2, {"everyone": Threshold(0.6, 50)}).as_record()["thresholds"]
        [{'group': 'everyone', 'threshold': 0.6, 'patients': 50}]
        """
        found = [{"group": name, "threshold": t.value, "patients": t.patients} for name, t in self.thresholds.items()]
        rule = {"alpha": self.rule.alpha, "misfit": self.rule.misfit, "by": self.rule.by}
        return {"kind": "sets", **rule, "classes": self.classes, "thresholds": found}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> PredictionSets:
        """Return what :meth:`as_record` wrote.

        Raises
        ------
        BadModelFile
            When it is of another kind, or lacks or mangles an entry.
        """
        try:
            if record["kind"] != "sets":
                raise BadModelFile(f"The conformal answer is of kind '{record['kind']}'; expected 'sets'.", item="conformal")
            rule = SetRule(float(record["alpha"]), record["misfit"], record["by"])
            return cls(rule, int(record["classes"]), {str(t["group"]): _threshold(t) for t in record["thresholds"]})
        except (KeyError, TypeError, ValueError, BadSetting) as error:
            said = f"The prediction sets of the model lack or mangle an entry ({error}); save the model again."
            raise BadModelFile(said, item="conformal") from None


def prediction_sets(
    risks: npt.ArrayLike,
    truth: npt.ArrayLike,
    patients: npt.ArrayLike,
    rule: SetRule,
    *,
    groups: npt.ArrayLike | None = None,
    rng: np.random.Generator | None = None,
) -> PredictionSets:
    """Calibrate prediction sets on risks that the model gave to rows it had not seen.

    Parameters
    ----------
    risks : array_like in [0, 1], shape (n, classes), or (n,) for the risk of class 1 of two
        Rows sum to 1.
    truth : array_like of int, shape (n,)
        The true class of each row, 0 to classes - 1.
    patients : array_like, shape (n,)
        The patient is the unit: rows that share one share its weight.
    rule : SetRule
    groups : array_like, shape (n,), optional
        The centre (or other group) of each row; needed where the rule is by group.
    rng : numpy Generator, optional
        Needed where the rule is randomised.

    Returns
    -------
    PredictionSets
        Coverage at least 1 - alpha on patients exchangeable with these, overall, within each true class or within each group as the
        rule says. A class or group with too few patients is never ruled out, which :meth:`PredictionSets.notes` says aloud.

    Raises
    ------
    BadInput
        For risks that are none or do not sum to 1, a truth that is no class, unequal lengths, absent groups or random numbers.

    References
    ----------
    LAC: Sadinle, Lei & Wasserman 2019, doi:10.1080/01621459.2017.1395341. APS: Romano, Sesia & Candes 2020, section 2,
    doi:10.48550/arXiv.2006.02544. Mondrian: Vovk, Gammerman & Shafer 2005, section 4.5, doi:10.1007/b106715.

    Examples
    --------
    Nine patients at alpha 0.2: the 8th smallest of .1 to .9.

    >>> risks = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
    >>> prediction_sets(risks, [1] * 9, range(9), SetRule(0.2)).thresholds["everyone"].value
    0.8
    """
    p = checked_risks(risks)
    y, names = np.asarray(truth), np.asarray(patients)
    if not len(p) == len(y) == len(names) or y.ndim != 1 or names.ndim != 1:
        raise BadInput(f"Risks {p.shape}, truth {y.shape} and patients {names.shape} differ in length; give one of each a row.")
    foreign = ~np.isin(y, np.arange(p.shape[1]))
    if foreign.any():
        at = int(np.argmax(foreign))
        raise BadInput(f"The truth of row {at} is {y[at]!r}; it must be a class from 0 to {p.shape[1] - 1}.")
    mine = misfits(p, rule.misfit, rng)[np.arange(len(p)), y.astype(np.int64)]
    of_row = {"everyone": np.full(len(p), "everyone"), "class": y.astype(np.int64).astype(str)}
    belongs = of_row[rule.by] if rule.by != "group" else _groups(groups, len(p))
    cells = [str(k) for k in range(p.shape[1])] if rule.by == "class" else sorted({str(g) for g in belongs})
    found = {cell: threshold(mine[belongs == cell], names[belongs == cell], rule.alpha) for cell in cells}
    return PredictionSets(rule, p.shape[1], found)


def misfits(risks: Floats, misfit: Misfit, rng: np.random.Generator | None = None) -> Floats:
    """Return how strange each class would be for each row, shape (n, classes), 0 (expected) to 1.

    Parameters
    ----------
    risks : ndarray, float64, shape (n, classes)
        Rows sum to 1.
    misfit : {"lac", "aps", "aps-randomised"}
    rng : numpy Generator, optional
        One uniform number a row where it is randomised.

    Raises
    ------
    BadInput
        When random numbers are needed and absent.

    Examples
    --------
    >>> misfits(np.array([[0.5, 0.2, 0.3]]), "aps").round(6).tolist(), misfits(np.array([[0.5, 0.2, 0.3]]), "lac").tolist()
    ([[0.0, 0.8, 0.5]], [[0.5, 0.8, 0.7]])
    """
    if misfit == "lac":
        return np.asarray(1 - risks)
    order = np.argsort(-risks, axis=1, kind="stable")
    ranked = np.take_along_axis(risks, order, axis=1)
    likelier = np.empty_like(risks)
    np.put_along_axis(likelier, order, np.cumsum(ranked, axis=1) - ranked, axis=1)
    if misfit == "aps":
        return likelier
    if rng is None:
        raise BadInput("Randomised prediction sets need random numbers; pass rng=numpy.random.default_rng(SEED).")
    return np.asarray(likelier + (1 - rng.random(len(risks))[:, None]) * risks)


def checked_risks(risks: npt.ArrayLike) -> Floats:
    """Return risks as float64 of shape (n, classes); (n,) stands for the risk of class 1 of two.

    Raises
    ------
    BadInput
        For another shape, a risk outside [0, 1] or rows that do not sum to 1 (within 1e-6).

    Examples
    --------
    >>> checked_risks([0.25]).tolist()
    [[0.75, 0.25]]
    """
    p = np.asarray(risks, dtype=np.float64)
    if p.ndim not in (1, 2) or (p.ndim == 2 and p.shape[1] < 2):
        raise BadInput(f"Risks have shape {p.shape}; give (rows, classes) with two classes or more, or one risk a row.")
    outside = ~((p >= 0) & (p <= 1))
    if outside.any():
        at = int(np.argmax(outside.reshape(len(p), -1).any(axis=1)))
        raise BadInput(f"The risk of row {at} is {p[at]}; risks lie in [0, 1].")
    if p.ndim == 1:
        return np.column_stack([1 - p, p])
    off = np.abs(p.sum(axis=1) - 1) > 1e-6
    if off.any():
        at = int(np.argmax(off))
        raise BadInput(f"The risks of row {at} sum to {p[at].sum():g}; those of all classes sum to 1.")
    return p


def _groups(groups: npt.ArrayLike | None, rows: int) -> npt.NDArray[np.str_]:
    if groups is None:
        raise BadInput("Prediction sets by group need the group (centre) of each row; pass groups.")
    names = np.asarray(groups).astype(str)
    if names.shape != (rows,):
        raise BadInput(f"Groups of shape {names.shape} were given for {rows} rows; give one a row.")
    return np.asarray(names)


def _threshold(entry: Mapping[str, Any]) -> Threshold:
    value = entry["threshold"]
    return Threshold(None if value is None else float(value), int(entry["patients"]))
