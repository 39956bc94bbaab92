"""SUV from headers: each unit and decay rule by a number checked by hand; what is missing is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dicom_made import change, pet_series
from onclair.core.errors import BadCase
from onclair.io.dicom.read import read_volume
from onclair.io.dicom.suv import lean_body_mass_kg, mean_moment, surface_area_cm2
from onclair.io.dicom.write import Injection

T = 6586.2  # half-life of fluorine-18, s
FULL = 70_000 / 370e6  # g over Bq, at the injection


def factor(folder: Path, how: Callable[[Any, int], None] | None = None, **options: Any) -> np.ndarray:
    """What each slice's stored activity was multiplied by."""
    pet_series(folder, injection=Injection(minutes=60))
    if how is not None:
        change(folder, how)
    activity = read_volume(folder, pet="stored").image.array.astype(float)
    read = read_volume(folder, **options).image
    assert read.unit == "SUV"
    return (read.array.max(axis=(0, 1)) / activity.max(axis=(0, 1))).astype(float)


def tracer(**values: Any) -> Callable[[Any, int], None]:
    def how(data: Any, _: int) -> None:
        for keyword, value in values.items():
            setattr(data.RadiopharmaceuticalInformationSequence[0], keyword, value)

    return how


def attributes(**values: Any) -> Callable[[Any, int], None]:
    def how(data: Any, _: int) -> None:
        for keyword, value in values.items():
            setattr(data, keyword, value)

    return how


def test_becquerels_corrected_to_the_start_decay_from_injection_to_series_start(tmp_path: Path) -> None:
    np.testing.assert_allclose(factor(tmp_path), FULL * 2 ** (3600 / T), rtol=1e-6)


def test_becquerels_corrected_to_the_injection_do_not_decay(tmp_path: Path) -> None:
    np.testing.assert_allclose(factor(tmp_path, attributes(DecayCorrection="ADMIN")), FULL, rtol=1e-6)


def test_uncorrected_becquerels_decay_to_the_moment_that_each_frame_stands_for(tmp_path: Path) -> None:
    def beds(data: Any, k: int) -> None:
        data.DecayCorrection, data.AcquisitionTime, data.ActualFrameDuration = "NONE", f"10{3 * k:02d}00", 180_000

    seconds = 3600 + 180 * np.arange(6) + mean_moment(180, T)
    np.testing.assert_allclose(factor(tmp_path, beds), FULL * 2 ** (seconds / T), rtol=1e-6)


def test_a_series_time_rewritten_after_the_scan_gives_way_to_the_earliest_acquisition(tmp_path: Path) -> None:
    def processed(data: Any, k: int) -> None:
        data.SeriesTime, data.AcquisitionTime = "113000", f"10{5 + k:02d}00"

    np.testing.assert_allclose(factor(tmp_path, processed), FULL * 2 ** (3900 / T), rtol=1e-6)


def test_the_private_scan_time_of_ge_counts_where_series_time_was_rewritten(tmp_path: Path) -> None:
    def processed(data: Any, _: int) -> None:
        data.SeriesTime, data.AcquisitionTime = "113000", "101000"
        data.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20200101100200.00")

    np.testing.assert_allclose(factor(tmp_path, processed), FULL * 2 ** (3720 / T), rtol=1e-6)


def test_an_injection_before_midnight_is_the_day_before(tmp_path: Path) -> None:
    def night(data: Any, k: int) -> None:
        data.SeriesTime = data.AcquisitionTime = "003000"
        item = data.RadiopharmaceuticalInformationSequence[0]
        item.RadiopharmaceuticalStartTime = "233000"
        del item.RadiopharmaceuticalStartDateTime

    np.testing.assert_allclose(factor(tmp_path, night), FULL * 2 ** (3600 / T), rtol=1e-6)


def test_dates_across_midnight_are_told_by_the_full_date_of_the_injection(tmp_path: Path) -> None:
    def night(data: Any, k: int) -> None:
        data.SeriesTime = data.AcquisitionTime = "003000"
        data.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartDateTime = "20191231233000"

    np.testing.assert_allclose(factor(tmp_path, night), FULL * 2 ** (3600 / T), rtol=1e-6)


