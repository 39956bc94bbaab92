"""What a virtual spectra cohort may be told."""

from __future__ import annotations

from typing import Literal, get_args

from onclair.core.settings import Settings, setting

Fault = Literal[
    "none", "saturated", "lamp_off", "no_contact", "blood_flood", "shift3nm", "ambient", "unknown_fluorophore", "swapped_excitation"
]
#: Everything that can be wrong with a point on purpose.
FAULTS: tuple[str, ...] = tuple(fault for fault in get_args(Fault) if fault != "none")


class VirtualSpectra(Settings):
    """Settings of a virtual spectra cohort."""

    patients: int = setting(60, "virtual patients", "patients virtuels", ge=2, le=100_000)
    centres: int = setting(3, "centres, each with its own spectrometer", "centres, chacun avec son spectromètre", ge=1, le=100)
    seed: int = setting(1, "seed of every random choice", "graine de tous les tirages", ge=0)
    pixels: int = setting(1024, "pixels of every spectrometer", "pixels de chaque spectromètre", ge=256, le=4096)
    counts: float = setting(
        3000.0,
        "counts at the peak of median healthy tissue in 40 ms, at the usual gain",
        "coups au maximum d'un tissu sain médian en 40 ms, au gain habituel",
        unit="counts",
        ge=50,
        le=20_000,
    )
    fault: Fault = setting("none", "what is wrong with the points on purpose", "ce qui ne va pas, à dessein, avec les points")
    fault_share: float = setting(1.0, "share of the points that the fault strikes", "part des points que touche le défaut", ge=0, le=1)
