"""Passwords: hashed with argon2, checked in the same time whether or not somebody has one."""

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 200
"""Characters."""

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without what is easily read as something else."""

_GROUPS, _GROUP_LENGTH = 4, 5
"""20 characters out of 31: 99 bits."""


class WeakPassword(ValueError):
    """Raised when somebody chooses a password that does not do, with the reason for people."""


class Passwords:
    """Hashes passwords, with the parameters of the hasher at hand."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Without a hasher: the library's, which follows RFC 9106 and moves with advice."""
        self._hasher = hasher or PasswordHasher()
        self._nobodys = self._hasher.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """The hash to store."""
        return self._hasher.hash(_normal(password))

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether a password is the one hashed; takes as long when there is none to compare."""
        try:
            self._hasher.verify(password_hash or self._nobodys, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether a hash was made with other parameters than those of now."""
        return self._hasher.check_needs_rehash(password_hash)


def random_password() -> str:
    """A password to show once, such as `k3vqx-8mztp-...`."""
    return "-".join(
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )


def check_strength(password: str, *, email: str) -> None:
    """See that a password may be chosen: long enough, and not the email.

    Length is what counts, as in NIST SP 800-63B; no rules about kinds of characters.

    Raises:
        WeakPassword: it may not.
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
    """One form for what keyboards enter in several."""
    return unicodedata.normalize("NFKC", password)
