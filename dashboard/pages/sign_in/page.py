"""The sign-in page, and signing out."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from werkzeug.exceptions import ServiceUnavailable
from wtforms import Form, PasswordField, StringField
from wtforms.validators import Length

from dashboard.access import public
from dashboard.access.sign_in_attempts import TooManyAttempts
from dashboard.access.signing_in import (
    SignInRefused,
    begin_session,
    check_password,
    end_session,
)
from dashboard.access.visitors import visitor
from dashboard.web.addresses import safe_redirect_target
from dashboard.web.context import app_context
from dashboard.web.forms import required, trimmed
from dashboard.web.request_values import client_address
from rules.durations import pluralize
from services.accounts.passwords import LONGEST
from services.accounts.people import LONGEST_EMAIL

blueprint = Blueprint("sign_in", __name__)

WRONG = "Incorrect email or password."
"""The same whichever of the two is wrong, so that nobody can find out who has an account."""


class _SignInForm(Form):
    email = StringField(
        "Email",
        [required("your email"), Length(max=LONGEST_EMAIL)],
        filters=[trimmed],
        render_kw={"autocomplete": "username", "type": "email", "autofocus": True},
    )
    password = PasswordField(
        "Password",
        [required("your password"), Length(max=LONGEST)],
        render_kw={"autocomplete": "current-password"},
    )


@blueprint.get("/sign-in")
@public
def page() -> ResponseReturnValue:
    """Show the form; redirect a person who is signed in already."""
    if visitor():
        return redirect(_next_url(), 303)
    return _page(_SignInForm())


@blueprint.post("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """Sign in with email and password."""
    form = _SignInForm(request.form)
    if not form.validate():
        return _page(form), 422
    try:
        person = check_password(
            form.email.data or "", form.password.data or "", address=client_address()
        )
        response = redirect(_next_url(), 303)
        begin_session(person, response, by="password", browser_zone=request.form.get("time_zone"))
    except SignInRefused:
        return _page(form, WRONG), 422
    except TooManyAttempts as error:
        minutes = pluralize(-(-error.retry_after // 60), "minute")
        message = f"Too many attempts. Try again in {minutes}."
        return _page(form, message), 429, {"Retry-After": str(error.retry_after)}
    except RedisError:
        raise ServiceUnavailable("Signing in is not possible right now.") from None
    return response


@blueprint.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """Sign this browser out."""
    response = redirect(url_for("sign_in.page"), 303)
    end_session(response)
    flash("You are signed out.")
    return response


def _page(form: _SignInForm, error: str | None = None) -> str:
    return render_template(
        "sign_in.html", form=form, error=error, open_id=app_context().settings.open_id
    )


def _next_url() -> str:
    """Return the URL that the person asked for before signing in, or the start page."""
    return safe_redirect_target(request.args.get("next")) or url_for("start.page")
