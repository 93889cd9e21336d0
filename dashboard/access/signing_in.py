"""Signing in and out: checks the password, and begins and ends the session."""

import logging
from dataclasses import replace

from flask import request, session
from werkzeug.wrappers import Response

from dashboard.access.session_cookies import (
    MAX_LIFETIME,
    delete_session_token,
    session_token,
    set_session_token,
)
from dashboard.errors import DashboardError
from dashboard.web.context import app_context, now
from dashboard.web.request_values import client_address
from models.database import transaction
from models.people import people, sessions
from models.people.people import Person
from services import time_zones
from services.accounts import audit
from services.accounts.audit import Maker

logger = logging.getLogger("brazebee.dashboard")


class SignInRefused(DashboardError):
    """Raised when email and password do not match, whichever of them is wrong."""


def check_password(email: str, password: str, *, address: str) -> Person:
    """Return the person with this email and password; `address` is the client's.

    An unknown email, a disabled person, a person without a password and a wrong password are
    refused alike, and take the same time.

    Raises:
        SignInRefused: nobody has this email and password.
        TooManyAttempts: there were too many recent failures.
        RedisError: the failures cannot be counted.
    """
    attempts, passwords = app_context().sign_in_attempts, app_context().passwords
    attempts.check(address, email)
    with transaction():
        person = people.find(email.strip())
    password_hash = person.password_hash if person else None
    # Outside of a transaction: hashing takes longer than any query.
    if not passwords.verify(password_hash, password) or person is None or person.disabled_at:
        attempts.record_failure(address, email)
        logger.info("a sign-in from %s was refused", address)
        raise SignInRefused
    attempts.reset(address, email)
    if password_hash and passwords.is_outdated(password_hash):
        renewed = passwords.hash(password)
        with transaction():
            people.renew_password_hash(person, renewed)
        person = replace(person, password_hash=renewed)
    return person


def begin_session(
    person: Person, response: Response, *, by: str, browser_zone: str | None = None
) -> None:
    """Sign a person in with this browser, under a new token; `by` names the method of proof.

    `browser_zone` becomes the person's time zone if they have none yet.

    Raises:
        SignInRefused: the person was disabled or changed their password in the meantime.
    """
    at = now()
    former = session_token()
    with transaction():
        # Locked: a concurrent change of the password ends the session that begins here, too.
        current = people.lock(person.id)
        if current is None or current.disabled_at or current.password_hash != person.password_hash:
            raise SignInRefused
        if former:
            sessions.end(former)
        sessions.delete_expired(at)
        token = sessions.start(
            person.id,
            at=at,
            lasts=MAX_LIFETIME,
            address=client_address(),
            agent=request.user_agent.string,
        )
        people.record_sign_in(person.id, at)
        detail = {"by": by, "address": client_address()}
        if current.time_zone is None and browser_zone and time_zones.find(browser_zone):
            people.set_time_zone(person.id, browser_zone)
            detail["time zone"] = browser_zone
        audit.log_in_all_organizations(person, Maker.of(person), at, "Signed in", detail)
    session.clear()  # a new CSRF token too
    set_session_token(response, token)


def end_session(response: Response) -> None:
    """Sign this browser out."""
    token = session_token()
    if token:
        with transaction():
            sessions.end(token)
    session.clear()
    delete_session_token(response)
