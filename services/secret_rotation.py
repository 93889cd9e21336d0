"""Encrypts the stored secrets of webhooks and destinations with the first of several keys."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from models.database import transaction
from models.encrypted_secrets import decrypt, encrypt, find_key
from models.notifications import destinations
from models.organizations.organizations import Organization
from models.webhooks import stored_secrets


@dataclass(frozen=True)
class UnreadableSecret:
    """A secret that no key decrypts: of a webhook endpoint, or of a destination of notifications.

    `former` is one that another has replaced.
    """

    organization: str
    endpoint_id: UUID | None = None
    destination: str | None = None
    former: bool = False


@dataclass
class SecretsFound:
    """The numbers of secrets, by the index of the key that decrypts them, and of unused ones.

    Nothing is signed with an unused secret any more.
    """

    by_key: Counter[int] = field(default_factory=Counter)
    unused: int = 0
    unreadable: list[UnreadableSecret] = field(default_factory=list)

    @property
    def outdated(self) -> int:
        """The number of secrets that are encrypted with another key than the first."""
        return self.by_key.total() - self.by_key[0]


def rotate(
    organizations: Iterable[Organization], secret_keys: Sequence[str], *, dry_run: bool = False
) -> SecretsFound:
    """Encrypt all secrets, each organization in a transaction of its own; return what was found.

    Unused secrets are deleted, and those that no key decrypts stay as they are. With `dry_run`,
    nothing is changed or locked.
    """
    found = SecretsFound()
    for organization in organizations:
        with transaction():
            _rotate_one(organization, secret_keys, found, dry_run=dry_run)
    return found


def _rotate_one(
    organization: Organization, secret_keys: Sequence[str], found: SecretsFound, *, dry_run: bool
) -> None:
    _rotate_destinations(organization, secret_keys, found, dry_run=dry_run)
    if not dry_run:
        stored_secrets.lock(organization.id)
    for secret in stored_secrets.read(organization.id):
        if not secret.signs:
            found.unused += 1
            if not dry_run:
                stored_secrets.delete(organization.id, secret)
            continue
        key = find_key(secret.encrypted, secret_keys)
        if key is None:
            found.unreadable.append(
                UnreadableSecret(organization.name, secret.endpoint_id, former=secret.former)
            )
            continue
        found.by_key[key] += 1
        if key > 0 and not dry_run:
            renewed = encrypt(decrypt(secret.encrypted, secret_keys), secret_keys)
            stored_secrets.replace(organization.id, secret, renewed)


def _rotate_destinations(
    organization: Organization, secret_keys: Sequence[str], found: SecretsFound, *, dry_run: bool
) -> None:
    """Encrypt the URLs of destinations of notifications."""
    listed = (
        destinations.list_for_organization(organization.id)
        if dry_run
        else destinations.lock_all(organization.id)
    )
    for destination in listed:
        key = find_key(destination.encrypted_url, secret_keys)
        if key is None:
            name = f"{destination.service} {destination.name}"
            found.unreadable.append(UnreadableSecret(organization.name, destination=name))
            continue
        found.by_key[key] += 1
        if key > 0 and not dry_run:
            renewed = encrypt(decrypt(destination.encrypted_url, secret_keys), secret_keys)
            destinations.set_url(destination, renewed, destination.host)
