"""`onclair apply RUN --input FILE ... --out DIR`: a locked model on new cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json, skip_bad

if TYPE_CHECKING:
    from onclair.run.applying import Applied, Asked, Beside

    #: Study, id of the evidence, and what became of each case.
    Answers = tuple[str, str, list[Applied]]


@click.command()
@click.argument("run", type=folder)
@click.option(
    "--input",
    "inputs",
    type=folder,
    multiple=True,
    required=True,
    help="A cohort folder, or files named CASE_KIND.nii.gz; may be repeated.",
)
@click.option("--about", type=folder, default=None, help="What describes tables of spectra or instruments' files: a row a column.")
@click.option("--out", type=folder, required=True, help="Where PATIENT/finding.json goes.")
@click.option("--fhir", is_flag=True, help="Also write PATIENT/risk.json: the finding as a FHIR R5 RiskAssessment.")
@click.option("--allow-code", is_flag=True, help="Let the code that an audited torch network names run; only code that you know.")
@skip_bad
@as_json
def apply(run: Path, inputs: tuple[Path, ...], out: Path, as_json: bool, **flags: Any) -> None:
    """Answer new cases with a locked model or an audited one: one finding.json a case.

    The run is verified first; a changed run answers nothing. "Cannot tell" is a full answer: an audited model that did not hold
    gives its score and says so.
    """
    from onclair.cli.terminal import listener
    from onclair.run.applying import Asked
    from onclair.run.store import read_seal

    audited = read_seal(run).facts.get("kind") == "audit"
    with listener(quiet=as_json) as progress:
        asked = Asked(inputs, out, _fhir() if flags["fhir"] else {}, flags["skip_bad"], progress, flags["about"])
        study, evidence, done = _audited(run, asked, flags["allow_code"]) if audited else _learnt(run, asked)
    left_out = [{"patient": d.patient, "reason": d.reason} for d in done if d.finding is None]
    if as_json:
        findings = [
            {"patient": d.patient, "path": str(d.path), "answer": d.finding.answer, "risk": d.finding.risk}
            for d in done
            if d.finding is not None
        ]
        print_json({"study": study, "evidence_id": evidence, "findings": findings, "left_out": left_out, "warnings": []})
        return
    for case in done:
        if case.finding is None:
            click.echo(f"{case.patient}: left out. {case.reason}")
        else:
            answered = dict(case.finding.answer or {})
            click.echo(f"{case.patient}: {str(answered.get('value')).replace('_', ' ')}{_because(answered.get('reason'))} -> {case.path}")


def _learnt(run: Path, asked: Asked) -> Answers:
    from onclair.run.applying import apply as answer
    from onclair.run.applying import opened_run
    from onclair.run.store import study_of
    from onclair.studies import load

    locked = opened_run(run, load(study_of(run)))
    done = answer(locked, asked)
    return locked.study.name, locked.claim.id, done


def _audited(run: Path, asked: Asked, allow_code: bool) -> Answers:
    from onclair.studies.tasks.radiomics_apply import apply_audit, opened_audit

    model = opened_audit(run, allow_code=allow_code)
    return "radiomics", model.claim.id, apply_audit(model, asked)


def _fhir() -> Beside:
    """Return what `--fhir` writes beside a finding."""
    from onclair.report.fhir_risk import render_risk, risk_assessment

    return {"risk.json": lambda finding: render_risk(risk_assessment(finding))}


def _because(reason: object) -> str:
    return f" ({reason})" if reason else ""
