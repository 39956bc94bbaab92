"""CLAIM, 2024 update: 44 items (Tejani et al., Radiol Artif Intell 2024;6:e240300)."""

from __future__ import annotations

from onclair.core.words import Words
from onclair.report.checklists import answers as say
from onclair.report.checklists import reasons as why
from onclair.report.checklists.items import Checklist, Item

_INTRODUCTION = (
    Item("1", Words("Says that AI is studied, and of which kind", "Dit qu'on étudie une IA, et de quelle sorte"), lacks=why.AUTHORS),
    Item(
        "2",
        Words("Summary of design, methods, results, conclusions", "Résumé du plan, des méthodes, des résultats, des conclusions"),
        lacks=why.AUTHORS,
    ),
    Item(
        "3",
        Words("Background, and the part that the AI is meant to play", "Contexte, et rôle prévu de l'IA"),
        lacks=why.AUTHORS,
    ),
    Item("4", Words("Aims, objectives, hypotheses", "Buts, objectifs, hypothèses"), say.question, lacks=why.NO_HYPOTHESIS),
    Item("5", Words("Prospective or retrospective", "Prospectif ou rétrospectif"), say.prospective),
    Item("6", Words("What the study sets out to do", "Ce que l'étude entreprend"), say.aims),
)
_DATA = (
    Item("7", Words("Sources of the data", "Sources des données"), say.source),
    Item("8", Words("Who was included and who was not", "Qui a été inclus et qui ne l'a pas été")),
    Item("9", Words("How data were prepared", "Préparation des données"), lacks=why.PARTLY_SETTINGS),
    Item("10", Words("How parts of the data were picked", "Choix de parties des données")),
    Item("11", Words("How identities were removed", "Comment les identités ont été retirées"), unless=why.virtual),
    Item("12", Words("What was done about missing data", "Ce qui a été fait des données manquantes"), say.missing, lacks=why.GAPS_ONLY),
    Item("13", Words("How the images were acquired", "Comment les images ont été acquises")),
    Item("14", Words("How the reference standard was obtained", "Comment l'étalon de référence a été obtenu"), lacks=why.OUTCOME_ONLY),
    Item("15", Words("Why this reference standard", "Pourquoi cet étalon de référence")),
    Item("16", Words("Who made the reference annotations", "Qui a fait les annotations de référence")),
    Item("17", Words("How the test set was annotated", "Comment le jeu de test a été annoté")),
    Item("18", Words("How far annotators agree, with each other and themselves", "Accord des annotateurs, entre eux et avec eux-mêmes")),
    Item("19", Words("How data were given to the parts", "Comment les données ont été réparties"), say.division, unless=why.elsewhere),
    Item(
        "20",
        Words("At which level the parts do not overlap", "À quel niveau les parts ne se recouvrent pas"),
        say.division_by_patient,
        unless=why.elsewhere,
    ),
    Item("21", Words("Size planned for the test", "Taille prévue pour le test"), lacks=why.SIZE_ONLY),
)
_MODEL = (
    Item("22", Words("The model in detail", "Le modèle en détail"), lacks=why.NO_INTERCEPT),
    Item(
        "23",
        Words("Software, libraries and their versions", "Logiciels, bibliothèques et leurs versions"),
        say.software,
        unless=why.judges_only,
    ),
    Item("24", Words("How parameters began", "Valeurs de départ des paramètres"), unless=why.judges_only),
    Item("25", Words("How the model was trained", "Comment le modèle a été entraîné"), lacks=why.STEPS_ONLY, unless=why.judges_only),
    Item("26", Words("How the final model was chosen", "Comment le modèle final a été choisi"), say.selection, unless=why.judges_only),
    Item("27", Words("Models joined together", "Modèles réunis"), unless=why.judges_only),
)
_EVALUATION = (
    Item("28", Words("Measures of performance", "Mesures de performance"), say.measures, lacks=why.NO_FIGURE),
    Item(
        "29",
        Words("Measures of significance and uncertainty", "Mesures de signification et d'incertitude"),
        say.uncertainty,
        lacks=why.NO_FIGURE,
    ),
    Item("30", Words("Robustness, or sensitivity to choices", "Robustesse, ou sensibilité aux choix"), say.other_centres),
    Item("31", Words("How the model was explained", "Comment le modèle a été expliqué")),
    Item(
        "32",
        Words("Judged on data of the same origin", "Jugé sur des données de même origine"),
        say.internal,
        unless=why.elsewhere,
    ),
    Item("33", Words("Tested on data from elsewhere", "Testé sur des données d'ailleurs"), say.external, lacks=why.NOT_EXTERNAL),
    Item("34", Words("Registration as a clinical trial", "Enregistrement comme essai clinique"), lacks=why.AUTHORS),
)
_RESULTS = (
    Item("35", Words("How many were included and left out", "Combien ont été inclus et écartés"), say.flow),
    Item("36", Words("Who the cases are, in each part", "Qui sont les cas, dans chaque part")),
    Item("37", Words("Performance and its uncertainty", "Performance et son incertitude"), say.performance, lacks=why.NO_FIGURE),
    Item(
        "38",
        Words("Diagnostic performance and its precision", "Performance diagnostique et sa précision"),
        say.diagnostic,
        lacks=why.NO_FIGURE,
        unless=why.prognosis,
    ),
    Item("39", Words("Where and why the model fails", "Où et pourquoi le modèle échoue")),
    Item("40", Words("Limits of the study", "Limites de l'étude"), lacks=why.LISTED_ONLY),
    Item("41", Words("What it means for practice", "Ce que cela change pour la pratique"), lacks=why.AUTHORS),
    Item(
        "42",
        Words("Where the whole protocol, or more detail, is", "Où se trouvent le protocole entier ou d'autres détails"),
        lacks=why.AUTHORS,
    ),
    Item(
        "43", Words("Whether software, model and data can be had", "Si logiciel, modèle et données sont accessibles"), lacks=why.HASH_ONLY
    ),
    Item("44", Words("Funding, and what the funders did", "Financement, et rôle des financeurs"), lacks=why.AUTHORS),
)

CLAIM = Checklist(
    "CLAIM 2024",
    "Tejani AS et al. Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024 update. Radiol Artif Intell 2024;6:e240300",
    "10.1148/ryai.240300",
    (*_INTRODUCTION, *_DATA, *_MODEL, *_EVALUATION, *_RESULTS),
    unless=why.without_images,
)
