"""Agreement of lesions: how they are matched and counted, readers, and why a figure is not there."""

from __future__ import annotations

LESIONS: tuple[tuple[str, str], ...] = (
    # how they are matched
    (r"matched one to one from one common voxel on", r"appariées une à une dès un voxel commun"),
    (
        r"matched one to one from an intersection over union of (0\.\d) on",
        r"appariées une à une dès un rapport intersection sur union de \1",
    ),
    (
        r"matched one to one where the centroid lies in the box or the boxes' intersection over union is 0\.1 or more",
        r"appariées une à une quand le centre est dans la boîte ou que les boîtes ont un rapport intersection sur union d'au moins 0,1",
    ),
    # what is counted
    (r"lesions found", r"lésions trouvées"),
    (r"lesions missed", r"lésions manquées"),
    (r"predicted lesions that answer none", r"lésions prédites sans correspondance"),
    (r"predicted lesions that answer none, a scan", r"lésions prédites sans correspondance, par examen"),
    (r"found / lesions", r"trouvées / lésions"),
    (r"found / lesions of the stratum", r"trouvées / lésions de la strate"),
    (r"found / predicted", r"trouvées / prédites"),
    (r"mean intersection over union of the pairs", r"moyenne du rapport intersection sur union des paires"),
    (r"TP / \(TP \+ \(FP \+ FN\) / 2\)", r"VP / (VP + (FP + FN) / 2)"),
    (r"SQ x RQ", r"SQ x RQ"),
    (
        r"mean Dice of pairs, 0 for each lesion missed or false",
        r"moyenne des Dice des paires, 0 pour chaque lésion manquée ou fausse",
    ),
    (
        r"mean over scans of the Dice of all lesions together",
        r"moyenne par examen du Dice de toutes les lésions ensemble",
    ),
    (r"mean over scans of the surface Dice at 2 mm", r"moyenne par examen du Dice de surface à 2 mm"),
    (
        r"mean over scans of the larger directed 95th percentile of surface distances",
        r"moyenne par examen du plus grand des deux 95es percentiles orientés des distances de surface",
    ),
    (r"scans without any lesion left out", r"examens sans aucune lésion laissés de côté"),
    (r"scans with an empty map left out", r"examens à carte vide laissés de côté"),
    (
        r"largest sensitivity at no more than (\S+) false positives a scan",
        r"plus grande sensibilité à \1 faux positifs par examen au plus",
    ),
    (
        r"mean of the sensitivities at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives a scan",
        r"moyenne des sensibilités à 1/8, 1/4, 1/2, 1, 2, 4 et 8 faux positifs par examen",
    ),
    # readers
    (
        r"Cohen 1960, unweighted, of the types of lesions that both mark",
        r"Cohen 1960, sans poids, sur les types des lésions que les deux marquent",
    ),
    (
        r"mean difference of equivalent diameters, second less first",
        r"différence moyenne des diamètres équivalents, le second moins le premier",
    ),
    (r"mean difference less 1\.96 standard deviations", r"différence moyenne moins 1,96 écart-type"),
    (r"mean difference and 1\.96 standard deviations", r"différence moyenne plus 1,96 écart-type"),
    (r"Bland & Altman 1986", r"Bland et Altman 1986"),
    # why not
    (r"there is no lesion in the truth", r"il n'y a aucune lésion dans la vérité"),
    (r"no lesion was predicted", r"aucune lésion n'a été prédite"),
    (r"no lesion was matched", r"aucune lésion n'a été appariée"),
    (r"there is no lesion at all", r"il n'y a aucune lésion"),
    (r"there is no such lesion in the truth", r"il n'y a aucune lésion de ce genre dans la vérité"),
    (r"no scores were given", r"aucun score n'a été donné"),
    (r"no scan has lesions in both maps", r"aucun examen n'a de lésions dans les deux cartes"),
    (r"there is one patient, so that there is no interval", r"il n'y a qu'un patient, donc pas d'intervalle"),
    (
        r"every bootstrap replicate gives the same figure, so that there is no interval",
        r"toutes les répliques bootstrap donnent la même valeur, donc pas d'intervalle",
    ),
    (
        r"no lesion that both mark has a type from both",
        r"aucune lésion marquée par les deux n'a un type donné par les deux",
    ),
    (r"fewer than two lesions are marked by both", r"moins de deux lésions sont marquées par les deux"),
    (
        r"both use a single type throughout, so that chance explains all their agreement",
        r"les deux n'emploient qu'un seul type, le hasard explique donc tout leur accord",
    ),
    (
        r"only (\d+) voxels of the same bone lie 3 to 8 mm around it",
        r"seuls \1 voxels du même os se trouvent à 3 à 8 mm autour",
    ),
    (r"its type needs (\d+)", r"son type en demande \1"),
)
