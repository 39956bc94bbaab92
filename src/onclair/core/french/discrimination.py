"""Ranking: areas under the ROC curve, average precision, and what a declared threshold is worth."""

from __future__ import annotations

DISCRIMINATION: tuple[tuple[str, str], ...] = (
    # areas
    (r"empirical AUC, mid-ranks", r"AUC empirique, rangs moyens"),
    (r"paired difference", r"différence appariée"),
    (r"paired difference of empirical AUCs", r"différence appariée d'AUC empiriques"),
    (r"DeLong 1988", r"DeLong 1988"),
    (r"clustered by patient, Obuchowski 1997", r"groupée par patient, Obuchowski 1997"),
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
    (
        r"the variance of the difference is zero \(the classes are wholly separated\), so it has no interval",
        r"la variance de la différence est nulle (classes entièrement séparées), d'où l'absence d'intervalle",
    ),
    (
        r"area under the ROC curve at specificities (\S+) to (\S+), trapezoids",
        r"aire sous la courbe ROC aux spécificités de \1 à \2, trapèzes",
    ),
    (r"McClish 1989 correction", r"correction de McClish 1989"),
    (r"average precision", r"précision moyenne"),
    (r"average precision, prevalence line (\S+)", r"précision moyenne, ligne de prévalence \1"),
    # declared thresholds
    (r"share of patients", r"part des patients"),
    (r"share of rows", r"part des lignes"),
    (r"Wilson 1927", r"Wilson 1927"),
    (r"Wilson interval", r"intervalle de Wilson"),
    (r"Wilson interval on the effective number of rows", r"intervalle de Wilson sur le nombre effectif de lignes"),
    (r"no row stands in its denominator at this threshold", r"aucune ligne à son dénominateur à ce seuil"),
    (r"likelihood ratio", r"rapport de vraisemblance"),
    (r"log scale, Simel 1991", r"échelle log, Simel 1991"),
    (
        r"no row without the event is called so at this threshold, so the ratio has no finite value",
        r"à ce seuil, aucune ligne sans événement n'est ainsi classée, le rapport n'a donc pas de valeur finie",
    ),
    (
        r"no row with the event is called so at this threshold, so the ratio is 0 and its log has no error",
        r"à ce seuil, aucune ligne avec événement n'est ainsi classée, le rapport est donc 0 et son logarithme sans erreur",
    ),
    (
        r"cases and controls were sampled apart, so the share of events in the table says nothing of the population",
        r"cas et témoins ont été échantillonnés à part, la part d'événements du tableau ne dit donc rien de la population",
    ),
)
