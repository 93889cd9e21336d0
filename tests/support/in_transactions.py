"""Services called as actors call them, each time in a transaction of its own."""

from collections.abc import Collection, Sequence
from datetime import datetime

from actors.persist import store_in_transaction
from models.across_organizations import find_organizations_of
from models.database import transaction
from services.events.intake import IntakeCaches
from services.events.records import Record
from services.health import evaluation
from services.health.evaluation import EvaluationResult
from services.insights import answers
from services.rules.rule_books import RuleBooks


def store(
    records: Sequence[Record], rulebooks: RuleBooks, caches: IntakeCaches | None = None
) -> list[int]:
    """Store records, those of each organization as `services.events.intake.store` does."""
    of_organizations: dict[int, list[Record]] = {}
    for record in records:
        of_organizations.setdefault(record.organization_id, []).append(record)
    return [
        company_id
        for of_one in of_organizations.values()
        for company_id in store_in_transaction(of_one, rulebooks, caches)
    ]


def evaluate(
    company_ids: Collection[int],
    rulebooks: RuleBooks,
    now: datetime,
    *,
    stored_until: datetime | None = None,
) -> EvaluationResult:
    """Evaluate companies of one organization; see `services.health.evaluation.evaluate`."""
    with transaction():
        until = stored_until or now
        organization_ids = set(find_organizations_of(company_ids).values())
        [organization_id] = organization_ids or {0}
        return evaluation.evaluate(
            organization_id, company_ids, rulebooks, now, stored_until=lambda *_: until
        )


def compute_answer(organization_id: int, question: str, now: datetime) -> None:
    """See `services.insights.answers.compute_answer`."""
    with transaction():
        answers.compute_answer(organization_id, question, now)
