"""`onclair run STUDY --data COHORT --out RUN`: the main job on a user's cohort."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from onclair.cli.options import StudyGroup, as_json, folder, given, language, print_json, settings_options, skip_bad, toml_layer, workers
from onclair.cli.terminal import listener, show_result
from onclair.core.evidence import Evidence
from onclair.core.study import Study
from onclair.report.files import report_files
from onclair.run.engine import Job, Result, load_settings
from onclair.run.engine import run as run_job
from onclair.run.pool import cores
from onclair.studies import load


def _command(name: str) -> click.Command:
    study = load(name)

    @click.command(name, help=f"{study.question.en}\n\nThe flags below are the study's settings; the same names go into a TOML file.")
    @click.option("--data", type=folder, required=True, help="The cohort folder.")
    @click.option("--out", type=folder, required=True, help="The run folder; an unfinished run in it goes on.")
    @click.option("--settings", "toml", type=folder, default=None, help="A TOML file of settings; flags go before it.")
    @settings_options(study.settings)
    @workers
    @skip_bad
    @language
    @as_json
    def command(**flags: Any) -> None:
        """Read the flags, do the job, say what came of it."""
        own = {key: flags.pop(key) for key in ("data", "out", "toml", "workers", "skip_bad", "lang", "as_json")}
        job = job_of(study, own, toml_layer(own["toml"]), given(flags))
        with listener(quiet=own["as_json"]) as progress:
            result = run_job(replace(job, progress=progress))
        if own["as_json"]:
            print_json(summary(result, own["lang"]))
        else:
            show_result(result, own["lang"])

    return command


def job_of(study: Study, own: dict[str, Any], *layers: dict[str, Any]) -> Job:
    """Return the job that the flags describe."""
    return Job(
        study,
        load_settings(study, *layers),
        Path(own["data"]),
        Path(own["out"]),
        report_files,
        own["workers"] or cores(),
        bool(own.get("skip_bad")),
    )


def summary(result: Result, lang: str = "en") -> dict[str, Any]:
    """Return what `--json` prints of a run."""
    claim: Evidence = result.claim
    return {
        "study": claim.facts["study"],
        "data": claim.facts["data"],
        "patients": claim.facts["patients"],
        "events": claim.facts["events"],
        "evidence_id": claim.id,
        "seal": result.seal.id,
        "report": str(report_path(result, lang)),
        "reused": result.reused,
        "computed": result.computed,
        "left_out": claim.facts["left_out"],
        "warnings": [dict(w) for w in claim.warnings],
        "models": result.models,
        "estimates": [e.as_dict() for e in claim.estimates],
    }


def report_path(result: Result, lang: str) -> Path:
    """Return the report in a language."""
    return result.report if lang == "en" else result.report.with_name(f"report.{lang}.html")


run = StudyGroup(
    "run",
    make=_command,
    help="Run a study's main job on your cohort: from files to verified evidence.\n\nonclair run STUDY --help shows the study's settings.",
)
