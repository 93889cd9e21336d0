"""`brazebee demo-data` and `brazebee org delete`, against a running product."""

import subprocess
from collections import Counter

import pytest

from tests.support.product.brazebee_process import BRAZEBEE, Brazebee

pytestmark = pytest.mark.long


def test_demo_data_is_generated_replaced_and_removed(brazebee: Brazebee) -> None:
    others, people = brazebee.json("org", "list"), brazebee.query("select email from people")
    made = brazebee.json("demo-data", "--companies", "8")
    assert (made["organization"], made["companies"]) == ("demo", 8)
    assert made["events"] > 1_000
    assert made["changed_in_the_last_day"] >= 1
    assert made["due_in_the_next_week"] >= 1

    listed = brazebee.json("companies", "--org", "demo")
    assert Counter(company["health_status"] for company in listed) == made["statuses"]
    explained = brazebee.json("rules", "explain", listed[0]["id"], "--org", "demo")
    assert explained["health_status"] == listed[0]["health_status"]
    assert brazebee.json("rules", "forecast", "--org", "demo")
    assert len(brazebee.json("rules", "history", "--org", "demo")) == 2
    endpoints = brazebee.json("webhooks", "list", "--org", "demo")
    assert {endpoint["state"] for endpoint in endpoints} == {"disabled"}
    assert brazebee.json("deliveries", "list", "--org", "demo", "--state", "delivered")

    again = brazebee.run("demo-data")
    assert (again.returncode, again.stdout) == (1, "")
    assert "There is an organization `demo` already. `--replace` makes" in again.stderr
    replaced = brazebee.run("demo-data", "--companies", "2", "--seed", "2", "--replace", "--yes")
    assert replaced.returncode == 0, replaced.stderr
    assert "2 companies with" in replaced.stdout
    assert len(brazebee.json("companies", "--org", "demo")) == 2

    removed = brazebee.run("demo-data", "--remove", "--yes")
    assert removed.returncode == 0, removed.stderr
    assert brazebee.json("org", "list") == others
    assert brazebee.query("select email from people") == people
    gone = brazebee.run("demo-data", "--remove", "--yes")
    assert gone.returncode == 1
    assert "There is no organization `demo`" in gone.stderr


def test_organizations_that_demo_data_did_not_create_are_left_alone(
    brazebee: Brazebee, organization: str
) -> None:
    for option in ("--remove", "--replace"):
        refused = brazebee.run("demo-data", "--org", organization, option, "--yes")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "was not made by `brazebee demo-data`" in refused.stderr
    assert organization in [entry["name"] for entry in brazebee.json("org", "list")]
    both = brazebee.run("demo-data", "--remove", "--replace")
    assert both.returncode == 2


def test_an_organization_is_deleted_after_its_name_was_typed(
    brazebee: Brazebee, organization: str
) -> None:
    def delete(typed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BRAZEBEE, "org", "delete", organization],
            env=brazebee.environment, input=typed, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    key = brazebee.run("keys", "create", "--org", organization).stdout.strip()
    other = delete("default\n")
    assert other.returncode == 1
    assert "nothing was deleted" in other.stderr
    done = delete(f"{organization}\n")
    assert done.returncode == 0, done.stderr
    assert "This cannot be undone" in done.stderr
    assert organization not in [entry["name"] for entry in brazebee.json("org", "list")]
    assert (
        brazebee.track({"event_key": "x", "company": {"id": "a", "name": "A"}}, key).status_code
        == 401
    )
    unknown = brazebee.run("org", "delete", organization, "--yes")
    assert unknown.returncode == 1
    assert "There is no organization" in unknown.stderr
