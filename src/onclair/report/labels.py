"""Names of figures, of whose they are and where, in English and French, and how each figure is read."""

from __future__ import annotations

from onclair.core.glossary import MODELS_AND_FIGURES
from onclair.core.words import Words

#: Names of figures: the glossary's, and those that it does not define.
FIGURES: dict[str, Words] = {t.symbol: Words(t.en, t.fr) for t in MODELS_AND_FIGURES if t.symbol} | {
    "harrell": Words("Harrell's C", "C de Harrell"),
    "c_index": Words("C-index", "indice C"),
    "uno": Words("Uno's C", "C d'Uno"),
    "auc_t": Words("AUC at the horizon", "AUC à l'horizon"),
    "brier_null": Words("Brier score without a model", "score de Brier sans modèle"),
    "poisson_o_e": Words("O:E over follow-up", "O/A sur le suivi"),
    "pseudo_intercept": Words("calibration intercept (pseudo-values)", "ordonnée de calibration (pseudo-valeurs)"),
    "pseudo_slope": Words("calibration slope (pseudo-values)", "pente de calibration (pseudo-valeurs)"),
    "bacc": Words("balanced accuracy", "exactitude équilibrée"),
    "accuracy": Words("accuracy", "exactitude"),
    "ap": Words("average precision", "précision moyenne"),
    "ipa": Words("IPA (gain over prevalence)", "IPA (gain sur la prévalence)"),
    "ici": Words("mean calibration error (ICI)", "erreur moyenne de calibration (ICI)"),
    "e50": Words("median calibration error (E50)", "erreur médiane de calibration (E50)"),
    "e90": Words("calibration error, 90th percentile (E90)", "erreur de calibration, 90e percentile (E90)"),
    "emax": Words("largest calibration error", "plus grande erreur de calibration"),
    "spearman": Words("Spearman correlation", "corrélation de Spearman"),
    "p": Words("p-value", "valeur p"),
    "coverage": Words("coverage of prediction sets", "couverture des ensembles de prédiction"),
    "share": Words("share", "part"),
    "sens": Words("sensitivity", "sensibilité"),
    "spec": Words("specificity", "spécificité"),
    "ppv": Words("positive predictive value", "valeur prédictive positive"),
    "npv": Words("negative predictive value", "valeur prédictive négative"),
    "lr_pos": Words("likelihood ratio of a flag", "rapport de vraisemblance positif"),
    "lr_neg": Words("likelihood ratio of no flag", "rapport de vraisemblance négatif"),
    "snb": Words("standardised net benefit", "bénéfice net standardisé"),
    "avoided": Words("interventions avoided", "interventions évitées"),
    "nagelkerke": Words("Nagelkerke's R²", "R² de Nagelkerke"),
    "spiegelhalter": Words("Spiegelhalter's z", "z de Spiegelhalter"),
    "p_spiegelhalter": Words("p of Spiegelhalter's z", "p du z de Spiegelhalter"),
    "u": Words("U statistic of recalibration", "statistique U de recalibration"),
    "p_u": Words("p of the U statistic", "p de la statistique U"),
    "membership_auc": Words("how far the centres' patients differ (AUC)", "différence entre patients des centres (AUC)"),
    "lp_mean": Words("mean of the linear predictor", "moyenne du prédicteur linéaire"),
    "lp_sd": Words("spread of the linear predictor", "dispersion du prédicteur linéaire"),
    "dice": Words("Dice", "Dice"),
    "mae": Words("mean absolute error", "erreur absolue moyenne"),
    "rmse": Words("root mean squared error", "racine de l'erreur quadratique moyenne"),
}

