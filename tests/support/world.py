"""Companies that have sent events and were judged, for tests of what is told of them."""

import itertools
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from models.companies import companies
from models.database import transaction
from services.events.intake import store
from services.events.tracked_event import TrackedEvent
from services.health.evaluation import evaluate
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: , report: }
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 2 times in 10 seconds}
  - flag: Reports
    event: report
    when: {Critical: at least 1 time in 5 seconds}
"""

_numbers = itertools.count(1)


class Tracked:
    """An organization by its id, to which events are sent; times are seconds before `now`."""

    def __init__(self, organization_id: int, now: datetime, rules: str = RULES) -> None:
        self.id, self.now, self.rulebooks = organization_id, now, RuleBooks()
        with transaction():
            apply_rules(
                organization_id,
                rules,
                file="r.yaml",
                applied_by="test",
                now=now - timedelta(days=1),
            )

    def track(self, company: str, *before: float, key: str = "login", **fields: Any) -> list[int]:
        """Store an event for each time, the company's name being its id in capitals."""
        about: Mapping[str, Any] = {"name": company.upper(), **fields}
        times = [self.before(seconds) for seconds in before]
        return store(
            [
                TrackedEvent(
                    organization_id=self.id,
                    key_id=None,
                    event_id=f"tracked{next(_numbers)}",
                    event_key=key,
                    company_id=company,
                    company=dict(about),
                    user_id=None,
                    user={},
                    data=None,
                    occurred_at=at,
                    received_at=at,
                )
                for at in times
            ],
            self.rulebooks,
        )

    def before(self, seconds: float) -> datetime:
        """That many seconds before now."""
        return self.now - timedelta(seconds=seconds)

    def judge(self, company: str, before: float = 0) -> None:
        """Record what has become of a company until a time."""
        with transaction():
            found = companies.find(self.id, company)
        assert found is not None
        evaluate([found.id], self.rulebooks, self.before(before))
