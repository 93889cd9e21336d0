"""Webhook endpoints: adding, subscribing, rotating secrets, disabling, removing."""

from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest

from models import encrypted_secrets
from models.database import execute, query, transaction
from models.webhooks import webhook_endpoints
from models.webhooks.webhook_endpoints import Subscription
from services.webhooks import endpoints
from tests.support.dashboard.application import NOW, text_of
from tests.support.dashboard.developers import BASE, HOOK, HOSTILE, Developers, shown_secret
from tests.support.world import World


def test_a_webhook_is_added_with_its_subscription(developers: Developers) -> None:
    World.of(developers.organization, start=NOW)
    page = developers.send(
        "/webhooks",
        url=" http://127.0.0.1:9/other ",
        events=["threshold_crossed"],
        statuses=["At Risk", "Critical"],
        companies=f"one\r\n\r\n {HOSTILE}\r\none",
        fields="plan=Enterprise\r\nplan=Free\r\ncompany.seats=4=2",
    )
    secret = shown_secret(page, "whsec_")
    with transaction():
        [_, added] = webhook_endpoints.list_for_organization(developers.organization.id)
    [stored] = added.encrypted_secrets
    assert encrypted_secrets.decrypt(stored, developers.settings.secret_keys) == secret
    assert added.url == "http://127.0.0.1:9/other"
    assert added.subscription == Subscription(
        ("threshold_crossed",),
        ("At Risk", "Critical"),
        ("one", HOSTILE),
        {"plan": ["Enterprise", "Free"], "seats": ["4=2"]},
    )
    shown = developers.browser.get(f"{BASE}/webhooks/{added.id}").text
    assert secret not in shown
    assert "plan=Enterprise\nplan=Free\nseats=4=2" in shown
    assert shown.count(" checked ") == 3
    action, subject, detail = developers.audited()
    assert (action, subject) == ("Webhook added", added.url)
    assert detail["statuses"] == ["At Risk", "Critical"]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"url": ""}, "Enter a URL."),
        ({"url": "ftp://example.com"}, "is not a webhook URL"),
        ({"url": "http://10.1.2.3/hook"}, "resolves to 10.1.2.3, which is not public"),
        ({"url": "https://ann:secret@example.com/"}, "must not contain a user name"),
        ({"url": HOOK, "fields": "plan"}, " plan is not FIELD=VALUE."),
        ({"url": HOOK, "events": "nothing"}, "not a valid choice"),
    ],
)
def test_an_invalid_subscription_is_rejected_with_the_reason(
    developers: Developers, form: dict[str, str], text: str
) -> None:
    answer = developers.browser.post(f"{BASE}/webhooks", **form)
    assert answer.status_code == 422
    assert text in unescape(text_of(answer))
    with transaction():
        assert len(webhook_endpoints.list_for_organization(developers.organization.id)) == 1


def test_a_subscription_is_changed_and_cleared(developers: Developers) -> None:
    path = f"/webhooks/{developers.endpoint_id}/subscription"
    assert "was updated" in developers.send(path, companies="one", events="health_score_changed")
    assert developers.endpoint.subscription == Subscription(
        ("health_score_changed",), None, ("one",), None
    )
    assert developers.audited()[2]["companies"] == ["one"]
    developers.send(path)
    assert developers.endpoint.subscription == Subscription()
    refused = developers.browser.post(BASE + path, fields="x")
    assert refused.status_code == 422
    assert developers.endpoint.subscription == Subscription()


def test_a_rotated_secret_is_shown_once_and_the_old_one_signs_for_the_chosen_time(
    developers: Developers,
) -> None:
    [former] = developers.endpoint.encrypted_secrets
    developers.dashboard.clock.at = database_now()
    developers.browser.sign_in("ann@acme.com")
    path = f"/webhooks/{developers.endpoint_id}/secret"
    page = developers.send(path, overlap="1 hour")
    secret = shown_secret(page, "whsec_")
    assert "For 1 hour, the old secret signs as well." in page
    newest, kept = developers.endpoint.encrypted_secrets
    assert encrypted_secrets.decrypt(newest, developers.settings.secret_keys) == secret
    assert kept == former
    assert developers.audited()[0] == "Webhook secret rotated"
    assert "up to 7 days" in developers.send(path, overlap="8 days")
    assert developers.endpoint.encrypted_secrets == (newest, kept)


def database_now() -> Any:
    with transaction():
        return query("select now() as now")[0]["now"]


def test_a_webhook_is_disabled_enabled_and_removed(developers: Developers) -> None:
    path = f"/webhooks/{developers.endpoint_id}"
    page = developers.send(f"{path}/disable")
    assert "Its deliveries are kept" in page
    assert "disabled just now , by hand" in page
    assert endpoints.describe_state(developers.endpoint) == "disabled"
    page = developers.send(f"{path}/enable")
    assert endpoints.describe_state(developers.endpoint) == "active"
    assert "nothing sent yet" in page
    assert "its pending deliveries are cancelled" in developers.read(f"{path}/remove")
    assert "No webhooks yet" in developers.send(f"{path}/remove")
    assert developers.audited()[0] == "Webhook removed"
    assert developers.browser.get(BASE + path).status_code == 404


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ("last_success_at = now()", "healthy"),
        ("failures = 2, failing_since = %(at)s", "failing since 2 hours ago"),
        (
            "failures = 5, failing_since = %(at)s, probe_at = %(soon)s, probe_pause = '30 s'",
            "circuit open failing since 2 hours ago",
        ),
        (
            "disabled_at = %(at)s, disabled_because = 'it failed for 5 days'",
            "disabled 2 hours ago , it failed for 5 days",
        ),
    ],
)
def test_the_state_of_an_endpoint_is_shown_in_the_list_and_on_its_page(
    developers: Developers, columns: str, text: str
) -> None:
    with transaction():
        execute(
            f"update webhook_endpoints set {columns}",
            {"at": NOW - timedelta(hours=2), "soon": NOW + timedelta(minutes=1)},
        )
    assert text in developers.read("/webhooks")
    assert text in developers.read(f"/webhooks/{developers.endpoint_id}")


def test_the_page_of_a_test_event_polls_for_its_response(developers: Developers) -> None:
    answer = developers.browser.post(f"{BASE}/webhooks/{developers.endpoint_id}/test")
    assert answer.status_code == 303
    assert developers.enqueued() == 1
    assert developers.audited()[0] == "Webhook tested"
    page = developers.browser.get(answer.location)
    assert "Sending." in text_of(page)
    assert f'hx-get="{answer.location}/attempts"' in page.text
    delivery_id = UUID(answer.location.rsplit("/", 1)[-1])
    with transaction():
        execute(
            "insert into delivery_attempts (delivery_id, attempt, organization_id, at, duration_ms,"
            " status_code, error, response) values (%(id)s, 1, %(org)s, %(at)s, 1234, 500,"
            " 'answered 500', %(response)s)",
            {
                "id": delivery_id,
                "org": developers.organization.id,
                "at": NOW,
                "response": HOSTILE,
            },
        )
        execute("update deliveries set state = 'failed', next_attempt_at = null")
    fragment = developers.browser.get(f"{answer.location}/attempts")
    assert "<html" not in fragment.text
    assert "hx-get" not in fragment.text
    text = unescape(text_of(fragment))
    assert "The test was not accepted: answered 500" in text
    assert "1,234 ms" in text
    assert HOSTILE in unescape(fragment.text)
    assert HOSTILE not in fragment.text
