"""Groups and centres: figures too small to stand, gaps, pooling, a new centre, case-mix and updating."""

from __future__ import annotations

CENTRES: tuple[tuple[str, str], ...] = (
    (r"the cohort has one centre", r"la cohorte n'a qu'un centre"),
    # gaps between groups
    (r"difference of two groups of different patients", r"différence de deux groupes de patients différents"),
    (r"of the logarithms: its exponential is the ratio", r"des logarithmes : son exponentielle est le rapport"),
    (
        r"z test p = (\S+), adjusted over (\d+) gaps p = (\S+) \((.+)\)",
        r"test z p = \1, ajusté sur \2 écarts p = \3 (\4)",
    ),
    (
        r"(\d+) patients have rows in both groups, so the two figures are not independent",
        r"\1 patients ont des lignes dans les deux groupes, les deux valeurs ne sont donc pas indépendantes",
    ),
    (r"one of the groups has no figure: (?P<why>.+)", r"l'un des groupes n'a pas de valeur : \1"),
    (
        r"a group's figure has no standard error, so the gap has no interval",
        r"la valeur d'un groupe n'a pas d'erreur type, l'écart n'a donc pas d'intervalle",
    ),
    # which centres were pooled
    (r"(\d+) centres entered", r"\1 centres retenus"),
    (r"(\d+) of (\d+) centres entered", r"\1 centres retenus sur \2"),
    (r"(\d+) of (\d+) centres entered \(left out, (?P<which>.+)", r"\1 centres retenus sur \2 (écartés, \3"),
    (r"(\d+) of (\d+) centres has a figure that can be pooled", r"\1 centre sur \2 a une valeur qui peut être réunie"),
    (r"(\d+) are needed", r"il en faut \1"),
    (r"(\d+) are needed \(left out, (?P<which>.+)", r"il en faut \1 (écartés, \2"),
    (r"no figure: (?P<names>.+)", r"sans valeur : \1"),
    (r"no centre is named: (?P<names>.+)", r"centre non nommé : \1"),
    (r"at the end of its scale: (?P<names>.+)", r"au bout de son échelle : \1"),
    (r"no usable standard error: (?P<names>.+)", r"sans erreur type utilisable : \1"),
    # meta-analysis
    (
        r"random effects on the (log|logit) scale, REML \(Viechtbauer 2005\), Hartung & Knapp 2001",
        r"effets aléatoires sur l'échelle \1, REML (Viechtbauer 2005), Hartung & Knapp 2001",
    ),
    (
        r"random effects on the identity scale, REML \(Viechtbauer 2005\), Hartung & Knapp 2001",
        r"effets aléatoires sur l'échelle d'origine, REML (Viechtbauer 2005), Hartung & Knapp 2001",
    ),
    (
        r"(?P<pool>random effects on the \w+ scale, REML .+), t\((\d+)\)",
        r"\1, t(\2)",
    ),
    (r"I2 (\S+) %", r"I2 \1 %"),
    (r"I2 (\S+) %, tau2 (\S+), Q (\S+) \(p = (\S+)\)", r"I2 \1 %, tau2 \2, Q \3 (p = \4)"),
    (
        r"prediction interval t\((\d+)\) sqrt\(tau2 \+ se\^2\), Higgins 2009",
        r"intervalle de prédiction t(\1) √(tau2 + se²), Higgins 2009",
    ),
    (r"interval: Q-profile, Viechtbauer 2007", r"intervalle : Q-profil, Viechtbauer 2007"),
    (r"fewer than (\d+) figures give no prediction interval", r"moins de \1 valeurs ne donnent pas d'intervalle de prédiction"),
    (
        r"tau2 is at 0: the figures differ no more than their errors explain, which does not prove the centres alike",
        (
            r"tau2 est à 0 : les valeurs ne diffèrent pas plus que ne l'expliquent leurs erreurs, "
            r"ce qui ne prouve pas que les centres se ressemblent"
        ),
    ),
    (
        r"Hartung and Knapp's interval is here narrower than a fixed-effect interval",
        r"l'intervalle de Hartung et Knapp est ici plus étroit qu'un intervalle à effet fixe",
    ),
    (
        r"the figures are almost equal, so the error is not Hartung-Knapp's, which is about zero, but the fixed-effect one",
        r"les valeurs sont presque égales, l'erreur n'est donc pas celle de Hartung-Knapp, à peu près nulle, mais celle à effet fixe",
    ),
    (r"the Q-profile interval does not hold the REML estimate", r"l'intervalle Q-profil omet l'estimation REML"),
    (
        r"both are right, they weigh the centres differently",
        r"les deux sont justes, ils pondèrent les centres autrement",
    ),
    # the others teach, each is judged
    (r"refitted on (\d+) rows of (\d+) other centres", r"réajusté sur \1 lignes de \2 autres centres"),
    (r"each centre judged by a model that the others taught", r"chaque centre jugé par un modèle appris sur les autres"),
    (
        r"leaving out one of the centres leaves a single class to learn from",
        r"sans l'un des centres, il ne reste qu'une classe pour apprendre",
    ),
    # case-mix
    (
        r"of a logistic model of belonging to the centre, on predictors and outcome, apparent \(Debray 2015\)",
        r"d'un modèle logistique de l'appartenance au centre, sur prédicteurs et critère, apparente (Debray 2015)",
    ),
    (r"membership cannot be modelled: (?P<why>.+)", r"l'appartenance au centre ne peut être modélisée : \1"),
    (r"there is only one centre", r"il n'y a qu'un centre"),
    (r"mean linear predictor, Debray 2015", r"moyenne du prédicteur linéaire, Debray 2015"),
    (r"standard deviation of the linear predictor, Debray 2015", r"écart-type du prédicteur linéaire, Debray 2015"),
    (r"interval on the log scale", r"intervalle sur l'échelle log"),
    (r"the linear predictor does not vary", r"le prédicteur linéaire ne varie pas"),
    (r"there is one row", r"il n'y a qu'une ligne"),
    (r"every risk is 0 or 1", r"tous les risques sont 0 ou 1"),
    (
        r"C expected if every risk were right, van Klaveren 2016",
        r"indice C attendu si chaque risque était juste, van Klaveren 2016",
    ),
    (r"variance over patients, logit scale", r"variance entre patients, échelle logit"),
    # updating
    (
        r"on rows held out of the update \(closed test of Vergouwe 2017, (\d+) folds\)",
        r"sur des lignes tenues à l'écart de la mise à jour (test fermé de Vergouwe 2017, \1 plis)",
    ),
    (r"nothing could be tested: (?P<why>.+)", r"rien n'a pu être testé : \1"),
)
