"""The account of the visitor: name, time zone, password, keys, and active sessions."""

from dataclasses import replace

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.wrappers import Response
from wtforms import Form, PasswordField, StringField
from wtforms.validators import EqualTo

from dashboard.access import Visitor, signed_in
from dashboard.access.sign_in_attempts import TooManyAttempts
from dashboard.access.signing_in import (
    SignInRefused,
    begin_session,
    check_password,
    end_session,
)
from dashboard.access.visitors import IDLE_TIMEOUT, reader_zone
from dashboard.web.context import app_context, now
from dashboard.web.forms import (
    acceptable_password,
    name_field,
    new_password_field,
    required,
    trimmed,
)
from dashboard.web.request_values import client_address
from models.database import transaction
from models.people import people, sessions
from models.people.people import Person
from services import time_zones
from services.accounts import audit
from services.accounts.audit import Maker
from services.accounts.people import set_password
from services.time_zones import TimeZoneError

blueprint = Blueprint("account", __name__, url_prefix="/account")


class _NameForm(Form):
    name = name_field()


class _ZoneForm(Form):
    time_zone = StringField(
        "Time zone",
        [required("a time zone")],
        description="Type a part of the name, such as a city. Pages show times in this zone.",
        filters=[trimmed],
        render_kw={"list": "time-zones", "autocomplete": "off", "spellcheck": "false"},
    )


class _PasswordForm(Form):
    current = PasswordField(
        "Current password",
        [required("your current password")],
        render_kw={"autocomplete": "current-password"},
    )
    new = new_password_field(description="At least 12 characters. A few random words work well.")
    again = PasswordField(
        "Confirm new password",
        [EqualTo("new", "The new passwords do not match.")],
        render_kw={"autocomplete": "new-password"},
    )


@blueprint.get("")
@signed_in
def page(visitor: Visitor) -> ResponseReturnValue:
    """Show the account."""
    return _page(visitor)


@blueprint.post("/name")
@signed_in
def rename(visitor: Visitor) -> ResponseReturnValue:
    """Change the visitor's name."""
    form = _NameForm(request.form)
    if not form.validate():
        return _page(visitor, name_form=form), 422
    person, name = visitor.person, str(form.name.data)
    with transaction():
        people.rename(person.id, name)
        detail = {"was": person.name, "name": name}
        audit.log_in_all_organizations(person, Maker.of(person), now(), "Name changed", detail)
    flash("Your name was changed.")
    return redirect(url_for("account.page"), 303)


@blueprint.post("/time-zone")
@signed_in
def change_time_zone(visitor: Visitor) -> ResponseReturnValue:
    """Change the zone in which the visitor sees times."""
    form = _ZoneForm(request.form)
    if not form.validate():
        return _page(visitor, zone_form=form), 422
    try:
        zone = time_zones.read(str(form.time_zone.data))
    except TimeZoneError as error:
        form.time_zone.errors = [str(error)]
        return _page(visitor, zone_form=form), 422
    person = visitor.person
    with transaction():
        people.set_time_zone(person.id, zone.key)
        detail = {"was": person.time_zone or time_zones.DEFAULT.key, "time zone": zone.key}
        audit.log_in_all_organizations(person, Maker.of(person), now(), "Time zone changed", detail)
    flash(f"Times are now in {zone.key}.")
    return redirect(url_for("account.page"), 303)


@blueprint.post("/mention-emails")
@signed_in
def change_mention_emails(visitor: Visitor) -> ResponseReturnValue:
    """Change whether the visitor gets an email when a note mentions them."""
    person, wanted = visitor.person, "mention_emails" in request.form
    with transaction():
        people.set_mention_emails(person.id, wanted=wanted)
        detail = {"was": person.mention_emails, "emails": wanted}
        action = "Emails about mentions changed"
        audit.log_in_all_organizations(person, Maker.of(person), now(), action, detail)
    flash(f"You get {'an' if wanted else 'no'} email when a note mentions you.")
    return redirect(url_for("account.page"), 303)


