"""People who use the dashboard: how they sign in, and whether they may."""

from dataclasses import dataclass, field
from datetime import datetime

from peewee import IntegrityError

from models.database import database, execute, query
from models.errors import ModelError


class PersonExists(ModelError):
    """Raised when the email of a new person is taken."""


@dataclass(frozen=True)
class Person:
    """One person; `password_hash` is None for who signs in by OpenID Connect alone."""

    id: int
    email: str
    name: str
    password_hash: str | None = field(repr=False)
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None


COLUMNS = "id, email, name, password_hash, created_at, signed_in_at, disabled_at"


def create(email: str, name: str, password_hash: str | None) -> Person:
    """Add a person.

    Raises:
        PersonExists: somebody has this email, in whatever case.
    """
    try:
        with database.atomic():
            rows = query(
                "insert into people (email, name, password_hash)"
                f" values (%(email)s, %(name)s, %(password_hash)s) returning {COLUMNS}",
                {"email": email, "name": name, "password_hash": password_hash},
            )
    except IntegrityError:
        raise PersonExists(email) from None
    return Person(**rows[0])


def find(email: str) -> Person | None:
    """The person with this email, in whatever case."""
    rows = query(
        f"select {COLUMNS} from people where lower(email) = lower(%(email)s)", {"email": email}
    )
    return Person(**rows[0]) if rows else None


def find_by_id(person_id: int) -> Person | None:
    """The person with this id."""
    rows = query(f"select {COLUMNS} from people where id = %(id)s", {"id": person_id})
    return Person(**rows[0]) if rows else None


def lock(person_id: int) -> Person | None:
    """The person with this id, whom nobody else may change until the transaction ends."""
    rows = query(
        f"select {COLUMNS} from people where id = %(id)s for no key update", {"id": person_id}
    )
    return Person(**rows[0]) if rows else None


def any_exists() -> bool:
    """Whether there is anybody at all."""
    return bool(query("select 1 from people limit 1"))


def rename(person_id: int, name: str) -> None:
    """Give a person another name."""
    execute("update people set name = %(name)s where id = %(id)s", {"id": person_id, "name": name})


def set_password_hash(person_id: int, password_hash: str) -> None:
    """Store the hash of a new password."""
    execute(
        "update people set password_hash = %(password_hash)s where id = %(id)s",
        {"id": person_id, "password_hash": password_hash},
    )


def renew_password_hash(person: Person, password_hash: str) -> None:
    """Store another hash of the same password, unless the password has changed meanwhile."""
    execute(
        "update people set password_hash = %(password_hash)s"
        " where id = %(id)s and password_hash = %(former)s",
        {"id": person.id, "password_hash": password_hash, "former": person.password_hash},
    )


def record_sign_in(person_id: int, at: datetime) -> None:
    """Remember when a person signed in last."""
    execute(
        "update people set signed_in_at = %(at)s where id = %(id)s", {"id": person_id, "at": at}
    )


def disable(person_id: int, at: datetime) -> bool:
    """Keep a person from signing in; False if that was so already."""
    return bool(
        execute(
            "update people set disabled_at = %(at)s where id = %(id)s and disabled_at is null",
            {"id": person_id, "at": at},
        )
    )


def enable(person_id: int) -> bool:
    """Let a person sign in again; False if that was so already."""
    return bool(
        execute(
            "update people set disabled_at = null where id = %(id)s and disabled_at is not null",
            {"id": person_id},
        )
    )
