"""The log of deliveries, resending and recovery."""

import json
import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner

from cli.main import main
from models.database import execute, transaction
from models.webhooks import delivery_log, manual_deliveries
from tests.support.dashboard.application import NOW, Dashboard, text_of
from tests.support.dashboard.developers import BASE, HOSTILE, Developers
from tests.support.world import World


def test_the_log_is_read_page_by_page_and_shows_each_delivery_once(developers: Developers) -> None:
    delivery_ids = developers.add_deliveries(120)
    seen: list[str] = []
    address = f"{BASE}/deliveries"
    while address:
        page = developers.browser.get(address).text
        seen += re.findall(r'/deliveries/([0-9a-f-]{36})"', page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        address = unescape(following[1]) if following else ""
    assert seen == [str(delivery_id) for delivery_id in delivery_ids]


def test_the_log_is_filtered_by_state_endpoint_and_company(developers: Developers) -> None:
    world = World.of(developers.organization, start=NOW)
    world.track(HOSTILE, -3, name=HOSTILE.upper())
    world.judge(HOSTILE)
    [failed] = developers.add_deliveries(state="failed")
    with transaction():
        listed, _ = delivery_log.read_page(
            developers.organization.id, {"company": HOSTILE}, limit=9
        )
        everything, _ = delivery_log.read_page(developers.organization.id, {}, limit=9)
    [listed_delivery] = listed
    assert len(everything) == 2

    def shown(**filters: object) -> list[str]:
        page = developers.browser.get(f"{BASE}/deliveries", query_string=filters).text
        return re.findall(r'/deliveries/([0-9a-f-]{36})"', page)

    assert shown(company=HOSTILE) == [str(listed_delivery.id)]
    assert shown(state="failed") == [str(failed)]
    page = developers.browser.get(f"{BASE}/deliveries").text
    [company] = re.findall(r'href="(/o/acme/companies/[^"]+)"', page)
    assert HOSTILE.upper() in unescape(text_of(developers.browser.get(unescape(company))))
    assert len(shown(webhook=developers.endpoint_id)) == 2
    assert shown(webhook=uuid4()) == []
    assert shown(company="nobody", state="failed") == []
    assert len(shown(webhook="nonsense")) == 2
    assert developers.browser.get(f"{BASE}/deliveries?after=x").status_code == 400
    page = developers.browser.get(f"{BASE}/deliveries/{listed_delivery.id}")
    assert HOSTILE in unescape(text_of(page))
    assert "<b>" not in page.text


def test_a_finished_delivery_can_be_resent(developers: Developers) -> None:
    [over], [waiting] = developers.add_deliveries(), developers.add_deliveries(state="waiting")
    text = developers.send(f"/deliveries/{over}/resend")
    assert "The delivery is being resent." in text
    assert developers.enqueued() == 1
    assert developers.audited()[:2] == ("Delivery sent again", "test for a test")
    text = developers.send(f"/deliveries/{waiting}/resend")
    assert "will be sent automatically" in text
    assert developers.enqueued() == 1
    assert developers.browser.post(f"{BASE}/deliveries/{uuid4()}/resend").status_code == 404


def test_deliveries_that_failed_since_an_instant_are_resent(developers: Developers) -> None:
    world = World.of(developers.organization, start=NOW)
    for company in ("one", "two"):
        world.track(company, -3)
        world.judge(company)
    with transaction():
        execute("update deliveries set state = 'failed', next_attempt_at = null, parked = false")
    path = f"/webhooks/{developers.endpoint_id}/recover"
    assert "No deliveries failed since then." in developers.send(path, since="2026-01-20T10:31")
    assert "Enter a start time" in developers.send(path, since="yesterday")
    assert "can be recovered from" in developers.send(path, since="2025-12-01T00:00")
    assert "2 failed deliveries are being resent." in developers.send(
        path, since="2026-01-20T10:00"
    )
    action, _, detail = developers.audited()
    assert (action, detail["deliveries"]) == ("Deliveries recovered", 2)
    with transaction():
        assert (
            manual_deliveries.count_recovering(developers.organization.id, developers.endpoint_id)
            == 2
        )


def test_a_delivery_of_a_removed_webhook_stays_in_the_log(developers: Developers) -> None:
    [over] = developers.add_deliveries()
    developers.send(f"/webhooks/{developers.endpoint_id}/remove")
    page = developers.read(f"/deliveries/{over}")
    assert "The webhook was removed." in page
    assert "Resend" not in page
    assert developers.browser.post(f"{BASE}/deliveries/{over}/resend").status_code == 404


def test_the_pages_explain_what_to_do_without_webhooks(dashboard: Dashboard) -> None:
    organization = dashboard.organization("acme")
    browser = dashboard.signed_in("ann@acme.com", (organization, "administrator"))
    assert "Add a URL below" in text_of(browser.get(f"{BASE}/webhooks"))
    assert "Nothing is sent until there is a webhook" in text_of(browser.get(f"{BASE}/deliveries"))


def test_pages_show_the_same_as_the_command_line(
    developers: Developers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", developers.settings.database_url)
    monkeypatch.setenv("REDIS_URL", developers.settings.redis_url)
    monkeypatch.setenv("BRAZEBEE_SECRET_KEY", ",".join(developers.settings.secret_keys))
    developers.send("/keys", name="shop", scopes="send")
    developers.add_deliveries(2)
    developers.add_deliveries(state="failed")

    def from_cli(*command: str) -> list[dict[str, Any]]:
        result = CliRunner().invoke(main, [*command, "--org", "acme", "--json"])
        assert result.exit_code == 0, result.output
        rows: list[dict[str, Any]] = json.loads(result.stdout)
        return rows

    [key] = from_cli("keys", "list")
    assert f"shop send {key['key'].replace('...', '…')} " in developers.read()
    [webhook] = from_cli("webhooks", "list")
    assert webhook["url"] in developers.read("/webhooks")
    for state in ("delivered", "failed"):
        page = developers.browser.get(f"{BASE}/deliveries?state={state}").text
        shown = re.findall(r'/deliveries/([0-9a-f-]{36})"', page)
        assert shown == [
            delivery["id"] for delivery in from_cli("deliveries", "list", "--state", state)
        ]
