"""`onclair bone calibrate`: from tissues, a phantom or a labelled scan to a calibration file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onclair.core.errors import BadInput, BadSetting
from onclair.io.bone_calibration import Phantom, read_phantom, read_tissues, write_calibration
from onclair.io.files import make_folder
from onclair.io.scans import map_on, read_scan
from onclair.science.bone.calibrate import Calibration, Rod, by_rods, by_scanner, by_tissues
from onclair.science.bone.tissue_samples import sampled

#: Below this the tissues lie poorly on one line.
GOOD_R2 = 0.997
Notes = tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was asked for; one of tissues, phantom and image.

    Attributes
    ----------
    out : Path
        The calibration file.
    tissues, phantom, image, labels : Path or None
    scanner : str or None
        The row of a phantom file that is a table of scanners, with ``kvp``.
    kvp : float or None
    """

    out: Path
    tissues: Path | None = None
    phantom: Path | None = None
    image: Path | None = None
    labels: Path | None = None
    scanner: str | None = None
    kvp: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """A calibration, and where it was written.

    Attributes
    ----------
    calibration : Calibration
    refused : tuple of str
        Tissues that were not used.
    samples : mapping or None
        HU and voxels of the tissues, where a scan was sampled.
    warnings : tuple of mapping
    out : Path
    sha256 : str
    """

    calibration: Calibration
    refused: tuple[str, ...]
    samples: Mapping[str, Any] | None
    warnings: Notes
    out: Path
    sha256: str

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        found = self.calibration.as_dict()
        keys = ("effective_energy_kev", "r2", "hu_to_density", "density_mg_cc", "error_mg_cc", "method", "used")
        return {
            "estimates": [],
            "warnings": [dict(note) for note in self.warnings],
            **{key: found[key] for key in keys},
            "refused": list(self.refused),
            "samples": self.samples,
            "outputs": {"calibration": str(self.out)},
            "sha256": self.sha256,
        }


def calibrate(asked: Asked) -> Done:
    """Calibrate and write the file; nothing is written unless a calibration can be had.

    Raises
    ------
    BadSetting
        Unless exactly one source is given, with what belongs to it.
    BadInput, BadCase, BadGeometry
        For files that cannot be used, and tissues or rods that make no calibration.
    NoRoom
        When the file cannot be written.
    """
    _check(asked)
    if asked.tissues is not None:
        given = read_tissues(asked.tissues)
        found = by_tissues(given.hu, contrast=given.contrast)
        why = "contrast was given" if given.contrast else "its HU show contrast"
        notes: Notes = tuple({"code": "tissue_refused", "text": f"{tissue}: {why}; it was not used."} for tissue in found.refused)
        return _written(found, found.refused, (None, notes), asked, [asked.tissues])
    if asked.phantom is not None:
        return _written(_by_phantom(read_phantom(asked.phantom), asked), (), (None, ()), asked, [asked.phantom])
    return _by_image(asked)


def _by_image(asked: Asked) -> Done:
    assert asked.image is not None
    assert asked.labels is not None
    scan = read_scan(asked.image)
    labels = map_on(scan, asked.labels, of="the labels")
    samples = sampled(scan.image.array, labels, scan.image.affine, contrast=scan.facts.contrast)
    try:
        found = by_tissues(samples.hu)
    except BadInput as error:
        why = f" Not used: {'; '.join(samples.refused.values())}." if samples.refused else ""
        raise BadInput(f"{asked.image.name}: {str(error).rstrip('.')}.{why}", item=asked.image.name) from error
    notes = [*samples.warnings, *({"code": "tissue_refused", "text": f"{why}."} for why in samples.refused.values())]
    told = {"hu": dict(samples.hu), "voxels": dict(samples.voxels)}
    return _written(found, tuple(samples.refused), (told, tuple(notes)), asked, [asked.image, asked.labels])


def _by_phantom(phantom: Phantom, asked: Asked) -> Calibration:
    if phantom.scanners:
        if asked.scanner is None or asked.kvp is None:
            known = ", ".join(sorted({str(row["scanner"]) for row in phantom.scanners}))
            raise BadSetting(f"The file holds a table of scanners ({known}); choose a row with --scanner and --kvp.", item="scanner")
        return by_scanner(phantom.scanners, scanner=asked.scanner, kvp=asked.kvp)
    rods = [Rod(rod["hu"], rod["mg_cc"], rod.get("water_mg_cc")) for rod in phantom.rods]
    return by_rods(rods, name=phantom.name)


def _check(asked: Asked) -> None:
    sources = [source for source in (asked.tissues, asked.phantom, asked.image) if source is not None]
    if len(sources) != 1:
        raise BadSetting("Give one source of the calibration: --tissues, --phantom, or --image with --labels.", item="tissues")
    if (asked.image is None) != (asked.labels is None):
        raise BadSetting("A scan is sampled under its labels; give both --image and --labels.", item="labels")


def _written(
    found: Calibration, refused: tuple[str, ...], told: tuple[Mapping[str, Any] | None, Notes], asked: Asked, sources: list[Path]
) -> Done:
    samples, notes = told
    if found.r2 is not None and found.method == "tissues" and found.r2 < GOOD_R2:
        text = f"The tissues lie poorly on one line (r2 {found.r2:.4f}); densities may be off by more than the error that is quoted."
        notes = (*notes, {"code": "poor_fit", "text": text})
    make_folder(asked.out.resolve().parent)
    sha256 = write_calibration(asked.out, found.as_dict(), method=found.method, sources=sources)
    return Done(found, refused, samples, notes, asked.out, sha256)
