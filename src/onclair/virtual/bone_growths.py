"""What grows in virtual bones: metastases, and what is mistaken for them, each as a solid with a content of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from onclair.virtual.bone_anatomy import Floats, Points, Vector, Window, filled
from onclair.virtual.bone_tissue import Sampled
from onclair.virtual.lesion_shapes import Shape

#: What a metastasis makes of bone.
Type = Literal["lytic", "blastic", "mixed", "occult"]
#: What is not one.
MIMICS = (
    "bone_island",
    "haemangioma",
    "schmorl_node",
    "degenerative_sclerosis",
    "osteoporotic_patch",
    "vessel_channel",
    "healed_fracture",
)
#: HU of soft tissue where a lesion has left the bone.
OUTSIDE_HU = 48.0
#: How far a lesion that breaches the cortex may reach out of the bone, in radii.
_OUTWARD = 0.45


@dataclass(frozen=True, slots=True)
class Content:
    """What fills a growth.

    Attributes
    ----------
    low_hu, high_hu : float
        Where it is all lytic, and all dense; equal for a plain one.
    weight : float
        How much of the bone it replaces, 0 to 1.
    edge_mm : float
        Width over which it gives way to bone.
    rim_hu : float
        HU added by a sclerotic rim of 1.5 mm; 0 for none.
    pattern : {"plain", "patches", "columns", "shift"}
        All alike; patches of both; coarse columns along the load; the bone itself, shifted by `low_hu`.
    phase : float
        Of patches and columns.
    """

    low_hu: float
    high_hu: float
    weight: float
    edge_mm: float
    rim_hu: float = 0.0
    pattern: Literal["plain", "patches", "columns", "shift"] = "plain"
    phase: float = 0.0


@dataclass(frozen=True, slots=True)
class Growth:
    """A metastasis or a mimic in a bone.

    Attributes
    ----------
    kind : str
        ``metastasis`` or one of `MIMICS`.
    type : str
        What it looks like: ``lytic``, ``blastic``, ``mixed`` or ``occult``.
    shape : Shape
    content : Content
    label : int
        Of the bone it grows in.
    breach : bool
        Whether it destroys the cortex that it meets.
    """

    kind: str
    type: str
    shape: Shape
    content: Content
    label: int
    breach: bool = False

    @property
    def is_metastasis(self) -> bool:
        """Whether it is one."""
        return self.kind == "metastasis"

    def box(self) -> tuple[Vector, Vector]:
        """Return a box in the world that holds whatever it changes."""
        return self.shape.box(2.0 * self.content.edge_mm + 2.0)


@dataclass(eq=False, slots=True)
class Grown:
    """A bone in a window with everything that grows in it.

    Attributes
    ----------
    cover : ndarray, float32, shape of the window
        How much of a cell is bone, or growth beyond it.
    bone : ndarray, float32, same shape
        How much of a cell is bone, as it was before.
    hu : ndarray, float32, same shape
        What the covered share attenuates.
    inside : list of (slices, ndarray)
        How much of each cell each growth fills, in the order given.
    breached : list of float
        Cortex that each growth destroys, in cells.
    """

    cover: Floats
    bone: Floats
    hu: Floats
    inside: list[tuple[tuple[slice, slice, slice], Floats]] = field(default_factory=list)
    breached: list[float] = field(default_factory=list)


def grown(sampled: Sampled, window: Window, growths: tuple[Growth, ...]) -> Grown:
    """Return a sampled bone with its growths.

    Parameters
    ----------
    sampled : Sampled
    window : Window
        The cells that it was sampled on.
    growths : tuple of Growth
        All of this bone; the later over the earlier.
    """
    bone = filled(sampled.distance, window.cell_mm)
    found = Grown(bone.copy(), bone, sampled.hu.copy())
    for growth in growths:
        _grow(found, sampled, window, growth)
    return found


def _grow(found: Grown, sampled: Sampled, window: Window, growth: Growth) -> None:
    cut = window.around(*growth.box())
    part = window.part(cut)
    if 0 in part.shape:
        found.inside.append((cut, np.zeros(part.shape, np.float32)))
        found.breached.append(0.0)
        return
    points = part.points()
    distance = np.asarray(np.broadcast_to(growth.shape.distance(points), part.shape), np.float32)
    allowed = _allowed(sampled, cut, growth)
    soft = soft_share(distance, growth.content.edge_mm, part.cell_mm) * allowed
    weight = np.float32(growth.content.weight) * soft
    hu = found.hu[cut]
    changed = hu + weight * (content_hu(growth.content, points, hu, distance) - hu)
    if growth.content.rim_hu:
        rim = np.exp(-np.square((distance - 0.5) / 1.2)) * allowed * (1.0 - sampled.shell[cut])
        changed = changed + np.float32(growth.content.rim_hu) * rim
    inside = filled(distance, part.cell_mm) * allowed
    if growth.breach:
        _leave(found, cut, weight, changed)
    else:
        found.hu[cut] = changed
        inside = inside * found.bone[cut]
    found.inside.append((cut, np.asarray(inside, np.float32)))
    found.breached.append(float((inside * sampled.shell[cut] * found.bone[cut]).sum()) if growth.breach else 0.0)


def _leave(found: Grown, cut: tuple[slice, slice, slice], weight: Floats, changed: Floats) -> None:
    """Let a growth reach out of the bone: soft tissue beside what the bone's share of the cells has become."""
    bone = found.cover[cut]
    out = (1.0 - bone) * weight
    found.cover[cut] = bone + out
    whole = np.maximum(bone + out, 1e-3)
    found.hu[cut] = np.where(out > 1e-3, (bone * changed + out * np.float32(OUTSIDE_HU)) / whole, changed)


