"""The queue of companies to evaluate. Its entries are hints: what is lost the clock finds again."""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta

import orjson
from redis import Redis
from redis.exceptions import RedisError

from queues.lanes.lane import PARTITIONS, Lane
from queues.lanes.lane_queue import Bundle, LaneQueue

logger = logging.getLogger("brazebee.actors")

CompanyId = tuple[int, int]
"""The ids of the rows of an organization and of one of its companies."""


class Evaluations:
    """Enqueues companies to evaluate, so that organizations take turns."""

    def __init__(self, client: Redis) -> None:
        self._queue = LaneQueue.of_evaluations(client)

    def enqueue(self, companies: Iterable[CompanyId]) -> None:
        """Enqueue companies.

        Raises:
            RedisError: Redis does not answer.
        """
        self._queue.append(
            (Lane(organization_id, company_id % PARTITIONS), str(company_id).encode())
            for organization_id, company_id in companies
        )

    def enqueue_best_effort(self, companies: Sequence[CompanyId]) -> None:
        """Enqueue companies; if Redis fails, log it and leave the work to the clock."""
        try:
            self.enqueue(companies)
        except RedisError as error:
            logger.warning(
                "%d evaluations were not enqueued; the clock will enqueue them: %s",
                len(companies),
                error,
            )

    def waiting(self) -> dict[int, int]:
        """Return the number of waiting companies by organization.

        Raises:
            RedisError: Redis does not answer.
        """
        numbers: dict[int, int] = {}
        for lane in self._queue.waiting():
            organization_id = lane.lane.organization_id
            numbers[organization_id] = numbers.get(organization_id, 0) + lane.entries
        return numbers

    def remove(self, bundles: Sequence[Bundle], *, pause: timedelta | None = None) -> None:
        """Remove companies that were evaluated, or could not be; if Redis fails, log it.

        What their lanes have gained meanwhile is taken after a pause, if there is one.
        """
        try:
            self._queue.remove(*bundles, pause=pause)
        except RedisError as error:
            logger.warning("evaluations were not removed and will be repeated: %s", error)


def ids_of(bundles: Iterable[Bundle]) -> list[int]:
    """Return the ids of the companies in bundles, each once."""
    return sorted({id_ for bundle in bundles for id_ in orjson.loads(b"[%b]" % bundle.payload)})
