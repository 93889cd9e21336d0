"""API keys and the usage of the rate limit."""

import re

import pytest

from config.settings import Settings
from models.database import transaction
from models.keys import api_keys
from models.keys.api_keys import ApiKey, digest
from models.keys.scopes import Scope
from queues.admissions import READS, AdmissionRequest, Admissions, RateWindow
from queues.broker import build_broker
from tests.support.dashboard.application import ServeDashboard, text_of
from tests.support.dashboard.developers import BASE, HOSTILE, Developers, shown_secret
from tests.support.ingress.former_keys import add_key_as_the_release_before


def test_a_new_key_is_shown_once_and_is_valid(developers: Developers) -> None:
    assert "No active API keys" in developers.read()
    page = developers.send("/keys", name=f" {HOSTILE} ", scopes=["read", "send"])
    assert "Its scopes: send, read." in page
    key = shown_secret(page, "bzb_")
    with transaction():
        holder = api_keys.find_holder(digest(key))
    assert holder is not None
    assert holder.organization_id == developers.organization.id
    assert holder.scopes == (Scope.SEND, Scope.READ)
    listed = developers.read()
    assert key not in listed
    assert f"{HOSTILE} send read bzb_…{key[-4:]}" in listed
    detail = {"key": f"bzb_...{key[-4:]}", "scopes": "send, read"}
    assert developers.audited() == ("API key created", HOSTILE, detail)


def test_an_address_of_the_write_api_that_is_not_known_is_not_linked(
    developers: Developers,
) -> None:
    page = developers.browser.get(BASE).text
    assert 'href="/v1/openapi.json"' in page
    assert "openapi.yaml" not in page


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb"])
def test_a_key_needs_a_name_of_one_line(developers: Developers, name: str) -> None:
    answer = developers.browser.post(f"{BASE}/keys", name=name, scopes="send")
    assert answer.status_code == 422
    with transaction():
        assert api_keys.list_for_organization(developers.organization.id) == []


def test_a_key_is_revoked_after_confirmation(developers: Developers) -> None:
    key = shown_secret(developers.send("/keys", name="shop", scopes="send"), "bzb_")
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


@pytest.mark.parametrize("scopes", [[], ["everything"], ["send", "everything"]])
def test_a_key_needs_a_scope_that_exists(developers: Developers, scopes: list[str]) -> None:
    created = developers.browser.post(f"{BASE}/keys", name="shop", scopes=scopes)
    assert created.status_code == 422
    with transaction():
        assert api_keys.list_for_organization(developers.organization.id) == []
        api_keys.create(developers.organization.id, "shop")
    [key] = stored_keys(developers)
    changed = developers.browser.post(f"{BASE}/keys/{key.id}/scopes", scopes=scopes)
    assert changed.status_code == 422
    assert stored_keys(developers) == [key]


def test_a_new_key_only_sends_unless_other_scopes_are_selected(developers: Developers) -> None:
    [form] = re.findall(r'<form[^>]+/keys".*?</form>', developers.browser.get(BASE).text, re.DOTALL)
    assert checked(form) == {"send": True, "read": False}


def test_the_scopes_of_a_key_are_changed(developers: Developers) -> None:
    with transaction():
        api_keys.create(developers.organization.id, "shop", [Scope.SEND])
    [key] = stored_keys(developers)
    page = developers.browser.get(f"{BASE}/keys/{key.id}/scopes").text
    assert checked(page) == {"send": True, "read": False}
    text = developers.send(f"/keys/{key.id}/scopes", scopes=["read", "send"])
    assert "The key “shop” has the scopes send, read." in text
    [changed] = stored_keys(developers)
    assert changed.scopes == (Scope.SEND, Scope.READ)
    detail = {"key": key.masked, "was": "send", "scopes": "send, read"}
    assert developers.audited() == ("API key scopes changed", "shop", detail)


def test_a_scope_without_requests_is_kept_by_the_keys_that_have_it_alone(
    developers: Developers,
) -> None:
    with transaction():
        for scopes in ([Scope.MANAGE], [Scope.SEND]):
            api_keys.create(developers.organization.id, scopes[0], scopes)
    with_it, without = sorted(stored_keys(developers), key=lambda key: key.name)
    page = developers.browser.get(f"{BASE}/keys/{with_it.id}/scopes").text
    assert checked(page) == {"send": False, "read": False, "manage": True}
    developers.send(f"/keys/{with_it.id}/scopes", scopes=["manage", "read"])
    address = f"{BASE}/keys/{without.id}/scopes"
    assert developers.browser.post(address, scopes=["manage"]).status_code == 422
    stored = {key.name: key.scopes for key in stored_keys(developers)}
    assert stored == {"manage": (Scope.READ, Scope.MANAGE), "send": (Scope.SEND,)}


def test_a_revoked_key_has_no_scopes_to_change(developers: Developers) -> None:
    with transaction():
        api_keys.create(developers.organization.id, "shop")
    [key] = stored_keys(developers)
    developers.send(f"/keys/{key.id}/revoke")
    assert developers.browser.get(f"{BASE}/keys/{key.id}/scopes").status_code == 404
    changed = developers.browser.post(f"{BASE}/keys/{key.id}/scopes", scopes="read")
    assert changed.status_code == 404
    assert stored_keys(developers)[0].scopes == (Scope.SEND,)


def test_keys_from_before_there_were_scopes_have_a_notice_until_somebody_chooses(
    developers: Developers,
) -> None:
    for name in ("old", "older"):
        add_key_as_the_release_before(developers.organization.id, name)
    with transaction():
        api_keys.create(developers.organization.id, "new", [Scope.SEND, Scope.READ])
    assert "2 keys are from before keys had scopes" in developers.read()
    old, older, _ = stored_keys(developers)
    assert old.scopes == (Scope.SEND, Scope.READ)
    text = developers.send(f"/keys/{old.id}/scopes", scopes=["send", "read"])
    assert "A key is from before keys had scopes" in text
    assert "as well as send events: older ." in text
    text = developers.send(f"/keys/{older.id}/revoke")
    assert "from before keys had scopes" not in text


def stored_keys(developers: Developers) -> list[ApiKey]:
    with transaction():
        return api_keys.list_for_organization(developers.organization.id)


def checked(page: str) -> dict[str, bool]:
    """Return which scopes are selected in a form."""
    boxes = re.findall(r'<input ([^>]*name="scopes"[^>]*)>', page)
    return {re.findall(r'value="(\w+)"', box)[0]: "checked" in box for box in boxes}


def test_the_usage_of_the_rate_limit_is_the_number_of_admitted_requests(
    developers: Developers,
) -> None:
    broker = build_broker(developers.settings.redis_url)
    admissions = Admissions(broker.client)
    sending = RateWindow(developers.organization.id, 10_000, 3600)
    for _ in range(3):
        admissions.admit(AdmissionRequest(sending))
    admissions.admit(AdmissionRequest(sending._replace(kind=READS)))
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
