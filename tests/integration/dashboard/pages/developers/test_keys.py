"""API keys and the usage of the rate limit."""

import pytest

from config.settings import Settings
from models.database import transaction
from models.keys import api_keys
from models.keys.api_keys import digest
from queues.admissions import READS, Admissions
from queues.broker import build_broker
from tests.support.dashboard.application import ServeDashboard, text_of
from tests.support.dashboard.developers import BASE, HOSTILE, Developers, shown_secret


def test_a_new_key_is_shown_once_and_is_valid(developers: Developers) -> None:
    assert "No active API keys" in developers.read()
    key = shown_secret(developers.send("/keys", name=f" {HOSTILE} "), "bzb_")
    with transaction():
        holder = api_keys.find_holder(digest(key))
    assert holder is not None
    assert holder.organization_id == developers.organization.id
    listed = developers.read()
    assert key not in listed
    assert f"{HOSTILE} bzb_…{key[-4:]}" in listed
    assert developers.audited() == ("API key created", HOSTILE, {"key": f"bzb_...{key[-4:]}"})


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb"])
def test_a_key_needs_a_name_of_one_line(developers: Developers, name: str) -> None:
    answer = developers.browser.post(f"{BASE}/keys", name=name)
    assert answer.status_code == 422
    with transaction():
        assert api_keys.list_for_organization(developers.organization.id) == []


def test_a_key_is_revoked_after_confirmation(developers: Developers) -> None:
    key = shown_secret(developers.send("/keys", name="shop"), "bzb_")
    with transaction():
        [stored] = api_keys.list_for_organization(developers.organization.id)
    confirmation = developers.read(f"/keys/{stored.id}/revoke")
    assert "Revoke “shop”?" in confirmation
    assert "Last used: never" in confirmation
    text = developers.send(f"/keys/{stored.id}/revoke")
    assert "The key “shop” was revoked" in text
    assert "Revoked keys (1)" in text
    with transaction():
        assert api_keys.find_holder(digest(key)) is None
    assert developers.audited()[0] == "API key revoked"
    assert developers.browser.get(f"{BASE}/keys/{stored.id}/revoke").status_code == 404
    assert developers.browser.post(f"{BASE}/keys/{stored.id}/revoke").status_code == 404


def test_the_usage_of_the_rate_limit_is_the_number_of_admitted_requests(
    developers: Developers,
) -> None:
    broker = build_broker(developers.settings.redis_url)
    admissions = Admissions(broker.client)
    window = {"limit": 10_000, "window_seconds": 3600}
    for _ in range(3):
        admissions.admit(developers.organization.id, **window)
    admissions.admit(developers.organization.id, **window, kind=READS)
    broker.client.close()
    page = developers.read()
    assert "10,000 requests in 1 hour" in page
    assert "Sending events 3 of 10,000" in page
    assert "Reading data 1 of 10,000" in page


def test_usage_is_shown_as_unavailable_without_redis(
    serve_dashboard: ServeDashboard, settings: Settings
) -> None:
    dashboard = serve_dashboard(queue_url="redis://127.0.0.1:1/0")
    organization = dashboard.organization("acme")
    browser = dashboard.signed_in("ann@acme.com", (organization, "viewer"))
    assert "Redis does not respond" in text_of(browser.get(BASE))
