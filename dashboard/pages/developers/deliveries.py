"""The log of deliveries, and one delivery with its attempts."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, administrator, audit, viewer
from dashboard.pages.developers.frame import blueprint, find_endpoint, show
from dashboard.web.context import app_context, now
from dashboard.web.request_values import page_cursor
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from models.webhooks import delivery_log, webhook_endpoints
from models.webhooks.delivery_log import STATES, LoggedAttempt, LoggedDelivery
from services.webhooks import endpoints

PAGE = 50

SOON = timedelta(minutes=1)
"""While an attempt is due so soon, its page looks for it by itself."""


@dataclass(frozen=True)
class Sent:
    """A delivery with what it says and what was answered."""

    delivery: LoggedDelivery
    payload: str
    attempts: list[LoggedAttempt]

    @property
    def is_test(self) -> bool:
        """Whether somebody sent it to see what is answered."""
        return self.delivery.event == endpoints.TEST_EVENT


@blueprint.get("/deliveries")
@viewer
def deliveries(member: Member) -> ResponseReturnValue:
    """The newest deliveries, of any or one state, endpoint and company."""
    state, company = request.args.get("state") or None, request.args.get("company") or None
    endpoint_id = request.args.get("webhook", type=UUID)
    filters = {"state": state, "company": company, "endpoint": endpoint_id}
    organization_id = member.organization.id
    with transaction():
        read_one_snapshot()
        known = webhook_endpoints.of_organization(organization_id)
        try:
            found, following = delivery_log.page(
                organization_id, filters, after=page_cursor(), limit=PAGE
            )
        except UnreadableCursor:
            abort(404)
    webhook = str(endpoint_id) if endpoint_id else None
    asked: dict[str, Any] = {"state": state, "company": company, "webhook": webhook}
    return show(
        "deliveries.html",
        member,
        deliveries=found,
        states=STATES,
        endpoints=known,
        asked=asked,
        filtered=any(asked.values()),
        first=url_for(".deliveries", **asked) if page_cursor() else None,
        next=url_for(".deliveries", after=following, **asked) if following else None,
    )


@blueprint.get("/deliveries/<uuid:id>")
@viewer
def delivery(member: Member, id: UUID) -> ResponseReturnValue:  # noqa: A002 -- as links name it
    """One delivery: what it says, and each attempt at it."""
    sent = _find(member, id)
    with transaction():
        known = webhook_endpoints.of_organization(member.organization.id)
    return show(
        "delivery.html",
        member,
        **_told(sent),
        payload=_spread(sent.payload),
        endpoint_is_there=any(one.id == sent.delivery.endpoint_id for one in known),
    )


@blueprint.get("/deliveries/<uuid:id>/attempts")
@viewer
def attempts(member: Member, id: UUID) -> ResponseReturnValue:  # noqa: A002 -- as links name it
    """How a delivery stands now, for its page."""
    return show("attempts.html", member, **_told(_find(member, id)))


@blueprint.post("/deliveries/<uuid:id>/resend")
@administrator
def resend(member: Member, id: UUID) -> ResponseReturnValue:  # noqa: A002 -- as links name it
    """Send a delivery again at once, which was accepted or given up."""
    found = _find(member, id).delivery
    with transaction():
        endpoint = find_endpoint(member, found.endpoint_id)
        following = endpoints.resend(endpoint, id, now())
        if following:
            subject = f"{found.event} for {found.company or 'a test'}"
            audit.record(member, "Delivery sent again", subject, {"id": str(id)})
    if following:
        endpoints.enqueue_deliveries(app_context().broker, following)
        flash("The delivery is being resent.")
    else:
        flash(f"It is {found.state} and will be sent automatically.", "error")
    return redirect(url_for("developers.delivery", id=id), 303)


def _find(member: Member, delivery_id: UUID) -> Sent:
    """A delivery of the member's organization; 404 for any other."""
    with transaction():
        read_one_snapshot()
        found = delivery_log.find(member.organization.id, delivery_id)
        if found is None:
            abort(404)
        return Sent(*found, delivery_log.attempts(delivery_id))


def _told(sent: Sent) -> dict[str, object]:
    due_at = sent.delivery.next_attempt_at
    return {
        "sent": sent,
        "delivery": sent.delivery,
        "expected": due_at is not None and due_at <= now() + SOON,
        "late": due_at is not None and due_at < now() - SOON,
        "resendable": sent.delivery.state in ("delivered", "failed"),
    }


def _spread(payload: str) -> str:
    """A payload's JSON over several lines, with its keys in their order."""
    try:
        return orjson.dumps(orjson.loads(payload), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return payload
