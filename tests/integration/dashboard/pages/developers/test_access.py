"""Who may see and change the settings for developers."""

import re
from uuid import UUID

import pytest

from models.database import transaction
from models.keys import api_keys
from tests.support.dashboard.developers import BASE, HOOK, Developers

POSTS = (
    "/keys",
    "/keys/1/scopes",
    "/keys/1/revoke",
    "/webhooks",
    "/webhooks/{id}/subscription",
    "/webhooks/{id}/secret",
    "/webhooks/{id}/disable",
    "/webhooks/{id}/enable",
    "/webhooks/{id}/test",
    "/webhooks/{id}/recover",
    "/webhooks/{id}/remove",
    "/deliveries/{delivery}/resend",
)
PAGES = (
    "",
    "/webhooks",
    "/webhooks/{id}",
    "/deliveries",
    "/deliveries/{delivery}",
    "/deliveries/{delivery}/attempts",
)


def address_of(path: str, developers: Developers, delivery: UUID) -> str:
    return BASE + path.format(id=developers.endpoint_id, delivery=delivery)


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_viewers_and_editors_see_everything_and_change_nothing(
    developers: Developers, role: str
) -> None:
    [delivery] = developers.add_deliveries()
    browser = developers.dashboard.signed_in("vic@acme.com", (developers.organization, role))
    for path in PAGES:
        page = browser.get(address_of(path, developers, delivery))
        assert page.status_code == 200, path
        main = page.text.split("<main", maxsplit=1)[-1]
        assert 'method="post"' not in main
        assert "hush" not in main, "the path of a URL is often a secret"
    for path in POSTS:
        answer = browser.post(address_of(path, developers, delivery), name="x", url=HOOK)
        assert answer.status_code == 403, path
    for path in ("/keys/1/scopes", "/keys/1/revoke", "/webhooks/{id}/remove"):
        assert browser.get(address_of(path, developers, delivery)).status_code == 403


def test_the_navigation_marks_the_current_page_of_the_settings(developers: Developers) -> None:
    [delivery] = developers.add_deliveries()
    for path, title in (
        ("", "API keys"),
        ("/webhooks", "Webhooks"),
        ("/webhooks/{id}", "Webhooks"),
        ("/webhooks/{id}/remove", "Webhooks"),
        ("/deliveries", "Deliveries"),
        ("/deliveries/{delivery}", "Deliveries"),
    ):
        page = developers.browser.get(address_of(path, developers, delivery)).text
        tabs = page.split('aria-label="Settings"')[1].split("</nav>")[0]
        assert re.findall(r'aria-current="page">([^<]+)', tabs) == [title], path


def test_other_organizations_do_not_exist(developers: Developers) -> None:
    [delivery] = developers.add_deliveries()
    other = developers.dashboard.organization("other")
    stranger = developers.dashboard.signed_in("sam@other.com", (other, "administrator"))
    with transaction():
        api_keys.create(developers.organization.id, "ours")
    for path in PAGES:
        assert stranger.get(address_of(path, developers, delivery)).status_code == 404, path
    for path in POSTS:
        assert stranger.post(address_of(path, developers, delivery)).status_code == 404, path
        theirs = address_of(path, developers, delivery).replace("/o/acme", "/o/other")
        if "{" in path or "1" in path:
            assert stranger.post(theirs).status_code == 404, path
    for path in PAGES:
        theirs = address_of(path, developers, delivery).replace("/o/acme", "/o/other")
        if "{" in path:
            assert stranger.get(theirs).status_code == 404, path
    assert developers.endpoint.disabled_at is None


def test_nothing_is_changed_without_a_csrf_token(developers: Developers) -> None:
    [delivery] = developers.add_deliveries()
    for path in POSTS:
        address = address_of(path, developers, delivery)
        answer = developers.browser.client.post(address, data={"name": "x", "url": HOOK})
        assert answer.status_code == 400, path
    assert developers.endpoint.disabled_at is None
