"""The door `onclair`: commands found by name and imported only when called, errors told in one sentence."""

from __future__ import annotations

import sys

import click

from onclair import __version__
from onclair.cli.lazy import Commands, LazyGroup

#: Command -> (module that holds it, first line of its help). The help stands here so that `onclair --help` imports nothing else.
COMMANDS: Commands = {
    "demo": ("onclair.cli.demo:demo", "Run every study's main job on virtual patients; nothing is downloaded."),
    "run": ("onclair.cli.run:run", "Run a study's main job on your cohort: from files to verified evidence."),
    "apply": ("onclair.cli.apply:apply", "Answer new cases with a locked model or an audited one: one finding.json a case."),
    "verify": ("onclair.cli.verify:verify", "Recompute every hash of a run; name what was changed, added or removed."),
    "replay": ("onclair.cli.replay:replay", "Run a run again from its data and compare the hashes."),
    "report": ("onclair.cli.report:report", "Write a run's report again, in English or French."),
    "validate": ("onclair.cli.validate:validate", "Judge any model's predictions by a plan; merge sites; check against reference figures."),
    "leakage": ("onclair.cli.leakage:leakage", "Audit a table for what may have leaked from test to training."),
    "samplesize": ("onclair.cli.samplesize:samplesize", "How many patients it takes to develop a model, or to validate one."),
    "readers": (
        "onclair.cli.readers:readers",
        "Compare modalities over readers: Obuchowski and Rockette's test with Hillis' degrees of freedom.",
    ),
    "protocol": ("onclair.cli.protocol:protocol", "Lock a model, predict silently, enter outcomes, look when planned, prove the order."),
    "radiomics": ("onclair.cli.radiomics:radiomics", "Extract features, filter, harmonise, and audit published radiomic models."),
    "spectra": ("onclair.cli.spectra:spectra", "Calibrate and read spectrometers, unmix fluorescence, run a session, and keep its log."),
    "bone": ("onclair.cli.bone:bone", "Find bone metastases on CT, measure them, agree on them, and estimate what load bone bears."),
    "virtual": ("onclair.cli.virtual:virtual", "Make a cohort of virtual patients with known truth, or virtual claims."),
    "cohort": ("onclair.cli.cohort:cohort", "Check cohort folders before anything is computed, and make them from other layouts."),
    "data": ("onclair.cli.data:data", "List and fetch named public data: source, licence, citation, SHA-256."),
    "bench": ("onclair.cli.bench:bench", "Measure CPU seconds and memory in fresh processes, beside installed peers."),
}


EPILOG = """\b
Start here:
  onclair demo                                      one minute, no download
  onclair data get sts-pet --out sts                51 real patients
  onclair run radiomics --data sts --out sts-run    the evidence and its report
  onclair verify sts-run                            has anything been changed?

Shell completion (bash; also zsh, fish): eval "$(_ONCLAIR_COMPLETE=bash_source onclair)"

Research use only: no output of Onclair decides about a patient."""


@click.group(
    cls=LazyGroup, table=COMMANDS, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="onclair")
def cli() -> None:
    """Onclair: from an oncology cohort's raw signal to a model whose claims have been checked.

    A model is a claim, and every claim carries its evidence: intervals, rivals, negative controls, and records that can be
    verified and replayed. Every command takes --json. Exit code 0: done; 1: a check failed; 2: the input cannot be used.
    """


def main() -> None:
    """Run the command line; an error becomes one sentence on stderr and an exit code."""
    try:
        cli.main(prog_name="onclair", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Stopped; what was finished is kept. Run the same command again to go on.", err=True)
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"onclair: {_in_one_line(error)}", err=True)
        sys.exit(2)
    except Exception as error:
        _tell(error)


def _in_one_line(error: click.ClickException) -> str:
    """Return what was wrong with the words of a command, and where its flags are listed."""
    context = getattr(error, "ctx", None)
    command = "onclair" if context is None else context.command_path
    said = error.format_message()
    return f"{said}{'' if said.endswith(('.', '?', '?)')) else '.'} See `{command} --help`."


def _tell(error: Exception) -> None:
    from onclair.core.errors import OnclairError

    if not isinstance(error, OnclairError):
        raise error
    click.echo(f"onclair: {error}", err=True)
    sys.exit(error.exit_code)
