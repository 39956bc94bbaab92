"""Before and while a claim is used: sample sizes, planned looks, and drift."""

from __future__ import annotations

_RILEY = r"\(doi:10\.1002/sim\.7992\), Riley 2020 \(doi:10\.1136/bmj\.m441\)"

PLANNING: tuple[tuple[str, str], ...] = (
    # sample sizes
    (rf"Riley 2019 part II {_RILEY}", r"Riley 2019, partie II (doi:10.1002/sim.7992), Riley 2020 (doi:10.1136/bmj.m441)"),
    (r"Riley 2019 part I \(doi:10\.1002/sim\.7993\)", r"Riley 2019, partie I (doi:10.1002/sim.7993)"),
    (r"Riley 2021 \(doi:10\.1002/sim\.9025\)", r"Riley 2021 (doi:10.1002/sim.9025)"),
    (
        r"fewer than 100 events or non-events: Collins 2016 \(doi:10\.1002/sim\.6787\)",
        r"moins de 100 événements ou de patients sans : Collins 2016 (doi:10.1002/sim.6787)",
    ),
    (
        r"The intercept criterion lets the overall risk be off by (\S+), and the rarer outcome has only (\S+)",
        r"Le critère de l'ordonnée laisse le risque global s'écarter de \1, et l'issue la plus rare n'a que \2",
    ),
    (r"plan for more", r"prévoyez davantage"),
    (
        r"These widths are met with only (\d+) events",
        r"Ces largeurs sont atteintes avec seulement \1 événements",
    ),
    (
        r"These widths are met with only (\d+) patients without an event",
        r"Ces largeurs sont atteintes avec seulement \1 patients sans événement",
    ),
    (r"fewer than (\d+) say little, (\d+) patients bring them", r"moins de \1 disent peu, \2 patients les apportent"),
    (
        r"The linear predictor given means a prevalence of (\S+), not (\S+)",
        r"Le prédicteur linéaire donné implique une prévalence de \1, non de \2",
    ),
    (r"a calibrated model has one of the two", r"un modèle calibré n'a que l'une des deux"),
    (r"No linear predictor was given", r"Aucun prédicteur linéaire n'a été donné"),
    (
        r"it was taken to be normal in both classes with one spread, which the C statistic fixes",
        r"il est supposé normal dans les deux classes, de même dispersion, que fixe l'indice C",
    ),
    # looks
    (r"AUC (?P<figure>.+)", r"AUC \1"),
    (r"O:E (?P<figure>.+)", r"O/A \1"),
    (r"([\d.]+) \(([\d.]+) to ([\d.]+)\)", r"\1 (\2 à \3)"),
    (r"(\d+\.\d+)", r"\1"),
    (
        r"z = (\S+) (?:reaches) the boundary ([\d.]+): (?P<then>.+)",
        r"z = \1 atteint la limite \2 : \3",
    ),
    (
        r"z = (\S+) (?:is inside) the boundary ([\d.]+): (?P<then>.+)",
        r"z = \1 est en deçà de la limite \2 : \3",
    ),
    (r"go on", r"continuer"),
    (r"(\S+) is rejected", r"\1 est rejeté"),
    (r"(\S+) is not rejected", r"\1 n'est pas rejeté"),
    (
        r"(AUC|O:E) (?P<figure>.+): no z can be had from it \((?P<why>.+)\), so nothing is decided at this look",
        r"\1 \2 : on ne peut en tirer de z (\3), rien n'est donc décidé à cette analyse",
    ),
    (r"continue", r"continuer"),
    (r"stop: null rejected", r"arrêt : hypothèse nulle rejetée"),
    (r"stop: null not rejected", r"arrêt : hypothèse nulle non rejetée"),
    (r"cannot tell", r"indéterminé"),
    # drift
    (
        r"population stability index, (\d+) classes of the reference, half a patient added to each \(Siddiqi 2006\)",
        r"indice de stabilité de la population, \1 classes de la référence, un demi-patient ajouté à chacune (Siddiqi 2006)",
    ),
    (
        r"largest distance of the two distribution functions \(Smirnov 1948\)",
        r"plus grande distance des deux fonctions de répartition (Smirnov 1948)",
    ),
    (
        r"unbiased squared MMD, Gaussian kernel, median distance \(Gretton 2012\)",
        r"MMD au carré sans biais, noyau gaussien, distance médiane (Gretton 2012)",
    ),
    (r"p by (\d+) permutations", r"p par \1 permutations"),
    (r"(\d+) values drawn at random from each larger sample", r"\1 valeurs tirées au sort de chaque échantillon plus grand"),
    (
        r"no interval: it is judged against what chance alone would give",
        r"pas d'intervalle : la valeur est jugée contre ce que donnerait le seul hasard",
    ),
    (r"the reference holds no value", r"la référence ne contient aucune valeur"),
    (r"what came since holds no value", r"ce qui est venu depuis ne contient aucune valeur"),
    (r"(\d+) values against (\d+)", r"\1 valeurs contre \2"),
    (r"fewer than (\d+) move by chance", r"moins de \1 bougent par hasard"),
    (r"at least two in each are needed", r"il en faut au moins deux de chaque côté"),
    (r"no outcome was entered yet", r"aucun critère n'a encore été saisi"),
)
