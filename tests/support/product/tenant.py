"""An organization of a running product, and commands and events for it."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.product.brazebee_process import Brazebee

REPORTS = """\
version: 1
statuses: [Healthy, At Risk, Critical]
events: {report: }
flags:
  - flag: Reports
    event: report
    when: {At Risk: less than 2 times in 7 days}
"""
"""Rules by which a company is At Risk from its first event on."""


class Tenant:
    """An organization with rules and an API key."""

    def __init__(
        self, brazebee: Brazebee, name: str, folder: Path, *, rules: str = REPORTS
    ) -> None:
        self.brazebee, self.name = brazebee, name
        file = folder / "rules.yaml"
        file.write_text(rules)
        applied = self.run("rules", "apply", str(file))
        assert applied.returncode == 0, applied.stderr
        self.key = self.run("keys", "create").stdout.strip()
        [(self.id,)] = brazebee.query(f"select id from organizations where name = '{name}'")

    def run(self, *arguments: str) -> Any:
        """Run a command for this organization."""
        return self.brazebee.run(*arguments, "--org", self.name)

    def json(self, *arguments: str) -> Any:
        return self.brazebee.json(*arguments, "--org", self.name)

    def track(self, company: str, *, key: str = "report", **event: Any) -> None:
        """Post an event of a company; `fields` are the company's other fields."""
        fields = {"id": company, "name": company.title(), **event.pop("fields", {})}
        answer = self.brazebee.track({"event_key": key, "company": fields, **event}, self.key)
        assert answer.status_code == 200, answer.text


class Subscriber(Tenant):
    """An organization with webhook endpoints."""

    def add(self, url: str, *options: str) -> tuple[str, str]:
        """Subscribe a URL; return the endpoint's id and its secret."""
        made = self.json("webhooks", "add", url, *options)
        return made["id"], made["secret"]

    def deliveries(self, *filters: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.json("deliveries", "list", *filters)
        return listed

    def track_in_turn(self, companies: Iterable[str], *, every: float = 0.1) -> dict[str, float]:
        """Post an event of each company, one after another; return when each was accepted."""
        accepted = {}
        for company in companies:
            self.track(company)
            accepted[company] = time.time()
            time.sleep(every)
        return accepted

    def remove_endpoints(self) -> None:
        """Remove all endpoints, with what waits for them."""
        self.brazebee.execute(
            f"update webhook_endpoints set removed_at = now() where organization_id = {self.id};"
            " update deliveries set state = 'cancelled', parked = false, next_attempt_at = null"
            f" where organization_id = {self.id} and state in ('waiting', 'paused')"
        )
