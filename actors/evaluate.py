"""Evaluates the companies of `evaluate` messages, all of a bundle in one transaction."""

from collections.abc import Sequence

from redis.exceptions import RedisError

from actors.locked_companies import find_kept_locked
from models.database import UNAVAILABLE, is_lock_timeout, transaction
from queues import messages
from queues.backlog import BEHIND, GRACE, REFRESH, Backlog
from queues.best_effort import enqueue_best_effort
from queues.broker import QueueBroker
from queues.evaluations import ids_of
from queues.lanes.lane_queue import Bundle
from services.health import evaluation
from services.rules.rule_books import RuleBooks
from services.times import utc_now


class CompanyEvaluator:
    """The work of the `evaluate` actor."""

    def __init__(self, broker: QueueBroker, rulebooks: RuleBooks) -> None:
        self._broker = broker
        self._rulebooks = rulebooks
        self._evaluations = broker.evaluations
        self._backlog = Backlog(broker, utc_now, refresh=REFRESH)

    def evaluate_lanes(self, bundles: Sequence[Bundle]) -> None:
        """Evaluate the companies of bundles and remove them from their lanes.

        Raises:
            Exception: as `evaluate`.
        """
        try:
            self.evaluate(ids_of(bundles))
        finally:
            self._evaluations.remove(bundles)

    def evaluate(self, company_ids: Sequence[int]) -> None:
        """Evaluate companies and enqueue what follows. One that fails does not stop the others.

        Raises:
            Exception: the error of the last company that failed. The clock enqueues it again.
        """
        try:
            self._evaluate(company_ids)
        except Exception as error:
            unavailable = isinstance(error, (RedisError, *UNAVAILABLE))
            if len(company_ids) == 1 or (unavailable and not is_lock_timeout(error)):
                raise
            if is_lock_timeout(error) and (locked := find_kept_locked(company_ids)):
                if rest := [company_id for company_id in company_ids if company_id not in locked]:
                    self.evaluate(rest)
                raise  # the clock enqueues the locked ones again
            half = len(company_ids) // 2
            try:
                self.evaluate(company_ids[:half])
            finally:
                self.evaluate(company_ids[half:])

    def _evaluate(self, company_ids: Sequence[int]) -> None:
        reading = self._backlog.read()
        with transaction():
            result = evaluation.evaluate(
                company_ids,
                self._rulebooks,
                utc_now(),
                stored_until=lambda *company: reading.of(*company) - GRACE,
            )
        enqueue_best_effort(
            self._broker,
            [messages.deliver(*request) for request in result.written],
        )
        behind = reading.organizations_behind(BEHIND)
        self._evaluations.enqueue_best_effort(
            [
                (company.organization_id, company.id)
                for company in result.unsettled
                if behind.isdisjoint((company.organization_id, None))
            ]
        )
