"""CT-based structural rigidity: what each cross-section would bear of axial load, bending and torsion, and what a lesion took of it.

Snyder et al. 2006, J Bone Joint Surg Am 88:57, doi 10.2106/JBJS.D.02669; the threshold and its use in femurs: Damron et al.
2016, Clin Orthop Relat Res 474:643, doi 10.1007/s11999-015-4453-0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Against = Literal["other side", "intact neighbours"]

#: A bone that lost more than this of any rigidity is at risk (Damron 2016).
AT_RISK = 0.35
#: Kinds of rigidity, in the order of their columns.
KINDS = ("axial", "bending", "torsional")
#: A slice is compared only where both sections hold this share of their bone's median slice: ends taper.
LEAST_OF_MEDIAN = 0.5
NO_REFERENCE = "No slice of this bone is free of lesions and there is no other side, so there is nothing to compare with."


@dataclass(frozen=True, slots=True)
class Ctra:
    """What a bone lost of its rigidity.

    Attributes
    ----------
    against : {"other side", "intact neighbours"}
        The mirrored, registered other side; or, without it, intact slices of the same bone above and below.
    losses : tuple of float or None
        Largest loss of axial, bending and torsional rigidity over the slices, as shares of 1; negative where stronger.
    slices : tuple of int or None
        Where, slice numbers along the axis.
    reason : str or None
        Why there is none.
    """

    against: Against
    losses: tuple[float, float, float] | None
    slices: tuple[int, int, int] | None
    reason: str | None = None

    @property
    def worst(self) -> float | None:
        """The largest loss of any kind."""
        return None if self.losses is None else max(self.losses)

    @property
    def at_risk(self) -> bool | None:
        """Whether a rigidity fell by more than 35 %."""
        return None if self.worst is None else self.worst > AT_RISK

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        by_kind = None if self.losses is None else dict(zip(KINDS, self.losses, strict=True))
        where = None if self.slices is None else dict(zip(KINDS, self.slices, strict=True))
        return {
            "against": self.against,
            "loss": by_kind,
            "slice": where,
            "worst_loss": self.worst,
            "at_risk": self.at_risk,
            "threshold": AT_RISK,
            "reason": self.reason,
        }


def rigidities(modulus_mpa: Floats, spacing_mm: tuple[float, float, float], axis: int, *, poisson: float = 0.3) -> Floats:
    """Return the rigidities of each cross-section.

    Parameters
    ----------
    modulus_mpa : ndarray, float64, shape (x, y, z)
        0 outside the bone.
    spacing_mm : tuple of float
    axis : int
        Along which the bone runs.
    poisson : float
        G = E / (2 (1 + poisson)).

    Returns
    -------
    ndarray, float64, shape (slices, 3)
        ``EA = sum E dA`` (N); ``EI``, the smaller principal moment of ``sum E y y' dA`` about the modulus-weighted centroid (N mm2);
        ``GJ = sum G r2 dA`` (N mm2). 0 where a slice holds no bone.

    Examples
    --------
    A square bar of 20 x 20 mm at 1000 MPa: EA = 400 000 N, EI = 1000 * 20**4 / 12 less what the mid-points of 1 mm pixels miss:

    >>> ea, ei, gj = rigidities(np.full((20, 20, 1), 1000.0), (1.0, 1.0, 1.0), 2, poisson=0.0)[0]
    >>> float(ea), round(float(ei) / (1000 * 20**4 / 12), 4), bool(np.isclose(gj, ei))
    (400000.0, 0.9975, True)
    """
    first, second = (a for a in range(3) if a != axis)
    modulus = np.moveaxis(np.asarray(modulus_mpa, dtype=np.float64), (axis, first, second), (0, 1, 2))
    area = spacing_mm[first] * spacing_mm[second]
    u = np.arange(modulus.shape[1]) * spacing_mm[first]
    v = np.arange(modulus.shape[2]) * spacing_mm[second]
    total = modulus.sum(axis=(1, 2))
    safe = np.where(total > 0, total, 1.0)
    along_u, along_v = modulus.sum(axis=2), modulus.sum(axis=1)
    mean_u, mean_v = along_u @ u / safe, along_v @ v / safe
    uu = along_u @ u**2 - total * mean_u**2
    vv = along_v @ v**2 - total * mean_v**2
    uv = np.einsum("sij,i,j->s", modulus, u, v) - total * mean_u * mean_v
    middle, half = (uu + vv) / 2.0, np.hypot((uu - vv) / 2.0, uv)
    shear = (uu + vv) / (2.0 * (1.0 + poisson))
    return np.asarray(np.stack([total, middle - half, shear], axis=1) * area)


def loss_against_other_side(
    affected: Floats, other: Floats, spacing_mm: tuple[float, float, float], axis: int, *, lesion: Flags | None = None
) -> Ctra:
    """Return what a bone lost against the other side, mirrored and registered onto it.

    Parameters
    ----------
    affected, other : ndarray, float64, shape (x, y, z)
        MPa on one grid, 0 outside the bone.
    spacing_mm : tuple of float
    axis : int
    lesion : ndarray, bool, shape (x, y, z), or None
        Only slices that it touches are compared; all without it.

    Returns
    -------
    Ctra

    Raises
    ------
    BadInput
        When the two have another shape.

    Examples
    --------
    >>> whole = np.full((8, 8, 6), 1000.0); holed = whole.copy(); holed[:, :4, 3] = 0
    >>> found = loss_against_other_side(holed, whole, (1.0, 1.0, 1.0), 2)
    >>> found.losses[0], found.slices[0], found.at_risk
    (0.5, 3, True)
    """
    if affected.shape != other.shape:
        raise BadInput(f"The two sides have the shapes {affected.shape} and {other.shape}; register one onto the other.", item="ctra")
    mine, theirs = (rigidities(side, spacing_mm, axis) for side in (affected, other))
    usable = _full(other, axis) & (_touched(lesion, axis) if lesion is not None else _full(affected, axis))
    return _worst(mine, theirs, usable, "other side")


def loss_against_neighbours(affected: Floats, lesion: Flags, spacing_mm: tuple[float, float, float], axis: int) -> Ctra:
    """Return what a bone lost against its own intact slices above and below the lesion, interpolated between them.

    Parameters
    ----------
    affected : ndarray, float64, shape (x, y, z)
        MPa, the tumour at its calibrated density, 0 outside the bone.
    lesion : ndarray, bool, shape (x, y, z)
    spacing_mm : tuple of float
    axis : int

    Returns
    -------
    Ctra
        Without losses, and with a reason, when no slice is intact or none is touched.

    Examples
    --------
    >>> bone = np.full((8, 8, 6), 1000.0); tumour = np.zeros((8, 8, 6), bool); tumour[:4, :, 2] = True; bone[tumour] = 0.0
    >>> loss_against_neighbours(bone, tumour, (1.0, 1.0, 1.0), 2).losses[0]
    0.5
    """
    mine, touched, full = rigidities(affected, spacing_mm, axis), _touched(lesion, axis), _full((affected > 0) | lesion, axis)
    intact = np.flatnonzero(full & ~touched)
    if not intact.size or not (touched & full).any():
        return Ctra("intact neighbours", None, None, NO_REFERENCE)
    places = np.arange(len(mine))
    theirs = np.stack([np.interp(places, intact, mine[intact, kind]) for kind in range(len(KINDS))], axis=1)
    return _worst(mine, theirs, touched & full, "intact neighbours")


def _worst(mine: Floats, theirs: Floats, usable: Flags, against: Against) -> Ctra:
    usable = usable & (theirs > 0).all(axis=1)
    if not usable.any():
        return Ctra(against, None, None, NO_REFERENCE)
    loss = np.where(usable[:, None], 1.0 - mine / np.where(theirs > 0, theirs, 1.0), -np.inf)
    at = loss.argmax(axis=0)
    first, second, third = (float(loss[at[kind], kind]) for kind in range(len(KINDS)))
    return Ctra(against, (first, second, third), (int(at[0]), int(at[1]), int(at[2])))


def _touched(region: Flags, axis: int) -> Flags:
    return np.asarray(region.any(axis=tuple(a for a in range(3) if a != axis)))


def _full(bone: Floats | Flags, axis: int) -> Flags:
    """Return the slices that hold at least half as many voxels as the bone's median slice."""
    voxels = np.count_nonzero(bone, axis=tuple(a for a in range(3) if a != axis))
    held = voxels[voxels > 0]
    least = LEAST_OF_MEDIAN * float(np.median(held)) if held.size else 1.0
    return np.asarray(voxels >= max(least, 1.0))
