"""The terms of the house in English and French, each with one line that defines it. Reports, screens and docs use these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from onclair.core.errors import BadInput
from onclair.core.names import did_you_mean
from onclair.core.words import Language


@dataclass(frozen=True, slots=True)
class Term:
    """One word of the house in both languages.

    Attributes
    ----------
    id : str
        As other files refer to it: ``net_benefit``.
    en, fr : str
        What people read.
    definition_en, definition_fr : str
        One sentence each.
    symbol : str
        How formulas and column names write it; empty where there is none.
    unit : str
        ``"1"`` for a pure number, empty where the term is no quantity.

    Examples
    --------
    >>> Term("auc", "AUC", "AUC", "A figure.", "Une grandeur.", unit="1").word("fr")
    'AUC'
    """

    id: str
    en: str
    fr: str
    definition_en: str
    definition_fr: str
    symbol: str = ""
    unit: str = ""

    def word(self, language: Language) -> str:
        """Return the term in `language`."""
        return self.fr if language == "fr" else self.en

    def definition(self, language: Language) -> str:
        """Return the definition in `language`."""
        return self.definition_fr if language == "fr" else self.definition_en


#: Who and what: the journey from a patient to a cohort.
PEOPLE_AND_DATA = (
    Term("study", "study", "étude", "A prediction study in TRIPOD's sense: one question, one outcome, one model and its rivals.",
         "Une étude de prédiction au sens de TRIPOD : une question, un critère, un modèle et ses rivaux."),
    Term("exam", "exam", "examen", "What DICOM calls a Study: the images of one patient taken on one occasion.",
         "Ce que DICOM appelle Study : les images d'un patient prises en une fois."),
    Term("cohort", "cohort", "cohorte", "Patients with their acquisitions and outcomes: two tables and a description.",
         "Des patients avec leurs acquisitions et leurs critères : deux tables et une description."),
    Term("centre", "centre", "centre", "The hospital or scanner site that a patient belongs to; a patient belongs to one.",
         "L'hôpital ou le site d'imagerie dont relève un patient ; un patient n'en a qu'un."),
    Term("patient", "patient", "patient", "A person, by pseudonym; the unit that every split keeps whole.",
         "Une personne, par pseudonyme ; l'unité que tout découpage garde entière."),
    Term("visit", "visit", "visite", "One date on which a patient was examined.", "Une date à laquelle un patient a été examiné."),
    Term("acquisition", "acquisition", "acquisition", "One signal taken at one visit: a volume, a spectrum or a photograph.",
         "Un signal recueilli lors d'une visite : un volume, un spectre ou une photographie."),
    Term("outcome", "outcome", "critère", "What is predicted, with its kind, unit and horizon.",
         "Ce qui est prédit, avec son type, son unité et son horizon."),
    Term("event", "event", "événement", "An outcome that happened; their number bounds what can be claimed.",
         "Un critère survenu ; leur nombre borne ce que l'on peut affirmer."),
    Term("horizon", "horizon", "horizon", "By when the outcome is meant to have happened.",
         "L'échéance à laquelle le critère est jugé.", unit="month"),
    Term("prevalence", "prevalence", "prévalence", "Share of patients with the event; as a rival, the same risk for everybody.",
         "Part des patients avec l'événement ; comme rival, le même risque pour tous.", unit="1"),
    Term("virtual", "virtual", "virtuel", "Made by a simulation with known truth, never a person; said wherever it appears.",
         "Issu d'une simulation à vérité connue, jamais une personne ; signalé partout où il apparaît."),
    Term("real", "real", "réel", "Acquired from people.", "Recueilli chez des personnes."),
)

#: Signal and outline.
SIGNAL = (
    Term("volume_image", "volume", "volume d'image", "A three-dimensional image with its place in space.",
         "Une image à trois dimensions avec sa place dans l'espace."),
    Term("affine", "affine", "matrice affine", "The 4 x 4 matrix from voxel indices to LPS millimetres.",
         "La matrice 4 x 4 qui mène des indices de voxel aux millimètres LPS."),
    Term("lps", "LPS", "LPS", "The frame of the house: x to the patient's left, y to the back, z to the head, in mm.",
         "Le repère de la maison : x vers la gauche du patient, y vers le dos, z vers la tête, en mm.", unit="mm"),
    Term("voxel", "voxel", "voxel", "One sample of a volume.", "Un échantillon d'un volume."),
    Term("voxel_spacing", "voxel spacing", "espacement des voxels", "Distance between voxel centres along each axis.",
         "Distance entre centres de voxels le long de chaque axe.", unit="mm"),
    Term("outline", "outline", "contour", "The voxels or pixels of a lesion or organ, with who drew them.",
         "Les voxels ou pixels d'une lésion ou d'un organe, et qui les a tracés."),
    Term("suv", "SUV", "SUV", "Standardised uptake value: activity concentration over injected dose per body weight.",
         "Valeur de fixation normalisée : concentration d'activité rapportée à la dose injectée par masse corporelle.", unit="SUV"),
    Term("suv_max", "SUVmax", "SUVmax", "The highest uptake of one voxel in the outline.",
         "La plus forte fixation d'un voxel du contour.", symbol="suv_max", unit="SUV"),
    Term("hu", "HU", "UH", "Hounsfield unit: CT attenuation, water 0 and air -1000.",
         "Unité Hounsfield : atténuation en scanner, eau 0 et air -1000.", unit="HU"),
    Term("modality", "modality", "modalité", "The kind of machine that took the signal: PET, CT, MR, photo, spectrum.",
         "Le type d'appareil qui a recueilli le signal : TEP, scanner, IRM, photo, spectre."),
)

#: Description: the IBSI's families.
FEATURES = (
    Term("description", "description", "description", "What a study measured on a case: named numbers, or a reason for each missing one.",
         "Ce qu'une étude a mesuré sur un cas : des nombres nommés, ou une raison pour chacun qui manque."),
    Term("feature", "feature", "caractéristique", "One named number of a description.", "Un nombre nommé d'une description."),
    Term("ibsi", "IBSI", "IBSI", "The Image Biomarker Standardisation Initiative, whose definitions and reference values are used here.",
         "L'Image Biomarker Standardisation Initiative, dont les définitions et valeurs de référence sont utilisées ici."),
    Term("bin_width", "bin width", "largeur de classe", "Width of one grey level when intensities are discretised.",
         "Largeur d'un niveau de gris lors de la discrétisation.", symbol="w", unit="SUV"),
    Term("histogram", "intensity histogram", "histogramme d'intensité", "How many voxels hold each grey level.",
         "Combien de voxels portent chaque niveau de gris."),
    Term("ivh", "IVH", "HIV", "Intensity-volume histogram: the share of the volume at or above each intensity.",
         "Histogramme intensité-volume : part du volume à chaque intensité ou au-dessus.", symbol="ivh"),
    Term("glcm", "GLCM", "GLCM", "Grey level co-occurrence matrix: how often two levels are neighbours.",
         "Matrice de cooccurrence : fréquence à laquelle deux niveaux sont voisins.", symbol="cm"),
    Term("glrlm", "GLRLM", "GLRLM", "Grey level run length matrix: how long one level goes on in a line.",
         "Matrice de longueurs de plage : sur quelle longueur un niveau se prolonge en ligne.", symbol="rlm"),
    Term("morphology", "morphology", "morphologie", "Size and shape of the outline, whatever its intensities.",
         "Taille et forme du contour, quelles que soient les intensités.", symbol="morph"),
    Term("lesion_volume", "lesion volume", "volume lésionnel",
         "Volume enclosed by the mesh of the outline; the rival every radiomic model must beat.",
         "Volume enclos par le maillage du contour ; le rival que tout modèle radiomique doit battre.", symbol="V", unit="mm3"),
    Term("sphericity", "sphericity", "sphéricité", "Surface of the sphere of equal volume over the outline's surface; 1 for a sphere.",
         "Surface de la sphère de même volume sur celle du contour ; 1 pour une sphère.", unit="1"),
    Term("texture", "texture", "texture", "How intensities are arranged; destroyed when voxels are shuffled.",
         "La disposition des intensités ; détruite quand les voxels sont mélangés."),
)

#: Learning and judging.
MODELS_AND_FIGURES = (
    Term("model", "model", "modèle", "What turns a description into a risk; here, a claim.",
         "Ce qui change une description en risque ; ici, une affirmation."),
    Term("rival", "rival", "rival", "A dull explanation that the model must beat on the same patients.",
         "Une explication banale que le modèle doit battre sur les mêmes patients."),
    Term("control", "negative control", "contrôle négatif",
         "The same analysis on signal destroyed on purpose; what survives was not in the signal.",
         "La même analyse sur un signal détruit exprès ; ce qui survit n'était pas dans le signal."),
    Term("shuffled_voxels", "shuffled voxels", "voxels mélangés", "The outline's voxels put in random order: histogram kept, texture gone.",
         "Les voxels du contour remis au hasard : histogramme conservé, texture perdue."),
    Term("shuffled_labels", "shuffled outcomes", "critères permutés",
         "Outcomes dealt out at random: what the whole procedure finds in noise.",
         "Critères redistribués au hasard : ce que toute la procédure trouve dans le bruit."),
    Term("estimate", "estimate", "estimation", "A figure with its interval, sample size and method, or a reason for its absence.",
         "Une grandeur avec son intervalle, son effectif et sa méthode, ou la raison de son absence."),
    Term("interval", "interval", "intervalle", "The range that holds the true figure in the stated share of repetitions.",
         "La plage qui contient la vraie grandeur dans la part annoncée des répétitions."),
    Term("prediction_interval", "prediction interval", "intervalle de prédiction",
         "The range in which the figure of a new centre is expected.",
         "La plage où l'on attend la grandeur d'un nouveau centre."),
    Term("auc", "AUC", "AUC", "Chance that a patient with the event is ranked above one without; 0.5 is a coin.",
         "Probabilité qu'un patient avec événement soit classé au-dessus d'un patient sans ; 0,5 est pile ou face.", symbol="auc",
         unit="1"),
    Term("paired_difference", "paired difference", "différence appariée", "Model minus rival on the same patients, with its interval.",
         "Modèle moins rival sur les mêmes patients, avec son intervalle."),
    Term("calibration", "calibration", "calibration", "Whether risks mean what they say: of 100 patients at 20 %, 20 events.",
         "Si les risques disent vrai : sur 100 patients à 20 %, 20 événements."),
    Term("calibration_slope", "calibration slope", "pente de calibration",
         "Slope of outcomes on the logit of risk; 1 is right, below 1 risks are too extreme.",
         "Pente des critères sur le logit du risque ; 1 est juste, moins de 1 signe des risques trop extrêmes.", symbol="slope", unit="1"),
    Term("calibration_intercept", "calibration intercept", "ordonnée de calibration",
         "How far risks lie too low or too high on the whole; 0 is right.",
         "De combien les risques sont trop bas ou trop hauts dans l'ensemble ; 0 est juste.", symbol="citl", unit="1"),
    Term("o_e", "O:E", "O/A", "Observed events over expected ones; 1 is right.", "Événements observés sur attendus ; 1 est juste.",
         symbol="o_e", unit="1"),
    Term("brier", "Brier score", "score de Brier", "Mean squared distance of risk and outcome; 0 is perfect.",
         "Distance quadratique moyenne entre risque et critère ; 0 est parfait.", symbol="brier", unit="1"),
    Term("decision_curve", "decision curve", "courbe de décision", "Net benefit over the risk thresholds at which one would act.",
         "Bénéfice net selon le seuil de risque auquel on agirait."),
    Term("net_benefit", "net benefit", "bénéfice net", "True positives less false ones weighted by the odds of the threshold, per patient.",
         "Vrais positifs moins faux positifs pondérés par la cote du seuil, par patient.", symbol="nb", unit="1"),
    Term("threshold", "risk threshold", "seuil de risque", "The risk from which one would act.",
         "Le risque à partir duquel on agirait.", unit="1"),
    Term("nested_cross_validation", "nested cross-validation", "validation croisée imbriquée",
         "Outer folds judge what inner folds chose; no patient is judged by a model that saw them.",
         "Les plis externes jugent ce que les plis internes ont choisi ; nul n'est jugé par un modèle qui l'a vu."),
    Term("fold", "fold", "pli", "One part of a cohort that is judged once.", "Une partie de la cohorte, jugée une fois."),
    Term("leave_one_centre_out", "leave-one-centre-out", "exclusion d'un centre", "Each centre judged by what the others taught.",
         "Chaque centre jugé par ce que les autres ont appris."),
    Term("too_few", "too few", "trop peu", "Fewer events than a figure needs: said instead of a number.",
         "Moins d'événements qu'il n'en faut : dit à la place d'un nombre."),
)

#: What a report on a validation says beyond that.
VALIDATION = (
    Term("censoring", "censoring", "censure",
         "Follow-up that ended before the event could be seen: known is only that it had not come by then.",
         "Suivi arrêté avant que l'événement ait pu être vu : on sait seulement qu'il n'était pas encore survenu."),
    Term("competing_event", "competing event", "événement concurrent",
         "Another event that forestalls the one predicted, such as death before relapse.",
         "Un autre événement, qui devance celui que l'on prédit, comme un décès avant la rechute."),
    Term("cluster", "cluster", "grappe", "Rows of one patient: they resemble each other and count as one patient in every interval.",
         "Lignes d'un même patient : elles se ressemblent et comptent pour un seul patient dans chaque intervalle."),
    Term("standard_error", "standard error", "erreur type",
         "How far a figure would stray by chance if the patients were others of the same kind.",
         "De combien une grandeur s'écarterait par hasard avec d'autres patients semblables.", symbol="se"),
    Term("bootstrap", "bootstrap", "bootstrap", "Patients drawn anew with replacement, many times, to see how far a figure moves.",
         "Patients retirés au sort avec remise, de nombreuses fois, pour voir de combien une grandeur bouge."),
    Term("average_precision", "average precision", "précision moyenne",
         "Share of true events among those flagged, averaged as the cut-off falls; chance gives the prevalence.",
         "Part de vrais événements parmi les signalés, moyennée à mesure que le seuil baisse ; le hasard donne la prévalence.", symbol="ap",
         unit="1"),
    Term("harrell_c", "Harrell's C", "C de Harrell",
         "Of two patients whose order is known, how often the one with the earlier event has the higher score; 0.5 is a coin.",
         "De deux patients dont l'ordre est connu, fréquence à laquelle le plus précoce a le score le plus haut ; 0,5 est pile ou face.",
         symbol="harrell", unit="1"),
    Term("uno_c", "Uno's C", "C d'Uno", "Harrell's C with pairs weighted so that it does not depend on how long patients were followed.",
         "C de Harrell dont les paires sont pondérées pour ne pas dépendre de la durée de suivi.", symbol="uno", unit="1"),
    Term("c_index", "C-index", "indice C",
         "Harrell's C when other events compete: who has a competing event first counts as never having this one.",
         "C de Harrell quand d'autres événements concourent : qui en a un d'abord compte comme n'ayant jamais celui-ci.", symbol="c_index",
         unit="1"),
    Term("auc_t", "AUC at the horizon", "AUC à l'horizon",
         "Time-dependent AUC: chance that a patient with the event by the horizon is ranked above one without by then.",
         "AUC dépendante du temps : probabilité qu'un patient avec événement avant l'horizon soit classé au-dessus d'un patient sans.",
         symbol="auc_t", unit="1"),
    Term("pseudo_value", "pseudo-value", "pseudo-valeur",
         "What one patient adds to the estimated risk; it stands for the outcome where follow-up was cut short.",
         "Ce qu'un patient apporte au risque estimé ; elle tient lieu de critère quand le suivi a été écourté."),
    Term("calibration_curve", "calibration curve", "courbe de calibration",
         "What was observed, smoothed, against the predicted risk; on the diagonal, risks are right.",
         "Ce qui a été observé, lissé, selon le risque prédit ; sur la diagonale, les risques sont justes."),
    Term("ici", "mean calibration error (ICI)", "erreur moyenne de calibration (ICI)",
         "Integrated calibration index: mean distance of the predicted risk from the calibration curve; 0 is perfect.",
         "Indice de calibration intégré : distance moyenne du risque prédit à la courbe de calibration ; 0 est parfait.", symbol="ici",
         unit="1"),
    Term("e50", "median calibration error (E50)", "erreur médiane de calibration (E50)",
         "Half of the patients have a risk nearer to the calibration curve than this.",
         "La moitié des patients ont un risque plus proche que cela de la courbe de calibration.", symbol="e50", unit="1"),
    Term("e90", "calibration error, 90th percentile (E90)", "erreur de calibration, 90e percentile (E90)",
         "Nine patients in ten have a risk nearer to the calibration curve than this.",
         "Neuf patients sur dix ont un risque plus proche que cela de la courbe de calibration.", symbol="e90", unit="1"),
    Term("emax", "largest calibration error", "plus grande erreur de calibration",
         "The greatest distance of a predicted risk from the calibration curve.",
         "La plus grande distance d'un risque prédit à la courbe de calibration.", symbol="emax", unit="1"),
    Term("ipa", "IPA (gain over prevalence)", "IPA (gain sur la prévalence)",
         "Index of prediction accuracy: share of the Brier score of the prevalence that the model takes away; 0 is no gain.",
         "Indice d'exactitude de la prédiction : part du score de Brier de la prévalence que le modèle supprime ; 0 est l'absence de gain.",
         symbol="ipa", unit="1"),
    Term("snb", "standardised net benefit", "bénéfice net standardisé",
         "Net benefit as a share of that of treating just those who will have the event; 1 is perfect.",
         "Bénéfice net rapporté à celui de traiter les seuls patients qui auront l'événement ; 1 est parfait.", symbol="snb", unit="1"),
    Term("avoided", "interventions avoided", "interventions évitées",
         "Interventions spared per 100 patients against treating all, without one more event missed.",
         "Interventions épargnées pour 100 patients par rapport à traiter tous, sans un événement manqué de plus.", symbol="avoided"),
    Term("heterogeneity", "heterogeneity", "hétérogénéité",
         "How far centres differ beyond chance; I2 is the share of their variation that chance does not explain.",
         "De combien les centres diffèrent au-delà du hasard ; I2 est la part de leur variation que le hasard n'explique pas.", symbol="I2",
         unit="%"),
    Term("tau2", "variance between centres", "variance entre centres",
         "How widely the true figure varies from centre to centre, on the scale on which it was pooled.",
         "À quel point la vraie grandeur varie d'un centre à l'autre, sur l'échelle où elle a été réunie.", symbol="tau2"),
    Term("case_mix", "case-mix", "case-mix", "Which patients a centre has: where they are more alike, any model ranks them less well.",
         "Quels patients a un centre : là où ils se ressemblent davantage, tout modèle les classe moins bien."),
    Term("updating", "updating", "mise à jour",
         "Changing a model's intercept, its slope too, or all of it for new patients, judged on others than those it was done on.",
         "Changer pour de nouveaux patients l'ordonnée d'un modèle, sa pente aussi, ou tout, et le juger sur d'autres que ceux-là."),
    Term("leakage", "leakage", "fuite de données",
         "What a model should not have known and did: the held-out figures then promise too much.",
         "Ce qu'un modèle n'aurait pas dû savoir et savait : les grandeurs promettent alors trop."),
    Term("drift", "drift", "dérive", "Patients or outcomes that have moved away from those that the model was made for.",
         "Patients ou critères qui se sont éloignés de ceux pour lesquels le modèle a été fait."),
)

#: The answer and its proof.
ANSWER_AND_PROOF = (
    Term("finding", "finding", "résultat", "A model's answer on one case, preliminary until a named person reviews it.",
         "La réponse d'un modèle sur un cas, préliminaire jusqu'à relecture par une personne nommée."),
    Term("cannot_tell", "cannot tell", "indéterminé", "A full answer: the model does not know, and says why.",
         "Une réponse entière : le modèle ne sait pas, et dit pourquoi."),
    Term("conformal_set", "prediction set", "ensemble de prédiction", "The classes that cannot be ruled out at the chosen error rate.",
         "Les classes que l'on ne peut écarter au taux d'erreur choisi."),
    Term("novelty", "novelty", "nouveauté", "How unlike the training patients a case is; beyond a bound the model does not answer.",
         "À quel point un cas diffère des patients d'apprentissage ; au-delà d'une borne, le modèle ne répond pas."),
    Term("evidence", "evidence", "preuve", "The record of one stage: inputs, settings, code, outputs and estimates, each hashed.",
         "Le compte rendu d'une étape : entrées, réglages, code, sorties et estimations, chacun avec son empreinte."),
    Term("content_key", "content key", "clé de contenu", "Hash of what a stage depends on; equal keys promise equal outputs.",
         "Empreinte de ce dont dépend une étape ; mêmes clés, mêmes sorties."),
    Term("evidence_id", "evidence id", "identifiant de preuve", "SHA-256 of the canonical record: the evidence's name.",
         "SHA-256 du compte rendu canonique : le nom de la preuve."),
    Term("verify", "verify", "vérifier", "To recompute every hash of a run and name what was changed, added or lost.",
         "Recalculer chaque empreinte d'une analyse et nommer ce qui a été changé, ajouté ou perdu."),
    Term("replay", "replay", "rejouer", "To run it again from the same data and compare the hashes.",
         "Relancer à partir des mêmes données et comparer les empreintes."),
    Term("locked_model", "locked model", "modèle verrouillé", "A model saved with its hashes; applied as it stands, never trained further.",
         "Un modèle enregistré avec ses empreintes ; appliqué tel quel, jamais réentraîné."),
)

#: Every term, in the order in which a reader meets it.
TERMS: tuple[Term, ...] = (*PEOPLE_AND_DATA, *SIGNAL, *FEATURES, *MODELS_AND_FIGURES, *VALIDATION, *ANSWER_AND_PROOF)


def term(name: str, terms: Iterable[Term] = TERMS) -> Term:
    """Return the term whose id, English or French word is `name`, whatever its case.

    Raises
    ------
    BadInput
        When there is none; the nearest is offered.

    Examples
    --------
    >>> term("cannot tell").fr
    'indéterminé'
    >>> term("AUC").id
    'auc'
    """
    known: dict[str, Term] = {}
    for entry in terms:
        for key in (entry.id, entry.en, entry.fr):
            known.setdefault(key.casefold(), entry)
    if name.casefold() not in known:
        raise BadInput(f"The glossary has no term '{name}'; {did_you_mean(name.casefold(), known)}", item=name)
    return known[name.casefold()]
