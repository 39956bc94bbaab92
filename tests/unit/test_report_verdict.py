"""What the first screen concludes follows from the estimates, and from nothing else."""

from __future__ import annotations

from dataclasses import replace

from report_records import phantoms, sarcoma, silent, table_study

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.verdict import verdict

THIN = "\u202f"


def _claim(low: float, high: float, control: tuple[float, float, float] | None = None) -> Evidence:
    middle = (low + high) / 2
    estimates = [
        Estimate("auc:model", 0.8, low=0.7, high=0.9, n=300, events=150),
        Estimate("auc:rival:volume", 0.7, low=0.6, high=0.8, n=300, events=150),
        Estimate("auc:model-minus-volume", middle, low=low, high=high, n=300, events=150),
    ]
    if control:
        value, low, high = control
        estimates += [
            Estimate("auc:model:shuffled-voxels", 0.8 - value, low=0.5, high=0.95, n=300, events=150),
            Estimate("auc:model-minus-shuffled-voxels", value, low=low, high=high, n=300, events=150),
        ]
    return Evidence("validate", estimates=tuple(estimates))


def test_nineteen_events_are_too_few_whatever_the_figure() -> None:
    found = verdict(sarcoma(), "en")
    assert (found.state, found.sentence) == ("cannot-tell", "19 events: too few to say whether it holds here.")
    assert "74 of 100 pairs (0.60 to 0.87)" in found.support[0]


def test_the_same_is_said_in_french() -> None:
    assert verdict(sarcoma(), "fr").sentence == "19 événements\u202f: trop peu pour conclure."


def test_a_difference_that_excludes_zero_holds() -> None:
    assert verdict(_claim(0.02, 0.2)).state == "holds"


def test_a_difference_whose_interval_holds_zero_shows_nothing() -> None:
    found = verdict(_claim(-0.02, 0.2))
    assert found.state == "no-better"
    assert any("No advantage over volume is shown" in s for s in found.support)


def test_a_difference_below_zero_is_worse() -> None:
    assert verdict(_claim(-0.2, -0.01)).state == "worse"


def _of_controls(evidence: Evidence, language: Language = "en") -> list[str]:
    words = ("as well", "aussi bien", "is not shown", "rien ne démontre", "falls to")
    return [s for s in verdict(evidence, language).support if any(w in s.lower() for w in words)]


def test_a_control_shown_to_be_within_the_margin_does_as_well() -> None:
    found = verdict(_claim(0.02, 0.2, (0.0, -0.04, 0.04)))
    assert found.state == "artefact"
    assert "It does as well with voxels shuffled (80; difference −0.04 to 0.04): what it reads is not texture." in found.support


def test_a_control_that_does_better_does_as_well() -> None:
    assert verdict(_claim(0.02, 0.2, (-0.1, -0.15, -0.05))).state == "artefact"


def test_an_interval_that_holds_zero_and_ends_beyond_the_margin_shows_nothing() -> None:
    found = verdict(_claim(0.02, 0.2, (0.0, -0.06, 0.06)))
    assert found.state == "holds"
    assert _of_controls(_claim(0.02, 0.2, (0.0, -0.06, 0.06))) == [
        "That it needs what the control destroys is not shown (voxels shuffled: 80; difference −0.06 to 0.06)."
    ]


def test_a_model_that_does_not_beat_chance_is_not_said_to_do_as_well() -> None:
    record = _claim(0.02, 0.2, (0.0, -0.04, 0.04))
    chancy = replace(record, estimates=(replace(record.estimates[0], value=0.58, low=0.49, high=0.67), *record.estimates[1:]))
    assert verdict(chancy).state == "holds"
    assert all("is not shown" in s for s in _of_controls(chancy))


