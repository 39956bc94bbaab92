r"""The record's English fragments and their French: one table a subject, each a pattern with its French.

``\1`` stands for what was caught; a place called ``name...`` is a user's word and left alone, any other name is a fragment itself.
"""

from __future__ import annotations

from onclair.core.french.audit import AUDIT
from onclair.core.french.batches import BATCHES
from onclair.core.french.bone import BONE
from onclair.core.french.bone_strength import BONE_STRENGTH
from onclair.core.french.calibration import CALIBRATION
from onclair.core.french.centres import CENTRES
from onclair.core.french.confounds import CONFOUNDS
from onclair.core.french.discrimination import DISCRIMINATION
from onclair.core.french.explaining import EXPLAINING
from onclair.core.french.leakage import LEAKAGE
from onclair.core.french.learning import LEARNING
from onclair.core.french.lesions import LESIONS
from onclair.core.french.live import LIVE
from onclair.core.french.networks import NETWORKS
from onclair.core.french.outlines import OUTLINES
from onclair.core.french.planning import PLANNING
from onclair.core.french.quality import QUALITY
from onclair.core.french.readers import READERS
from onclair.core.french.rows import ROWS
from onclair.core.french.survival import SURVIVAL
from onclair.core.french.tables import TABLES_READ
from onclair.core.french.unmixing import UNMIXING
from onclair.core.french.utility import UTILITY

Table = tuple[tuple[str, str], ...]

#: Every table by its subject, in the order in which a fragment is looked for.
TABLES: dict[str, Table] = {
    "rows": ROWS,
    "discrimination": DISCRIMINATION,
    "calibration": CALIBRATION,
    "survival": SURVIVAL,
    "utility": UTILITY,
    "centres": CENTRES,
    "confounds": CONFOUNDS,
    "readers": READERS,
    "planning": PLANNING,
    "leakage": LEAKAGE,
    "learning": LEARNING,
    "live": LIVE,
    "tables": TABLES_READ,
    "outlines": OUTLINES,
    "batches": BATCHES,
    "explaining": EXPLAINING,
    "networks": NETWORKS,
    "audit": AUDIT,
    "quality": QUALITY,
    "unmixing": UNMIXING,
    "lesions": LESIONS,
    "bone_strength": BONE_STRENGTH,
    "bone": BONE,
}

#: A fragment as a pattern, and its French.
FRAGMENTS: Table = tuple(pair for table in TABLES.values() for pair in table)
