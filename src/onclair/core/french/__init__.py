r"""The record's English fragments and their French: one table a subject, each a pattern with its French.

``\1`` holds what varies. A place called ``(?P<name>.+)``, or anything else in ``name``, holds what a user named, and stays as it is;
one of another name, ``(?P<why>.+)``, holds another fragment, which is put in French too.
"""

from __future__ import annotations

from onclair.core.french.calibration import CALIBRATION
from onclair.core.french.centres import CENTRES
from onclair.core.french.confounds import CONFOUNDS
from onclair.core.french.discrimination import DISCRIMINATION
from onclair.core.french.leakage import LEAKAGE
from onclair.core.french.outlines import OUTLINES
from onclair.core.french.planning import PLANNING
from onclair.core.french.readers import READERS
from onclair.core.french.rows import ROWS
from onclair.core.french.survival import SURVIVAL
from onclair.core.french.tables import TABLES_READ
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
    "tables": TABLES_READ,
    "outlines": OUTLINES,
}

#: A fragment as a pattern, and its French.
FRAGMENTS: Table = tuple(pair for table in TABLES.values() for pair in table)
