"""Standardised uptake values from a PET series' own headers, and nothing assumed: what is missing is refused.

``SUV = activity [Bq/mL] * weight [g] / (dose [Bq] * 2^(-dt/T))``; what `dt` is depends on what the scanner already corrected.
The rules are those of the QIBA FDG-PET/CT profile (vendor-neutral pseudo-code) and DICOM PS3.3 C.8.9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase
from onclair.io.dicom.series import Plane, moment_of, when

Normalisation = Literal["bw", "lbm", "bsa"]
#: What an uptake may be normalised by, in words.
NORMALISATIONS: Mapping[str, str] = {"bw": "body weight", "lbm": "lean body mass", "bsa": "body surface area"}

#: Half-lives between injection and scan beyond which the times must be wrong; seconds that an injection may follow the start.
MOST_HALF_LIVES, SLACK_S = 10.0, 300.0
#: Bq below which a dose was surely written in another unit (MBq).
LEAST_DOSE_BQ = 1e4
_STORED_TYPES = {"": "bw", "BW": "bw", "BSA": "bsa", "LBM": "lbm", "LBMJANMA": "lbm"}
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Uptake:
    """How the rescaled values of a series become SUV.

    Attributes
    ----------
    factors : ndarray, float64, shape (n,)
        What each slice is multiplied by.
    facts : mapping
        Plain values: ``units decay_correction normalised_by`` and, where they were used, ``weight_kg dose_mbq half_life_s minutes``
        (from injection to the time that the values stand for). No date and no name.
    notes : tuple of mapping
        ``code text``.
    """

    factors: _Floats
    facts: Mapping[str, Any]
    notes: tuple[Mapping[str, str], ...]


def uptake(planes: Sequence[Plane], by: Normalisation = "bw") -> Uptake:
    """Return the factor from each PET slice's rescaled value to SUV.

    Parameters
    ----------
    planes : sequence of Plane
        Of one PET series.
    by : {"bw", "lbm", "bsa"}
        Body weight (g/mL), lean body mass (Janmahasatian; g/mL) or body surface area (Du Bois; cm2/mL).

    Returns
    -------
    Uptake

    Raises
    ------
    BadCase
        For units that are neither GML, BQML nor CNTS, a series not corrected for attenuation, missing or impossible weight, dose,
        half-life, times, height or sex, several tracers, an unknown decay correction.

    Notes
    -----
    GML holds SUV already and is never divided again. CNTS uses Philips' factors: (7053,1000) straight to SUV, else (7053,1009) to
    Bq/mL. BQML by DecayCorrection: START, from injection to the start of the series, which is the earliest acquisition when SeriesTime
    lies after it (GE's own scan time where present); ADMIN, no decay; NONE, to the moment that each frame's values stand for: its
    acquisition start plus the mean moment of decay within ActualFrameDuration (PS3.3 C.8.9.4.1.5), where that is given.
    """
    first = planes[0]
    units = (first.text("Units") or first.text("RescaleType")).upper()
    corrected = first.get("CorrectedImage")
    if corrected is not None and "ATTN" not in corrected:
        raise _refusal(first, "is not corrected for attenuation", "choose the corrected series")
    facts: dict[str, Any] = {"units": units, "normalised_by": by}
    if units == "GML":
        stored = _STORED_TYPES.get(first.text("SUVType").upper())
        if stored is None:
            raise _refusal(first, f"holds SUV of the type '{first.text('SUVType')}'", "export it normalised by body weight")
        return Uptake(np.full(len(planes), _between(first, stored, by)), facts, ())
    if units == "CNTS":
        to_suv = _private(planes, 0x7053, "Philips PET Private Group", 0x00)
        if to_suv is not None:
            return Uptake(to_suv * _between(first, "bw", by), facts, ())
        to_activity = _private(planes, 0x7053, "Philips PET Private Group", 0x09)
        if to_activity is None:
            raise _refusal(first, "is in counts without Philips' factors (7053,1000) or (7053,1009)", "export it in Bq/mL")
    elif units == "BQML":
        to_activity = np.ones(len(planes))
    else:
        raise _refusal(first, f"is in the units '{units or 'none'}'", "export it in Bq/mL (BQML) or in SUV (GML)")
    return _from_activity(planes, to_activity, by, facts)


def decayed(dose_bq: float, seconds: npt.ArrayLike, half_life_s: float) -> _Floats:
    """Return what is left of a dose after some time.

    Examples
    --------
    >>> float(decayed(400e6, 6586.2, 6586.2)) / 1e6
    200.0
    """
    return np.asarray(dose_bq * 2.0 ** (-np.asarray(seconds, float) / half_life_s))


def mean_moment(duration_s: float, half_life_s: float) -> float:
    """Return when, in a frame, the activity equals the frame's mean: ``ln(l T / (1 - exp(-l T))) / l`` (PS3.3 C.8.9.4.1.5).

    Examples
    --------
    >>> round(mean_moment(180.0, 6586.2), 2)
    89.86
    """
    rate = np.log(2) / half_life_s
    return float(np.log(rate * duration_s / -np.expm1(-rate * duration_s)) / rate) if duration_s > 0 else 0.0


def lean_body_mass_kg(weight_kg: float, height_cm: float, sex: str) -> float:
    """Return the lean body mass by Janmahasatian et al. 2005 (doi:10.2165/00003088-200544100-00004, equation 3).

    Examples
    --------
    >>> round(lean_body_mass_kg(80.0, 178.0, "M"), 2), round(lean_body_mass_kg(65.0, 165.0, "F"), 2)
    (61.12, 41.25)
    """
    bmi = weight_kg / (height_cm / 100) ** 2
    return 9270 * weight_kg / (6680 + 216 * bmi) if sex == "M" else 9270 * weight_kg / (8780 + 244 * bmi)


def surface_area_cm2(weight_kg: float, height_cm: float) -> float:
    """Return the body surface area by Du Bois and Du Bois 1916 (doi:10.1001/archinte.1916.00080130010002).

    Examples
    --------
    >>> round(surface_area_cm2(70.0, 170.0))
    18097
    """
    return 71.84 * float(weight_kg**0.425) * float(height_cm**0.725)


def _from_activity(planes: Sequence[Plane], to_activity: _Floats, by: Normalisation, facts: Mapping[str, Any]) -> Uptake:
    first = planes[0]
    tracer = _tracer(first)
    dose, half_life = tracer("RadionuclideTotalDose"), tracer("RadionuclideHalfLife")
    if dose < LEAST_DOSE_BQ:
        raise _refusal(
            first, f"names an injected dose of {dose:g} Bq, which looks like another unit", "correct RadionuclideTotalDose to Bq"
        )
    seconds, decay, notes = _elapsed(planes, half_life)
    # Per slice only where decay is not corrected: then each frame stands for its own time.
    factors = to_activity * _norm(first, by) / decayed(dose, seconds, half_life)
    used = {"decay_correction": decay, "weight_kg": _weight(first), "dose_mbq": dose / 1e6, "half_life_s": half_life}
    return Uptake(factors, {**facts, **used, "minutes": round(float(np.mean(seconds)) / 60, 2)}, notes)


def _elapsed(planes: Sequence[Plane], half_life: float) -> tuple[_Floats, str, tuple[Mapping[str, str], ...]]:
    """Return the seconds of decay of each slice since the injection, by what the scanner already corrected."""
    first = planes[0]
    decay = first.text("DecayCorrection").upper()
    if not decay and first.text("DecayCorrected").upper() == "YES":  # enhanced PET
        moment = when(first.text("DecayCorrectionDateTime"))
        if moment is None:
            raise _refusal(first, "is decay corrected to a time that it does not tell", "export it with DecayCorrectionDateTime")
        return _since(first, [moment] * len(planes), half_life, "START")
    if not decay and first.text("DecayCorrected").upper() == "NO":
        decay = "NONE"
    if decay == "ADMIN":
        return np.zeros(len(planes)), decay, ()
    if decay == "START":
        return _since(first, [_scan_start(planes)] * len(planes), half_life, decay)
    if decay == "NONE":
        return _since(first, [_own_moment(plane, half_life) for plane in planes], half_life, decay)
    raise _refusal(first, f"says DecayCorrection '{decay or 'nothing'}'", "export it with START, ADMIN or NONE")


def _own_moment(plane: Plane, half_life: float) -> datetime:
    began = plane.acquired
    if began is None:
        raise _refusal(plane, "is not decay corrected and a slice has no acquisition date and time", "export it with them")
    milliseconds = plane.number("ActualFrameDuration") or plane.number("FrameAcquisitionDuration") or 0.0
    return began + timedelta(seconds=mean_moment(milliseconds / 1000, half_life))


def _scan_start(planes: Sequence[Plane]) -> datetime:
    """Return the moment that values corrected to START stand for."""
    first = planes[0]
    series = moment_of(first, "SeriesDate", "SeriesTime")
    acquired = [moment for plane in planes if (moment := plane.acquired) is not None]
    if series is not None and (not acquired or series <= min(acquired)):
        return series
    own = _private_text(first, 0x0009, "GEMS_PETD_01", 0x0D)
    if (moment := when(own)) is not None:
        return moment
    if not acquired:
        raise _refusal(first, "has neither a series nor an acquisition date and time", "export it with them")
    return min(acquired)  # SeriesTime was rewritten when the series was processed


def _since(first: Plane, moments: Sequence[datetime], half_life: float, decay: str) -> tuple[_Floats, str, tuple[Mapping[str, str], ...]]:
    """Return the seconds from the injection to each moment; an injection without a date may lie the day before."""
    item = _tracer_item(first)
    full = when(str(item.get("RadiopharmaceuticalStartDateTime") or ""))
    hour = str(item.get("RadiopharmaceuticalStartTime") or "").replace(":", "").strip()
    start, most = min(moments), MOST_HALF_LIVES * half_life

    def fits(injected: datetime) -> bool:
        return -SLACK_S <= (start - injected).total_seconds() <= most

    notes: tuple[Mapping[str, str], ...] = ()
    candidates = [full] if full is not None else []
    if hour and (same_day := when(f"{start:%Y%m%d}{hour}")) is not None:
        candidates += [same_day, same_day - timedelta(days=1)]
    if not candidates:
        raise _refusal(first, "names no injection time (RadiopharmaceuticalStartDateTime or ...StartTime)", "complete it at the source")
    injected = next((c for c in candidates if fits(c)), None)
    if injected is None:
        found = f"an injection at {candidates[0]:%H:%M:%S} that does not fit its start at {start:%H:%M:%S}"
        hours = (start - candidates[0]).total_seconds() / 3600
        raise _refusal(first, f"names {found} ({hours:.2f} h, half-life {half_life / 3600:.2f} h)", "correct dates and times at the source")
    if full is not None and injected is not full:
        text = "The date of the injection contradicts the series' (dates moved by de-identification?); its time of day was used."
        notes = ({"code": "injection_date_ignored", "text": text},)
    return np.array([(moment - injected).total_seconds() for moment in moments]), decay, notes


def _tracer_item(plane: Plane) -> Any:
    items = plane.get("RadiopharmaceuticalInformationSequence") or []
    if len(items) != 1:
        found = "names no tracer" if not items else f"names {len(items)} tracers"
        raise _refusal(plane, f"{found} (RadiopharmaceuticalInformationSequence)", "export it with the one that was injected")
    return items[0]


def _tracer(plane: Plane) -> Callable[[str], float]:
    """Return a reader of the tracer's positive numbers."""
    item = _tracer_item(plane)

    def number(keyword: str) -> float:
        """Return one positive number, or refuse the series."""
        value = _float(item.get(keyword))
        if value is None or not value > 0:
            found = "no" if item.get(keyword) in (None, "") else f"an impossible ({item.get(keyword)})"
            what = {"RadionuclideTotalDose": "injected dose", "RadionuclideHalfLife": "half-life"}[keyword]
            raise _refusal(plane, f"has {found} {what} ({keyword})", "complete it at the source: SUV is never guessed")
        return value

    return number


def _norm(plane: Plane, by: str) -> float:
    """Return what the dose is spread over: g of body or of lean mass, or cm2 of skin."""
    if by == "bw":
        return 1000 * _weight(plane)
    height = 100 * (plane.number("PatientSize") or 0)
    if not 30 < height < 260:
        raise _refusal(plane, f"has no usable height (PatientSize {plane.get('PatientSize')} m)", "complete it, or use body weight")
    if by == "bsa":
        return surface_area_cm2(_weight(plane), height)
    sex = plane.text("PatientSex").upper()
    if sex not in ("M", "F"):
        raise _refusal(plane, "has no sex (PatientSex M or F), which lean body mass needs", "complete it, or use body weight")
    return 1000 * lean_body_mass_kg(_weight(plane), height, sex)


def _between(plane: Plane, stored: str, by: str) -> float:
    return 1.0 if stored == by else _norm(plane, by) / _norm(plane, stored)


def _weight(plane: Plane) -> float:
    weight = plane.number("PatientWeight")
    if weight is None or not 0 < weight < 700:
        found = "no weight" if not weight else f"an impossible weight of {weight:g} kg"
        raise _refusal(plane, f"has {found} (PatientWeight)", "complete it at the source: SUV is never guessed")
    return weight


def _private(planes: Sequence[Plane], group: int, creator: str, element: int) -> _Floats | None:
    """Return a private number of each slice; None where a slice lacks it or holds 0, which is how scanners leave it out."""
    values = [_float(_private_text(plane, group, creator, element)) for plane in planes]
    return None if any(not v or v <= 0 for v in values) else np.array(values, dtype=np.float64)


def _private_text(plane: Plane, group: int, creator: str, element: int) -> str:
    try:
        value = plane.data.private_block(group, creator)[element].value
    except KeyError:
        found = plane.data.get((group, 0x1000 + element))  # the creator is sometimes lost on the way
        value = "" if found is None else found.value
    return value.decode("ascii", "ignore").strip(" \0") if isinstance(value, bytes) else str(value)


def _float(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if np.isfinite(found) else None


def _refusal(plane: Plane, found: str, cure: str) -> BadCase:
    return BadCase(f"The PET series (file {plane.path.name}) {found}; {cure}.", item=plane.path.name)
