"""`onclair bench radiomics`: file to table in a fresh process, beside PyRadiomics where it is installed."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from onclair.run.bench import Timing, peer_python, timing
from onclair.virtual.radiomics import VirtualRadiomics, write

#: Which families both tools have: statistics, histogram, mesh shape, GLCM, GLRLM.
_OURS = """
import json, resource, sys
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
start = cpu()
import onclair
from onclair.io.nifti import read_image, read_mask
from onclair.science.radiomics.extract import Extraction, extract
imported = cpu()
how = Extraction({how})
def table(pairs):
    count = 0
    for image_path, mask_path in pairs:
        image = read_image(image_path, "a.u.")
        values = extract(image.array, read_mask(mask_path).on(image).region(), image.spacing_mm, how).values
        count += len(values)
    return count
passes, pairs = int(sys.argv[1]), list(zip(sys.argv[2::2], sys.argv[3::2]))
times = []
for _ in range(passes):
    before = cpu(); outputs = table(pairs); times.append(cpu() - before)
cost = dict(import_cpu_s=imported - start, first_cpu_s=times[0], warm_cpu_s=min(times[1:], default=None))
print(json.dumps(dict(version=onclair.__version__, outputs=outputs, **cost)))
"""

_PYRADIOMICS = """
import json, logging, resource, sys
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
start = cpu()
import radiomics
from radiomics.featureextractor import RadiomicsFeatureExtractor
logging.disable(logging.CRITICAL)
imported = cpu()
maker = RadiomicsFeatureExtractor(**{how})
maker.disableAllFeatures()
for family in ("firstorder", "shape", "glcm", "glrlm"):
    maker.enableFeatureClassByName(family)
def table(pairs):
    count = 0
    for image_path, mask_path in pairs:
        count += sum(not name.startswith("diagnostics") for name in maker.execute(image_path, mask_path))
    return count
passes, pairs = int(sys.argv[1]), list(zip(sys.argv[2::2], sys.argv[3::2]))
times = []
for _ in range(passes):
    before = cpu(); outputs = table(pairs); times.append(cpu() - before)
cost = dict(import_cpu_s=imported - start, first_cpu_s=times[0], warm_cpu_s=min(times[1:], default=None))
print(json.dumps(dict(version=radiomics.__version__, outputs=outputs, **cost)))
"""

_MATCHED = "families=('morphology', 'statistics', 'histogram', 'glcm', 'glrlm')"


def bench(reference_data: Path | None, peer_home: Path | None) -> list[Timing]:
    """Return the timings of every tool on every case.

    Parameters
    ----------
    reference_data : Path or None
        The folder that holds ``ibsi1/`` and ``sts_pet/`` (or ``radiomics/`` with them); without it, virtual PET is measured.
    peer_home : Path or None
        A folder of environments, one a peer, ``HOME/pyradiomics/bin/python``.

    Returns
    -------
    list of Timing
        A peer that is not installed is a row that says so.
    """
    with tempfile.TemporaryDirectory(prefix="onclair-bench-") as place:
        cases = _real(reference_data) if reference_data is not None else _virtual(Path(place))
        rows: list[Timing] = []
        for case, pairs, width in cases:
            paths = [str(path) for pair in pairs for path in pair]
            rows += [_ours(case, paths, width, "matched"), _ours(case, paths, width, "all"), _pyradiomics(case, paths, width, peer_home)]
        return rows


def _ours(case: str, paths: Sequence[str], width: float, scope: str) -> Timing:
    how = f"discretisation='fixed-width', width={width}, minimum={-1024.0 if case == 'ct' else 0.0}"
    families = f", {_MATCHED}" if scope == "matched" else ""
    return timing("onclair", case, [sys.executable, "-c", _OURS.replace("{how}", how + families)], paths, scope=scope)


def _pyradiomics(case: str, paths: Sequence[str], width: float, home: Path | None) -> Timing:
    python = peer_python("pyradiomics", home)
    if python is None:
        return Timing(
            "pyradiomics", case, status="missing", reason="not installed here, and no environment of its own was given with --peer-home"
        )
    code = _PYRADIOMICS.replace("{how}", repr({"binWidth": width}))
    return timing("pyradiomics", case, [python, "-c", code], paths)


def _real(folder: Path) -> list[tuple[str, list[tuple[Path, Path]], float]]:
    home = folder if (folder / "ibsi1").is_dir() else folder / "radiomics"
    pet = [(path, path.with_name(path.name.replace("_pet", "_mask"))) for path in sorted((home / "sts_pet").glob("*_pet.nii.gz"))]
    return [("ct", [(home / "ibsi1" / "ct_phantom_image.nii.gz", home / "ibsi1" / "ct_phantom_mask.nii.gz")], 25.0), ("pet", pet, 0.5)]


def _virtual(place: Path) -> list[tuple[str, list[tuple[Path, Path]], float]]:
    write(VirtualRadiomics(patients=10, centres=1, seed=1), place / "cohort")
    images = sorted((place / "cohort" / "images").glob("*pet*.nii.gz"))
    return [("virtual-pet", [(path, path.with_name(path.name.replace("pet", "mask"))) for path in images], 0.5)]
