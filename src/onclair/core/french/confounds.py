"""What could fool us: nuisances, shuffled labels, noise."""

from __future__ import annotations

CONFOUNDS: tuple[tuple[str, str], ...] = (
    # a nuisance
    (r"Spearman", r"Spearman"),
    (r"partial Spearman on rank residuals", r"Spearman partiel sur les résidus de rangs"),
    (r"Fisher z, Bonett & Wright 2000", r"z de Fisher, Bonett & Wright 2000"),
    (r"Fisher z, delete-one-cluster jackknife", r"z de Fisher, jackknife patient par patient"),
    (r"(\d+) patients are too few for an interval", r"\1 patients, trop peu pour un intervalle"),
    (
        r"the two rank these rows wholly alike or wholly opposed, so the correlation has no interval",
        r"les deux classent ces lignes tout à fait de même ou à l'inverse, la corrélation n'a donc pas d'intervalle",
    ),
    (
        r"the score or the nuisance does not vary \(beyond the controls\), so it has no rank correlation",
        r"le score ou la nuisance ne varie pas (au-delà des témoins), il n'y a donc pas de corrélation des rangs",
    ),
    (r"AUC within fifths of the nuisance, Janes & Pepe 2009", r"AUC dans les cinquièmes de la nuisance, Janes & Pepe 2009"),
    (r"(\d+) positives without a negative left out", r"\1 positifs sans négatif en face écartés"),
    (r"no fifth of the nuisance holds both classes", r"aucun cinquième de la nuisance ne contient les deux classes"),
    (r"no spread to form an interval from", r"aucune dispersion dont tirer un intervalle"),
    # shuffled labels
    (r"mean and percentile interval of (\d+) fits on shuffled labels", r"moyenne et percentiles de \1 apprentissages à critères permutés"),
    (r"(\d+) could not be fitted", r"\1 n'ont pu être ajustés"),
    (r"(\d+) of (\d+) shuffles could be fitted", r"\1 permutations sur \2 ont pu être ajustées"),
    (r"no shuffle could be fitted", r"aucune permutation n'a pu être ajustée"),
    (r"the AUC on the true labels is not available", r"l'AUC sur les vrais critères n'est pas disponible"),
    (r"at least (\d+) are needed", r"il en faut au moins \1"),
    (r"(\d+) shuffles are too few for the ends of an interval", r"\1 permutations, trop peu pour les bornes d'un intervalle"),
    (r"(\d+) or more are needed", r"il en faut \1 ou plus"),
    (r"one-sided permutation test, (\d+) shuffles", r"test de permutation unilatéral, \1 permutations"),
    (
        r"\(1 \+ refits on shuffled outcomes at least as good\) / \(1 \+ (\d+)\)",
        r"(1 + apprentissages à critères permutés au moins aussi bons) / (1 + \1)",
    ),
    (r"Phipson & Smyth 2010", r"Phipson & Smyth 2010"),
    (r"no refit on shuffled outcomes could be judged", r"aucun apprentissage à critères permutés n'a pu être jugé"),
    # noise
    (r"mean of (\d+) noise data sets", r"moyenne de \1 jeux de bruit"),
    (r"normal interval of the mean", r"intervalle normal de la moyenne"),
    (r"(\d+) noise data sets could be judged", r"\1 jeux de bruit ont pu être jugés"),
)
