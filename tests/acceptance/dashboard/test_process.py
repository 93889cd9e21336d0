"""The dashboard as `brazebee up` runs it, and people as the command line makes them."""

import re
import signal
import socket
import subprocess
from contextlib import nullcontext

import psycopg2
import requests

from tests.support.product.brazebee_process import BRAZEBEE, Brazebee, eventually

WITHOUT_WORKERS = {"persist": 0, "evaluate": 0, "deliver": 0, "clock": 0}
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def signs_in(
    brazebee: Brazebee, email: str, password: str, browser: requests.Session | None = None
) -> bool:
    """Whether somebody with this email and password comes to an organization."""
    with nullcontext(browser) if browser else requests.Session() as visiting:
        page = visiting.get(f"{brazebee.dashboard_url}/sign-in", timeout=10)
        [token] = TOKEN.findall(page.text)
        form = {"email": email, "password": password, "csrf_token": token}
        answer = visiting.post(f"{brazebee.dashboard_url}/sign-in", data=form, timeout=10)
        return answer.ok and "/o/" in answer.url


def shown(brazebee: Brazebee, what: str) -> str:
    [value] = re.findall(rf"^ *{what}: +(\S+)$", brazebee.text, re.MULTILINE)
    return str(value)


def kill_dashboard(brazebee: Brazebee, browser: requests.Session) -> None:
    """Kill the dashboard, and wait until it is back with the session of `browser`."""
    pid = brazebee.pids()["dashboard.1"]
    subprocess.run(["kill", f"-{signal.SIGKILL.value}", str(pid)], check=True)

    def is_back() -> bool:
        try:
            page = browser.get(f"{brazebee.dashboard_url}/account", timeout=5)
        except requests.RequestException:
            return False
        return brazebee.pids()["dashboard.1"] != pid and "Your account" in page.text

    eventually(is_back)


def test_starts_show_how_to_sign_in_when_an_administrator_was_added(own_brazebee: Brazebee) -> None:
    own = own_brazebee
    own.environment["BRAZEBEE_ADMIN_EMAIL"] = "root@example.com"
    own.start(**WITHOUT_WORKERS)
    assert f"The dashboard is at {own.dashboard_url}" in own.text
    assert shown(own, "Sign in as") == "root@example.com"
    password = shown(own, "Password")
    assert not signs_in(own, "root@example.com", password + "x")
    with requests.Session() as browser:
        assert signs_in(own, "root@example.com", password, browser)
        kill_dashboard(own, browser)
    assert password not in (own.data_dir / "running.json").read_text()
    assert own.stop() == 0

    own.start(**WITHOUT_WORKERS)
    assert "Password" not in own.text
    assert signs_in(own, "root@example.com", password)

    # A database from before the dashboard has no administrator.
    connection = psycopg2.connect(own.servers["DATABASE_URL"])
    with connection.cursor() as cursor:
        cursor.execute("truncate people, audit_log cascade")
    connection.commit()
    connection.close()
    assert own.stop() == 0
    own.start(**WITHOUT_WORKERS)
    assert "bzb_" not in own.text
    assert signs_in(own, "root@example.com", shown(own, "Password"))


def test_without_the_dashboard_its_port_is_not_needed(own_brazebee: Brazebee) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", own_brazebee.dashboard_port))
        taken.listen()
        refused = own_brazebee.run("up")
        assert refused.returncode == 1
        assert "Choose another with --dashboard-port" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
        own_brazebee.start(dashboard=0, **WITHOUT_WORKERS)
        assert "The dashboard is at" not in own_brazebee.text


def test_both_cannot_listen_on_one_port(own_brazebee: Brazebee) -> None:
    refused = own_brazebee.run("up", "--dashboard-port", str(own_brazebee.port))
    assert refused.returncode == 1
    assert refused.stderr == f"The dashboard needs its own port, not {own_brazebee.port} too.\n"


