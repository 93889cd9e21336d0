"""Writes the deliveries of transitions, so that however many there are, few are sent at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from models.webhooks import deliveries, pending_deliveries
from models.webhooks.deliveries import NewDelivery, Request

BACKLOG_AGE = timedelta(seconds=1)
"""Deliveries that are parked for longer than this are a backlog."""


def write_new(new: Sequence[NewDelivery]) -> list[Request]:
    """Insert deliveries of an organization, the oldest first; return the attempts to make.

    They are to be made after the commit. All deliveries are parked, and only the first to each
    endpoint is requested: its message uses a free slot of the endpoint, and the end of each attempt
    gives the next ones their turn. An attempt that ends before this transaction commits cannot see
    them, so one has to be requested. To an endpoint with a backlog none is requested: the backlog
    has its turn first, and its end gives the new ones theirs. Requests for an endpoint that hangs
    would be as many as the transitions, and none could be claimed.

    If a message is lost, or the backlog ends before this transaction does, the clock finds them.
    """
    sent = [delivery for delivery in new if not delivery.paused]
    first: dict[UUID, NewDelivery] = {}
    for delivery in sent:
        first.setdefault(delivery.endpoint_id, delivery)
    deliveries.add_all([replace(delivery, parked=not delivery.paused) for delivery in new])
    if not sent:
        return []
    with_backlog = pending_deliveries.find_backlogs(
        sent[0].organization_id, list(first), before=sent[0].created_at - BACKLOG_AGE
    )
    return [delivery.request for id_, delivery in first.items() if id_ not in with_backlog]
