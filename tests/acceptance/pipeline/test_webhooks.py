"""Webhook endpoints and their deliveries, as operators work with them."""

from datetime import UTC, datetime, timedelta

from tests.support.product.brazebee_process import eventually
from tests.support.product.tenant import Subscriber
from tests.support.webhooks.receiver import Receiver


def test_an_endpoint_gets_only_what_it_subscribed_to(
    subscriber: Subscriber, receiver: Receiver
) -> None:
    _, secret = subscriber.add(receiver.url, "--status", "At Risk", "--where", "plan=Pro")
    subscriber.add(receiver.url, "--status", "Critical")
    subscriber.add(receiver.url, "--company", "nobody")
    subscriber.track("free", fields={"plan": "Free"})
    subscriber.track("pro", fields={"plan": "pro"})
    _, payload = receiver.next(secret)
    assert payload["company"]["id"] == "pro"
    eventually(lambda: subscriber.deliveries("--state", "delivered"))
    assert [delivery["company"] for delivery in subscriber.deliveries()] == ["pro"]


def test_a_disabled_endpoint_loses_nothing(subscriber: Subscriber, receiver: Receiver) -> None:
    endpoint, secret = subscriber.add(receiver.url)
    assert subscriber.run("webhooks", "disable", endpoint).returncode == 0
    subscriber.track("one")
    subscriber.track("two")
    eventually(lambda: len(subscriber.deliveries("--state", "paused")) == 2)
    [listed] = subscriber.json("webhooks", "list")
    assert listed["state"] == "disabled"
    assert subscriber.run("webhooks", "enable", endpoint).returncode == 0
    companies = {receiver.next(secret)[1]["company"]["id"] for _ in range(2)}
    assert companies == {"one", "two"}


def test_both_secrets_sign_during_a_rotation(subscriber: Subscriber, receiver: Receiver) -> None:
    endpoint, former = subscriber.add(receiver.url)
    secret = subscriber.json("webhooks", "rotate-secret", endpoint)["secret"]
    subscriber.track("one")
    assert receiver.next(former)[1]["company"]["id"] == "one"
    subscriber.track("two")
    assert receiver.next(secret)[1]["company"]["id"] == "two"
    final = subscriber.json("webhooks", "rotate-secret", endpoint, "--overlap", "0 days")["secret"]
    subscriber.track("three")
    assert receiver.next(final)[1]["company"]["id"] == "three"
    refused = subscriber.run("webhooks", "rotate-secret", endpoint, "--overlap", "8 days")
    assert (refused.returncode, "up to 7 days" in refused.stderr) == (2, True)


def test_a_test_event_reports_the_answer_and_changes_no_state(
    subscriber: Subscriber, receiver: Receiver
) -> None:
    endpoint, secret = subscriber.add(receiver.url)
    accepted = subscriber.run("webhooks", "test", endpoint)
    assert accepted.returncode == 0, accepted.stderr
    assert accepted.stdout.startswith("Accepted: 2")
    assert receiver.next(secret)[1]["event"] == "test"
    for _ in range(6):
        receiver.answers.put(500)
        refused = subscriber.run("webhooks", "test", endpoint)
        assert (refused.returncode, refused.stdout.splitlines()[0]) == (1, "answered 500")
    shown = subscriber.json("webhooks", "show", endpoint)
    assert (shown["state"], shown["failures_in_a_row"]) == ("active", 0)


def test_a_delivery_can_be_resent_manually(subscriber: Subscriber, receiver: Receiver) -> None:
    endpoint, secret = subscriber.add(receiver.url)
    subscriber.track("one")
    receiver.next(secret)
    [delivered] = eventually(lambda: subscriber.deliveries("--state", "delivered"))
    assert subscriber.run("deliveries", "resend", delivered["id"]).returncode == 0
    receiver.next(secret)
    shown = eventually(
        lambda: (s := subscriber.json("deliveries", "show", delivered["id"]))["attempts"][1:] and s
    )
    assert [attempt["status_code"] for attempt in shown["attempts"]] == [204, 204]
    since = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert subscriber.json("deliveries", "recover", endpoint, "--since", since) == {"recovering": 0}
    refused = subscriber.run("deliveries", "recover", endpoint, "--since", "2020-01-01")
    assert (refused.returncode, "can be recovered from" in refused.stderr) == (2, True)


def test_an_endpoint_that_answers_410_is_disabled_at_once(
    subscriber: Subscriber, receiver: Receiver
) -> None:
    endpoint, secret = subscriber.add(receiver.url)
    receiver.answers.put(410)
    subscriber.track("one")
    receiver.next(secret)
    eventually(lambda: subscriber.json("webhooks", "show", endpoint)["state"] == "disabled")
    shown = subscriber.json("webhooks", "show", endpoint)
    assert shown["disabled_because"] == "it answered 410 Gone"
    assert [delivery["state"] for delivery in subscriber.deliveries()] == ["paused"]


def test_metrics_are_prometheus_text(subscriber: Subscriber, receiver: Receiver) -> None:
    _, secret = subscriber.add(receiver.url)
    subscriber.track("one")
    receiver.next(secret)
    eventually(lambda: subscriber.deliveries("--state", "delivered"))
    text = subscriber.brazebee.run("metrics").stdout
    assert 'brazebee_webhook_attempts_total{outcome="accepted"}' in text
    assert 'brazebee_webhook_first_attempt_seconds_bucket{le="+Inf"}' in text
    assert 'brazebee_webhook_endpoints{state="active"}' in text
    assert "brazebee_webhook_oldest_due_seconds" in text
