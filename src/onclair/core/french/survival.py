"""Risks of an event in time, censored or forestalled by others: ranking, calibration, what follow-up does not reach."""

from __future__ import annotations

SURVIVAL: tuple[tuple[str, str], ...] = (
    # what a claim does not give
    (r"no horizon was given", r"aucun horizon n'a été donné"),
    (r"the claim gives no linear predictor", r"aucun prédicteur linéaire n'est donné"),
    (
        r"the claim gives no cumulative hazard at each row's own follow-up",
        r"aucun risque cumulé n'est donné à la durée de suivi de chaque ligne",
    ),
    # follow-up
    (r"nobody has the event by (\S+)", r"personne n'a l'événement au temps \1"),
    (r"nobody is followed beyond (\S+)", r"personne n'est suivi au-delà du temps \1"),
    (
        r"everybody followed has the event by (\S+), so there is no control",
        r"tous les suivis ont l'événement au temps \1, sans aucun témoin",
    ),
    (r"follow-up ends at (\S+), before (\S+)", r"le suivi s'arrête au temps \1, avant \2"),
    (
        r"the longest follow-up is (\S+), short of (\S+), so the risk by then is not known",
        r"le plus long suivi est de \1, en deçà de \2, le risque à cette échéance est donc inconnu",
    ),
    (r"the longest follow-up is (\S+), short of the horizon (\S+)", r"le plus long suivi est de \1, en deçà de l'horizon \2"),
    (
        r"nobody is followed beyond time (\S+) \(the longest follow-up is (\S+)\), so no weight can stand for those censored by then",
        r"personne n'est suivi au-delà du temps \1 (plus long suivi : \2), aucun poids ne peut donc représenter les censurés d'ici là",
    ),
    (r"the largest usable time is (\S+)", r"le plus grand temps utilisable est \1"),
    (
        r"the largest usable time is (\S+), and every time below (\S+) will do",
        r"le plus grand temps utilisable est \1, et tout temps inférieur à \2 convient",
    ),
    (r"no time is usable", r"aucun temps n'est utilisable"),
    (
        r"by (\S+) either nobody or everybody has the event, so no risk could be better than another",
        r"au temps \1, personne ou tout le monde a l'événement, aucun risque ne saurait donc être meilleur qu'un autre",
    ),
    (
        r"no two rows can be compared: nobody was followed longer than a row with the event",
        r"aucune paire de lignes n'est comparable : personne n'est suivi plus longtemps qu'une ligne avec l'événement",
    ),
    (
        r"no two rows can be compared: nobody was followed beyond a row with the event, or had a competing one before it",
        (
            r"aucune paire de lignes n'est comparable : personne n'est suivi au-delà d'une ligne avec l'événement "
            r"ni n'a d'événement concurrent avant elle"
        ),
    ),
    # ranking
    (r"Harrell's C \(1982\), tied scores one half", r"C de Harrell (1982), ex æquo comptés pour un demi"),
    (
        r"Uno's C \(2011\), pairs weighted 1/G\(T-\)\^2 with G of these rows",
        r"C d'Uno (2011), paires pondérées par 1/G(T−)², G estimé sur ces lignes",
    ),
    (
        r"Wolbers' C \(2014\), pairs weighted 1/\(G\(T-\) G\(T-\)\) with G of these rows",
        r"C de Wolbers (2014), paires pondérées par 1/(G(T−) G(T−)), G estimé sur ces lignes",
    ),
    (r"events before (\S+)", r"événements avant \1"),
    (r"events by (\S+)", r"événements au temps \1 au plus tard"),
    (
        r"cumulative/dynamic AUC, censoring-weighted with G of these rows \(Uno 2007\)",
        r"AUC cumulée/dynamique, pondérée par l'inverse de la probabilité de censure, G estimé sur ces lignes (Uno 2007)",
    ),
    (
        r"cumulative/dynamic AUC, controls free of any event or with a competing one by then \(Blanche 2013\)",
        r"AUC cumulée/dynamique, témoins indemnes ou avec un événement concurrent d'ici là (Blanche 2013)",
    ),
    (r"at (\S+)", r"au temps \1"),
    (r"infinitesimal jackknife", r"jackknife infinitésimal"),
    (r"infinitesimal jackknife at fixed weights", r"jackknife infinitésimal à poids fixés"),
    (r"infinitesimal jackknife with that of G", r"jackknife infinitésimal avec celui de G"),
    (r"infinitesimal jackknife, Wald interval", r"jackknife infinitésimal, intervalle de Wald"),
    (r"influence function with that of G", r"fonction d'influence avec celle de G"),
    (r"influence function with that of G \(Blanche 2013\)", r"fonction d'influence avec celle de G (Blanche 2013)"),
    # the risk as a whole
    (
        r"censoring-weighted with G of these rows \(Graf 1999\)",
        r"pondération par l'inverse de la probabilité de censure, G estimé sur ces lignes (Graf 1999)",
    ),
    (r"Brier score at ([^\s,]+), (?P<how>.+)", r"score de Brier au temps \1, \2"),
    (r"Brier score of the (Kaplan-Meier|Aalen-Johansen) risk at ([^\s,]+)", r"score de Brier du risque de \1 au temps \2"),
    (
        r"1 - Brier / Brier of the (Kaplan-Meier|Aalen-Johansen) risk, at (\S+)",
        r"1 − Brier / Brier du risque de \1, au temps \2",
    ),
    # observed over expected, and the slope
    (r"\(1 - Kaplan-Meier\) / mean risk, at (\S+)", r"(1 − Kaplan-Meier) / risque moyen, au temps \1"),
    (r"Aalen-Johansen risk at (\S+)", r"risque d'Aalen-Johansen au temps \1"),
    (r"Aalen-Johansen / mean risk, at (\S+)", r"Aalen-Johansen / risque moyen, au temps \1"),
    (r"log scale, 1/sqrt\(events by then\)", r"échelle log, 1/√(événements d'ici là)"),
    (r"log scale, 1/sqrt\(events\)", r"échelle log, 1/√(événements)"),
    (r"log scale, infinitesimal jackknife", r"échelle log, jackknife infinitésimal"),
    (r"log scale, clustered infinitesimal jackknife", r"échelle log, jackknife infinitésimal groupé par patient"),
    (
        r"log scale, clustered infinitesimal jackknife of the ratio",
        r"échelle log, jackknife infinitésimal du rapport, groupé par patient",
    ),
    (r"events / summed cumulative hazard \(Crowson 2016\)", r"événements / somme des risques cumulés (Crowson 2016)"),
    (r"sandwich error by patient \(Lin & Wei 1989\)", r"erreur sandwich par patient (Lin & Wei 1989)"),
    (r"every cumulative hazard is 0, so no event was expected", r"tous les risques cumulés sont 0, aucun événement n'était attendu"),
    (
        r"the linear predictor is the same for everyone, so there is no slope",
        r"le prédicteur linéaire est le même pour tous, il n'y a donc pas de pente",
    ),
    (r"Cox slope on the linear predictor, Efron's ties", r"pente de Cox sur le prédicteur linéaire, ex æquo d'Efron"),
    (
        r"sandwich error by patient \(Lin & Wei 1989\), Wald interval",
        r"erreur sandwich par patient (Lin & Wei 1989), intervalle de Wald",
    ),
    (
        r"intercept with cloglog\(risk\) as offset, pseudo-values at (\S+), independence \(Royston 2014\)",
        r"ordonnée, cloglog(risque) en décalage, pseudo-valeurs au temps \1, indépendance (Royston 2014)",
    ),
    (
        r"slope on cloglog\(risk\), pseudo-values at (\S+), independence \(Royston 2014\)",
        r"pente sur cloglog(risque), pseudo-valeurs au temps \1, indépendance (Royston 2014)",
    ),
    # the flexible curve
    (
        r"Cox model on a restricted cubic spline, 3 knots, of cloglog\(risk\)",
        r"modèle de Cox sur une spline cubique restreinte, 3 nœuds, de cloglog(risque)",
    ),
    (r"follow-up cut at the horizon \(Austin 2020\)", r"suivi arrêté à l'horizon (Austin 2020)"),
    (
        r"robust pointwise band on the log cumulative hazard",
        r"bande robuste point par point sur le logarithme du risque cumulé",
    ),
    (r"distance at (\S+) of the risk from (?P<smoother>.+)", r"distance, au temps \1, du risque à la courbe lissée, \2"),
    (r"(?P<smoother>.+) on pseudo-values at (\S+)", r"\1 sur pseudo-valeurs au temps \2"),
    (r"the curve could not be fitted: (?P<why>.+)", r"la courbe n'a pu être ajustée : \1"),
)
