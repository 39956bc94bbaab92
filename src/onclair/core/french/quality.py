"""What the gates of quality say of a spectrum: one sentence a surgeon can act on."""

from __future__ import annotations

QUALITY: tuple[tuple[str, str], ...] = (
    (
        r"saturation was not looked for: the limit of the detector is not known",
        r"la saturation n'a pas été recherchée : la limite du détecteur n'est pas connue",
    ),
    (
        r"(\d+) pixels of the window are saturated: lower the lamp or the integration time and measure again",
        r"\1 pixels de la fenêtre sont saturés : baissez la lampe ou le temps d'intégration et mesurez à nouveau",
    ),
    (r"no pixel that counts is saturated", r"aucun pixel utile n'est saturé"),
    (
        r"the excitation gives no light: check the lamp, its shutter and the fibre, then measure again",
        r"l'excitation ne donne pas de lumière : vérifiez la lampe, son obturateur et la fibre, puis mesurez à nouveau",
    ),
    (r"the excitation gives light", r"l'excitation donne de la lumière"),
    (
        r"the probe does not touch: (\S+) % of the white standard's light comes back, set it on the tissue and measure again",
        r"la sonde ne touche pas : il revient \1 % de la lumière de l'étalon blanc ; posez-la sur le tissu et mesurez de nouveau",
    ),
    (
        r"the probe does not touch: (\S+) % of the usual light comes back, set it on the tissue and measure again",
        r"la sonde ne touche pas : \1 % de la lumière habituelle revient, posez-la sur le tissu et mesurez à nouveau",
    ),
    (
        r"contact was not looked at: the usual light of this instrument is not known",
        r"le contact n'a pas été vérifié : la lumière habituelle de cet instrument n'est pas connue",
    ),
    (r"the probe touches the tissue", r"la sonde touche le tissu"),
    (
        r"blood under the probe was not looked for: there is no white frame",
        r"le sang sous la sonde n'a pas été recherché : il n'y a pas de mesure en lumière blanche",
    ),
    (
        r"blood under the probe was not looked for: it was not fitted",
        r"le sang sous la sonde n'a pas été recherché : il n'a pas été ajusté",
    ),
    (
        r"blood lies under the probe: rinse or suck it off and measure again",
        r"il y a du sang sous la sonde : rincez ou aspirez-le et mesurez à nouveau",
    ),
    (r"no blood lies between probe and tissue", r"il n'y a pas de sang entre la sonde et le tissu"),
    (
        r"room light was not measured: there is no lamp-off frame",
        r"la lumière de la salle n'a pas été mesurée : il n'y a pas de mesure lampe éteinte",
    ),
    (
        r"(\S+) % of the light comes from the room: dim the lights or shield the probe, then measure again",
        r"\1 % de la lumière vient de la salle : baissez l'éclairage ou abritez la sonde, puis mesurez à nouveau",
    ),
    (
        r"the light of the room changed during the measurement: keep it steady and measure again",
        r"la lumière de la salle a changé pendant la mesure : gardez-la constante et mesurez à nouveau",
    ),
    (r"little light comes from the room", r"peu de lumière vient de la salle"),
    (
        r"the signal is only (\S+) times its noise: measure longer or hold the probe closer",
        r"le signal ne vaut que \1 fois son bruit : mesurez plus longtemps ou rapprochez la sonde",
    ),
    (r"the signal stands out of its noise", r"le signal se dégage de son bruit"),
    (r"bleaching was not looked for: no frame was repeated", r"le photoblanchiment n'a pas été recherché : aucune mesure n'a été répétée"),
    (
        r"(\S+) % of the light is lost from frame to frame: hold the probe still, or move to a fresh spot and measure again",
        r"\1 % de la lumière se perd d'une mesure à l'autre : tenez la sonde immobile, ou changez d'endroit et mesurez à nouveau",
    ),
    (r"the light holds from frame to frame", r"la lumière se maintient d'une mesure à l'autre"),
    (
        r"flicker was not looked for: there are not two lamp-off frames",
        r"le scintillement n'a pas été recherché : il n'y a pas deux mesures lampe éteinte",
    ),
    (
        r"the light of the room flickers: switch off lamps near the field, or measure over whole periods of the mains",
        r"la lumière de la salle scintille : éteignez les lampes près du champ, ou mesurez sur des périodes entières du secteur",
    ),
    (r"lamp-off frames agree well enough", r"les mesures lampe éteinte concordent assez bien"),
    (
        r"the order of the excitations was not looked at: NADH does not tell them apart here",
        r"l'ordre des excitations n'a pas été vérifié : le NADH ne les distingue pas ici",
    ),
    (
        r"the excitations seem swapped: the longer one shows more NADH, check which lamp is which and measure again",
        r"les excitations semblent inversées : la plus longue montre plus de NADH, vérifiez quelle lampe est laquelle et mesurez à nouveau",
    ),
    (r"each excitation shows what it should", r"chaque excitation montre ce qu'elle doit montrer"),
    (
        r"the shift of the wavelengths cannot be told from this spectrum",
        r"le décalage des longueurs d'onde ne peut être connu par ce spectre",
    ),
    (
        r"the wavelengths are off by (\S+) nm: calibrate the spectrometer before going on",
        r"les longueurs d'onde sont décalées de \1 nm : étalonnez le spectromètre avant de continuer",
    ),
    (r"the wavelengths are where they should be", r"les longueurs d'onde sont à leur place"),
    (
        r"the light near (\d+) nm is explained by no known fluorophore: rinse the field and the probe, then measure again",
        r"la lumière près de \1 nm n'est celle d'aucun fluorophore connu : rincez le champ et la sonde, puis mesurez à nouveau",
    ),
    (
        r"the spectrum fits no mixture of known fluorophores: rinse the field and the probe, then measure again",
        r"le spectre n'est celui d'aucun mélange de fluorophores connus : rincez le champ et la sonde, puis mesurez à nouveau",
    ),
    (r"known fluorophores explain the light", r"les fluorophores connus expliquent la lumière"),
    # warnings of the chain
    (
        r"there is no lamp-off frame: the light of the room is still in the counts",
        r"il n'y a pas de mesure lampe éteinte : la lumière de la salle est encore dans les comptes",
    ),
    (
        r"read noise or gain of the detector is not known: no read noise and one electron a count are assumed",
        r"le bruit de lecture ou le gain du détecteur n'est pas connu : on suppose un bruit nul et un électron par compte",
    ),
    (
        r"lamp-off frames differ by more than their noise: the variance was widened by it",
        r"les mesures lampe éteinte diffèrent de plus que leur bruit : la variance en a été élargie",
    ),
    (
        r"there is no white standard: the white light is taken to have no colour of its own",
        r"il n'y a pas d'étalon blanc : la lumière blanche est supposée sans couleur propre",
    ),
    (
        r"no lamp-off frame has the (\S+) ms of the white frame: room light is still in the reflectance",
        r"aucune mesure lampe éteinte n'a les \1 ms de la mesure blanche : la lumière de la salle est encore dans la réflectance",
    ),
)
