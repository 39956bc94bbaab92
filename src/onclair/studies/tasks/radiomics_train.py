"""`onclair radiomics train`: a cohort in; an ensemble of small 3-D networks out, judged on patients whom each member never saw."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.canonical import sha256_of
from onclair.core.cohort import Cohort
from onclair.core.errors import BadCohort, NoRoom, OnclairError
from onclair.core.estimate import Estimate, not_available
from onclair.core.outcome import Outcome
from onclair.core.progress import Listener, Progress, silent
from onclair.core.seeds import rng_for
from onclair.core.study import MapFunction
from onclair.io.cohorts import check_cohort, read_cohort
from onclair.io.files import sha256_file
from onclair.io.manifest import MANIFEST
from onclair.io.networks import NetworkRecord, network_record, open_network, save_network
from onclair.learn.adapters import network_extra
from onclair.learn.network_input import NetworkInput
from onclair.run.environment import environment
from onclair.run.left_out import left_out
from onclair.run.occupied import refuse_around
from onclair.run.pool import pool
from onclair.studies.tasks.radiomics_audit_plan import KINDS, Reading
from onclair.studies.tasks.radiomics_train_patients import Shown, ShowTask, modality_of, refuse_bad, show_patient, truth_of
from onclair.validate.confounds import too_few_events
from onclair.validate.truths import Timed, Truth, rival

if TYPE_CHECKING:
    from onclair.learn.cnn3d import Ensemble

Floats = npt.NDArray[np.float64]
#: How the folder beside the model ends, in which a training that was killed goes on.
UNFINISHED = ".partial"
#: The largest difference between ONNX and torch.
MOST_APART = 1e-4


@dataclass(frozen=True, slots=True)
class Train:
    """What to train, on whom, into which folder.

    Attributes
    ----------
    data, out : Path
        The cohort's folder, and the network folder to write.
    outcome : str or None
        Binary or survival; the only one of the cohort when None.
    modality : str or None
        PET, CT or MR; the only one of the cohort when None.
    structure : str or None
        The label in the outline; all together when None.
    folds : int
        Members of the ensemble.
    epochs, size : int
        Passes over the patients; voxels of the network's grid along each axis.
    spacing_mm : float
        Of that grid.
    channels : tuple of str
        Of :data:`onclair.learn.network_input.CHANNELS`.
    normalise : {"z-score", "none"}
    seed, workers : int
        No result depends on `workers`.
    skip_bad : bool
        Whether to go on without patients who cannot be used.
    progress : callable
    """

    data: Path
    out: Path
    outcome: str | None = None
    modality: str | None = None
    structure: str | None = None
    folds: int = 5
    epochs: int = 40
    size: int = 20
    spacing_mm: float = 5.0
    channels: tuple[str, ...] = ("inside", "mask")
    normalise: str = "z-score"
    seed: int = 1
    workers: int = 1
    skip_bad: bool = False
    progress: Listener = silent

    @property
    def shown(self) -> NetworkInput:
        """What the networks are shown."""
        return NetworkInput((self.spacing_mm,) * 3, (self.size,) * 3, self.channels, self.normalise)

    def settings(self) -> dict[str, Any]:
        """Return what the network depends on besides the patients and the code."""
        return {"folds": self.folds, "epochs": self.epochs, "seed": self.seed, "shown": self.shown.as_record()}


@dataclass(frozen=True, slots=True, eq=False)
class TrainedModel:
    """What a training leaves.

    Attributes
    ----------
    model : Path
    model_sha256 : str
        Of its manifest, which holds the hash of every file.
    outcome : str
    patients, events : int
    left_out : tuple of mapping
        ``patient`` and ``reason``.
    estimates : tuple of Estimate
        Of scores by members that never saw the patient.
    onnx_error : float
        The largest difference, over patients and members, between the ONNX file and the networks themselves.
    warnings : tuple of mapping
    """

    model: Path
    model_sha256: str
    outcome: str
    patients: int
    events: int
    left_out: tuple[Mapping[str, str], ...]
    estimates: tuple[Estimate, ...]
    onnx_error: float
    warnings: tuple[Mapping[str, str], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        names = ("model_sha256", "outcome", "patients", "events", "onnx_error")
        return {
            "model": str(self.model),
            **{name: getattr(self, name) for name in names},
            "left_out": [dict(each) for each in self.left_out],
            "estimates": [estimate.as_dict() for estimate in self.estimates],
            "warnings": [dict(each) for each in self.warnings],
        }


def train(asked: Train) -> TrainedModel:
    """Train an ensemble on a cohort, going on with what a killed training left.

    Parameters
    ----------
    asked : Train

    Returns
    -------
    TrainedModel

    Raises
    ------
    BadCohort, BadTable
        For a cohort that is inconsistent as a whole, an outcome that is neither binary nor survival, or of one class.
    BadCase
        For the first patient whose files cannot be used, unless `skip_bad`.
    BadInput
        For folds without both outcomes.
    NoRoom
        When the model's folder is taken or cannot be written.
    OnclairError
        When a training diverges, or the ONNX file does not answer as the networks do.

    Notes
    -----
    The out-of-fold figures are of single members; the model that is saved averages them all, and on its own patients would look better
    than it is. Audit it on others: the audit knows the patients of the training again and refuses them.
    """
    _check_free(asked)
    cohort, outcome, reading, problems = _checked(asked)
    with pool(asked.workers) as over:
        seen = _shown(asked, cohort, reading, over)
        problems += [(each.patient, each.reason) for each in seen if each.reason is not None]
        kept = [each for each in seen if each.volume is not None]
        truth = truth_of(cohort, outcome, [each.patient for each in kept])
        ensemble, volumes, unfinished = _fitted(asked, cohort, kept, truth, over)
    estimates = _figures(truth, ensemble.out_of_fold, np.array([each.volume_ml for each in kept]))
    tables = _card(asked, cohort, outcome, reading, truth, estimates[0])
    record = _record(asked, ensemble, volumes, tables, tuple(each.image for each in kept))
    apart = _onnx_error(record, ensemble, volumes)
    save_network(asked.out, record)
    shutil.rmtree(unfinished, ignore_errors=True)
    left = tuple(left_out(problems, cohort))
    warnings = _warnings(cohort, truth, left, sum(each.cut for each in kept))
    sealed = sha256_file(asked.out / MANIFEST)
    return TrainedModel(asked.out, sealed, outcome.name, len(kept), truth.events, left, estimates, apart, warnings)


def _check_free(asked: Train) -> None:
    """Refuse, before anything is trained, a folder that could not be written afterwards."""
    refuse_around(asked.out, asked.data)
    if asked.out.exists() and (not asked.out.is_dir() or any(asked.out.iterdir())):
        raise NoRoom(f"{asked.out} exists and is not empty; nothing was replaced: choose another --out.", item=str(asked.out))


def _checked(asked: Train) -> tuple[Cohort, Outcome, Reading, list[tuple[str, str]]]:
    """Return the patients whose tables are in order, what to predict, what to read, and who was left out."""
    whole = read_cohort(asked.data)
    outcome = whole.outcome(asked.outcome)
    if outcome.kind not in ("binary", "survival"):
        raise BadCohort(
            f"The outcome '{outcome.name}' is {outcome.kind}; a binary or a survival one can be trained for.", item=outcome.name
        )
    kind, unit = KINDS[modality_of(whole, asked.modality)]
    check = check_cohort(asked.data, (kind, "mask"), outcome)
    problems = [(each.patient, each.sentence) for each in check.problems]
    refuse_bad(problems, skip=asked.skip_bad)
    bad = set(check.bad)
    cohort = check.cohort.only(p for p in check.cohort.patients if p not in bad)
    return cohort, outcome, Reading((), (), (), None, asked.structure, kind, unit), problems


def _shown(asked: Train, cohort: Cohort, reading: Reading, over: MapFunction) -> list[Shown]:
    tasks = [ShowTask(cohort.only({patient}), patient, reading, asked.shown) for patient in cohort.patients]
    seen: list[Shown] = []
    for each in over(show_patient, tasks):
        seen.append(each)
        asked.progress(Progress("prepare", len(seen), len(tasks), each.patient, "left_out" if each.reason else "done"))
    refuse_bad([(each.patient, each.reason) for each in seen if each.reason is not None], skip=asked.skip_bad)
    return seen


def _fitted(
    asked: Train, cohort: Cohort, kept: Sequence[Shown], truth: Truth, over: MapFunction
) -> tuple[Ensemble, npt.NDArray[np.float32], Path]:
    """Return the ensemble, the volumes that it was trained on, and the folder that holds what a killed training goes on from."""
    from onclair.learn.cnn3d import DEFAULT, Kept, Recipe, Targets, fit_ensemble  # here: torch takes seconds to load

    patients = [each.patient for each in kept]
    place = {patient: at for at, patient in enumerate(patients)}
    strata = pd.Series(truth.happened, index=patients)
    splits = cohort.only(patients).by_patient(asked.folds, rng_for(asked.seed, "folds"), strata=strata)
    folds = [tuple(np.array(sorted(place[p] for p in side), dtype=np.int64) for side in (cut.train, cut.test)) for cut in splits]
    volumes = np.stack([each.volume for each in kept if each.volume is not None])
    targets = Targets(truth.happened, truth.time if isinstance(truth, Timed) else None)
    recipe = Recipe(asked.shown, training=replace(DEFAULT, epochs=asked.epochs, seed=asked.seed))
    identity = _identity(volumes, targets.event, targets.time)
    unfinished = asked.out.with_name(asked.out.name + UNFINISHED)
    folder = unfinished / sha256_of([identity, asked.settings()])[:16]
    told = _telling(over, asked)
    return fit_ensemble(volumes, targets, [(a, b) for a, b in folds], recipe, over=told, kept=Kept(folder, identity)), volumes, unfinished


def _telling(over: MapFunction, asked: Train) -> Callable[..., Iterator[Any]]:
    """Return a `map` that tells the listener of each member."""

    def telling(function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
        """Yield each result and say so."""
        for done, result in enumerate(over(function, tasks), start=1):
            asked.progress(Progress("train", done, asked.folds, f"fold {done}", unit="folds"))
            yield result

    return telling


def _identity(volumes: npt.NDArray[np.float32], event: Floats, time: Floats | None) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(volumes, dtype="<f4").tobytes())
    digest.update(event.astype("<f8").tobytes())
    digest.update(b"" if time is None else time.astype("<f8").tobytes())
    return digest.hexdigest()


def _figures(truth: Truth, scores: Floats, volume: Floats) -> tuple[Estimate, ...]:
    """Return how well the members rank patients whom they never saw, beside the volume of the lesion."""
    own = truth.ranks(f"{truth.figure}:model", scores)
    names = (f"{truth.figure}:rival:volume", f"{truth.figure}:model-minus-volume")
    if not np.isfinite(volume).all():
        reason = f"volume has no value for {int((~np.isfinite(volume)).sum())} patients"
        return (own, *(not_available(name, reason) for name in names))
    return (own, *rival(truth, "volume", scores, volume))


def _card(asked: Train, cohort: Cohort, outcome: Outcome, reading: Reading, truth: Truth, own: Estimate) -> dict[str, Any]:
    """Return the tables of the model's own card: what it is, on whom it was trained, and the figure that it claims."""
    modality = next(name for name, (kind, _) in KINDS.items() if kind == reading.kind)
    title = cohort.about.title
    about: dict[str, Any] = {
        "outcome": outcome.name,
        "claim": f"ranks patients by the outcome '{outcome.name}'",
        "source": "trained by onclair radiomics train" + (f" on: {title}" if title else ""),
        "modality": modality,
        **({"population": title} if title else {}),
        **({} if outcome.horizon is None else {"horizon": outcome.horizon}),
    }
    reported: dict[str, Any] = {"n": len(truth.happened), "events": truth.events}
    if own.value is not None:
        reported |= {"measure": truth.figure, "figure": own.value}
        reported |= {} if own.low is None or own.high is None else {"interval": [own.low, own.high]}
    structure = {} if asked.structure is None else {"roi": {"structure": asked.structure}}
    return {"card": about, **structure, "network": {"members": asked.folds}, "reported": reported}


