"""Looks after the records that wait for the companies of their users."""

import logging
from datetime import datetime, timedelta

from models.across_organizations import list_with_waiting_records
from models.database import transaction
from queues.lanes.lane_queue import LaneQueue
from rules.durations import BEGINNING
from services.events import waiting

logger = logging.getLogger("brazebee.clock")

LOOK_EVERY = timedelta(minutes=1)

CHUNK = 500
"""The most records that one tick of the clock sets aside, or returns to the journal."""


class WaitingUpkeep:
    """Which organizations have records that wait, as the clock knows it."""

    def __init__(self, journal: LaneQueue) -> None:
        self._journal = journal
        self._looked_at = BEGINNING
        self._organizations: list[int] = []

    def look(self, now: datetime) -> None:
        """Look after a chunk of records of one organization, in a transaction of its own.

        What has waited for too long is set aside; what need not wait returns to the journal.

        Raises:
            RedisError: Redis does not answer or is full; nothing was changed.
        """
        if now - self._looked_at > LOOK_EVERY:
            self._looked_at = now
            self._organizations = list_with_waiting_records()
        if not self._organizations:
            return
        organization_id = self._organizations[0]
        with transaction():
            expired = waiting.set_aside_expired(organization_id, now, limit=CHUNK)
            returned = waiting.return_to_journal(organization_id, self._journal, limit=CHUNK)
        if expired:
            logger.error(
                "%d records of organization %d were set aside: they have waited for the companies"
                " of their users for %d days; see `brazebee rejected list`",
                expired,
                organization_id,
                waiting.LONGEST.days,
            )
        if max(expired, returned) < CHUNK:
            self._organizations.pop(0)
