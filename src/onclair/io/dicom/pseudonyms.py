"""Pseudonyms: the same person gets the same one under the same secret, and nobody without it gets back."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path

from onclair.core.errors import BadCohort, BadInput
from onclair.io.cohorts.codes import checked_code

#: Bytes that a secret needs at least.
LEAST_SECRET = 16


def pseudonym(secret: bytes, issuer: str, patient_id: str) -> str:
    """Return ``ONC-`` and 12 base32 letters of the HMAC-SHA256 of issuer and PatientID.

    Parameters
    ----------
    secret : bytes
    issuer : str
        IssuerOfPatientID: the same number in two hospitals is two people.
    patient_id : str

    Examples
    --------
    >>> len(pseudonym(b"0123456789abcdef", "", "4711")), pseudonym(b"0123456789abcdef", "", "4711")[:4]
    (16, 'ONC-')
    """
    digest = hmac.new(secret, f"{issuer}{patient_id}".encode(), hashlib.sha256).digest()
    return "ONC-" + base64.b32encode(digest).decode()[:12]


def is_code(patient_id: str) -> bool:
    """Return whether a PatientID may stand in a cohort as it is: plain characters, no date, no address.

    Examples
    --------
    >>> is_code("STS_001"), is_code("DOE^JOHN"), is_code("19560312")
    (True, False, False)
    """
    try:
        checked_code(patient_id, where="PatientID")
    except BadCohort:
        return False
    return True


def read_secret(path: str | Path) -> bytes:
    """Return the secret in a file.

    Raises
    ------
    BadInput
        For a missing file, or one of fewer than 16 bytes.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     _ = Path(home, "secret").write_bytes(bytes(32))
    ...     len(read_secret(Path(home, "secret")))
    32
    """
    path = Path(path)
    how = f"make one with `head -c 32 /dev/urandom > {path.name}` and keep it apart from the data"
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise BadInput(f"The secret file {path} cannot be read ({(error.strerror or '').lower()}); {how}.", item=path.name) from error
    if len(secret) < LEAST_SECRET:
        raise BadInput(f"The secret file {path} holds {len(secret)} bytes, at least {LEAST_SECRET} are needed; {how}.", item=path.name)
    return secret


def secret_of(uids: Iterable[str]) -> bytes:
    """Return a secret made of a person's own object UIDs: stable for the same files, and not to be guessed from a list of numbers.

    Examples
    --------
    >>> secret_of(["1.2", "1.1"]) == secret_of(["1.1", "1.2"])
    True
    """
    return hashlib.sha256("\n".join(sorted(uids)).encode()).digest()
