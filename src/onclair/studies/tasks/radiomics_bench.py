"""`onclair bench radiomics`: file to table in fresh processes, Onclair beside the peers that are installed, and how far they agree."""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.core.seeds import rng_for
from onclair.core.values import Image, Mask
from onclair.io.nifti import write_image, write_mask
from onclair.run.bench import Timing, first_ever, peer_python, timing
from onclair.run.benches.environments import install
from onclair.studies.tasks.radiomics_bench_names import TAG_OF
from onclair.studies.tasks.radiomics_bench_programs import BEYOND, ENVIRONMENTS, PEERS, program
from onclair.virtual.radiomics import VirtualRadiomics, write

TEXTURES = ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
#: What the tools have in common, or nearly: PyRadiomics has no distance zones and no histogram of levels.
MATCHED = ("morphology", "statistics", "histogram", *TEXTURES)
ALL = (
    "morphology", "enclosing", "autocorrelation", "local_peak", "statistics", "histogram", "volume_histogram", *TEXTURES,
)  # fmt: skip
CASES = ("ct", "pet", "filters", "cube")
CUBE, LEVELS, SUV_WIDTH = 200, 32, 0.5
#: Peers average texture over directions, or merge them; Onclair gives both for the comparison.
BOTH_WAYS = ("3D_avg", "3D_comb")
#: Relative difference up to which two tools give the same number.
ALIKE = 1e-5

Pairs = Sequence[tuple[Path, Path]]


@dataclass(frozen=True, slots=True)
class BenchCase:
    """Files to read, and settings that all tools take.

    Attributes
    ----------
    name : str
    pairs : sequence of (Path, Path)
        Image and outline.
    modality : {"ct", "pet", "generic"}
    width : float or None
        Bins of this width from 0, in the image's unit; None takes 32 bins.
    scopes : mapping of str to tuple of str
        Scope to families.
    filtered : bool
        Whether eight wavelet bands and three Laplacians of Gaussian are taken too.
    """

    name: str
    pairs: Pairs
    modality: str = "ct"
    width: float | None = None
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"matched": MATCHED, "all": ALL})
    filtered: bool = False

    def arguments(self, scope: str, aggregations: Sequence[str] = ("3D_comb",)) -> list[str]:
        """Return what every program takes after the number of passes: settings as JSON, then image, outline, image, outline."""
        by_width = self.width is not None
        how = {
            "discretisation": "fixed-width" if by_width else "fixed-number",
            "bins": None if by_width else LEVELS,
            "width": self.width,
            "minimum": 0.0 if by_width else None,
            "families": self.scopes[scope],
            "aggregations": list(aggregations),
            "filtered": self.filtered,
            "modality": self.modality,
        }
        return [json.dumps(how), *(str(path) for pair in self.pairs for path in pair)]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near a peer's features come to Onclair's, where both have a tag.

    Attributes
    ----------
    tool, case : str
    shared : int
        Tags that both give a number for.
    alike : int
        Those that differ by at most 1e-5 of the larger number.
    largest : float or None
        The largest relative difference.
    tag : str or None
        Where it is.
    """

    tool: str
    case: str
    shared: int
    alike: int
    largest: float | None
    tag: str | None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What `bench` measured.

    Attributes
    ----------
    runs : tuple of Timing
    agreements : tuple of Agreement
    first_ever_cpu_s : float or None
        CPU seconds of a whole process that describes the CT phantom, all families, with no compiled kernel on disk.
    """

    runs: tuple[Timing, ...]
    agreements: tuple[Agreement, ...]
    first_ever_cpu_s: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "runs": [row.as_dict() for row in self.runs],
            "agreement": [asdict(row) for row in self.agreements],
            "first_ever_cpu_s": self.first_ever_cpu_s,
        }


def chosen(names: str | None, known: Sequence[str], what: str) -> tuple[str, ...]:
    """Return the names of a comma-separated list, all that are known where there is none, or refuse one that is unknown.

    Raises
    ------
    BadSetting

    Examples
    --------
    >>> chosen("mirp, pictologics", PEERS, "peer"), chosen(None, CASES, "case")
    (('mirp', 'pictologics'), ('ct', 'pet', 'filters', 'cube'))
    """
    if names is None:
        return tuple(known)
    wanted = tuple(name.strip() for name in names.split(",") if name.strip())
    for name in wanted:
        if name not in known:
            raise BadSetting(f"The {what} '{name}' is unknown; {did_you_mean(name, known)}", item=name)
    return wanted


def installed(peers: Sequence[str], home: Path) -> dict[str, str | None]:
    """Make each peer's environment under `home`; return why where one could not be made, None where it is there."""
    return {name: install(ENVIRONMENTS[name], home) for name in peers}


