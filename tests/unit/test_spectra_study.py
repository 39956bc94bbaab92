"""The study of spectra beside its figures: what is wrong with one patient's files, bands that explain, points and not events."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadCase, BadInput
from onclair.core.evidence import Evidence
from onclair.core.fragments import in_french
from onclair.core.values import Case, Detector, Measurement, Spectrum
from onclair.report.html import render_html
from onclair.report.plots import counts
from onclair.run.judging import _counts
from onclair.science.spectra.point import columns
from onclair.studies.spectra import SpectraSettings, bands_of, describe, explain

NM = np.arange(410.0, 740.0)
DETECTOR = Detector(5000.0, 4.0, 1.0)


def case(*frames: Spectrum) -> Case:
    return Case("P1", "A", signals={"P1_1": Measurement(frames, point="P1_1")})


def frame(counts: np.ndarray, excitation: float) -> Spectrum:
    return Spectrum(counts, NM, excitation, 20.0, detector=DETECTOR)


def test_a_point_whose_excitation_is_full_at_every_pixel_is_a_point_that_failed_its_gate():
    full = describe(case(frame(0.0 * NM + 5000.0, 385.0), frame(0.0 * NM + 900.0, 405.0)), SpectraSettings())
    assert full.rows.isna().to_numpy().all()
    assert "'saturated'" in full.reasons["log_634_af"]


@pytest.mark.parametrize("excitation", [500.0, 300.0])
def test_spectra_that_cannot_be_used_are_the_fault_of_one_patient_and_may_be_left_out(excitation):
    with pytest.raises(BadCase, match=f"Point P1_1: The excitation is {excitation:g} nm"):
        describe(case(frame(500.0 + 100.0 * np.sin(NM / 30.0), excitation)), SpectraSettings())


def test_an_unknown_fluorophore_is_the_fault_of_the_settings():
    with pytest.raises(BadInput, match="'Haem' is unknown") as found:
        describe(case(frame(0.0 * NM + 900.0, 405.0)), SpectraSettings(fluorophores=("Haem",)))
    assert not isinstance(found.value, BadCase)


def test_an_answer_on_spectra_is_explained_by_some_thirty_bands_that_hold_every_bin_once():
    bins = [name for name in columns((385.0, 405.0)) if name.startswith("spectrum:")]
    bands = bands_of(bins)
    assert sorted(name for members in bands.values() for name in members) == sorted(bins)
    assert len(bands) == 32


def test_the_band_that_decides_comes_first():
    bins = [f"spectrum:405:{nm}" for nm in range(600, 660, 2)]

    class Locked:
        pipeline = replace_reference = None

        @staticmethod
        def risk(table: pd.DataFrame) -> np.ndarray:
            return table[[name for name in bins if 620 <= int(name[-3:]) < 640]].to_numpy().mean(axis=1)

    locked = Locked()
    locked.pipeline = type("Pipeline", (), {"reference": pd.Series(0.0, index=bins)})()
    found = explain(locked, pd.DataFrame([dict.fromkeys(bins, 1.0)]))
    assert [each["feature"] for each in found] == ["spectrum:405:620-639"]
    assert found[0]["contribution"] == pytest.approx(1.0)


def record(**facts: object) -> Evidence:
    return Evidence("validate", facts={"patients": 24, "events": 24, "centres": ["A", "B"], **facts})


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "103 points, 55 of them positive"), ("fr", "103 points, dont 55 positifs")],
)
def test_the_first_screen_counts_points_where_the_outcome_is_of_points(language, said):
    page = render_html(record(rows=103, row_events=55, data="virtual"), language).replace("\u00a0", " ")
    assert said in page
    assert "24 events" not in page
    assert "24 événements" not in page


def test_a_caption_counts_patients_with_a_positive_point_and_events_elsewhere():
    assert "24 with a positive point" in counts(24, 24, record(rows=103, row_events=55), "en")
    assert "24 events" in counts(24, 24, record(rows=24, row_events=24), "en")


def test_a_patient_with_and_without_is_counted_on_both_sides():
    index = pd.MultiIndex.from_tuples([("a", "1"), ("a", "2"), ("b", "1")])
    found = _counts(pd.Series([1.0, 0.0, 1.0], index=index))
    assert (found.events, found.others, found.by_item) == (2, 1, True)
    assert in_french(found.said) == "2 patients avec un événement et 1 avec une ligne sans événement"
    assert _counts(pd.Series([1.0, 0.0], index=index[[0, 2]])).said == "1 events and 1 non-events"
