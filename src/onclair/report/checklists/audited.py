"""What the record of an audit can answer: each returns what the report holds and where, or None; nothing is made up."""

from __future__ import annotations

from collections.abc import Callable

from onclair.core.words import Words
from onclair.report.checklists import answers
from onclair.report.checklists.record import Answer, Figure, Record, figures, part

_CARD = "/facts/card_document"

#: What is missing where a part is there.
NO_OVERLAP = Words(
    "The record does not know the data of earlier work; a network is refused patients that it was trained on.",
    "L'enregistrement ignore les données d'autres travaux ; un réseau se voit refuser les patients qui l'ont entraîné.",
)
NOT_DIVIDED = Words(
    "A frozen model was audited: nothing was divided to train it.", "Un modèle figé a été audité : rien n'a été partagé pour l'entraîner."
)
NOT_TRAINED = Words(
    "A frozen model was audited; how it was trained and chosen is for its authors to say.",
    "Un modèle figé a été audité ; son apprentissage et son choix reviennent à ses auteurs.",
)
NO_CLINICAL = Words("The cohort brings no clinical columns.", "La cohorte n'apporte aucune colonne clinique.")
NO_ROI = Words("The card does not say how the outlines were made.", "La fiche ne dit pas comment les contours ont été faits.")
NO_PREPARATION = Words("The card does not say how images were prepared.", "La fiche ne dit pas comment les images ont été préparées.")
NO_RESAMPLING = Words("The card does not say onto which grid.", "La fiche ne dit pas sur quelle grille.")
NO_LEVELS = Words("The card does not say how grey levels were made.", "La fiche ne dit pas comment les niveaux de gris sont faits.")
NO_WEIGHTS = Words("The record lists no weights of features.", "L'enregistrement ne liste aucun poids de caractéristique.")
NO_READERS = Words(
    "The cohort brings no readers' scores or biology, and no map of the network is in the record.",
    "La cohorte n'apporte ni lectures ni biologie, et aucune carte du réseau n'est dans l'enregistrement.",
)
COUNTS_ONLY = Words(
    "The record counts patients and events; who they are is not in it.",
    "L'enregistrement compte patients et événements ; qui ils sont n'y est pas.",
)
_NETWORK = Words("A network reads the image: there are no features.", "Un réseau lit l'image : il n'y a pas de caractéristiques.")


def no_features(record: Record) -> Words | None:
    """Not where a network was audited: items on features.

    Examples
    --------
    >>> no_features(Record({"facts": {"kind": "audit", "network": {"kind": "onnx"}}})).en
    'A network reads the image: there are no features.'
    """
    return _NETWORK if record.facts.get("network") else None


def of_audit(*keys: str) -> Callable[[Record], Answer | None]:
    """Return an answer that an audit's record gives by some of its facts, all of them or none.

    Examples
    --------
    >>> of_audit("patients", "events")(Record({"facts": {"kind": "audit", "patients": 51, "events": 19}})).also
    ('/facts/events',)
    >>> of_audit("patients")(Record({"facts": {"patients": 51}})) is None
    True
    """

    def answer(record: Record) -> Answer | None:
        return record.found(*keys) if record.is_audit else None

    return answer


def of_card(table: str, *keys: str) -> Callable[[Record], Answer | None]:
    """Return an answer that the card gives in one of its tables; the whole table without keys.

    Examples
    --------
    >>> facts = {"kind": "audit", "card_document": {"preprocessing": {"dialect": "ibsi"}}}
    >>> of_card("preprocessing", "dialect")(Record({"facts": facts})).source
    '/facts/card_document/preprocessing/dialect'
    """

    def answer(record: Record) -> Answer | None:
        document = record.facts.get("card_document") or {}
        if not record.is_audit or not document:
            return None
        return part(document.get(table) or {}, keys, f"{_CARD}/{table}") if keys else part(document, (table,), _CARD)

    return answer


def of_figures(*starts: str, interval: bool = True) -> Callable[[Record], Answer | None]:
    """Return an answer that an audit's figures give, by how their names begin.

    Examples
    --------
    >>> estimate = {"name": "icc:model", "value": 0.9, "low": 0.8, "high": 0.95, "status": "ok"}
    >>> of_figures("icc:")(Record({"facts": {"kind": "audit"}, "estimates": [estimate]})).source
    '/estimates/0'
    """

    def answer(record: Record) -> Answer | None:
        return figures(_stand(record, starts, interval=interval)) if record.is_audit else None

    return answer


