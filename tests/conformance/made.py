"""What the suite asks every study to make once: a tiny virtual cohort, its run, and a run on a copy with planted identifiers."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import nibabel as nib
import pandas as pd
import tomli_w

from commandline import Said, onclair
from onclair.core.study import Study
from onclair.studies import load

#: What a hospital would never want to read again in an output.
PLANTED = ("DUPONT", "19520301", "IPP-7745120", "jean.dupont@chu.example")


@dataclass
class Made:
    """One study's tiny cohort and everything that was run on it; made when first asked for."""

    name: str
    place: Path
    kept: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def study(self) -> Study:
        return load(self.name)

    @cached_property
    def demo(self) -> dict[str, Any]:
        said = onclair("demo", self.name, "--tiny", "--out", self.place / "demo", "--workers", "2", "--json")
        assert said.code == 0, said.err
        return said.json["studies"][self.name]

    @property
    def cohort(self) -> Path:
        _ = self.demo
        return self.place / "demo" / f"{self.name}-tiny" / "cohort"

    @property
    def run(self) -> Path:
        _ = self.demo
        return self.place / "demo" / f"{self.name}-tiny" / "run"

    @cached_property
    def replayed(self) -> Said:
        return onclair("replay", self.run, "--workers", "1", "--json")

    @cached_property
    def findings(self) -> list[dict[str, Any]]:
        said = onclair("apply", self.run, "--input", self.cohort, "--out", self.place / "findings", "--json")
        assert said.code == 0, said.err
        return [json.loads(Path(f["path"]).read_text()) for f in said.json["findings"]]

    @cached_property
    def planted(self) -> tuple[Path, Said]:
        """A run on a copy of the cohort whose names, tables and headers hold identifiers."""
        cohort = planted_copy(self.cohort, self.place / "planted-cohort")
        run = self.place / "planted-run"
        return run, onclair("run", self.name, "--data", cohort, "--out", run, "--settings", self.quick_settings, "--workers", "1", "--json")

    @cached_property
    def quick_settings(self) -> Path:
        path = self.place / "quick.toml"
        path.write_text(tomli_w.dumps(dict(self.study.virtual.quick)))
        return path

    def copy(self, name: str) -> Path:
        """Return a copy of the run that a check may spoil."""
        place = self.place / name
        shutil.rmtree(place, ignore_errors=True)
        return Path(shutil.copytree(self.run, place))

    def estimate(self, name: str) -> dict[str, Any]:
        """Return one estimate of the demonstration by name."""
        found = {e["name"]: e for e in self.demo["estimates"]}
        assert name in found, f"{name} is not among {sorted(found)}"
        return found[name]


def planted_copy(source: Path, out: Path) -> Path:
    """Return a copy of a cohort with identifiers where real cohorts have them: file names, extra columns, image headers."""
    shutil.copytree(source, out)
    table = pd.read_csv(out / "acquisitions.csv", dtype=str)
    folder = out / f"{PLANTED[0]}_JEAN"
    folder.mkdir()
    for number, path in enumerate(table["path"].dropna().unique()):
        moved = folder / f"{PLANTED[0]}_JEAN_{PLANTED[1]}_{number}{''.join(Path(path).suffixes)}"
        shutil.move(out / path, moved)
        table = table.replace({path: moved.relative_to(out).as_posix()})
        _plant_header(moved)
    table.assign(patient_name=f"{PLANTED[0]} JEAN", ipp=PLANTED[2]).to_csv(out / "acquisitions.csv", index=False)
    outcomes = pd.read_csv(out / "outcomes.csv", dtype=str)
    outcomes.assign(birth_date=PLANTED[1], mail=PLANTED[3]).to_csv(out / "outcomes.csv", index=False)
    return out


def _plant_header(path: Path) -> None:
    if path.name.endswith((".nii", ".nii.gz")):
        image = nib.load(path)
        image.header["descrip"] = f"{PLANTED[0]} {PLANTED[2]}".encode()
        nib.save(nib.Nifti1Image(image.dataobj, image.affine, image.header), path)
