"""Acting on a risk: net benefit, standardised or not, and interventions avoided."""

from __future__ import annotations

UTILITY: tuple[tuple[str, str], ...] = (
    (r"net benefit, risk >= threshold", r"bénéfice net, risque ≥ seuil"),
    (r"net benefit by ([^\s,]+), risk >= threshold", r"bénéfice net au temps \1, risque ≥ seuil"),
    (r"case-control, at the declared prevalence (\S+)", r"cas-témoins, à la prévalence déclarée \1"),
    (
        r"(Kaplan-Meier|Aalen-Johansen) risk among those flagged, Vickers 2008",
        r"risque de \1 parmi les patients signalés, Vickers 2008",
    ),
    (r"paired difference of (?P<figure>net benefit.+)", r"différence appariée : \1"),
    (r"100 \(net benefit - that of treating all\) / odds", r"100 (bénéfice net − celui de traiter tous) / cote du seuil"),
    (r"no one is treated: 0 by definition", r"personne n'est traité : 0 par définition"),
    (r"nobody is flagged: 0 by definition", r"personne n'est signalé : 0 par définition"),
    (r"everyone is flagged: 0 by definition", r"tous sont signalés : 0 par définition"),
    (
        r"the longest follow-up of the (\d+) flagged rows is (\S+), short of (\S+)",
        r"le plus long suivi des \1 lignes signalées est de \2, en deçà de \3",
    ),
    (r"there is no net benefit of (?P<name>.+)", r"il n'y a pas de bénéfice net de \1"),
    (
        r"no bootstrap band: (\d+) of (\d+) replicates had no net benefit at some threshold",
        r"pas de bande de bootstrap : \1 réplicats sur \2 sans bénéfice net à l'un des seuils",
    ),
    (r"(?P<how>.+), over the share of events", r"\1, rapporté à la part d'événements"),
)
