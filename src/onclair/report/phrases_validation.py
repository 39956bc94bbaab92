"""Labels and sentences of the report on a validation run, in English and French, by key; ``phrases.py`` takes them in."""

from __future__ import annotations

from onclair.core.words import Words

VALIDATION: dict[str, Words] = {
    # first screen
    "validation": Words("validation", "validation"),
    "question-of": Words("{title}: does it hold?", "{title} : est-ce que cela tient ?"),
    "design-external": Words("external validation", "validation externe"),
    "design-internal": Words("internal validation", "validation interne"),
    "design-internal-external": Words("internal-external validation", "validation interne-externe"),
    "design-case-control": Words("case-control validation", "validation cas-témoins"),
    "design-prospective": Words("prospective validation", "validation prospective"),
    "asked-claim": Words("Judged: {models}.", "Jugé : {models}."),
    "asked-claims": Words("Judged: {models}; the verdict is on {first}.", "Jugés : {models} ; le verdict porte sur {first}."),
    "other-models": Words("The other models", "Les autres modèles"),
    "by-time": Words("{outcome} by {horizon}", "{outcome} d'ici {horizon}"),
    "time-day": Words("{time} days", "{time} jours"),
    "time-month": Words("{time} months", "{time} mois"),
    "time-year": Words("{time} years", "{time} ans"),
    "time-day-one": Words("1 day", "1 jour"),
    "time-month-one": Words("1 month", "1 mois"),
    "time-year-one": Words("1 year", "1 an"),
    "time-other": Words("time {time}", "le temps {time}"),
    "kind-competing": Words("time to event, with competing events", "délai jusqu'à l'événement, avec événements concurrents"),
    # the five answers
    "claimed": Words("What is claimed", "Ce qui est affirmé"),
    "claimed-risk": Words("{model} gives each patient a risk of {outcome}.", "{model} donne à chaque patient un risque de {outcome}."),
    "claimed-score": Words(
        "{model} ranks patients by how likely {outcome} is; it is a score and gives no risk.",
        "{model} classe les patients selon la probabilité de {outcome} ; c'est un score, il ne donne pas de risque.",
    ),
    "claimed-too": Words("Judged beside it: {models}.", "Jugés à côté : {models}."),
    "in-whom": Words("In whom", "Chez qui"),
    "in-whom-external": Words(
        "In other patients than those it was made from, according to the plan.",
        "Chez d'autres patients que ceux dont il est issu, d'après le plan.",
    ),
    "in-whom-prospective": Words(
        "In patients whose outcome was still unknown when it predicted, according to the plan.",
        "Chez des patients dont l'issue était inconnue au moment de la prédiction, d'après le plan.",
    ),
    "in-whom-internal": Words(
        "In the patients it was made from: how it does in others is not tested.",
        "Chez les patients dont il est issu : ce qu'il vaut chez d'autres n'est pas testé.",
    ),
    "in-whom-internal-external": Words(
        "In each centre with a model that the other centres taught, according to the plan.",
        "Dans chaque centre avec un modèle appris sur les autres, d'après le plan.",
    ),
    "in-whom-case-control": Words(
        "In cases and controls that were chosen: the share of events is the design's, not the population's.",
        "Chez des cas et des témoins choisis : la part d'événements est celle du plan, non de la population.",
    ),
    "in-whom-prevalence": Words(
        "Net benefit is worked out for a prevalence of {prevalence}.", "Le bénéfice net est calculé pour une prévalence de {prevalence}."
    ),
    "in-whom-counts": Words("{patients} patients, {events} events, {centres}.", "{patients} patients, {events} événements, {centres}."),
    "in-whom-counts-no-centre": Words(
        "{patients} patients, {events} events; no centre is named.", "{patients} patients, {events} événements ; aucun centre n'est nommé."
    ),
    "in-whom-rows": Words(
        "{rows} rows of {patients} patients: a patient's rows count together in every interval.",
        "{rows} lignes de {patients} patients : les lignes d'un patient comptent ensemble dans chaque intervalle.",
    ),
    "in-whom-excluded": Words(
        "{count} rows were left out because a value is missing.", "{count} lignes sont exclues car une valeur manque."
    ),
    "in-whom-excluded-one": Words("1 row was left out because a value is missing.", "1 ligne est exclue car une valeur manque."),
    "how-wrong": Words("How wrong it may be", "De combien il peut se tromper"),
    "how-wrong-score": Words(
        "A score gives no risk, so there is none to be wrong about: it can only rank badly.",
        "Un score ne donne pas de risque, il n'y en a donc pas de faux : il ne peut que mal classer.",
    ),
    "off-by": Words(
        "The risk it gives is off by {value} percentage points on average ({low} to {high}).",
        "Le risque donné s'écarte en moyenne de {value} points de pourcentage ({low} à {high}).",
    ),
    "off-by-alone": Words(
        "The risk it gives is off by {value} percentage points on average; how sure that is cannot be said.",
        "Le risque donné s'écarte en moyenne de {value} points de pourcentage ; avec quelle certitude, on ne peut le dire.",
    ),
    "off-by-at-most": Words(
        "One patient in ten gets a risk off by {value} points or more.",
        "Un patient sur dix reçoit un risque décalé d'au moins {value} points.",
    ),
    "gains": Words("What acting on it gains", "Ce qu'on gagne à agir selon lui"),
    "gains-none-declared": Words(
        "Cannot tell: the plan declares no risk from which one would act.",
        "Indéterminé : le plan ne déclare aucun risque à partir duquel on agirait.",
    ),
    "gains-score": Words("A score gives no risk from which one would act.", "Un score ne donne pas de risque à partir duquel agir."),
    "gains-at": Words(
        "Acting from a risk of {at}: {model}; treating everyone, {all}.",
        "Agir dès un risque de {at} : {model} ; traiter tout le monde, {all}.",
    ),
    "gains-unit": Words(
        "Per 100 patients, in events rightly treated less patients treated for nothing at their price; treating no one, 0.",
        "Pour 100 patients, en événements traités à raison, moins les patients traités pour rien à leur prix ; ne traiter personne, 0.",
    ),
    "gains-at-none": Words("Acting from a risk of {at}: cannot tell, {reason}.", "Agir dès un risque de {at} : indéterminé, {reason}."),
    "must-not-tell": Words("Where it must say “cannot tell”", "Où il faut dire « indéterminé »"),
    "must-centres": Words("{names}: too few events, or none.", "{names} : trop peu d'événements, ou aucun."),
    "must-groups": Words("{names}: too few events, or none.", "{names} : trop peu d'événements, ou aucun."),
    "must-elsewhere": Words("In any other hospital.", "Dans tout autre hôpital."),
    "must-new-centre": Words(
        "In a new centre: no prediction interval can be had here.", "Dans un nouveau centre : pas d'intervalle de prédiction ici."
    ),
    "must-thresholds": Words("At any threshold that the plan does not declare.", "À tout seuil que le plan ne déclare pas."),
    "must-figures": Words(
        "{count} of {all} figures could not be had, or stand on too few events; each is named below.",
        "{count} grandeurs sur {all} n'ont pu être obtenues ou reposent sur trop peu d'événements ; chacune est nommée plus bas.",
    ),
    "must-nothing": Words(
        "Every figure that was asked for could be had in these patients.", "Chaque grandeur demandée a pu être obtenue chez ces patients."
    ),
    # what it may not be used for
    "not-elsewhere": Words(
        "Saying how it does in patients, centres or times other than these",
        "Dire ce qu'il vaut chez d'autres patients, centres ou époques que ceux-ci",
    ),
    "not-as-risk": Words("Reading the score as a probability", "Lire le score comme une probabilité"),
    "not-prevalence": Words(
        "Reading its risks as those of a population: cases and controls were chosen",
        "Lire ses risques comme ceux d'une population : cas et témoins ont été choisis",
    ),
    "not-thresholds": Words("Acting at a threshold other than {thresholds}", "Agir à un autre seuil que {thresholds}"),
    "not-horizon": Words("Predicting beyond, or short of, {horizon}", "Prédire au-delà, ou en deçà, de {horizon}"),
    "not-decide": Words("Deciding for a patient", "Décider pour un patient"),
    # states of the verdict
    "stands": Words("Holds in these patients", "Tient chez ces patients"),
    "risks-off": Words("Its risks are off", "Ses risques sont faux"),
    "varies": Words("Not the same everywhere", "Pas le même partout"),
    "no-gain": Words("No gain shown in acting on it", "Aucun gain démontré à agir selon lui"),
    "no-better-than-chance": Words("No better than chance shown", "Pas mieux que le hasard, à ce qu'on voit"),
    "inverted": Words("Ranks the wrong way round", "Classe à l'envers"),
    "ranks-only": Words("Ranks; its risks are not tested", "Classe ; ses risques ne sont pas testés"),
    "ranks-score": Words("Ranks; it gives no risk", "Classe ; ne donne pas de risque"),
    "unproven": Words("Not yet proven", "Pas encore prouvé"),
    "at-home": Words("Not tested elsewhere", "Non testé ailleurs"),
    # the checks: rule, then what is said by outcome
    "rules": Words("How the verdict was reached", "Comment le verdict a été rendu"),
    "rules-caption": Words(
        "The verdict is read off the figures by these rules, the same for every model. A model holds only where events, "
        "ranking, precision, calibration and other patients are met, acting on it gains at one declared threshold at "
        "least, and nothing is shown against it between centres or groups.",
        "Le verdict se lit sur les grandeurs par ces règles, les mêmes pour tous. Un modèle ne tient que si événements, "
        "classement, précision, calibration et autres patients sont remplis, si agir selon lui fait gagner à un seuil "
        "déclaré au moins, et si rien n'est démontré contre lui entre centres ou groupes.",
    ),
    "rules-of": Words("{model}: {word}", "{model} : {word}"),
    "rule": Words("Rule", "Règle"),
    "found": Words("Found", "Constat"),
    "met": Words("met", "remplie"),
    "not-met": Words("not met", "non remplie"),
    "unsure": Words("cannot tell", "indéterminé"),
    "outcome-of-rule": Words("Rule met?", "Remplie ?"),
    "rule-events": Words("at least 100 events and 100 patients without", "au moins 100 événements et 100 patients sans"),
    "rule-events-followed": Words("at least 100 events", "au moins 100 événements"),
    "rule-ranking": Words("the interval {of} lies above 0.5", "l'intervalle {of} est au-dessus de 0,5"),
    "rule-precision": Words("the interval {of} is at most 0.1 wide", "l'intervalle {of} a au plus 0,1 de large"),
    "rule-o_e": Words(
        "O:E does not differ from 1 by more than 5% beyond doubt, and its interval lies within 0.8 to 1.25",
        "O/A ne diffère pas de 1 de plus de 5 % hors de doute, et son intervalle tient dans 0,8 à 1,25",
    ),
    "rule-slope": Words(
        "the calibration slope does not differ from 1 by more than 0.05 beyond doubt, and its interval lies within 0.8 to 1.2",
        "la pente de calibration ne diffère pas de 1 de plus de 0,05 hors de doute, et son intervalle tient dans 0,8 à 1,2",
    ),
    "rule-utility": Words(
        "at every declared threshold, the interval of net benefit lies above treating everyone and no one",
        "à chaque seuil déclaré, l'intervalle du bénéfice net dépasse traiter tout le monde et personne",
    ),
    "rule-elsewhere": Words("judged in other patients than it was made from", "jugé chez d'autres patients que ceux dont il est issu"),
    "rule-new-centre": Words(
        "for a new centre, the prediction interval {of} lies above 0.5",
        "pour un nouveau centre, l'intervalle de prédiction {of} est au-dessus de 0,5",
    ),
    "rule-groups": Words(
        "between declared groups, no gap {of} whose interval excludes 0, their number allowed for",
        "entre groupes déclarés, aucun écart {of} dont l'intervalle exclut 0, compte tenu de leur nombre",
    ),
    "said-events": Words("{events} events and {rest} patients without", "{events} événements et {rest} patients sans"),
    "said-events-followed": Words("{events} events in {n} patients", "{events} événements chez {n} patients"),
    "said-events-unknown": Words("the record does not count the events", "le dossier ne compte pas les événements"),
    "said-events-few": Words("{counts}: too few to say whether it holds here", "{counts} : trop peu pour dire s'il tient ici"),
    "said-chance": Words("{told}; a coin does 50, and the interval holds it", "{told} ; pile ou face fait 50, et l'intervalle le contient"),
    "said-inverted": Words("{told}; a coin does 50", "{told} ; pile ou face fait 50"),
    "said-no-figure": Words("no {figure}: {reason}", "{figure} : rien, {reason}"),
    "said-no-interval": Words("{figure} {value}, without an interval", "{figure} {value}, sans intervalle"),
    "said-width": Words("the interval {of} is {width} wide", "l'intervalle {of} a {width} de large"),
    "said-width-wide": Words(
        "the interval {of} is {width} wide: how well it ranks is not yet known",
        "l'intervalle {of} a {width} de large : on ne sait pas encore s'il classe bien",
    ),
    "said-o_e": Words(
        "where it expects 100 events, {value} happen ({interval})", "là où il attend 100 événements, il en survient {value} ({interval})"
    ),
    "said-too-low": Words("{told}: its risks are too low", "{told} : ses risques sont trop bas"),
    "said-too-high": Words("{told}: its risks are too high", "{told} : ses risques sont trop hauts"),
    "said-too-wide": Words("{told}: too wide to say whether that is right", "{told} : trop large pour dire si c'est juste"),
    "said-slope": Words("the calibration slope is {value} ({interval})", "la pente de calibration est de {value} ({interval})"),
    "said-extreme": Words(
        "{told}: high risks are too high and low ones too low", "{told} : les risques hauts sont trop hauts et les bas trop bas"
    ),
    "said-timid": Words("{told}: the risks lie too near the average", "{told} : les risques sont trop proches de la moyenne"),
    "said-score": Words("a score has no risk to check", "un score n'a pas de risque à vérifier"),
    "said-case-control": Words(
        "cases and controls were chosen, so risks cannot be checked against them",
        "cas et témoins ont été choisis, les risques ne peuvent y être vérifiés",
    ),
    "said-gain-shown": Words(
        "acting on it gains at {thresholds}: the interval lies above treating everyone or no one",
        "agir selon lui fait gagner à {thresholds} : l'intervalle dépasse traiter tout le monde ou personne",
    ),
    "said-gain-higher": Words(
        "at {thresholds}, acting on it is worth more than treating everyone or no one, but not beyond doubt",
        "à {thresholds}, agir selon lui vaut mieux que traiter tout le monde ou personne, mais pas hors de doute",
    ),
    "said-gain-none": Words(
        "at {thresholds}, treating everyone or no one does at least as well",
        "à {thresholds}, traiter tout le monde ou personne fait au moins aussi bien",
    ),
    "said-gain-unknown": Words("net benefit at {thresholds} could not be had", "le bénéfice net à {thresholds} n'a pu être obtenu"),
    "said-no-thresholds": Words("the plan declares no threshold", "le plan ne déclare aucun seuil"),
    "said-internal": Words(
        "it was judged in the patients it was made from; nothing says how it does in others",
        "il a été jugé chez les patients dont il est issu ; rien ne dit ce qu'il vaut chez d'autres",
    ),
    "said-fitted-here": Words(
        "O:E and slope are exactly 1, as only in the rows that a model was fitted on; nothing says how it does in others",
        "O/A et pente valent exactement 1, comme seulement dans les lignes d'ajustement ; rien ne dit ce qu'il vaut ailleurs",
    ),
    "said-elsewhere": Words("{design}, as the plan declares", "{design}, comme le plan le déclare"),
    "said-new-centre": Words(
        "in a new centre, {the} is expected to lie within {interval}", "dans un nouveau centre, {the} devrait aller de {interval}"
    ),
    "said-new-centre-chance": Words(
        "{told}: in some it may do no better than a coin", "{told} : il peut n'y faire pas mieux que pile ou face"
    ),
    "said-one-centre": Words(
        "one centre: nothing says how much it varies elsewhere", "un seul centre : rien ne dit combien il varie ailleurs"
    ),
    "said-no-centre": Words(
        "no centre is named: nothing says how much it varies between them", "aucun centre n'est nommé : rien ne dit combien il varie"
    ),
    "said-gaps-none": Words(
        "no gap is shown, which does not show that there is none",
        "aucun écart n'est démontré, ce qui n'en démontre pas l'absence",
    ),
    "said-gap": Words("{the} differs: {names}", "{the} diffère : {names}"),
    "said-no-groups": Words("the plan declares no group", "le plan ne déclare aucun groupe"),
    "said-gaps-unknown": Words("no gap could be estimated", "aucun écart n'a pu être estimé"),
    # sections
    "transport": Words("Centre by centre", "Centre par centre"),
    "transport-caption": Words(
        "{figure} of {model} in each centre (events / patients). Diamond: the centres pooled. Bar: where a new centre is expected.",
        "{figure} de {model} dans chaque centre (événements / patients). Losange : les centres réunis. Barre : où l'on "
        "attend un nouveau centre.",
    ),
    "transport-plain-caption": Words(
        "{figure} of {model} in each centre (events / patients).", "{figure} de {model} dans chaque centre (événements / patients)."
    ),
    "transport-note": Words(
        "Read this before any pooled figure: one number over all centres hides what changes between them.",
        "À lire avant toute grandeur globale : un seul nombre pour tous les centres cache ce qui change de l'un à l'autre.",
    ),
    "no-transport": Words(
        "The plan names no column of centres: nothing here says how the model varies between them.",
        "Le plan ne nomme aucune colonne de centres : rien ici ne dit combien le modèle varie de l'un à l'autre.",
    ),
    "tau2-is": Words("Between-centre variance {of}: {value}.", "Variance {of} entre centres : {value}."),
    "largest-centres": Words(
        "The {shown} largest of {all} centres; all of them stand below.",
        "Les {shown} plus grands des {all} centres ; tous figurent plus bas.",
    ),
    "names-more": Words("{count} more", "{count} autres"),
    "pooled": Words("all centres, pooled", "tous les centres, réunis"),
    "new": Words("a new centre", "un nouveau centre"),
    "whole": Words("all patients together", "tous les patients ensemble"),
    "figures": Words("The figures", "Les grandeurs"),
    "figures-caption": Words(
        "Each figure with its interval, on one axis for all models. Dotted: what chance, or a perfect model, would give.",
        "Chaque grandeur avec son intervalle, sur un axe commun à tous les modèles. Pointillé : ce que donnerait le "
        "hasard, ou un modèle parfait.",
    ),
    "figure": Words("Figure", "Grandeur"),
    "drawn": Words("Interval, drawn", "Intervalle, tracé"),
    "value-interval": Words("Value (interval)", "Valeur (intervalle)"),
    "group-ranking": Words("Does it rank?", "Classe-t-il bien ?"),
    "group-calibration": Words("Do its risks mean what they say?", "Ses risques disent-ils vrai ?"),
    "group-overall": Words("The risk as a whole", "Le risque dans son ensemble"),
    "group-other": Words("Other figures", "Autres grandeurs"),
    "calibration-of": Words("Calibration of {model}", "Calibration de {model}"),
    "utility": Words("Acting on it", "Agir selon lui"),
    "utility-caption": Words(
        "Net benefit per patient at each declared threshold, beside treating everyone and no one.",
        "Bénéfice net par patient à chaque seuil déclaré, à côté de traiter tout le monde et personne.",
    ),
    "one-threshold": Words(
        "One threshold is declared, so there is no curve to draw.", "Un seul seuil est déclaré, il n'y a donc pas de courbe à tracer."
    ),
    "classes-caption": Words("What each declared threshold finds and misses.", "Ce que chaque seuil déclaré trouve et manque."),
    "at-threshold": Words("from a risk of {at}", "dès un risque de {at}"),
    "comparison": Words("Models against each other", "Les modèles entre eux"),
    "comparison-caption": Words(
        "Paired differences on the same patients. An interval that holds 0 shows no difference, and does not show that there is none.",
        "Différences appariées chez les mêmes patients. Un intervalle qui contient 0 ne montre aucune différence, ni son absence.",
    ),
    "comparison-none": Words("The plan compares no two models.", "Le plan ne compare aucun modèle à un autre."),
    "groups": Words("Groups of patients", "Groupes de patients"),
    "groups-caption": Words(
        "{figure} of {model} by {key} (events / patients).",
        "{figure} de {model} par {key} (événements / patients).",
    ),
    "groups-none": Words("The plan declares no groups.", "Le plan ne déclare aucun groupe."),
    "gaps-caption": Words(
        "Gaps between groups; left or right of 0, they differ.", "Écarts entre groupes ; à gauche ou à droite de 0, ils diffèrent."
    ),
    "no-difference-line": Words("no difference", "aucune différence"),
    "absent": Words("What could not be estimated, and why", "Ce qui n'a pu être estimé, et pourquoi"),
    "absent-none": Words("Every figure could be estimated.", "Chaque grandeur a pu être estimée."),
    "absent-caption": Words(
        "{count} figures. “Too few”: shown where it can be, and not to be leant on.",
        "{count} grandeurs. « Trop peu » : montrée quand c'est possible, sans pouvoir s'y appuyer.",
    ),
    "rows": Words("Rows", "Lignes"),
    "excluded": Words("Rows left out", "Lignes exclues"),
    "excluded-none": Words("none", "aucune"),
    "design": Words("Design", "Plan d'étude"),
    "models": Words("Models", "Modèles"),
    "kind-risk": Words("a risk", "un risque"),
    "kind-score": Words("a score", "un score"),
    "model-column": Words("{name}: {kind}, column", "{name} : {kind}, colonne"),
    "plan-columns": Words("Columns", "Colonnes"),
    "how-read": Words("How the table was read", "Comment le tableau a été lu"),
    "as-it-stands": Words("As it stands: comma, point, UTF-8.", "Tel quel : virgule, point, UTF-8."),
    "thresholds": Words("Declared thresholds", "Seuils déclarés"),
    "none-declared": Words("none", "aucun"),
    "data-sha": Words("Table, SHA-256", "Tableau, SHA-256"),
    "plan-sha": Words("Plan, SHA-256", "Plan, SHA-256"),
    "bootstrap": Words("Bootstrap replicates", "Réplicats de bootstrap"),
    "again-how": Words(
        "on the same table and plan gives the same evidence id", "sur le même tableau et le même plan redonne le même identifiant de preuve"
    ),
    "references-note": Words("What the figures above rest on.", "Ce sur quoi reposent les grandeurs ci-dessus."),
}

