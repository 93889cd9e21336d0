"""API keys with their scopes, and the current usage of the rate limit."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from dashboard.access import Member, administrator, viewer
from dashboard.pages.developers.frame import blueprint, show
from dashboard.pages.developers.key_forms import KeyForm, ScopesForm
from dashboard.web.context import app_context, now
from dashboard.web.ingress_address import ingress_address
from ingress.client.rate_limit import parse_rate
from models.database import transaction
from models.keys import api_keys
from models.keys.api_keys import ApiKey
from models.organizations.organizations import Organization
from queues.admissions import EVENTS, READS, Admissions, RateWindow
from rules.durations import format_duration
from services.accounts import keys
from services.accounts.audit import Maker
from services.accounts.keys import NoSuchKey


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
    return _page(member, KeyForm())


@blueprint.post("/keys")
@administrator
def create_key(member: Member) -> ResponseReturnValue:
    """Create a key. It is shown only once."""
    form = KeyForm(request.form)
    if not form.validate():
        return _page(member, form), 422
    name, chosen = str(form.name.data), form.chosen()
    with transaction():
        key = keys.create(
            member.organization.id, name, chosen, maker=Maker.of(member.person), at=now()
        )
    return show(
        "secret.html",
        member,
        title="API key created",
        what=f"This is your new key “{name}”",
        secret=key,
        back=url_for(".page"),
        back_text="Back to API keys",
        note=f"Its scopes: {', '.join(chosen)}.",
    )


@blueprint.get("/keys/<int:key_id>/scopes")
@administrator
def scopes(member: Member, key_id: int) -> ResponseReturnValue:
    """Show the scopes of a key, to change them."""
    with transaction():
        key = _find_key(member, key_id)
    form = ScopesForm(data={"scopes": [scope.value for scope in key.scopes]}).offer(key.scopes)
    return show("scopes.html", member, key=key, form=form)


@blueprint.post("/keys/<int:key_id>/scopes")
@administrator
def change_scopes(member: Member, key_id: int) -> ResponseReturnValue:
    """Change the scopes of a key."""
    with transaction():
        key = _find_key(member, key_id)
        form = ScopesForm(request.form).offer(key.scopes)
        if not form.validate():
            return show("scopes.html", member, key=key, form=form), 422
        chosen = form.chosen()
        keys.set_scopes(
            member.organization.id, key_id, chosen, maker=Maker.of(member.person), at=now()
        )
    flash(
        f"The key “{key.name}” has the scopes {', '.join(chosen)}."
        " This takes effect everywhere within 5 seconds."
    )
    return redirect(url_for(".page"), 303)


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
        keys.revoke(member.organization.id, key_id, maker=Maker.of(member.person), at=now())
    flash(f"The key “{key.name}” was revoked. It stops working everywhere within 5 seconds.")
    return redirect(url_for(".page"), 303)


def _page(member: Member, form: KeyForm) -> str:
    organization = member.organization
    with transaction():
        listed = api_keys.list_for_organization(organization.id)
    active = [key for key in listed if key.revoked_at is None]
    rate = parse_rate(organization.rate_limit or app_context().settings.rate_limit)
    return show(
        "keys.html",
        member,
        form=form,
        ingress=ingress_address(),
        keys=active,
        unchosen=[key for key in active if not key.scopes_chosen],
        revoked=[key for key in listed if key.revoked_at is not None],
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
                RateWindow(organization.id, rate.amount, rate.get_expiry(), kind)
            )
        except RedisError:
            return None
        ends_at = now() + timedelta(milliseconds=window.ends_in_ms) if window.requests else None
        usage.append(Usage(title, window.requests, rate.amount, ends_at))
    return usage


def _find_key(member: Member, key_id: int) -> ApiKey:
    """Lock and read an active key of the member's organization; 404 for any other."""
    try:
        return keys.lock(member.organization.id, key_id)
    except NoSuchKey:
        abort(404)