def test_with_too_few_events_no_control_is_said_to_do_as_well() -> None:
    record = replace(_claim(0.02, 0.2, (0.0, -0.04, 0.04)), warnings=({"code": "too_few_events", "text": "few"},))
    assert len(_of_controls(record)) == 1
    assert "is not shown (voxels shuffled: 80; difference −0.04 to 0.04)" in _of_controls(record)[0]


def test_what_a_control_does_not_show_is_said_in_french() -> None:
    told = _of_controls(sarcoma(), "fr")
    assert len(told) == 1
    assert told[0].startswith("Rien ne démontre qu’il ait besoin de ce que détruit le contrôle (")
    assert told[0].endswith(f"hasard{THIN}: 73{THIN}; différence −0,06 à 0,09).")


def test_an_error_without_a_chance_level_is_never_as_good_under_a_control() -> None:
    pair = (Estimate("mae:model", 2.0, low=1.8, high=2.2), Estimate("mae:model-minus-mean", -1.0, low=-1.5, high=-0.5),
            Estimate("mae:model:shuffled-voxels", 2.0), Estimate("mae:model-minus-shuffled-voxels", 0.0, low=-0.01, high=0.01))  # fmt: skip
    assert verdict(Evidence("validate", estimates=pair)).state != "artefact"


def test_nobody_can_tell_is_undetermined_in_french() -> None:
    assert verdict(sarcoma(), "fr").word == "Indéterminé"


def test_a_control_that_loses_much_with_a_wide_interval_is_no_proof_either_way() -> None:
    found = verdict(_claim(0.02, 0.2, (0.1, -0.05, 0.25)))
    assert found.state == "holds"
    assert any("is not shown" in s for s in found.support)


def test_the_loss_of_a_control_is_said() -> None:
    assert any(s.startswith("It falls to 75") for s in verdict(phantoms()).support)


def test_virtual_patients_are_said_in_the_sentence_and_below() -> None:
    found = verdict(phantoms(), "fr")
    assert found.sentence.startswith("Chez des patients virtuels")
    assert "rien ici ne dit" in found.support[-1]


def test_a_figure_that_could_not_be_had_is_no_answer_and_gives_its_reason() -> None:
    found = verdict(silent(), "fr")
    assert found.state == "cannot-tell"
    assert found.reason is not None
    assert "one class" in found.reason


def test_a_record_without_a_figure_of_the_model_says_so() -> None:
    assert verdict(Evidence("validate")).sentence == "The record holds no figure of the model."


def test_a_model_compared_with_nobody_cannot_be_judged() -> None:
    alone = Evidence("validate", estimates=(Estimate("auc:model", 0.9, low=0.8, high=0.95, events=200),))
    assert verdict(alone).state == "cannot-tell"
    assert any("no rival" in s for s in verdict(alone).support)


def test_another_figure_than_auc_is_said_as_it_stands() -> None:
    dice = Evidence(
        "validate", estimates=(Estimate("dice:model", 0.81, low=0.79, high=0.83), Estimate("dice:rival:atlas", 0.6, low=0.5, high=0.7))
    )
    assert verdict(dice).sentence == "Its Dice is 0.81 (0.79 to 0.83); atlas alone does 0.60."


def test_less_is_better_for_an_error() -> None:
    error = Evidence("validate", estimates=(Estimate("mae:model", 2.0, unit="mm"), Estimate("mae:rival:mean", 3.0, unit="mm"),
                                            Estimate("mae:model-minus-mean", -1.0, low=-1.5, high=-0.5, unit="mm")))  # fmt: skip
    assert verdict(error).state == "holds"


def test_a_survival_table_without_outline_or_control_is_judged_by_its_own_figure() -> None:
    found = verdict(table_study())
    assert found.state == "holds"
    assert found.sentence == "It separates 71 of 100 pairs (0.66 to 0.76); clinical variables alone does 68."


def test_the_order_of_estimates_does_not_matter() -> None:
    record = sarcoma()
    assert verdict(replace(record, estimates=record.estimates[::-1])) == verdict(record)
