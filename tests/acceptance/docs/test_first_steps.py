"""From an export to who is At Risk and why, as the README says: 200 customers, a year of events."""

import html
import re
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from tests.acceptance.docs.test_documented_commands import ACTIVATED_PATH
from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.signing_in import TOKEN, signs_in
from tests.support.trial.export import write_export
from tests.unit.docs.documents import blocks, read

EXAMPLE = "usage-drop"


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="brazebee-") as made:
        yield Path(made)


@pytest.fixture
def product(folder: Path) -> Iterator[Brazebee]:
    running = Brazebee(folder).start()
    yield running
    running.stop()


def commands() -> list[str]:
    """The commands of the README that load an export."""
    [block] = [block for block in blocks(read("README.md"), "sh") if "brazebee import" in block]
    return [line.partition("#")[0].strip() for line in block.splitlines()]


def run(product: Brazebee, folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env=product.environment | {"PATH": ACTIVATED_PATH},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def choose_example(product: Brazebee) -> str:
    """Choose an example with what the page suggests, plan it, and apply it; return its text."""
    made = product.json("people", "set-password", "admin@localhost")
    address = f"{product.dashboard_url}/o/default/rules"
    with requests.Session() as browser:
        assert signs_in(product, "admin@localhost", made["password"], browser)
        page = browser.get(f"{address}/examples/{EXAMPLE}", timeout=10).text
        form = {"csrf_token": TOKEN.findall(page)[0], "others": "on"}
        for name, options in re.findall(
            r'<select [^>]*name="(.+?)".*?>(.*?)</select>', page, re.DOTALL
        ):
            chosen = re.search(r'value="([^"]*)" selected', options)
            form[name] = html.unescape(chosen[1]) if chosen else ""
        plan = browser.post(f"{address}/examples/{EXAMPLE}", data=form, timeout=30).text
        assert "What would change" in plan
        area = plan.split('<textarea name="text" hidden')[1].split("</textarea>")[0]
        text = html.unescape(area.split(">\n", 1)[1])
        began_from = re.findall(r'name="began_from" value="(\d+)"', plan)[0]
        apply = {"csrf_token": form["csrf_token"], "text": text, "began_from": began_from}
        assert browser.post(f"{address}/apply", data=apply, timeout=30).ok
    return text


@pytest.mark.thorough
@pytest.mark.timeout(900)
def test_an_export_leads_to_who_is_at_risk_and_why(product: Brazebee, folder: Path) -> None:
    until = datetime.now(UTC).replace(microsecond=0)
    customers = write_export(folder, until)
    load_events, load_companies = commands()

    refused = run(product, folder, load_events)
    assert refused.returncode != 0
    assert "Report Created" in refused.stderr
    text = choose_example(product)
    assert "report_created: {name: Report created, called: [Report Created]}" in text

    loaded = run(product, folder, load_events)
    assert loaded.returncode == 0, loaded.stderr
    with_ids = f'{load_companies} --id-column "Account ID" --yes'
    named = run(product, folder, with_ids)
    assert named.returncode == 0, named.stderr

    listed = {row["id"]: row for row in product.json("companies")}
    assert len(listed) == 200
    eventually(lambda: product.json("companies")[0]["name"] in {one.name for one in customers})
    for one in customers:
        row = listed[one.account_id]
        since = datetime.fromisoformat(row["changed_at"]) if row["changed_at"] else None
        if one.kind == "silent":
            assert row["health_status"] == "Critical", one
            assert since is not None
            assert since < until - timedelta(hours=1), one  # not since the import
            assert since < one.ended_at + timedelta(days=14, minutes=1), one
        elif one.kind == "steady":
            assert row["health_status"] != "Critical", one
    silent = next(one for one in customers if one.kind == "silent")
    explained = product.run("explain", silent.account_id).stdout
    assert "No activity for 14 days" in explained
    assert product.json("deliveries", "list") == []
