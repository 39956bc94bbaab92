"""Names of a validation run's estimates, ``FIGURE:MODEL[@THRESHOLD][:where]``, in their parts and in words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from onclair.core.words import Language
from onclair.report.labels import FIGURES, WHERE, WHO
from onclair.report.words import number, say, typeset

#: Places that are not one centre or one group.
POOLED, NEW, SPREAD = "centres", "new-centre", "tau2"


@dataclass(frozen=True, slots=True)
class ClaimName:
    """An estimate's name in its parts.

    Attributes
    ----------
    figure : str
    who : str
        A model of the plan, ``all``, ``none``, or ``a-minus-b``.
    at : str
        The threshold as it is written; empty without one.
    where : str
        ``centre=4``, ``sex=F``, ``sex=F-minus-M``, ``centres``, ``new-centre``, ``tau2``, or empty.
    """

    figure: str
    who: str = ""
    at: str = ""
    where: str = ""

    @property
    def key(self) -> str:
        """The column of a stratum, ``sex`` in ``sex=F``; empty elsewhere."""
        return self.where.partition("=")[0] if "=" in self.where else ""

    @property
    def value(self) -> str:
        """The stratum, ``F`` in ``sex=F``; empty elsewhere."""
        return self.where.partition("=")[2]


@lru_cache(maxsize=8192)
def claim_name(name: str) -> ClaimName:
    """Return the parts of an estimate's name.

    Examples
    --------
    >>> claim_name("nb:basic@0.23")
    ClaimName(figure='nb', who='basic', at='0.23', where='')
    >>> found = claim_name("auc:basic:sex=F-minus-M")
    >>> found.where, found.key, found.value
    ('sex=F-minus-M', 'sex', 'F-minus-M')
    """
    figure, _, rest = name.partition(":")
    who, _, where = rest.partition(":")
    model, _, at = who.partition("@")
    return ClaimName(figure, model, at, where)


def claim_figure(figure: str, language: Language, at: str = "") -> str:
    """Return what is measured, in words.

    Examples
    --------
    >>> claim_figure("nb", "fr", "0.23"), claim_figure("harrell", "en")
    ('bénéfice net à 0,23', "Harrell's C")
    """
    told = typeset(FIGURES[figure].in_(language), language) if figure in FIGURES else figure.replace("_", " ")
    return say("at", language, figure=told, at=threshold_text(at, language)) if at else told


#: Articles by the first word of a figure's name; "C" stands for both of Harrell's and Uno's in French.
_ARTICLES = {
    "en": {"AUC": "the ", "C-index": "the ", "calibration": "the "},
    "fr": {"AUC": "l'", "indice": "l'", "ordonnée": "l'", "C": "le ", "O/A": "le rapport ", "pente": "la "},
}


def the_figure(figure: str, language: Language) -> dict[str, str]:
    """Return a figure for a sentence: its bare name as ``figure``, with its article as ``the`` and ``of``.

    Examples
    --------
    >>> the_figure("harrell", "fr")["of"], the_figure("slope", "fr")["of"], the_figure("harrell", "en")["of"]
    ('du C de Harrell', 'de la pente de calibration', "of Harrell's C")
    >>> the_figure("auc", "en")
    {'figure': 'AUC', 'the': 'the AUC', 'of': 'of the AUC'}
    """
    told = claim_figure(figure, language)
    the = typeset(_ARTICLES[language].get(told.split()[0], ""), language) + told
    if language == "en":
        return {"figure": told, "the": the, "of": f"of {the}"}
    return {"figure": told, "the": the, "of": f"du {the[3:]}" if the.startswith("le ") else f"de {the}"}


def claim_who(who: str, language: Language) -> str:
    """Return whose figure it is: a model by its name in the plan.

    Examples
    --------
    >>> claim_who("all", "fr"), claim_who("basic-minus-extended", "en"), claim_who("basic", "en")
    ('traiter tous', 'basic minus extended', 'basic')
    """
    if who in ("all", "none"):
        return typeset(WHO[who].in_(language), language)
    one, minus, other = who.partition("-minus-")
    return say("minus", language, one=one, other=other) if minus else who


def claim_where(where: str, language: Language) -> str:
    """Return where a figure holds, in words.

    Examples
    --------
    >>> claim_where("centre=4", "en"), claim_where("sex=F-minus-M", "fr"), claim_where("new-centre", "en")
    ('centre 4', 'sex = F moins M', 'a new centre (prediction interval)')
    """
    if where in WHERE:
        return typeset(WHERE[where].in_(language), language)
    key, equals, value = where.partition("=")
    if not equals:
        return where
    if key == "centre" and "-minus-" not in value:
        return say("centre", language, name=value)
    one, minus, other = value.partition("-minus-")
    return f"{key} = {say('minus', language, one=one, other=other) if minus else value}"


def claim_label(name: str, language: Language) -> str:
    """Return an estimate's name in words.

    Examples
    --------
    >>> claim_label("nb:all@0.23", "en"), claim_label("auc:basic:centre=4", "fr")
    ('net benefit at 0.23 · treat all', 'AUC · basic · centre 4')
    """
    found = claim_name(name)
    words = (claim_figure(found.figure, language, found.at), claim_who(found.who, language), claim_where(found.where, language))
    return " · ".join(word for word in words if word)


def threshold_text(at: str, language: Language) -> str:
    """Return a threshold as its language writes it, with the decimals that the plan gave.

    Examples
    --------
    >>> threshold_text("0.23", "fr")
    '0,23'
    """
    try:
        return number(float(at), language, digits=max(0, len(at.partition(".")[2])))
    except ValueError:
        return at