def _allowed(sampled: Sampled, cut: tuple[slice, slice, slice], growth: Growth) -> Floats:
    """Return where a growth may be: within the marrow; or, where it breaches, in the cortex and a little beyond."""
    if not growth.breach:
        return np.asarray(1.0 - 0.85 * sampled.shell[cut], np.float32)
    reach = np.float32(min(_OUTWARD * growth.shape.mean_mm, 8.0))
    return np.asarray(np.clip(1.0 - (sampled.distance[cut] - reach) / 1.5, 0.0, 1.0), np.float32)


def soft_share(distance: Floats, edge_mm: float, cell_mm: float) -> Floats:
    """Return the share of a growth across its border: 1 inside, 0 outside, smooth over the width of the edge."""
    width = max(edge_mm, cell_mm)
    share = np.clip(0.5 - distance / np.float32(2.0 * width), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), np.float32)


def content_hu(content: Content, points: Points, hu: Floats, distance: Floats) -> Floats:
    """Return what fills a growth at some points, over the HU that are there and the distance to its border."""
    x, y, z = (np.asarray(p) for p in points)
    low, high = np.float32(content.low_hu), np.float32(content.high_hu)
    if content.pattern == "shift":
        return np.asarray(hu + low, np.float32)
    if content.pattern == "plain":
        return np.asarray(low + (high - low) * np.clip(-distance / 4.0, 0.0, 1.0), np.float32)
    if content.pattern == "columns":
        turn = np.float32(content.phase)
        dots = np.sin(2.0 * x + turn) * np.sin(2.0 * y + 2.0 * turn + 0.0 * z)
        return np.asarray(low + (high - low) * np.clip(1.6 * dots - 0.35, 0.0, 1.0), np.float32)
    often = np.float32(2.0 * math.pi / 9.0)
    waves = np.sin(often * x + content.phase) + np.sin(often * (0.8 * y + 0.5 * z) + 2.0 * content.phase)
    waves = waves + np.sin(often * (0.8 * z - 0.5 * y) + 3.0 * content.phase)
    return np.asarray(low + (high - low) * np.clip(0.5 + 0.8 * waves, 0.0, 1.0), np.float32)
