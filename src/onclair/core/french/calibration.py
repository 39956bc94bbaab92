"""Risks of a binary outcome: how far they lie from what happened, and whether they mean what they say."""

from __future__ import annotations

CALIBRATION: tuple[tuple[str, str], ...] = (
    # the risk as a whole
    (r"mean squared error of the risk", r"erreur quadratique moyenne du risque"),
    (r"1 - Brier / \(prevalence \(1 - prevalence\)\)", r"1 − Brier / (prévalence (1 − prévalence))"),
    (r"Nagelkerke's R2 of the given risks, not refitted", r"R2 de Nagelkerke des risques donnés, sans réajustement"),
    (
        r"(\d+) rows have an outcome to which their risk of 0 or 1 gave no chance, so the likelihood is 0",
        r"\1 lignes ont un critère auquel leur risque de 0 ou 1 ne laissait aucune chance, la vraisemblance est donc 0",
    ),
    # in the large, and the slope
    (r"observed / expected", r"observés / attendus"),
    (r"log scale, 1/O - 1/n", r"échelle log, 1/O − 1/n"),
    (r"log scale, clustered ratio", r"échelle log, rapport groupé par patient"),
    (r"every risk is 0, so no event was expected", r"tous les risques sont 0, aucun événement n'était attendu"),
    (
        r"every row has the event, so the variance cannot be estimated",
        r"toutes les lignes ont l'événement, la variance ne peut être estimée",
    ),
    (r"logistic intercept with logit\(risk\) as offset", r"ordonnée logistique, logit(risque) en décalage"),
    (r"logistic slope on logit\(risk\)", r"pente logistique sur logit(risque)"),
    # risks that hardly vary
    (r"the risk is the same for everyone, so (?:it has|there is) no slope", r"le risque est le même pour tous, il n'a donc pas de pente"),
    (
        r"the risk is the same for everyone, so there is no slope to test",
        r"le risque est le même pour tous, il n'y a donc pas de pente à tester",
    ),
    (
        r"the risk is the same for everyone, so there is no curve(?: to draw| to measure from)?",
        r"le risque est le même pour tous, il n'y a donc pas de courbe",
    ),
    (
        r"the risks take (\d+) different values, whose odds lie within a factor of (\S+), so there is no slope",
        r"les risques ne prennent que \1 valeurs, de cotes dans un rapport d'au plus \2, il n'y a donc pas de pente",
    ),
    (
        r"the risks take (\d+) different values, whose odds lie within a factor of (\S+), so there is no slope to test",
        r"les risques ne prennent que \1 valeurs, de cotes dans un rapport d'au plus \2, il n'y a donc pas de pente à tester",
    ),
    (
        r"the risks take (\d+) different values, whose odds lie within a factor of (\S+), so there is no curve to (?:draw|measure from)",
        r"les risques ne prennent que \1 valeurs, de cotes dans un rapport d'au plus \2, il n'y a donc pas de courbe",
    ),
    (
        r"the risks separate the two classes perfectly, so there is no slope",
        r"les risques séparent parfaitement les deux classes, il n'y a donc pas de pente",
    ),
    (
        r"the logistic fit did not converge, so there is no figure",
        r"l'ajustement logistique n'a pas convergé, il n'y a donc pas de valeur",
    ),
    (r"the risks hardly vary, so there is no curve to draw", r"les risques ne varient guère, il n'y a pas de courbe à tracer"),
    # tests
    (
        r"test of intercept 0 and slope 1 in logistic recalibration, 2 degrees of freedom",
        r"test de l'ordonnée 0 et de la pente 1 en recalibration logistique, 2 degrés de liberté",
    ),
    (
        r"p of the test of intercept 0 and slope 1 in logistic recalibration, 2 degrees of freedom",
        r"p du test de l'ordonnée 0 et de la pente 1 en recalibration logistique, 2 degrés de liberté",
    ),
    (
        r"Wald, clustered sandwich, Hotelling's F\(2, (\d+)\)",
        r"Wald, sandwich groupé par patient, F(2, \1) de Hotelling",
    ),
    (
        r"too few patients for the two-by-two variance of intercept and slope",
        r"trop peu de patients pour la variance conjointe de l'ordonnée et de la pente",
    ),
    (r"Spiegelhalter's z of the Brier score", r"z de Spiegelhalter du score de Brier"),
    (r"two-sided p of Spiegelhalter's z of the Brier score", r"p bilatéral du z de Spiegelhalter du score de Brier"),
    (r"variance under the risks", r"variance selon les risques"),
    (r"variance from the patients' sums", r"variance des sommes par patient"),
    (
        r"no risk lies elsewhere than at 0, 1/2 or 1, so the test has no variance",
        r"aucun risque ne diffère de 0, 1/2 ou 1, le test n'a donc pas de variance",
    ),
    # smoothers
    (r"loess \(R: span ([\d.]+), degree (\d), interpolated\)", r"loess (R : fenêtre \1, degré \2, interpolé)"),
    (
        r"lowess \(Cleveland 1979: f 2/3, no robustness step, anchors 1 % of the range apart\)",
        r"lowess (Cleveland 1979 : f 2/3, sans étape robuste, ancres distantes de 1 % de l'étendue)",
    ),
    (
        r"restricted cubic spline \((\d) quantile knots, logistic on logit\(risk\), Harrell\)",
        r"spline cubique restreinte (\1 nœuds aux quantiles, logistique sur logit(risque), Harrell)",
    ),
    (r"rows in classes of ([\d.]+)", r"lignes par classes de \1"),
    (r"robust pointwise band", r"bande robuste point par point"),
    (r"biased upwards in small cohorts", r"biaisée vers le haut dans les petites cohortes"),
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
    (
        r"(\d+) of the (\d) knots fall on x = (\S+), which too many of the (\d+) rows share",
        r"\1 des \2 nœuds tombent sur l'abscisse \3, partagée par trop des \4 lignes",
    ),
    (r"take fewer knots or another smoother", r"prenez moins de nœuds ou un autre lissage"),
    (r"the spline of (\d) knots cannot be fitted: (?P<why>.+)", r"la spline à \1 nœuds ne peut être ajustée : \2"),
    (r"a smooth calibration curve needs (\d+) of each to mean much", r"une courbe de calibration lissée en demande \1 de chaque"),
    (r"distance of the risk from (?P<smoother>.+)", r"distance du risque à la courbe lissée, \1"),
)
