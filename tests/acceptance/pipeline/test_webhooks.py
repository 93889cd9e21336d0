"""Webhook endpoints and their deliveries, as operators work with them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.tenant import Tenant
from tests.support.webhooks.receiver import Receiver


class Subscriber(Tenant):
    """An organization whose companies are At Risk from their first event on."""

    def add(self, url: str, *options: str) -> tuple[str, str]:
        made = self.json("webhooks", "add", url, *options)
        return made["id"], made["secret"]

    def deliveries(self, *filters: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.json("deliveries", "list", *filters)
        return listed


@pytest.fixture
def tenant(brazebee: Brazebee, organization: str, tmp_path: Path) -> Subscriber:
    return Subscriber(brazebee, organization, tmp_path)


def test_an_endpoint_gets_only_what_it_subscribed_to(
    tenant: Subscriber, receiver: Receiver
) -> None:
    _, secret = tenant.add(receiver.url, "--status", "At Risk", "--where", "plan=Pro")
    tenant.add(receiver.url, "--status", "Critical")
    tenant.add(receiver.url, "--company", "nobody")
    tenant.track("free", fields={"plan": "Free"})
    tenant.track("pro", fields={"plan": "pro"})
    _, payload = receiver.next(secret)
    assert payload["company"]["id"] == "pro"
    eventually(lambda: tenant.deliveries("--state", "delivered"))
    assert [delivery["company"] for delivery in tenant.deliveries()] == ["pro"]


def test_a_disabled_endpoint_loses_nothing(tenant: Subscriber, receiver: Receiver) -> None:
    endpoint, secret = tenant.add(receiver.url)
    assert tenant.run("webhooks", "disable", endpoint).returncode == 0
    tenant.track("one")
    tenant.track("two")
    eventually(lambda: len(tenant.deliveries("--state", "paused")) == 2)
    [listed] = tenant.json("webhooks", "list")
    assert listed["state"] == "disabled"
    assert tenant.run("webhooks", "enable", endpoint).returncode == 0
    companies = {receiver.next(secret)[1]["company"]["id"] for _ in range(2)}
    assert companies == {"one", "two"}


def test_both_secrets_sign_during_a_rotation(tenant: Subscriber, receiver: Receiver) -> None:
    endpoint, former = tenant.add(receiver.url)
    secret = tenant.json("webhooks", "rotate-secret", endpoint)["secret"]
    tenant.track("one")
    assert receiver.next(former)[1]["company"]["id"] == "one"
    tenant.track("two")
    assert receiver.next(secret)[1]["company"]["id"] == "two"
    final = tenant.json("webhooks", "rotate-secret", endpoint, "--overlap", "0 days")["secret"]
    tenant.track("three")
    assert receiver.next(final)[1]["company"]["id"] == "three"
    refused = tenant.run("webhooks", "rotate-secret", endpoint, "--overlap", "8 days")
    assert (refused.returncode, "up to 7 days" in refused.stderr) == (2, True)


def test_a_test_event_reports_the_answer_and_changes_no_state(
    tenant: Subscriber, receiver: Receiver
) -> None:
    endpoint, secret = tenant.add(receiver.url)
    accepted = tenant.run("webhooks", "test", endpoint)
    assert accepted.returncode == 0, accepted.stderr
    assert accepted.stdout.startswith("Accepted: 2")
    assert receiver.next(secret)[1]["event"] == "test"
    for _ in range(6):
        receiver.answers.put(500)
        refused = tenant.run("webhooks", "test", endpoint)
        assert (refused.returncode, refused.stdout.splitlines()[0]) == (1, "answered 500")
    shown = tenant.json("webhooks", "show", endpoint)
    assert (shown["state"], shown["failures_in_a_row"]) == ("active", 0)


def test_a_delivery_can_be_resent_manually(tenant: Subscriber, receiver: Receiver) -> None:
    endpoint, secret = tenant.add(receiver.url)
    tenant.track("one")
    receiver.next(secret)
    [delivered] = eventually(lambda: tenant.deliveries("--state", "delivered"))
    assert tenant.run("deliveries", "resend", delivered["id"]).returncode == 0
    receiver.next(secret)
    shown = eventually(
        lambda: (s := tenant.json("deliveries", "show", delivered["id"]))["attempts"][1:] and s
    )
    assert [attempt["status_code"] for attempt in shown["attempts"]] == [204, 204]
    since = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert tenant.json("deliveries", "recover", endpoint, "--since", since) == {"recovering": 0}
    refused = tenant.run("deliveries", "recover", endpoint, "--since", "2020-01-01")
    assert (refused.returncode, "can be recovered from" in refused.stderr) == (2, True)


def test_an_endpoint_that_answers_410_is_disabled_at_once(
    tenant: Subscriber, receiver: Receiver
) -> None:
    endpoint, secret = tenant.add(receiver.url)
    receiver.answers.put(410)
    tenant.track("one")
    receiver.next(secret)
    eventually(lambda: tenant.json("webhooks", "show", endpoint)["state"] == "disabled")
    assert tenant.json("webhooks", "show", endpoint)["disabled_because"] == "it answered 410 Gone"
    assert [delivery["state"] for delivery in tenant.deliveries()] == ["paused"]


def test_metrics_are_prometheus_text(tenant: Subscriber, receiver: Receiver) -> None:
    _, secret = tenant.add(receiver.url)
    tenant.track("one")
    receiver.next(secret)
    eventually(lambda: tenant.deliveries("--state", "delivered"))
    text = tenant.brazebee.run("metrics").stdout
    assert 'brazebee_webhook_attempts_total{outcome="accepted"}' in text
    assert 'brazebee_webhook_first_attempt_seconds_bucket{le="+Inf"}' in text
    assert 'brazebee_webhook_endpoints{state="active"}' in text
    assert "brazebee_webhook_oldest_due_seconds" in text
