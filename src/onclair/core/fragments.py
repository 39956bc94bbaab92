"""How a figure was made, or why there is none: the record's English fragments in French.

A method or a reason of the record is fragments joined by ``"; "``. Each is looked up by itself; one that is not here stays
English and is marked so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: A fragment as a pattern, and its French; ``\\1`` holds what varies.
FRAGMENTS: tuple[tuple[str, str], ...] = (
    # ranking
    (r"empirical AUC, mid-ranks", r"AUC empirique, rangs moyens"),
    (r"paired difference of empirical AUCs", r"différence appariée d'AUC empiriques"),
    (r"DeLong 1988", r"DeLong 1988"),
    (r"clustered by patient, Obuchowski 1997", r"groupée par patient, Obuchowski 1997"),
    (r"Wald interval", r"intervalle de Wald"),
    (r"Wald interval, cut at 0", r"intervalle de Wald, coupé à 0"),
    (r"Wald interval on the logit scale", r"intervalle de Wald sur l'échelle logit"),
    (
        r"constant score, which ranks no one: 0\.5 by definition, without error",
        r"score constant, qui ne classe personne : 0,5 par définition, sans erreur",
    ),
    (
        r"classes wholly separated: interval by Newcombe 2006, method 5, on patients",
        r"classes entièrement séparées : intervalle de Newcombe 2006, méthode 5, sur les patients",
    ),
    (
        r"both rank these rows alike, so the difference is 0 without error",
        r"les deux classent ces lignes de même, la différence est donc 0 sans erreur",
    ),
    (r"its estimated variance is zero, so no interval can be had", r"sa variance estimée est nulle, d'où l'absence d'intervalle"),
    (
        r"the variance of the difference is zero \(the classes are wholly separated\), so it has no interval",
        r"la variance de la différence est nulle (classes entièrement séparées), d'où l'absence d'intervalle",
    ),
    (r"only one class is present: (\d+) of (\d+) rows are positive", r"une seule classe est présente : \1 lignes positives sur \2"),
    (r"only one class is present", r"une seule classe est présente"),
    # repeats, patients, shares
    (r"mean over (\d+) repeats", r"moyenne de \1 répétitions"),
    (r"mean over (\d+) repeats, cut at 0", r"moyenne de \1 répétitions, coupée à 0"),
    (r"mean score of (\d+) repeats", r"score moyen de \1 répétitions"),
    (r"n and events count patients \((\d+) rows\)", r"n et événements comptent des patients (\1 lignes)"),
    (r"n and events count patients \((\d+) rows\), cut at 0", r"n et événements comptent des patients (\1 lignes), coupé à 0"),
    (r"too few patients for a standard error", r"trop peu de patients pour une erreur type"),
    (r"share of patients", r"part des patients"),
    (r"share of rows", r"part des lignes"),
    (r"Wilson 1927", r"Wilson 1927"),
    (r"Wilson interval", r"intervalle de Wilson"),
    (r"Wilson interval on the effective number of rows", r"intervalle de Wilson sur le nombre effectif de lignes"),
    (r"no row stands in its denominator at this threshold", r"aucune ligne à son dénominateur à ce seuil"),
    (r"there is no row to count", r"il n'y a aucune ligne à compter"),
    # the risk as a whole, and its calibration
    (r"mean squared error of the risk", r"erreur quadratique moyenne du risque"),
    (r"1 - Brier / \(prevalence \(1 - prevalence\)\)", r"1 − Brier / (prévalence (1 − prévalence))"),
    (r"first-order error of the ratio", r"erreur du rapport au premier ordre"),
    (r"observed / expected", r"observés / attendus"),
    (r"log scale, 1/O - 1/n", r"échelle log, 1/O − 1/n"),
    (r"log scale, clustered ratio", r"échelle log, rapport groupé par patient"),
    (r"there is no event", r"il n'y a aucun événement"),
    (r"every risk is 0, so no event was expected", r"tous les risques sont 0, aucun événement n'était attendu"),
    (
        r"every row has the event, so the variance cannot be estimated",
        r"toutes les lignes ont l'événement, la variance ne peut être estimée",
    ),
    (r"logistic intercept with logit\(risk\) as offset", r"ordonnée logistique, logit(risque) en décalage"),
    (r"logistic slope on logit\(risk\)", r"pente logistique sur logit(risque)"),
    (r"sandwich error, Wald interval", r"erreur sandwich, intervalle de Wald"),
    (r"model-based error, Wald interval", r"erreur du modèle, intervalle de Wald"),
    (r"(\d+) rows with risk 0 or 1 moved inside by (\S+)", r"\1 lignes de risque 0 ou 1 ramenées à l'intérieur de \2"),
    (r"the risk is the same for everyone, so (?:it has|there is) no slope", r"le risque est le même pour tous, il n'a donc pas de pente"),
    (
        r"the risks take (\d+) different values, whose odds lie within a factor of (\S+), so there is no slope",
        r"les risques ne prennent que \1 valeurs, de cotes dans un rapport d'au plus \2, il n'y a donc pas de pente",
    ),
    (
        r"the risk is the same for everyone, so there is no curve to (?:draw|measure from)",
        r"le risque est le même pour tous, il n'y a donc pas de courbe",
    ),
    (
        r"the risks take (\d+) different values, whose odds lie within a factor of (\S+), so there is no curve to (?:draw|measure from)",
        r"les risques ne prennent que \1 valeurs, de cotes dans un rapport d'au plus \2, il n'y a donc pas de courbe",
    ),
    (
        r"the percentile interval does not hold the figure: drawing patients anew adds to distances that cannot be negative",
        r"l'intervalle par percentiles omet la valeur : retirer les patients au sort accroît des distances jamais négatives",
    ),
    (
        r"loess \(R: span ([\d.]+), degree (\d), interpolated\)",
        r"loess (R : fenêtre \1, degré \2, interpolé)",
    ),
    (
        r"distance of the risk from loess \(R: span ([\d.]+), degree (\d), interpolated\)",
        r"distance du risque au loess (R : fenêtre \1, degré \2, interpolé)",
    ),
    (r"biased upwards in small cohorts", r"biaisée vers le haut dans les petites cohortes"),
    (r"robust pointwise band", r"bande robuste point par point"),
    (r"percentile bootstrap of patients, (\d+) replicates", r"bootstrap des patients par percentiles, \1 réplicats"),
    (
        r"percentile bootstrap of patients, (\d+) replicates, (\d+) of them failed",
        r"bootstrap des patients par percentiles, \1 réplicats, dont \2 en échec",
    ),
    (r"no interval: no bootstrap was asked for", r"pas d'intervalle : aucun bootstrap n'a été demandé"),
    (
        r"no interval: (\d+) of (\d+) bootstrap replicates had no smooth curve",
        r"pas d'intervalle : \1 réplicats de bootstrap sur \2 sans courbe lissée",
    ),
    (r"the risks hardly vary, so there is no curve to draw", r"les risques ne varient guère, il n'y a pas de courbe à tracer"),
    (
        r"the risks take too few different values for a smooth curve",
        r"les risques prennent trop peu de valeurs différentes pour une courbe lissée",
    ),
    (
        r"the span ([\d.]+) of (\d+) rows holds too few of them for degree (\d)",
        r"la fenêtre \1 de \2 lignes en contient trop peu pour le degré \3",
    ),
    (r"widen the span or collect more rows", r"élargissez la fenêtre ou recueillez plus de lignes"),
    (r"widen the span", r"élargissez la fenêtre"),
    (r"the smoother needs at least (\d+) different x", r"le lissage demande au moins \1 abscisses différentes"),
    (r"it was given (\d+)", r"il en a reçu \1"),
    (
        r"(\d+) or more rows share x = (\S+), so the smoother has no neighbourhood there",
        r"au moins \1 lignes partagent l'abscisse \2, le lissage n'y a pas de voisinage",
    ),
    (r"a smooth calibration curve needs (\d+) of each to mean much", r"une courbe de calibration lissée en demande \1 de chaque"),
    (r"the claim is a score, not a probability", r"il s'agit d'un score, non d'une probabilité"),
    # too few, elsewhere
    (r"(\d+) events and (\d+) non-events", r"\1 avec événement et \2 sans"),
    (
        r"(\d+) events and (\d+) non-events are too few for a validation claim",
        r"\1 événements et \2 patients sans événement : trop peu pour une validation",
    ),
    (r"at least (\d+) of each are needed", r"il en faut au moins \1 de chaque"),
    (r"a group's figure needs (\d+) of each", r"dans un groupe, il en faut \1 de chaque"),
    (r"the cohort has one centre", r"la cohorte n'a qu'un centre"),
    (
        r"leaving out one of the centres leaves a single class to learn from",
        r"sans l'un des centres, il ne reste qu'une classe pour apprendre",
    ),
    # utility
    (r"net benefit, risk >= threshold", r"bénéfice net, risque ≥ seuil"),
    (r"no one is treated: 0 by definition", r"personne n'est traité : 0 par définition"),
    (r"there is no net benefit of (.+)", r"il n'y a pas de bénéfice net de \1"),
    # what could fool us
    (r"Spearman", r"Spearman"),
    (r"partial Spearman on rank residuals", r"Spearman partiel sur les résidus de rangs"),
    (r"Fisher z, Bonett & Wright 2000", r"z de Fisher, Bonett & Wright 2000"),
    (r"Fisher z, delete-one-cluster jackknife", r"z de Fisher, jackknife patient par patient"),
    (r"(\d+) patients are too few for an interval", r"\1 patients, trop peu pour un intervalle"),
    (
        r"the score or the nuisance does not vary \(beyond the controls\), so it has no rank correlation",
        r"le score ou la nuisance ne varie pas (au-delà des témoins), il n'y a donc pas de corrélation des rangs",
    ),
    (r"mean and percentile interval of (\d+) fits on shuffled labels", r"moyenne et percentiles de \1 apprentissages à critères permutés"),
    (r"(\d+) could not be fitted", r"\1 n'ont pu être ajustés"),
    (r"(\d+) of (\d+) shuffles could be fitted", r"\1 permutations sur \2 ont pu être ajustées"),
    (r"at least 2 are needed", r"il en faut au moins 2"),
    (r"(\d+) shuffles are too few for the ends of an interval", r"\1 permutations, trop peu pour les bornes d'un intervalle"),
    (r"(\d+) or more are needed", r"il en faut \1 ou plus"),
    (r"mean of (\d+) destructions and of their intervals", r"moyenne de \1 destructions et de leurs intervalles"),
    (r"no destroyed signal could be judged", r"aucun signal détruit n'a pu être jugé"),
    (
        r"\(1 \+ refits on shuffled outcomes at least as good\) / \(1 \+ (\d+)\)",
        r"(1 + apprentissages à critères permutés au moins aussi bons) / (1 + \1)",
    ),
    (r"Phipson & Smyth 2010", r"Phipson & Smyth 2010"),
    (r"no refit on shuffled outcomes could be judged", r"aucun apprentissage à critères permutés n'a pu être jugé"),
    (r"rows in classes of ([\d.]+)", r"lignes par classes de \1"),
    # regressions
    (
        r"a combination of the predictors separates the two classes perfectly, so its coefficient has no finite estimate",
        r"une combinaison des prédicteurs sépare parfaitement les deux classes, son coefficient n'a pas d'estimation finie",
    ),
    (
        r"a predictor is constant or a combination of the others, so its coefficient cannot be told apart",
        r"un prédicteur est constant ou combinaison des autres, son coefficient ne peut être distingué",
    ),
    (r"Newton's method did not converge to (\S+) in (\d+) steps", r"la méthode de Newton n'a pas convergé à \1 en \2 pas"),
    (
        r"the partial likelihood has no maximum: a combination of the predictors orders the events perfectly",
        r"la vraisemblance partielle n'a pas de maximum : une combinaison des prédicteurs ordonne parfaitement les événements",
    ),
    # features of an outline
    (r"the region is a single voxel", r"le contour n'a qu'un voxel"),
    (r"the region is a single voxel, so that there is no pair", r"le contour n'a qu'un voxel, donc aucune paire"),
    (r"every voxel has the same value", r"tous les voxels ont la même valeur"),
    (r"every voxel has the same value \((\S+)\)", r"tous les voxels ont la même valeur (\1)"),
    (
        r"every voxel has the same value \((\S+)\), which cannot be cut into a fixed number of bins",
        r"tous les voxels ont la même valeur (\1), impossible à découper en un nombre fixe de classes",
    ),
    (r"all voxels fall into one grey level", r"tous les voxels tombent dans un seul niveau de gris"),
    (
        r"risks out of fold, nested cross-validation by patient, pooled over the folds",
        r"risques hors pli, validation croisée imbriquée par patient, plis réunis",
    ),
    (r"each centre judged by a model that the others taught", r"chaque centre jugé par un modèle appris sur les autres"),
    (r"the column as it stands, nothing fitted", r"la colonne telle quelle, rien d'ajusté"),
    (r"risks out of fold of a logistic model of the rival's columns", r"risques hors pli d'un modèle logistique sur les colonnes du rival"),
    (r"use narrower bins", r"prenez des classes plus étroites"),
    (
        r"all voxels fall into one bin of the volume histogram",
        r"tous les voxels tombent dans une classe de l'histogramme des volumes",
    ),
    (r"the histogram has a single grey level and so no gradient", r"l'histogramme n'a qu'un niveau de gris, donc aucun gradient"),
    (r"no two neighbours differ in grey level", r"aucun voxel ne diffère de son voisin en niveau de gris"),
    (r"no two voxels of the region are neighbours", r"aucun voxel du contour n'a de voisin"),
    (r"the mean is zero", r"la moyenne est nulle"),
    (r"the quartiles add up to zero", r"la somme des quartiles est nulle"),
    (
        r"the region is one voxel thin, so that its ellipsoid has no volume",
        r"le contour n'a qu'un voxel d'épaisseur, son ellipsoïde n'a pas de volume",
    ),
    (
        r"the intensities add up to zero, so that they have no centre",
        r"la somme des intensités est nulle, elles n'ont donc pas de centre",
    ),
    (r"it is not defined for this region", r"elle n'est pas définie pour ce contour"),
)

_KNOWN = tuple((re.compile(pattern), french) for pattern, french in FRAGMENTS)
_NUMBER = re.compile(r"(?<![\w.])(\d+)\.(\d+)(?![\w.])")


def in_french(fragment: str) -> str | None:
    """Return one fragment in French, its capital and full stop kept; None where it is not known.

    Examples
    --------
    >>> in_french("mean over 3 repeats"), in_french("Every voxel has the same value (3.2).")
    ('moyenne de 3 répétitions', 'Tous les voxels ont la même valeur (3,2).')
    >>> in_french("read in the stars") is None
    True
    """
    stop = "." if fragment.endswith(".") else ""
    plain = fragment.removesuffix(".")
    found = _matched(plain)
    if found is None and plain[:1].isupper():
        found = _matched(plain[0].lower() + plain[1:])
        found = None if found is None else found[:1].upper() + found[1:]
    return None if found is None else found + stop


def each_once(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the fragments of several texts, each once, in the order in which they first come.

    Examples
    --------
    >>> each_once(["AUC; DeLong 1988", "score; DeLong 1988", ""])
    ('AUC', 'DeLong 1988', 'score')
    """
    return tuple(dict.fromkeys(part for text in texts for part in text.split("; ") if part))


def _matched(fragment: str) -> str | None:
    for pattern, french in _KNOWN:
        found = pattern.fullmatch(fragment)
        if found:
            return _NUMBER.sub(r"\1,\2", found.expand(french))
    return None
