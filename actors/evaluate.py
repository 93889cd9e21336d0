"""Evaluates the companies of `evaluate` messages, all of a bundle in one transaction."""

from collections.abc import Sequence

from redis.exceptions import RedisError

from actors.locked_companies import find_kept_locked
from models.across_organizations import find_organizations_of
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
        """Evaluate the companies of bundles of one organization; remove them from their lanes.

        Raises:
            Exception: as `evaluate`.
        """
        must_wait = False
        try:
            must_wait = self.evaluate(bundles[0].lane.organization_id, ids_of(bundles))
        finally:
            self._evaluations.remove(bundles, pause=REFRESH if must_wait else None)

    def evaluate_former(self, company_ids: Sequence[int]) -> None:
        """Evaluate the companies of a message of the release before, without an organization.

        Raises:
            Exception: as `evaluate`.
        """
        with transaction():
            organizations = find_organizations_of(company_ids)
        failed: Exception | None = None
        for organization_id in sorted(set(organizations.values())):
            ids = [id_ for id_ in company_ids if organizations.get(id_) == organization_id]
            try:
                self.evaluate(organization_id, ids)
            except Exception as error:  # noqa: BLE001 -- must not stop other organizations
                failed = error
        if failed is not None:
            raise failed

    def evaluate(self, organization_id: int, company_ids: Sequence[int]) -> bool:
        """Evaluate companies and enqueue what follows. One that fails does not stop the others.

        Returns whether some of them are enqueued again, since they cannot be judged before other
        records are stored.

        Raises:
            Exception: the error of the last company that failed. The clock enqueues it again.
        """
        try:
            return self._evaluate(organization_id, company_ids)
        except Exception as error:
            unavailable = isinstance(error, (RedisError, *UNAVAILABLE))
            if len(company_ids) == 1 or (unavailable and not is_lock_timeout(error)):
                raise
            locked = (
                find_kept_locked(organization_id, company_ids) if is_lock_timeout(error) else None
            )
            if locked:
                if rest := [company_id for company_id in company_ids if company_id not in locked]:
                    self.evaluate(organization_id, rest)
                raise  # the clock enqueues the locked ones again
            half = len(company_ids) // 2
            must_wait = False
            try:
                must_wait = self.evaluate(organization_id, company_ids[:half])
            finally:
                must_wait |= self.evaluate(organization_id, company_ids[half:])
            return must_wait

    def _evaluate(self, organization_id: int, company_ids: Sequence[int]) -> bool:
        reading = self._backlog.read()
        with transaction():
            result = evaluation.evaluate(
                organization_id,
                company_ids,
                self._rulebooks,
                utc_now(),
                stored_until=lambda *company: reading.of(*company) - GRACE,
                oldest_unresolved=self._backlog.oldest_unresolved,
            )
        enqueue_best_effort(
            self._broker,
            [messages.deliver(*request, parked=True) for request in result.written],
        )
        behind = reading.organizations_behind(BEHIND)
        self._evaluations.enqueue_best_effort(
            [
                (company.organization_id, company.id)
                for company in result.unsettled
                if behind.isdisjoint((company.organization_id, None))
            ]
        )
        return result.must_wait
