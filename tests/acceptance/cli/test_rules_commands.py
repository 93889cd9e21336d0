"""Rules checked, planned, applied, watched and rolled back."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.files import ROOT
from tests.support.product.brazebee_process import Brazebee, eventually

RULES = """\
version: 1
statuses: [Healthy, At Risk]
events:
  report: {name: Report}
flags:
  - flag: Reports
    event: report
    when: {At Risk: less than 2 times in 7 days}
    note: Two a week.
"""
STRICTER = RULES.replace("less than 2", "less than 5")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "rules.yaml"
    file.write_text(RULES)
    return file


@pytest.fixture
def tenant(brazebee: Brazebee, organization: str, file: Path) -> str:
    """An organization with ten companies of three reports each, all Healthy."""
    assert brazebee.run("rules", "apply", str(file), "--org", organization).returncode == 0
    key = brazebee.run("keys", "create", "--org", organization).stdout.strip()
    for company in range(10):
        for days in range(3):
            at = datetime.now(UTC) - timedelta(days=days, minutes=1)
            answer = brazebee.track(
                {
                    "event_key": "report",
                    "company": {"id": f"c{company}", "name": f"Company {company}"},
                    "timestamp": at.isoformat(),
                },
                key,
            )
            assert answer.status_code == 200, answer.text
    eventually(lambda: brazebee.json("companies", "--org", organization)[9:])
    eventually(lambda: statuses(brazebee, organization) == {"Healthy"})
    return organization


def statuses(brazebee: Brazebee, organization: str) -> set[str]:
    listed = brazebee.json("companies", "--org", organization)
    return {company["health_status"] for company in listed}


def test_a_file_is_checked_without_a_server(brazebee: Brazebee, file: Path) -> None:
    good = brazebee.run("rules", "check", str(file))
    assert (good.returncode, good.stdout) == (0, f"{file}: 1 event, 1 flag, no faults.\n")
    file.write_text(RULES.replace("less than", "less then").replace("event: report", "event: x"))
    bad = brazebee.run("rules", "check", str(file))
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.splitlines() == [
        f"{file}:7:12: the event `x` is not listed under `events`; add it there",
        "        event: x",
        "               ^",
        f"{file}:8:26: `then` is not understood here; did you mean `than`?",
        "        when: {At Risk: less then 2 times in 7 days}",
        "                             ^",
    ]
    report = json.loads(brazebee.run("rules", "check", str(file), "--json").stdout)
    assert [fault["line"] for fault in report["faults"]] == [7, 8]


def test_the_printed_schema_is_the_shipped_one(brazebee: Brazebee) -> None:
    printed = json.loads(brazebee.run("rules", "schema").stdout)
    assert printed == json.loads((ROOT / "config" / "rules.schema.json").read_text())


def test_an_edit_is_planned_confirmed_applied_and_rolled_back(
    brazebee: Brazebee, tenant: str, file: Path
) -> None:
    def rules(*arguments: str) -> str:
        done = brazebee.run("rules", *arguments, "--org", tenant)
        assert done.returncode == 0, done.stderr
        return done.stdout

    file.write_text(STRICTER)
    assert "10 of 10 companies would change status." in rules("plan", str(file))
    planned = brazebee.json("rules", "plan", str(file), "--org", tenant)
    assert planned["companies"] == 10
    assert {(change["from"], change["to"]) for change in planned["changes"]} == {
        ("Healthy", "At Risk")
    }

    refused = brazebee.run("rules", "apply", str(file), "--org", tenant)
    assert refused.returncode == 1
    assert "10 of 10 companies would change, more than a tenth" in refused.stderr
    assert statuses(brazebee, tenant) == {"Healthy"}

    assert "Version 2 is in force" in rules("apply", str(file), "--yes")
    assert statuses(brazebee, tenant) == {"At Risk"}
    explained = brazebee.json("rules", "explain", "c3", "--org", tenant)
    assert explained["rules_version"] == 2
    [flag] = explained["flags"]
    assert (flag["seen"], flag["lacks"], flag["line"]) == ("3 times", "there are 2 more reports", 6)
    assert [t["cause"] for t in explained["transitions"]][-1] == "rule_change"
    printed = rules("explain", "c3")
    assert "  because  its condition is met: Less than 5 times in 7 days" in printed
    assert "  rule     version 2, line 6: Two a week." in printed

    assert "-    when: {At Risk: less than 2 times in 7 days}" in rules("history", "2")
    assert rules("show", "1") == RULES
    assert "Version 3, which restores version 1, is in force" in rules("rollback", "--yes")
    assert statuses(brazebee, tenant) == {"Healthy"}
    versions = brazebee.json("rules", "history", "--org", tenant)
    assert [(version["version"], version["brings_back"]) for version in versions] == [
        (3, 1),
        (2, None),
        (1, None),
    ]


def test_changes_are_forecast_and_the_past_is_replayed(
    brazebee: Brazebee, tenant: str, file: Path, tmp_path: Path
) -> None:
    coming = brazebee.json("rules", "forecast", "--days", "7", "--org", tenant)
    assert len(coming) == 10
    assert {change["to"] for change in coming} == {"At Risk"}
    assert brazebee.json("rules", "forecast", "--days", "1", "--org", tenant) == []
    outcomes = tmp_path / "churned.csv"
    outcomes.write_text(f"company,date\nc1,{datetime.now(UTC):%Y-%m-%d}\nnobody,2026-01-01\n")
    file.write_text(STRICTER)
    arguments = ("rules", "backtest", str(file), "--days", "9", "--outcomes", str(outcomes))
    printed = brazebee.run(*arguments, "--org", tenant)
    assert printed.returncode == 0, printed.stderr
    assert "churned.csv:3: left out: there is no company nobody" in printed.stderr
    assert "Less than 5 times in 7 days" in printed.stdout
    report = brazebee.json(*arguments, "--org", tenant)
    [reports, _] = report["outcomes"]
    assert (reports["warned"], reports["false_alarms"], reports["undecided"]) == (1, 0, 9)
    assert report["flags"][0]["companies"] == 10


@pytest.mark.long
def test_every_good_save_of_the_watched_file_is_applied_and_a_faulty_one_refused(
    own_brazebee: Brazebee, file: Path
) -> None:
    own = own_brazebee
    idle = ("persist", "evaluate", "deliver", "clock", "dashboard", "backtest")
    without = dict.fromkeys(idle, 0)
    own.start("--rules", str(file), **without)
    assert own.json("rules", "history")[0]["version"] == 1
    file.write_text(RULES.replace("7 days", "7 dayz"))
    eventually(lambda: "`dayz` is not understood here; did you mean `days`?" in own.text)
    assert "the previous rules stay in force" in own.text
    assert len(own.json("rules", "history")) == 1
    file.write_text(STRICTER)
    eventually(lambda: "is in force as version 2: 1 event, 1 flag" in own.text)
    assert own.run("rules", "rollback", "--yes").returncode == 0
    own.stop()
    own.start("--rules", str(file), **without)
    eventually(lambda: "is the same as version 2, but version 3 is in force" in own.text)
    time.sleep(0.5)
    assert own.json("rules", "history")[0]["version"] == 3
