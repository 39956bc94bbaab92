"""Why an item does not apply to this kind of study, and what is missing where a part of the answer is there."""

from __future__ import annotations

from onclair.core.words import Words
from onclair.report.checklists.record import Record

_JUDGES = Words("The run judges predictions; it develops no model.", "Ce calcul juge des prédictions ; il ne construit aucun modèle.")
_AUDITS = Words("The run audits a frozen model; it develops none.", "Ce calcul audite un modèle figé ; il n'en construit aucun.")
_DEVELOPS = Words(
    "The study develops its own model; the item concerns the evaluation of an existing one.",
    "L'étude construit son propre modèle ; ce point concerne l'évaluation d'un modèle existant.",
)
_VIRTUAL = Words("The patients are virtual; nobody was involved.", "Les patients sont virtuels ; personne n'a été sollicité.")
_ELSEWHERE = Words(
    "The plan declares other patients than those who taught the model, so nothing was divided.",
    "Le plan déclare d'autres patients que ceux qui ont appris au modèle : rien n'a été partagé.",
)
_ONE_CENTRE = Words("The patients come from one centre.", "Les patients viennent d'un seul centre.")
_NO_CENTRE = Words("No centre is named, so none was compared.", "Aucun centre n'est nommé : aucun n'a été comparé.")
_NO_IMAGE = Words("The model reads no image.", "Le modèle ne lit aucune image.")
_TIME = Words("The outcome is an event in time, not a diagnosis.", "Le critère est un événement dans le temps, pas un diagnostic.")
_SAME_COHORT = Words(
    "Model and figures come from one cohort, divided into folds.", "Modèle et chiffres viennent d'une même cohorte, découpée en plis."
)
_TABULAR = Words("No learner reads images from end to end.", "Aucun modèle ne lit les images de bout en bout.")

#: What is missing where a part is there.
NO_WHY = Words(
    "The record names the source; why these data, and whom they represent, is for the authors to say.",
    "L'enregistrement nomme la source ; pourquoi ces données, et qui elles représentent, reste à dire par les auteurs.",
)
AUTHORS = Words(
    "A record has no such text; it is for the authors to write.", "Un enregistrement n'a pas ce texte ; il revient aux auteurs."
)
CENTRES_ONLY = Words(
    "The record names centres at most; the setting of care and the places are not in it.",
    "L'enregistrement nomme au plus les centres ; le cadre de soin et les lieux n'y sont pas.",
)
OUTCOME_ONLY = Words(
    "The record names the outcome, its kind and horizon; how, when and why it was assessed is not in it.",
    "L'enregistrement nomme le critère, son type et son échéance ; comment, quand et pourquoi il a été relevé n'y est pas.",
)
SIZE_ONLY = Words(
    "The record counts patients and events, and warns where they are few; how the size was planned is not in it.",
    "L'enregistrement compte patients et événements et avertit s'ils sont peu nombreux ; comment la taille a été prévue n'y est pas.",
)
GAPS_ONLY = Words(
    "The record names gaps and their reasons; how they were filled is not in it.",
    "L'enregistrement nomme les manques et leurs raisons ; comment ils ont été comblés n'y est pas.",
)
STEPS_ONLY = Words(
    "The record names learners and folds; the reasons for them and each step of building are not in it.",
    "L'enregistrement nomme les modèles et les plis ; leurs raisons et chaque étape de construction n'y sont pas.",
)
COLUMN_ONLY = Words(
    "The record names the column of predictions; how they were computed is not in it.",
    "L'enregistrement nomme la colonne des prédictions ; comment elles ont été calculées n'y est pas.",
)
THRESHOLDS_ONLY = Words(
    "The record names thresholds; how they were chosen is not in it.",
    "L'enregistrement nomme les seuils ; comment ils ont été choisis n'y est pas.",
)
NO_INTERCEPT = Words(
    "The record lists the model's features; the model itself is a file of the run.",
    "L'enregistrement liste les caractéristiques du modèle ; le modèle lui-même est un fichier du calcul.",
)
NO_FOLLOW_UP = Words(
    "The record counts patients and events; it does not summarise the follow-up.",
    "L'enregistrement compte patients et événements ; il ne résume pas le suivi.",
)
HASH_ONLY = Words(
    "The record holds the hash of the code that ran; where the code can be had is not in it.",
    "L'enregistrement contient l'empreinte du code exécuté ; où le trouver n'y est pas.",
)
LISTED_ONLY = Words(
    "The report lists warnings and limits of use; what they do to the results is for the authors to discuss.",
    "Le rapport liste avertissements et limites d'usage ; leur effet sur les résultats revient aux auteurs.",
)
JUDGEMENT = Words(
    "This is a judgement on how the data came to be, and nothing in the record carries it.",
    "C'est un jugement sur l'origine des données, et rien dans l'enregistrement ne le porte.",
)
NOT_ALL_THREE = Words(
    "Discrimination, calibration and net benefit are not all there with an interval.",
    "Discrimination, calibration et bénéfice net ne sont pas tous là avec un intervalle.",
)
NO_FIGURE = Words("No such figure could be estimated.", "Aucun chiffre de ce genre n'a pu être estimé.")
NOT_COMPARED = Words("Differences between centres could not be estimated.", "Les écarts entre centres n'ont pas pu être estimés.")
NOT_SEVERAL = Words(
    "The record does not name two centres of images or more.", "L'enregistrement ne nomme pas deux centres d'images ou plus."
)
NO_CONFUSION = Words(
    "A figure that ranks and, for a binary outcome, sensitivity and specificity at thresholds are not all there.",
    "Un chiffre de discrimination et, pour un critère binaire, sensibilité et spécificité aux seuils ne sont pas tous là.",
)
NO_HYPOTHESIS = Words(
    "The record says what is judged, not which hypothesis is put to the test.",
    "L'enregistrement dit ce qui est jugé, pas quelle hypothèse est mise à l'épreuve.",
)
NOT_EXTERNAL = Words(
    "The record holds no patients declared to be others than those who taught the model.",
    "L'enregistrement ne contient pas de patients déclarés autres que ceux qui ont appris au modèle.",
)
PARTLY_SETTINGS = Words(
    "The record holds the settings of the features; how the images were prepared is not all in it.",
    "L'enregistrement contient les réglages des caractéristiques ; la préparation des images n'y est pas entière.",
)
VERSION_ONLY = Words(
    "The record names the software and its version; that it follows a standard is not in it.",
    "L'enregistrement nomme le logiciel et sa version ; qu'il suive un standard n'y est pas.",
)
METHOD_MISSING = Words(
    "The record counts the features kept; by which method they were chosen is not in it.",
    "L'enregistrement compte les caractéristiques gardées ; par quelle méthode elles l'ont été n'y est pas.",
)


