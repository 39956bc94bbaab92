"""The gates of quality: numbers in, a verdict and one sentence out that tells the surgeon what to do.

Those of the measurement come before the unmixing (:mod:`~onclair.science.spectra.chain` asks them), those of the fit after it.
A gate that cannot look lets pass and says that it could not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from onclair.core.errors import BadSetting
from onclair.science.spectra.calibrate import Flicker
from onclair.science.spectra.prepared import Gate
from onclair.science.spectra.signals import Change, Misfit


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where each gate closes.

    Attributes
    ----------
    saturated_pixels : float
        Most saturated pixels inside the window.
    lamp_off_snr : float
        Least light beyond the lamp-off frame, in standard deviations.
    contact_share, fluorescence_share : float
        Least white light, and least fluorescence, as a share of what is usual in contact.
    reflected_share : float
        Least red light that comes back, as a share of what the white standard sends back; where the usual white light is not known.
    blood_absorbance : float
        Most, between red and the dips at 542 and 576 nm, in natural logarithms.
    blood_fraction : float
        Most, by the joint fit, where there is no white frame.
    ambient_share : float
        Most of the light under the excitation that may be ambient.
    ambient_left : float
        Most of the ambient light, as a share of the fluorescence, that may be left after subtraction.
    snr : float
        Least, in the brightest 2 nm.
    bleaching : float
        Most light lost a frame.
    flicker : float
        Most that lamp-off frames may differ beyond noise, as a share of the fluorescence.
    excitation_order : float
        Least of :func:`~onclair.science.spectra.signals.nadh_order`.
    shift_nm : float
        Most, from the instrument's usual shift.
    unexplained : float
        Most of the brightest band that a fit may leave in one of 8 nm.
    chi2 : float
        Most, per degree of freedom.

    Raises
    ------
    BadSetting
        For a threshold that is negative or not a number.

    Examples
    --------
    >>> Thresholds(snr=10.0).snr
    10.0
    """

    saturated_pixels: float = 0.0
    lamp_off_snr: float = 4.0
    contact_share: float = 0.25
    fluorescence_share: float = 0.02
    reflected_share: float = 0.08
    blood_absorbance: float = 1.95
    blood_fraction: float = 0.12
    ambient_share: float = 0.3
    ambient_left: float = 0.1
    snr: float = 5.0
    bleaching: float = 0.25
    flicker: float = 0.2
    excitation_order: float = 1.0
    shift_nm: float = 1.9
    unexplained: float = 0.045
    chi2: float = 60.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not (np.isfinite(value) and value >= 0):
                raise BadSetting(f"The threshold {each.name} is {value}; give a number of at least 0.", item=each.name)


def saturation_gate(pixels: int | None, most: float) -> Gate:
    """Return the gate ``saturated``; `pixels` is None where the detector's limit is not known.

    Examples
    --------
    >>> saturation_gate(12, 0.0).reason
    '12 pixels of the window are saturated: lower the lamp or the integration time and measure again.'
    """
    if pixels is None:
        return _blind("saturated", most, "saturation was not looked for: the limit of the detector is not known")
    if pixels > most:
        said = f"{pixels} pixels of the window are saturated: lower the lamp or the integration time and measure again"
        return _closed("saturated", float(pixels), most, said)
    return _open("saturated", float(pixels), most, "no pixel that counts is saturated")


def lamp_gate(snr: float, least: float) -> Gate:
    """Return the gate ``lamp_off``: light under the excitation beyond that without it, in standard deviations.

    Examples
    --------
    >>> lamp_gate(1.2, 5.0).passed
    False
    """
    if snr < least:
        said = "the excitation gives no light: check the lamp, its shutter and the fibre, then measure again"
        return _closed("lamp_off", snr, least, said)
    return _open("lamp_off", snr, least, "the excitation gives light")


