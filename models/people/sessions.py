"""Sessions: the browsers in which people are signed in. Only a digest of the token is stored."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.database import execute, query
from models.people.people import COLUMNS, Person
from models.people.tables import SessionRow
from models.table import fetch

RANDOM_BYTES = 32

MAX_AGENT_LENGTH = 300
"""Characters of the browser's User-Agent that are stored."""

LAST_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Session:
    """One browser in which a person is signed in."""

    id: int
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str
    agent: str


_COLUMNS = tuple(Session.__dataclass_fields__)


def start(person_id: int, *, at: datetime, lasts: timedelta, address: str, agent: str) -> str:
    """Sign a person in and return the token, which cannot be read again."""
    token = secrets.token_urlsafe(RANDOM_BYTES)
    SessionRow.insert(
        person=person_id,
        sha256=digest(token),
        created_at=at,
        last_seen_at=at,
        expires_at=at + lasts,
        address=address,
        agent=agent.replace("\0", "")[:MAX_AGENT_LENGTH],
    ).execute()
    return token


def find(token: str, *, at: datetime, idle: timedelta) -> tuple[Session, Person] | None:
    """Return the session of a token and its person, if both are valid at this instant.

    A session ends when it has not been used for longer than `idle`.
    """
    rows = query(
        f"select {', '.join(f's.{column} as s_{column}' for column in _COLUMNS)},"
        f" {', '.join(f'p.{column} as p_{column}' for column in COLUMNS.split(', '))}"
        " from sessions s join people p on p.id = s.person_id"
        " where s.sha256 = %(sha256)s and s.expires_at > %(at)s"
        " and s.last_seen_at > %(idle_since)s and p.disabled_at is null",
        {"sha256": digest(token), "at": at, "idle_since": at - idle},
    )
    if not rows:
        return None
    parts: dict[str, dict[str, object]] = {"s": {}, "p": {}}
    for name, value in rows[0].items():
        parts[name[0]][name[2:]] = value
    return Session(**parts["s"]), Person(**parts["p"])  # type: ignore[arg-type]


def touch(session: Session, at: datetime) -> None:
    """Record that a session was used, at most once a minute."""
    if at - session.last_seen_at < LAST_SEEN_EVERY:
        return
    execute(
        "update sessions set last_seen_at = %(at)s where id = %(id)s and last_seen_at < %(at)s",
        {"id": session.id, "at": at},
    )


def list_for_person(person_id: int, *, at: datetime, idle: timedelta) -> list[Session]:
    """Return a person's sessions that are valid at this instant, most recently used first."""
    row = SessionRow
    rows = (
        row.select(*(getattr(row, column) for column in _COLUMNS))
        .where(row.person == person_id, row.expires_at > at, row.last_seen_at > at - idle)
        .order_by(row.last_seen_at.desc(), row.id.desc())
    )
    return [Session(**session) for session in fetch(rows)]


def end(token: str) -> None:
    """Sign out the browser that has this token."""
    SessionRow.delete().where(SessionRow.sha256 == digest(token)).execute()


def end_by_id(person_id: int, session_id: int) -> bool:
    """End one of a person's sessions; False if there is no such session."""
    return bool(
        SessionRow.delete()
        .where(SessionRow.person == person_id, SessionRow.id == session_id)
        .execute()
    )


def end_all(person_id: int) -> int:
    """End all sessions of a person and return their number."""
    ended: int = SessionRow.delete().where(SessionRow.person == person_id).execute()
    return ended


def delete_expired(at: datetime) -> int:
    """Delete the sessions that have expired and return their number."""
    deleted: int = SessionRow.delete().where(SessionRow.expires_at <= at).execute()
    return deleted


def digest(token: str) -> bytes:
    """Return the SHA-256 of a token: long and random, it needs no salt or stretching."""
    return hashlib.sha256(token.encode()).digest()
