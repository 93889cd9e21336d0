"""The signed-in person of a request, loaded from the session cookie."""

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from flask import Flask, g, request

from dashboard.access.session_cookies import session_token
from dashboard.web.context import now
from models.database import transaction
from models.people import memberships, mentions, sessions
from models.people.memberships import Membership
from models.people.people import Person
from models.people.sessions import Session
from services import time_zones

IDLE_TIMEOUT = timedelta(hours=12)
"""A session ends after this time without a request: overnight, but not over lunch."""

_WITHOUT_VISITOR = ("static", "livez", "readyz")


@dataclass(frozen=True)
class Visitor:
    """A signed-in person, in one browser.

    `unread_mentions` are those in the organization whose page is requested; see `count_unread`.
    """

    person: Person
    session: Session
    memberships: list[Membership]
    unread_mentions: int = 0


def visitor() -> Visitor | None:
    """Return the visitor of the current request; None if nobody is signed in."""
    current: Visitor | None = g.get("visitor")
    return current


def reader_zone() -> ZoneInfo:
    """Return the time zone in which the current request shows and reads times."""
    current = visitor()
    chosen = time_zones.find(current.person.time_zone) if current else None
    return chosen or time_zones.DEFAULT


def load_visitors(app: Flask) -> None:
    """Identify the visitor before each request."""

    @app.before_request
    def load() -> None:
        token = session_token()
        if token is None or request.endpoint in _WITHOUT_VISITOR:
            return
        at = now()
        with transaction():
            match = sessions.find(token, at=at, idle=IDLE_TIMEOUT)
            if match is None:
                return
            session, person = match
            sessions.touch(session, at)
            listed = memberships.list_for_person(person.id)
            g.visitor = Visitor(person, session, listed, _count_unread(person, listed))


def _count_unread(person: Person, listed: list[Membership]) -> int:
    """Count the mentions that the header of the page shows; a part of a page has no header."""
    if "HX-Request" in request.headers or not request.view_args:
        return 0
    name = request.view_args.get("organization")
    organizations = [m.organization for m in listed if m.organization.name == name]
    return sum(mentions.count_unread(found.id, person.id) for found in organizations)