def bench(
    reference_data: Path | None,
    peer_home: Path | None,
    *,
    peers: Sequence[str] = PEERS,
    cases: Sequence[str] = CASES,
    absent: Mapping[str, str | None] | None = None,
) -> Benchmark:
    """Measure every tool on every case.

    Parameters
    ----------
    reference_data : Path or None
        The folder that holds ``ibsi1/`` and ``sts_pet/`` (or ``radiomics/`` with them); without it, virtual PET is measured.
    peer_home : Path or None
        A folder of environments, one a peer, ``HOME/mirp/bin/python``.
    peers : sequence of str
        Of `PEERS`: which to measure beside Onclair.
    cases : sequence of str
        Of `CASES`: ``ct`` (the IBSI's phantom), ``pet`` (51 sarcomas), ``filters`` (the phantom, its wavelet and LoG responses), ``cube``
        (textures of a full cube of 200 voxels a side).
    absent : mapping of str to (str or None), or None
        From `installed`: why peers could not be installed.

    Returns
    -------
    Benchmark
        A peer that is not measured is a row that says why.
    """
    with tempfile.TemporaryDirectory(prefix="onclair-bench-") as place:
        rows: list[Timing] = []
        agreements: list[Agreement] = []
        compiled = None
        for case in _cases(reference_data, Path(place), cases):
            ours = [_timed("onclair", sys.executable, case, scope) for scope in case.scopes]
            theirs = [row for name in peers for row in _peer(name, case, peer_home, (absent or {}).get(name))]
            rows += [*ours, *theirs]
            if case.name == "ct":
                agreements = _agreements(case, theirs)
                compiled = first_ever([sys.executable, "-c", program("onclair"), "1", *case.arguments("all")])
        return Benchmark(tuple(rows), tuple(agreements), compiled)


def agreement(tool: str, case: str, ours: Mapping[str, float], theirs: Mapping[str, float]) -> Agreement:
    """Compare a peer's features with Onclair's.

    Parameters
    ----------
    tool, case : str
    ours : mapping of str to float
        By tag.
    theirs : mapping of str to float
        By the tool's own names.

    Examples
    --------
    >>> found = agreement("mirp", "ct", {"stat_mean": 2.0, "stat_var": 1.0}, {"stat_mean": 2.0, "stat_var": 0.8, "other": 1.0})
    >>> found.shared, found.alike, found.tag, round(found.largest, 3)
    (2, 1, 'stat_var', 0.2)
    """
    by_tag = {tag: value for name, value in theirs.items() if (tag := TAG_OF[tool](name)) is not None}
    apart = {tag: _apart(ours[tag], value) for tag, value in by_tag.items() if tag in ours}
    worst = max(apart, key=lambda tag: apart[tag], default=None)
    alike = sum(each <= ALIKE for each in apart.values())
    return Agreement(tool, case, len(apart), alike, None if worst is None else float(f"{apart[worst]:.3g}"), worst)


def _apart(one: float, other: float) -> float:
    size = max(abs(one), abs(other))
    return abs(one - other) / size if size > 0 and math.isfinite(size) else 0.0


def _agreements(case: BenchCase, theirs: Sequence[Timing]) -> list[Agreement]:
    """Compare the matched rows of peers with one untimed pass of Onclair that puts texture together both ways."""
    rows = [row for row in theirs if row.status == "ok" and row.scope == "matched"]
    ours = _timed("onclair", sys.executable, case, "matched", BOTH_WAYS, passes=1) if rows else None
    if ours is None or ours.status != "ok":
        return []
    return [agreement(row.tool, case.name, ours.values[0], row.values[0]) for row in rows]


def _peer(name: str, case: BenchCase, home: Path | None, absent: str | None) -> list[Timing]:
    """Return a row for each scope that the peer has: `all` only where that is more than what is matched."""
    python = peer_python(name, home)
    if python is None:
        why = absent or "not installed here, and no environment of its own under --peer-home; --install-peers makes one"
        return [Timing(name, case.name, status="missing", reason=why)]
    scopes = [scope for scope in case.scopes if scope == "matched" or name in BEYOND]
    return [_timed(name, python, case, scope) for scope in scopes]


def _timed(tool: str, python: str, case: BenchCase, scope: str, aggregations: Sequence[str] = ("3D_comb",), *, passes: int = 4) -> Timing:
    shared = set(MATCHED) | BEYOND.get(tool, set(ALL))
    wanted = {name: tuple(family for family in families if family in shared) for name, families in case.scopes.items()}
    own = BenchCase(case.name, case.pairs, case.modality, case.width, wanted, case.filtered)
    return timing(tool, case.name, [python, "-c", program(tool)], own.arguments(scope, aggregations), scope=scope, passes=passes)


def _cases(reference_data: Path | None, place: Path, wanted: Sequence[str]) -> Iterator[BenchCase]:
    if reference_data is None:
        yield BenchCase("virtual-pet", _virtual(place), "pet", SUV_WIDTH)
        return
    home = reference_data if (reference_data / "ibsi1").is_dir() else reference_data / "radiomics"
    if not (home / "ibsi1").is_dir():
        raise BadSetting(
            f"The folder {reference_data} holds no ibsi1/, nor radiomics/ with it; name the reference data after --reference-data.",
            item="reference_data",
        )
    ct = [(home / "ibsi1" / "ct_phantom_image.nii.gz", home / "ibsi1" / "ct_phantom_mask.nii.gz")]
    pet = [(path, path.with_name(path.name.replace("_pet", "_mask"))) for path in sorted((home / "sts_pet").glob("*_pet.nii.gz"))]
    if "ct" in wanted:
        yield BenchCase("ct", ct)
    if "pet" in wanted:
        yield BenchCase("pet", pet, "pet", SUV_WIDTH)
    if "filters" in wanted:
        yield BenchCase("filters", ct, scopes={"matched": MATCHED}, filtered=True)
    if "cube" in wanted:
        yield BenchCase("cube", [_cube(place)], "generic", scopes={"matched": TEXTURES})


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
