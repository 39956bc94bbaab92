"""How a user's table was read, where it was not plain."""

from __future__ import annotations

TABLES_READ: tuple[tuple[str, str], ...] = (
    (r"(?P<name>.+) is UTF-16", r"\1 est en UTF-16"),
    (r"(?P<name>.+) is not UTF-8", r"\1 n'est pas en UTF-8"),
    (r"read as such", r"lu comme tel"),
    (r"read as Windows-1252 \(Latin-1\)", r"lu comme Windows-1252 (Latin-1)"),
    (r"(?P<name>.+) starts with a byte-order mark", r"\1 commence par une marque d'ordre des octets"),
    (r"it was left out", r"elle a été écartée"),
    (r"(?P<name>.+) is separated by semicolons", r"\1 est séparé par des points-virgules"),
    (r"(?P<name>.+) is separated by commas", r"\1 est séparé par des virgules"),
    (r"(?P<name>.+) is separated by tabs", r"\1 est séparé par des tabulations"),
    (r"(?P<name>.+) is separated by bars", r"\1 est séparé par des barres"),
    (r"(?P<name>.+) writes numbers with a decimal comma", r"\1 écrit les nombres avec une virgule décimale"),
    (r"they were read as decimals", r"ils ont été lus comme décimaux"),
    (
        r"(?P<name>.+) ends its lines by a carriage return alone, as old Macs did",
        r"\1 finit ses lignes par un seul retour chariot, comme d'anciens Mac",
    ),
    (r"(?P<name>.+) mixes line ends of several systems", r"\1 mêle les fins de ligne de plusieurs systèmes"),
    (r"each was read as a line end", r"chacune a été lue comme une fin de ligne"),
    (r"(?P<name>.+) has (\d+) sheets", r"\1 a \2 feuilles"),
    (r"the first, '(?P<name>.+)', was read and not (?P<names>.+)", r"la première, « \1 », a été lue et non \2"),
    (
        r"(?P<name>.+) has (\d+) column\(s\) without a name, read as (?P<names>.+)",
        r"\1 a \2 colonne(s) sans nom, lue(s) comme \3",
    ),
    (r"(?P<name>.+) holds cells that are no value \((?P<names>.+)\)", r"\1 contient des cellules sans valeur (\2)"),
    (r"they were read as missing", r"elles ont été lues comme manquantes"),
    (r"its cell in the table is empty", r"sa cellule du tableau est vide"),
)
