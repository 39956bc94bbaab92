"""What else the numbers depend on: versions of the libraries that compute, and threads a worker."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version
from typing import Any

from onclair import __version__
from onclair.run.pool import THREADS

#: Distributions whose version can change a number.
COMPUTING = ("numba", "numpy", "pandas", "scikit-learn", "scipy")


@cache
def environment() -> dict[str, Any]:
    """Return versions and threads, without path, host or time.

    Examples
    --------
    >>> environment()["threads"]
    1
    """
    return {"onclair": __version__, "python": platform.python_version(), "threads": THREADS, **{name: version(name) for name in COMPUTING}}
