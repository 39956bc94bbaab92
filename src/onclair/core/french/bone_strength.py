"""How the strength of a bone was computed, and why there is no load to set it against."""

from __future__ import annotations

BONE_STRENGTH: tuple[tuple[str, str], ...] = (
    (r"linear finite elements, case (?P<name>.+)", r"éléments finis linéaires, cas \1"),
    (r"strength by the law of Crawford 2003", r"résistance par la loi de Crawford 2003"),
    (r"strength by principal strain, Schileo 2008", r"résistance par la déformation principale, Schileo 2008"),
    (
        r"90 % interval over tumour stiffness, outline, calibration and voxels",
        r"intervalle à 90 % sur la rigidité de la tumeur, le contour, l'étalonnage et les voxels",
    ),
    (r"(?P<what>.+) dominates the interval", r"\1 domine l'intervalle"),
    (r"tumour stiffness", r"la rigidité de la tumeur"),
    (r"outline", r"le contour"),
    (r"calibration", r"l'étalonnage"),
    (r"voxels", r"la taille des voxels"),
    (
        r"no interval, for a material map brings no doubt that is known",
        r"pas d'intervalle, car une carte de matériau n'apporte aucun doute connu",
    ),
    (
        r"The body mass was not given, so there is no load to set the strength against",
        r"La masse corporelle n'a pas été donnée, il n'y a donc pas de charge à opposer à la résistance",
    ),
    (r"A block of material has no load of daily life", r"Un bloc de matériau n'a pas de charge de la vie quotidienne"),
)
