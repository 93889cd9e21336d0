"""Notices that clocks were set, and moves what was recorded ahead of the present back to it."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from models import across_organizations, ahead_of_clock
from models.database import database, query
from models.organizations import organizations
from queues.backlog import Backlog
from queues.clock_differences import TOLERANCE, ClockDifference
from queues.evaluations import Evaluations

logger = logging.getLogger("brazebee.clock")

COMPARE_EVERY = timedelta(seconds=10)
"""How often the clock of PostgreSQL is compared with that of this machine."""

LOOKS = (0, 0.5, 1, 2, 4, 8, 16, 30)
"""Seconds after a clock was set back: what was in progress then is recorded a little later."""

CHUNK = 500
"""Companies that are moved in one transaction."""


class ClockSteps:
    """What the clock process knows about the clocks of machines.

    `monotonic` returns seconds, which nobody sets.
    """

    def __init__(
        self,
        backlog: Backlog,
        evaluations: Evaluations,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backlog = backlog
        self._evaluations = evaluations
        self._monotonic = monotonic
        self._postgres = ClockDifference("PostgreSQL")
        self._observed: tuple[float, datetime, datetime] | None = None
        self._compared_at = -COMPARE_EVERY.total_seconds()
        self._looks: list[float] = []

    def observe(self, now: datetime) -> bool:
        """Compare clocks with what they were at the last call; return whether one was set back.

        The first call looks for what is ahead as well: a clock may have been set before.
        """
        passed, latest = self._monotonic(), self._backlog.read().latest_now or now
        before, self._observed = self._observed, (passed, now, latest)
        if passed - self._compared_at >= COMPARE_EVERY.total_seconds():
            self._compared_at = passed
            [row] = query("select clock_timestamp() as now")
            self._postgres.note(now, row["now"])
        if before is None:
            self._looks = [passed]
            return False
        elapsed = timedelta(seconds=passed - before[0])
        ahead, latest_ahead = now - before[1] - elapsed, latest - before[2] - elapsed
        if ahead > TOLERANCE:
            logger.warning(
                "the clock of this machine jumped ahead by %.1f seconds", ahead.total_seconds()
            )
        was_set_back = min(ahead, latest_ahead) < -TOLERANCE
        if was_set_back:
            logger.warning(
                "a clock was set back by %.1f seconds; what was recorded ahead of the present is"
                " moved there",
                -min(ahead, latest_ahead).total_seconds(),
            )
            self._looks = [passed + seconds for seconds in LOOKS]
        return was_set_back

    def bring_back(self) -> int:
        """Move what is ahead to the present and enqueue its companies; return their number.

        Looks for it a few times after a clock was set back.
        """
        passed = self._monotonic()
        if not self._looks or passed < self._looks[0]:
            return 0
        self._looks = [at for at in self._looks if at > passed]
        present = self._backlog.read().latest_now or datetime.now(UTC)
        companies = across_organizations.find_companies_ahead(present + TOLERANCE, limit=CHUNK)
        by_organization: dict[int, list[int]] = {}
        for organization_id, company_id in companies:
            by_organization.setdefault(organization_id, []).append(company_id)
        moved = 0
        for organization_id, ids in by_organization.items():
            with database.atomic():
                moved += ahead_of_clock.bring_companies_back(organization_id, ids, present)
        for organization in organizations.list_all():
            with database.atomic():
                ahead_of_clock.bring_others_back(organization.id, present)
        if companies:
            logger.warning("%d companies were moved to the present", moved)
            self._looks.insert(0, passed)  # there may be more
        self._evaluations.enqueue(companies)
        return len(companies)