def contact_gate(white: float | None, reflected: float | None, fluorescence: float | None, least: tuple[float, float, float]) -> Gate:
    """Return the gate ``no_contact``.

    Parameters
    ----------
    white, reflected, fluorescence : float or None
        White light that comes back, as a share of what is usual in contact and of what the white standard sends back, and fluorescence as
        a share of what is usual; None where it is not known. The first that is known decides.
    least : (float, float, float)
        For each.

    Examples
    --------
    >>> contact_gate(0.1, None, None, (0.25, 0.08, 0.02)).reason
    'The probe does not touch: 10 % of the usual light comes back, set it on the tissue and measure again.'
    >>> contact_gate(None, 0.02, 1.0, (0.25, 0.08, 0.02)).passed
    False
    """
    known = [(share, limit, place == 1) for place, (share, limit) in enumerate(zip((white, reflected, fluorescence), least, strict=True))]
    share, limit, of_standard = next((each for each in known if each[0] is not None), (None, least[0], False))
    if share is None:
        return _blind("no_contact", limit, "contact was not looked at: the usual light of this instrument is not known")
    if share >= limit:
        return _open("no_contact", share, limit, "the probe touches the tissue")
    percent = f"{100.0 * max(share, 0.0):.2g}"
    said = f"the probe does not touch: {percent} % of the usual light comes back, set it on the tissue and measure again"
    if of_standard:
        said = f"the probe does not touch: {percent} % of the white standard's light comes back, set it on the tissue and measure again"
    return _closed("no_contact", share, limit, said)


def blood_gate(absorbance: float | None, most: float) -> Gate:
    """Return the gate ``blood_flood`` by the white reflectance.

    Examples
    --------
    >>> blood_gate(2.6, 2.1).passed, blood_gate(None, 2.1).value is None
    (False, True)
    """
    if absorbance is None or np.isnan(absorbance):
        return _blind("blood_flood", most, "blood under the probe was not looked for: there is no white frame")
    if absorbance > most:
        return _closed("blood_flood", absorbance, most, _FLOOD)
    return _open("blood_flood", absorbance, most, _NO_FLOOD)


def fitted_blood_gate(low: float | None, most: float) -> Gate:
    """Return the gate ``blood_flood`` by the joint fit, for points without a white frame.

    Parameters
    ----------
    low : float or None
        Lower end of the interval of the blood fraction; None where blood was not fitted. Fluorescence saturates in blood: the fraction
        itself is too uncertain to act on.
    most : float

    Examples
    --------
    >>> fitted_blood_gate(0.15, 0.12).passed, fitted_blood_gate(0.01, 0.12).passed
    (False, True)
    """
    if low is None:
        return _blind("blood_flood", most, "blood under the probe was not looked for: it was not fitted")
    if low > most:
        return _closed("blood_flood", low, most, _FLOOD)
    return _open("blood_flood", low, most, _NO_FLOOD)


def ambient_gate(share: float | None, left: tuple[float, float] | None, most: tuple[float, float]) -> Gate:
    """Return the gate ``ambient``.

    Parameters
    ----------
    share : float or None
        Of the light under the excitation that is ambient; None without a lamp-off frame.
    left : (float, float) or None
        Ambient light left after subtraction, as a share of the fluorescence, and its standard error.
    most : (float, float)
        For either.

    Examples
    --------
    >>> ambient_gate(0.1, (0.002, 0.001), (0.5, 0.05)).passed, ambient_gate(0.1, (0.2, 0.01), (0.5, 0.05)).passed
    (True, False)
    """
    if share is None:
        return _blind("ambient", most[0], "room light was not measured: there is no lamp-off frame")
    if share > most[0]:
        percent = f"{100.0 * share:.2g}"
        said = f"{percent} % of the light comes from the room: dim the lights or shield the probe, then measure again"
        return _closed("ambient", share, most[0], said)
    if left is not None and abs(left[0]) - 3.0 * left[1] > most[1]:
        said = "the light of the room changed during the measurement: keep it steady and measure again"
        return _closed("ambient", abs(left[0]), most[1], said)
    return _open("ambient", share, most[0], "little light comes from the room")


def snr_gate(snr: float, least: float) -> Gate:
    """Return the gate ``snr``.

    Examples
    --------
    >>> snr_gate(2.0, 5.0).reason
    'The signal is only 2 times its noise: measure longer or hold the probe closer.'
    """
    if snr < least:
        return _closed(
            "snr", snr, least, f"the signal is only {max(snr, 0.0):.2g} times its noise: measure longer or hold the probe closer"
        )
    return _open("snr", snr, least, "the signal stands out of its noise")


def bleaching_gate(changes: Sequence[Change], most: float) -> Gate:
    """Return the gate ``bleaching``; `changes` holds one an excitation that was repeated.

    Examples
    --------
    >>> bleaching_gate([Change(0.4, 0.01)], 0.25).passed, bleaching_gate([Change(0.4, 0.2)], 0.25).passed
    (False, True)
    """
    if not changes:
        return _blind("bleaching", most, "bleaching was not looked for: no frame was repeated")
    worst = max(changes, key=lambda each: each.lost)
    if worst.lost - 2.0 * worst.se > most:
        percent = f"{100.0 * worst.lost:.2g}"
        said = f"{percent} % of the light is lost from frame to frame: hold the probe still, or move to a fresh spot and measure again"
        return _closed("bleaching", worst.lost, most, said)
    return _open("bleaching", worst.lost, most, "the light holds from frame to frame")


