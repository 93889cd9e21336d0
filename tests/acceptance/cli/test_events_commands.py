"""`brazebee events` as people and programs use it, on a running product."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.command_server import BRAZEBEE

RULES = "version: 1\nevents: {{{events}}}\nflags: []\n"
NOTHING = "No refused request is kept.\n"


class Sender:
    """An organization that accepts `login`, and an application that sends events to it."""

    def __init__(self, brazebee: Brazebee, name: str, folder: Path) -> None:
        self.brazebee, self.name, self.folder = brazebee, name, folder
        self.key = brazebee.run("keys", "create", "--org", name).stdout.strip()
        self.accept("login")

    def accept(self, *keys: str) -> None:
        rules = self.folder / "rules.yaml"
        rules.write_text(RULES.format(events=", ".join(f"{key}: " for key in keys)))
        done = self.brazebee.run("apply", str(rules), "--org", self.name)
        assert done.returncode == 0, done.stderr

    def send(self, event_key: str, event_id: str, status: int, **event: Any) -> None:
        company = {"id": "c1", "name": "Acme"}
        body = {"event_key": event_key, "event_id": event_id, "company": company, **event}
        assert self.brazebee.track(body, self.key).status_code == status

    def run(self, *arguments: str) -> Any:
        return self.brazebee.run("events", *arguments, "--org", self.name)

    def json(self, *arguments: str) -> Any:
        return self.brazebee.json("events", *arguments, "--org", self.name)

    def refused(self, *arguments: str) -> list[str]:
        return [row["event_id"] for row in self.json("refused", *arguments)]

    def titles(self, event_id: str) -> list[str]:
        done = self.run("trace", event_id, "--json")
        return [step["title"] for step in json.loads(done.stdout)["steps"]]

    @contextmanager
    def following(self, *options: str) -> Iterator[Path]:
        """Follow what comes in, and return the file with the lines."""
        output = self.folder / f"tail-{len(list(self.folder.iterdir()))}"
        errors = output.with_suffix(".err")
        command = [BRAZEBEE, "events", "tail", "--org", self.name, *options]
        with output.open("w") as lines, errors.open("w") as said:
            process = subprocess.Popen(
                command, env=self.brazebee.environment, stdout=lines, stderr=said
            )
        try:
            eventually(lambda: "Ctrl-C ends it" in errors.read_text())
            yield output
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def sender(brazebee: Brazebee, organization: str, tmp_path: Path) -> Sender:
    return Sender(brazebee, organization, tmp_path)


def test_refused_requests_are_listed_shown_sent_again_and_dropped(sender: Sender) -> None:
    assert sender.run("refused").stdout == NOTHING
    sender.send("signup", "e1", 404)
    sender.send("login", "e2", 400, company={"id": "c1"})
    sender.send("signup", "e3", 404, user={"id": "\x1b[31mred"})
    assert sender.refused() == ["e3", "e2", "e1"]
    assert sender.refused("--event", "signup") == ["e3", "e1"]
    assert sender.refused("--reason", "company.NAME") == ["e2"]
    assert sender.refused("--since", "2100-01-01") == []
    table = sender.run("refused", "--limit", "1")
    assert "Event setting not found for key: signup" in table.stdout
    assert "There are more" in table.stderr
    rows = {row["event_id"]: row["id"] for row in sender.json("refused")}
    shown = sender.run("refused", "show", rows["e3"])
    assert '"event_key": "signup"' in shown.stdout
    assert "\x1b" not in shown.stdout
    assert json.loads(sender.json("refused", "show", rows["e2"])["body"])["event_id"] == "e2"
    again = sender.run("resend", rows["e1"])
    assert again.returncode == 1
    assert "was refused again: Event setting not found for key: signup." in again.stderr
    sender.accept("login", "signup")
    sent = sender.json("resend", "--all", "--event", "signup")
    assert [row["event_id"] for row in sent["accepted"]] == ["e1", "e3"]
    assert sender.refused() == ["e2"]
    assert sender.json("refused", "drop", rows["e2"], "--yes") == {"dropped": 1}
    assert sender.run("refused").stdout == NOTHING
    eventually(lambda: "Stored" in sender.titles("e1"))
    log = sender.brazebee.query(
        "select action from audit_log l join organizations o on o.id = l.organization_id"
        f" where o.name = '{sender.name}' order by l.id desc limit 2"
    )
    assert log == [("Refused requests dropped",), ("Refused events sent again",)]


def test_a_refused_request_is_sent_again_with_a_corrected_body(sender: Sender) -> None:
    sender.send("login", "e1", 400, company={"id": "c1"})
    sender.send("login", "e2", 400, company={"id": "c1"})
    second, first = (row["id"] for row in sender.json("refused"))
    body = sender.folder / "body.json"
    body.write_text('{"event_key": "login",\n "company": {"id": "c1",}}')
    again = sender.run("resend", first, "--body", str(body))
    assert again.returncode == 1
    assert f"{first} was refused again: Invalid JSON.\n- " in again.stderr
    assert ": line 2 column 24" in again.stderr
    body.write_text('{"event_key": "login", "company": {"id": "c1", "name": "Acme"}}')
    sent = sender.json("resend", first, "--body", str(body))
    assert sent == {"accepted": [{"id": first, "event_id": "e1"}], "refused": []}
    done = sender.brazebee.run(
        "events", "resend", second, "--body", "-", "--org", sender.name, given=body.read_text()
    )
    assert done.stdout == "1 request was accepted.\n", done.stderr
    assert sender.run("refused").stdout == NOTHING
    eventually(lambda: "Stored" in sender.titles("e2"))
    log = sender.brazebee.query(
        "select action, subject from audit_log l join organizations o on o.id = l.organization_id"
        f" where o.name = '{sender.name}' order by l.id desc limit 2"
    )
    action = "Refused request corrected and sent again"
    assert log == [(action, "e2"), (action, "e1")]


def test_a_body_that_is_not_at_fault_is_not_corrected(sender: Sender) -> None:
    assert sender.brazebee.track({"x": "y" * 40_000}, sender.key).status_code == 413
    [row] = sender.json("refused")
    done = sender.run("resend", row["id"], "--body", "pyproject.toml")
    assert done.returncode == 1
    assert "cannot be corrected: it is not kept as a whole" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["resend"], 2, "Name requests by their ids, or use --all."),
        (["resend", "1-1", "--event", "x"], 2, "go with --all."),
        (["resend", "1-1"], 1, "No refused request `1-1` is kept."),
        (["resend", "--all", "--body", "pyproject.toml"], 2, "--body goes with one id."),
        (["resend", "1-1", "2-2", "--body", "pyproject.toml"], 2, "--body goes with one id."),
        (["refused", "show", "x"], 1, "No refused request `x` is kept."),
        (["refused", "--since", "soon"], 2, "is not a time such as"),
        (["trace", "e1"], 1, "No event `e1` is stored, waits to be stored"),
    ],
)
def test_mistakes_are_explained(sender: Sender, arguments: list[str], code: int, said: str) -> None:
    done = sender.run(*arguments)
    assert done.returncode == code
    assert said in " ".join(done.stderr.split())


def test_what_comes_in_is_followed_and_traced(sender: Sender) -> None:
    def said(file: Path, *ids: str) -> bool:
        return all(event_id in file.read_text() for event_id in ids)

    with sender.following() as lines, sender.following("--refused", "--json") as refused:
        eventually(lambda: sender.send("login", "e0", 200) or said(lines, "e0"))
        sender.send("login", "e1", 200, user={"id": "ann"})
        sender.send("signup", "e2", 404)
        eventually(lambda: said(lines, "e1", "e2") and said(refused, "e2"))
        assert "login  company c1  user ann  id e1\n" in lines.read_text()
        assert "REFUSED  signup  company c1  id e2  Event setting not found" in lines.read_text()
        [line] = refused.read_text().splitlines()
        assert (json.loads(line)["outcome"], json.loads(line)["event_id"]) == ("refused", "e2")
    eventually(lambda: "Judged" in sender.titles("e1"))
    assert sender.titles("e1")[:3] == ["Received", "Stored", "Judged"]
    text = sender.run("trace", "e2").stdout
    assert "Event e2, signup" in text
    assert "Correct it, or mend the cause, and send it again: brazebee events resend" in text
