"""`EditorWorld`: an organization with rules and an editor, for tests of pages about rules."""

from typing import Any

from models.database import transaction
from models.organizations import audit_log, rule_versions
from models.organizations.rule_versions import RuleVersion
from tests.support.dashboard.application import NOW, Browser, Dashboard
from tests.support.world import World, days_ago


class EditorWorld(World):
    """A world at `NOW`; `editor` is the browser of an editor who is signed in."""

    def __init__(self, dashboard: Dashboard, rules: str | None) -> None:
        super().__init__(dashboard.organization("acme"), NOW)
        self.dashboard = dashboard
        if rules is not None:
            self.apply_rules(rules, applied_by="brazebee up")
        self.editor = self.member("ed@acme.com", "editor")

    def member(self, email: str, role: str) -> Browser:
        """Return the browser of a new member who has just signed in."""
        return self.dashboard.signed_in(email, (self.organization, role))

    def versions(self) -> list[RuleVersion]:
        """Return the versions of the rules, oldest first."""
        with transaction():
            return rule_versions.list_after(self.id, 0)

    def sources(self) -> list[str]:
        """Return the text of each version of the rules, oldest first."""
        return [version.source for version in self.versions()]

    def audited(self) -> list[tuple[str, str, str]]:
        """Return the audit log, newest first: who, action, and subject."""
        with transaction():
            entries = audit_log.read_page(self.id, limit=10)
        return [(entry.made_by, entry.action, entry.subject) for entry in entries]

    def add_company(self, name: str, *days: float, **event: Any) -> None:
        """Add a company, whose id is its name, with one event for each number of days ago."""
        times = sorted(days_ago(*days))
        self.track(name, *times, name=name, **event)
        self.judge(name)