#: Figures that count pairs put in the right order: said as a frequency.
PAIRS = ("auc", "harrell", "c_index", "uno", "auc_t")
#: Order in which a figure is looked for to head a report.
HEADLINES = (*PAIRS, "bacc", "dice", "ap", "mae")
#: Less is better.
LOWER_IS_BETTER = frozenset({"brier", "mae", "rmse", "ici", "e50", "e90", "emax", "p", "hd95"})
#: What chance, or a perfect calibration, gives: drawn as the dotted line.
REFERENCE = {
    "auc": 0.5,
    "harrell": 0.5,
    "c_index": 0.5,
    "uno": 0.5,
    "auc_t": 0.5,
    "lr_pos": 1.0,
    "lr_neg": 1.0,
    "poisson_o_e": 1.0,
    "pseudo_slope": 1.0,
    "pseudo_intercept": 0.0,
    "bacc": 0.5,
    "o_e": 1.0,
    "slope": 1.0,
    "citl": 0.0,
    "spearman": 0.0,
    "ipa": 0.0,
}
#: Decimals, where two are not right.
DIGITS = {"nb": 3, "brier": 3, "brier_null": 3, "ici": 3, "e50": 3, "e90": 3, "avoided": 1, "p": 3, "mae": 2}
#: Ratios: drawn on a logarithmic axis.
RATIOS = frozenset({"o_e", "poisson_o_e", "lr_pos", "lr_neg"})

WHO: dict[str, Words] = {
    "model": Words("model", "modèle"),
    "oracle": Words("true law", "loi vraie"),
    "all": Words("treat all", "traiter tous"),
    "none": Words("treat none", "ne traiter personne"),
    "conformal": Words("prediction sets", "ensembles de prédiction"),
    "cannot-tell": Words("answered “cannot tell”", "réponses « indéterminé »"),
    "pooled": Words("data pooled", "données réunies"),
    "prevalence": Words("prevalence", "prévalence"),
}

WHERE: dict[str, Words] = {
    "leave-one-centre-out": Words("each centre left out in turn", "chaque centre exclu à son tour"),
    "leave-one-site-out": Words("each site left out in turn", "chaque site exclu à son tour"),
    "centres": Words("centres pooled", "centres réunis"),
    "new-centre": Words("a new centre (prediction interval)", "un nouveau centre (intervalle de prédiction)"),
    "tau2": Words("variance between centres", "variance entre centres"),
    "shuffled-labels": Words("outcomes shuffled", "critères permutés"),
    "shuffled-voxels": Words("voxels shuffled", "voxels mélangés"),
    "volume": Words("volume", "volume"),
    "univariate": Words("alone, whole cohort", "seul, cohorte entière"),
}

#: Learners in plain words.
MODELS: dict[str, Words] = {
    "logistic": Words("logistic regression", "régression logistique"),
    "ridge": Words("ridge regression", "régression ridge"),
    "lasso": Words("lasso", "lasso"),
    "elasticnet": Words("elastic net", "elastic net"),
    "forest": Words("random forest", "forêt aléatoire"),
    "boosting": Words("boosted trees", "arbres boostés"),
    "svm": Words("support vector machine", "machine à vecteurs de support"),
    "resnet1d": Words("residual network on spectra", "réseau résiduel sur les spectres"),
    "transformer": Words("transformer on spectra", "transformeur sur les spectres"),
    "cox": Words("Cox regression", "régression de Cox"),
}

#: Families of features by the prefix of their names (IBSI).
FAMILIES: dict[str, Words] = {
    "morph": Words("morphology", "morphologie"),
    "loc": Words("local intensity", "intensité locale"),
    "stat": Words("intensity statistics", "statistiques d'intensité"),
    "ih": Words("intensity histogram", "histogramme d'intensité"),
    "ivh": Words("intensity-volume histogram", "histogramme intensité-volume"),
    "cm": Words("co-occurrence (GLCM)", "cooccurrence (GLCM)"),
    "rlm": Words("run length (GLRLM)", "longueurs de plage (GLRLM)"),
    "szm": Words("size zone (GLSZM)", "taille de zone (GLSZM)"),
    "dzm": Words("distance zone (GLDZM)", "distance de zone (GLDZM)"),
    "ngt": Words("neighbourhood difference (NGTDM)", "différence de voisinage (NGTDM)"),
    "ngl": Words("neighbouring dependence (NGLDM)", "dépendance de voisinage (NGLDM)"),
}

#: What the model does not read when it does as well under a control.
NOT_READ: dict[str, Words] = {"shuffled-voxels": Words("what it reads is not texture", "ce qu'il lit n'est pas la texture")}
