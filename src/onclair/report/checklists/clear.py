"""CLEAR: 58 items for a report on radiomics (Kocak et al., Insights Imaging 2023;14:75)."""

from __future__ import annotations

from onclair.core.words import Words
from onclair.report.checklists import answers as say
from onclair.report.checklists import audited
from onclair.report.checklists import reasons as why
from onclair.report.checklists.items import Checklist, Item

_OPENING = (
    Item("1", Words("Title that names the radiomic method", "Titre qui nomme la méthode radiomique"), lacks=why.AUTHORS),
    Item("2", Words("Summary in parts", "Résumé structuré"), lacks=why.AUTHORS),
    Item("3", Words("Key words of radiomics", "Mots-clés de la radiomique"), lacks=why.AUTHORS),
    Item("4", Words("Background, clinical or scientific", "Contexte, clinique ou scientifique"), lacks=why.AUTHORS),
    Item("5", Words("Why radiomics", "Pourquoi la radiomique"), lacks=why.AUTHORS),
    Item("6", Words("Aims", "Buts"), audited.aims, lacks=why.AUTHORS),
)
_DESIGN = (
    Item("7", Words("Guidelines that were followed", "Recommandations suivies"), lacks=why.AUTHORS),
    Item("8", Words("Ethics, consent, protection of data", "Éthique, consentement, protection des données"), unless=why.virtual),
    Item("9", Words("How the size was planned", "Comment la taille a été prévue"), lacks=why.SIZE_ONLY),
    Item("10", Words("Kind of study: prospective or not", "Sorte d'étude : prospective ou non"), say.prospective),
    Item("11", Words("Who was eligible", "Qui était éligible")),
    Item("12", Words("Diagram of the technical steps", "Schéma des étapes techniques"), lacks=why.AUTHORS),
)
_DATA = (
    Item("13", Words("Where the data come from", "D'où viennent les données"), audited.source),
    Item("14", Words("Overlap with data of earlier work", "Recoupement avec des données déjà publiées"), lacks=audited.NO_OVERLAP),
    Item("15", Words("How data were divided", "Comment les données ont été partagées"), say.division, lacks=audited.NOT_DIVIDED),
    Item("16", Words("Imaging protocol", "Protocole d'imagerie")),
    Item("17", Words("Predictors that are not radiomic", "Prédicteurs non radiomiques"), audited.clinical, lacks=audited.NO_CLINICAL),
    Item("18", Words("Reference standard or outcome, defined", "Étalon ou critère, défini"), lacks=why.OUTCOME_ONLY),
)
_OUTLINES = (
    Item("19", Words("How outlines were made", "Comment les contours ont été faits"), audited.outlining, lacks=audited.NO_ROI),
    Item("20", Words("Who made the outlines", "Qui a fait les contours")),
)
_PREPARING = (
    Item("21", Words("How images were prepared", "Préparation des images"), audited.preparation, lacks=audited.NO_PREPARATION),
    Item("22", Words("Resampling and its settings", "Rééchantillonnage et réglages"), audited.resampling, lacks=audited.NO_RESAMPLING),
    Item("23", Words("Grey levels and their settings", "Niveaux de gris et réglages"), audited.levels, lacks=audited.NO_LEVELS),
    Item(
        "24",
        Words("Image types: original, filtered", "Types d'image : originale, filtrée"),
        audited.image_types,
        unless=audited.no_features,
    ),
)
_FEATURES = (
    Item("25", Words("How features were extracted, by what", "Comment et par quoi les caractéristiques sont extraites"), audited.engine),
    Item("26", Words("Classes of features", "Classes de caractéristiques"), audited.features, unless=audited.no_features),
    Item("27", Words("Number of features", "Nombre de caractéristiques"), audited.features, unless=audited.no_features),
    Item("28", Words("That what is not said is the default", "Que le non-dit est la valeur par défaut"), audited.unsaid),
)
_TABLES = (
    Item("29", Words("Missing data", "Données manquantes"), audited.left_out, lacks=why.GAPS_ONLY),
    Item("30", Words("Balance of the classes", "Équilibre des classes"), audited.balance),
    Item("31", Words("Reliability of outlines", "Fiabilité des contours"), audited.repeatability, lacks=why.NO_FIGURE),
    Item("32", Words("Scaling of features", "Mise à l'échelle des caractéristiques"), audited.weights, lacks=audited.NO_WEIGHTS),
    Item("33", Words("Reduction of dimensions", "Réduction de dimension"), lacks=why.METHOD_MISSING),
)
_MODEL = (
    Item("34", Words("The algorithm in detail", "L'algorithme en détail"), audited.model, lacks=why.NO_INTERCEPT),
    Item("35", Words("Training and tuning", "Apprentissage et réglage"), say.division, lacks=audited.NOT_TRAINED),
    Item("36", Words("What could confound", "Ce qui pourrait confondre"), audited.confounders, lacks=why.NO_FIGURE),
    Item("37", Words("How the model was chosen", "Comment le modèle a été choisi"), say.selection, lacks=audited.NOT_TRAINED),
)
_TESTS = (
    Item(
        "38",
        Words("How it was tested: inside, elsewhere", "Comment il a été testé : dedans, ailleurs"),
        audited.testing,
        lacks=why.NO_FIGURE,
    ),
    Item("39", Words("Measures, and why these", "Mesures, et pourquoi celles-ci"), say.measures, lacks=why.NO_FIGURE),
    Item("40", Words("Uncertainty", "Incertitude"), say.uncertainty, lacks=why.NO_FIGURE),
    Item("41", Words("Tests of differences", "Tests des différences"), audited.compared, lacks=why.NO_FIGURE),
    Item("42", Words("Method of comparing with what is not radiomic", "Méthode de comparaison au non radiomique"), audited.beside),
    Item("43", Words("How the model is explained", "Comment le modèle est expliqué"), audited.explained, lacks=audited.NO_READERS),
)
_RESULTS = (
    Item("44", Words("Who the patients are", "Qui sont les patients"), lacks=audited.COUNTS_ONLY),
    Item("45", Words("Flow of patients", "Diagramme de flux"), audited.flow),
    Item("46", Words("Statistics of features: repeatability, choice", "Statistiques des caractéristiques"), audited.feature_figures),
    Item("47", Words("Performance of the model", "Performance du modèle"), say.discrimination, lacks=why.NO_FIGURE),
    Item("48", Words("Beside what is not radiomic, and both together", "Face au non radiomique, et les deux ensemble"), audited.beside),
)
_CLOSING = (
    Item("49", Words("The findings in short", "Les résultats en bref"), audited.verdict, lacks=why.AUTHORS),
    Item("50", Words("Earlier work", "Travaux antérieurs"), audited.reported, lacks=why.AUTHORS),
    Item("51", Words("What it means in practice", "Ce que cela change en pratique"), lacks=why.AUTHORS),
    Item("52", Words("Strengths and limits", "Forces et limites"), lacks=why.LISTED_ONLY),
)
_OPENNESS = (
    Item("53", Words("Images and outlines can be had", "Images et contours accessibles"), audited.licence),
    Item("54", Words("Feature values can be had", "Valeurs des caractéristiques accessibles"), audited.feature_table),
    Item("55", Words("Settings of the preparation can be had", "Réglages de la préparation accessibles"), audited.preparation),
    Item("56", Words("Code of the modelling can be had", "Code de la modélisation accessible"), lacks=why.HASH_ONLY),
    Item("57", Words("The final model can be had", "Le modèle final est accessible"), audited.model),
    Item("58", Words("A system ready to use can be had", "Un système prêt à l'emploi est accessible"), lacks=why.AUTHORS),
)

CLEAR = Checklist(
    "CLEAR",
    "Kocak B et al. CheckList for EvaluAtion of Radiomics research (CLEAR). Insights Imaging 2023;14:75",
    "10.1186/s13244-023-01415-8",
    (
        *_OPENING,
        *_DESIGN,
        *_DATA,
        *_OUTLINES,
        *_PREPARING,
        *_FEATURES,
        *_TABLES,
        *_MODEL,
        *_TESTS,
        *_RESULTS,
        *_CLOSING,
        *_OPENNESS,
    ),
    unless=why.without_images,
)
