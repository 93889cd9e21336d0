"""Signing in through an OpenID Connect provider; registered only if one is configured."""

from flask import Blueprint, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import public
from dashboard.access.open_id import OpenIdSignInRefused, identify_person, redirect_to_provider
from dashboard.access.signing_in import SignInRefused, begin_session
from dashboard.web.addresses import safe_redirect_target
from services import time_zones

blueprint = Blueprint("open_id", __name__, url_prefix="/sign-in/openid")

_NEXT_KEY = "after sign-in"
"""The key in the cookie session of the URL to go to after signing in."""

_ZONE_KEY = "time zone"
"""The key in the cookie session of the time zone that the browser reports."""


@blueprint.get("")
@public
def begin() -> ResponseReturnValue:
    """Redirect to the provider."""
    session[_NEXT_KEY] = safe_redirect_target(request.args.get("next"))
    session[_ZONE_KEY] = zone if time_zones.find(zone := request.args.get("time_zone")) else None
    try:
        return redirect_to_provider()
    except OpenIdSignInRefused as error:
        return _refused(error)


@blueprint.get("/return")
@public
def callback() -> ResponseReturnValue:
    """Sign in the person that the provider identified."""
    next_url, zone = session.pop(_NEXT_KEY, None), session.pop(_ZONE_KEY, None)
    try:
        person = identify_person()
        response = redirect(next_url or url_for("start.page"), 303)
        begin_session(person, response, by="OpenID Connect", browser_zone=zone)
    except OpenIdSignInRefused as error:
        return _refused(error)
    except SignInRefused:
        return _refused(OpenIdSignInRefused("Your account has just changed. Sign in again."))
    return response


def _refused(error: OpenIdSignInRefused) -> ResponseReturnValue:
    flash(str(error), "error")
    return redirect(url_for("sign_in.page"), 303)
