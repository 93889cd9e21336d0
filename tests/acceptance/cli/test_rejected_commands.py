"""`brazebee rejected` as people and programs use it."""

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.poison import poison

READABLE = {"event_id": "e1", "company": {"id": "acme"}}


class Tenant:
    """An organization in whose journal are entries that cannot be stored."""

    def __init__(self, brazebee: Brazebee, name: str) -> None:
        self.brazebee, self.name = brazebee, name
        [(self.id,)] = brazebee.query(f"select id from organizations where name = '{name}'")

    def run(self, *arguments: str) -> Any:
        return self.brazebee.run("rejected", *arguments, "--org", self.name)

    def json(self, *arguments: str) -> Any:
        return self.brazebee.json("rejected", *arguments, "--org", self.name)

    def poison(self, *entries: dict[str, bytes]) -> list[int]:
        """Append entries to the journal, one after another, and return the ids of their rows."""
        ids = []
        for fields in entries:
            before = len(self.json("list"))
            poison(self.brazebee.servers["REDIS_URL"], self.id, fields)
            rows = eventually(lambda before=before: self.json("list")[: -before or None])
            ids.append(rows[0]["id"])
        return ids


@pytest.fixture
def tenant(brazebee: Brazebee, organization: str) -> Tenant:
    return Tenant(brazebee, organization)


def test_events_are_listed_newest_first_filtered_and_in_pages(tenant: Tenant) -> None:
    nothing = tenant.run("list")
    assert (nothing.returncode, nothing.stdout) == (0, "No event is set aside.\n")
    first, second, third = tenant.poison(
        {"1": orjson.dumps(READABLE)}, {"2": b"{}"}, {"1": b"gar\x1b[31mbage"}
    )
    table = tenant.run("list").stdout.splitlines()
    assert table[0].split() == ["ID", "SET", "ASIDE", "AT", "COMPANY", "EVENT", "ID", "REASON"]
    assert [line.split()[0] for line in table[1:]] == [str(third), str(second), str(first)]
    assert re.search(r" acme +e1 +KeyError: ", table[3])
    [newest] = tenant.json("list", "--limit", "1")
    assert (newest["id"], newest["company"]) == (third, None)
    page = tenant.run("list", "--limit", "2")
    [cursor] = re.findall(r"--after (\S+)", page.stderr)
    assert [row["id"] for row in tenant.json("list", "--after", cursor)] == [first]
    assert [row["id"] for row in tenant.json("list", "--company", "acme")] == [first]
    assert [row["id"] for row in tenant.json("list", "--reason", "unknown FORMAT")] == [second]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert tenant.json("list", "--since", tomorrow) == []
    for wrong in (("--after", "x"), ("--since", "soon"), ("--limit", "0")):
        assert tenant.run("list", *wrong).returncode == 2


def test_the_whole_content_is_shown_as_it_was_kept(tenant: Tenant) -> None:
    t = b"1769000000000000"
    content = '{"b": 1, "a": "Café\x1b[31m"}'.encode()
    text, odd = tenant.poison({"1": content, "t": t}, {"2": b"\xff\x00", "x": b"y", "t": t})
    shown = tenant.run("show", str(text)).stdout
    assert '\n1: {"b": 1, "a": "Café\\x1b[31m"}\n' in shown
    assert "accepted at        2026-01-21 12:53:20 UTC" in shown
    assert "cannot be retried  it is not an event as this release knows them (not JSON" in shown
    shown = tenant.run("show", str(odd)).stdout
    assert "\n2: \\xff\\x00\n\nx: y\n" in shown
    assert "Upgrade Brazebee to the release that wrote it" in shown
    assert tenant.json("show", str(odd))["fields"] == [
        {"name": "2", "value": {"base64": base64.b64encode(b"\xff\x00").decode()}},
        {"name": "x", "value": "y"},
        {"name": "t", "value": "1769000000000000"},
    ]


def test_what_cannot_be_read_is_not_retried_and_the_reason_is_given(tenant: Tenant) -> None:
    ids = tenant.poison({"1": b"garbage"}, {"2": b"{}"})
    for arguments in (map(str, ids), ["--all"]):
        refused = tenant.run("retry", *arguments)
        assert (refused.returncode, refused.stdout) == (
            1,
            "0 events were returned to the journal.\n",
        )
        assert [line.split(":")[0] for line in refused.stderr.splitlines()] == [
            f"{id_} cannot be retried" for id_ in ids
        ]
        assert "Upgrade Brazebee" in refused.stderr
    assert len(tenant.json("list")) == 2


