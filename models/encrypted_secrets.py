"""Secrets that are stored encrypted: those that sign webhooks, and the URLs of destinations."""

import base64
import secrets
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from models.errors import ModelError

SECRET_PREFIX = "whsec_"  # noqa: S105 -- no secret
SECRET_BYTES = 32
"""As Standard Webhooks recommends: between 24 and 64 bytes."""


class SecretUnreadable(ModelError):
    """Raised when no configured key decrypts a stored secret."""


def generate_secret() -> str:
    """Return a new secret that signs webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def encrypt(secret: str, secret_keys: Sequence[str]) -> str:
    """Encrypt a secret with the first key."""
    return _fernet(secret_keys).encrypt(secret.encode()).decode()


def decrypt(encrypted_secret: str, secret_keys: Sequence[str]) -> str:
    """Decrypt a secret.

    Raises:
        SecretUnreadable: It was encrypted with none of the keys.
    """
    try:
        return _fernet(secret_keys).decrypt(encrypted_secret.encode()).decode()
    except (InvalidToken, ValueError):
        raise SecretUnreadable("no key in BRAZEBEE_SECRET_KEY decrypts the secret") from None


def find_key(encrypted_secret: str, secret_keys: Sequence[str]) -> int | None:
    """Return the index of the key that decrypts a secret; None if none of them does."""
    for index, key in enumerate(secret_keys):
        try:
            decrypt(encrypted_secret, [key])
        except SecretUnreadable:
            continue
        return index
    return None


def _fernet(secret_keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in secret_keys])
