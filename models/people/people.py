"""People who use the dashboard: how they sign in, and whether they may."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from peewee import IntegrityError, fn

from models.database import database
from models.errors import ModelError
from models.people.tables import PersonRow


class PersonExists(ModelError):
    """Raised when another person has the email of a new one."""


@dataclass(frozen=True)
class Person:
    """One person.

    `password_hash` is None for sign-in by OpenID Connect only, `time_zone` until it is known.
    `mention_emails` is whether they get an email when a note mentions them; `single_keys`, whether
    keys such as `j` or `/` act on their own.
    """

    id: int
    email: str
    name: str
    password_hash: str | None = field(repr=False)
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None
    time_zone: str | None
    mention_emails: bool
    single_keys: bool


COLUMNS = ", ".join(Person.__dataclass_fields__)


def create(email: str, name: str, password_hash: str | None) -> Person:
    """Add a person.

    Raises:
        PersonExists: Another person has this email, regardless of case.
    """
    insert = PersonRow.insert(email=email, name=name, password_hash=password_hash)
    try:
        with database.atomic():
            [row] = insert.returning(PersonRow).dicts().execute()
    except IntegrityError:
        raise PersonExists(email) from None
    return Person(**row)


def find(email: str) -> Person | None:
    """Return the person with this email, regardless of case."""
    return _person(PersonRow.select().where(fn.lower(PersonRow.email) == fn.lower(email)))


def find_by_id(person_id: int) -> Person | None:
    """Return the person with this id."""
    return _person(PersonRow.select().where(PersonRow.id == person_id))


def lock(person_id: int) -> Person | None:
    """Return the person with this id, locked against changes until the transaction ends."""
    rows: Any = PersonRow.select().where(PersonRow.id == person_id)
    return _person(rows.for_update("for no key update"))


def any_exists() -> bool:
    """Whether there is any person."""
    return bool(PersonRow.select(PersonRow.id).exists())


def rename(person_id: int, name: str) -> None:
    """Change a person's name."""
    _update(PersonRow.id == person_id, name=name)


def set_time_zone(person_id: int, time_zone: str) -> None:
    """Change the time zone in which a person sees times."""
    _update(PersonRow.id == person_id, time_zone=time_zone)


def set_mention_emails(person_id: int, *, wanted: bool) -> None:
    """Change whether a person gets an email when a note mentions them."""
    _update(PersonRow.id == person_id, mention_emails=wanted)


def set_single_keys(person_id: int, *, wanted: bool) -> None:
    """Change whether keys such as `j` or `/` act on their own for a person."""
    _update(PersonRow.id == person_id, single_keys=wanted)


def set_password_hash(person_id: int, password_hash: str) -> None:
    """Store the hash of a new password."""
    _update(PersonRow.id == person_id, password_hash=password_hash)


def renew_password_hash(person: Person, password_hash: str) -> None:
    """Store another hash of the same password, unless the password has changed meanwhile."""
    unchanged = PersonRow.password_hash == person.password_hash
    _update((PersonRow.id == person.id) & unchanged, password_hash=password_hash)


def record_sign_in(person_id: int, at: datetime) -> None:
    """Record the time of a person's latest sign-in."""
    _update(PersonRow.id == person_id, signed_in_at=at)


def disable(person_id: int, at: datetime) -> bool:
    """Prevent a person from signing in; False if they already cannot."""
    enabled = PersonRow.disabled_at.is_null()
    return _update((PersonRow.id == person_id) & enabled, disabled_at=at)


def enable(person_id: int) -> bool:
    """Allow a person to sign in again; False if they already can."""
    disabled = PersonRow.disabled_at.is_null(is_null=False)
    return _update((PersonRow.id == person_id) & disabled, disabled_at=None)


def delete_unused(person_id: int) -> bool:
    """Delete a person to whom no row refers, such as a membership or a note; False if one does."""
    try:
        with database.atomic():
            return bool(PersonRow.delete().where(PersonRow.id == person_id).execute())
    except IntegrityError:
        return False


def _person(rows: Any) -> Person | None:
    row = rows.dicts().first()
    return Person(**row) if row else None


def _update(condition: Any, **values: Any) -> bool:
    return bool(PersonRow.update(**values).where(condition).execute())
