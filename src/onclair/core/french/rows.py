"""What every kind of outcome says of its rows: whose they are, too few of them, intervals, the bootstrap, regressions."""

from __future__ import annotations

ROWS: tuple[tuple[str, str], ...] = (
    # whose rows
    (r"mean over (\d+) repeats", r"moyenne de \1 répétitions"),
    (r"mean score of (\d+) repeats", r"score moyen de \1 répétitions"),
    (r"n and events count patients \((\d+) rows\)", r"n et événements comptent des patients (\1 lignes)"),
    (r"t quantile on (\d+) degrees of freedom", r"quantile t à \1 degrés de liberté"),
    (r"(\d+) patients with repeated rows", r"\1 patients aux lignes répétées"),
    (r"a figure clustered by patient needs (\d+)", r"une valeur groupée par patient en demande \1"),
    (r"too few patients for a standard error", r"trop peu de patients pour une erreur type"),
    (r"only one class is present: (\d+) of (\d+) rows are positive", r"une seule classe est présente : \1 lignes positives sur \2"),
    (r"only one class is present", r"une seule classe est présente"),
    (r"there is no event", r"il n'y a aucun événement"),
    (r"there is no row to count", r"il n'y a aucune ligne à compter"),
    (r"(\d+) rows with risk 0 or 1 moved inside by (\S+)", r"\1 lignes de risque 0 ou 1 ramenées à l'intérieur de \2"),
    (r"the claim is a score, not a probability", r"il s'agit d'un score, non d'une probabilité"),
    # intervals
    (r"Wald interval", r"intervalle de Wald"),
    (r"(?P<interval>.*Wald interval), cut at ([^\s,]+)", r"\1, coupé à \2"),
    (r"(?P<interval>.*Wald interval), cut at ([^\s,]+) and ([^\s,]+)", r"\1, coupé à \2 et \3"),
    (r"Wald interval on the logit scale", r"intervalle de Wald sur l'échelle logit"),
    (r"sandwich error", r"erreur sandwich"),
    (r"sandwich error, Wald interval", r"erreur sandwich, intervalle de Wald"),
    (r"model-based error", r"erreur du modèle"),
    (r"model-based error, Wald interval", r"erreur du modèle, intervalle de Wald"),
    (r"first-order error", r"erreur au premier ordre"),
    (r"first-order error, logit scale", r"erreur au premier ordre, échelle logit"),
    (r"first-order error of the ratio", r"erreur du rapport au premier ordre"),
    (r"first-order error of the ratio, Wald interval", r"erreur du rapport au premier ordre, intervalle de Wald"),
    (r"its estimated variance is zero, so no interval can be had", r"sa variance estimée est nulle, d'où l'absence d'intervalle"),
    (r"its variance cannot be estimated from these patients", r"sa variance ne peut être estimée sur ces patients"),
    (r"no standard error", r"pas d'erreur type"),
    # the bootstrap
    (r"percentile bootstrap of patients, (\d+) replicates", r"bootstrap des patients par percentiles, \1 réplicats"),
    (
        r"percentile bootstrap of patients, (\d+) replicates, (\d+) of them failed",
        r"bootstrap des patients par percentiles, \1 réplicats, dont \2 en échec",
    ),
    (
        r"percentile bootstrap of patients, (\d+) replicates, (\d+) of them failed at most",
        r"bootstrap des patients par percentiles, \1 réplicats, dont au plus \2 en échec",
    ),
    (r"no interval: no bootstrap was asked for", r"pas d'intervalle : aucun bootstrap n'a été demandé"),
    (
        r"no interval: (\d+) of (\d+) bootstrap replicates had no smooth curve",
        r"pas d'intervalle : \1 réplicats de bootstrap sur \2 sans courbe lissée",
    ),
    (
        r"no interval: (\d+) of (\d+) bootstrap replicates had no such figure",
        r"pas d'intervalle : \1 réplicats de bootstrap sur \2 sans cette valeur",
    ),
    (
        r"the percentile interval does not hold the figure: drawing patients anew adds to distances that cannot be negative",
        r"l'intervalle par percentiles omet la valeur : retirer les patients au sort accroît des distances jamais négatives",
    ),
    # too few
    (r"(\d+) events", r"\1 avec événement"),
    (r"(\d+) events and (\d+) non-events", r"\1 avec événement et \2 sans"),
    (
        r"(\d+) events and (\d+) non-events are too few for a validation claim",
        r"\1 événements et \2 patients sans événement : trop peu pour une validation",
    ),
    (
        r"(\d+) patients with an event and (\d+) with a row without one",
        r"\1 patients avec un événement et \2 avec une ligne sans événement",
    ),
    (r"at least (\d+) of each are needed", r"il en faut au moins \1 de chaque"),
    (r"a group's figure needs (\d+) of each", r"dans un groupe, il en faut \1 de chaque"),
    (r"a group needs (\d+)", r"dans un groupe, il en faut \1"),
    (r"a group needs (\d+) of each", r"dans un groupe, il en faut \1 de chaque"),
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
)
