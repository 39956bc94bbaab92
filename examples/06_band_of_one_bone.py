"""The band of one bone: what is known of a vertebra's strength when nobody knows how stiff its tumour is.

A virtual vertebral body of 40 x 32 x 26 mm: a shell of dense bone around cancellous bone of 149 mg/cc, and in it a ball of 9 mm radius
that shows 40 HU, as lytic metastases do. The load that it bears is computed four times: with the tumour taken for bone of its density,
for half and for a tenth of the stiffness around it, and for nothing at all. The interval joins those four with the doubts of outline,
calibration and voxels. The figures printed are what the tumour costs: each strength over that of the same bone without it.

Run it with ``python examples/06_band_of_one_bone.py``; it takes some seconds and writes nothing. The bone is virtual.
"""

import numpy as np

from onclair.science.bone.assess import specimen_of, strength_of
from onclair.science.bone.calibrate import Calibration, Line
from onclair.science.bone.cases import Plan

SPACING_MM, HALF_MM, SHELL_MM, RADIUS_MM = 2.0, (20.0, 16.0, 13.0), 2.0, 9.0
CANCELLOUS_HU, SHELL_HU, TUMOUR_HU = 210.0, 800.0, 40.0
#: What a hole of that size costs, measured once: the solver, not the tumour, decides whether it is found again.
VOID = 0.849
#: 1 HU is 0.7 mg/cc, and no scan is nearer to that line than 4 mg/cc.
PHANTOM = Calibration("scanner", Line(0.7, 2.0), residual_mg_cc=4.0, source="virtual")


def main() -> None:
    hu, bone, tumour = vertebra()
    affine = np.diag([SPACING_MM] * 3 + [1.0])
    plan = Plan("spine-compression", samples=4, seed=1)
    ill = strength_of(specimen_of(np.where(tumour > 0, TUMOUR_HU, hu), affine, PHANTOM, bone, lesions=tumour), plan)
    well = strength_of(specimen_of(hu, affine, PHANTOM, bone), plan).figures.strength_n
    assert ill.strength is not None
    value, low, high = (each / well for each in (ill.figures.strength_n, ill.strength.low, ill.strength.high))

    print(f"Without its tumour this virtual vertebra bears {well:.0f} N; with it, as a share of that:")
    for step in ill.band:
        print(f"  tumour as {step.assumption:<8} {step.strength_n / well:.3f}")
    print(f"share:strength {value:.3f} ({low:.3f} to {high:.3f})")
    print(f"the interval is mostly {ill.strength.dominant}; solved in {ill.solution.iterations} iterations")

    shares = {step.assumption: step.strength_n / well for step in ill.band}
    assert shares["void"] < shares["tenth"] < shares["density"] < shares["half"] < 1, "the less the tumour bears, the weaker the bone"
    assert low <= min(shares.values()) <= max(shares.values()) <= high, "the interval holds every assumption"
    assert abs(shares["void"] - VOID) < 0.005, "a hole of this size costs what it was measured to cost"


def vertebra() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return HU without the tumour, the bone, and the tumour: an elliptic cylinder along z with a shell, with room for its caps."""
    axes = [np.arange(-half - 8.0, half + 8.1, SPACING_MM) for half in HALF_MM]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    across, along = np.hypot(x / HALF_MM[0], y / HALF_MM[1]), np.abs(z)
    bone = (across <= 1) & (along <= HALF_MM[2])
    inner = (across <= 1 - SHELL_MM / HALF_MM[1]) & (along <= HALF_MM[2] - SHELL_MM)
    hu = np.where(inner, CANCELLOUS_HU, np.where(bone, SHELL_HU, 40.0))
    return hu, bone, (np.sqrt(x**2 + y**2 + z**2) <= RADIUS_MM).astype(np.int32)


if __name__ == "__main__":
    main()
