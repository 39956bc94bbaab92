"""How often the gates make the answer 'cannot tell': on points with a fault, where they should, and on clean ones, where not."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

from onclair.core.errors import OnclairError
from onclair.core.estimate import Estimate
from onclair.core.values import Measurement
from onclair.run.benches.seen import Z
from onclair.run.benches.spectra_points import calibrated, one_a_patient
from onclair.science.spectra.point import Steps, measured
from onclair.validate.operating_points import wilson
from onclair.virtual.spectra_settings import FAULTS, VirtualSpectra

#: What is judged; ``clean`` has no fault.
JUDGED = ("clean", *FAULTS)
#: What an abstention is put down to where the chain refused the frames altogether.
REFUSED = "refused"
METHOD = (
    "share of points that a gate closes on or that the chain refuses, one point of each virtual patient of three centres, the usual light "
    "of each instrument known from {points} clean points of other patients as after a daily start; Wilson 1927"
)


def abstentions(what: str, patients: int, calibration: int, seed: int, pixels: int = 1024) -> tuple[Estimate, dict[str, Any]]:
    """Return how often the gates abstain where one thing is wrong, and which of them closed.

    Parameters
    ----------
    what : str
        One of :data:`JUDGED`.
    patients : int
        One point of each is judged.
    calibration : int
        Clean points that each instrument is calibrated on, of other patients.
    seed, pixels : int

    Returns
    -------
    estimate : Estimate
        ``abstain:WHAT``.
    detail : dict
        ``closed``: points that each gate closed on, one point perhaps on several; ``unexpected``: names of faulty points that passed, or of
        clean ones that did not.
    """
    fault = "none" if what == "clean" else what
    settings = VirtualSpectra.model_validate({"seed": seed, "pixels": pixels, "fault": fault, "patients": max(patients, 2)})

    @cache
    def steps(centre: int) -> Steps:
        return calibrated(settings, centre, calibration)

    closed: Counter[str] = Counter()
    passed, unexpected = 0, []
    for each in one_a_patient(settings, range(patients)):
        names = _closed(each.measurement, steps(each.person.centre))
        closed.update(names)
        passed += not names
        unexpected += [each.point.name] if bool(names) == (fault == "none") else []
    share = 1.0 - passed / patients
    low, high = wilson(share, patients, Z)
    method = METHOD.format(points=calibration)
    estimate = Estimate(f"abstain:{what}", share, low=low, high=high, n=patients, events=patients - passed, method=method)
    return estimate, {"what": what, "closed": dict(closed.most_common()), "unexpected": unexpected}


def _closed(measurement: Measurement, steps: Steps) -> list[str]:
    """Return the gates that a point closes, or that it is refused."""
    try:
        return [gate.name for gate in measured(measurement, steps).failed]
    except OnclairError:
        return [REFUSED]
