"""Signing in and out: the password, the limits, and the session that follows."""

from flask import request, session
from werkzeug.wrappers import Response

from dashboard.access import audit
from dashboard.access.audit import Maker
from dashboard.access.browsers import LASTS, forget_token, keep_token, session_token
from dashboard.parts import now, parts
from models import people, sessions
from models.database import transaction
from models.people import Person


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
        raise SignInRefused
    attempts.forget(email)
    if password_hash and passwords.is_outdated(password_hash):
        renewed = passwords.hash(password)
        with transaction():
            people.renew_password_hash(person, renewed)
    return person


def begin_session(person: Person, response: Response, *, by: str) -> None:
    """Sign a person in with this browser, under a new token; `by` says how they proved it."""
    at = now()
    former = session_token()
    with transaction():
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
