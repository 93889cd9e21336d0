"""Trace: what became of one event, from its request to the webhooks."""

from collections.abc import Callable, Mapping

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from dashboard.access import Member, viewer
from dashboard.web.addresses import company_address
from dashboard.web.context import app_context, now
from services.incoming.trace import Step, trace

blueprint = Blueprint("trace", __name__, url_prefix="/o/<name:organization>/events/trace")

LONGEST_ID = 1_000

ADDRESSES: Mapping[str, Callable[[Step], str]] = {
    "company": lambda step: company_address(step.subject),
    "refused": lambda step: url_for("refused.entry", request_id=step.subject),
    "set aside": lambda step: url_for("set_aside.entry", id=step.subject),
    "delivery": lambda step: url_for("developers.delivery", id=step.subject),
}
"""The page of a step, by what it shows."""

TONES = {"done": "good", "later": "none", "waiting": "fair", "failed": "bad"}


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Ask for the id of an event, and show what became of it."""
    event_id = request.args.get("id", "").strip()
    found, unavailable = None, False
    if event_id:
        try:
            found = trace(
                member.organization.id,
                event_id[:LONGEST_ID],
                app_context().broker.client,
                app_context().rulebooks,
                now(),
            )
        except RedisError:
            unavailable = True
    return render_template(
        "trace/page.html",
        event_id=event_id,
        found=found,
        unavailable=unavailable,
        tones=TONES,
        address_of=lambda step: ADDRESSES[step.page](step) if step.page else None,
        company_known=found is not None and any(step.page == "company" for step in found.steps),
    )