#: How each figure is read, in one line; what is not here takes the glossary's definition.
READ: dict[str, Words] = {
    "ap": Words(
        "mean precision over all recalls; chance gives the prevalence",
        "précision moyenne sur tous les rappels ; le hasard donne la prévalence",
    ),
    "harrell": Words(
        "share of pairs put in the order of their events; 0.5 is a coin",
        "part des paires rangées dans l'ordre des événements ; 0,5 : pile ou face",
    ),
    "uno": Words("the same, corrected for censoring", "de même, corrigé de la censure"),
    "auc_t": Words(
        "chance that a patient with the event by then ranks above one without",
        "chance qu'un patient avec l'événement d'ici là soit classé plus haut qu'un sans",
    ),
    "c_index": Words(
        "share of pairs put in the right order, competing events counted", "part des paires bien rangées, événements concurrents comptés"
    ),
    "poisson_o_e": Words(
        "observed over expected, over all follow-up; 1 is right", "observés sur attendus, sur tout le suivi ; 1 est juste"
    ),
    "pseudo_intercept": Words("0 is right", "0 est juste"),
    "pseudo_slope": Words("1 is right, below 1 risks are too extreme", "1 est juste, en dessous les risques sont trop extrêmes"),
    "ici": Words("mean distance of the risk from what was observed", "distance moyenne du risque à ce qui a été observé"),
    "e50": Words("half of the patients are nearer", "la moitié des patients en sont plus près"),
    "e90": Words("nine in ten patients are nearer", "neuf patients sur dix en sont plus près"),
    "emax": Words("the farthest", "le plus loin"),
    "brier_null": Words("of a risk that is the same for everyone", "d'un risque le même pour tous"),
    "ipa": Words("share of that error taken away; 0 is no gain", "part de cette erreur supprimée ; 0 : aucun gain"),
    "avoided": Words(
        "per 100 patients, fewer than by treating everyone, with no event more missed",
        "pour 100 patients, de moins qu'en traitant tout le monde, sans événement manqué de plus",
    ),
    "snb": Words("net benefit over its best possible value; 1 is perfect", "bénéfice net rapporté au meilleur possible ; 1 : parfait"),
    "lr_pos": Words("how much a flag raises the odds", "de combien un signal élève la cote"),
    "lr_neg": Words("how much no flag lowers the odds", "de combien l'absence de signal abaisse la cote"),
    "nagelkerke": Words("share of the outcome's uncertainty explained", "part de l'incertitude du critère expliquée"),
    "spiegelhalter": Words("0 is right; beyond 2, risks are off", "0 est juste ; au-delà de 2, les risques sont faux"),
    "u": Words("0 where no recalibration would help", "0 si aucune recalibration n'aiderait"),
    "sens": Words("of those with the event, the share flagged", "parmi ceux avec l'événement, la part signalée"),
    "spec": Words("of those without, the share not flagged", "parmi ceux sans, la part non signalée"),
    "ppv": Words("of those flagged, the share with the event", "parmi les signalés, la part avec l'événement"),
    "npv": Words("of those not flagged, the share without", "parmi les non signalés, la part sans"),
}
