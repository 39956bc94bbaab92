"""Lines of calibration lamps, nm in air, and how a person names them.

Source: A. Kramida et al., NIST Atomic Spectra Database, doi:10.18434/T4W30F; strong lines that stand alone at a spectrometer's resolution.
"""

from __future__ import annotations

import math

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean

#: By element. Neutral atoms; 365.015 nm is the strongest of a triplet.
LINES_NM: dict[str, tuple[float, ...]] = {
    "hg": (253.652, 296.728, 302.150, 313.155, 334.148, 365.015, 404.656, 407.783, 435.833, 546.074, 576.960, 579.066),
    "ar": (
        *(696.543, 706.722, 714.704, 727.294, 738.398, 750.387, 763.511, 772.376, 794.818, 800.616, 811.531, 826.452, 842.465),
        *(852.144, 866.794, 912.297),
    ),
    "kr": (
        *(427.397, 431.958, 436.264, 445.392, 446.369, 450.235, 556.222, 557.029, 587.091, 758.741, 760.155, 768.525, 769.454),
        *(785.482, 805.950, 810.436, 811.290, 819.006, 826.324, 829.811),
    ),
    "ne": (
        *(585.249, 588.190, 594.483, 597.553, 603.000, 607.434, 609.616, 614.306, 616.359, 621.728, 626.650, 630.479, 633.443),
        *(638.299, 640.225, 650.653, 653.288, 659.895, 667.828, 671.704, 692.947, 703.241, 717.394, 724.517, 743.890),
    ),
}
#: The ten of a mercury-argon lamp that every such lamp shows.
HG_AR = (404.656, 435.833, 546.074, 576.960, 579.066, 696.543, 706.722, 738.398, 750.387, 763.511)


def lamp_lines(named: str) -> tuple[float, ...]:
    """Return the lines that a person names: ``hg-ar``, elements, or wavelengths in nm, with commas between.

    Raises
    ------
    BadSetting
        For a name that is none, or a wavelength outside 150 to 2600 nm.

    Examples
    --------
    >>> lamp_lines("hg-ar")[:2], len(lamp_lines("kr, ar")), lamp_lines("546.074, 404.656")
    ((404.656, 435.833), 36, (404.656, 546.074))
    """
    lines: set[float] = set()
    for word in (part.strip().lower() for part in named.split(",")):
        lines.update(HG_AR if word in ("hg-ar", "hgar") else LINES_NM.get(word) or (_number(word),))
    return tuple(sorted(lines))


def _number(word: str) -> float:
    try:
        line = float(word)
    except ValueError:
        line = math.nan
    if not 150.0 <= line <= 2600.0:
        known = ("hg-ar", *LINES_NM)
        said = f"The lines of a lamp are given as '{word}'; {did_you_mean(word, known)} Wavelengths in nm may be given too"
        raise BadSetting(f"{said}, with commas between.", item="lines")
    return line
