"""Files of events, and the command that imports them."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cli.main import main
from config.settings import Settings

DAY = timedelta(days=1)
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - DAY


class Imports:
    """Runs `brazebee import events` on files in a folder."""

    def __init__(self, settings: Settings, folder: Path, org: str) -> None:
        self.folder = folder
        self.org = org
        self.environment = {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
        }

    def run(self, *arguments: object) -> Result:
        return CliRunner().invoke(
            main,
            ["import", "events", *map(str, arguments), "--org", self.org],
            env=self.environment,
        )

    def report(self, *arguments: object) -> dict[str, Any]:
        """Return what a run prints for programs."""
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        report: dict[str, Any] = json.loads(result.stdout)
        return report

    def table(self, rows: Iterable[Sequence[object]], name: str = "events.csv") -> Path:
        path = self.folder / name
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        return path

    def lines(self, objects: Iterable[Mapping[str, Any]], name: str = "events.jsonl") -> Path:
        path = self.folder / name
        path.write_text("".join(f"{json.dumps(each)}\n" for each in objects))
        return path


COLUMNS = ("id", "event", "time", "company_id", "company_name", "user_id", "company.plan")


def row(number: int, days_ago: float, company: str = "acme", **changes: Any) -> list[object]:
    """Return a row of a table with `COLUMNS`."""
    values = {
        "id": f"e{number}",
        "event": "login",
        "time": (NOON - days_ago * DAY).isoformat(),
        "company_id": company,
        "company_name": company.title(),
        "user_id": f"u-{company}",
        "company.plan": "Team",
    }
    return list((values | changes).values())