def either(*answers_: Callable[[Record], Answer | None]) -> Callable[[Record], Answer | None]:
    """Return what the first of several answers gives that gives any.

    Examples
    --------
    >>> either(of_audit("licence"), of_audit("patients"))(Record({"facts": {"kind": "audit", "patients": 51}})).source
    '/facts/patients'
    """

    def answer(record: Record) -> Answer | None:
        return next((found for each in answers_ if (found := each(record)) is not None), None)

    return answer


def _stand(record: Record, starts: tuple[str, ...], *, interval: bool) -> list[Figure]:
    return [f for f in record.figures if str(f.record["name"]).startswith(starts) and (f.has_interval if interval else f.holds)]


outlined = of_figures("auc:rival:volume", "harrell:rival:volume")
external = of_figures("auc:model:external", "harrell:model:external")
aims = of_audit("card", "outcome", "rules")
source = of_audit("title", "citation")
licence = of_audit("licence", "citation")
outlining = of_card("roi", "description")
preparation = of_card("preprocessing")
resampling = of_card("preprocessing", "spacing")
levels = of_card("preprocessing", "discretise")
weights = of_audit("features")
features = of_audit("features")
balance = of_audit("events", "patients")
verdict = of_audit("verdict", "gates")
reported = of_card("reported", "figure")
clinical = of_figures("auc:rival:clinical", "harrell:rival:clinical")
repeatability = of_figures("icc:model", "icc:feature:")
confounders = of_figures("spearman:model:volume", "cramers_v:batch:", "auc:batch:")
compared = of_figures("auc:model-minus-", "harrell:model-minus-")
explained = of_figures("spearman:model:semantic:", "auc:model:semantic:", "inside_share:", "share:model:occlusion")
feature_figures = of_figures("icc:feature:", "ccc:feature:")
testing = of_figures("auc:model:external", "harrell:model:external", "auc:model:within-batch", "harrell:model:within-batch")


def model(record: Record) -> Answer | None:
    """Return the model of the card with all features and weights, where the card gives them; of a network, which file scored."""
    if record.facts.get("network"):
        return record.found("network")
    told, weighed = of_card("model")(record), record.facts.get("features") or []
    return told.beside(record.found("features")) if told and all(each.get("coefficient") is not None for each in weighed) else None


def engine(record: Record) -> Answer | None:
    """Return the engine whose numbers the card's weights belong to, and the version of what measured."""
    told = of_card("preprocessing", "dialect")(record)
    environment = record.report.get("provenance", {}).get("environment")
    return told.beside(Answer(environment, "/provenance/environment")) if told and environment else told


def steady_network(record: Record) -> Answer | None:
    """Return how repeatable a network's score is, over perturbed looks and over its members."""
    return of_figures("icc:model")(record) if record.facts.get("network") else None


def image_types(record: Record) -> Answer | None:
    """Return the filters of the card where it names some, else its features, all of the image as it is."""
    return of_card("filter")(record) or features(record)


def unsaid(record: Record) -> Answer | None:
    """Return what the card does not say: nothing was filled in for it."""
    said = record.facts.get("card") or {}
    return Answer(said["missing"], "/facts/card/missing") if record.is_audit and said.get("missing") is not None else None


def left_out(record: Record) -> Answer | None:
    """Return who could not be judged, and why; an empty list where everybody could."""
    found = record.facts.get("left_out")
    return Answer(found, "/facts/left_out") if record.is_audit and found is not None else None


def flow(record: Record) -> Answer | None:
    """Return who was judged, with and without the event, and who was left out."""
    told, out = balance(record), left_out(record)
    return told.beside(out) if told and out else None


def feature_table(record: Record) -> Answer | None:
    """Return the hash of the table of features that the run keeps."""
    kept = record.report.get("provenance", {}).get("outputs", {})
    name = "features.csv"
    return Answer(kept[name], f"/provenance/outputs/{name}") if record.is_audit and name in kept else None


def beside(record: Record) -> Answer | None:
    """Return what the score gains over rivals that read no texture: in an audit, or in a study."""
    found = of_figures(*(f"{f}:model-minus-{r}" for f in ("auc", "harrell") for r in ("volume", "suv_max", "clinical")))(record)
    return found or answers.beside_dull(record)
