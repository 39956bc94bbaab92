"""TRIPOD+AI: 27 numbered items, 52 with their parts (Collins et al., BMJ 2024;385:e078378)."""

from __future__ import annotations

from onclair.core.words import Words
from onclair.report.checklists import answers as say
from onclair.report.checklists import audited
from onclair.report.checklists import reasons as why
from onclair.report.checklists.items import Checklist, Item

_INTRODUCTION = (
    Item(
        "1",
        Words(
            "Title: says that a prediction model is developed or judged, in whom, for which outcome",
            "Titre : dit qu'un modèle de prédiction est construit ou jugé, chez qui, pour quel critère",
        ),
        lacks=why.AUTHORS,
    ),
    Item(
        "2",
        Words("Abstract, by the list's own points for abstracts", "Résumé, selon les points prévus pour les résumés"),
        lacks=why.AUTHORS,
    ),
    Item(
        "3a",
        Words(
            "Where in care the question arises (diagnosis or prognosis), why a model, which models exist",
            "À quel moment du soin la question se pose (diagnostic ou pronostic), pourquoi un modèle, lesquels existent",
        ),
    ),
    Item(
        "3b",
        Words(
            "For whom the model is meant, to do what, at which step of care, in whose hands",
            "À qui le modèle est destiné, pour quoi faire, à quelle étape du soin, entre quelles mains",
        ),
    ),
    Item("3c", Words("Known health inequalities between social groups", "Inégalités de santé connues entre groupes sociaux")),
    Item(
        "4",
        Words(
            "Aims, and whether a model is developed, judged or both",
            "Objectifs, et s'il s'agit de construire un modèle, de le juger ou des deux",
        ),
        audited.either(say.aims, audited.aims),
    ),
)
_DATA = (
    Item(
        "5a",
        Words(
            "Where the data come from, why these, whom they represent",
            "D'où viennent les données, pourquoi celles-ci, qui elles représentent",
        ),
        lacks=why.NO_WHY,
    ),
    Item("5b", Words("First and last inclusion, end of follow-up", "Première et dernière inclusion, fin du suivi")),
    Item("6a", Words("Setting of care, number and place of centres", "Cadre de soin, nombre et lieu des centres"), lacks=why.CENTRES_ONLY),
    Item("6b", Words("Who could be included", "Qui pouvait être inclus")),
    Item("6c", Words("Treatments received, and how the analysis took them", "Traitements reçus, et leur prise en compte dans l'analyse")),
    Item(
        "7",
        Words(
            "How the data were prepared and checked, and whether alike in all social groups",
            "Préparation et contrôle des données, et s'ils étaient les mêmes dans tous les groupes sociaux",
        ),
    ),
    Item(
        "8a",
        Words(
            "The outcome: its definition and horizon, how and when it was assessed, why this one",
            "Le critère : sa définition et son échéance, comment et quand il a été relevé, pourquoi celui-ci",
        ),
        lacks=why.OUTCOME_ONLY,
    ),
    Item("8b", Words("Who judged the outcome, where that is subjective", "Qui a jugé le critère, là où c'est subjectif")),
    Item("8c", Words("Blinding of those who assessed the outcome", "Aveugle de ceux qui ont relevé le critère")),
    Item(
        "9a",
        Words("How candidate predictors were chosen before any model", "Choix des prédicteurs candidats avant tout modèle"),
        unless=why.judges_only,
    ),
    Item(
        "9b",
        Words(
            "What each predictor is, how and when it was measured, and blinding",
            "Ce qu'est chaque prédicteur, comment et quand il a été mesuré, et l'aveugle",
        ),
    ),
    Item("9c", Words("Who judged the predictors, where that is subjective", "Qui a jugé les prédicteurs, là où c'est subjectif")),
    Item(
        "10",
        Words(
            "How the size of the study was set, and why it is enough", "Comment la taille de l'étude a été fixée, et pourquoi elle suffit"
        ),
        lacks=why.SIZE_ONLY,
    ),
    Item(
        "11",
        Words(
            "What was done about missing data, and why any were left out",
            "Ce qui a été fait des données manquantes, et pourquoi certaines ont été écartées",
        ),
        say.missing,
        lacks=why.GAPS_ONLY,
    ),
)
_METHODS = (
    Item(
        "12a",
        Words(
            "Which data taught and which judged, and how they were divided", "Quelles données ont appris, lesquelles ont jugé, leur partage"
        ),
        say.division,
        unless=why.judges_only,
    ),
    Item(
        "12b",
        Words(
            "Shape, scale and transformation of the predictors in the model",
            "Forme, échelle et transformation des prédicteurs dans le modèle",
        ),
        unless=why.judges_only,
    ),
    Item(
        "12c",
        Words(
            "Type of model and why, each step of building and tuning, internal validation",
            "Type de modèle et pourquoi, étapes de construction et de réglage, validation interne",
        ),
        lacks=why.STEPS_ONLY,
        unless=why.judges_only,
    ),
    Item(
        "12d",
        Words(
            "How differences between clusters (hospitals, countries) were handled and measured",
            "Traitement et mesure des différences entre grappes (hôpitaux, pays)",
        ),
        say.handled_centres,
        lacks=why.NOT_COMPARED,
        unless=why.single_centre,
    ),
    Item(
        "12e",
        Words(
            "Every measure of performance, how it was obtained, how models were compared",
            "Chaque mesure de performance, son calcul, la comparaison des modèles",
        ),
        say.measures,
        lacks=why.NO_FIGURE,
    ),
    Item(
        "12f",
        Words("Updating or recalibration that followed the evaluation", "Mise à jour ou recalibration à la suite de l'évaluation"),
        unless=why.develops_only,
    ),
    Item(
        "12g",
        Words(
            "How the judged predictions were computed (formula, code, service)",
            "Comment les prédictions jugées ont été calculées (formule, code, service)",
        ),
        audited.model,
        lacks=why.COLUMN_ONLY,
        unless=why.develops_only,
    ),
    Item(
        "13",
        Words(
            "Methods against class imbalance, and recalibration after them", "Méthodes contre le déséquilibre des classes, et recalibration"
        ),
    ),
    Item("14", Words("What was done for fairness between groups, and why", "Ce qui a été fait pour l'équité entre groupes, et pourquoi")),
    Item(
        "15",
        Words("What the model gives, and how thresholds were chosen", "Ce que rend le modèle, et comment les seuils ont été choisis"),
        lacks=why.THRESHOLDS_ONLY,
        unless=why.judges_only,
    ),
    Item(
        "16",
        Words("How the data that judge differ from those that taught", "En quoi les données qui jugent diffèrent de celles qui ont appris"),
        unless=why.one_cohort,
    ),
    Item("17", Words("Ethics committee and consent", "Comité d'éthique et consentement"), unless=why.virtual),
)
_OPENNESS = (
    Item("18a", Words("Funding, and what the funders did", "Financement, et rôle des financeurs"), lacks=why.AUTHORS),
    Item("18b", Words("Conflicts of interest", "Conflits d'intérêts"), lacks=why.AUTHORS),
    Item(
        "18c", Words("Where the protocol is, or that there is none", "Où se trouve le protocole, ou qu'il n'y en a pas"), lacks=why.AUTHORS
    ),
    Item("18d", Words("Registration, or that there is none", "Enregistrement de l'étude, ou son absence"), lacks=why.AUTHORS),
    Item("18e", Words("How the data can be had", "Comment obtenir les données"), audited.either(say.availability, audited.licence)),
    Item("18f", Words("How the code of the analysis can be had", "Comment obtenir le code de l'analyse"), lacks=why.HASH_ONLY),
    Item(
        "19",
        Words("The part that patients and public took, or none", "Part prise par les patients et le public, ou aucune"),
        lacks=why.AUTHORS,
    ),
)
_RESULTS = (
    Item(
        "20a",
        Words(
            "Who went through the study, with and without the outcome, and for how long",
            "Qui a traversé l'étude, avec et sans le critère, et pendant combien de temps",
        ),
        say.binary_flow,
        lacks=why.NO_FOLLOW_UP,
    ),
    Item(
        "20b",
        Words(
            "Who the participants are: features, dates, treatments, gaps, by source and group",
            "Qui sont les participants : caractéristiques, dates, traitements, manques, par source et par groupe",
        ),
    ),
    Item(
        "20c",
        Words(
            "Predictors and outcome beside those of the data that taught the model",
            "Prédicteurs et critère à côté de ceux des données qui ont appris au modèle",
        ),
        unless=why.develops_only,
    ),
    Item("21", Words("Participants and events behind each analysis", "Participants et événements derrière chaque analyse"), say.sizes),
    Item(
        "22",
        Words(
            "The whole model, so that others can use it, and on what terms",
            "Le modèle entier, pour que d'autres l'utilisent, et à quelles conditions",
        ),
        lacks=why.NO_INTERCEPT,
        unless=why.judges_only,
    ),
    Item(
        "23a",
        Words("Performance with intervals, in groups that matter too", "Performance avec intervalles, aussi dans les groupes qui comptent"),
        say.performance,
        lacks=why.NO_FIGURE,
    ),
    Item(
        "23b",
        Words("How performance differs between clusters, where examined", "Écarts de performance entre grappes, s'ils ont été examinés"),
        say.between_centres,
        lacks=why.NOT_COMPARED,
        unless=why.unexamined_centres,
    ),
    Item("24", Words("The updated model and its performance", "Le modèle mis à jour et sa performance"), unless=why.develops_only),
)
_DISCUSSION = (
    Item(
        "25",
        Words(
            "What the results mean, in the light of the aims, of fairness and of earlier studies",
            "Ce que veulent dire les résultats, au vu des objectifs, de l'équité et des études antérieures",
        ),
        lacks=why.AUTHORS,
    ),
    Item(
        "26",
        Words("Limits, and what they do to bias, certainty and reach", "Limites, et leur effet sur les biais, la certitude et la portée"),
        lacks=why.LISTED_ONLY,
    ),
    Item(
        "27a",
        Words("What to do about poor or absent inputs in use", "Que faire d'entrées mauvaises ou absentes à l'usage"),
        unless=why.judges_only,
    ),
    Item("27b", Words("What users must do, and know", "Ce que les utilisateurs doivent faire, et savoir"), unless=why.judges_only),
    Item(
        "27c",
        Words("What to study next, above all where the model applies", "La suite à étudier, surtout où le modèle s'applique"),
        lacks=why.AUTHORS,
    ),
)

TRIPOD_AI = Checklist(
    "TRIPOD+AI",
    "Collins GS et al. TRIPOD+AI statement. BMJ 2024;385:e078378",
    "10.1136/bmj-2023-078378",
    (*_INTRODUCTION, *_DATA, *_METHODS, *_OPENNESS, *_RESULTS, *_DISCUSSION),
)
