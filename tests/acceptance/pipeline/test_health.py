"""From a posted event to a delivered webhook, with real processes and real HTTP."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.tenant import Tenant
from tests.support.webhooks.receiver import Receiver

RULES = """\
version: 1
statuses: [Healthy, At Risk]
events:
  report: {name: Report}
  other:
flags:
  - flag: Reports
    event: report
    when: {At Risk: less than 2 times in 4 seconds}
"""


class Subscriber(Tenant):
    """An organization with a rule of seconds, a key and a webhook."""

    def __init__(self, brazebee: Brazebee, name: str, receiver: Receiver, folder: Path) -> None:
        super().__init__(brazebee, name, folder, rules=RULES)
        self.receiver = receiver
        self.secret = self.run("webhooks", "add", receiver.url).stdout.strip()

    def post(self, event_key: str = "report") -> datetime:
        """Post an event of `acme` with the present time, and return that."""
        at = datetime.now(UTC)
        self.track("acme", key=event_key, timestamp=at.isoformat())
        return at

    def next_webhook(self) -> tuple[datetime, dict[str, Any]]:
        at, payload = self.receiver.next(self.secret)
        return datetime.fromtimestamp(at, UTC), payload

    def explain(self) -> dict[str, Any]:
        explained: dict[str, Any] = self.json("explain", "acme")
        return explained


@pytest.fixture
def tenant(brazebee: Brazebee, organization: str, receiver: Receiver, tmp_path: Path) -> Subscriber:
    return Subscriber(brazebee, organization, receiver, tmp_path)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def test_a_company_that_goes_quiet_turns_at_risk_at_the_exact_instant_and_back(
    tenant: Subscriber,
) -> None:
    first = tenant.post()
    _, began = tenant.next_webhook()
    assert began["company"] == {
        "id": "acme",
        "name": "Acme",
        "health_status": "At Risk",
        "previous_status": "Healthy",
    }
    assert (began["cause"], instant(began["timestamp"])) == ("event", milliseconds(first))
    second = tenant.post()
    _, healthy = tenant.next_webhook()
    assert healthy["company"]["health_status"] == "Healthy"
    assert instant(healthy["timestamp"]) == milliseconds(second)

    # Quiet from here on: the second-latest event leaves the window of 4 seconds.
    crossing = first + timedelta(seconds=4)
    arrived_at, quiet = tenant.next_webhook()
    assert instant(quiet["timestamp"]) == milliseconds(crossing)
    assert timedelta(0) <= arrived_at - crossing < timedelta(seconds=2)
    assert (quiet["event"], quiet["cause"], quiet["sequence"]) == (
        "health_score_changed",
        "time",
        3,
    )
    assert quiet["triggers"] == [
        {"flag": "Reports", "status": "At Risk", "threshold": "Less than 2 times in 4 seconds"}
    ]
    # The first two events have left the window too, so two more are needed.
    eventually(lambda: datetime.now(UTC) > second + timedelta(seconds=4.1))
    tenant.post()
    recovered_by = tenant.post()
    _, recovered = tenant.next_webhook()
    assert recovered["company"]["health_status"] == "Healthy"
    assert (recovered["cause"], instant(recovered["timestamp"])) == (
        "event",
        milliseconds(recovered_by),
    )
    history = tenant.explain()["transitions"]
    assert [(t["from"], t["to"], t["cause"]) for t in history[:4]] == [
        ("Healthy", "At Risk", "event"),
        ("At Risk", "Healthy", "event"),
        ("Healthy", "At Risk", "time"),
        ("At Risk", "Healthy", "event"),
    ]
    assert [t["at"] for t in history[:4]] == [
        p["timestamp"] for p in (began, healthy, quiet, recovered)
    ]


def test_a_company_that_never_sent_the_event_counts_0_of_them(
    tenant: Subscriber,
) -> None:
    tenant.post("other")
    _, payload = tenant.next_webhook()
    assert payload["company"]["health_status"] == "At Risk"
    [flag] = tenant.explain()["flags"]
    assert flag == {
        "flag": "Reports",
        "status": "At Risk",
        "reason": "holds",
        "counts": "Report",
        "threshold": "Less than 2 times in 4 seconds",
        "seen": "0 times",
        "recovers": None,
        "lacks": "there are 2 more reports",
        "last_event_at": None,
        "changes_at": None,
        "changes_to": None,
        "unless": None,
        "line": 7,
        "note": None,
        "summary": "no reports so far",
        "override": None,
    }


def test_companies_are_listed_with_their_health(tenant: Subscriber) -> None:
    tenant.post()
    at_risk_since = tenant.next_webhook()[1]["timestamp"]
    assert tenant.json("companies") == [
        {
            "id": "acme",
            "name": "Acme",
            "health_status": "At Risk",
            "score": 0,
            "previous_status": "Healthy",
            "changed_at": at_risk_since,
        }
    ]


def test_a_refused_webhook_is_retried_with_the_same_id(tenant: Subscriber) -> None:
    tenant.receiver.answers.put(500)
    tenant.post()
    refused_at, refused = tenant.next_webhook()
    accepted_at, accepted = tenant.next_webhook()
    assert accepted == refused
    assert timedelta(seconds=1.4) < accepted_at - refused_at < timedelta(seconds=8)


@pytest.mark.long
def test_the_demo_tells_its_story(brazebee: Brazebee) -> None:
    story = brazebee.run("demo")
    assert story.returncode == 0, story.stderr
    assert story.stdout.count("its signature is verified") == 2
    assert '"health_status": "At Risk"' in story.stdout
    assert brazebee.json("webhooks", "list", "--org", "demo-story") == []
