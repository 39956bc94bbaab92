"""Twenty spectra of one patient are not twenty patients: what an interval promises when it does not know whose rows they are.

A hundred virtual cohorts of 60 patients with several spectra each are drawn from a law whose true AUC is known. In every cohort
the same AUC gets two intervals: one that counts rows, one that counts patients. An interval at 95 % should hold the truth in about
95 cohorts of 100. Counting patients comes near it (with 60 of them, a little below); counting spectra does not.

Run it with ``python examples/04_spectra_are_not_patients.py``; it takes some seconds and writes nothing.
"""

import numpy as np

from onclair.core.estimate import Estimate
from onclair.validate.discrimination import auc
from onclair.virtual.claims import draw, law

COHORTS = 100


def main() -> None:
    spectra = law("clustered", patients=60, centres=2)
    rng = np.random.default_rng(1)
    by_rows, by_patients = [], []
    for _ in range(COHORTS):
        table = draw(spectra, rng).table
        truth, risk, patient = (table[column].to_numpy() for column in ("y", "p", "patient"))
        by_rows.append(auc("auc:claim", truth, risk))
        by_patients.append(auc("auc:claim", truth, risk, patients=patient))

    print(f"true AUC {spectra.true_auc:.4f}; one cohort of {by_patients[0].n} patients and {by_rows[0].n} spectra:")
    print(f"auc:claim {by_rows[0].text(3)} counting spectra")
    print(f"auc:claim {by_patients[0].text(3)} counting patients")

    naive, honest = held(by_rows, spectra.true_auc), held(by_patients, spectra.true_auc)
    print(f"intervals of {COHORTS} that hold the truth: {naive} counting spectra, {honest} counting patients")
    assert by_rows[0].value == by_patients[0].value, "the figure is the same; only its interval is not"
    assert naive < 75, "who counts spectra promises too much"
    assert honest >= 88, "who counts patients keeps the promise"


def held(estimates: list[Estimate], true: float) -> int:
    """Return how many intervals hold the truth."""
    return sum(e.low is not None and e.high is not None and e.low <= true <= e.high for e in estimates)


if __name__ == "__main__":
    main()