@blueprint.post("/single-keys")
@signed_in
def change_single_keys(visitor: Visitor) -> ResponseReturnValue:
    """Change whether keys such as `j` or `/` act on their own for the visitor."""
    person, wanted = visitor.person, "single_keys" in request.form
    with transaction():
        people.set_single_keys(person.id, wanted=wanted)
        detail = {"was": person.single_keys, "shortcuts": wanted}
        action = "Single-key shortcuts changed"
        audit.log_in_all_organizations(person, Maker.of(person), now(), action, detail)
    flash(f"Single-key shortcuts are {'on' if wanted else 'off'}.")
    return redirect(url_for("account.page"), 303)


@blueprint.post("/password")
@signed_in
def change_password(visitor: Visitor) -> ResponseReturnValue:
    """Change the visitor's password, and sign out every other browser."""
    person = visitor.person
    if person.password_hash is None:
        abort(404)
    form = _PasswordForm(request.form)
    if not form.validate(extra_validators={"new": [acceptable_password(person.email)]}):
        return _page(visitor, password_form=form), 422
    try:
        person = check_password(person.email, str(form.current.data), address=client_address())
        response = redirect(url_for("account.page"), 303)
        _replace_password(person, str(form.new.data), response)
    except SignInRefused:
        form.current.errors = ["Your current password is incorrect."]
        return _page(visitor, password_form=form), 422
    except TooManyAttempts as error:
        form.current.errors = ["Too many attempts. Try again later."]
        answer = _page(visitor, password_form=form)
        return answer, 429, {"Retry-After": str(error.retry_after)}
    except RedisError:
        raise ServiceUnavailable("Passwords cannot be checked right now.") from None
    flash("Your password was changed. Every other browser was signed out.")
    return response


@blueprint.post("/sessions/<int:session_id>/end")
@signed_in
def sign_out_session(visitor: Visitor, session_id: int) -> ResponseReturnValue:
    """Sign out one browser."""
    if session_id == visitor.session.id:
        return _sign_out_here()
    with transaction():
        if not sessions.end_by_id(visitor.person.id, session_id):
            abort(404)
    flash("That browser was signed out.")
    return redirect(url_for("account.page"), 303)


@blueprint.post("/sessions/end")
@signed_in
def sign_out_everywhere(visitor: Visitor) -> ResponseReturnValue:
    """Sign out of all browsers, including this one."""
    person = visitor.person
    with transaction():
        sessions.end_all(person.id)
        audit.log_in_all_organizations(person, Maker.of(person), now(), "Signed out everywhere")
    return _sign_out_here()


def _replace_password(person: Person, password: str, response: Response) -> None:
    """Store a new password, and keep only the session of this browser, with a new token."""
    password_hash = app_context().passwords.hash(password)
    with transaction():
        set_password(person, password_hash, maker=Maker.of(person), at=now())
    person = replace(person, password_hash=password_hash)
    begin_session(person, response, by="new password")


def _sign_out_here() -> ResponseReturnValue:
    response = redirect(url_for("sign_in.page"), 303)
    end_session(response)
    flash("You are signed out.")
    return response


def _page(
    visitor: Visitor,
    *,
    name_form: _NameForm | None = None,
    zone_form: _ZoneForm | None = None,
    password_form: _PasswordForm | None = None,
) -> str:
    with transaction():
        open_sessions = sessions.list_for_person(visitor.person.id, at=now(), idle=IDLE_TIMEOUT)
    return render_template(
        "account/page.html",
        name_form=name_form or _NameForm(name=visitor.person.name),
        zone_form=zone_form or _ZoneForm(time_zone=reader_zone().key),
        zones=time_zones.offered(),
        password_form=password_form or _PasswordForm(),
        sessions=open_sessions,
        sends_email=app_context().settings.smtp is not None,
    )
