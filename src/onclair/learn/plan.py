"""What a segmentation network should look like for these scans: nnU-Net's rules, under a budget of memory and of CPU seconds a step.

A plan follows from the scans, the preset and the seed of the folds alone; the machine is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadCohort, BadInput, BadSetting
from onclair.core.names import did_you_mean
from onclair.learn.plan_topology import Budget, Topology, Triple, fitted

Floats: TypeAlias = npt.NDArray[np.float64]
Spacing: TypeAlias = tuple[float, float, float]
#: Percentiles of foreground that become the clip.
CLIP = (0.5, 99.5)
#: An axis is coarse beyond this many times the others (nnU-Net's ``ANISO_THRESHOLD``), and then takes this percentile of its spacing.
ANISOTROPIC, FINE_PERCENTILE = 3.0, 10.0
#: A preset that may coarsen goes on until the patch holds this share of the median scan (nnU-Net's threshold of its low resolution).
SHARE_SEEN, COARSER = 0.25, 1.03


@dataclass(frozen=True, slots=True)
class Preset:
    """How much a training may cost.

    Attributes
    ----------
    budget : Budget
    steps : int
        Where none are asked for.
    coarsest_mm : float or None
        Spacing up to which fine axes may be coarsened so that a patch sees enough; None keeps the spacing of the data.
    """

    budget: Budget
    steps: int
    coarsest_mm: float | None = None


#: ``demo`` is for detection within an hour on two cores; ``full`` has nnU-Net's own width, memory and number of steps.
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "demo": Preset(Budget(0.35, 1.0, 8, 64, 6), 6000, 2.0),
        "laptop": Preset(Budget(3.0, 4.0, 8, 64), 10_000),
        "full": Preset(Budget(120.0, 8.0, 32, 320), 250_000),
    }
)


class Tally:
    """Every foreground value of a cohort with how often it occurs, so that percentiles are exact and no scan is kept.

    Examples
    --------
    >>> tally = Tally().add(np.array([10, 20, 20, 40])).add(np.array([30]))
    >>> tally.n, tally.percentile(50), tally.mean, round(tally.std, 4)
    (5, 20.0, 24.0, 10.198)
    """

    def __init__(self) -> None:
        self._values: Floats = np.zeros(0)
        self._counts: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def add(self, values: npt.NDArray[Any]) -> Tally:
        """Count the values of one scan; returns itself."""
        new, counts = np.unique(np.asarray(values, dtype=np.float64), return_counts=True)
        every, back = np.unique(np.concatenate([self._values, new]), return_inverse=True)
        self._counts = np.bincount(back, np.concatenate([self._counts, counts]), every.size).astype(np.int64)
        self._values = every
        return self

    @property
    def n(self) -> int:
        """How many values there are."""
        return int(self._counts.sum())

    @property
    def mean(self) -> float:
        """Their mean."""
        return float(self._values @ self._counts / self.n)

    @property
    def std(self) -> float:
        """Their standard deviation, of the whole."""
        return float(np.sqrt((self._values - self.mean) ** 2 @ self._counts / self.n))

    def percentile(self, share: float) -> float:
        """Return a percentile with straight lines between ranks, as ``numpy.percentile``."""
        rank = (self.n - 1) * share / 100
        ends = np.cumsum(self._counts)
        low, high = (self._values[np.searchsorted(ends, at, side="right")] for at in (np.floor(rank), np.ceil(rank)))
        return float(low + (high - low) * (rank - np.floor(rank)))


@dataclass(frozen=True, slots=True)
class Scan:
    """What a plan needs to know of one scan.

    Attributes
    ----------
    case, patient : str
    spacing_mm : (float, float, float)
        Along left-right, back-front, down-up; see :func:`onclair.learn.tile_grid.upright`.
    shape : (int, int, int)
    has_foreground : bool
    """

    case: str
    patient: str
    spacing_mm: Spacing
    shape: Triple
    has_foreground: bool


@dataclass(frozen=True, slots=True)
class FoldCases:
    """One cut: the cases to train on, and those held out."""

    train: tuple[str, ...]
    validation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A network and how scans are shown to it.

    Attributes
    ----------
    spacing_mm : (float, float, float)
        Of the network's grid, axes towards left, back and head.
    patch : (int, int, int)
    batch : int
    features : tuple of int
        Filters of each stage.
    strides, kernels : tuple of (int, int, int)
    clip : (float, float)
        HU.
    mean, std : float
        HU; a scan is clipped, then ``(HU - mean) / std``.
    classes : tuple of str
        Background first.
    folds : tuple of FoldCases

    Examples
    --------
    >>> plan = Plan((2.0, 2.0, 2.0), (16, 16, 16), 2, (4, 8, 8), ((1, 1, 1),) * 3, ((3, 3, 3),) * 3, (-50.0, 150.0), 50.0, 100.0)
    >>> plan.normalised(np.array([-1000.0, 50.0, 400.0])).tolist()
    [-1.0, 0.0, 1.0]
    >>> Plan.from_record(plan.as_record()) == plan
    True
    """

    spacing_mm: Spacing
    patch: Triple
    batch: int
    features: tuple[int, ...]
    strides: tuple[Triple, ...]
    kernels: tuple[Triple, ...]
    clip: tuple[float, float]
    mean: float
    std: float
    classes: tuple[str, ...] = ("background", "lesion")
    folds: tuple[FoldCases, ...] = field(default=(), compare=False)

    def normalised(self, hu: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return HU as the network is shown them, float32."""
        return np.asarray((np.clip(hu, *self.clip) - self.mean) / max(self.std, 1e-8), dtype=np.float32)

    @property
    def air(self) -> float:
        """What stands beyond the faces of a scan."""
        return float(self.normalised(np.array([-1024.0]))[0])

    @property
    def topology(self) -> Topology:
        """The stages."""
        return Topology(self.patch, self.strides, self.kernels)

    @property
    def sha256(self) -> str:
        """Of the plan without its folds: two networks of one plan are shown scans alike."""
        return sha256_of(self.as_record())

    def as_record(self) -> dict[str, Any]:
        """Return plain JSON values, the folds apart."""
        return {
            "spacing_mm": list(self.spacing_mm),
            "patch": list(self.patch),
            "batch": self.batch,
            "features": list(self.features),
            "strides": [list(each) for each in self.strides],
            "kernels": [list(each) for each in self.kernels],
            "clip": list(self.clip),
            "mean": self.mean,
            "std": self.std,
            "classes": list(self.classes),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values with the folds."""
        folds = [{"train": list(fold.train), "validation": list(fold.validation)} for fold in self.folds]
        return {**self.as_record(), "folds": folds}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Plan:
        """Return the plan that :meth:`as_record` wrote."""
        return cls(
            _floats(record["spacing_mm"]),
            _ints(record["patch"]),
            int(record.get("batch", 1)),
            tuple(int(each) for each in record.get("features", ())),
            tuple(_ints(each) for each in record.get("strides", ())),
            tuple(_ints(each) for each in record.get("kernels", ())),
            (float(record["clip"][0]), float(record["clip"][1])),
            float(record["mean"]),
            float(record["std"]),
            tuple(str(each) for each in record.get("classes", ("background", "lesion"))),
        )


def plan_of(
    scans: Sequence[Scan],
    foreground: Tally,
    *,
    preset: str = "laptop",
    classes: tuple[str, ...] = ("background", "lesion"),
    folds: int = 5,
    rng: np.random.Generator,
) -> Plan:
    """Return the plan for a cohort.

    Parameters
    ----------
    scans : sequence of Scan
    foreground : Tally
        Of every voxel of every lesion.
    preset : {"demo", "laptop", "full"}
    classes : tuple of str
    folds : int
        Parts by patient; as many as there are patients where those are fewer.
    rng : numpy Generator
        Decides who goes where.

    Raises
    ------
    BadSetting
        For an unknown preset, or fewer than two folds.
    BadCohort
        For a cohort without any foreground, or of a single patient.

    References
    ----------
    Isensee et al., Nat Methods 2021;18:203-211, doi:10.1038/s41592-020-01008-z; rechecked against
    ``default_experiment_planner.py`` of nnU-Net 2. Departures: every foreground voxel counts (nnU-Net draws 10 000 a case), the
    budget has CPU seconds beside memory, the batch is the preset's (2, and 6 for `demo`), and `demo` coarsens fine axes, at most to 2 mm,
    and has patches of equal sides.

    Examples
    --------
    >>> scans = [Scan(f"c{i}", f"p{i}", (1.0, 1.0, 2.0), (60, 60, 40), True) for i in range(4)]
    >>> plan = plan_of(scans, Tally().add(np.arange(201.0)), folds=2, rng=np.random.default_rng(0))
    >>> plan.spacing_mm, plan.clip, plan.mean, [len(fold.validation) for fold in plan.folds]
    ((1.0, 1.0, 2.0), (1.0, 199.0), 100.0, [2, 2])
    """
    if preset not in PRESETS:
        raise BadSetting(f"There is no preset '{preset}'; {did_you_mean(preset, PRESETS)}", item="preset")
    if foreground.n == 0:
        raise BadCohort("None of the label maps holds a lesion, so there is nothing to learn; give a cohort with lesions.", item="lesions")
    chosen = PRESETS[preset]
    spacing, topology = _grid(scans, chosen)
    low, high = (foreground.percentile(share) for share in CLIP)
    if high <= low:
        raise BadInput(f"All foreground voxels are about {low:g}, so no clip can be planned; check the labels.", item="clip")
    features = topology.features(chosen.budget.least, chosen.budget.most)
    shown = (low, high), foreground.mean, foreground.std, classes, folds_of(scans, folds, rng)
    return Plan(spacing, topology.patch, chosen.budget.batch, features, topology.strides, topology.kernels, *shown)


def target_spacing(spacings: npt.ArrayLike, shapes: npt.ArrayLike) -> Spacing:
    """Return the median spacing of each axis; of a coarse axis with few slices, the 10th percentile.

    Parameters
    ----------
    spacings : array_like, shape (n, 3)
        In mm.
    shapes : array_like, shape (n, 3)
        In voxels.

    Examples
    --------
    An axis of 5 mm beside 1 mm, 20 slices beside 100: the 10th percentile of 3, 5 and 5 mm is 3 + 0.2 x 2.

    >>> target_spacing([[1, 1, 3], [1, 1, 5], [1, 1, 5]], [[100, 100, 20]] * 3)
    (1.0, 1.0, 3.4)
    >>> target_spacing([[1, 1, 3], [1, 1, 5], [1, 1, 5]], [[100, 100, 90]] * 3)
    (1.0, 1.0, 5.0)
    """
    all_mm = np.asarray(spacings, dtype=np.float64)
    target, size = np.median(all_mm, axis=0), np.median(np.asarray(shapes, dtype=np.float64), axis=0)
    coarse = int(np.argmax(target))
    others = [axis for axis in range(3) if axis != coarse]
    if target[coarse] > ANISOTROPIC * target[others].max() and size[coarse] * ANISOTROPIC < size[others].min():
        target[coarse] = max(float(np.percentile(all_mm[:, coarse], FINE_PERCENTILE)), float(target[others].max()))
    return float(target[0]), float(target[1]), float(target[2])


def folds_of(scans: Sequence[Scan], folds: int, rng: np.random.Generator) -> tuple[FoldCases, ...]:
    """Return the cuts by patient, those with lesions spread evenly.

    Raises
    ------
    BadSetting
        For fewer than two folds.
    BadCohort
        For a single patient.
    """
    if folds < 2:
        raise BadSetting(f"{folds} folds were asked for; at least 2 are needed to hold patients out.", item="folds")
    ill: dict[str, bool] = {}
    for scan in scans:
        ill[scan.patient] = ill.get(scan.patient, False) or scan.has_foreground
    if len(ill) < 2:
        raise BadCohort("There is only one patient, so nobody can be held out; give at least two.", item="folds")
    part: dict[str, int] = {}
    for group in (True, False):
        for patient in rng.permutation(np.array(sorted(who for who, has in ill.items() if has is group), dtype=object)):
            part[str(patient)] = len(part) % min(folds, len(ill))
    cuts = range(min(folds, len(ill)))
    return tuple(
        FoldCases(tuple(s.case for s in scans if part[s.patient] != cut), tuple(s.case for s in scans if part[s.patient] == cut))
        for cut in cuts
    )


def _grid(scans: Sequence[Scan], preset: Preset) -> tuple[Spacing, Topology]:
    """Return the spacing and the stages; a preset that may coarsen does, until a patch sees a quarter of the median scan.

    Its patches are as long in mm along each axis, whatever the shape of the scans: a lesion is looked at from all sides alike.
    """
    spacing = target_spacing([scan.spacing_mm for scan in scans], [scan.shape for scan in scans])
    extents = np.array([np.multiply(scan.spacing_mm, scan.shape) for scan in scans])
    if preset.coarsest_mm is None:
        return spacing, fitted(spacing, _median(extents / spacing), preset.budget)
    cube = np.full(3, np.median(extents, axis=0).min())
    topology = fitted(spacing, _floats((cube / spacing).tolist()), preset.budget)
    finest = min(spacing)
    while finest < preset.coarsest_mm:
        if np.prod(topology.patch) >= SHARE_SEEN * np.prod(_median(extents / spacing)):
            break
        finest = min(finest * COARSER, preset.coarsest_mm)
        spacing = _floats([max(each, finest) for each in spacing])
        topology = fitted(spacing, _floats((cube / spacing).tolist()), preset.budget)
    return spacing, topology


def _median(rows: Floats) -> Spacing:
    return _floats(np.median(rows, axis=0).tolist())


def _floats(values: Sequence[Any]) -> Spacing:
    return float(values[0]), float(values[1]), float(values[2])


def _ints(values: Sequence[Any]) -> Triple:
    return int(values[0]), int(values[1]), int(values[2])
