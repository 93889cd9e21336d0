"""Writes the deliveries of transitions, so that however many there are, few are sent at once."""

from collections.abc import Sequence
from dataclasses import replace

from models.webhooks import deliveries
from models.webhooks.deliveries import NewDelivery, Request
from models.webhooks.pending_deliveries import list_endpoints_with_parked


def write_new(new: Sequence[NewDelivery]) -> list[Request]:
    """Insert deliveries, the oldest first, and return the attempts to make after the commit.

    Only the first to each endpoint is attempted now, and only if no others wait for it. The rest
    are parked: the end of each attempt gives the next ones their turn. The second one is also
    watched by the clock. It uses the second slot if the first attempt takes long; and if the last
    attempt to the endpoint ended before this transaction committed, nothing else would find it.
    """
    turns = _Turns(new)
    placed = [turns.place(delivery) for delivery in new]
    deliveries.add_all(placed)
    return [delivery.request for delivery in placed if not delivery.paused and not delivery.parked]


class _Turns:
    """The number of deliveries before the next one of each endpoint, counted up to two."""

    def __init__(self, new: Sequence[NewDelivery]) -> None:
        organization_ids = {delivery.organization_id for delivery in new if not delivery.paused}
        self._before = {
            endpoint_id: 1
            for organization_id in sorted(organization_ids)
            for endpoint_id in list_endpoints_with_parked(organization_id)
        }

    def place(self, delivery: NewDelivery) -> NewDelivery:
        """Return a delivery, parked if it is not its turn."""
        if delivery.paused:
            return delivery
        before = self._before.get(delivery.endpoint_id, 0)
        self._before[delivery.endpoint_id] = before + 1
        return replace(delivery, parked=before > 0, watched=before == 1)
