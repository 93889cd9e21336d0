"""Snoozes and overrides from the command line of a running product."""

from datetime import datetime
from pathlib import Path

import pytest

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.tenant import Tenant
from tests.support.webhooks.receiver import Receiver

WHY = ("--reason", "the contract is on hold", "--owner", "ann@example.com")


class AtRisk(Tenant):
    """An organization with the company `acme`, which is At Risk."""

    def __init__(self, brazebee: Brazebee, name: str, folder: Path) -> None:
        super().__init__(brazebee, name, folder)
        self.track("acme", fields={"name": "Acme Corp"})
        eventually(lambda: self.status == "At Risk")

    @property
    def status(self) -> str | None:
        companies = self.json("companies")
        return companies[0]["health_status"] if companies else None


@pytest.fixture
def tenant(brazebee: Brazebee, organization: str, tmp_path: Path) -> AtRisk:
    return AtRisk(brazebee, organization, tmp_path)


def test_a_snooze_starts_at_once_ends_on_time_and_both_arrive_as_webhooks(
    tenant: AtRisk, receiver: Receiver
) -> None:
    secret = tenant.json("webhooks", "add", receiver.url)["secret"]
    made = tenant.json("flags", "snooze", "acme", "Reports", "--for", "3 seconds", *WHY)
    assert (made["kind"], made["health_status"], made["score"]) == ("snooze", "Healthy", None)
    began_at, began = receiver.next(secret)
    assert (began["cause"], began["timestamp"]) == ("override", made["starts_at"])
    assert began["company"]["health_status"] == "Healthy"
    ended_at, ended = receiver.next(secret)
    assert (ended["cause"], ended["timestamp"]) == ("override", made["ends_at"])
    assert ended["company"]["health_status"] == "At Risk"
    ends_at = datetime.fromisoformat(made["ends_at"]).timestamp()
    assert ends_at <= ended_at < ends_at + 2
    assert began_at < ended_at
    [over] = tenant.json("flags", "list", "--all")
    assert (over["ended_at"], over["ended_by"]) == (made["ends_at"], "time")


def test_an_override_is_listed_explained_forecast_and_ended(tenant: AtRisk) -> None:
    done = tenant.run(
        "flags", "override", "acme", "Reports", "--status", "Critical", "--for", "2 weeks", *WHY
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("Reports of Acme Corp (acme) is set to Critical until 20")
    assert first.endswith("UTC by ann@example.com because the contract is on hold.")
    assert second == "Acme Corp is Critical."
    [listed] = tenant.json("flags", "list", "--company", "acme")
    assert (listed["company"], listed["status"]) == ("acme", "Critical")
    table = tenant.run("flags", "list").stdout
    assert "Acme Corp (acme)" in table
    assert "the contract is on hold" in table

    explained = tenant.json("explain", "acme")
    assert (explained["health_status"], explained["score"]) == ("Critical", 0)
    [flag] = explained["flags"]
    assert (flag["status"], flag["override"]["status"]) == ("At Risk", "Critical")
    assert explained["transitions"][-1]["cause"] == "override"
    printed = tenant.run("rules", "explain", "acme").stdout
    assert "\nReports: At Risk\n  set to   Critical until 20" in printed

    [coming] = tenant.json("rules", "forecast", "--days", "30")
    assert (coming["at"], coming["from"], coming["to"]) == (
        listed["ends_at"],
        "Critical",
        "At Risk",
    )
    ended = tenant.run("flags", "end", "acme", "Reports")
    assert ended.stdout.splitlines() == [
        "Reports of Acme Corp (acme) counts as evaluated again.",
        "Acme Corp is At Risk.",
    ]
    assert tenant.status == "At Risk"
    assert tenant.json("rules", "forecast", "--days", "30") == []


def test_a_backtest_counts_the_overrides_that_it_leaves_out(tenant: AtRisk, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    tenant.run("flags", "override", "acme", "Reports", "--status", "Healthy", *WHY)
    assert tenant.json("rules", "backtest", str(file), "--days", "1")["overrides_left_out"] == 1
    printed = tenant.run("rules", "backtest", str(file), "--days", "1").stdout
    assert "1 snooze or override of that time left out" in printed


def test_a_snoozed_flag_is_explained_in_one_line(tenant: AtRisk) -> None:
    made = tenant.run("flags", "snooze", "acme", "Reports", "--until", "2099-12-01", *WHY)
    assert made.returncode == 0, made.stderr
    printed = tenant.run("explain", "acme").stdout
    assert printed.startswith("Acme Corp (acme) is Healthy since ")
    assert (
        "  snoozed  until 2099-12-01 00:00:00 UTC by ann@example.com because the contract is on"
        " hold\n" in printed
    )
