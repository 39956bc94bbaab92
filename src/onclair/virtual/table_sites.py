"""How the hospitals of a virtual clinical table differ: prevalence, case mix, a coefficient of their own, gaps, size; all by one knob."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from onclair.core.seeds import rng_for
from onclair.core.settings import Settings, setting

Kind = Literal["binary", "survival"]
Role = Literal["plain", "concept", "tiny", "one_class", "gaps"]
#: The role of the first centres, in order; those after them are plain.
ROLES: tuple[Role, ...] = ("plain", "concept", "tiny", "one_class", "gaps")
#: Shares of patients with the event: half where all centres are alike, and this far around it at heterogeneity 1.
ALIKE, PREVALENCE_REACH = 0.5, 0.2
#: Standard deviation, in standard deviations of a feature, of a centre's shift in case mix at heterogeneity 1.
CASE_MIX_SD = 0.5
#: How much more a centre's laboratory reads at heterogeneity 1.
ASSAY_REACH = 0.3
#: What the coefficient of the concept-shifted centre falls by at heterogeneity 1, as a multiple of itself: its sign turns.
CONCEPT_FALL = 1.5
#: Patients of the tiny centre at heterogeneity 1, and the share of all patients who appear in a second centre.
TINY, TWICE = 5, 0.05


class VirtualTable(Settings):
    """Settings of a virtual clinical table."""

    patients: int = setting(300, "virtual patients", "patients virtuels", ge=2, le=100_000)
    centres: int = setting(5, "centres", "nombre de centres", ge=1, le=1000)
    seed: int = setting(1, "seed of every random choice", "graine de tous les tirages", ge=0)
    heterogeneity: float = setting(
        0.5,
        "how unlike the centres are: 0 equal shards of one population, 1 as unlike as hospitals get",
        "dissemblance des centres : 0 parts égales d'une même population, 1 aussi différents que des hôpitaux peuvent l'être",
        ge=0,
        le=1,
    )
    kind: Kind = setting("binary", "kind of outcome", "type de critère")


@dataclass(frozen=True, slots=True)
class VirtualSite:
    """One virtual hospital.

    Attributes
    ----------
    name : str
    role : {"plain", "concept", "tiny", "one_class", "gaps"}
    patients : int
    prevalence : float
        Share of patients who are to have the event; 0 for nobody.
    case_mix : tuple of float
        Shift of each continuous feature, in its standard deviations.
    assay : float
        What the laboratory's values are multiplied by.
    concept : float
        What the coefficient of the concept feature is multiplied by.
    gaps : float
        Share of patients without the gap feature.

    Examples
    --------
    >>> [(site.role, site.patients) for site in sites_of(VirtualTable(patients=100, heterogeneity=1.0), 2)]
    [('plain', 24), ('concept', 24), ('tiny', 5), ('one_class', 24), ('gaps', 23)]
    """

    name: str
    role: Role
    patients: int
    prevalence: float
    case_mix: tuple[float, ...]
    assay: float
    concept: float
    gaps: float


def sites_of(settings: VirtualTable, features: int) -> tuple[VirtualSite, ...]:
    """Return the hospitals.

    Parameters
    ----------
    settings : VirtualTable
    features : int
        Continuous features whose case mix shifts.

    Examples
    --------
    >>> {(site.prevalence, site.case_mix, site.assay, site.gaps) for site in sites_of(VirtualTable(heterogeneity=0.0), 1)}
    {(0.5, (0.0,), 1.0, 0.0)}
    """
    sizes = _sizes(settings)
    return tuple(_site(settings, number, sizes[number], features) for number in range(settings.centres))


def role_of(number: int) -> Role:
    """Return what is special about a centre, counted from 0.

    Examples
    --------
    >>> role_of(1), role_of(9)
    ('concept', 'plain')
    """
    return ROLES[number] if number < len(ROLES) else "plain"


def _site(settings: VirtualTable, number: int, patients: int, features: int) -> VirtualSite:
    role, unlike = role_of(number), settings.heterogeneity
    rng = rng_for(settings.seed, "table-site", number)
    along = 0.0 if settings.centres == 1 else 2.0 * number / (settings.centres - 1) - 1.0
    prevalence = ALIKE * (1.0 - unlike) if role == "one_class" else ALIKE + PREVALENCE_REACH * unlike * along
    return VirtualSite(
        f"C{number + 1}",
        role,
        patients,
        round(prevalence, 6),
        tuple(round(unlike * CASE_MIX_SD * shift, 6) for shift in rng.normal(size=features).tolist()),
        round(1.0 + unlike * ASSAY_REACH * float(rng.uniform(-1, 1)), 6),
        round(1.0 - unlike * CONCEPT_FALL, 6) if role == "concept" else 1.0,
        unlike if role == "gaps" else 0.0,
    )


def _sizes(settings: VirtualTable) -> list[int]:
    """Return the patients of each centre: equal parts, of which the tiny centre gives back what it lacks."""
    even = settings.patients / settings.centres
    tiny = [number for number in range(settings.centres) if role_of(number) == "tiny"]
    few = {number: round(even + settings.heterogeneity * (min(TINY, even) - even)) for number in tiny}
    others = [number for number in range(settings.centres) if number not in few]
    left = settings.patients - sum(few.values())
    share = {number: left // len(others) + (place < left % len(others)) for place, number in enumerate(others)}
    return [few.get(number, share.get(number, 0)) for number in range(settings.centres)]


def twice_of(settings: VirtualTable) -> int:
    """Return how many patients appear in a second centre, under a code of its own: none in one centre or where all are alike.

    Examples
    --------
    >>> twice_of(VirtualTable(patients=200, heterogeneity=1.0)), twice_of(VirtualTable(heterogeneity=0.0))
    (10, 0)
    """
    sizes = _sizes(settings)
    if settings.centres < 2 or settings.heterogeneity == 0:
        return 0
    return min(max(1, round(TWICE * settings.heterogeneity * settings.patients)), sizes[0], sizes[1])
