"""A CT's bones on one sheet: the lesions on the picture, the strength bar with its band, the table that a person corrects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onclair.core.words import Language, Words
from onclair.report.bone_words import TYPES, bone_said
from onclair.report.figures.strength import Strength, strength_bar
from onclair.report.markup import Child, node, to_html
from onclair.report.page import as_written, banner, document, facts_list, section, table, verdict_card
from onclair.report.page import figure as framed
from onclair.report.pictures import picture_from, slice_figure
from onclair.report.verdict import Verdict
from onclair.report.words import number, say, typeset

TITLE = Words("Bones of {subject}", "Os de {subject}")
QUESTION = Words(
    "Where are the bone lesions, and how much load does this bone still bear?",
    "Où sont les lésions osseuses, et quelle charge cet os supporte-t-il encore ?",
)
#: State, mark and word of each answer.
ANSWERS: Mapping[str, tuple[str, str, Words]] = {
    "likely": ("worse", "▲", Words("Metastasis likely", "Métastase probable")),
    "unlikely": ("holds", "●", Words("No metastasis seen", "Pas de métastase vue")),
    "cannot_tell": ("cannot-tell", "◇", Words("Cannot tell", "Indéterminé")),
    "measured": ("cannot-tell", "◇", Words("Measured, not judged", "Mesuré, non jugé")),
}
COUNT = Words("{n} lesions outlined, {volume} mL in all", "{n} lésions délimitées, {volume} mL en tout")
COUNT_ONE = Words("1 lesion outlined, {volume} mL", "1 lésion délimitée, {volume} mL")
COUNT_NONE = Words("No lesion was outlined", "Aucune lésion n'a été délimitée")
LARGEST = Words("The largest: {where}, {size} mm across.", "La plus grande : {where}, {size} mm de diamètre.")
FREQUENCY = Words(
    "About {n} in 10 patients with such a picture have a metastasis ({low} to {high}).",
    "Environ {n} patients sur 10 avec une telle image ont une métastase ({low} à {high}).",
)
BEARS = Words("{bone}: about {value} N before it yields ({low} to {high}).", "{bone} : environ {value} N avant de céder ({low} à {high}).")
NO_STRENGTH = Words("The strength was not estimated", "La résistance n'a pas été estimée")
NOT_LOOKED = Words("Lesions were not looked for", "Les lésions n'ont pas été recherchées")
LESIONS = Words("Lesions", "Lésions")
HEADS = Words(
    "No.|Where|Kind|Diameter, mm|Volume, mL|Mean HU|Score|To check", "N°|Où|Type|Diamètre, mm|Volume, mL|UH moyennes|Score|À vérifier"
)
CUT = Words("cut by the edge of the scan", "coupée par le bord de l'examen")
BREACH = Words("cortex breached", "corticale rompue")
STRENGTH = Words("Strength", "Résistance")
CAPTION = Words(
    "Finite elements on {law}; bars: what the tumour's stiffness is taken for; whisker: {level} % interval of all doubts together, "
    "mostly {dominates}. Nobody has measured a tumour's stiffness in patients.",
    "Éléments finis, loi {law} ; barres : la raideur prêtée à la tumeur ; trait : intervalle à {level} % de tous les doutes réunis, "
    "surtout {dominates}. Personne n'a mesuré la raideur d'une tumeur chez des patients.",
)
DOMINATES = {
    "tumour stiffness": Words("the tumour's stiffness", "la raideur de la tumeur"),
    "outline": Words("the outline", "le contour"),
    "calibration": Words("the calibration of density", "l'étalonnage de la densité"),
    "voxels": Words("the size of the elements", "la taille des éléments"),
}
WARNINGS = Words("Warnings", "Avertissements")
ORIGIN = Words("Where this comes from", "D'où cela vient")
ROWS = Words("Model|Version|SHA-256 of the model|Evidence|Made", "Modèle|Version|SHA-256 du modèle|Preuves|Établi le")
PICTURE = Words("CT with the outlined lesions", "Scanner avec les lésions délimitées")
NO_PICTURE = Words("No picture: nothing was outlined.", "Pas d'image : rien n'a été délimité.")


def bone_sheet(finding: Mapping[str, Any], language: Language = "en") -> str:
    r"""Return the sheet of one finding of the study of bone, as one HTML file that asks for nothing.

    Parameters
    ----------
    finding : mapping
        ``finding.json``; its ``detail`` holds ``lesions``, ``pictures`` and ``strength``, each of which may lack.
    language : {"en", "fr"}

    Examples
    --------
    >>> bare = {"subject": "P1", "data": "virtual", "model": {"id": "m", "version": "1", "sha256": "0"}, "evidence": "1", "created": "x"}
    >>> page = bone_sheet(bare, "fr")
    >>> page[:32], "<script" in page
    ('<!doctype html>\n<html lang="fr">', False)
    """
    detail = finding.get("detail") or {}
    title = TITLE.in_(language).format(subject=finding["subject"])
    virtual = finding.get("data") == "virtual"
    tag = node("span", say("virtual", language), class_="tag") if virtual else None
    bar = strength_card(detail.get("strength"), language, virtual=virtual)
    main = node(
        "main",
        node("p", title, " " if tag is not None else None, tag, class_="glance"),
        node("h1", typeset(QUESTION.in_(language), language)),
        node(
            "div",
            _pictures(detail.get("pictures") or (), language, virtual=virtual),
            node("div", verdict_card(_verdict(finding, language), language), bar),
            class_="first pair",
        ),
        _lesions(detail.get("lesions") or (), language),
        _warnings(finding.get("warnings") or (), language),
        _origin(finding, language),
    )
    return to_html(document(title, language, [banner(language), main]))


def _verdict(finding: Mapping[str, Any], language: Language) -> Verdict:
    """Return the answer as a card: the word, what was outlined, the frequency, what the bone bears."""
    answer, detail, risk = finding.get("answer") or {}, finding.get("detail") or {}, finding.get("risk")
    state, mark, word = ANSWERS[str(answer.get("value") or "measured")]
    lesions, told = detail.get("lesions", ()), []
    if lesions:
        most = max(lesions, key=lambda one: one["volume_ml"])
        size = number(most["equivalent_diameter_mm"], language, digits=0)
        told.append(LARGEST.in_(language).format(where=bone_said(most, language), size=size))
    if risk and risk.get("probability") is not None:
        ends = {key: "–" if risk.get(key) is None else number(10 * risk[key], language, digits=1) for key in ("low", "high")}
        told.append(FREQUENCY.in_(language).format(n=number(10 * risk["probability"], language, digits=0), **ends))
    bears = _bears(detail.get("strength"), language)
    support = tuple(typeset(text, language) for text in (*told, bears) if text)
    return Verdict(state, mark, word.in_(language), _counted(lesions, language), support, answer.get("reason"))  # type: ignore[arg-type]


def _counted(lesions: Sequence[Mapping[str, Any]] | None, language: Language) -> str:
    if lesions is None:
        return typeset(NOT_LOOKED.in_(language), language)
    if not lesions:
        return typeset(COUNT_NONE.in_(language), language)
    volume = number(sum(one["volume_ml"] for one in lesions), language, digits=1)
    words = COUNT_ONE if len(lesions) == 1 else COUNT
    return typeset(words.in_(language).format(n=len(lesions), volume=volume), language)


def _bears(strength: Mapping[str, Any] | None, language: Language) -> str | None:
    if not strength or strength.get("value") is None:
        return None
    said = {key: number(strength.get(key), language, digits=0) for key in ("value", "low", "high")}
    bone = bone_said(strength, language)
    return BEARS.in_(language).format(bone=bone[:1].upper() + bone[1:], **said)


def _pictures(pictures: Sequence[Mapping[str, Any]], language: Language, *, virtual: bool) -> Child:
    if not pictures:
        return node("p", typeset(NO_PICTURE.in_(language), language), class_="quiet")
    return node(
        "div",
        [
            node(
                "figure",
                slice_figure(
                    picture_from({**one, "virtual": virtual or one["virtual"]}),
                    f"picture-{at}",
                    PICTURE.in_(language),
                    language,
                    width=460.0,
                ),
            )
            for at, one in enumerate(pictures)
        ],
    )


def strength_card(strength: Mapping[str, Any] | None, language: Language, *, virtual: bool) -> Child:
    """Return the strength bar with what it rests on, or why there is none."""
    if not strength or strength.get("value") is None:
        reason = (strength or {}).get("reason")
        told = typeset(NO_STRENGTH.in_(language) + ("." if not reason else say("colon", language)), language)
        return node("p", told, as_written(str(reason), language) if reason else None, class_="card")
    loads = (strength.get("load") or {}).get("tasks") or ()
    shown = Strength(
        strength["value"],
        strength.get("low"),
        strength.get("high"),
        strength.get("interval_level"),
        strength.get("band") or (),
        loads,
        virtual,
    )
    dominates = str(strength.get("dominates") or "tumour stiffness")
    caption = CAPTION.in_(language).format(
        law=strength.get("law", "–"),
        level=number(100 * (strength.get("interval_level") or 0.9), language, digits=0),
        dominates=DOMINATES[dominates].in_(language) if dominates in DOMINATES else dominates,
    )
    return node("div", node("h3", STRENGTH.in_(language)), framed(strength_bar(shown, language), typeset(caption, language)), class_="card")


def _lesions(lesions: Sequence[Mapping[str, Any]], language: Language) -> Child:
    heads = HEADS.in_(language).split("|")
    rows = [_row(one, language) for one in lesions]
    if not rows:
        return None
    return section("lesions", LESIONS.in_(language), table(None, heads, rows, numbers=(3, 4, 5, 6)))


def _row(lesion: Mapping[str, Any], language: Language) -> list[Child]:
    kind = lesion.get("type")
    checks = [(CUT, lesion.get("cut_by_border")), (BREACH, lesion.get("cortical_breach"))]
    return [
        str(lesion["id"]),
        bone_said(lesion, language),
        TYPES[kind].in_(language) if kind in TYPES else "–",
        number(lesion["equivalent_diameter_mm"], language, digits=1),
        number(lesion["volume_ml"], language, digits=2),
        number(lesion.get("hu_mean"), language, digits=0),
        number(lesion.get("score"), language),
        ", ".join(words.in_(language) for words, held in checks if held) or "–",
    ]


def _warnings(warnings: Sequence[Mapping[str, Any]], language: Language) -> Child:
    if not warnings:
        return None
    items = [node("li", as_written(str(one["text"]), language)) for one in warnings]
    return section("warnings", WARNINGS.in_(language), node("ul", items))


def _origin(finding: Mapping[str, Any], language: Language) -> Child:
    model = finding["model"]
    values = (model["id"], model["version"], model["sha256"], finding["evidence"], finding["created"])
    pairs = [(what, node("code", str(value))) for what, value in zip(ROWS.in_(language).split("|"), values, strict=True)]
    return section("origin", ORIGIN.in_(language), facts_list(pairs))
