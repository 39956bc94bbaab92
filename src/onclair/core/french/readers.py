"""Reader studies: who is random, how the covariance was had, why a difference has no interval."""

from __future__ import annotations

READERS: tuple[tuple[str, str], ...] = (
    (r"Obuchowski & Rockette 1995, Hillis 2014", r"Obuchowski & Rockette 1995, Hillis 2014"),
    (r"random readers, random cases", r"lecteurs aléatoires, cas aléatoires"),
    (r"random readers, fixed cases", r"lecteurs aléatoires, cas fixés"),
    (r"fixed readers, random cases", r"lecteurs fixés, cas aléatoires"),
    (r"covariance: (DeLong 1988|jackknife)", r"covariance : \1"),
    (r"covariance: unbiased \(Gallas 2006\)", r"covariance : sans biais (Gallas 2006)"),
    (r"normal interval", r"intervalle normal"),
    (r"t interval on ([\d.]+) degrees of freedom", r"intervalle t à \1 degrés de liberté"),
    (r"(?P<interval>.+), cut at 0 and 1", r"\1, coupé à 0 et 1"),
    # why not
    (r"there is one modality", r"il n'y a qu'une modalité"),
    (r"a difference needs two", r"une différence en demande deux"),
    (r"one reader cannot stand for readers like this one", r"un lecteur ne peut représenter ceux qui lui ressemblent"),
    (r"take --readers fixed, or more readers", r"prenez --readers fixed, ou plus de lecteurs"),
    (
        r"a class has fewer than two cases, so no error can be estimated",
        r"une classe a moins de deux cas, aucune erreur ne peut donc être estimée",
    ),
    (r"cases are fixed, so one reader's figure has no error", r"les cas sont fixés, la valeur d'un seul lecteur n'a donc pas d'erreur"),
    (
        r"its estimated variance is not above zero, so no interval can be had",
        r"sa variance estimée n'est pas au-dessus de zéro, d'où l'absence d'intervalle",
    ),
    (
        r"the estimated variance of a difference is not above zero, so there is no test",
        r"la variance estimée d'une différence n'est pas au-dessus de zéro, il n'y a donc pas de test",
    ),
    # warnings
    (
        r"Reader (?P<name>.+) gave every case the same rating by modality (?P<name_of_modality>.+): an AUC of 0\.5 \((\d+) such\)",
        r"Le lecteur \1 a donné à tous les cas la même note avec la modalité \2 : une AUC de 0,5 (\3 fois)",
    ),
    (
        r"Readers agree less by one modality than by two \(cov2 below cov3\)",
        r"Les lecteurs s'accordent moins avec une modalité qu'entre deux (cov2 sous cov3)",
    ),
    (
        r"their difference was set to zero, as Hillis 2014 does",
        r"leur différence a été mise à zéro, comme le fait Hillis 2014",
    ),
    (r"Only (\d+) cases are of the rarer kind", r"Seuls \1 cas sont du type le plus rare"),
    (r"the intervals hold for larger numbers", r"les intervalles valent pour de plus grands nombres"),
)
