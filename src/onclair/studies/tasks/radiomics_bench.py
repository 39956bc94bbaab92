"""`onclair bench radiomics`: file to table in a fresh process, beside PyRadiomics where it is installed."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.seeds import rng_for
from onclair.core.values import Image, Mask
from onclair.io.nifti import write_image, write_mask
from onclair.run.bench import Timing, peer_python, timing
from onclair.virtual.radiomics import VirtualRadiomics, write

#: What each program does around its call: `table(image, mask)` gives the number of features.
_AROUND = """
import json, resource, sys
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
start = cpu()
{code}
imported = cpu()
passes, pairs = int(sys.argv[1]), list(zip(sys.argv[2::2], sys.argv[3::2]))
times = []
for _ in range(passes):
    before = cpu(); outputs = sum(table(*pair) for pair in pairs); times.append(cpu() - before)
cost = dict(import_cpu_s=imported - start, first_cpu_s=times[0], warm_cpu_s=min(times[1:], default=None))
print(json.dumps(dict(version=version, outputs=outputs, **cost)))
"""

_OURS = """
from onclair import __version__ as version
from onclair.io.nifti import read_image, read_mask
from onclair.science.radiomics.extract import Extraction, extract
how = Extraction(**{how})
def table(image_path, mask_path):
    image = read_image(image_path, "a.u.")
    return len(extract(image.array, read_mask(mask_path, labels=["outline"]).on(image).region(), image.spacing_mm, how).values)
"""

_OURS_FILTERED = """
from onclair import __version__ as version
from onclair.io.nifti import read_image, read_mask
from onclair.science.radiomics.extraction import Extraction
from onclair.science.radiomics.filtered import FilteredExtraction, extract_filtered, responses_of
from onclair.science.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from onclair.science.radiomics.filters.response import Setup
from onclair.science.radiomics.filters.separable_wavelets import SeparableWavelet
bands = [a + b + c for a in "LH" for b in "LH" for c in "LH"]
filters = [(band, Setup(SeparableWavelet("coif1", band))) for band in bands]
filters += [(f"log-{{sigma}}", Setup(LaplacianOfGaussian(sigma))) for sigma in (2.0, 3.0, 4.0)]
original = Extraction(**{how})
how = FilteredExtraction(original, tuple(filters), responses_of(original, {{}}))
def table(image_path, mask_path):
    image = read_image(image_path, "a.u.")
    return len(extract_filtered(image.array, read_mask(mask_path, labels=["outline"]).on(image).region(), image.spacing_mm, how).values)
"""

_PYRADIOMICS = """
import logging
import radiomics
from radiomics.featureextractor import RadiomicsFeatureExtractor
logging.disable(logging.CRITICAL)
version = radiomics.__version__
maker = RadiomicsFeatureExtractor(**{how})
maker.disableAllFeatures()
for family in {families}:
    maker.enableFeatureClassByName(family)
maker.disableAllImageTypes()
for kind, settings in {images}.items():
    maker.enableImageTypeByName(kind, customArgs=settings)
def table(image_path, mask_path):
    return sum(not name.startswith("diagnostics") for name in maker.execute(image_path, mask_path))
