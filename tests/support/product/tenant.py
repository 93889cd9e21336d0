"""An organization of a running product, and commands and events for it."""

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
