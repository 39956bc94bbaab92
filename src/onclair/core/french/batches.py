"""Batches, and whether a measurement repeats itself."""

from __future__ import annotations

BATCHES: tuple[tuple[str, str], ...] = (
    # do features tell the batch?
    (r"no feature varies, or there is one batch only", r"aucune caractéristique ne varie, ou il n'y a qu'un lot"),
    (r"all (\d+) samples have the same batch", r"les \1 échantillons sont du même lot"),
    (
        r"the batch '(?P<name>.+)' has (\d+) samples",
        r"le lot « \1 » a \2 échantillons",
    ),
    (
        r"at least (\d+) of each are needed to judge a classifier of it",
        r"il en faut au moins \1 de chaque pour juger un classifieur",
    ),
    (r"nested cross-validation, (\d+) folds by sample", r"validation croisée imbriquée, \1 plis par échantillon"),
    (
        r"mean over (\d+) batches of each against the others, (\d+) repeats",
        r"moyenne sur \1 lots, chacun contre les autres, \2 répétitions",
    ),
    (r"placements, DeLong 1988", r"placements, DeLong 1988"),
    # aliasing, and ranking within batches
    (r"the batch or the outcome has one value only", r"le lot ou le critère n'a qu'une valeur"),
    (
        r"Cramer's V 1946, uncorrected",
        r"V de Cramér 1946, non corrigé",
    ),
    (r"interval by the noncentral chi-square, Smithson 2003", r"intervalle par le chi carré non centré, Smithson 2003"),
    (r"no batch holds both an event and a non-event", r"aucun lot ne contient à la fois un événement et un non-événement"),
    (
        r"AUC over pairs of the same batch, (\d+) of (\d+) batches hold both classes",
        r"AUC sur les paires d'un même lot, \1 lots sur \2 contiennent les deux classes",
    ),
    # does the same patient get the same number again?
    (
        r"(\d+) patients with (\d+) measurements each, all known, are too few",
        r"\1 patients à \2 mesures chacun, toutes connues, c'est trop peu",
    ),
    (r"the measurements do not vary", r"les mesures ne varient pas"),
    (
        r"ICC\(1,1\), Shrout & Fleiss 1979, (\d+) measurements a patient",
        r"CCI(1,1), Shrout & Fleiss 1979, \1 mesures par patient",
    ),
    (r"exact interval, McGraw & Wong 1996", r"intervalle exact, McGraw & Wong 1996"),
    (r"the measurements agree exactly, so there is no interval", r"les mesures concordent exactement, il n'y a donc pas d'intervalle"),
    (
        r"(\d+) patients are too few, or a value is missing or does not vary",
        r"\1 patients sont trop peu, ou une valeur manque ou ne varie pas",
    ),
    (r"Lin's concordance correlation, 1989", r"corrélation de concordance de Lin, 1989"),
    (r"interval on Fisher's z", r"intervalle sur le z de Fisher"),
    (
        r"both agree exactly, or too few patients for an interval",
        r"les deux concordent exactement, ou trop peu de patients pour un intervalle",
    ),
)
