"""Ed25519 key files and signatures: who stands behind a hash."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from onclair.core.errors import BadInput, NoRoom
from onclair.io.files import writing_to

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_READABLE_BY_OTHERS = 0o077


def make_keys(path: str | Path) -> tuple[Path, Path]:
    """Write a new private key, which only its owner may read, and its public key beside it.

    Parameters
    ----------
    path : path
        Of the private key (PEM, PKCS8, mode 0600); the public one gets ``.pub`` after its name. Nothing is replaced.

    Returns
    -------
    tuple of Path
        Private and public.

    Raises
    ------
    NoRoom
        When one of the two exists, or the folder cannot be written.

    References
    ----------
    RFC 8032.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     private, public = make_keys(Path(home, "trial.key"))
    ...     oct(private.stat().st_mode & 0o777), public.name
    ('0o600', 'trial.key.pub')
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private, public = Path(path), Path(f"{path}.pub")
    key = Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for place in (private, public):
        if place.exists() or place.is_symlink():
            raise NoRoom(f"The key file {place} exists and was not replaced; choose another name.", item=str(place))
    with writing_to(private.parent):
        private.parent.mkdir(parents=True, exist_ok=True)
        _write_new(private, secret, 0o600)
        _write_new(public, key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo), 0o644)
    return private, public


def read_private_key(path: str | Path) -> bytes:
    """Return the PEM of a private key that nobody but its owner may read.

    Raises
    ------
    BadInput
        When it cannot be read, or others on the machine may read it too.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     read_private_key(make_keys(Path(home, "k"))[0])[:27]
    b'-----BEGIN PRIVATE KEY-----'
    """
    path = Path(path)
    data = read_key(path)
    mode = path.stat().st_mode & 0o777
    if mode & _READABLE_BY_OTHERS:
        said = f"The private key {path.name} may be read by others (mode {mode:04o}); run chmod 600 on it, or make a new one."
        raise BadInput(said, item=path.name)
    return data


def read_key(path: str | Path) -> bytes:
    """Return the bytes of a key file.

    Raises
    ------
    BadInput
        When it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        why = (error.strerror or "it does not open").lower()
        raise BadInput(f"The key file {path} cannot be read ({why}); correct its path.", item=str(path)) from error


def sign(private_pem: bytes, message: bytes) -> str:
    """Return the Ed25519 signature of a message, as 128 hexadecimal digits.

    Parameters
    ----------
    private_pem : bytes
        PEM of an Ed25519 private key without passphrase.
    message : bytes

    Raises
    ------
    BadInput
        When the key is of another kind.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     private, public = make_keys(Path(home, "k"))
    ...     signature = sign(read_private_key(private), b"head")
    ...     len(signature), signed_by(read_key(public), b"head", signature), signed_by(read_key(public), b"Head", signature)
    (128, True, False)
    """
    return _private(private_pem).sign(message).hex()


def signed_by(public_pem: bytes, message: bytes, signature: str) -> bool:
    """Return whether a signature of a message was made with the private half of this key.

    Raises
    ------
    BadInput
        When the key is no Ed25519 public key.
    """
    from cryptography.exceptions import InvalidSignature

    key = _public(public_pem)
    try:
        key.verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _private(pem: bytes) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadInput("The private key is no PEM that opens without a passphrase; make one with `onclair protocol keygen`.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadInput("The private key is not of the kind Ed25519; make one with `onclair protocol keygen`.")
    return key


def _public(pem: bytes) -> Ed25519PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadInput("The public key is no PEM; give the file ending in .pub that was made with the private key.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadInput("The public key is not of the kind Ed25519; give the file ending in .pub that was made with the private key.")
    return key


def _write_new(path: Path, data: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
