"""Networks audited: members, the probe by plain features."""

from __future__ import annotations

NETWORKS: tuple[tuple[str, str], ...] = (
    (
        r"the network is a single one: without members trained from other seeds, nothing tells how it varies",
        r"le réseau est seul : sans membres entraînés à partir d'autres graines, rien ne dit comment il varie",
    ),
    (r"standard deviation over (\d+) members within a patient", r"écart type entre \1 membres chez un même patient"),
    (r"exact interval under normality \(chi-square\)", r"intervalle exact sous normalité (chi carré)"),
    (r"the members agree exactly, so there is no interval", r"les membres concordent exactement, donc sans intervalle"),
    (
        r"R2 of a ridge regression of the score on volume and its logarithm",
        r"R2 d'une régression ridge du score sur le volume et son logarithme",
    ),
    (
        r"R2 of a ridge regression of the score on volume, its logarithm and (\d+) IBSI features",
        r"R2 d'une régression ridge du score sur le volume, son logarithme et \1 caractéristiques IBSI",
    ),
    (r"(\d+)-fold cross-validation, (\d+) times", r"validation croisée à \1 plis, \2 fois"),
    (r"percentile bootstrap over patients, (\d+) samples", r"bootstrap par percentiles sur les patients, \1 échantillons"),
    (r"the score does not vary", r"le score ne varie pas"),
    (
        r"(\d+) patients are too few for the probe, which asks for (\d+)",
        r"\1 patients sont trop peu pour la sonde, qui en demande \2",
    ),
)
