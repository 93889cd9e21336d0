"""The log of deliveries, and a delivery with its attempts."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, administrator, audit, viewer
from dashboard.pages.developers.frame import blueprint, find_endpoint, show
from dashboard.web.context import now
from dashboard.web.messages import enqueue_deliveries
from dashboard.web.request_values import page_cursor
from models.database import read_one_snapshot, transaction
from models.webhooks import delivery_log, webhook_endpoints
from models.webhooks.delivery_log import STATES, LoggedAttempt, LoggedDelivery
from services.webhooks import endpoints

PAGE = 50

SOON = timedelta(minutes=1)
"""While an attempt is due within this time, the page of the delivery polls for its result."""


@dataclass(frozen=True)
class DeliveryDetail:
    """A delivery with its payload and its attempts."""

    delivery: LoggedDelivery
    payload: str
    attempts: list[LoggedAttempt]

    @property
    def is_test(self) -> bool:
        """Whether it is a test event."""
        return self.delivery.event == endpoints.TEST_EVENT


@blueprint.get("/deliveries")
@viewer
def deliveries(member: Member) -> ResponseReturnValue:
    """Show the deliveries, newest first, filtered by state, endpoint and company."""
    state, company = request.args.get("state") or None, request.args.get("company") or None
    endpoint_id = request.args.get("webhook", type=UUID)
    filters = {"state": state, "company": company, "endpoint": endpoint_id}
    organization_id = member.organization.id
    with transaction():
        read_one_snapshot()
        endpoint_list = webhook_endpoints.list_for_organization(organization_id)
        logged, next_cursor = delivery_log.read_page(
            organization_id, filters, after=page_cursor(), limit=PAGE
        )
    webhook = str(endpoint_id) if endpoint_id else None
    arguments: dict[str, Any] = {"state": state, "company": company, "webhook": webhook}
    return show(
        "deliveries.html",
        member,
        deliveries=logged,
        states=STATES,
        endpoints=endpoint_list,
        arguments=arguments,
        filtered=any(arguments.values()),
        first=url_for(".deliveries", **arguments) if page_cursor() else None,
        next=url_for(".deliveries", after=next_cursor, **arguments) if next_cursor else None,
    )


@blueprint.get("/deliveries/<uuid:id>")
@viewer
def delivery(member: Member, id: UUID) -> ResponseReturnValue:  # noqa: A002 -- as links name it
    """Show a delivery with its payload and its attempts."""
    detail = _find(member, id)
    with transaction():
        endpoint_list = webhook_endpoints.list_for_organization(member.organization.id)
    return show(
        "delivery.html",
        member,
        **_template_values(detail),
        payload=_indented(detail.payload),
        endpoint_exists=any(
            endpoint.id == detail.delivery.endpoint_id for endpoint in endpoint_list
        ),
    )


@blueprint.get("/deliveries/<uuid:id>/attempts")
@viewer
def attempts(member: Member, id: UUID) -> ResponseReturnValue:  # noqa: A002 -- as links name it
    """Return the attempts of a delivery, for its page to poll."""
    return show("attempts.html", member, **_template_values(_find(member, id)))


@blueprint.post("/deliveries/<uuid:id>/resend")
@administrator
def resend(member: Member, id: UUID) -> ResponseReturnValue:  # noqa: A002 -- as links name it
    """Resend a delivery that was delivered or has failed."""
    resent = _find(member, id).delivery
    with transaction():
        endpoint = find_endpoint(member, resent.endpoint_id)
        requests = endpoints.resend(endpoint, id, now())
        if requests:
            subject = f"{resent.event} for {resent.company or 'a test'}"
            audit.record(member, "Delivery sent again", subject, {"id": str(id)})
    if requests:
        enqueue_deliveries(requests)
        flash("The delivery is being resent.")
    else:
        flash(f"This delivery is {resent.state} and will be sent automatically.", "error")
    return redirect(url_for("developers.delivery", id=id), 303)


def _find(member: Member, delivery_id: UUID) -> DeliveryDetail:
    """Find a delivery of the member's organization; 404 for any other."""
    with transaction():
        read_one_snapshot()
        organization_id = member.organization.id
        row = delivery_log.find(organization_id, delivery_id)
        if row is None:
            abort(404)
        return DeliveryDetail(*row, delivery_log.list_attempts(organization_id, delivery_id))


def _template_values(detail: DeliveryDetail) -> dict[str, object]:
    due_at = detail.delivery.next_attempt_at
    return {
        "detail": detail,
        "delivery": detail.delivery,
        "expected": due_at is not None and due_at <= now() + SOON,
        "late": due_at is not None and due_at < now() - SOON,
        "resendable": detail.delivery.state in ("delivered", "failed"),
    }


def _indented(payload: str) -> str:
    """Return a payload's JSON indented, with its keys in order; unchanged if it is not JSON."""
    try:
        return orjson.dumps(orjson.loads(payload), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return payload