def test_events_are_dropped_after_a_confirmation(tenant: Tenant) -> None:
    first, *_ = tenant.poison({"1": orjson.dumps(READABLE)}, {"2": b"{}"}, {"1": b"no"})
    unconfirmed = tenant.run("drop", "--all")
    assert unconfirmed.returncode == 1
    assert f"Drop 3 events of `{tenant.name}`? This cannot be undone." in unconfirmed.stderr
    assert len(tenant.json("list")) == 3
    assert tenant.run("drop", str(first), "--yes").stdout == "1 event was dropped.\n"
    assert tenant.json("drop", "--all", "--reason", "unknown format", "--yes") == {"dropped": 1}
    assert tenant.run("drop", "--all", "--yes").stdout == "1 event was dropped.\n"
    assert tenant.run("drop", "--all").stdout == "0 events were dropped.\n"


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_wrong_usage_changes_nothing(tenant: Tenant, command: str) -> None:
    [known] = tenant.poison({"1": b"no"})
    for wrong in ([], [str(known), "--all"], [str(known), "--company", "c"], ["x"], ["0"]):
        assert tenant.run(command, *wrong).returncode == 2, wrong
    yes = ["--yes"] if command == "drop" else []
    refused = tenant.run(command, str(known), "99999999", *yes)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"`{tenant.name}` has no event 99999999 that is set aside" in refused.stderr
    assert tenant.run("show", "99999999").returncode == 1
    assert len(tenant.json("list")) == 1


def test_another_organization_has_its_own_events_only(tenant: Tenant) -> None:
    [known] = tenant.poison({"1": b"no"})
    other = f"{tenant.name}2"
    assert tenant.brazebee.run("org", "create", other).returncode == 0
    assert tenant.brazebee.json("rejected", "list", "--org", other) == []
    for command in (["show"], ["retry"], ["drop", "--yes"]):
        refused = tenant.brazebee.run("rejected", *command, str(known), "--org", other)
        assert (refused.returncode, refused.stdout) == (1, "")
    for command in (["retry"], ["drop", "--yes"]):
        done = tenant.brazebee.run("rejected", *command, "--all", "--org", other)
        assert done.stdout.startswith("0 events were ")
    assert len(tenant.json("list")) == 1


def test_messages_of_nobody_are_listed_shown_and_dropped(
    brazebee: Brazebee, tenant: Tenant
) -> None:
    def run(*arguments: str) -> Any:
        return brazebee.run("rejected", "messages", *arguments)

    assert run("list").stdout == "No message is set aside.\n"
    poison(brazebee.servers["REDIS_URL"], None, {"dramatiq": b"gar\xffbage"}, {"dramatiq": b"b"})
    rows = eventually(
        lambda: len(rows := brazebee.json("rejected", "messages", "list")) == 2 and rows
    )
    newest, oldest = (str(row["id"]) for row in rows)
    assert [(row["queue"], row["reason"]) for row in rows] == 2 * [
        ("events", "unknown format: dramatiq")
    ]
    assert "2 messages belong to no organization" in tenant.run("list").stderr
    assert "unknown format: dramatiq" in run("list").stdout
    [cursor] = re.findall(r"--after (\S+)", run("list", "--limit", "1").stderr)
    [second] = brazebee.json("rejected", "messages", "list", "--after", cursor)
    assert str(second["id"]) == oldest
    assert run("list", "--after", "x").returncode == 2
    assert run("show", oldest).stdout.endswith("\ngar\\xffbage\n")
    shown = brazebee.json("rejected", "messages", "show", oldest)
    assert shown["content"] == {"base64": base64.b64encode(b"gar\xffbage").decode()}
    for wrong in ([], [oldest, "--all"], ["x"]):
        assert run("drop", *wrong).returncode == 2
    for arguments in (["show", "999999"], ["drop", oldest, "999999", "--yes"]):
        refused = run(*arguments)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "There is no message 999999" in refused.stderr
    assert "Drop 2 messages?" in run("drop", "--all").stderr
    assert run("drop", oldest, "--yes").stdout == "1 message was dropped.\n"
    assert brazebee.json("rejected", "messages", "drop", "--all", "--yes") == {"dropped": 1}
    assert run("list").stdout == "No message is set aside.\n"
    assert newest != oldest
