"""A CT and its bones: what is unusual about a scan, why nothing may be said of it, detectors side by side, and the order of bones."""

from __future__ import annotations

BONE: tuple[tuple[str, str], ...] = (
    # the scan
    (
        r"the CT series (?P<name>\S+) has no (?:exam UID|series UID|exam UID and no series UID) of its own",
        r"la série CT \1 n'a pas tous ses identifiants propres, d'examen et de série",
    ),
    (r"what is missing was made from its headers", r"ce qui manque a été créé à partir de ses en-têtes"),
    (
        r"slices are (\S+) mm thick and (\S+) mm apart: they overlap by (\S+) mm, and detail along the axis is that of the thickness",
        r"les coupes, épaisses de \1 mm et distantes de \2 mm, se chevauchent de \3 mm : la finesse dans l'axe est celle de l'épaisseur",
    ),
    (
        r"slices are (\S+) mm thick and (\S+) mm apart: (\S+) mm between them were not measured",
        r"les coupes sont épaisses de \1 mm et distantes de \2 mm : \3 mm entre elles n'ont pas été mesurés",
    ),
    (
        r"The file says neither thickness, kernel, tube voltage nor contrast",
        r"Le fichier ne dit ni l'épaisseur, ni le noyau, ni la tension du tube, ni le contraste",
    ),
    (r"DICOM would", r"DICOM le dirait"),
    (
        (
            r"the CT series (?P<name>\S+) has (\d+) missing slices?, the first between (\S+) and (\S+) mm along the normal, "
            r"where slices are (\S+) mm apart"
        ),
        r"coupes manquantes dans la série CT \1 : \2, la première entre \3 et \4 mm le long de la normale, où les coupes sont à \5 mm",
    ),
    (r"they are left empty, for looking only", r"elles restent vides, pour la lecture seulement"),
    (
        r"the CT series (?P<name>\S+) is tilted: its slices lie (\S+) degrees off their stack \(gantry tilt\)",
        r"la série CT \1 est inclinée : ses coupes s'écartent de \2 degrés de leur pile (inclinaison du statif)",
    ),
    (
        r"slices were shifted back by interpolation, for looking only",
        r"les coupes ont été redressées par interpolation, pour la lecture seulement",
    ),
    (
        r"No SEG, SR or RTSTRUCT was written: slices are missing, or were sheared back, and DICOM objects cite what was measured",
        r"Aucun SEG, SR ou RTSTRUCT n'a été écrit : des coupes manquent ou ont été redressées, et un objet DICOM cite ce qui a été mesuré",
    ),
    (
        r"(\d+) of (\d+) bone labels lie on what is no bone \((?P<name>.+)",
        r"\1 des \2 étiquettes d'os reposent sur ce qui n'est pas de l'os (\3",
    ),
    (
        r"at least (\d+) HU expected\): labels and image do not lie in the same place, though their coordinates say so",
        r"au moins \1 UH attendues) : étiquettes et image ne sont pas au même endroit, quoi qu'en disent leurs coordonnées",
    ),
    (r"check which series was labelled", r"vérifiez quelle série a été étiquetée"),
    # why nothing may be said
    (
        r"Metal lies in the bone, and its streaks look like lesions and hide them",
        r"Il y a du métal dans l'os, et ses artefacts imitent des lésions et en cachent",
    ),
    (
        r"The scan is grainier \((\d+) HU\) than those that the network knows \(up to (\d+) HU\): another kernel or dose",
        r"L'examen est plus bruité (\1 UH) que ceux que le réseau connaît (jusqu'à \2 UH) : autre noyau ou autre dose",
    ),
    (
        r"The strength is too uncertain to lean on: its interval spans more than four times",
        r"La résistance est trop incertaine pour qu'on s'y fie : son intervalle va de un à plus de quatre",
    ),
    # the strength of one bone
    (
        r"No calibration says what a Hounsfield unit is in bone density",
        r"Aucun étalonnage ne dit ce qu'une unité Hounsfield vaut en densité osseuse",
    ),
    (r"give one with the scan", r"donnez-en un avec l'examen"),
    (
        r"Metal or its streaks lie in this bone, so its density cannot be read from this scan",
        r"Du métal ou ses artefacts se trouvent dans cet os, sa densité ne peut donc pas être lue sur cet examen",
    ),
    (
        r"No labels tell one bone from another, so none can be loaded",
        r"Aucune étiquette ne distingue les os entre eux, aucun ne peut donc être chargé",
    ),
    (r"No vertebra and no femur is in view", r"Ni vertèbre ni fémur n'est dans le champ"),
    (
        r"A (?P<name>.+) is not loaded here: only a vertebra or a femur is",
        r"Un os de ce genre (\1) n'est pas chargé ici : seuls une vertèbre ou un fémur le sont",
    ),
    (r"ask about one of those", r"demandez l'un de ceux-là"),
    (
        r"The scan cuts this bone at its (?:upper|lower) end, and a bone that is not whole bears no load here",
        r"L'examen coupe cet os à une extrémité, et un os incomplet n'est pas chargé ici",
    ),
    (r"scan all of it", r"scannez-le en entier"),
    (r"The bone that is asked about \((?P<name>.+)\) is not among the labels", r"L'os demandé (\1) n'est pas parmi les étiquettes"),
    (r"ask about one that is in view", r"demandez-en un qui est dans le champ"),
    # detectors side by side
    (
        r"difference of the sensitivities at no more than (\S+) false positives a scan, patients drawn together",
        r"différence des sensibilités à \1 faux positifs par examen au plus, patients tirés ensemble",
    ),
    (r"no scan has a true lesion", r"aucun examen n'a de vraie lésion"),
    (r"the cohort holds no outlines of the true lesions", r"la cohorte ne contient pas les contours des vraies lésions"),
    # the order of bones
    (
        r"Kendall's tau with the truth over pairs of one kind",
        r"tau de Kendall avec la vérité, sur les paires d'un même genre",
    ),
    (r"patients drawn anew", r"patients tirés à nouveau"),
    (r"no two of a kind can be compared", r"aucune paire d'un même genre ne peut être comparée"),
    (r"only virtual patients have the true value", r"seuls des patients virtuels ont la vraie valeur"),
    (r"no patient has both the measure and its truth", r"aucun patient n'a à la fois la mesure et sa vérité"),
    (r"no measure has an interval", r"aucune mesure n'a d'intervalle"),
)
