"""What the figures of a validation run rest on: a publication is cited where the record uses what it describes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from onclair.core.estimate import Estimate

#: A pattern over ``FIGURE method``, and the publication.
CITED: tuple[tuple[str, str], ...] = (
    (r"DeLong", "DeLong ER et al. Biometrics 1988;44:837. doi:10.2307/2531595"),
    (r"Obuchowski", "Obuchowski NA. Biometrics 1997;53:567. doi:10.2307/2533958"),
    (r"^harrell\b", "Harrell FE et al. Stat Med 1996;15:361. doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4"),
    (r"^uno\b", "Uno H et al. Stat Med 2011;30:1105. doi:10.1002/sim.4154"),
    (r"^auc_t\b", "Blanche P et al. Stat Med 2013;32:5381. doi:10.1002/sim.5958"),
    (r"^c_index\b", "Wolbers M et al. Biostatistics 2014;15:526. doi:10.1093/biostatistics/kxt059"),
    (r"^(o_e|citl|slope|pseudo_slope)\b", "Van Calster B et al. J Clin Epidemiol 2016;74:167. doi:10.1016/j.jclinepi.2015.12.005"),
    (r"^(ici|e50|e90|emax)\b", "Austin PC, Steyerberg EW. Stat Med 2019;38:4051. doi:10.1002/sim.8281"),
    (r"^poisson_o_e\b", "Crowson CS et al. Stat Methods Med Res 2016;25:1692. doi:10.1177/0962280213497434"),
    (r"^pseudo_", "van Geloven N et al. BMJ 2022;377:e069249. doi:10.1136/bmj-2021-069249"),
    (r"^brier_null\b", "Graf E et al. Stat Med 1999;18:2529. doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5"),
    (r"^ipa\b", "Kattan MW, Gerds TA. Diagn Progn Res 2018;2:7. doi:10.1186/s41512-018-0029-2"),
    (r"^nb\b", "Vickers AJ, Elkin EB. Med Decis Making 2006;26:565. doi:10.1177/0272989X06295361"),
    (r"Wilson", "Wilson EB. J Am Stat Assoc 1927;22:209. doi:10.1080/01621459.1927.10502953"),
    (r"Newcombe", "Newcombe RG. Stat Med 2006;25:559. doi:10.1002/sim.2324"),
    (r"Hartung|REML|prediction interval", "Debray TPA et al. BMJ 2017;356:i6460. doi:10.1136/bmj.i6460"),
    (r"Hartung", "IntHout J et al. BMC Med Res Methodol 2014;14:25. doi:10.1186/1471-2288-14-25"),
)
#: What the rules of the verdict rest on.
RULES: tuple[str, ...] = (
    "Collins GS et al. Stat Med 2016;35:214. doi:10.1002/sim.6787",
    "Riley RD et al. Stat Med 2021;40:4230. doi:10.1002/sim.9025",
)
#: How a validation is to be reported.
REPORTING: tuple[str, ...] = ("Collins GS et al. (TRIPOD+AI). BMJ 2024;385:e078378. doi:10.1136/bmj-2023-078378",)


def cited(estimates: Iterable[Estimate]) -> tuple[str, ...]:
    """Return the publications behind some estimates, those behind the verdict's rules, and the reporting guideline.

    Examples
    --------
    >>> [text.split()[0] for text in cited([Estimate("nb:a@0.2", 0.1)])]
    ['Vickers', 'Collins', 'Riley', 'Collins']
    """
    told = {f"{e.name.partition(':')[0]} {e.method}" for e in estimates}
    found = [text for pattern, text in CITED if any(re.search(pattern, one) for one in told)]
    return (*found, *RULES, *REPORTING)
