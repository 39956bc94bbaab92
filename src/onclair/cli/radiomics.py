"""`onclair radiomics`: what only the study of radiomics has."""

from __future__ import annotations

import click

from onclair.cli.lazy import Commands, LazyGroup

COMMANDS: Commands = {
    "extract": ("onclair.cli.radiomics_extract:extract", "Extract IBSI features from a cohort or from one image."),
    "filter": ("onclair.cli.radiomics_filter:filter_image", "Filter an image by one of the IBSI-2 set-ups."),
    "ibsi": ("onclair.cli.radiomics_ibsi:ibsi", "Compare every reference value of the IBSI with what is computed here."),
    "combat": ("onclair.cli.radiomics_combat:combat", "Harmonise features between batches: ComBat and its family."),
    "audit": ("onclair.cli.radiomics_audit:audit", "Audit a published model on a cohort: does it hold, and what does it measure?"),
    "train": ("onclair.cli.radiomics_train:train", "Train the house's own 3-D network on folds of a cohort's patients."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def radiomics() -> None:
    """Extract features, filter, harmonise, and audit published radiomic models."""
