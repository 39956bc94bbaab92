"""Every label and sentence of a report in English and French, by key; gaps are filled by ``words.say``."""

from __future__ import annotations

from onclair.core.words import Words
from onclair.report.phrases_audit import AUDIT
from onclair.report.phrases_validation import VALIDATION

LABELS: dict[str, Words] = (
    {
        # numbers
        "to": Words("{low} to {high}", "{low} à {high}"),
        "colon": Words(": ", " : "),
        "semicolon": Words("; ", " ; "),
        "too_few": Words("too few", "trop peu"),
        "not_available": Words("not available", "non disponible"),
        "ok": Words("given", "estimée"),
        "no-interval": Words("no interval", "sans intervalle"),
        "reasons-below": Words("For {count} more, the reasons stand below.", "Pour {count} autres, les raisons figurent plus bas."),
        "too-few-events": Words("{events} events: too few to conclude", "{events} événements : trop peu pour conclure"),
        "level": Words("{level}% interval", "intervalle à {level} %"),
        # names
        "minus": Words("{one} minus {other}", "{one} moins {other}"),
        "rival": Words("rival {name}", "rival {name}"),
        "centre": Words("centre {name}", "centre {name}"),
        "at": Words("{figure} at {at}", "{figure} à {at}"),
        "model": Words("model", "modèle"),
        # banner and first screen
        "research": Words(
            "For research use only: not a medical device. Nothing here decides for a patient.",
            "Réservé à la recherche : ce n'est pas un dispositif médical. Rien ici ne décide pour un patient.",
        ),
        "title": Words("Onclair report", "Rapport Onclair"),
        "page": Words("Page", "Page"),
        "contents": Words("In this report", "Dans ce rapport"),
        "virtual": Words("virtual", "virtuel"),
        "virtual-patients": Words("virtual patients", "patients virtuels"),
        "real-patients": Words("real patients", "patients réels"),
        "study": Words("study {name}", "étude {name}"),
        "patients": Words("patients", "patients"),
        "events": Words("events", "événements"),
        "points": Words("points", "points"),
        "positive-points": Words("positive points", "points positifs"),
        "centres": Words("centres", "centres"),
        "centre-one": Words("centre", "centre"),
        "at-a-glance": Words("{patients} patients · {events} events · {centres}", "{patients} patients · {events} événements · {centres}"),
        "at-a-glance-items": Words(
            "{patients} patients · {rows} points, {row_events} of them positive · {centres}",
            "{patients} patients · {rows} points, dont {row_events} positifs · {centres}",
        ),
        "at-a-glance-no-events": Words("{patients} patients · {centres}", "{patients} patients · {centres}"),
        "many-centres": Words("{count} centres", "{count} centres"),
        "one-centre": Words("1 centre", "1 centre"),
        "asked-outcome": Words("Outcome: {outcome}.", "Critère : {outcome}."),
        "asked-model": Words("Model: {model}.", "Modèle : {model}."),
        "asked-models": Words("Model: chosen among {models}; locked: {locked}.", "Modèle : choisi entre {models} ; verrouillé : {locked}."),
        "asked-models-none": Words("Model: chosen among {models}.", "Modèle : choisi entre {models}."),
        "no-question": Words("Does this model hold?", "Ce modèle tient-il ?"),
        "not-for": Words("What it may not be used for", "À quoi il ne peut servir"),
        "not-for-default": Words("Deciding for a patient.", "Décider pour un patient."),
        "beside": Words("The model beside its rivals", "Le modèle à côté de ses rivaux"),
        "beside-caption": Words(
            "{figure} of the model, its rivals and its negative controls, on the same patients.",
            "{figure} du modèle, de ses rivaux et de ses contrôles négatifs, chez les mêmes patients.",
        ),
        "difference": Words("Model minus it", "Modèle moins lui"),
        "difference-caption": Words(
            "Paired differences with their intervals on one axis. Right of the line, the model does better; across it, nothing is shown.",
            "Différences appariées et leurs intervalles sur un même axe. À droite du trait, le modèle fait mieux ; à "
            "cheval, rien n'est démontré.",
        ),
        "difference-caption-lower": Words(
            "Paired differences with their intervals on one axis. Left of the line, the model does better; across it, nothing is shown.",
            "Différences appariées et leurs intervalles sur un même axe. À gauche du trait, le modèle fait mieux ; à "
            "cheval, rien n'est démontré.",
        ),
        "who": Words("Who", "Qui"),
        "interval": Words("Interval", "Intervalle"),
        "chance": Words("chance", "hasard"),
        "reference": Words("reference", "référence"),
        "pairs-gloss": Words(
            "Pairs: one patient with {outcome}, one without; the right one is ranked higher. A coin does 50.",
            "Paires : un patient avec {outcome}, un sans ; le premier doit être classé plus haut. Pile ou face : 50.",
        ),
        "no-estimate": Words("no estimate in the record", "aucune estimation au dossier"),
        "dashed": Words("Dashed: too few events to conclude.", "En tirets : trop peu d'événements pour conclure."),
        # sections
        "data": Words("Data", "Données"),
        "title-of-cohort": Words("Cohort", "Cohorte"),
        "outcome": Words("Outcome", "Critère"),
        "horizon": Words("horizon {horizon} {unit}", "horizon {horizon} {unit}"),
        "kind-binary": Words("yes or no", "oui ou non"),
        "kind-survival": Words("time to event", "délai jusqu'à l'événement"),
        "kind-ordinal": Words("ordered grades", "grades ordonnés"),
        "kind-continuous": Words("a quantity", "une quantité"),
        "kind-mask": Words("an outline", "un contour"),
        "kind-image": Words("an image", "une image"),
        "source": Words("Source", "Source"),
        "licence": Words("Licence", "Licence"),
        "citation": Words("Citation", "Citation"),
        "measured": Words("Measured", "Mesures"),
        "columns": Words("{count} numbers a patient", "{count} nombres par patient"),
        "left-out": Words("Left out", "Exclus"),
        "left-out-none": Words("Nobody was left out.", "Personne n'a été exclu."),
        "patient": Words("Patient", "Patient"),
        "reason": Words("Reason", "Raison"),
        "not-said": Words("not said in the record", "non précisé au dossier"),
        "month": Words("months", "mois"),
        "calibration": Words("Calibration", "Calibration"),
        "calibration-caption": Words(
            "Do risks mean what they say? On the dotted diagonal, of 100 patients told 20%, 20 have the outcome.",
            "Les risques disent-ils vrai ? Sur la diagonale pointillée, sur 100 patients annoncés à 20 %, 20 ont le critère.",
        ),
        "spread-below": Words("Below: how the risks are spread.", "Dessous : la répartition des risques."),
        "predicted": Words("predicted risk", "risque prédit"),
        "observed": Words("observed share", "part observée"),
        "spread": Words("patients", "patients"),
        "ideal": Words("ideal", "idéal"),
        "no-curve": Words("There is no such curve in the record.", "Cette courbe ne figure pas au dossier."),
        "decision": Words("Decision curve", "Courbe de décision"),
        "decision-caption": Words(
            "Is acting on the model worth more than treating everyone or no one? Higher is better; only the declared thresholds are drawn.",
            "Agir selon le modèle vaut-il mieux que traiter tout le monde ou personne ? Plus haut, c'est mieux ; seuls les "
            "seuils déclarés sont tracés.",
        ),
        "threshold": Words("risk from which one would act", "risque à partir duquel on agirait"),
        "net-benefit": Words("net benefit per patient", "bénéfice net par patient"),
        "controls": Words("Negative controls", "Contrôles négatifs"),
        "controls-caption": Words(
            "The same analysis on a signal destroyed on purpose. Filled: as it is. Hollow: destroyed. What survives was "
            "not in what was destroyed.",
            "La même analyse sur un signal détruit exprès. Plein : intact. Creux : détruit. Ce qui survit n'était pas dans "
            "ce qui a été détruit.",
        ),
        "controls-none": Words("This study has no negative control.", "Cette étude n'a pas de contrôle négatif."),
        "control": Words("Control", "Contrôle"),
        "changed": Words("Columns it can change", "Colonnes modifiées"),
        "invariant": Words("Columns it cannot change", "Colonnes invariantes"),
        "invariant-note": Words(
            "{control}: {changed} of {all} columns can change; the {kept} below cannot, whatever the order, and are not counted as "
            "survivors.",
            "{control} : {changed} colonnes sur {all} peuvent changer ; les {kept} ci-dessous ne le peuvent pas, quel que "
            "soit l'ordre, et ne comptent pas comme survivantes.",
        ),
        "invariant-note-some": Words(
            "{control}: the {kept} columns below cannot change under it, whatever the order, and are not counted as survivors.",
            "{control} : les {kept} colonnes ci-dessous ne peuvent pas changer, quel que soit l'ordre, et ne comptent pas comme "
            "survivantes.",
        ),
        "destroyed": Words("destroyed", "détruit"),
        "intact": Words("intact", "intact"),
        "size": Words("Size", "Taille"),
        "size-note": Words(
            "How closely the risk follows the outlined volume ({column}): near 1 or −1, the model is a ruler.",
            "À quel point le risque suit le volume du contour ({column}) : près de 1 ou de −1, le modèle n'est qu'une règle graduée.",
        ),
        "by-centre": Words("Centre by centre", "Centre par centre"),
        "by-centre-caption": Words("{figure} of the model in each centre.", "{figure} du modèle dans chaque centre."),
        "one-centre-note": Words(
            "The patients come from one centre: nothing here says how the model does elsewhere.",
            "Les patients viennent d'un seul centre : rien ici ne dit ce que vaut le modèle ailleurs.",
        ),
        "no-centre-note": Words("No estimate by centre is in the record.", "Aucune estimation par centre ne figure au dossier."),
        "model-facts": Words("The model", "Le modèle"),
        "candidates": Words("Candidates", "Candidats"),
        "chosen": Words("Chosen", "Choisi"),
        "times": Words("Times chosen", "Fois choisi"),
        "times-note": Words(
            "Times chosen: in how many of the {all} fits ({folds} outer folds × {repeats} repeats) the inner folds preferred it.",
            "Fois choisi : dans combien des {all} apprentissages ({folds} plis externes × {repeats} répétitions) les plis "
            "internes l'ont préféré.",
        ),
        "times-note-plain": Words(
            "Times chosen: in how many outer folds, over all repeats, the inner folds preferred it.",
            "Fois choisi : dans combien de plis externes, toutes répétitions confondues, les plis internes l'ont préféré.",
        ),
        "locked-note": Words(
            "The locked one was chosen the same way once more, on all patients: it need not be the one most often chosen.",
            "Le modèle verrouillé a été choisi de même, une fois de plus, sur tous les patients : il n'est pas forcément le "
            "plus souvent choisi.",
        ),
        "astray": Words("interval {interval} does not hold it", "l'intervalle {interval} ne la contient pas"),
        "astray-short": Words("does not hold the value", "ne contient pas la valeur"),
        "locked": Words("Locked", "Verrouillé"),
        "features": Words("Features of the locked model", "Caractéristiques du modèle verrouillé"),
        "feature": Words("Feature", "Caractéristique"),
        "coefficient": Words("Coefficient", "Coefficient"),
        "importance": Words("Importance", "Importance"),
        "no-features": Words("The record names no features.", "Le dossier ne nomme aucune caractéristique."),
        "more-features": Words(
            "The first {shown} of {all}; the JSON report holds them all.",
            "Les {shown} premières sur {all} ; le rapport JSON les contient toutes.",
        ),
        "missing": Words("Missing values", "Valeurs manquantes"),
        "missing-none": Words("No value is missing.", "Aucune valeur ne manque."),
        "column": Words("Column", "Colonne"),
        "warnings": Words("Warnings", "Avertissements"),
        "warnings-none": Words("No warning.", "Aucun avertissement."),
        "estimates": Words("Every estimate", "Toutes les estimations"),
        "estimates-caption": Words(
            "{count} estimates, {ok} with a figure that stands; the others say why they have none.",
            "{count} estimations, dont {ok} donnent une grandeur qui tient ; les autres disent pourquoi non.",
        ),
        "methods": Words("Methods", "Méthodes"),
        "methods-note": Words(
            "The numbers in the column “Method”: how the figure and its interval were obtained.",
            "Les numéros de la colonne « Méthode » : comment la grandeur et son intervalle ont été obtenus.",
        ),
        "name": Words("Name", "Nom"),
        "value": Words("Value", "Valeur"),
        "n": Words("n", "n"),
        "method": Words("Method", "Méthode"),
        "status": Words("Status", "Statut"),
        "limits": Words("Limits", "Limites"),
        "limits-none": Words("The study states no limit.", "L'étude n'énonce aucune limite."),
        "references": Words("References", "Références"),
        "references-none": Words("The study cites none.", "L'étude n'en cite aucune."),
        "provenance": Words("Provenance", "Provenance"),
        "evidence-id": Words("Evidence id", "Identifiant de preuve"),
        "key": Words("Content key", "Clé de contenu"),
        "code": Words("Code", "Code"),
        "seed": Words("Seed", "Graine"),
        "inputs": Words("Inputs", "Entrées"),
        "inputs-count": Words("{count}, each with its SHA-256", "{count}, chacune avec son SHA-256"),
        "environment": Words("Versions", "Versions"),
        "settings": Words("Settings", "Réglages"),
        "verify": Words("Verify", "Vérifier"),
        "verify-how": Words(
            "recomputes every hash and names what was changed, added or lost",
            "recalcule chaque empreinte et nomme ce qui a été changé, ajouté ou perdu",
        ),
        "replay-how": Words(
            "runs it again from the same data and compares the hashes",
            "relance l'analyse à partir des mêmes données et compare les empreintes",
        ),
        "run-folder": Words("RUN", "ANALYSE"),
        "caption-n": Words("n\u00a0=\u00a0{n}", "n\u00a0=\u00a0{n}"),
        "caption-patients": Words("n = {n} patients", "n = {n} patients"),
        "caption-events": Words("{events} events", "{events} événements"),
        "caption-events-items": Words("{events} with a positive point", "{events} avec un point positif"),
        "method-is": Words("Interval: ", "Intervalle : "),
        "curve-method": Words("Method: ", "Méthode : "),
        # the end of a run, in the terminal
        "more-in-report": Words("{count} more estimates are in the report.", "{count} autres estimations sont dans le rapport."),
        "more-in-report-one": Words("1 more estimate is in the report.", "1 autre estimation est dans le rapport."),
        "was-left-out": Words("{patient} was left out. {reason}", "{patient} est exclu. {reason}"),
        "described": Words(
            "Patients described: {computed} now, {reused} already there.", "Patients décrits : {computed} à l'instant, {reused} déjà là."
        ),
        "evidence": Words("Evidence", "Preuve"),
        "report": Words("Report", "Rapport"),
        "next": Words("Next", "Ensuite"),
        # verdict
        "holds": Words("Better than its rivals", "Mieux que ses rivaux"),
        "no-better": Words("No better than its rivals shown", "Pas d'avantage démontré sur ses rivaux"),
        "worse": Words("Worse than a rival", "Moins bien qu'un rival"),
        "artefact": Words("Not what it seems", "Pas ce qu'il paraît"),
        "cannot-tell": Words("Cannot tell", "Indéterminé"),
        "too-few-verdict": Words("{events} events: too few to say whether it holds here", "{events} événements : trop peu pour conclure"),
        "too-few-verdict-no-count": Words("too few patients to say whether it holds here", "trop peu de patients pour conclure"),
        "on-virtual": Words("on virtual patients, {sentence}", "chez des patients virtuels, {sentence}"),
        "virtual-note": Words(
            "These patients are virtual: nothing here says how the model does on people.",
            "Ces patients sont virtuels : rien ici ne dit ce que vaut le modèle chez des personnes.",
        ),
        "separates": Words("it separates {value} of 100 pairs", "il distingue {value} paires sur 100"),
        "reaches": Words("its {figure} is {value}", "{figure} : {value}"),
        "no-figure": Words("the record has no figure for the model", "le dossier n'a aucune grandeur pour le modèle"),
        "no-headline": Words("the record holds no figure of the model", "le dossier ne contient aucune grandeur du modèle"),
        "alone": Words("{name} alone does {value}", "« {name} » seul, {value}"),
        "rival-is": Words("{name} does {value}", "{name}, {value}"),
        "and": Words("and", "et"),
        "or": Words("or", "ou"),
        "gain": Words(
            "it does better than {names}: the interval of the difference excludes 0",
            "il fait mieux que {names} : l'intervalle de la différence ne contient pas 0",
        ),
        "gain-many": Words(
            "it does better than {names}: the intervals of the differences exclude 0",
            "il fait mieux que {names} : les intervalles des différences ne contiennent pas 0",
        ),
        "loss": Words(
            "it does worse than {names}: the interval of the difference excludes 0",
            "il fait moins bien que {names} : l'intervalle de la différence ne contient pas 0",
        ),
        "loss-many": Words(
            "it does worse than {names}: the intervals of the differences exclude 0",
            "il fait moins bien que {names} : les intervalles des différences ne contiennent pas 0",
        ),
        "undecided": Words(
            "no advantage over {names} is shown: the interval of the difference holds 0",
            "aucun avantage démontré sur {names} : l'intervalle de la différence contient 0",
        ),
        "undecided-many": Words(
            "no advantage over {names} is shown: the intervals of the differences hold 0",
            "aucun avantage démontré sur {names} : les intervalles des différences contiennent 0",
        ),
        "no-difference": Words("the record compares it with no rival", "le dossier ne le compare à aucun rival"),
        "as-well": Words(
            "it does as well with {control} ({value}; difference {interval}): {lesson}",
            "il fait aussi bien avec {control} ({value} ; différence {interval}) : {lesson}",
        ),
        "as-well-default": Words("what it reads survives there", "ce qu'il lit y survit"),
        "not-shown": Words(
            "that it needs what the control destroys is not shown ({control}: {value}; difference {interval})",
            "rien ne démontre qu'il ait besoin de ce que détruit le contrôle ({control} : {value} ; différence {interval})",
        ),
        "falls": Words("it falls to {value} with {control}", "il tombe à {value} avec {control}"),
    }
    | VALIDATION
    | AUDIT
)
