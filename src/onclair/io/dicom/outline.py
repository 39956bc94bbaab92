"""An outline from a DICOM file, RTSTRUCT or SEG, on the grid of its image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from onclair.core.errors import BadCase, BadInput
from onclair.core.names import did_you_mean
from onclair.core.values import Image, Mask
from onclair.io.dicom.files import index, item_of
from onclair.io.dicom.geometry import Notes


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A mask on an image's grid and what was unusual about it.

    Attributes
    ----------
    mask : Mask
        bool (label, x, y, z): overlapping structures survive.
    notes : tuple of mapping
        ``code text``.
    """

    mask: Mask
    notes: Notes = ()


def read_outline(path: str | Path, onto: Image, *, structure: str | Sequence[str] | None = None, frame_of_reference: str = "") -> Outline:
    """Return the structures of an RTSTRUCT or the segments of a SEG on an image's grid.

    Parameters
    ----------
    path : path
        The file, or a folder that holds one such file.
    onto : Image
    structure : str or sequence of str, optional
        Names to take, capitals ignored; all where left out.
    frame_of_reference : str
        The image's, to refuse an outline of another one; empty skips the comparison.

    Raises
    ------
    BadInput
        For a file that holds no outline, or a folder with none or several.
    BadCase
        For a structure that is not there (the nearest name offered), and as the readers of the two kinds.
    BadGeometry
        For another frame of reference or another grid.
    """
    from onclair.io.dicom.rtstruct import read_rtstruct
    from onclair.io.dicom.seg import read_seg

    path = outline_file(path)
    names = (structure,) if isinstance(structure, str) else structure
    read = {"rtstruct": read_rtstruct, "seg": read_seg}[item_of(path).kind]
    return read(path, onto, structure=names, frame_of_reference=frame_of_reference)


def outline_file(path: str | Path) -> Path:
    """Return the file itself, or the only RTSTRUCT or SEG in a folder.

    Raises
    ------
    BadInput
        For a file that is neither, or a folder with none or several.
    """
    path = Path(path)
    if path.is_dir():
        found = [item.path for item in index(path).items if item.kind in ("rtstruct", "seg")]
        if len(found) == 1:
            return found[0]
        said = "no RTSTRUCT or SEG" if not found else f"{len(found)} outlines ({', '.join(p.name for p in found)})"
        raise BadInput(f"The folder {path} holds {said}; name the file of the outline.", item=str(path))
    item = item_of(path)
    if item.kind not in ("rtstruct", "seg"):
        sentence = f"The file {path.name} is of modality {item.modality or 'unknown'}, which holds no outline"
        raise BadInput(f"{sentence}; give an RTSTRUCT or a SEG.", item=path.name)
    return path


def chosen(names: Sequence[str], wanted: Sequence[str] | None, *, of: str) -> tuple[int, ...]:
    """Return the places of the wanted names, capitals ignored; all places where none is wanted.

    Raises
    ------
    BadCase
        For a name that is not there (the nearest offered), or that several bear.

    Examples
    --------
    >>> chosen(["GTV", "Lung_L"], ["gtv"], of="rs.dcm")
    (0,)
    """
    if wanted is None:
        return tuple(range(len(names)))
    places = []
    for one in wanted:
        same = [i for i, name in enumerate(names) if name == one] or [
            i for i, name in enumerate(names) if name.casefold() == one.casefold()
        ]
        if not same:
            raise BadCase(f"The outline {of} has no structure '{one}'; {did_you_mean(one, names) if names else 'it has none.'}", item=one)
        if len(same) > 1:
            raise BadCase(f"The outline {of} has {len(same)} structures called '{one}'; rename them at the source.", item=one)
        places.append(same[0])
    return tuple(places)


def told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of which none is empty and no two are equal: the second of a kind is numbered.

    Examples
    --------
    >>> told_apart(["Lesion", "Lesion", ""])
    ('Lesion', 'Lesion (2)', 'unnamed')
    """
    counts: dict[str, int] = {}
    told = []
    for name in names:
        plain = name.strip() or "unnamed"
        counts[plain] = counts.get(plain, 0) + 1
        told.append(plain if counts[plain] == 1 else f"{plain} ({counts[plain]})")
    return tuple(told)
