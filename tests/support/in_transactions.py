"""Services called as actors call them, each time in a transaction of its own."""

from collections.abc import Collection, Sequence
from datetime import datetime

from actors.persist import store_in_transaction
from models.database import transaction
from services.events.intake import IntakeCaches
from services.events.tracked_event import TrackedEvent
from services.health import evaluation
from services.health.evaluation import EvaluationResult
from services.insights import answers
from services.rules.rule_books import RuleBooks


def store(
    events: Sequence[TrackedEvent], rulebooks: RuleBooks, caches: IntakeCaches | None = None
) -> list[int]:
    """See `services.events.intake.store`."""
    return store_in_transaction(events, rulebooks, caches)


def evaluate(
    company_ids: Collection[int],
    rulebooks: RuleBooks,
    now: datetime,
    *,
    stored_until: datetime | None = None,
) -> EvaluationResult:
    """See `services.health.evaluation.evaluate`."""
    with transaction():
        until = stored_until or now
        return evaluation.evaluate(company_ids, rulebooks, now, stored_until=lambda *_: until)


def compute_answer(organization_id: int, question: str, now: datetime) -> None:
    """See `services.insights.answers.compute_answer`."""
    with transaction():
        answers.compute_answer(organization_id, question, now)