def flicker_gate(found: Flicker | None, level: float, most: float) -> Gate:
    """Return the gate ``flicker``; `level` is the mean fluorescence, counts a pixel.

    Examples
    --------
    >>> flicker_gate(Flicker(9.0, 1.2, 40.0, False), 100.0, 0.1).value
    0.4
    """
    if found is None:
        return _blind("flicker", most, "flicker was not looked for: there are not two lamp-off frames")
    value = 0.0 if found.agree else found.excess / max(level, 1.0)
    if value > most:
        said = "the light of the room flickers: switch off lamps near the field, or measure over whole periods of the mains"
        return _closed("flicker", value, most, said)
    return _open("flicker", value, most, "lamp-off frames agree well enough")


def excitation_gate(order: tuple[float, float] | None, least: float) -> Gate:
    """Return the gate ``swapped_excitation``.

    Examples
    --------
    >>> excitation_gate((0.12, 0.05), 1.0).passed, excitation_gate((8.0, 0.05), 1.0).passed
    (False, True)
    """
    if order is None:
        return _blind("swapped_excitation", least, "the order of the excitations was not looked at: NADH does not tell them apart here")
    if order[0] < least and np.log(order[0] / least) < -2.0 * order[1]:
        said = "the excitations seem swapped: the longer one shows more NADH, check which lamp is which and measure again"
        return _closed("swapped_excitation", order[0], least, said)
    return _open("swapped_excitation", order[0], least, "each excitation shows what it should")


def shift_gate(shift_nm: float | None, at_bound: str, most: float, usual_nm: float = 0.0) -> Gate:
    """Return the gate ``shift`` of the fit.

    Parameters
    ----------
    shift_nm : float or None
        None where the fit could not tell it.
    at_bound : str
        Status of the fit; ``at_bound`` closes the gate whatever the value.
    most : float
    usual_nm : float
        The instrument's own shift at its last calibration.

    Examples
    --------
    >>> shift_gate(0.6, "ok", 1.6).passed, shift_gate(2.5, "at_bound", 1.6).passed, shift_gate(2.0, "ok", 1.6, usual_nm=0.8).passed
    (True, False, True)
    """
    if shift_nm is None:
        return _blind("shift", most, "the shift of the wavelengths cannot be told from this spectrum")
    away = abs(shift_nm - usual_nm)
    if away > most or at_bound == "at_bound":
        said = f"the wavelengths are off by {away:.2g} nm: calibrate the spectrometer before going on"
        return _closed("shift", away, most, said)
    return _open("shift", away, most, "the wavelengths are where they should be")


def fit_gate(found: Misfit, chi2: float, most: tuple[float, float]) -> Gate:
    """Return the gate ``unexplained`` of the fit: what no known fluorophore explains.

    Parameters
    ----------
    found : Misfit
    chi2 : float
        Per degree of freedom.
    most : (float, float)
        Share of the brightest band, and chi-squared.

    Examples
    --------
    >>> fit_gate(Misfit(0.2, 30.0, 560.0), 4.0, (0.05, 20.0)).reason
    'The light near 560 nm is explained by no known fluorophore: rinse the field and the probe, then measure again.'
    """
    if found.share > most[0]:
        said = (
            f"the light near {found.at_nm:.0f} nm is explained by no known fluorophore: rinse the field and the probe, then measure again"
        )
        return _closed("unexplained", found.share, most[0], said)
    if not chi2 <= most[1]:
        said = "the spectrum fits no mixture of known fluorophores: rinse the field and the probe, then measure again"
        return _closed("unexplained", chi2, most[1], said)
    return _open("unexplained", found.share, most[0], "known fluorophores explain the light")


_FLOOD = "blood lies under the probe: rinse or suck it off and measure again"
_NO_FLOOD = "no blood lies between probe and tissue"


def _open(name: str, value: float, threshold: float, reason: str) -> Gate:
    return Gate(name, float(value), threshold, True, _sentence(reason))


def _closed(name: str, value: float, threshold: float, reason: str) -> Gate:
    return Gate(name, float(value), threshold, False, _sentence(reason))


def _blind(name: str, threshold: float, reason: str) -> Gate:
    return Gate(name, None, threshold, True, _sentence(reason))


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."
