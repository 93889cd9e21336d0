"""Signing in and out: the password, the limits, and the session that follows."""

import logging
from dataclasses import replace

from flask import request, session
from werkzeug.wrappers import Response

from dashboard.access.browsers import LASTS, forget_token, keep_token, session_token
from dashboard.web.context import now, parts
from models.database import transaction
from models.people import people, sessions
from models.people.people import Person
from services.accounts import audit
from services.accounts.audit import Maker

logger = logging.getLogger("brazebee.dashboard")


class SignInRefused(Exception):
    """Raised when email and password do not belong together, whichever of them is wrong."""


def check_password(email: str, password: str, *, address: str) -> Person:
    """The person whose email and password these are.

    Unknown, disabled, without a password or with another one: the answer is the same, and takes
    as long.

    Raises:
        SignInRefused: they are nobody's.
        TooManyAttempts: there were too many failures of late.
        RedisError: those cannot be counted.
    """
    attempts, passwords = parts().attempts, parts().passwords
    attempts.check(address, email)
    with transaction():
        person = people.find(email.strip())
    password_hash = person.password_hash if person else None
    # Outside of a transaction: hashing takes longer than any query.
    if not passwords.fits(password_hash, password) or person is None or person.disabled_at:
        attempts.note_failure(address, email)
        logger.info("a sign-in from %s was refused", address)
        raise SignInRefused
    attempts.forget(address, email)
    if password_hash and passwords.is_outdated(password_hash):
        renewed = passwords.hash(password)
        with transaction():
            people.renew_password_hash(person, renewed)
        person = replace(person, password_hash=renewed)
    return person


def begin_session(person: Person, response: Response, *, by: str) -> None:
    """Sign a person in with this browser, under a new token; `by` says how they proved it.

    Raises:
        SignInRefused: they were disabled, or their password changed, since they proved it.
    """
    at = now()
    former = session_token()
    with transaction():
        # Locked: whoever changes the password now ends the session that begins here, too.
        current = people.lock(person.id)
        if current is None or current.disabled_at or current.password_hash != person.password_hash:
            raise SignInRefused
        if former:
            sessions.end(former)
        sessions.forget_expired(at)
        token = sessions.begin(
            person.id,
            at=at,
            lasts=LASTS,
            address=client_address(),
            agent=request.user_agent.string,
        )
        people.note_sign_in(person.id, at)
        detail = {"by": by, "address": client_address()}
        audit.write_wherever_member(person, Maker.of(person), at, "Signed in", detail)
    session.clear()  # a new CSRF token too
    keep_token(response, token)


def end_session(response: Response) -> None:
    """Sign this browser out."""
    token = session_token()
    if token:
        with transaction():
            sessions.end(token)
    session.clear()
    forget_token(response)


def client_address() -> str:
    """Where the request comes from, as far as it is known."""
    return request.remote_addr or "unknown"
