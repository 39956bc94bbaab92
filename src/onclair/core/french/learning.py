"""Models as they are taught: optimism on their own rows, instability, and the coverage of prediction sets."""

from __future__ import annotations

LEARNING: tuple[tuple[str, str], ...] = (
    # how the risks were had
    (
        r"risks out of fold, nested cross-validation by patient, pooled over the folds",
        r"risques hors pli, validation croisée imbriquée par patient, plis réunis",
    ),
    (r"the column as it stands, nothing fitted", r"la colonne telle quelle, rien d'ajusté"),
    (r"risks out of fold of a logistic model of the rival's columns", r"risques hors pli d'un modèle logistique sur les colonnes du rival"),
    # optimism
    (r"apparent minus mean optimism \(Harrell 1996\)", r"valeur apparente moins optimisme moyen (Harrell 1996)"),
    (
        r"\.632\+ \(Efron & Tibshirani 1997\), out-of-sample figure averaged over samples",
        r".632+ (Efron & Tibshirani 1997), valeur hors échantillon en moyenne sur les échantillons",
    ),
    (
        r"percentiles of the apparent figure over samples, shifted \(Noma 2021\)",
        r"percentiles de la valeur apparente sur les échantillons, décalés (Noma 2021)",
    ),
    (
        r"(\d+) bootstrap samples of (\d+) patients, whole pipeline refitted",
        r"\1 échantillons de bootstrap de \2 patients, toute la chaîne réajustée",
    ),
    (
        r"(\d+) bootstrap samples of (\d+) patients, whole pipeline refitted \((\d+) of (\d+) could not be trained\)",
        r"\1 échantillons de bootstrap de \2 patients, toute la chaîne réajustée (\3 sur \4 sans apprentissage possible)",
    ),
    (r"on the rows the model was fitted on", r"sur les lignes qui ont servi à ajuster le modèle"),
    (r"too good, shown only beside its correction", r"trop flatteuse, montrée seulement à côté de sa correction"),
    (
        r"no interval, since the figure does not vary on a sample's own rows",
        r"pas d'intervalle, la valeur ne variant pas sur les lignes mêmes d'un échantillon",
    ),
    (r"no interval: it is shown only beside its correction", r"pas d'intervalle : la valeur n'est montrée qu'à côté de sa correction"),
    (
        r"no interval: a mean over samples, whose uncertainty the corrected figure carries",
        r"pas d'intervalle : une moyenne sur les échantillons, dont la valeur corrigée porte l'incertitude",
    ),
    (
        r"no interval: it takes two bootstrap samples with this figure",
        r"pas d'intervalle : il faut deux échantillons de bootstrap avec cette valeur",
    ),
    (
        (
            r"the percentile interval does not hold the figure: on their own rows the samples' figures lie to one side of "
            r"the apparent one"
        ),
        (
            r"l'intervalle par percentiles omet la valeur : sur leurs propres lignes, les échantillons donnent des valeurs "
            r"toutes d'un côté de la valeur apparente"
        ),
    ),
    (
        r"(\w+) is right by construction on the rows a model was fitted on, so there it is no evidence",
        r"\1 est juste par construction sur les lignes qui ont servi à ajuster le modèle, ce n'y est donc pas une preuve",
    ),
    (
        r"the figure cannot be had on the rows the model was fitted on, or in any bootstrap sample",
        r"la valeur ne peut être obtenue sur les lignes qui ont servi à ajuster le modèle, ou dans aucun échantillon de bootstrap",
    ),
    (
        r"no sample left out enough patients to judge it on",
        r"aucun échantillon n'a laissé de côté assez de patients pour en juger",
    ),
    # instability
    (
        (
            r"mean over rows and samples of \|risk by a sample's model - risk by the original model\| "
            r"\(Riley & Collins 2023\)"
        ),
        (
            r"moyenne, sur les lignes et les échantillons, de |risque du modèle d'un échantillon − risque du modèle d'origine| "
            r"(Riley & Collins 2023)"
        ),
    ),
    (
        r"no interval: it is a mean over the very samples that would give one",
        r"pas d'intervalle : c'est une moyenne sur les échantillons mêmes qui le donneraient",
    ),
    (
        r"none of the (\d+) bootstrap samples could be trained on",
        r"aucun des \1 échantillons de bootstrap n'a permis d'apprentissage",
    ),
    # calibrators
    (r"only one class is present: (\d+) events and (\d+) others", r"une seule classe est présente : \1 avec événement et \2 sans"),
    (
        r"the scores separate the two classes perfectly, so the curve has no finite estimate",
        r"les scores séparent parfaitement les deux classes, la courbe n'a donc pas d'estimation finie",
    ),
    (r"Platt's smoothed targets have one", r"les cibles lissées de Platt en ont une"),
    (r"every score is one half", r"tous les scores valent un demi"),
    (
        r"the scores do not rank the outcomes, so no temperature makes them risks",
        r"les scores ne classent pas les critères, aucune température n'en fait donc des risques",
    ),
    (
        r"the scores do not rank the outcomes, so everyone gets the prevalence",
        r"les scores ne classent pas les critères, chacun reçoit donc la prévalence",
    ),
    (
        r"all rows are one patient's, so its risks have no interval",
        r"toutes les lignes sont d'un seul patient, ses risques n'ont donc pas d'intervalle",
    ),
    (
        r"(\d+) rows are few for isotonic calibration, which may learn their noise",
        r"\1 lignes, c'est peu pour une calibration isotonique, qui peut en apprendre le bruit",
    ),
    (
        r"some risks are exactly 0 or 1, which no finite number of patients can show",
        r"certains risques valent exactement 0 ou 1, ce qu'aucun nombre fini de patients ne peut montrer",
    ),
    # prediction sets
    (
        r"Wilson 1927, effective number of patients by Korn & Graubard 1998",
        r"Wilson 1927, nombre effectif de patients selon Korn & Graubard 1998",
    ),
    (r"(\d+) patients are too few to judge a coverage", r"\1 patients, trop peu pour juger d'une couverture"),
    (
        r"(\d+) patients calibrated nothing: every set is full, so coverage says nothing",
        r"\1 patients n'ont rien calibré : chaque ensemble est entier, la couverture ne dit donc rien",
    ),
    (r"(\d+) patients with several rows are too few for the test", r"\1 patients à plusieurs lignes, trop peu pour le test"),
    (r"there is no row to rank", r"il n'y a aucune ligne à classer"),
    (r"one patient gives no interval", r"un seul patient ne donne pas d'intervalle"),
    (
        r"the percentile interval does not hold the figure: patients drawn twice tie with themselves, which moves the area",
        r"l'intervalle par percentiles omet la valeur : un patient tiré deux fois est ex æquo avec lui-même, ce qui déplace l'aire",
    ),
    (r"Geifman 2019", r"Geifman 2019"),
    (
        r"mean selective loss over all coverages \(Geifman 2019\), ties shared",
        r"perte sélective moyenne sur toutes les couvertures (Geifman 2019), ex æquo partagés",
    ),
    (r"percentile bootstrap of (\d+) over patients", r"bootstrap des patients par percentiles, \1 réplicats"),
)
