"""What the terminal says when a run ends: in the reader's language, warnings and who was left out included."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from report_records import sarcoma

from onclair.cli.terminal import show_result
from onclair.core.evidence import Evidence
from onclair.run.engine import Result

THIN = "\u202f"


def _result(claim: Evidence) -> Result:
    return Result(claim, Evidence("run"), Path("RUN/report/report.html"), reused=2, computed=49)


def _said(capsys: pytest.CaptureFixture[str], lang: str, claim: Evidence | None = None) -> list[str]:
    show_result(_result(claim or sarcoma()), lang)
    return capsys.readouterr().out.splitlines()


def test_the_last_lines_are_the_report_and_the_next_command(capsys: pytest.CaptureFixture[str]) -> None:
    described, evidence, report, then = _said(capsys, "en")[-4:]
    assert described == "Patients described: 49 now, 2 already there."
    assert evidence == f"Evidence {sarcoma().id}"
    assert report.split() == ["Report", "RUN/report/report.html"]
    assert then.split() == ["Next", "onclair", "verify", "RUN"]


def test_the_same_is_said_in_french(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _said(capsys, "fr")
    assert lines[-4:] == [
        f"Patients décrits{THIN}: 49 à l’instant, 2 déjà là.",
        f"Preuve  {sarcoma().id}",
        "Rapport RUN/report/report.fr.html",
        "Ensuite onclair verify RUN",
    ]
    assert any(line.endswith("autres estimations sont dans le rapport.") for line in lines)


def test_a_warning_is_said_in_its_own_french(capsys: pytest.CaptureFixture[str]) -> None:
    assert f"! Tous les patients viennent d’un seul centre{THIN}: rien ne dit ce qu’il en est ailleurs." in _said(capsys, "fr")
    assert "! All patients come from one centre." in _said(capsys, "en")


def test_who_was_left_out_is_said_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    left = [{"patient": "P7", "reason": "The region is a single voxel."}]
    claim = replace(sarcoma(), facts={**sarcoma().facts, "left_out": left})
    assert "! P7 was left out. The region is a single voxel." in _said(capsys, "en", claim)
    assert "! P7 est exclu. Le contour n’a qu’un voxel." in _said(capsys, "fr", claim)


def test_one_estimate_more_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    claim = replace(sarcoma(), estimates=tuple(e for e in sarcoma().estimates if e.name in ("auc:model", "ipa:model")))
    assert "1 more estimate is in the report." in _said(capsys, "en", claim)


def test_nothing_more_is_not_announced(capsys: pytest.CaptureFixture[str]) -> None:
    claim = replace(sarcoma(), estimates=sarcoma().estimates[:1])
    assert not any("more estimate" in line for line in _said(capsys, "en", claim))
