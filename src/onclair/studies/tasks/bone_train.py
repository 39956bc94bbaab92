"""`onclair bone train`: scans with label maps in; a plan, trained networks and the calibration of their scores out, as one model."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadSetting, NoRoom
from onclair.core.progress import Listener, silent
from onclair.io.cohorts.folder import read_with_notes
from onclair.io.networks import load_network, save_network
from onclair.learn.bundle import segmentation_record
from onclair.learn.plan import PRESETS, Plan
from onclair.learn.segment_data import Patches
from onclair.learn.tiles import Segmenter
from onclair.learn.training_settings import Trained
from onclair.learn.training_state import digest_of
from onclair.run.environment import environment
from onclair.run.occupied import refuse_around
from onclair.studies.tasks.bone_train_cases import Material, facts, material_of, planned, prepared
from onclair.studies.tasks.bone_train_scores import Operating, held_out, operating

#: How the folder beside the model ends, in which a training that was killed goes on.
UNFINISHED = ".partial"
#: Where a model's document keeps how it was made, under ``extra``.
TRAINING = "training"


@dataclass(frozen=True, slots=True)
class Train:
    """What to train, on what, into which folder.

    Attributes
    ----------
    data, out : Path
        A cohort folder, nnU-Net's raw data, a Decathlon task or BIDS; the network folder to write.
    plan_only : bool
        Whether to stop after the plan; nothing is written then.
    preset : {"demo", "laptop", "full"}
    folds : int
        Parts of the patients.
    fold : int or None
        The part held out, from 0; None trains one network for each, which the model averages.
    steps : int or None
        Of each network; the preset's when None.
    seed, threads : int
        The weights depend on both.
    progress : callable
    """

    data: Path
    out: Path
    plan_only: bool = False
    preset: str = "laptop"
    folds: int = 5
    fold: int | None = 0
    steps: int | None = None
    seed: int = 1
    threads: int = 1
    progress: Listener = silent

    def settings(self) -> dict[str, Any]:
        """Return what the network depends on besides the scans and the code."""
        names = ("preset", "folds", "fold", "steps", "seed", "threads")
        return {**{name: getattr(self, name) for name in names}, "steps": self.steps or PRESETS[self.preset].steps}


@dataclass(frozen=True, slots=True, eq=False)
class TrainedBone:
    """What a training leaves.

    Attributes
    ----------
    plan : Plan
    model : Path or None
        None for a plan alone.
    steps_done, resumed_from : int
        Over all networks of the model; the latter stood in checkpoints.
    seconds_per_step : float or None
        By the clock; None where this call took no step.
    weights_sha256 : str or None
    held_out : mapping or None
        Threshold and sensitivity at one false candidate a scan, of scans that the network never saw.
    scores : mapping or None
        The calibration of scores.
    warnings : tuple of mapping
    """

    plan: Plan
    model: Path | None = None
    steps_done: int = 0
    resumed_from: int = 0
    seconds_per_step: float | None = None
    weights_sha256: str | None = None
    held_out: Mapping[str, Any] | None = None
    scores: Mapping[str, Any] | None = None
    warnings: tuple[Mapping[str, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        kept = {name: getattr(self, name) for name in ("steps_done", "resumed_from", "seconds_per_step", "weights_sha256")}
        return {
            "plan": self.plan.as_dict(),
            **kept,
            "model": None if self.model is None else str(self.model),
            "held_out": None if self.held_out is None else dict(self.held_out),
            "scores": None if self.scores is None else dict(self.scores),
            "warnings": [dict(each) for each in self.warnings],
        }


def train(asked: Train) -> TrainedBone:
    """Plan and train, going on with what a killed training left; called again when it is over, return what it gave.

    Parameters
    ----------
    asked : Train

    Raises
    ------
    BadSetting
        For an unknown preset, a fold that there is not, or a budget that holds no patch.
    BadCohort
        For no lesion in any label map, an image without one, or a single patient.
    BadCase
        For the first scan or label map that cannot be used.
    NoRoom
        When the folder holds something else, or cannot be written.
    OnclairError
        When a training diverges, or the ONNX file does not answer as the networks do.

    Notes
    -----
    Scans and scores of a held-out fold are seen by the calibration alone; no figure of merit of the model is claimed from them.
    """
    _check(asked)
    material = material_of(asked.data)
    task = {**asked.settings(), "data": material.identity}
    if asked.plan_only:
        plan = planned(material, None, asked.preset, asked.folds, asked.seed, progress=asked.progress)
        return TrainedBone(plan, warnings=_warnings(asked, material, None))
    if asked.out.exists() and any(asked.out.iterdir() if asked.out.is_dir() else [asked.out]):
        return _finished(asked, task)
    kept = asked.out.with_name(asked.out.name + UNFINISHED) / sha256_of(task)[:16]
    plan = planned(material, kept, asked.preset, asked.folds, asked.seed, progress=asked.progress)
    found = _trained(asked, material, plan, kept, task)
    shutil.rmtree(kept.parent, ignore_errors=True)
    return found


def _check(asked: Train) -> None:
    refuse_around(asked.out, asked.data)
    if asked.preset not in PRESETS:
        raise BadSetting(f"There is no preset '{asked.preset}'; choose {', '.join(PRESETS)}.", item="preset")
    if asked.fold is not None and not 0 <= asked.fold < asked.folds:
        raise BadSetting(f"There is no fold {asked.fold} among {asked.folds}; choose 0 to {asked.folds - 1}, or all.", item="fold")


def _finished(asked: Train, task: Mapping[str, Any]) -> TrainedBone:
    """Return what an earlier call left in the folder, if it was this very training."""
    said = f"{asked.out} holds something else than this training; nothing was replaced: choose another --out."
    if not (asked.out / "model.json").is_file():
        raise NoRoom(said, item=str(asked.out))
    extra = load_network(asked.out).document["extra"]
    made = extra.get(TRAINING) or {}
    if made.get("task") != dict(task):
        raise NoRoom(said, item=str(asked.out))
    plan = _planned_before(made)
    done = int(made["steps_done"])
    known = {"weights_sha256": made["weights_sha256"], "held_out": made["held_out"], "scores": extra["segmentation"]["scores"]}
    return TrainedBone(plan, asked.out, done, done, **known, warnings=tuple(made["warnings"]))


def _planned_before(made: Mapping[str, Any]) -> Plan:
    from onclair.learn.plan import FoldCases

    plan = Plan.from_record(made["plan"])
    cuts = tuple(FoldCases(tuple(each["train"]), tuple(each["validation"])) for each in made["plan"]["folds"])
    return Plan(**{**{name: getattr(plan, name) for name in Plan.__slots__}, "folds": cuts})


def _trained(asked: Train, material: Material, plan: Plan, kept: Path, task: Mapping[str, Any]) -> TrainedBone:
    from onclair.learn.segment import fit, named, to_graph, training_of

    scans = prepared(material, plan, kept, asked.seed, progress=asked.progress)
    parts = range(len(plan.folds)) if asked.fold is None else [min(asked.fold, len(plan.folds) - 1)]
    how = training_of(plan, steps=int(task["steps"]), preset=asked.preset, seed=asked.seed, threads=asked.threads)
    members: list[Trained] = []
    began = time.monotonic()
    for part in parts:
        patches = Patches([scans[case] for case in plan.folds[part].train], plan)
        checkpoint = kept / f"fold-{part}.checkpoint"
        members.append(fit(patches, how, checkpoint=checkpoint, identity=sha256_of([task, part]), progress=asked.progress))
    seconds, taken = time.monotonic() - began, sum(member.steps - member.resumed_from for member in members)
    told = _operating(asked, material, plan, [(part, member) for part, member in zip(parts, members, strict=True)])
    weights = [member.weights for member in members]
    made: dict[str, Any] = {
        "task": dict(task),
        "plan": plan.as_dict(),
        "steps_done": sum(member.steps for member in members),
        "weights_sha256": digest_of(named(weights)),
        "held_out": told.as_record(),
        "losses": [member.history[-1]["loss"] for member in members],
        "data": facts(material),
        "warnings": [dict(each) for each in _warnings(asked, material, told)],
        "environment": {**environment(), "threads": asked.threads, **_versions()},
    }
    about = {TRAINING: made}
    graph = to_graph(plan, weights)
    record = segmentation_record("bone-lesions", graph, plan, threshold=told.threshold, scores=told.scores, about=about)
    save_network(asked.out, record)
    return TrainedBone(
        plan,
        asked.out,
        made["steps_done"],
        sum(member.resumed_from for member in members),
        round(seconds / taken, 4) if taken else None,
        made["weights_sha256"],
        told.as_record(),
        None if told.scores is None else told.scores.as_record(),
        tuple(made["warnings"]),
    )


def _operating(asked: Train, material: Material, plan: Plan, members: Sequence[tuple[int, Trained]]) -> Operating:
    """Return threshold and calibration, each held-out scan judged by the network that never saw it."""
    from onclair.learn.segment import to_graph

    by_case = {pair.case: pair for pair in material.pairs}
    seen = []
    for part, member in members:
        graph = to_graph(plan, [member.weights])
        segmenter = Segmenter(segmentation_record("member", graph, plan, threshold=0.5, scores=None))
        seen += [held_out(segmenter, material, by_case[case], asked.threads) for case in plan.folds[part].validation]
    return operating(seen)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("torch", "monai", "onnxruntime")}


def _warnings(asked: Train, material: Material, told: Operating | None) -> tuple[Mapping[str, str], ...]:
    found: list[Mapping[str, str]] = []
    if material.layout == "cohort" and read_with_notes(asked.data, outcomes_needed=False)[0].about.data == "virtual":
        found.append({"code": "virtual", "text": "These patients are virtual: no figure here says anything about a person."})
    if told is not None and told.scores is None:
        said = f"Scores are not calibrated: {told.candidates} candidates in {told.scans} held-out scans are too few of either kind."
        found.append({"code": "not_calibrated", "text": f"{said} Hold out more patients, or train longer."})
    return tuple(found)


__all__ = ["Train", "TrainedBone", "train"]
