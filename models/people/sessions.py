"""Sessions: where people are signed in. Only a digest of the token is stored."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.database import execute, query
from models.people.people import COLUMNS, Person

RANDOM_BYTES = 32

MAX_AGENT_LENGTH = 300
"""Characters that are kept of what a browser says of itself."""

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


_COLUMNS = "id, created_at, last_seen_at, expires_at, address, agent"


def start(person_id: int, *, at: datetime, lasts: timedelta, address: str, agent: str) -> str:
    """Sign a person in; the token, which cannot be had again."""
    token = secrets.token_urlsafe(RANDOM_BYTES)
    execute(
        "insert into sessions"
        " (person_id, sha256, created_at, last_seen_at, expires_at, address, agent)"
        " values (%(person_id)s, %(sha256)s, %(at)s, %(at)s, %(expires_at)s, %(address)s,"
        " %(agent)s)",
        {
            "person_id": person_id,
            "sha256": digest(token),
            "at": at,
            "expires_at": at + lasts,
            "address": address,
            "agent": agent.replace("\0", "")[:MAX_AGENT_LENGTH],
        },
    )
    return token


def find(token: str, *, at: datetime, idle: timedelta) -> tuple[Session, Person] | None:
    """The session of a token and its person, if both are good at this instant.

    A session ends when it was left alone for longer than `idle`.
    """
    rows = query(
        f"select {', '.join(f's.{c} as s_{c}' for c in _COLUMNS.split(', '))},"
        f" {', '.join(f'p.{c} as p_{c}' for c in COLUMNS.split(', '))}"
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
    """Note that a session was used, at most once a minute."""
    if at - session.last_seen_at < LAST_SEEN_EVERY:
        return
    execute(
        "update sessions set last_seen_at = %(at)s where id = %(id)s and last_seen_at < %(at)s",
        {"id": session.id, "at": at},
    )


def list_for_person(person_id: int, *, at: datetime, idle: timedelta) -> list[Session]:
    """Where a person is signed in at this instant, the latest used first."""
    rows = query(
        f"select {_COLUMNS} from sessions where person_id = %(person_id)s"
        " and expires_at > %(at)s and last_seen_at > %(idle_since)s"
        " order by last_seen_at desc, id desc",
        {"person_id": person_id, "at": at, "idle_since": at - idle},
    )
    return [Session(**row) for row in rows]


def end(token: str) -> None:
    """Sign out the browser that has this token."""
    execute("delete from sessions where sha256 = %(sha256)s", {"sha256": digest(token)})


def end_by_id(person_id: int, session_id: int) -> bool:
    """End one of a person's sessions; False if there is no such session."""
    return bool(
        execute(
            "delete from sessions where person_id = %(person_id)s and id = %(id)s",
            {"person_id": person_id, "id": session_id},
        )
    )


def end_all(person_id: int) -> int:
    """Sign a person out everywhere; of how many browsers."""
    return execute("delete from sessions where person_id = %(person_id)s", {"person_id": person_id})


def delete_expired(at: datetime) -> int:
    """Delete the sessions that have ended; how many there were."""
    return execute("delete from sessions where expires_at <= %(at)s", {"at": at})


def digest(token: str) -> bytes:
    """The SHA-256 of a token. Tokens are random and long, so no salt or stretching is needed."""
    return hashlib.sha256(token.encode()).digest()
