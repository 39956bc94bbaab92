"""Whether a measure puts patients in the true order: Kendall's tau over pairs of a kind, patients drawn anew.

Kendall 1938, doi:10.1093/biomet/30.1-2.81. Pairs of different kinds (a vertebra and a femur) are not compared, nor are ties of the truth;
a tie of the measure counts half, as in Harrell's concordance, so that tau = 2 C - 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.validate.lesion_ratios import Drawing

Floats = npt.NDArray[np.float64]
METHOD = "Kendall's tau with the truth over pairs of one kind; patients drawn anew"
NO_PAIR = "no two of a kind can be compared"


@dataclass(frozen=True, slots=True, eq=False)
class _Tau:
    """Kendall's tau under weights of the patients."""

    agree: Floats
    counts: Floats

    def __call__(self, weights: Floats) -> Floats:
        pairs = float(weights @ self.counts @ weights)
        return np.array([float(weights @ self.agree @ weights) / pairs if pairs else np.nan])


def kendall(
    name: str,
    measure: npt.ArrayLike,
    truth: npt.ArrayLike,
    kinds: Sequence[object],
    patients: Sequence[str],
    drawing: Drawing | None = None,
) -> Estimate:
    """Return Kendall's tau of a measure with the truth, over pairs of a kind.

    Parameters
    ----------
    name : str
    measure, truth : array_like, shape (n,)
        Rows where either is missing are left out.
    kinds : sequence, shape (n,)
        Only rows of one kind are compared.
    patients : sequence of str, shape (n,)
    drawing : Drawing, optional

    Raises
    ------
    BadInput
        For unequal lengths.

    Examples
    --------
    >>> round(kendall("tau", [1.0, 2.0, 4.0, 3.0], [1.0, 2.0, 3.0, 4.0], ["a"] * 4, list("abcd"), Drawing(50)).value, 4)
    0.6667
    """
    x, y = np.asarray(measure, np.float64), np.asarray(truth, np.float64)
    if not len(x) == len(y) == len(kinds) == len(patients):
        raise BadInput(f"The measure has {len(x)} rows, the truth {len(y)}, the kinds {len(kinds)}; give one of each a row.")
    known = [int(i) for i in np.flatnonzero(np.isfinite(x) & np.isfinite(y))]
    x, y, who = x[known], y[known], [patients[i] for i in known]
    names = sorted({str(kinds[i]) for i in known})
    code = np.array([names.index(str(kinds[i])) for i in known], dtype=np.int64)
    order = np.sign(y[:, None] - y[None, :])
    counts = np.triu((code[:, None] == code[None, :]) & (order != 0), 1).astype(np.float64)
    if not counts.any():
        return not_available(name, NO_PAIR, n=len(set(who)), events=0)
    agree = counts * order * np.sign(x[:, None] - x[None, :])
    return (drawing or Drawing()).estimates([name], [METHOD], _Tau(agree, counts), who, events=len(who))[0]