def test_a_date_moved_by_deidentification_is_replaced_by_the_time_of_day_and_said(tmp_path: Path) -> None:
    pet_series(tmp_path, injection=Injection())
    before = read_volume(tmp_path).image.array
    change(tmp_path, tracer(RadiopharmaceuticalStartDateTime="20150607090000"))
    after = read_volume(tmp_path)
    np.testing.assert_allclose(after.image.array, before, rtol=1e-6)
    assert [note["code"] for note in after.notes] == ["injection_date_ignored"]


def test_grams_per_millilitre_are_never_divided_again(tmp_path: Path) -> None:
    np.testing.assert_allclose(factor(tmp_path, attributes(Units="GML")), 1.0, rtol=1e-6)


def test_counts_take_the_factor_of_philips_straight_to_suv(tmp_path: Path) -> None:
    def philips(data: Any, _: int) -> None:
        data.Units = "CNTS"
        data.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0x00, "DS", "0.000551")

    np.testing.assert_allclose(factor(tmp_path, philips), 0.000551, rtol=1e-6)


def test_counts_without_that_factor_go_through_becquerels(tmp_path: Path) -> None:
    def philips(data: Any, _: int) -> None:
        data.Units = "CNTS"
        block = data.private_block(0x7053, "Philips PET Private Group", create=True)
        block.add_new(0x00, "DS", "0")  # how the scanner says "none"
        block.add_new(0x09, "DS", "2.5")

    np.testing.assert_allclose(factor(tmp_path, philips), 2.5 * FULL * 2 ** (3600 / T), rtol=1e-6)


def test_lean_body_mass_and_body_surface_replace_the_weight_on_request(tmp_path: Path) -> None:
    bw = factor(tmp_path / "a")
    np.testing.assert_allclose(factor(tmp_path / "b", pet="lbm"), bw * lean_body_mass_kg(70, 175, "M") / 70, rtol=1e-6)
    np.testing.assert_allclose(factor(tmp_path / "c", pet="bsa"), bw * surface_area_cm2(70, 175) / 70_000, rtol=1e-6)


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        (attributes(PatientWeight=None), "has no weight"),
        (attributes(PatientWeight="0"), "has no weight"),
        (attributes(PatientWeight="70000"), "an impossible weight of 70000 kg"),
        (tracer(RadionuclideTotalDose=None), "has no injected dose"),
        (tracer(RadionuclideTotalDose="370"), "370 Bq, which looks like another unit"),
        (tracer(RadionuclideHalfLife=None), "has no half-life"),
        (tracer(RadiopharmaceuticalStartTime=None, RadiopharmaceuticalStartDateTime=None), "names no injection time"),
        (tracer(RadiopharmaceuticalStartTime="150000", RadiopharmaceuticalStartDateTime="20200101150000"), "does not fit its start"),
        (attributes(RadiopharmaceuticalInformationSequence=[]), "names no tracer"),
        (attributes(SeriesTime=None, AcquisitionTime=None), "neither a series nor an acquisition date and time"),
        (attributes(DecayCorrection="LATER"), "says DecayCorrection 'LATER'"),
        (attributes(Units="PROPCPS"), "is in the units 'PROPCPS'"),
        (attributes(Units="CNTS"), "without Philips' factors"),
        (attributes(CorrectedImage=["DECY", "SCAT"]), "is not corrected for attenuation"),
        (attributes(Units="GML", SUVType="IBW"), "holds SUV of the type 'IBW'"),
    ],
)
def test_what_suv_needs_and_the_headers_lack_is_refused(tmp_path: Path, how: Callable[[Any, int], None], sentence: str) -> None:
    pet_series(tmp_path, injection=Injection())
    change(tmp_path, how)
    with pytest.raises(BadCase, match=sentence):
        read_volume(tmp_path)


def test_values_as_stored_need_nothing_of_it(tmp_path: Path) -> None:
    pet_series(tmp_path, injection=Injection())
    change(tmp_path, attributes(PatientWeight=None))
    assert read_volume(tmp_path, pet="stored").image.unit == "a.u."


def test_what_was_used_is_told_without_dates(tmp_path: Path) -> None:
    pet_series(tmp_path, injection=Injection())
    facts = read_volume(tmp_path).facts
    assert (facts["units"], facts["decay_correction"], facts["weight_kg"], facts["dose_mbq"], facts["minutes"]) == (
        "BQML",
        "START",
        70,
        370,
        60,
    )
    assert "2020" not in str(facts)
