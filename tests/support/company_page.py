"""What tests of a company's pages share: an organization with rules, and a company with a life."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from models.companies import companies
from models.companies.companies import Company
from models.database import transaction
from models.organizations.organizations import Organization
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from tests.support.dashboard import NOW, Dashboard
from tests.support.events import tracked
from tests.support.in_transactions import evaluate, store

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: {name: Signed in}, report: {name: Report created}}
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 3 times in 7 days, Critical: less than 1 time in 7 days}
    note: Who renews signs in daily.
  - flag: Reports
    event: report
    when: {Critical: at least 3 times in 1 day}
"""


def ago(**before: float) -> datetime:
    """An instant before the present of the tests."""
    return NOW - timedelta(**before)


@dataclass
class Tenant:
    """An organization with rules; `rulebooks` are those of its workers."""

    organization: Organization
    rulebooks: RuleBooks = field(default_factory=RuleBooks)

    @classmethod
    def of(cls, dashboard: Dashboard, name: str = "acme", rules: str = RULES) -> "Tenant":
        """A new one, with rules for as long as any test looks back."""
        tenant = cls(dashboard.organization(name))
        tenant.apply(rules, ago(days=400))
        return tenant

    def apply(self, rules: str, at: datetime) -> None:
        with transaction():
            apply_rules(self.organization.id, rules, file="health.yaml", applied_by="test", now=at)

    def track(
        self,
        *times: datetime,
        key: str = "login",
        company: str = "c1",
        user: str | None = None,
        data: dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        store(
            [
                tracked(
                    self.organization.id,
                    company,
                    at,
                    key=key,
                    company={"name": "Acme Corp", **fields},
                    user_id=user,
                    user={"name": f"User {user}"} if user else {},
                    data=data,
                )
                for at in times
            ],
            self.rulebooks,
        )

    def judge(self, at: datetime = NOW, company: str = "c1") -> Company:
        """Have the company judged up to an instant."""
        with transaction():
            found = companies.find(self.organization.id, company)
        assert found is not None
        evaluate([found.id], self.rulebooks, at)
        return self.company(company)

    def company(self, company: str = "c1") -> Company:
        with transaction():
            found = companies.find(self.organization.id, company)
        assert found is not None
        return found

    def address(self, rest: str = "", company: str = "c1") -> str:
        segment = quote(company.replace("%", "%25").replace("/", "%2F"), safe="")
        return f"/o/{self.organization.name}/companies/{segment}{rest}"

    def living(self) -> "Tenant":
        """With a company that signed in daily, went quiet, and came back a little."""
        days: Iterator[float] = (day / 2 for day in range(80, 200))
        self.track(*(ago(days=day) for day in days), user="u1", plan="Pro", seats=5)
        self.judge(ago(days=20))
        self.track(ago(days=2), ago(days=1), user="u2", plan="Enterprise")
        self.judge()
        return self
