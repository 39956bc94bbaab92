"""A small torso for tests of the bone mask and the lesion table: body, table, spine with canal, aorta, ribs."""

from __future__ import annotations

import numpy as np

SPACING = (1.0, 1.0, 3.0)


def torso(*, seed: int = 1, aorta_hu: float = 300.0, slices: int = 16):
    """Return (hu, affine, parts): parts a dict of bool regions body, bone, canal, aorta, table, vertebra."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(-110.0, 110.0), np.arange(-90.0, 110.0), indexing="ij")
    body = (x / 95) ** 2 + (y / 70) ** 2 < 1
    vertebra = (x / 21) ** 2 + ((y - 10) / 16) ** 2 < 1
    arch = ((x / 19) ** 2 + ((y - 35) / 15) ** 2 < 1) & (y > 24)
    canal = (x / 11) ** 2 + ((y - 34) / 8.5) ** 2 < 1
    process = (np.abs(x) < 3) & (y > 44) & (y < 62)
    inner = (x / 19) ** 2 + ((y - 10) / 14) ** 2 < 1
    aorta = (x - 12) ** 2 + (y + 19) ** 2 < 11**2
    rib = np.abs(np.hypot(x / 88, y / 63) - 1) < 0.055
    rib &= np.abs(y) < 22
    table = (y > 84) & (y < 88)
    plane = np.where(body, 45.0, -1000.0)
    plane[(x / 60) ** 2 + ((y + 35) / 22) ** 2 < 1] = 100.0
    plane[aorta] = aorta_hu
    plane[rib] = 700.0
    plane[vertebra | arch | process] = 500.0
    plane[inner] = 130.0
    plane[canal] = 20.0
    plane[table] = 410.0
    bone = (vertebra | arch | process | rib) & ~canal
    hu = np.repeat(plane[:, :, None], slices, axis=2)
    texture = 60.0 * rng.standard_normal(hu.shape)
    hu = hu + 10.0 * rng.standard_normal(hu.shape) + np.where(inner[:, :, None], texture, 0.0)
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = (-110.0, -90.0, 400.0)
    parts = {"body": body, "bone": bone, "canal": canal, "aorta": aorta, "table": table, "vertebra": (vertebra | arch | process) & ~canal}
    return hu.astype(np.int16), affine, {name: np.repeat(part[:, :, None], slices, axis=2) for name, part in parts.items()}
