"""Instruments' files made by hand, byte for byte: what is read, and every fault refused in one sentence."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.io.spectra.reading import InstrumentFile, read_instrument

OCEAN = "SpectraSuite Data File\r\nSpectrometers: USB1\r\nIntegration Time (usec): 20000 (USB1)\r\nSpectra Averaged: 5 (USB1)\r\n"
JCAMP = "##TITLE= a\n##JCAMP-DX= 5\n##XUNITS= NANOMETERS\n##FIRSTX= 400.5\n##LASTX= 401.5\n##NPOINTS= 3\n##XYPOINTS= (XY..XY)\n"
POINTS = "400.5, 1\n401.0, 2\n401.5, 3\n"


def file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(folder: Path, name: str, content: str | bytes) -> InstrumentFile:
    return read_instrument(file(folder, name, content))


def why(folder: Path, name: str, content: str | bytes) -> str:
    """Return the sentence by which a file is refused."""
    with pytest.raises(BadInput) as refusal:
        read(folder, name, content)
    assert str(refusal.value).startswith(name)
    return str(refusal.value)


def said_of(folder: Path, name: str, content: bytes) -> str:
    """Return the name of a file that is read, or the sentence by which it is refused."""
    try:
        return read(folder, name, content).name
    except BadInput as refusal:
        return str(refusal)


def trm(pixels: int = 4, *, columns: int = 3, version: float = 70.0, polynomial: tuple[float, ...] = (400.0, 0.5, 0.0, 0.0)) -> bytes:
    header = np.zeros(100, "<f4")
    header[0], header[1:4], header[74:78], header[79:81] = version, [ord(c) for c in "1U1"], polynomial, (0, pixels - 1)
    return np.concatenate([header, np.arange(columns * pixels), [23.16, 5, 0]]).astype("<f4").tobytes()


def avs(pixels: int = 4, *, spectra: int = 1) -> bytes:
    header = bytearray(328)
    header[:6], header[14:19] = b"AVS84" + bytes([spectra]), b"19U1\0"
    struct.pack_into("<I", header, 6, 328 + 16 * pixels - 16)
    struct.pack_into("<HHf", header, 89, 10, 9 + pixels, 50.0)
    struct.pack_into("<I", header, 101, 20)
    return bytes(header) + np.concatenate([400 + np.arange(pixels), np.arange(3 * pixels)]).astype("<f4").tobytes()


def spc(y: bytes, *, flags: int = 0x80, version: int = 0x4B, exponent: int = -128, x_kind: int = 3, spectra: int = 1) -> bytes:
    header = bytearray(512)
    struct.pack_into("<BBBbiddiBB", header, 0, flags, version, 0, exponent, 3, 400.0, 402.0, spectra, x_kind, 2)
    x = np.array([400.0, 401.0, 402.0], "<f4").tobytes() if flags & 0x80 else b""
    return bytes(header) + x + bytes(32) + y


FLOATS = np.array([0.5, 1.5, 2.5], "<f4").tobytes()


def doubles(values: list[float], tag: str) -> str:
    return f"<{tag}>{''.join(f'<double>{value}</double>' for value in values)}</{tag}>"


def frame(values: list[float], *, integration: int = 20000, saturated: str = "false", wavelengths: list[float] | None = None) -> str:
    said = f"<saturated>{saturated}</saturated><integrationTime>{integration}</integrationTime>{doubles(values, 'pixelValues')}"
    said += "<scansToAverage>3</scansToAverage><spectrometerSerialNumber>USB1\x01</spectrometerSerialNumber>"
    return said + (doubles(wavelengths, "channelWavelengths") if wavelengths else '<channelWavelengths reference="../x"/>')


def xml(*, wavelengths: list[float] | None = None, dark: str | None = None, sample: list[float] | None = None) -> str:
    nm = [400.0, 401.0] if wavelengths is None else wavelengths
    return (
        f"<P><sourceSpectra><O>{frame(sample or [5.0, 6.0], wavelengths=nm)}</O></sourceSpectra>\xb0<broken></tag>"
        f"{doubles([50.0, 60.0], 'processedPixels')}<darkSpectrum>{dark or frame([1.0, 2.0])}</darkSpectrum>"
        '<yUnits class="com.oceanoptics.unitdescriptors.TransmissionIntensityDescriptor"></yUnits></P>'
    )


def procspec(text: str, *, name: str = "ps_1.xml") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("OOIVersion.txt", "1")
        archive.writestr(name, text.encode("latin-1"))
    return stream.getvalue()


# --- Ocean Optics ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "ms"), [("(sec): 2.0E-2", 20.0), ("(usec): 20000 (A1)", 20.0), ("(msec): 8", 8.0), ("(usec): 3000000 (A1)", 3000.0)]
)
def test_an_integration_time_is_told_in_seconds_milliseconds_or_microseconds(said: str, ms: float, tmp_path: Path) -> None:
    found = read(tmp_path, "a.txt", f"Tiempo de integración {said}\n>>>>>Begin<<<<<\n400\t1\n401\t2\n>>>>>End<<<<<\n")
    assert found.recordings[0].integration_ms == ms


def test_a_spanish_latin_1_header_with_decimal_commas_is_read(tmp_path: Path) -> None:
    said = "Espectrómetros: J1\rTiempo de integración (usec): 24000 (J1)\r\nPromedio de Espectros: 7 (J1)\r\n>>>>> Comienza<<<<<\r\n"
    found = read(tmp_path, "a.txt", (said + "190,74\t133,333\r\n191,12\t-1,5\r\n>>>>> Extremo<<<<<\r\n").encode("latin-1")).recordings[0]
    assert found.values.tolist() == [133.333, -1.5]
    assert (found.integration_ms, found.averages, found.serial) == (24.0, 7, "J1")


def test_a_block_of_calibration_numbers_is_no_spectrum(tmp_path: Path) -> None:
    body = ">>>>>Begin Processed<<<<<\nW\tD\tS\tP\n400\t1\t2\t3\n401\t4\t5\t6\n>>>>>End<<<<<\n"
    body += ">>>>>Begin Calibration<<<<<\n7\n8\n>>>>>End<<<<<\n"
    found = read(tmp_path, "a.JazIrrad", f"Jaz Absolute Irradiance File\n{body}")
    assert {each.role: each.values.tolist() for each in found.recordings} == {"processed": [3, 6], "sample": [2, 5], "dark": [1, 4]}
    assert [each.unit for each in found.recordings] == ["uW/cm2/nm", "counts", "counts"]


def test_more_pixels_than_the_header_says_are_all_kept_with_a_warning(tmp_path: Path) -> None:
    found = read(tmp_path, "a.txt", f"{OCEAN}Number of Pixels in Spectrum: 2\n>>>>>Begin<<<<<\n400\t1\n401\t2\n402\t3\n")
    assert found.recordings[0].values.size == 3
    assert found.warnings[0]["code"] == "pixel_count"


def test_fewer_pixels_than_the_header_says_and_no_last_line_is_a_file_cut_short(tmp_path: Path) -> None:
    said = why(tmp_path, "a.txt", f"{OCEAN}Number of Pixels in Spectrum: 5\n>>>>>Begin<<<<<\n400\t1\n401\t2\n")
    assert "it ends after 2 pixels where 5 are expected; it is cut short" in said


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("", "it holds no spectrum: no row of numbers"),
        ("400\t1\n400\t2\n", "line 7: the wavelength is 400 nm twice"),
        ("401\t1\n400\t2\n", "line 7: the wavelength 400 nm does not lie above 401 nm before it"),
        ("-5\t1\n400\t2\n", "line 6: the wavelength is -5 nm, and must be positive"),
        ("NaN\t1\n400\t2\n", "line 6: the wavelength is no number"),
        ("400\t1\nNaN\t2\n", "line 7: the wavelength is no number"),
        ("400\t1\n401\n", "line 7 holds 1 number(s) where 2 are expected"),
        ("400\t1\n401\tx\n", "line 7 holds 'x' where a number is expected"),
        ("400\t1\n", "holds no spectrum: 1 wavelength(s) were found, at least 2 are needed"),
    ],
)
def test_a_faulty_row_is_refused_with_its_line(rows: str, found: str, tmp_path: Path) -> None:
    assert found in why(tmp_path, "a.txt", f"{OCEAN}>>>>>Begin<<<<<\n{rows}>>>>>End<<<<<\n")


# --- Avantes --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [("Dark", "Ref", "Sample"), ("Sample", "Dark", "Reference")])
def test_the_columns_of_an_avantes_text_are_found_by_name(order: tuple[str, ...], tmp_path: Path) -> None:
    header = "Integration time [ms]:  6.00\nAveraging Nr. [scans]: 79\nData measured with spectrometer [name]: 12U1\0\0\n"
    names = {"Dark": "1", "Ref": "2", "Reference": "2", "Sample": "3"}
    rows = f"Wave ;{';'.join(order)};Reflectance\n[nm];[counts];[counts];[counts];[%]\n\n"
    rows += "".join(f"{nm};{';'.join(f'{names[each]},5' for each in order)};7,25\n" for nm in ("300,00", "301,00"))
    found = read(tmp_path, "a.ttt", header + rows)
    assert {each.role: each.values[0] for each in found.recordings} == {"processed": 7.25, "sample": 3.5, "dark": 1.5, "reference": 2.5}
    assert [(each.unit, each.integration_ms, each.averages, each.serial) for each in found.recordings][:2] == [
        ("%", 6.0, 79, "12U1"),
        ("counts", 6.0, 79, "12U1"),
    ]


def test_an_avantes_row_that_lacks_a_column_is_refused_with_its_line(tmp_path: Path) -> None:
    assert "line 3 holds 2 number(s) where 3 are expected" in why(tmp_path, "a.ttt", "Wave;Dark;Sample\n300;1;2\n301;1\n")


def test_a_trm_file_holds_sample_reference_and_dark_of_each_pixel(tmp_path: Path) -> None:
    found = read(tmp_path, "a.TRM", trm())
    assert found.recordings[0].wavelength_nm.tolist() == [400.0, 400.5, 401.0, 401.5]
    assert {each.role: each.values.tolist() for each in found.recordings} == {
        "sample": [0, 3, 6, 9],
        "reference": [1, 4, 7, 10],
        "dark": [2, 5, 8, 11],
    }
    assert (found.recordings[0].integration_ms, found.recordings[0].averages, found.recordings[0].serial) == (23.16, 5, "1U1")


def test_a_dark_alone_in_the_trm_layout_is_told_by_its_name(tmp_path: Path) -> None:
    found = read(tmp_path, "a.DRK", trm(columns=1))
    assert [(each.role, each.values.tolist()) for each in found.recordings] == [("dark", [0, 1, 2, 3])]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (trm()[:-8], "it ends after 452 bytes where 460 are expected; it is cut short"),
        (trm()[:200], "it ends after 200 bytes where 412 are expected"),
        (trm() + bytes(40), "it holds 500 bytes where 4 pixels need 460"),
        (trm(version=60.0), "its version is 60 where 70 is expected"),
        (trm(polynomial=(400.0, -0.5, 0.0, 0.0)), "pixel 2: the wavelength 399.5 nm does not lie above 400 nm"),
        (trm(polynomial=(-1.0, 0.5, 0.0, 0.0)), "pixel 1: the wavelength is -1 nm"),
        (trm(polynomial=(float("nan"), 0.5, 0.0, 0.0)), "pixel 1: the wavelength is no number"),
    ],
)
def test_a_damaged_trm_file_is_refused(content: bytes, found: str, tmp_path: Path) -> None:
    assert found in why(tmp_path, "a.TRM", content)


def test_an_avs84_file_holds_sample_dark_and_reference_in_blocks(tmp_path: Path) -> None:
    found = read(tmp_path, "a.Raw8", avs())
    assert {each.role: each.values.tolist() for each in found.recordings} == {
        "sample": [0, 1, 2, 3],
        "dark": [4, 5, 6, 7],
        "reference": [8, 9, 10, 11],
    }
    assert (found.recordings[0].integration_ms, found.recordings[0].averages, found.recordings[0].serial) == (50.0, 20, "19U1")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (avs()[:-1], "it ends after 391 bytes where 392 are expected"),
        (avs()[:100], "it ends after 100 bytes where 328 are expected"),
        (avs(spectra=3), "it holds 3 spectra where one is expected"),
        (avs(pixels=1), "its header says pixels 10 to 10"),
        (b"AVS82" + avs()[5:], "its format is unknown"),
    ],
)
def test_a_damaged_avs84_file_is_refused(content: bytes, found: str, tmp_path: Path) -> None:
    assert found in why(tmp_path, "a.Raw8", content)


# --- SPC ------------------------------------------------------------------------------------------------------------------------------


def test_an_spc_file_with_float_y_and_its_own_x_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, "a.spc", spc(FLOATS)).recordings[0]
    assert (found.values.tolist(), found.wavelength_nm.tolist(), found.unit) == ([0.5, 1.5, 2.5], [400.0, 401.0, 402.0], "absorbance")


@pytest.mark.parametrize(("flags", "kind"), [(0x00, "<i4"), (0x01, "<i2")])
def test_an_spc_file_with_scaled_integers_and_even_x_is_read(flags: int, kind: str, tmp_path: Path) -> None:
    bits = 8 * np.dtype(kind).itemsize
    y = (np.array([0.5, 1.5, 2.5]) * 2.0 ** (bits - 3)).astype(kind).tobytes()  # exponent 3: the fraction times 2**3
    found = read(tmp_path, "a.spc", spc(y, flags=flags, exponent=3)).recordings[0]
    assert (found.values.tolist(), found.wavelength_nm.tolist()) == ([0.5, 1.5, 2.5], [400.0, 401.0, 402.0])


def test_the_log_of_an_spc_file_tells_the_settings_and_that_it_was_saturated(tmp_path: Path) -> None:
    content = bytearray(spc(FLOATS))
    struct.pack_into("<I", content, 248, len(content))
    log = b"COMMENT = Int Time: 200000 (USB4C1), Averages: 5 (USB4C1), Detector saturated: yes (USB4C1)"
    found = read(tmp_path, "a.spc", bytes(content) + bytes(64) + log)
    first = found.recordings[0]
    assert (first.integration_ms, first.averages, first.serial, first.saturated) == (200.0, 5, "USB4C1", True)
    assert [warning["code"] for warning in found.warnings] == ["saturated"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (spc(FLOATS)[:-1], "it ends after 567 bytes where 568 are expected"),
        (spc(FLOATS, version=0x4D), "its format is old where the new one"),
        (spc(FLOATS, version=0x4C), "its format is big-endian"),
        (spc(FLOATS, x_kind=1), "its axis is of kind 1"),
        (spc(FLOATS, spectra=4, flags=0x84), "it holds 4 or more spectra where one is expected"),
    ],
)
def test_an_spc_file_that_cannot_be_used_is_refused(content: bytes, found: str, tmp_path: Path) -> None:
    assert found in why(tmp_path, "a.spc", content)


# --- JCAMP-DX -------------------------------------------------------------------------------------------------------------------------


def linked(*titles: str) -> str:
    blocks = [JCAMP.replace("TITLE= a", f"TITLE= EXPORT: {title} SPECTRUM") + POINTS + "##END=\n" for title in titles]
    return f"##TITLE= all\n##DATA TYPE= LINK\n##BLOCKS= {len(titles)}\n{''.join(blocks)}##END= $$ all\n"


def test_the_children_of_a_link_are_processed_dark_and_reference(tmp_path: Path) -> None:
    assert [each.role for each in read(tmp_path, "a.jdx", linked("PROCESSED", "DARK", "REFERENCE")).recordings] == [
        "processed",
        "dark",
        "reference",
    ]


def test_decimal_commas_do_not_double_the_points(tmp_path: Path) -> None:
    text = (JCAMP + POINTS).replace(".", ",").replace("(XY,,XY)", "(XY..XY)").replace(", 1", ", 1,25") + "##END=\n"
    found = read(tmp_path, "a.jdx", text).recordings[0]
    assert (found.wavelength_nm.tolist(), found.values.tolist()) == ([400.5, 401.0, 401.5], [1.25, 2.0, 3.0])


def test_rows_of_evenly_spaced_y_are_read(tmp_path: Path) -> None:
    text = JCAMP.replace("XYPOINTS= (XY..XY)", "XYDATA= (X++(Y..Y))") + "400.5 1 2\n401.5 3\n##END=\n"
    found = read(tmp_path, "a.jdx", text).recordings[0]
    assert (found.wavelength_nm.tolist(), found.values.tolist()) == ([400.5, 401.0, 401.5], [1.0, 2.0, 3.0])


def test_a_last_x_that_the_data_contradict_is_kept_with_a_warning(tmp_path: Path) -> None:
    found = read(tmp_path, "a.jdx", JCAMP.replace("LASTX= 401.5", "LASTX= 500") + POINTS + "##END=\n")
    assert found.recordings[0].wavelength_nm[-1] == 401.5
    assert [warning["code"] for warning in found.warnings] == ["lastx"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (JCAMP + POINTS[:9] + "##END=\n", "the block of line 1 holds 1 points where NPOINTS says 3"),
        (JCAMP + POINTS[:9], "it ends after 1 points in the block of line 1 where 3 are expected"),
        (JCAMP + "400.5, 1\n@A12%b\n##END=\n", "line 9 holds '@A12%b' where pairs of numbers are expected"),
        (JCAMP + "400.5, 1\n401, 2\n400.8, 3\n##END=\n", "line 10: the wavelength 400.8 nm does not lie above 401 nm"),
        (JCAMP.replace("NANOMETERS", "1/CM") + POINTS + "##END=\n", "is over 1/CM, not NANOMETERS"),
        ("##TITLE= a\n##JCAMP-DX= 5\n##END=\n", "it holds no spectrum: no block has XYPOINTS"),
        (linked("DARK", "DARK"), "2 of its blocks are 'dark'"),
    ],
)
def test_a_jcamp_file_that_cannot_be_used_is_refused(content: str, found: str, tmp_path: Path) -> None:
    assert found in why(tmp_path, "a.jdx", content)


# --- ProcSpec -------------------------------------------------------------------------------------------------------------------------


def test_a_procspec_file_that_no_strict_parser_accepts_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, "a.ProcSpec", procspec(xml()))
    assert {each.role: each.values.tolist() for each in found.recordings} == {"processed": [50, 60], "sample": [5, 6], "dark": [1, 2]}
    assert (found.recordings[0].unit, found.recordings[0].integration_ms, found.recordings[0].averages) == ("%", 20.0, 3)
    assert found.warnings == ()


def test_a_procspec_sample_with_a_value_too_many_is_left_out_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, "a.ProcSpec", procspec(xml(sample=[5.0, 6.0, 7.0])))
    assert [each.role for each in found.recordings] == ["processed", "dark"]
    assert [warning["code"] for warning in found.warnings] == ["pixel_count"]


def test_a_procspec_dark_of_another_integration_time_and_a_saturated_one_are_said(tmp_path: Path) -> None:
    found = read(tmp_path, "a.ProcSpec", procspec(xml(dark=frame([1.0, 2.0], integration=30000, saturated="true"))))
    assert {warning["code"] for warning in found.warnings} == {"saturated", "dark_integration_ms"}


BOMB = xml().replace("<broken>", " " * (1 << 20))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (procspec(BOMB), "inflate to more than"),
        (procspec(xml())[:-30], "its zip is damaged or locked"),
        (procspec(xml())[:150] + b"XXXX" + procspec(xml())[154:], "its zip is damaged or locked"),
        (procspec(xml(), name="other.xml"), "it holds 0 spectra"),
        (procspec('<!DOCTYPE a [<!ENTITY b "c">]>' + xml()), "declares a document type or entities"),
        (procspec(xml(wavelengths=[401.0, 401.0])), "pixel 2: the wavelength is 401 nm twice"),
        (procspec(xml(wavelengths=[1.0, 2.0, 3.0])), "none of its spectra has as many pixels as there are wavelengths (3)"),
        (procspec(xml().replace("<double>50.0<", "<double>fifty<")), "pixel 1 of its processedPixels is 'fifty'"),
        (procspec("<P></P>"), "it holds no wavelengths"),
    ],
)
def test_a_procspec_file_that_cannot_be_used_is_refused(content: bytes, found: str, tmp_path: Path) -> None:
    assert found in why(tmp_path, "a.ProcSpec", content)


# --- tables and what is none ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "400.5,1.25\n401,2\n",
        "nm\tR\n400,5\t1,25\n401\t2\n",
        "Made by X\n\n400.5 1.25\r401 2\r",
        "400,5;1,25\n401;2\n",
        '"400.5","1.25",\n"401","2",\n',
    ],
)
def test_two_columns_are_read_whatever_separates_them(text: str, tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", text).recordings[0]
    assert (found.wavelength_nm.tolist(), found.values.tolist()) == ([400.5, 401.0], [1.25, 2.0])


def test_a_table_of_ours_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", "wavelength_nm,sample,dark\n400.5,7,1\n401.0,8,2\n")
    assert [(each.role, each.values.tolist()) for each in found.recordings] == [("sample", [7, 8]), ("dark", [1, 2])]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.csv", "400,1,2\n401,1,2\n", "it has 3 columns where two are expected"),
        ("a.csv", "NaN,1\n400,2\n", "line 1: the wavelength is no number"),
        ("a.csv", "400,1\n399,2\n", "line 2: the wavelength 399 nm does not lie above 400 nm"),
        ("a.csv", "400,1\nthe end\n", "line 2 holds"),
        ("a.txt", "prose\n", "its format is unknown"),
        ("a.bin", bytes(range(1, 200)), "its format is unknown"),
        ("a.txt", "", "it is empty"),
        ("a.TRM", "prose\n", "its name promises avantes-trm, and it holds none"),
        ("a.ProcSpec", "prose\n", "its name promises ocean-procspec, and it holds none"),
    ],
)
def test_what_is_no_spectrum_is_refused(name: str, content: str | bytes, found: str, tmp_path: Path) -> None:
    assert found in why(tmp_path, name, content)


def test_a_file_is_told_by_what_it_holds_before_its_name(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", trm()).reader == "avantes-trm"
    assert read(tmp_path, "a.spc", JCAMP + POINTS + "##END=\n").reader == "jcamp-dx"
    assert read(tmp_path, "a.TRM", procspec(xml())).reader == "ocean-procspec"


def test_a_path_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no such file"):
        read_instrument(tmp_path / "none.txt")
    with pytest.raises(BadInput, match="it is a folder"):
        read_instrument(tmp_path)


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("a.TRM", trm()),
        ("a.Raw8", avs()),
        ("a.spc", spc(FLOATS)),
        ("a.ProcSpec", procspec(xml())),
        ("a.jdx", (JCAMP + POINTS + "##END=\n").encode()),
        ("a.txt", (OCEAN + "Number of Pixels in Spectrum: 2\n>>>>>Begin<<<<<\n400\t1\n401\t2\n>>>>>End<<<<<\n").encode()),
    ],
)
def test_a_file_cut_anywhere_or_with_any_byte_turned_is_read_or_refused_in_one_sentence(name: str, whole: bytes, tmp_path: Path) -> None:
    read(tmp_path, name, whole)
    turned = [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(0, len(whole), 3)]
    for content in (*(whole[:cut] for cut in range(0, len(whole), 5)), *turned):
        assert said_of(tmp_path, name, content).startswith(name)


@pytest.mark.parametrize(("name", "whole"), [("a.TRM", trm()), ("a.Raw8", avs()), ("a.spc", spc(FLOATS)), ("a.ProcSpec", procspec(xml()))])
def test_a_binary_file_cut_anywhere_is_refused(name: str, whole: bytes, tmp_path: Path) -> None:
    for cut in range(0, len(whole), 7):
        why(tmp_path, name, whole[:cut])


def test_pixels_without_a_number_are_kept_and_said_with_file_column_and_pixel(tmp_path: Path) -> None:
    found = read(tmp_path, "n.csv", "wavelength_nm,sample,dark\n400,1,2\n401,NaN,3\n402,4,5\n403,nan,6\n")
    assert np.isnan(found.recordings[0].values).tolist() == [False, True, False, True]
    (warning,) = found.warnings
    assert warning["code"] == "nan_pixels"
    assert warning["text"].startswith("n.csv: 2 pixels hold no number in 'sample' (the first is pixel 2 at 401.00 nm)")
