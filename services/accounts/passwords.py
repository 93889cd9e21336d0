"""Passwords, hashed with argon2; checking one takes as long for a person without a password."""

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.errors import ServiceError

SHORTEST = 12
LONGEST = 200
"""Characters."""

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without characters that are easily mistaken for others."""

_GROUPS, _GROUP_LENGTH = 4, 5
"""20 characters out of 31: 99 bits."""


class WeakPassword(ServiceError, ValueError):
    """Raised when a chosen password is refused; the message is a sentence for people."""


class Passwords:
    """Hashes and verifies passwords with the parameters of a hasher."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """The default is the hasher of the library, which follows RFC 9106 and later advice."""
        self._hasher = hasher or PasswordHasher()
        self._dummy_hash = self._hasher.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """Return the hash to store."""
        return self._hasher.hash(_normal(password))

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether a password matches a hash; takes as long without a hash."""
        try:
            self._hasher.verify(password_hash or self._dummy_hash, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether a hash was made with other parameters than the current ones."""
        return self._hasher.check_needs_rehash(password_hash)


def random_password() -> str:
    """Return a password to show once, such as `k3vqx-8mztp-...`."""
    return "-".join(
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )


def check_strength(password: str, *, email: str) -> None:
    """Check that a password is long enough and not the email.

    As NIST SP 800-63B advises, length counts and there are no rules about kinds of characters.

    Raises:
        WeakPassword: the password is too weak.
    """
    if len(_normal(password)) < SHORTEST:
        raise WeakPassword(f"A password has at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise WeakPassword(f"A password has at most {LONGEST} characters.")
    if password.strip().casefold() == email.strip().casefold():
        raise WeakPassword("The password must not be the email.")
    if len(set(password)) < 4:
        raise WeakPassword("The password repeats too few characters.")


def _normal(password: str) -> str:
    """Normalize a password, since keyboards enter the same character in several forms."""
    return unicodedata.normalize("NFKC", password)
