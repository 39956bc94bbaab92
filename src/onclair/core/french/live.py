"""What a live session says at the bedside: why the screen is blank, what the rule or the model made of a point, what is wrong."""

from __future__ import annotations

_AGAIN = r" check cable and power, then it is opened again"
_AXIS = r"(\d+) pixels from (\S+) to (\S+) nm"
_UNCORRECTED = r" calibrate with the settings of the spectra, and give spectra whose wavelengths were not corrected yet"
_NON_CORRIGÉES = "étalonnez avec les réglages des spectres, et donnez des spectres dont les longueurs d'onde n'ont pas encore été corrigées"
_SETTINGS = r"; calibrate with these settings"

LIVE: tuple[tuple[str, str], ...] = (
    # why the screen is blank
    (r"No measurement is complete yet", r"Aucune mesure n'est encore complète"),
    (r"The instrument sends nothing", r"L'instrument n'envoie rien"),
    (
        r"The settings of the instrument were changed; nothing measured with the old ones is used",
        r"Les réglages de l'instrument ont été changés ; rien de ce qui a été mesuré avec les anciens n'est utilisé",
    ),
    (
        r"The detector is saturated: less light or a shorter integration time is needed",
        r"Le détecteur est saturé : il faut moins de lumière ou un temps d'intégration plus court",
    ),
    (
        r"The light of the room alone fills the detector: dim the lights or shield the probe, then measure again",
        r"La lumière de la salle suffit à saturer le détecteur : baissez les lumières ou abritez la sonde, puis mesurez à nouveau",
    ),
    (
        r"The tracker no longer sees the probe: nobody knows which point this is",
        r"Le localisateur ne voit plus la sonde : personne ne sait de quel point il s'agit",
    ),
    (r"The instrument hands out the same frame again", r"L'instrument redonne la même mesure"),
    (
        r"Frames come late: what they show is not what the probe touches now",
        r"Les mesures arrivent en retard : elles ne montrent pas ce que la sonde touche maintenant",
    ),
    (r"The computation does not keep up with the instrument", r"Le calcul ne suit pas l'instrument"),
    (r"The measurement cannot be used", r"La mesure n'est pas utilisable"),
    (r"Nothing can be written to the session's folder", r"Rien ne peut être écrit dans le dossier de la séance"),
    (r"The model's files were changed while it was in use", r"Les fichiers du modèle ont été modifiés pendant son emploi"),
    (r"The instrument is lost", r"L'instrument est perdu"),
    (r"The session has ended", r"La séance est terminée"),
    # what goes wrong
    (
        r"The session's folder takes nothing more \((?P<name>.+)\); free some room: what was written is intact, and the rest is kept",
        r"Le dossier de la séance ne prend plus rien (\1) ; libérez de la place : ce qui est écrit est intact, et le reste est gardé",
    ),
    (
        r"The model's file (?P<name>\S+) has changed since the session began; end the session and restore the run",
        r"Le fichier \1 du modèle a changé depuis le début de la séance ; terminez la séance et restaurez le modèle",
    ),
    (r"The computation failed on this measurement \((?P<name>.+)\)", r"Le calcul a échoué sur cette mesure (\1)"),
    (
        r"There is no measurement to be marked yet",
        r"Il n'y a encore aucune mesure à marquer",
    ),
    # instruments
    (r"The simulated instrument handed out no frame within (\S+) s", r"L'instrument simulé n'a rien donné en \1 s"),
    (
        r"The recording holds no frame for (\S+) s; the next comes in (\S+) s",
        r"L'enregistrement ne contient rien pendant \1 s ; la mesure suivante vient dans \2 s",
    ),
    (r"All (\d+) recorded frames have been handed out", r"Les \1 mesures enregistrées ont toutes été données"),
    (r"The spectrometer (?P<name>.+) has sent no spectrum for (\S+) s", r"Le spectromètre \1 n'a envoyé aucun spectre depuis \2 s"),
    (
        rf"The spectrometer (?P<name1>.+) does not answer \((?P<name2>.+)\); its driver was ended(?::){_AGAIN}",
        r"Le spectromètre \1 ne répond pas (\2) ; son pilote a été arrêté : vérifiez câble et alimentation, il sera rouvert ensuite",
    ),
    (
        r"The spectrometer (?P<name1>.+) does not work \((?P<name2>.+)\); check cable and address, and open it again",
        r"Le spectromètre \1 ne fonctionne pas (\2) ; vérifiez câble et adresse, et rouvrez-le",
    ),
    (
        r"The publisher at (?P<name1>\S+) port (\d+) is not connected \((?P<name2>.+)\); the connection is tried again",
        r"L'émetteur à \1, port \2, n'est pas connecté (\3) ; la connexion est tentée à nouveau",
    ),
    (
        r"The publisher at (?P<name>\S+) port (\d+) is alive but sends no spectrum; look at its instrument",
        r"L'émetteur à \1, port \2, est en vie mais n'envoie aucun spectre ; regardez son instrument",
    ),
    (
        r"The publisher at (?P<name>\S+) port (\d+) says nothing, not even a heartbeat: it is paused, or the cable is out",
        r"L'émetteur à \1, port \2, ne dit rien, pas même un battement : il est suspendu, ou le câble est débranché",
    ),
    # the rule, and the model
    (r"634/AF lies between (-?[\d.]+) and (-?[\d.]+), above ([\d.]+)", r"634/AF se situe entre \1 et \2, au-dessus de \3"),
    (r"634/AF lies between (-?[\d.]+) and (-?[\d.]+), below ([\d.]+)", r"634/AF se situe entre \1 et \2, au-dessous de \3"),
    (
        r"634/AF lies between (-?[\d.]+) and (-?[\d.]+), on both sides of ([\d.]+)",
        r"634/AF se situe entre \1 et \2, de part et d'autre de \3",
    ),
    (
        r"The spectra do not tell how much PpIX there is beside the autofluorescence",
        r"Les spectres ne disent pas combien il y a de PpIX à côté de l'autofluorescence",
    ),
    (
        r"The feature (?P<name>\S+) is missing for this case, and the model needs it",
        r"La caractéristique \1 manque pour ce cas, et le modèle en a besoin",
    ),
    (
        r"This case is unlike those that the model learnt from; (?P<name>\S+) lies farthest out",
        r"Ce cas ne ressemble pas à ceux dont le modèle a appris ; \1 s'en écarte le plus",
    ),
    (
        r"The model was calibrated on too few patients to rule out either answer",
        r"Le modèle a été calibré sur trop peu de patients pour exclure l'une ou l'autre réponse",
    ),
    (
        r"Neither answer can be ruled out at the error rate that was promised",
        r"Aucune des deux réponses ne peut être exclue au taux d'erreur promis",
    ),
    (
        r"Neither answer fits: the model errs on risks like this one more often than was promised",
        r"Aucune réponse ne convient : à un tel risque, le modèle se trompe plus souvent que promis",
    ),
    # the calibration
    (
        r"The calibration is of the spectrometer '(?P<name1>.+)' and this is '(?P<name2>.+)'; calibrate this one",
        r"L'étalonnage est celui du spectromètre « \1 », et celui-ci est « \2 » ; étalonnez celui-ci",
    ),
    (
        rf"The calibration is of {_AXIS}, and the spectrum has {_AXIS}(?:;){_UNCORRECTED}",
        rf"L'étalonnage est de \1 pixels de \2 à \3 nm, et le spectre en a \4 de \5 à \6 nm ; {_NON_CORRIGÉES}",
    ),
    (
        rf"The calibration knows the usual light under (?P<name1>.+) nm, and the settings ask for (?P<name2>.+) nm{_SETTINGS}",
        r"L'étalonnage connaît la lumière habituelle sous \1 nm, et les réglages demandent \2 nm ; étalonnez avec ces réglages",
    ),
    (
        r"There is no calibration: the wavelengths are taken as they come, and a probe that does not touch may go unnoticed",
        r"Il n'y a pas d'étalonnage : les longueurs d'onde sont prises telles quelles, et une sonde sans contact peut passer inaperçue",
    ),
    (
        r"The calibration is (\d+) days old, made on (?P<name>\S+); measure the daily standard, or calibrate again",
        r"L'étalonnage a \1 jours, fait le \2 ; mesurez l'étalon quotidien, ou étalonnez à nouveau",
    ),
    (
        r"The serial number of the (?:calibration) is not known, so that nobody can tell whether they belong together",
        r"Le numéro de série de l'étalonnage n'est pas connu : personne ne peut dire s'il va avec l'instrument",
    ),
    (
        r"The serial number of the (?:instrument) is not known, so that nobody can tell whether they belong together",
        r"Le numéro de série de l'instrument n'est pas connu : personne ne peut dire s'il va avec l'étalonnage",
    ),
    (
        r"The calibration does not know the usual light in contact: a probe that does not touch may go unnoticed",
        r"L'étalonnage ne connaît pas la lumière habituelle au contact : une sonde qui ne touche pas peut passer inaperçue",
    ),
)
