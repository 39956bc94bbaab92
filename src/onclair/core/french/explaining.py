"""What moved an answer, what a score goes with, and which cases are like one."""

from __future__ import annotations

EXPLAINING: tuple[tuple[str, str], ...] = (
    # what a score goes with
    (r"t test p = (\S+)", r"test t p = \1"),
    (r"rank test p = (\S+)", r"test des rangs p = \1"),
    (r"q = (\S+) among (\d+) asked, Benjamini & Hochberg 1995", r"q = \1 parmi \2 questions posées, Benjamini & Hochberg 1995"),
    (r"AUC of '(?P<name>.+)' against '(?P<name_of_other>.+)'", r"AUC de « \1 » contre « \2 »"),
    (r"one of the two groups has (\d+) patients", r"l'un des deux groupes a \1 patients"),
    (r"(\d+) are asked for", r"il en est demandé \1"),
    (
        r"the score tells the two groups wholly apart, or its error cannot be estimated, so there is no interval",
        r"le score sépare entièrement les deux groupes, ou son erreur ne peut être estimée : il n'y a donc pas d'intervalle",
    ),
    (
        r"share of the variance of the score's ranks that lies between (\d+) groups, corrected for their number, Kelley 1935",
        r"part de la variance des rangs du score entre \1 groupes, corrigée de leur nombre, Kelley 1935",
    ),
    (r"interval by the noncentral F on ranks, Smithson 2003", r"intervalle par le F non centré sur les rangs, Smithson 2003"),
    (
        r"nothing is left within the groups to judge by, so there is no interval",
        r"rien ne reste au sein des groupes pour en juger, il n'y a donc pas d'intervalle",
    ),
    (r"the score or the column does not vary among them", r"le score ou la colonne ne varie pas parmi eux"),
    (r"(\d+) patients have a value", r"\1 patients ont une valeur"),
    (r"an association needs (\d+)", r"une association en demande \1"),
    (r"its words have no order", r"ses mots n'ont pas d'ordre"),
    (r"call it categorical", r"déclarez-la catégorielle"),
    (r"it has (\d+) values", r"elle a \1 valeurs"),
    (r"two groups need two", r"deux groupes en demandent deux"),
    (r"patients have several rows", r"des patients ont plusieurs lignes"),
    (
        r"several groups are compared on one row a patient",
        r"plusieurs groupes se comparent sur une ligne par patient",
    ),
    (r"every row has a value of its own, as a name has", r"chaque ligne a sa propre valeur, comme un nom"),
    (r"fewer than two groups have (\d+) patients", r"moins de deux groupes ont \1 patients"),
    (r"(\d+) groups of under (\d+) patients left out", r"\1 groupes de moins de \2 patients écartés"),
    # what moved an answer
    (
        r"share of the score's movement inside the outline, mean over patients, Zeiler & Fergus 2014",
        r"part du mouvement du score venue de l'intérieur du contour, moyenne sur les patients, Zeiler & Fergus 2014",
    ),
    (
        r"share of the samples covered inside the outline, mean over patients",
        r"part des échantillons masqués à l'intérieur du contour, moyenne sur les patients",
    ),
    (
        r"paired difference of the two shares inside the outline, mean over patients, Zeiler & Fergus 2014",
        r"différence appariée des deux parts à l'intérieur du contour, moyenne sur les patients, Zeiler & Fergus 2014",
    ),
    (
        r"(\d+) patients left out whose score no patch moved",
        r"\1 patients écartés, dont aucun masque n'a déplacé le score",
    ),
    (
        r"covering no patch moved the score of any of (\d+) patients",
        r"aucun masque n'a déplacé le score d'aucun des \1 patients",
    ),
    # cases like one
    (r"there is no known case of another patient", r"il n'y a pas de cas connu d'un autre patient"),
    (
        r"no similar case: the nearest is farther away than (\d+) % of known patients are from theirs",
        r"aucun cas semblable : le plus proche est plus éloigné que pour \1 % des patients connus",
    ),
    (
        r"share of the (\d+) nearest cases of other patients that bear a case's own label, mean over patients",
        r"part des \1 cas les plus proches, d'autres patients, qui portent la même étiquette, moyenne sur les patients",
    ),
    (
        r"share of all cases of other patients that bear a case's own label, mean over patients",
        r"part de tous les cas d'autres patients qui portent la même étiquette, moyenne sur les patients",
    ),
    (
        r"paired difference of the two shares that bear a case's own label, mean over patients",
        r"différence appariée des deux parts qui portent la même étiquette, moyenne sur les patients",
    ),
    (
        r"error clustered by both patients of a pair, Aronow et al. 2015",
        r"erreur groupée par les deux patients de chaque paire, Aronow et al. 2015",
    ),
    (
        r"(\d+) labelled patients are too few to say whether similar cases turn out alike",
        r"\1 patients étiquetés, trop peu pour dire si les cas semblables évoluent de même",
    ),
    (r"all labelled cases bear one label", r"tous les cas étiquetés portent une seule étiquette"),
)
