"""Who made a bundle: a signature over its record, which holds the hashes of its other files.

Hashes show damage; only a signature shows that a bundle is the one that somebody made who has the key. A
key is a file: a secret of 32 bytes or more that maker and user share (HMAC-SHA-256), or the two keys of a
pair as PEM (Ed25519, by the package ``cryptography``), the private one to sign, the public one to check.
The signature stands beside the other files and says nothing of ``themes.toml``, which people edit.
"""

from __future__ import annotations

import hmac
import json
import os
from pathlib import Path
from typing import Any

from recsys.errors import BundleError, DependencyError, ParameterError
from recsys.files import atomic_write

FILE = "signature.json"
KEY_VARIABLE = "RECSYS_MODEL_KEY"
"""Environment variable with the path of a key, by which every bundle is checked that is loaded."""
_LEAST_BYTES = 32


def write_signature(folder: Path, digest: str, key: bytes) -> None:
    """Write beside a bundle that the holder of a key signs the record with this digest.

    Raises
    ------
    ParameterError
        If the key cannot be used.
    DependencyError
        If the key is one of a pair and ``cryptography`` is not installed.
    """
    is_pair = key.startswith(b"-----BEGIN")
    signature = _private(key).sign(digest.encode()) if is_pair else _mac(key, digest)
    record = {"algorithm": "ed25519" if is_pair else "hmac-sha256", "signature": signature.hex()}
    with atomic_write(folder / FILE) as partial:
        partial.write_text(json.dumps(record), encoding="utf-8")


def check_signature(folder: Path, digest: str, key: bytes) -> None:
    """Raise BundleError unless a record with this digest was signed by the holder of a key."""
    try:
        record = json.loads((folder / FILE).read_text(encoding="utf-8"))
        algorithm, signature = record["algorithm"], bytes.fromhex(record["signature"])
    except FileNotFoundError:
        raise BundleError(
            f"{folder} is not signed, and a key is asked for; sign it with 'recsys model sign'."
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise BundleError(f"{folder}: {FILE} cannot be read; sign the model again.") from None
    is_pair = key.startswith(b"-----BEGIN")
    if algorithm != ("ed25519" if is_pair else "hmac-sha256"):
        raise BundleError(f"{folder} is signed by {algorithm!r:.40}, the key is of another kind.")
    is_right = (
        _verifies(key, signature, digest) if is_pair else hmac.compare_digest(_mac(key, digest), signature)
    )
    if not is_right:
        raise BundleError(f"{folder}: the signature is not by this key, or of another model.")


def read_key(path: str | Path) -> bytes:
    """Return the content of a key's file.

    Raises
    ------
    ParameterError
        If it cannot be read, or is too short for a secret.
    """
    try:
        content = Path(path).expanduser().read_bytes()
    except OSError as error:
        raise ParameterError(f"the key {path} cannot be read: {error.strerror or error}.") from error
    if len(content) < _LEAST_BYTES:
        raise ParameterError(
            f"the key {path} has {len(content)} bytes; expected {_LEAST_BYTES} or more, e.g. by "
            f"'openssl rand -out {path} 32'."
        )
    return content


def key_of(key: str | Path | None) -> bytes | None:
    """Return the key that is given, or named by the environment; None if there is neither."""
    path = key if key is not None else os.environ.get(KEY_VARIABLE)
    return read_key(path) if path else None


def _mac(key: bytes, digest: str) -> bytes:
    return hmac.digest(key, digest.encode(), "sha256")


def _private(content: bytes) -> Any:
    from_pem, errors = _cryptography()
    try:
        key = from_pem.load_pem_private_key(content, password=None)
    except errors as error:
        raise ParameterError(f"the key is no private key that can be used: {error}") from error
    return _of_kind(key, "Ed25519PrivateKey")


def _verifies(content: bytes, signature: bytes, digest: str) -> bool:
    from_pem, errors = _cryptography()
    from cryptography.exceptions import InvalidSignature

    try:
        key = from_pem.load_pem_public_key(content)
    except errors as error:
        raise ParameterError(f"the key is no public key that can be used: {error}") from error
    try:
        _of_kind(key, "Ed25519PublicKey").verify(signature, digest.encode())
    except InvalidSignature:
        return False
    return True


def _of_kind(key: Any, name: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    if not isinstance(key, getattr(ed25519, name)):
        raise ParameterError(f"the key is a {type(key).__name__}; expected one of Ed25519.")
    return key


def _cryptography() -> tuple[Any, tuple[type[Exception], ...]]:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        raise DependencyError(
            'keys as PEM need cryptography, which is not installed: pip install "recsys[sign]".'
        ) from None
    return serialization, (ValueError, TypeError, UnsupportedAlgorithm)
