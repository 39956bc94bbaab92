"""Conformal prediction: sets and intervals that miss at most a promised share of new patients, and how well the promise holds.

`threshold.py` (the one quantile), `binary.py`, `classes.py`, `intervals.py`, `coverage.py` (per centre), `selective.py` (AURC).
"""

from onclair.learn.conformal.binary import Conformal as Conformal
from onclair.learn.conformal.binary import LeaveOneOut as LeaveOneOut
from onclair.learn.conformal.binary import conformal as conformal
from onclair.learn.conformal.binary import leave_one_out as leave_one_out
from onclair.learn.conformal.classes import PredictionSets as PredictionSets
from onclair.learn.conformal.classes import SetRule as SetRule
from onclair.learn.conformal.classes import prediction_sets as prediction_sets
from onclair.learn.conformal.coverage import Exchangeability as Exchangeability
from onclair.learn.conformal.coverage import coverage as coverage
from onclair.learn.conformal.coverage import coverage_law as coverage_law
from onclair.learn.conformal.coverage import exchangeable_by_centre as exchangeable_by_centre
from onclair.learn.conformal.intervals import ConformalIntervals as ConformalIntervals
from onclair.learn.conformal.intervals import quantile_intervals as quantile_intervals
from onclair.learn.conformal.intervals import residual_intervals as residual_intervals
from onclair.learn.conformal.saved import conformal_model as conformal_model
from onclair.learn.conformal.saved import conformal_of as conformal_of
from onclair.learn.conformal.selective import RiskCoverage as RiskCoverage
from onclair.learn.conformal.selective import aurc as aurc
from onclair.learn.conformal.selective import risk_coverage as risk_coverage
from onclair.learn.conformal.threshold import Threshold as Threshold
from onclair.learn.conformal.threshold import threshold as threshold
from onclair.learn.conformal.threshold import worst_of_each as worst_of_each
