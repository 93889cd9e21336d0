"""Judges the companies of `evaluate` messages: all of a bundle in one transaction."""

from collections.abc import Sequence

from redis.exceptions import RedisError

from models.database import UNAVAILABLE
from queues import messages
from queues.backlog import Horizon
from queues.broker import QueueBroker
from queues.hints import hint_all
from services.health import evaluation
from services.rules.rule_books import RuleBooks
from services.times import utc_now


class Evaluating:
    """The work of the `evaluate` actor."""

    def __init__(self, broker: QueueBroker, rulebooks: RuleBooks) -> None:
        self._broker = broker
        self._rulebooks = rulebooks
        self._horizon = Horizon(broker, utc_now, look_every=0.1)

    def evaluate(self, company_ids: Sequence[int]) -> None:
        """Judge companies, and ask for what follows. One that cannot be judged stops no other.

        Raises:
            Exception: of the last company that cannot be judged. The clock asks for it again.
        """
        try:
            self._evaluate(company_ids)
        except (RedisError, *UNAVAILABLE):
            raise
        except Exception:
            if len(company_ids) == 1:
                raise
            half = len(company_ids) // 2
            try:
                self.evaluate(company_ids[:half])
            finally:
                self.evaluate(company_ids[half:])

    def _evaluate(self, company_ids: Sequence[int]) -> None:
        until = self._horizon.known_until()
        done = evaluation.evaluate(company_ids, self._rulebooks, utc_now(), known_until=until)
        following = [messages.deliver(delivery_id, attempt=1) for delivery_id in done.written]
        if done.unsettled and not self._horizon.is_behind():
            following += [messages.evaluate(company_id) for company_id in done.unsettled]
        hint_all(self._broker, following)
