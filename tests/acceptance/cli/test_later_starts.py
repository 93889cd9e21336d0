"""One data directory through two starts: what each prints, and what it finds again."""

import re
import signal
import subprocess

import psutil
import psycopg2
import pytest
import requests

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.signing_in import signs_in

ADMINISTRATOR = "root@example.com"


def shown(brazebee: Brazebee, what: str) -> str:
    [value] = re.findall(rf"^ *{what}: +(\S+)$", brazebee.text, re.MULTILINE)
    return str(value)


def company_ids(brazebee: Brazebee) -> set[str]:
    return {company["id"] for company in brazebee.json("companies")}


def stops_without_leaving_a_process(brazebee: Brazebee, number: signal.Signals) -> bool:
    process = brazebee.process
    assert process is not None
    started = psutil.Process(process.pid).children(recursive=True)
    assert len(started) > 8
    assert brazebee.stop(number) == 0
    _, alive = psutil.wait_procs(started, timeout=3)
    return not alive


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


def remove_administrator(brazebee: Brazebee) -> None:
    """Make the database one from before the dashboard, which has no people."""
    connection = psycopg2.connect(brazebee.servers["DATABASE_URL"])
    with connection.cursor() as cursor:
        cursor.execute("truncate people, audit_log cascade")
    connection.commit()
    connection.close()


@pytest.mark.long
def test_a_later_start_finds_everything_again_after_a_kill(
    own_brazebee: Brazebee,
) -> None:
    own = own_brazebee
    own.environment["BRAZEBEE_ADMIN_EMAIL"] = ADMINISTRATOR
    own.start()
    assert own.base_url in own.text
    assert f"The dashboard is at {own.dashboard_url}" in own.text
    assert "Webhooks may go to 127.0.0.0/8" in own.text
    [line] = [line for line in own.output if line.startswith("curl ")]
    answer = subprocess.run(
        line + " --silent", shell=True, capture_output=True, text=True, check=True
    )
    assert '"success":true' in answer.stdout
    eventually(lambda: company_ids(own) == {"company_123"})
    own.track({"event_key": "login", "company": {"id": "a", "name": "A"}})
    assert shown(own, "Sign in as") == ADMINISTRATOR
    password = shown(own, "Password")
    assert password not in (own.data_dir / "running.json").read_text()
    assert not signs_in(own, ADMINISTRATOR, password + "x")
    with requests.Session() as browser:
        assert signs_in(own, ADMINISTRATOR, password, browser)
        kill_dashboard(own, browser)
    remove_administrator(own)
    leaders = own.pids()
    assert own.track({"event_key": "login", "company": {"id": "b", "name": "B"}}).ok
    assert own.stop(signal.SIGKILL) == -signal.SIGKILL

    own.start(evaluate=0, deliver=0)
    assert "bzb_" not in own.text
    assert not set(leaders.values()) & set(own.pids().values())
    eventually(lambda: company_ids(own) == {"a", "b", "company_123"})
    assert signs_in(own, ADMINISTRATOR, shown(own, "Password"))
    assert stops_without_leaving_a_process(own, signal.SIGINT)
