"""Webhook endpoints and their deliveries, as operators work with them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.webhooks.receiver import Receiver

RULES = """\
version: 1
statuses: [Healthy, At Risk, Critical]
events: {report: }
flags:
  - flag: Reports
    event: report
    when: {At Risk: less than 2 times in 7 days}
"""


class Tenant:
    """An organization whose companies are At Risk from their first event on."""

    def __init__(self, brazebee: Brazebee, name: str, folder: Path) -> None:
        self.brazebee, self.name = brazebee, name
        file = folder / "rules.yaml"
        file.write_text(RULES)
        assert self.run("rules", "apply", str(file)).returncode == 0
        self.key = self.run("keys", "create").stdout.strip()

    def run(self, *arguments: str) -> Any:
        return self.brazebee.run(*arguments, "--org", self.name)

    def json(self, *arguments: str) -> Any:
        return self.brazebee.json(*arguments, "--org", self.name)

    def add(self, url: str, *options: str) -> tuple[str, str]:
        made = self.json("webhooks", "add", url, *options)
        return made["id"], made["secret"]

    def happen(self, company: str, **fields: str) -> None:
        answer = self.brazebee.track(
            {"event_key": "report", "company": {"id": company, "name": company, **fields}}, self.key
        )
        assert answer.status_code == 200, answer.text

    def deliveries(self, *filters: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.json("deliveries", "list", *filters)
        return listed


@pytest.fixture
def tenant(brazebee: Brazebee, organization: str, tmp_path: Path) -> Tenant:
    return Tenant(brazebee, organization, tmp_path)


def test_an_endpoint_gets_only_what_it_subscribed_to(tenant: Tenant, receiver: Receiver) -> None:
    _, secret = tenant.add(receiver.url, "--status", "At Risk", "--where", "plan=Pro")
    tenant.add(receiver.url, "--status", "Critical")
    tenant.add(receiver.url, "--company", "nobody")
    tenant.happen("free", plan="Free")
    tenant.happen("pro", plan="pro")
    _, payload = receiver.next(secret)
    assert payload["company"]["id"] == "pro"
    eventually(lambda: tenant.deliveries("--state", "delivered"))
    assert [one["company"] for one in tenant.deliveries()] == ["pro"]


def test_a_disabled_endpoint_loses_nothing(tenant: Tenant, receiver: Receiver) -> None:
    endpoint, secret = tenant.add(receiver.url)
    assert tenant.run("webhooks", "disable", endpoint).returncode == 0
    tenant.happen("one")
    tenant.happen("two")
    eventually(lambda: len(tenant.deliveries("--state", "paused")) == 2)
    [listed] = tenant.json("webhooks", "list")
    assert listed["state"] == "disabled"
    assert tenant.run("webhooks", "enable", endpoint).returncode == 0
    told = {receiver.next(secret)[1]["company"]["id"] for _ in range(2)}
    assert told == {"one", "two"}


def test_both_secrets_sign_while_one_is_rotated(tenant: Tenant, receiver: Receiver) -> None:
    endpoint, former = tenant.add(receiver.url)
    secret = tenant.json("webhooks", "rotate-secret", endpoint)["secret"]
    tenant.happen("one")
    assert receiver.next(former)[1]["company"]["id"] == "one"
    tenant.happen("two")
    assert receiver.next(secret)[1]["company"]["id"] == "two"
    final = tenant.json("webhooks", "rotate-secret", endpoint, "--overlap", "0 days")["secret"]
    tenant.happen("three")
    assert receiver.next(final)[1]["company"]["id"] == "three"
    refused = tenant.run("webhooks", "rotate-secret", endpoint, "--overlap", "8 days")
    assert (refused.returncode, "up to 7 days" in refused.stderr) == (2, True)


def test_a_test_event_says_what_was_answered_and_touches_nothing(
    tenant: Tenant, receiver: Receiver
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


def test_what_an_endpoint_refused_for_good_is_sent_again_by_hand(
    tenant: Tenant, receiver: Receiver
) -> None:
    endpoint, secret = tenant.add(receiver.url)
    tenant.happen("one")
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


def test_an_endpoint_that_is_gone_is_disabled_at_once(tenant: Tenant, receiver: Receiver) -> None:
    endpoint, secret = tenant.add(receiver.url)
    receiver.answers.put(410)
    tenant.happen("one")
    receiver.next(secret)
    eventually(lambda: tenant.json("webhooks", "show", endpoint)["state"] == "disabled")
    assert tenant.json("webhooks", "show", endpoint)["disabled_because"] == "it answered 410 Gone"
    assert [one["state"] for one in tenant.deliveries()] == ["paused"]


def test_metrics_are_prometheus_text(tenant: Tenant, receiver: Receiver) -> None:
    _, secret = tenant.add(receiver.url)
    tenant.happen("one")
    receiver.next(secret)
    eventually(lambda: tenant.deliveries("--state", "delivered"))
    text = tenant.brazebee.run("metrics").stdout
    assert 'brazebee_webhook_attempts_total{outcome="accepted"}' in text
    assert 'brazebee_webhook_first_attempt_seconds_bucket{le="+Inf"}' in text
    assert 'brazebee_webhook_endpoints{state="active"}' in text
    assert "brazebee_webhook_oldest_due_seconds" in text
