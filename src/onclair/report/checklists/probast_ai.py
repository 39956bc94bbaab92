"""PROBAST+AI: signalling questions, 16 on development (D) and 18 on evaluation (E) (Moons et al., BMJ 2025;388:e082505).

The tool numbers the questions of both parts alike; here the part's letter stands before the number. A cell holds what the
record says to a question, never a rating: rating is for an assessor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from onclair.core.words import Words
from onclair.report.checklists import answers as say
from onclair.report.checklists import reasons as why
from onclair.report.checklists.items import Checklist, Item
from onclair.report.checklists.record import Record

#: The questions on participants, predictors and outcome, the same in both parts.
_SHARED = (
    Item("1.1", Words("Were the sources of the data fit for this?", "Les sources des données convenaient-elles ?"), lacks=why.JUDGEMENT),
    Item(
        "1.2", Words("Did the design of the study suit the question?", "Le plan d'étude convenait-il à la question ?"), lacks=why.JUDGEMENT
    ),
    Item(
        "1.3",
        Words(
            "Do those included stand for the people the model is meant for?",
            "Les inclus représentent-ils les personnes auxquelles le modèle est destiné ?",
        ),
        lacks=why.JUDGEMENT,
    ),
    Item(
        "2.1",
        Words(
            "Were predictors defined and measured alike in everyone?", "Les prédicteurs ont-ils été définis et mesurés de même chez tous ?"
        ),
        lacks=why.JUDGEMENT,
    ),
    Item(
        "2.2",
        Words("Were predictors prepared alike in everyone?", "Les prédicteurs ont-ils été préparés de même chez tous ?"),
        lacks=why.JUDGEMENT,
    ),
    Item(
        "2.3",
        Words("Were predictors measured without knowing the outcome?", "Les prédicteurs ont-ils été mesurés sans connaître le critère ?"),
        lacks=why.JUDGEMENT,
    ),
    Item(
        "2.4",
        Words(
            "Is every predictor known by the time the model would be used?",
            "Chaque prédicteur est-il connu au moment où le modèle servirait ?",
        ),
        lacks=why.JUDGEMENT,
    ),
    Item(
        "3.1",
        Words("Was the outcome well defined and well assessed?", "Le critère était-il bien défini et bien relevé ?"),
        lacks=why.OUTCOME_ONLY,
    ),
    Item(
        "3.2",
        Words("Was the outcome defined and assessed alike in everyone?", "Le critère a-t-il été défini et relevé de même chez tous ?"),
        lacks=why.JUDGEMENT,
    ),
    Item(
        "3.3",
        Words("Was the outcome assessed without knowing the predictors?", "Le critère a-t-il été relevé sans connaître les prédicteurs ?"),
        lacks=why.JUDGEMENT,
    ),
    Item(
        "3.4",
        Words("Was the time from predictors to outcome right?", "Le délai entre prédicteurs et critère était-il le bon ?"),
        lacks=why.JUDGEMENT,
    ),
)
_DEVELOPMENT = (
    Item("4.1", Words("Is there evidence that the size was reasonable?", "Quelque chose montre-t-il que la taille suffisait ?"), say.size),
    Item(
        "4.2",
        Words("Were continuous and categorical predictors handled well?", "Prédicteurs continus et catégoriels : traités comme il faut ?"),
    ),
    Item(
        "4.3",
        Words("Were missing and censored values handled well?", "Valeurs manquantes et censurées : traitées comme il faut ?"),
        say.missing_and_censored,
        lacks=why.GAPS_ONLY,
    ),
    Item(
        "4.4",
        Words(
            "Where class imbalance was corrected, was the model recalibrated after?",
            "Si le déséquilibre des classes a été corrigé, le modèle a-t-il été recalibré ensuite ?",
        ),
    ),
    Item(
        "4.5",
        Words("Was something done against overfitting?", "A-t-on agi contre le surapprentissage ?"),
        say.against_overfitting,
        lacks=why.STEPS_ONLY,
    ),
)
_EVALUATION = (
    Item(
        "4.1",
        Words(
            "Was more looked at than performance on the data that taught?",
            "A-t-on regardé plus que la performance sur les données apprises ?",
        ),
        say.beyond_apparent,
        lacks=why.NOT_EXTERNAL,
    ),
    Item("4.2", Words("Is there evidence that the size was reasonable?", "Quelque chose montre-t-il que la taille suffisait ?"), say.size),
    Item(
        "4.3",
        Words("Were missing and censored values handled well?", "Valeurs manquantes et censurées : traitées comme il faut ?"),
        say.missing_and_censored,
        lacks=why.GAPS_ONLY,
    ),
    Item(
        "4.4",
        Words(
            "Where class imbalance was corrected, was the model judged on data left as they were?",
            "Si le déséquilibre des classes a été corrigé, le modèle a-t-il été jugé sur des données laissées telles quelles ?",
        ),
    ),
    Item(
        "4.5",
        Words(
            "Where data were divided, did nothing leak between the parts?",
            "Si les données ont été partagées, rien n'a-t-il fui d'une part à l'autre ?",
        ),
        say.division_by_patient,
        unless=why.elsewhere,
    ),
    Item(
        "4.6",
        Words(
            "Where data were resampled, was every step of building done again each time?",
            "Si les données ont été rééchantillonnées, chaque étape a-t-elle été refaite à chaque fois ?",
        ),
        say.whole_pipeline_resampled,
        unless=why.elsewhere,
    ),
    Item(
        "4.7",
        Words(
            "Was performance judged as it should: calibration, discrimination, net benefit?",
            "La performance a-t-elle été bien jugée : calibration, discrimination, bénéfice net ?",
        ),
        say.whole_performance,
        lacks=why.NOT_ALL_THREE,
    ),
)


def _lettered(letter: str, items: tuple[Item, ...], unless: Callable[[Record], Words | None] | None = None) -> tuple[Item, ...]:
    """Return the items with their part's letter, and the part's reason where one applies."""
    return tuple(replace(item, number=f"{letter}{item.number}", unless=unless or item.unless) for item in items)


PROBAST_AI = Checklist(
    "PROBAST+AI",
    "Moons KGM et al. PROBAST+AI. BMJ 2025;388:e082505",
    "10.1136/bmj-2024-082505",
    (*_lettered("D", (*_SHARED, *_DEVELOPMENT), why.judges_only), *_lettered("E", (*_SHARED, *_EVALUATION))),
)
