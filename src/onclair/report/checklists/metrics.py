"""METRICS: 30 items and 5 conditions (C1 to C5) for radiomics (Kocak et al., Insights Imaging 2024;15:8).

The score weighs yes-or-no judgements on every item that its conditions leave in. Several are an assessor's, so none is given.
"""

from __future__ import annotations

from onclair.core.words import Words
from onclair.report.checklists import answers as say
from onclair.report.checklists import audited
from onclair.report.checklists import reasons as why
from onclair.report.checklists.items import Checklist, Item

_CONFOUNDS = audited.either(say.volume_confound, audited.confounders)

_DESIGN = (
    Item(
        "1", Words("A checklist for this kind of study was followed", "Une liste de contrôle de ce domaine a été suivie"), lacks=why.AUTHORS
    ),
    Item("2", Words("Criteria of inclusion that give a representative group", "Critères d'inclusion donnant un groupe représentatif")),
    Item(
        "3",
        Words("A sound reference standard, clearly defined", "Un étalon de référence solide, clairement défini"),
        lacks=why.OUTCOME_ONLY,
    ),
    Item("4", Words("Images from several centres", "Images de plusieurs centres"), say.several_centres, lacks=why.NOT_SEVERAL),
    Item("5", Words("A kind of imaging that is used in care", "Une imagerie en usage dans le soin")),
    Item("6", Words("Protocol and parameters of acquisition", "Protocole et paramètres d'acquisition")),
    Item("7", Words("Time between imaging and reference standard", "Délai entre imagerie et étalon de référence")),
)
_SEGMENTATION = (
    Item(
        "C1", Words("Condition: are there outlines?", "Condition : y a-t-il des contours ?"), audited.either(say.outlined, audited.outlined)
    ),
    Item("C2", Words("Condition: are outlines made with no human hand?", "Condition : les contours sont-ils faits sans main humaine ?")),
    Item("8", Words("How outlines were made", "Comment les contours ont été faits"), audited.outlining),
    Item("9", Words("How good automatic outlines are", "Qualité des contours automatiques")),
    Item("10", Words("Outlines of the test set by one reader or one tool", "Contours du jeu de test par un seul lecteur ou outil")),
)
_FEATURES = (
    Item(
        "C3",
        Words("Condition: are features made by hand?", "Condition : les caractéristiques sont-elles faites à la main ?"),
        audited.either(say.extraction, audited.features),
        unless=audited.no_features,
    ),
    Item(
        "11",
        Words("How images were prepared, and that it suits them", "Préparation des images, et si elle leur convient"),
        lacks=why.PARTLY_SETTINGS,
    ),
    Item("12", Words("Software that follows a standard", "Logiciel qui suit un standard"), lacks=why.VERSION_ONLY),
    Item("13", Words("Parameters of the features", "Paramètres des caractéristiques"), audited.either(say.extraction, audited.preparation)),
    Item("C4", Words("Condition: are there data in a table?", "Condition : y a-t-il des données en tableau ?"), say.tabular),
    Item(
        "C5",
        Words("Condition: do networks read images from end to end?", "Condition : des réseaux lisent-ils les images de bout en bout ?"),
        say.learners,
    ),
    Item("14", Words("Features that are not stable were removed", "Les caractéristiques instables ont été retirées")),
    Item(
        "15",
        Words("Features that repeat others were removed", "Les caractéristiques redondantes ont été retirées"),
        lacks=why.METHOD_MISSING,
    ),
    Item(
        "16",
        Words("Number of features beside the size of the data", "Nombre de caractéristiques face à la taille des données"),
        say.dimensionality,
    ),
    Item(
        "17",
        Words("Stability of networks from end to end", "Stabilité des réseaux de bout en bout"),
        audited.steady_network,
        unless=why.no_end_to_end,
    ),
)
_MODELLING = (
    Item("18", Words("Data divided properly", "Données bien partagées"), say.division_by_patient, unless=why.elsewhere),
    Item("19", Words("What else could explain the result", "Ce qui pourrait expliquer le résultat autrement"), _CONFOUNDS),
    Item(
        "20",
        Words("Measures of performance that suit the task", "Mesures de performance adaptées à la tâche"),
        say.task_measures,
        lacks=why.NO_CONFUSION,
    ),
    Item("21", Words("Uncertainty", "Incertitude"), say.uncertainty, lacks=why.NO_FIGURE),
    Item("22", Words("Calibration", "Calibration"), say.calibration, lacks=why.NO_FIGURE),
    Item("23", Words("One kind of image, or proof that it is not enough", "Une seule sorte d'image, ou preuve qu'elle ne suffit pas")),
    Item("24", Words("Beside what is known without radiomics", "Face à ce qu'on sait sans radiomique"), audited.beside),
    Item("25", Words("Beside a simple or classical model", "Face à un modèle simple ou classique"), say.beside_prevalence),
    Item(
        "26",
        Words("Tested on held-out cases of the same origin", "Testé sur des cas réservés de même origine"),
        say.internal,
        unless=why.elsewhere,
    ),
    Item(
        "27",
        Words("Tested on cases of other institutions", "Testé sur des cas d'autres institutions"),
        audited.either(say.external, audited.external),
        lacks=why.NOT_EXTERNAL,
    ),
)
_OPENNESS = (
    Item("28", Words("The data can be had", "Les données sont accessibles"), audited.either(say.availability, audited.licence)),
    Item("29", Words("The code can be had", "Le code est accessible"), lacks=why.HASH_ONLY),
    Item("30", Words("The model can be had", "Le modèle est accessible"), audited.model, lacks=why.NO_INTERCEPT),
)

METRICS = Checklist(
    "METRICS",
    "Kocak B et al. METhodological RadiomICs Score (METRICS). Insights Imaging 2024;15:8",
    "10.1186/s13244-023-01572-w",
    (*_DESIGN, *_SEGMENTATION, *_FEATURES, *_MODELLING, *_OPENNESS),
    unless=why.without_images,
    score=Words(
        "Some conditions and items are judgements that no record carries; an assessor has to give them.",
        "Certaines conditions et certains points sont des jugements qu'aucun enregistrement ne porte ; un évaluateur doit les donner.",
    ),
)
