"""Every frozen reference figure, computed anew from its table and compared.

`checks` compares; `binary`, `follow_up`, `meta` and `planning` compute, each a mapping of the same shape as its block of EXPECTED.json.
"""

from onclair.run.conformance.checks import Check, Conformance, check_conformance

__all__ = ["Check", "Conformance", "check_conformance"]
