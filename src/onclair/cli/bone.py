"""`onclair bone`: what only the study of bone has."""

from __future__ import annotations

import click

from onclair.cli.lazy import Commands, LazyGroup

COMMANDS: Commands = {
    "segment": ("onclair.cli.bone_segment:segment", "Find and measure bone lesions on one CT: masks, table, SEG, SR and RTSTRUCT."),
    "strength": ("onclair.cli.bone_strength:strength", "Estimate the load a bone still bears, with the band that nobody can narrow."),
    "calibrate": ("onclair.cli.bone_calibrate:calibrate", "Turn Hounsfield units into bone density: from tissues, a phantom, or the scan."),
    "mirels": ("onclair.cli.bone_mirels:mirels", "Score a long-bone metastasis by Mirels; an unanswered item gives a range."),
    "sins": ("onclair.cli.bone_sins:sins", "Score a spinal metastasis by SINS; an unanswered item gives a range."),
    "insert": ("onclair.cli.bone_insert:insert", "Put virtual lesions into a real, lesion-free bone."),
    "train": ("onclair.cli.bone_train:train", "Plan and train the house's segmentation network; the same command resumes."),
    "lesions": ("onclair.cli.bone_lesions:lesions", "Compare lesion masks, boxes or readers under rules that are named."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def bone() -> None:
    """Find bone metastases on CT, measure them, agree on them, and estimate what load bone bears."""