def judges_only(record: Record) -> Words | None:
    """Not where predictions alone are judged: items on development.

    Examples
    --------
    >>> judges_only(Record({"facts": {"kind": "validation"}})).en
    'The run judges predictions; it develops no model.'
    """
    return _JUDGES if record.is_validation else _AUDITS if record.is_audit else None


def develops_only(record: Record) -> Words | None:
    """Not where a study develops its model: items on evaluating an existing one."""
    return _DEVELOPS if record.develops else None


def virtual(record: Record) -> Words | None:
    """Not for virtual patients: items on the protection of people.

    Examples
    --------
    >>> virtual(Record({"facts": {"data": "real"}})) is None
    True
    """
    return _VIRTUAL if record.is_virtual else None


def elsewhere(record: Record) -> Words | None:
    """Not where the patients taught the model nothing: items on dividing the data.

    Examples
    --------
    >>> elsewhere(Record({"facts": {"kind": "validation", "design": "internal"}})) is None
    True
    """
    return _ELSEWHERE if record.is_elsewhere else None


def single_centre(record: Record) -> Words | None:
    """Not in one centre: items on differences between clusters.

    Examples
    --------
    >>> single_centre(Record({"facts": {"centres": ["A"]}})).en
    'The patients come from one centre.'
    """
    return _ONE_CENTRE if len(record.centres) == 1 else None


def unexamined_centres(record: Record) -> Words | None:
    """Not where one centre or none is named: results on differences, asked only where examined."""
    return _NO_CENTRE if record.facts.get("centres") == [] else single_centre(record)


def without_images(record: Record) -> Words | None:
    """Not where the model is known to read no image; a record that does not say keeps the list.

    Examples
    --------
    >>> without_images(Record({"facts": {"signal": "table"}})).en
    'The model reads no image.'
    >>> without_images(Record({"facts": {}})) is None
    True
    """
    return _NO_IMAGE if record.imaging is False else None


def prognosis(record: Record) -> Words | None:
    """Not for outcomes in time: items on diagnostic accuracy.

    Examples
    --------
    >>> prognosis(Record({"facts": {"outcome": {"kind": "binary"}}})) is None
    True
    """
    return _TIME if record.outcome_kind in ("survival", "competing") else None


def one_cohort(record: Record) -> Words | None:
    """Not where model and figures come from one cohort: items on how two differ."""
    return _SAME_COHORT if record.develops else None


def no_end_to_end(record: Record) -> Words | None:
    """Not where every learner works on a table: items on networks that read images."""
    from onclair.report.checklists.answers import learners

    return _TABULAR if learners(record) else None