def test_people_are_managed_from_the_command_line(brazebee: Brazebee, organization: str) -> None:
    here = ("--org", organization)
    added = brazebee.run(
        "people", "add", "cli@example.com", "--role", "viewer", "--name", "Carla", *here
    )
    password = added.stdout.strip()
    assert added.stdout == f"{password}\n"
    assert "not shown again" in added.stderr
    assert signs_in(brazebee, "cli@example.com", password)
    role = brazebee.json("people", "set-role", "CLI@example.com", "--role", "editor", *here)
    assert role == {"email": "cli@example.com", "org": organization, "role": "editor"}
    [listed] = brazebee.json("people", "list", *here)
    assert (listed["email"], listed["name"], listed["role"], listed["disabled_at"]) == (
        "cli@example.com", "Carla", "editor", None,
    )  # fmt: skip
    assert listed["signed_in_at"] is not None
    disabled = brazebee.json("people", "disable", "cli@example.com")
    assert disabled == {"email": "cli@example.com", "disabled": True, "changed": True}
    assert not signs_in(brazebee, "cli@example.com", password)
    assert brazebee.json("people", "enable", "cli@example.com")["changed"] is True
    assert brazebee.json("people", "enable", "cli@example.com")["changed"] is False
    renewed = brazebee.json("people", "set-password", "cli@example.com")["password"]
    assert not signs_in(brazebee, "cli@example.com", password)
    assert signs_in(brazebee, "cli@example.com", renewed)
    assert brazebee.json("people", "remove", "cli@example.com", *here)["org"] == organization
    assert brazebee.json("people", "list", *here) == []


def test_a_password_can_be_given_on_standard_input(brazebee: Brazebee, organization: str) -> None:
    def add(email: str, password: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [BRAZEBEE, "people", "add", email, "--role", "administrator", "--org", organization,
             "--password-stdin"],
            env=brazebee.environment, input=f"{password}\n", capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip

    given = add("given@example.com", "staple of words")
    assert (given.returncode, given.stdout) == (0, "")
    assert signs_in(brazebee, "given@example.com", "staple of words")
    short = add("short@example.com", "short")
    assert (short.returncode, short.stderr) == (1, "A password has at least 12 characters.\n")
    changed = subprocess.run(
        [BRAZEBEE, "people", "set-password", "given@example.com", "--password-stdin"],
        env=brazebee.environment, input="other words here\n", capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (changed.returncode, changed.stdout) == (0, "")
    assert signs_in(brazebee, "given@example.com", "other words here")


def test_what_cannot_be_done_with_people_is_one_clear_sentence(
    brazebee: Brazebee, organization: str
) -> None:
    here = ("--org", organization)
    assert brazebee.run("people", "list", *here).stdout == (
        "No members yet; add one with `brazebee people add`.\n"
    )
    add = ("people", "add", "last@example.com", "--role", "administrator", *here)
    assert brazebee.run(*add).returncode == 0
    last = f"last@example.com is the last administrator of `{organization}`;"
    for command, said in (
        (add, f"last@example.com is a member of `{organization}` already."),
        (("people", "set-role", "last@example.com", "--role", "viewer", *here), last),
        (("people", "remove", "last@example.com", *here), last),
        (("people", "disable", "last@example.com"), last),
        (("people", "add", "nonsense", "--role", "viewer", *here), "is not an email address."),
        (("people", "set-role", "no@example.com", "--role", "viewer", *here), "There is no person"),
        (
            ("people", "set-password", "no@example.com"),
            "There is no person with the email address `no@example.com`",
        ),
        (("people", "remove", "admin@localhost", *here), "admin@localhost is not a member of"),
        (
            ("people", "add", "x@example.com", "--role", "viewer", "--org", "none"),
            "no organization",
        ),
    ):
        refused = brazebee.run(*command)
        assert (refused.returncode, refused.stdout) == (1, ""), command
        assert said in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    assert brazebee.run("people", "add", "x@example.com", "--role", "owner").returncode == 2
