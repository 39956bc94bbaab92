"""What the numbers of a label map mean: bones, their levels and sides, by scheme; and which bone a place belongs to.

TotalSegmentator v2, Wasserthal et al. 2023, doi:10.1148/ryai.230024 (class map of its task ``total``); VerSe, Sekuboyina et al. 2021,
doi:10.1016/j.media.2021.102166 (1-7 C1-C7, 8-19 T1-T12, 20-25 L1-L6, 28 T13).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadCase, BadSetting
from onclair.core.geometry import Affine, spacing_mm
from onclair.science.volumes.components import box_of

Side = Literal["left", "right"]
Labels = npt.NDArray[Any]

#: A mean below this is no bone's: marrow, fat and lytic lesions lower a bone's mean, but its cortex keeps it above.
LEAST_BONE_HU = 50.0
#: Labels of fewer voxels are not judged: an end of a bone at the scan's border may be mostly partial volume.
FEWEST_VOXELS = 50
#: Bones that the midline crosses.
MIDLINE_BONES = ("vertebra", "sacrum", "sternum", "skull", "hyoid", "mandible", "coccyx")
_LEVEL = re.compile(r"^(c[1-7]|t(1[0-3]|[1-9])|l[1-6]|s[1-5])$")
_PLURALS = {"vertebrae": "vertebra", "ribs": "rib", "clavicula": "clavicle", "hips": "hip", "scapulae": "scapula", "femora": "femur"}
_SIDES: Mapping[str, Side] = {"left": "left", "l": "left", "right": "right", "r": "right"}


@dataclass(frozen=True, slots=True)
class Bone:
    """One bone of a scheme.

    Attributes
    ----------
    value : int
        Its number in the label map; 0 for ``unnamed``.
    name : str
        ``"vertebra"``, ``"rib"``, ``"femur"``, ``"hip"``, ``"sacrum"`` ...
    level : str or None
        ``"T12"`` of a vertebra, ``"9"`` of a rib.
    side : {"left", "right"} or None

    Examples
    --------
    >>> Bone(98, "rib", "7", "left").title, Bone(32, "vertebra", "T12").title, Bone(75, "femur", side="left").title
    ('left rib 7', 'T12', 'left femur')
    """

    value: int
    name: str
    level: str | None = None
    side: Side | None = None

    @property
    def title(self) -> str:
        """The bone in words: its level where that says all, else side, name and number."""
        if self.level and _LEVEL.match(self.level.lower()):
            return self.level
        return " ".join(part for part in (self.side, self.name, self.level) if part)


UNNAMED = Bone(0, "unnamed")


@dataclass(frozen=True, slots=True)
class Scheme:
    """What the values of a label map mean; values that it does not name are no bone.

    Attributes
    ----------
    name : str
    bones : mapping of int to Bone

    Raises
    ------
    BadSetting
        For a scheme without bones, or a value below 1.

    Examples
    --------
    >>> totalseg().bones[32]
    Bone(value=32, name='vertebra', level='T12', side=None)
    """

    name: str
    bones: Mapping[int, Bone]

    def __post_init__(self) -> None:
        if not self.bones:
            raise BadSetting(f"The scheme '{self.name}' names no bone; list at least one value and its bone.", item=self.name)
        wrong = [value for value, bone in self.bones.items() if value < 1 or bone.value != value]
        if wrong:
            raise BadSetting(f"The scheme '{self.name}' gives a bone the value {wrong[0]}; values start at 1.", item=self.name)

    @classmethod
    def from_mapping(cls, document: Mapping[str, Any], *, name: str = "own") -> Scheme:
        """Return the scheme that a user's document means.

        Parameters
        ----------
        document : mapping
            Either ``{"name": ..., "bones": {value: bone}}`` or ``{value: bone}`` alone. A value is a whole number (or its
            text); a bone is a table ``{"name": ..., "level": ..., "side": ...}`` or words such as ``"vertebrae_T12"``,
            ``"left rib 7"``, ``"femur_right"``.
        name : str
            What it is called where the document does not say.

        Raises
        ------
        BadSetting
            For a value that is no whole number, a bone without a name, an unknown key, side, or no bone at all.

        Examples
        --------
        >>> Scheme.from_mapping({"bones": {"3": "vertebrae_L1", "7": {"name": "femur", "side": "left"}}}).bones[3].level
        'L1'
        """
        table = document.get("bones", document)
        if not isinstance(table, Mapping):
            raise BadSetting("The scheme's 'bones' is no table; write lines such as 20 = \"vertebra L3\" below [bones].", item="bones")
        given = str(document.get("name", name)) if "bones" in document else name
        bones = {}
        for key, said in table.items():
            text = str(key).strip()
            if not text.isdigit():
                raise BadSetting(f"The scheme '{given}' gives a bone the value '{text}'; a value is a whole number above 0.", item=text)
            bones[int(text)] = _bone(int(text), said, given)
        return cls(given, bones)


def bone_named(value: int, words: str) -> Bone:
    """Return the bone that words name: side, level and number are found wherever they stand.

    Examples
    --------
    >>> bone_named(31, "vertebrae_L1"), bone_named(98, "rib_left_7")
    (Bone(value=31, name='vertebra', level='L1', side=None), Bone(value=98, name='rib', level='7', side='left'))
    """
    level: str | None = None
    side: Side | None = None
    rest = []
    for word in re.split(r"[\s_\-.]+", words.strip().lower()):
        if word in _SIDES:
            side = _SIDES[word]
        elif _LEVEL.match(word):
            level = word.upper()
        elif word.isdigit():
            level = word
        elif word:
            rest.append(_PLURALS.get(word, word))
    if not rest and level and _LEVEL.match(level.lower()):
        rest = ["vertebra"]
    return Bone(value, " ".join(rest), level, side)


def totalseg() -> Scheme:
    """Return the bones of TotalSegmentator v2's task ``total``; costal cartilage (117) is no bone.

    Examples
    --------
    >>> bones = totalseg().bones
    >>> bones[27].level, bones[43].level, bones[50].level, bones[92].title, bones[115].title, 117 in bones
    ('L5', 'T1', 'C1', 'left rib 1', 'right rib 12', False)
    """
    levels = [*(f"L{n}" for n in range(5, 0, -1)), *(f"T{n}" for n in range(12, 0, -1)), *(f"C{n}" for n in range(7, 0, -1))]
    bones = [Bone(25, "sacrum"), Bone(26, "sacrum", "S1"), *(Bone(27 + i, "vertebra", level) for i, level in enumerate(levels))]
    for first, name in ((69, "humerus"), (71, "scapula"), (73, "clavicle"), (75, "femur"), (77, "hip")):
        bones += [Bone(first, name, side="left"), Bone(first + 1, name, side="right")]
    bones.append(Bone(91, "skull"))
    bones += [Bone(91 + n, "rib", str(n), "left") for n in range(1, 13)] + [Bone(103 + n, "rib", str(n), "right") for n in range(1, 13)]
    bones.append(Bone(116, "sternum"))
    return Scheme("totalseg", {bone.value: bone for bone in bones})


def verse() -> Scheme:
    """Return the vertebrae of VerSe.

    Examples
    --------
    >>> [verse().bones[value].level for value in (1, 8, 20, 25, 28)]
    ['C1', 'T1', 'L1', 'L6', 'T13']
    """
    levels = [*(f"C{n}" for n in range(1, 8)), *(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 7))]
    found = {value: Bone(value, "vertebra", level) for value, level in enumerate(levels, start=1)}
    return Scheme("verse", {**found, 26: Bone(26, "sacrum"), 27: Bone(27, "coccyx"), 28: Bone(28, "vertebra", "T13")})


#: Schemes by name, for the command line.
SCHEMES = {"totalseg": totalseg, "verse": verse}


def bone_region(labels: Labels, scheme: Scheme) -> npt.NDArray[np.bool_]:
    """Return the voxels of every bone of a scheme, bool (x, y, z).

    Examples
    --------
    >>> bone_region(np.array([0, 32, 117]).reshape(3, 1, 1), totalseg()).ravel().tolist()
    [False, True, False]
    """
    return _marked(labels, scheme.bones)


def name_of(where: npt.ArrayLike, labels: Labels, affine: Affine, scheme: Scheme, *, within_mm: float = 5.0) -> Bone:
    """Return the bone that a place or a region belongs to, or ``UNNAMED``.

    Parameters
    ----------
    where : array_like
        A point, LPS mm, shape (3,); or a region, shape of `labels`: then the bone that holds most of its voxels, and where it
        lies in none, the one nearest to any of its voxels.
    labels : ndarray of integers, shape (x, y, z)
    affine : ndarray, shape (4, 4)
    scheme : Scheme
        Values that it does not name do not count.
    within_mm : float
        Farther bones do not count.

    Raises
    ------
    BadCase
        For a region of another shape, or an empty one.

    Examples
    --------
    >>> labels = np.zeros((20, 3, 3), int); labels[0, 1, 1] = 32
    >>> [name_of((x, 1.0, 1.0), labels, np.eye(4), totalseg()).title for x in (0.0, 4.0, 6.0)]
    ['T12', 'T12', 'unnamed']
    """
    region = np.asarray(where)
    if region.shape == (3,):
        index = np.linalg.inv(affine) @ [*region.astype(float), 1.0]
        return _nearest_to(tuple(float(i) for i in index[:3]), labels, affine, scheme, within_mm)
    if region.shape != labels.shape:
        raise BadCase(f"The lesion's region has the shape {region.shape} and the labels {labels.shape}; both must lie on one grid.")
    box = box_of(region, margin=int(np.ceil(within_mm / min(spacing_mm(affine)))) + 1)
    near, inside = labels[box], region[box].astype(bool)
    if not inside.any():
        raise BadCase("The lesion's region holds no voxel, so that it lies in no bone; leave it out.")
    held = _most(near[inside & _marked(near, scheme.bones)])
    if held:
        return scheme.bones[held]
    bones = _marked(near, scheme.bones)
    if not bones.any():
        return UNNAMED
    apart, places = ndimage.distance_transform_edt(~bones, sampling=spacing_mm(affine), return_indices=True)
    apart = np.where(inside, apart, np.inf)
    at = np.unravel_index(int(np.argmin(apart)), apart.shape)
    if apart[at] > within_mm:
        return UNNAMED
    return scheme.bones[int(near[tuple(int(place[at]) for place in places)])]


def plausible(hu: npt.NDArray[Any], labels: Labels, scheme: Scheme) -> tuple[Mapping[str, str], ...]:
    """Return what is wrong with labels when one looks at what lies under them: bones whose mean HU is no bone's.

    World coordinates can lie: a crop that kept the origin of the whole fits its labels by number and not in the body.

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)
    labels : ndarray of integers, shape (x, y, z)
        On the same grid.
    scheme : Scheme

    Returns
    -------
    tuple of mapping
        ``code`` and ``text``; empty where every bone of 50 voxels or more has a mean of at least 50 HU.

    Raises
    ------
    BadCase
        For another shape.

    Examples
    --------
    >>> labels = np.full((5, 5, 5), 32)
    >>> plausible(np.full((5, 5, 5), -40.0), labels, totalseg())[0]["code"], plausible(np.full((5, 5, 5), 200.0), labels, totalseg())
    ('labels_not_on_bone', ())
    """
    means = bone_means(hu, labels, scheme)
    judged = {value: mean for value, (voxels, mean) in means.items() if voxels >= FEWEST_VOXELS}
    low = {value: mean for value, mean in judged.items() if mean < LEAST_BONE_HU}
    if not low:
        return ()
    named = ", ".join(f"{scheme.bones[value].title} {mean:.0f} HU" for value, mean in list(low.items())[:5])
    more = f" and {len(low) - 5} more" if len(low) > 5 else ""
    text = (
        f"{len(low)} of {len(judged)} bone labels lie on what is no bone ({named}{more}; at least {LEAST_BONE_HU:.0f} HU expected): labels "
        "and image do not lie in the same place, though their coordinates say so; check which series was labelled."
    )
    return ({"code": "labels_not_on_bone", "text": text},)


def bone_means(hu: npt.NDArray[Any], labels: Labels, scheme: Scheme) -> dict[int, tuple[int, float]]:
    """Return the voxels and the mean HU of each bone of a scheme that is present, in order of its value.

    Raises
    ------
    BadCase
        For another shape.

    Examples
    --------
    >>> bone_means(np.array([10.0, 20, 30]).reshape(3, 1, 1), np.array([32, 32, 117]).reshape(3, 1, 1), totalseg())
    {32: (2, 15.0)}
    """
    if hu.shape != labels.shape:
        raise BadCase(f"The image has the shape {hu.shape} and the labels {labels.shape}; both must lie on one grid.")
    inside = _marked(labels, scheme.bones)
    values, where = np.unique(labels[inside], return_inverse=True)
    voxels = np.bincount(where, minlength=values.size)
    sums = np.bincount(where, weights=hu[inside].astype(np.float64), minlength=values.size)
    return {int(v): (int(n), float(s / n)) for v, n, s in zip(values, voxels, sums, strict=True)}


def _bone(value: int, said: Any, scheme: str) -> Bone:
    if isinstance(said, str):
        bone = bone_named(value, said)
        if not bone.name:
            raise BadSetting(f"The scheme '{scheme}' calls the value {value} '{said}', which names no bone.", item=str(value))
        return bone
    if not isinstance(said, Mapping) or not str(said.get("name", "")).strip() or set(said) - {"name", "level", "side"}:
        raise BadSetting(
            f"The scheme '{scheme}' describes the value {value} by {said!r}; give words, or a table of name, level, side.", item=str(value)
        )
    side = said.get("side")
    if side not in (None, "left", "right"):
        raise BadSetting(f"The scheme '{scheme}' puts the value {value} on the side '{side}'; sides are left and right.", item=str(value))
    level = said.get("level")
    return Bone(value, str(said["name"]).strip().lower(), None if level is None else str(level), side)


def _marked(labels: Labels, values: Iterable[int]) -> npt.NDArray[np.bool_]:
    wanted = sorted(values)
    high = max(int(labels.max(initial=0)), wanted[-1])
    table = np.zeros(high + 1, bool)
    table[wanted] = True
    return np.asarray(table[labels], dtype=np.bool_)


def _most(values: npt.NDArray[Any]) -> int:
    """Return the value that occurs most often (the lowest of equals), or 0."""
    return int(np.bincount(values.astype(np.int64)).argmax()) if values.size else 0


def _nearest_to(index: tuple[float, ...], labels: Labels, affine: Affine, scheme: Scheme, within_mm: float) -> Bone:
    reach = np.array([within_mm / s for s in spacing_mm(affine)])
    low = np.maximum(np.floor(np.array(index) - reach), 0).astype(int)
    high = np.minimum(np.ceil(np.array(index) + reach) + 1, labels.shape).astype(int)
    if (high <= low).any():
        return UNNAMED
    near = labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    places = np.argwhere(_marked(near, scheme.bones))
    if not len(places):
        return UNNAMED
    apart = np.linalg.norm((places + low - np.array(index)) @ affine[:3, :3].T, axis=1)
    best = int(np.argmin(apart))
    return scheme.bones[int(near[tuple(places[best])])] if apart[best] <= within_mm + 1e-9 else UNNAMED
