"""API keys, and the current usage of the rate limit."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from wtforms import Form, StringField
from wtforms.validators import Length

from dashboard.access import Member, administrator, audit, viewer
from dashboard.pages.developers.frame import blueprint, show
from dashboard.web.context import app_context, now
from dashboard.web.forms import one_line, required, trimmed
from ingress.client.rate_limit import parse_rate
from models.database import transaction
from models.keys import api_keys
from models.keys.api_keys import ApiKey
from models.organizations.organizations import Organization
from queues.admissions import EVENTS, READS, Admissions
from rules.durations import format_duration

LONGEST_NAME = 100


class _KeyForm(Form):
    name = StringField(
        "Name",
        [
            required("a name, such as the application that will use the key"),
            Length(max=LONGEST_NAME, message=f"A name can have at most {LONGEST_NAME} characters."),
            one_line,
        ],
        filters=[trimmed],
        description="Where the key will be used, so that you can distinguish keys.",
        render_kw={"autocomplete": "off", "maxlength": LONGEST_NAME},
    )


@dataclass(frozen=True)
class Usage:
    """Requests of one kind in the current window; `ends_at` is None before the first request."""

    title: str
    count: int
    limit: int
    ends_at: datetime | None


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the active and the revoked keys, and the usage of the rate limit."""
    return _page(member, _KeyForm())


@blueprint.post("/keys")
@administrator
def create_key(member: Member) -> ResponseReturnValue:
    """Create a key. It is shown only once."""
    form = _KeyForm(request.form)
    if not form.validate():
        return _page(member, form), 422
    name = str(form.name.data)
    with transaction():
        key = api_keys.create(member.organization.id, name)
        audit.record(member, "API key created", name, {"key": _masked(key[-4:])})
    return show(
        "secret.html",
        member,
        title="API key created",
        what=f"This is your new key “{name}”",
        secret=key,
        back=url_for(".page"),
        back_text="Back to API keys",
        note=None,
    )


@blueprint.get("/keys/<int:key_id>/revoke")
@administrator
def ask_to_revoke(member: Member, key_id: int) -> ResponseReturnValue:
    """Ask for confirmation, with the consequences of revoking a key."""
    with transaction():
        return show("revoke.html", member, key=_find_key(member, key_id))


@blueprint.post("/keys/<int:key_id>/revoke")
@administrator
def revoke_key(member: Member, key_id: int) -> ResponseReturnValue:
    """Revoke a key."""
    with transaction():
        key = _find_key(member, key_id)
        if not api_keys.revoke(member.organization.id, key_id):
            abort(404)
        audit.record(member, "API key revoked", key.name, {"key": _masked(key.last_four)})
    flash(f"The key “{key.name}” was revoked. It stops working everywhere within 5 seconds.")
    return redirect(url_for(".page"), 303)


def _page(member: Member, form: _KeyForm) -> str:
    organization = member.organization
    with transaction():
        keys = api_keys.list_for_organization(organization.id)
    rate = parse_rate(organization.rate_limit or app_context().settings.rate_limit)
    return show(
        "keys.html",
        member,
        form=form,
        keys=[key for key in keys if key.revoked_at is None],
        revoked=[key for key in keys if key.revoked_at is not None],
        usage=_usage(organization),
        limit=rate.amount,
        window=format_duration(timedelta(seconds=rate.get_expiry())),
    )


def _usage(organization: Organization) -> list[Usage] | None:
    """Return the usage of the rate limit; None while Redis does not respond."""
    rate = parse_rate(organization.rate_limit or app_context().settings.rate_limit)
    admissions = Admissions(app_context().broker.client)
    usage = []
    for title, kind in (("Sending events", EVENTS), ("Reading data", READS)):
        try:
            window = admissions.usage(
                organization.id, limit=rate.amount, window_seconds=rate.get_expiry(), kind=kind
            )
        except RedisError:
            return None
        ends_at = now() + timedelta(milliseconds=window.ends_in_ms) if window.count else None
        usage.append(Usage(title, window.count, rate.amount, ends_at))
    return usage


def _find_key(member: Member, key_id: int) -> ApiKey:
    """Find an active key of the member's organization; 404 for any other."""
    keys = api_keys.list_for_organization(member.organization.id)
    active = [key for key in keys if key.id == key_id and key.revoked_at is None]
    return active[0] if active else abort(404)


def _masked(last_four: str) -> str:
    return f"{api_keys.PREFIX}...{last_four}"
