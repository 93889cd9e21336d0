"""A webhook endpoint: its state and subscription, and actions such as tests and recovery."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, administrator, audit, viewer
from dashboard.access.visitors import reader_zone
from dashboard.pages.developers.frame import blueprint, find_endpoint, show
from dashboard.pages.developers.subscription import SubscriptionForm, form_data, statuses_to_offer
from dashboard.pages.developers.webhooks import audit_detail
from dashboard.web.context import app_context, now
from dashboard.web.messages import enqueue_deliveries
from models.database import transaction
from models.webhooks import delivery_log, webhook_endpoints
from models.webhooks.webhook_endpoints import Endpoint
from services.time_zones import TimeZoneError, instant_of
from services.webhooks import endpoints
from services.webhooks.endpoints import RecoveryRefused
from services.webhooks.subscriptions import InvalidSubscription, read_overlap

NEWEST = 5
"""Deliveries that an endpoint's page shows; the log has all."""

OVERLAPS = ("24 hours", "1 hour", "7 days", "0 hours")
"""How long the old secret may keep signing after a rotation, the default first."""


@blueprint.get("/webhooks/<uuid:endpoint_id>")
@viewer
def endpoint(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Show an endpoint."""
    with transaction():
        endpoint = find_endpoint(member, endpoint_id)
        form = _form(member, endpoint)
    return _page(member, endpoint, form)


@blueprint.post("/webhooks/<uuid:endpoint_id>/subscription")
@administrator
def subscribe(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Change the subscription of an endpoint."""
    with transaction():
        endpoint = find_endpoint(member, endpoint_id)
        form = SubscriptionForm(request.form)
        form.offer(statuses_to_offer(member.organization, endpoint.subscription))
        valid = form.validate()
        if valid:
            subscription = form.subscription()
            endpoints.subscribe(endpoint, subscription)
            _record(member, "Webhook changed", endpoint, **audit_detail(subscription))
    if not valid:
        return _page(member, endpoint, form), 422
    flash("The subscription was updated.")
    return _back(endpoint_id)


@blueprint.post("/webhooks/<uuid:endpoint_id>/secret")
@administrator
def rotate_secret(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Rotate the secret of an endpoint. The new one is shown only once."""
    chosen = request.form.get("overlap", OVERLAPS[0])
    try:
        overlap = read_overlap(chosen)
    except InvalidSubscription as error:
        flash(f"The secret was not changed: {error}", "error")
        return _back(endpoint_id)
    with transaction():
        endpoint = find_endpoint(member, endpoint_id)
        secret = webhook_endpoints.rotate_secret(
            endpoint.organization_id,
            endpoint.id,
            secret_keys=app_context().settings.secret_keys,
            former_until=now() + overlap,
        )
        _record(member, "Webhook secret rotated", endpoint, overlap=chosen)
    note = f"For {chosen}, the old secret signs as well." if overlap else None
    return show(
        "secret.html",
        member,
        title="New secret",
        what=f"This secret signs the webhooks sent to {endpoint.url} from now on",
        secret=secret,
        back=url_for("developers.endpoint", endpoint_id=endpoint_id),
        back_text="Back to webhook",
        note=note,
    )


@blueprint.post("/webhooks/<uuid:endpoint_id>/disable")
@administrator
def disable(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Disable an endpoint: its deliveries are kept until it is enabled again."""
    with transaction():
        endpoint = find_endpoint(member, endpoint_id)
        endpoints.disable(endpoint, "by hand", now())
        _record(member, "Webhook disabled", endpoint)
    flash("The webhook is disabled. Its deliveries are kept until it is enabled again.")
    return _back(endpoint_id)


@blueprint.post("/webhooks/<uuid:endpoint_id>/enable")
@administrator
def enable(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Enable an endpoint, and send the deliveries that were kept."""
    with transaction():
        endpoint = find_endpoint(member, endpoint_id)
        requests = endpoints.enable(endpoint, now(), app_context().settings.webhooks)
        _record(member, "Webhook enabled", endpoint)
    enqueue_deliveries(requests)
    flash("The webhook is enabled. The deliveries that were kept are being sent.")
    return _back(endpoint_id)


@blueprint.post("/webhooks/<uuid:endpoint_id>/test")
@administrator
def send_test(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Send a test event. The page of its delivery shows the response once there is one."""
    with transaction():
        endpoint = find_endpoint(member, endpoint_id)
        delivery_id, requests = endpoints.send_test(endpoint, now())
        _record(member, "Webhook tested", endpoint)
    enqueue_deliveries(requests)
    return redirect(url_for("developers.delivery", id=delivery_id), 303)


@blueprint.post("/webhooks/<uuid:endpoint_id>/recover")
@administrator
def recover(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Resend all deliveries that failed since an instant."""
    latest = "latest" in request.form
    at, policy = now(), app_context().settings.webhooks
    try:
        with transaction():
            endpoint = find_endpoint(member, endpoint_id)
            since = _since(request.form.get("since"))
            count, requests = endpoints.recover(
                endpoint, since=since, latest=latest, now=at, policy=policy
            )
            detail = {"since": since.isoformat(), "deliveries": count}
            _record(member, "Deliveries recovered", endpoint, **detail)
    except RecoveryRefused as error:
        flash(str(error), "error")
        return _back(endpoint_id)
    enqueue_deliveries(requests)
    flash(
        f"{count} failed deliveries are being resent."
        if count
        else "No deliveries failed since then."
    )
    return _back(endpoint_id)


@blueprint.get("/webhooks/<uuid:endpoint_id>/remove")
@administrator
def ask_to_remove(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Ask for confirmation, with the consequences of removing an endpoint."""
    with transaction():
        endpoint = find_endpoint(member, endpoint_id)
    return show("remove.html", member, endpoint=endpoint)


@blueprint.post("/webhooks/<uuid:endpoint_id>/remove")
@administrator
def remove(member: Member, endpoint_id: UUID) -> ResponseReturnValue:
    """Remove an endpoint, and cancel its pending deliveries."""
    with transaction():
        endpoint = find_endpoint(member, endpoint_id)
        endpoints.remove(endpoint)
        _record(member, "Webhook removed", endpoint)
    flash(f"The webhook to {endpoint.host} was removed.")
    return redirect(url_for(".webhooks"), 303)


def _form(member: Member, endpoint: Endpoint) -> SubscriptionForm:
    form = SubscriptionForm(data=form_data(endpoint.subscription))
    form.offer(statuses_to_offer(member.organization, endpoint.subscription))
    return form


def _page(member: Member, endpoint: Endpoint, form: SubscriptionForm) -> str:
    at = now()
    filters = {"endpoint": endpoint.id}
    with transaction():
        newest, more = delivery_log.read_page(member.organization.id, filters, limit=NEWEST)
    earliest = endpoints.earliest_recovery(at, app_context().settings.webhooks)
    since = max(earliest + timedelta(minutes=1), endpoint.failing_since or at - timedelta(days=1))
    return show(
        "endpoint.html",
        member,
        endpoint=endpoint,
        form=form,
        newest=newest,
        more=more,
        overlaps=OVERLAPS,
        since=f"{since.astimezone(reader_zone()):%Y-%m-%dT%H:%M}",
        earliest=earliest,
    )


def _since(entered: str | None) -> datetime:
    """Parse the instant that was entered, which is in the reader's time zone without an offset.

    Raises:
        RecoveryRefused: the text is not an instant.
    """
    try:
        since = datetime.fromisoformat((entered or "").strip())
        return instant_of(since, reader_zone()) if since.tzinfo is None else since.astimezone(UTC)
    except TimeZoneError as error:
        raise RecoveryRefused(str(error)) from None
    except (OverflowError, ValueError):
        raise RecoveryRefused("Enter a start time, such as 2026-01-20T10:30.") from None


def _record(member: Member, action: str, endpoint: Endpoint, **detail: object) -> None:
    audit.record(member, action, endpoint.url, {"id": str(endpoint.id), **detail})


def _back(endpoint_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("developers.endpoint", endpoint_id=endpoint_id), 303)
