"""One webhook endpoint: how it fares, what it is told, and what is done to it by hand."""

from datetime import datetime, timedelta
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, administrator, audit, viewer
from dashboard.pages.developers.frame import blueprint, find_endpoint, show
from dashboard.pages.developers.subscription import SubscriptionForm, filled, statuses_to_offer
from dashboard.pages.developers.webhooks import described
from dashboard.web.context import app_context, now
from models.database import transaction
from models.webhooks import delivery_log, webhook_endpoints
from models.webhooks.webhook_endpoints import Endpoint
from rules.phrases.fields import as_instant
from services.webhooks import endpoints
from services.webhooks.endpoints import RecoveryRefused
from services.webhooks.subscriptions import InvalidSubscription, read_overlap

NEWEST = 5
"""Deliveries that an endpoint's page shows; the log has all."""

OVERLAPS = ("24 hours", "1 hour", "7 days", "0 hours")
"""How long a former secret may go on signing, the usual first."""


@blueprint.get("/webhooks/<uuid:endpoint_id>")
@viewer
def endpoint(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """All that is known of an endpoint."""
    with transaction():
        found = find_endpoint(member, endpoint_id)
        form = _form(member, found)
    return _page(member, found, form)


@blueprint.post("/webhooks/<uuid:endpoint_id>/subscription")
@administrator
def subscribe(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Change what an endpoint is told of."""
    with transaction():
        found = find_endpoint(member, endpoint_id)
        form = SubscriptionForm(request.form)
        form.offer(statuses_to_offer(member.organization, found.wanted))
        fits = form.validate()
        if fits:
            wanted = form.wanted()
            endpoints.subscribe(found, wanted)
            _record(member, "Webhook changed", found, **described(wanted))
    if not fits:
        return _page(member, found, form), 422
    flash("The subscription was updated.")
    return _back(endpoint_id)


@blueprint.post("/webhooks/<uuid:endpoint_id>/secret")
@administrator
def rotate_secret(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Give an endpoint a new secret, which is shown this once."""
    chosen = request.form.get("overlap", OVERLAPS[0])
    try:
        overlap = read_overlap(chosen)
    except InvalidSubscription as error:
        flash(f"The secret was not changed: {error}", "error")
        return _back(endpoint_id)
    with transaction():
        found = find_endpoint(member, endpoint_id)
        secret = webhook_endpoints.rotate_secret(
            found.id, secret_keys=app_context().settings.secret_keys, former_until=now() + overlap
        )
        _record(member, "Webhook secret rotated", found, overlap=chosen)
    note = f"For {chosen}, the old secret signs as well." if overlap else None
    return show(
        "secret.html",
        member,
        title="New secret",
        what=f"This secret signs the webhooks sent to {found.url} from now on",
        secret=secret,
        back=url_for("developers.endpoint", endpoint_id=endpoint_id),
        back_text="Back to webhook",
        note=note,
    )


@blueprint.post("/webhooks/<uuid:endpoint_id>/disable")
@administrator
def disable(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Send nothing more until it is enabled."""
    with transaction():
        found = find_endpoint(member, endpoint_id)
        endpoints.disable(found, "by hand", now())
        _record(member, "Webhook disabled", found)
    flash("The webhook is disabled. Its deliveries are kept until it is enabled again.")
    return _back(endpoint_id)


@blueprint.post("/webhooks/<uuid:endpoint_id>/enable")
@administrator
def enable(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Send again, with all that was kept meanwhile."""
    with transaction():
        found = find_endpoint(member, endpoint_id)
        following = endpoints.enable(found, now(), app_context().settings.webhooks)
        _record(member, "Webhook enabled", found)
    endpoints.enqueue_deliveries(app_context().broker, following)
    flash("The webhook is enabled. The deliveries that were kept are being sent.")
    return _back(endpoint_id)


@blueprint.post("/webhooks/<uuid:endpoint_id>/test")
@administrator
def send_test(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Send a test event; its page shows what was answered as soon as that is known."""
    with transaction():
        found = find_endpoint(member, endpoint_id)
        delivery_id, following = endpoints.send_test(found, now())
        _record(member, "Webhook tested", found)
    endpoints.enqueue_deliveries(app_context().broker, following)
    return redirect(url_for("developers.delivery", id=delivery_id), 303)


@blueprint.post("/webhooks/<uuid:endpoint_id>/recover")
@administrator
def recover(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Send again all that failed since an instant."""
    latest = "latest" in request.form
    at, policy = now(), app_context().settings.webhooks
    try:
        with transaction():
            found = find_endpoint(member, endpoint_id)
            since = _since(request.form.get("since"))
            number, following = endpoints.recover(
                found, since=since, latest=latest, now=at, policy=policy
            )
            detail = {"since": since.isoformat(), "deliveries": number}
            _record(member, "Deliveries recovered", found, **detail)
    except RecoveryRefused as error:
        flash(str(error), "error")
        return _back(endpoint_id)
    endpoints.enqueue_deliveries(app_context().broker, following)
    flash(
        f"{number} failed deliveries are being resent."
        if number
        else "No deliveries failed since then."
    )
    return _back(endpoint_id)


@blueprint.get("/webhooks/<uuid:endpoint_id>/remove")
@administrator
def ask_to_remove(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Say what removing an endpoint does, and ask."""
    with transaction():
        found = find_endpoint(member, endpoint_id)
    return show("remove.html", member, endpoint=found)


@blueprint.post("/webhooks/<uuid:endpoint_id>/remove")
@administrator
def remove(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """End a subscription; what waits for it is cancelled."""
    with transaction():
        found = find_endpoint(member, endpoint_id)
        endpoints.remove(found)
        _record(member, "Webhook removed", found)
    flash(f"The webhook to {found.host} was removed.")
    return redirect(url_for(".webhooks"), 303)


def _form(member: Member, found: Endpoint) -> SubscriptionForm:
    form = SubscriptionForm(data=filled(found.wanted))
    form.offer(statuses_to_offer(member.organization, found.wanted))
    return form


def _page(member: Member, found: Endpoint, form: SubscriptionForm) -> str:
    at = now()
    filters = {"endpoint": found.id}
    with transaction():
        newest, more = delivery_log.page(member.organization.id, filters, limit=NEWEST)
    earliest = endpoints.earliest_recovery(at, app_context().settings.webhooks)
    since = max(earliest + timedelta(minutes=1), found.failing_since or at - timedelta(days=1))
    return show(
        "endpoint.html",
        member,
        endpoint=found,
        form=form,
        newest=newest,
        more=more,
        overlaps=OVERLAPS,
        since=f"{since:%Y-%m-%dT%H:%M}",
        earliest=earliest,
    )


def _since(entered: str | None) -> datetime:
    """The instant that was entered.

    Raises:
        RecoveryRefused: it is none.
    """
    since = as_instant(entered)
    if since is None:
        raise RecoveryRefused("Enter a start time, such as 2026-01-20T10:30.")
    return since


def _record(member: Member, action: str, found: Endpoint, **detail: object) -> None:
    audit.record(member, action, found.url, {"id": str(found.id), **detail})


def _back(endpoint_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("developers.endpoint", endpoint_id=endpoint_id), 303)
