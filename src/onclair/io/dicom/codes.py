"""The codes under which bone and its lesions are written: SNOMED CT, DICOM and UCUM, each as (value, scheme, meaning)."""

from __future__ import annotations

from onclair.core.errors import BadInput
from onclair.core.names import did_you_mean

Coded = tuple[str, str, str]

BONE: Coded = ("272673000", "SCT", "Bone")
METASTASIS: Coded = ("14799000", "SCT", "Neoplasm, Secondary")
LESION: Coded = ("52988006", "SCT", "Lesion")
#: Categories of what a segment shows (DICOM PS3.16 CID 7150).
ANATOMICAL: Coded = ("91723000", "SCT", "Anatomical Structure")
ABNORMAL: Coded = ("49755003", "SCT", "Morphologically Abnormal Structure")
SIDES: dict[str, Coded] = {"left": ("7771000", "SCT", "Left"), "right": ("24028007", "SCT", "Right")}

_LEVELS = {
    "C1": "14806007",
    "C2": "39976000",
    "C3": "113205007",
    "C4": "5329002",
    "C5": "36978003",
    "C6": "36054005",
    "C7": "87391001",
    "T1": "64864005",
    "T2": "53733008",
    "T3": "1626008",
    "T4": "73071006",
    "T5": "56401006",
    "T6": "45296009",
    "T7": "62487009",
    "T8": "11068009",
    "T9": "82687006",
    "T10": "7610001",
    "T11": "12989004",
    "T12": "23215003",
    "L1": "66794005",
    "L2": "14293000",
    "L3": "36470004",
    "L4": "11994002",
    "L5": "49668003",
}
_BONES: dict[str, Coded] = {
    "vertebra": ("51282000", "SCT", "Vertebra"),
    "rib": ("113197003", "SCT", "Rib"),
    "femur": ("71341001", "SCT", "Femur"),
    "humerus": ("85050009", "SCT", "Humerus"),
    "hip": ("29836001", "SCT", "Hip"),
    "sacrum": ("54735007", "SCT", "Sacrum"),
    "sternum": ("56873002", "SCT", "Sternum"),
    "scapula": ("79601000", "SCT", "Scapula"),
    "clavicle": ("51299004", "SCT", "Clavicle"),
    "skull": ("89546000", "SCT", "Skull"),
    "costal cartilage": ("50016007", "SCT", "Costal Cartilage"),
}

#: What may be measured, by the name that the house gives it: (code, unit, derivation or None).
QUANTITIES: dict[str, tuple[Coded, Coded, Coded | None]] = {
    "volume_mm3": (("118565006", "SCT", "Volume"), ("mm3", "UCUM", "cubic millimeter"), None),
    "axial_diameter_mm": (("103339001", "SCT", "Long axis"), ("mm", "UCUM", "millimeter"), None),
    "perpendicular_diameter_mm": (("103340004", "SCT", "Short axis"), ("mm", "UCUM", "millimeter"), None),
    "longest_diameter_mm": (("81827009", "SCT", "Diameter"), ("mm", "UCUM", "millimeter"), ("56851009", "SCT", "Maximum")),
    "equivalent_diameter_mm": (
        ("eq-diameter", "99ONCLAIR", "Diameter of a sphere of equal volume"),
        ("mm", "UCUM", "millimeter"),
        None,
    ),
    "hu_mean": (("112031", "DCM", "Attenuation Coefficient"), ("[hnsf'U]", "UCUM", "Hounsfield unit"), ("373098007", "SCT", "Mean")),
    "hu_sd": (
        ("112031", "DCM", "Attenuation Coefficient"),
        ("[hnsf'U]", "UCUM", "Hounsfield unit"),
        ("386136009", "SCT", "Standard Deviation"),
    ),
    "score": (("score", "99ONCLAIR", "Calibrated score of a model"), ("1", "UCUM", "no units"), None),
    "stiffness_n_per_mm": (("fe-stiffness", "99ONCLAIR", "Stiffness by finite elements"), ("N/mm", "UCUM", "newton per millimeter"), None),
    "strength_n": (("fe-strength", "99ONCLAIR", "Strength by finite elements"), ("N", "UCUM", "newton"), None),
}
_TYPES = ("lytic", "blastic", "mixed", "occult")


def region_of(bone: str, level: str | None = None) -> Coded:
    """Return the code of a bone, of its own level where the spine has one.

    Parameters
    ----------
    bone : str
        ``"vertebra"``, ``"rib"``, ``"femur"``, ...; an unknown name, such as ``"unnamed"``, is coded as bone.
    level : str, optional
        ``"T12"``; a level without a code of its own, such as ``"T13"`` or that of a rib, is coded by its bone alone.

    Examples
    --------
    >>> region_of("vertebra", "T12"), region_of("rib", "5")
    (('23215003', 'SCT', 'T12 vertebra'), ('113197003', 'SCT', 'Rib'))
    """
    if bone == "vertebra" and level in _LEVELS:
        return _LEVELS[level], "SCT", f"{level} vertebra"
    return _BONES.get(bone, BONE)


def quantity(name: str) -> tuple[Coded, Coded, Coded | None]:
    """Return code, unit and derivation of something measured.

    Raises
    ------
    BadInput
        For a name that is not in :data:`QUANTITIES`.

    Examples
    --------
    >>> quantity("volume_mm3")[0][0]
    '118565006'
    """
    if name not in QUANTITIES:
        raise BadInput(f"There is no code for the quantity '{name}'; {did_you_mean(name, QUANTITIES)}", item=name)
    return QUANTITIES[name]


def lesion_type(name: str) -> Coded:
    """Return the code of a lesion's type.

    Raises
    ------
    BadInput
        For another word than lytic, blastic, mixed or occult.

    Examples
    --------
    >>> lesion_type("lytic")
    ('lytic', '99ONCLAIR', 'Lytic')
    """
    if name not in _TYPES:
        raise BadInput(f"There is no code for the lesion type '{name}'; it is one of {', '.join(_TYPES)}.", item=name)
    return name, "99ONCLAIR", name.capitalize()
