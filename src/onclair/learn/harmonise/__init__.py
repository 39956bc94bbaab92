"""Harmonisation: batch effects learnt on training samples, taken off those and any later ones; the outcome is never looked at.

`combat.py`, `zscore.py`, `nested.py`, `covbat.py` fit; `location_scale.py` is what most of them leave; `aliasing.py` refuses.
"""

from onclair.learn.harmonise.aliasing import ALIASED as ALIASED
from onclair.learn.harmonise.aliasing import aliasing as aliasing
from onclair.learn.harmonise.aliasing import refuse_aliased as refuse_aliased
from onclair.learn.harmonise.aliasing import refuse_outcome_among as refuse_outcome_among
from onclair.learn.harmonise.classifier import BatchClassifier as BatchClassifier
from onclair.learn.harmonise.combat import ComBat as ComBat
from onclair.learn.harmonise.covbat import CovBat as CovBat
from onclair.learn.harmonise.covbat import FittedCovBat as FittedCovBat
from onclair.learn.harmonise.location_scale import LocationScale as LocationScale
from onclair.learn.harmonise.nested import FittedNested as FittedNested
from onclair.learn.harmonise.nested import Nested as Nested
from onclair.learn.harmonise.none import Unharmonised as Unharmonised
from onclair.learn.harmonise.protocol import FittedHarmoniser as FittedHarmoniser
from onclair.learn.harmonise.protocol import Harmoniser as Harmoniser
from onclair.learn.harmonise.protocol import Unseen as Unseen
from onclair.learn.harmonise.saved import harmoniser_of as harmoniser_of
from onclair.learn.harmonise.saved import harmoniser_record as harmoniser_record
from onclair.learn.harmonise.zscore import ZScore as ZScore
