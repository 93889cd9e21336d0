"""A company whose flags are snoozed and overridden."""

import itertools
from datetime import UTC, datetime, timedelta

from models.companies import companies
from models.companies.companies import Company
from models.database import transaction
from models.health import flag_overrides, transitions
from models.health.flag_overrides import StoredOverride
from models.organizations import organizations
from services.events.tracked_event import TrackedEvent
from services.health.explanation import Explanation, explain
from services.health.overrides import (
    FlagOfCompany,
    JudgingContext,
    Justification,
    OverrideResult,
    end,
    override,
    snooze,
)
from services.rules.apply_rules import apply_rules
from services.rules.planned_changes import PlannedChange, companies_due, forecast
from services.rules.rule_books import RuleBooks
from tests.support.in_transactions import evaluate, store
from tests.support.world import RULES

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)

GROUNDS = Justification(reason="the contract is on hold", owner="ann@example.com", made_by="ben")

numbers = itertools.count(1)


def after(seconds: float) -> datetime:
    return T0 + timedelta(microseconds=round(seconds * 1_000_000))


class Tenant:
    """An organization with the company `acme`, whose flag `Logs in` people override."""

    def __init__(self, name: str = "o") -> None:
        self.rulebooks = RuleBooks()
        with transaction():
            self.id = organizations.create(name).id
        self.apply(RULES, -60)
        self.track(0)
        self.judge(0)

    def apply(self, rules: str, at: float) -> None:
        with transaction():
            apply_rules(self.id, rules, file="r.yaml", applied_by="test", now=after(at))

    def track(self, *times: float, key: str = "login") -> None:
        store(
            [
                TrackedEvent(
                    organization_id=self.id,
                    key_id=None,
                    event_id=f"e{next(numbers)}",
                    event_key=key,
                    company_id="acme",
                    company={"name": "Acme Corp"},
                    user_id=None,
                    user={},
                    data=None,
                    occurred_at=after(at),
                    received_at=after(at),
                )
                for at in times
            ],
            self.rulebooks,
        )

    def target(self, flag: str = "Logs in", company: str = "acme") -> FlagOfCompany:
        return FlagOfCompany(self.id, company, flag)

    def judging(self, at: float, stored_until: float | None = None) -> JudgingContext:
        known = at if stored_until is None else stored_until
        return JudgingContext(self.rulebooks, after(at), after(known))

    def snooze(
        self, at: float, until: float, *, stored_until: float | None = None
    ) -> OverrideResult:
        with transaction():
            judging = self.judging(at, stored_until)
            return snooze(self.target(), after(until), GROUNDS, judging)

    def override(
        self, at: float, status: str, until: float | None = None, *, flag: str = "Logs in"
    ) -> OverrideResult:
        ends_at = None if until is None else after(until)
        with transaction():
            return override(self.target(flag), status, ends_at, GROUNDS, self.judging(at))

    def end(self, at: float) -> OverrideResult:
        with transaction():
            return end(self.target(), "cem", self.judging(at))

    @property
    def company(self) -> Company:
        with transaction():
            found = companies.find(self.id, "acme")
        assert found is not None
        return found

    def judge(self, at: float, *, stored_until: float | None = None) -> None:
        known = None if stored_until is None else after(stored_until)
        evaluate([self.company.id], self.rulebooks, after(at), stored_until=known)

    def history(self) -> list[tuple[float, str, str]]:
        with transaction():
            found = transitions.list_for_company(self.company.id)
        return [((t.at - T0).total_seconds(), t.to_status, t.cause) for t in found]

    def overrides(self) -> list[StoredOverride]:
        """All that ever were, the oldest first."""
        with transaction():
            found = flag_overrides.list_for_organization(self.id, ended=True)
        return [one.override for one in reversed(found)]

    def explain(self, at: float) -> Explanation:
        with transaction():
            found = explain(self.id, "acme", self.version, after(at))
        assert found is not None
        return found

    def forecast(self, at: float, until: float) -> list[PlannedChange]:
        with transaction():
            due = companies_due(self.id, until=after(until))
            found = forecast(due, self.version, after(at), after(until))
            return [one for some in found for one in some]

    @property
    def version(self) -> int:
        with transaction():
            found = organizations.find("o")
        assert found is not None
        return found.rules_version


AT_FIRST = (0, "At Risk", "event")
