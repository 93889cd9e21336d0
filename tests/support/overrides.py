"""A company whose flags are snoozed and overridden."""

from models.database import transaction
from models.health import flag_overrides
from models.health.flag_overrides import StoredOverride
from models.organizations import organizations
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
from services.rules.planned_changes import PlannedChange, find_companies_due, forecast
from tests.support.world import RULES, World

JUSTIFICATION = Justification(
    reason="the contract is on hold", owner="ann@example.com", made_by="ben"
)

AT_FIRST = (0, "At Risk", "event")
"""The crossing of a new tenant's company."""


class Tenant(World):
    """A world with the company `acme`, whose flag `Logs in` is overridden."""

    def __init__(self, name: str = "o") -> None:
        with transaction():
            organization = organizations.create(name)
        super().__init__(organization)
        self.apply_rules(RULES, -60)
        self.track("acme", 0, name="Acme Corp")
        self.judge("acme", 0)

    def target(self, flag: str = "Logs in", company: str = "acme") -> FlagOfCompany:
        return FlagOfCompany(self.id, company, flag)

    def judging(self, at: float, stored_until: float | None = None) -> JudgingContext:
        until = at if stored_until is None else stored_until
        return JudgingContext(self.rulebooks, self.at(at), lambda *_: self.at(until))

    def snooze(
        self, at: float, until: float, *, stored_until: float | None = None
    ) -> OverrideResult:
        with transaction():
            context = self.judging(at, stored_until)
            return snooze(self.target(), self.at(until), JUSTIFICATION, context)

    def override(
        self, at: float, status: str, until: float | None = None, *, flag: str = "Logs in"
    ) -> OverrideResult:
        ends_at = None if until is None else self.at(until)
        with transaction():
            return override(self.target(flag), status, ends_at, JUSTIFICATION, self.judging(at))

    def end(self, at: float) -> OverrideResult:
        with transaction():
            return end(self.target(), "cem", self.judging(at))

    def overrides(self) -> list[StoredOverride]:
        """Return all overrides, the oldest first."""
        with transaction():
            rows = flag_overrides.list_for_organization(self.id, ended=True)
        return [row.override for row in reversed(rows)]

    def explain(self, at: float) -> Explanation:
        with transaction():
            explanation = explain(self.id, "acme", self.rules_version, self.at(at))
        assert explanation is not None
        return explanation

    def forecast(self, at: float, until: float) -> list[PlannedChange]:
        with transaction():
            due = find_companies_due(self.id, until=self.at(until))
            forecasts = forecast(self.id, due, self.rules_version, self.at(at), self.at(until))
            return [change for changes in forecasts for change in changes]