"""

TEXTURES = ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
#: What both tools have, or nearly: PyRadiomics has no distance zones and no histogram of levels.
MATCHED = ("morphology", "statistics", "histogram", *TEXTURES)
ALL = (
    "morphology", "enclosing", "autocorrelation", "local_peak", "statistics", "histogram", "volume_histogram", *TEXTURES,
)  # fmt: skip
THEIR_TEXTURES = ("glcm", "glrlm", "glszm", "ngtdm", "gldm")
THEIR_MATCHED = ("firstorder", "shape", *THEIR_TEXTURES)
#: The other tools of the field: those that are not measured are rows that say so.
PEERS = ("pyradiomics", "flash-radiomics", "mirp", "pictologics")
CUBE, LEVELS = 200, 32

Pairs = Sequence[tuple[Path, Path]]


@dataclass(frozen=True, slots=True)
class BenchCase:
    """Files to read, and the settings of both tools.

    Attributes
    ----------
    name : str
    pairs : sequence of (Path, Path)
        Image and outline.
    levels, theirs : mapping
        How grey levels are made: fields of `Extraction`, and settings of PyRadiomics.
    scopes : mapping of str to tuple of str
        Scope to families.
    families : tuple of str
        PyRadiomics' classes.
    filtered : bool
        Whether eight wavelet bands and three Laplacians of Gaussian are taken too.
    """

    name: str
    pairs: Pairs
    levels: Mapping[str, Any]
    theirs: Mapping[str, Any]
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"matched": MATCHED, "all": ALL})
    families: tuple[str, ...] = THEIR_MATCHED
    filtered: bool = False

    @property
    def files(self) -> list[str]:
        """The paths in the order that programs take them."""
        return [str(path) for pair in self.pairs for path in pair]


def bench(reference_data: Path | None, peer_home: Path | None, *, peers: Sequence[str] = PEERS) -> list[Timing]:
    """Return the timings of every tool on every case.

    Parameters
    ----------
    reference_data : Path or None
        The folder that holds ``ibsi1/`` and ``sts_pet/`` (or ``radiomics/`` with them); without it, virtual PET is measured.
    peer_home : Path or None
        A folder of environments, one a peer, ``HOME/pyradiomics/bin/python``.
    peers : sequence of str
        Of `PEERS`: which to measure beside Onclair.

    Returns
    -------
    list of Timing
        Cases ``ct`` (the IBSI's phantom), ``pet`` (51 sarcomas), ``filters`` (the phantom, its wavelet and LoG responses) and ``cube``
        (textures of a full cube of 200 voxels a side). A peer that is not measured is a row that says why.
    """
    with tempfile.TemporaryDirectory(prefix="onclair-bench-") as place:
        rows: list[Timing] = []
        for case in _cases(reference_data, Path(place)):
            rows += [_ours(case, scope) for scope in case.scopes]
            rows += [_peer(name, case, peer_home) for name in peers]
        return rows


def _ours(case: BenchCase, scope: str) -> Timing:
    how = {**case.levels, "families": case.scopes[scope]}
    code = (_OURS_FILTERED if case.filtered else _OURS).format(how=how)
    return timing("onclair", case.name, [sys.executable, "-c", _AROUND.format(code=code)], case.files, scope=scope)


def _peer(name: str, case: BenchCase, home: Path | None) -> Timing:
    python = peer_python(name, home)
    if python is None:
        why = "not installed here, and no environment of its own was given with --peer-home"
        return Timing(name, case.name, status="missing", reason=why)
    if name != "pyradiomics":
        return Timing(name, case.name, status="missing", reason="installed, but this benchmark has no program for it yet")
    images: dict[str, dict[str, Any]] = {"Original": {}}
    if case.filtered:
        images |= {"Wavelet": {}, "LoG": {"sigma": [2.0, 3.0, 4.0]}}
    code = _PYRADIOMICS.format(how=dict(case.theirs), families=case.families, images=images)
    return timing(name, case.name, [python, "-c", _AROUND.format(code=code)], case.files)


def _cases(reference_data: Path | None, place: Path) -> Iterator[BenchCase]:
    suv = {"discretisation": "fixed-width", "width": 0.5, "minimum": 0.0}
    if reference_data is None:
        yield BenchCase("virtual-pet", _virtual(place), suv, {"binWidth": 0.5})
        return
    home = reference_data if (reference_data / "ibsi1").is_dir() else reference_data / "radiomics"
    ct = [(home / "ibsi1" / "ct_phantom_image.nii.gz", home / "ibsi1" / "ct_phantom_mask.nii.gz")]
    levels = {"discretisation": "fixed-number", "bins": LEVELS}
    yield BenchCase("ct", ct, levels, {"binCount": LEVELS})
    pet = [(path, path.with_name(path.name.replace("_pet", "_mask"))) for path in sorted((home / "sts_pet").glob("*_pet.nii.gz"))]
    yield BenchCase("pet", pet, suv, {"binWidth": 0.5})
    yield BenchCase("filters", ct, levels, {"binCount": LEVELS}, {"matched": MATCHED}, filtered=True)
    yield BenchCase("cube", [_cube(place)], levels, {"binCount": LEVELS}, {"matched": TEXTURES}, THEIR_TEXTURES)


def _cube(place: Path) -> tuple[Path, Path]:
    """Write noise, smoothed once, and an outline of all of it but its outermost voxels: PyRadiomics refuses one without an outside."""
    from scipy.ndimage import gaussian_filter

    side, grid = CUBE + 2, np.eye(4)
    noise = rng_for(1, "bench", "cube").standard_normal((side, side, side), dtype=np.float32)
    outline = np.pad(np.ones((CUBE, CUBE, CUBE), np.int32), 1)
    write_image(place / "cube.nii", Image(100 * gaussian_filter(noise, 1.0), grid, "a.u."))
    write_mask(place / "cube_mask.nii", Mask(outline, grid))
    return place / "cube.nii", place / "cube_mask.nii"


def _virtual(place: Path) -> Pairs:
    write(VirtualRadiomics(patients=10, centres=1, seed=1), place / "cohort")
    images = sorted((place / "cohort" / "images").glob("*pet*.nii.gz"))
    return [(path, path.with_name(path.name.replace("pet", "mask"))) for path in images]
