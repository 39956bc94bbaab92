"""What unmixing says of an amount that it cannot tell, and of a fit that should not be trusted."""

from __future__ import annotations

UNMIXING: tuple[tuple[str, str], ...] = (
    (
        r"no excitation reaches (?P<name>.+) \(efficiency (\S+), at least (\S+) is needed\)",
        r"aucune excitation n'atteint \1 (efficacité \2, il en faut au moins \3)",
    ),
    (
        r"one excitation does not tell (?P<name>.+) apart: name one of them or add an excitation",
        r"une seule excitation ne sépare pas \1 : nommez-en un seul ou ajoutez une excitation",
    ),
    (
        r"the error of (?P<name>.+) exceeds (\S+) times the largest amount",
        r"l'erreur de \1 dépasse \2 fois la plus grande quantité",
    ),
    (r"no amount is needed to explain the counts", r"aucune quantité n'est nécessaire pour expliquer les coups"),
    (r"the amount above is at its bound", r"la quantité au numérateur est à sa borne"),
    (r"what it is divided by is 0", r"ce par quoi elle est divisée est nul"),
    (r"(?P<name>.+) cannot be told", r"\1 ne peut pas être déterminé"),
    (r"no blood is needed", r"il n'est pas nécessaire de supposer du sang"),
    (r"there is too little blood to tell its saturation", r"il y a trop peu de sang pour en déterminer la saturation"),
    (r"nothing in the counts tells the shift", r"rien dans les coups ne détermine le décalage"),
    (r"nothing in the counts tells the width", r"rien dans les coups ne détermine la largeur"),
    (r"nothing in the counts tells the saturation", r"rien dans les coups ne détermine la saturation"),
    (r"nothing in the counts tells the blood", r"rien dans les coups ne détermine le sang"),
    (r"the shift lies at the end of its range, (\S+)", r"le décalage est au bout de sa plage, \1"),
    (r"the width lies at the end of its range, (\S+)", r"la largeur est au bout de sa plage, \1"),
    (r"the saturation lies at the end of its range, (\S+)", r"la saturation est au bout de sa plage, \1"),
    (r"the blood lies at the end of its range, (\S+)", r"le sang est au bout de sa plage, \1"),
    (r"no fluorophore can be told from these counts", r"aucun fluorophore ne peut être déterminé à partir de ces coups"),
    (
        r"the fit did not settle: the counts are not what the model describes",
        r"l'ajustement ne s'est pas stabilisé : les coups ne sont pas ce que le modèle décrit",
    ),
    (
        r"the shift lies at its bound, (\S+) nm: calibrate the wavelengths",
        r"le décalage est à sa borne, \1 nm : étalonnez les longueurs d'onde",
    ),
)
