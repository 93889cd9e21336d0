"""What the dashboard asks of other processes through their queues."""

import logging
from collections.abc import Sequence
from uuid import UUID

from redis.exceptions import RedisError

from dashboard.web.context import parts
from queues import messages
from queues.hints import hint_all
from services.insights import Question, write

logger = logging.getLogger("brazebee.dashboard")


def ask_for_deliveries(ids: Sequence[UUID]) -> None:
    """Have deliveries that were just written sent at once; should that fail, the clock does it."""
    hint_all(parts().broker, [messages.deliver(delivery_id, 1) for delivery_id in ids])


def ask_to_work_out(organization_id: int, questions: Sequence[Question]) -> None:
    """Have questions answered for whoever looks next; should that fail, they are asked again."""
    asked = [messages.work_out(organization_id, write(question)) for question in questions]
    if not asked:
        return
    try:
        parts().broker.enqueue_all(asked)
    except RedisError as error:
        logger.warning("%s questions were not asked: %s", len(asked), error)
