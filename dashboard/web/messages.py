"""Messages that the dashboard enqueues for the workers."""

import logging
from collections.abc import Sequence

from redis.exceptions import RedisError

from dashboard.web.context import app_context
from models.webhooks.deliveries import Request
from queues import messages
from services.insights.questions import Question, write_question
from services.webhooks import endpoints

logger = logging.getLogger("brazebee.dashboard")


def enqueue_deliveries(requests: Sequence[Request]) -> None:
    """Enqueue attempts that a transaction has requested; if that fails, the clock does it."""
    endpoints.enqueue_deliveries(app_context().broker, requests)


def enqueue_questions(organization_id: int, questions: Sequence[Question]) -> None:
    """Enqueue questions to be answered for the next visit, which retries if that fails."""
    answers = [
        messages.compute_answer(organization_id, write_question(question)) for question in questions
    ]
    if not answers:
        return
    try:
        app_context().broker.enqueue_all(answers)
    except RedisError as error:
        logger.warning("%s questions were not enqueued: %s", len(answers), error)


def enqueue_forecast(organization_id: int) -> None:
    """Enqueue a refresh of a forecast; if that fails, the clock does it."""
    try:
        app_context().broker.enqueue(messages.refresh_forecast(organization_id))
    except RedisError as error:
        logger.warning("the refresh of a forecast was not enqueued: %s", error)