def _record(
    asked: Train, ensemble: Ensemble, volumes: npt.NDArray[np.float32], tables: Mapping[str, Any], images: tuple[str, ...]
) -> NetworkRecord:
    """Return the network as it will lie on disk: graph, weights, and a document that says how they came about."""
    import torch

    weights = {f"member-{at}.{name}": w for at, member in enumerate(ensemble.members, 1) for name, w in member.weights.items()}
    losses = [member.losses[-1] for member in ensemble.members]
    made = {"settings": asked.settings(), "last_losses": losses, "environment": {**environment(), "torch": torch.__version__}}
    extra = {**network_extra(tables, asked.shown, images), "training": made}
    outcome = str(tables["card"]["outcome"])
    return network_record(f"cnn3d-{outcome}", outcome, weights=weights, graph=ensemble.onnx(volumes), extra=extra)


def _onnx_error(record: NetworkRecord, ensemble: Ensemble, volumes: npt.NDArray[np.float32]) -> float:
    """Return how far the ONNX file's scores are from the networks', at most; too far is refused."""
    from onclair.learn.cnn3d import SCORES, VOLUME

    inference = open_network(record)
    answers = np.concatenate([inference.run({VOLUME: volumes[at : at + 32]})[SCORES] for at in range(0, len(volumes), 32)])
    apart = float(np.abs(answers - ensemble.scores(volumes)).max())
    if not apart <= MOST_APART:
        raise OnclairError(
            f"The ONNX file's scores are up to {apart:.2g} from the networks' own, more than {MOST_APART:g}; nothing was saved."
        )
    return apart


def _warnings(cohort: Cohort, truth: Truth, left: Sequence[Mapping[str, str]], cut: int) -> tuple[Mapping[str, str], ...]:
    found: list[Mapping[str, str]] = []
    few = too_few_events(truth.events, truth.non_events)
    if few:
        found.append({"code": "too_few_events", "text": few})
    if cohort.about.data == "virtual":
        found.append({"code": "virtual", "text": "These patients are virtual: no figure here says anything about a person."})
    if cut:
        said = f"{cut} outlines are larger than the network's grid, which shows their middle only; a larger --size shows all of them."
        found.append({"code": "outline_cut", "text": said})
    found += [{"code": "left_out", "text": f"{who['patient']} was left out: {who['reason']}"} for who in left]
    return tuple(found)


__all__ = ["Train", "TrainedModel", "train"]
