"""Writes the deliveries of transitions, so that however many there are, few are sent at once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from models.webhooks import deliveries
from models.webhooks.deliveries import NewDelivery, Request

WATCHED = 2
"""Deliveries to each endpoint that the clock looks at."""


def write_new(new: Sequence[NewDelivery]) -> list[Request]:
    """Insert deliveries, the oldest first, and return the attempts to make after the commit.

    All are parked, and only the first to each endpoint is requested: its message uses a free slot
    of the endpoint, and the end of each attempt gives the next ones their turn. An attempt that
    ends before this transaction commits cannot see them, so at least one has to be requested, and
    found by the clock if the message is lost. The clock also finds the second one, which uses the
    second slot if the first attempt takes long.
    """
    earlier: Counter[UUID] = Counter()
    placed, requests = [], []
    for delivery in new:
        if delivery.paused:
            placed.append(delivery)
            continue
        before = earlier[delivery.endpoint_id]
        earlier[delivery.endpoint_id] += 1
        placed.append(replace(delivery, parked=True, watched=before < WATCHED))
        if not before:
            requests.append(delivery.request)
    deliveries.add_all(placed)
    return requests
