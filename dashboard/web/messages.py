"""Messages that the dashboard enqueues for the workers."""

import logging
from collections.abc import Sequence
from uuid import UUID

from redis.exceptions import RedisError

from dashboard.web.context import app_context
from queues import messages
from queues.best_effort import enqueue_best_effort
from services.insights.questions import Question, write_question

logger = logging.getLogger("brazebee.dashboard")


def enqueue_deliveries(ids: Sequence[UUID]) -> None:
    """Request the first attempt of new deliveries at once; if that fails, the clock does it."""
    enqueue_best_effort(
        app_context().broker, [messages.deliver(delivery_id, 1) for delivery_id in ids]
    )


def enqueue_questions(organization_id: int, questions: Sequence[Question]) -> None:
    """Have questions answered for the next visit; if that fails, the next visit asks again."""
    requests = [messages.compute_answer(organization_id, write_question(question)) for question in questions]
    if not requests:
        return
    try:
        app_context().broker.enqueue_all(requests)
    except RedisError as error:
        logger.warning("%s questions were not enqueued: %s", len(requests), error)
