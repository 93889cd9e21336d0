"""An endpoint that refuses the webhook of one company for ever, after it could not be reached."""

import json
import time
from typing import Any

import pytest

from tests.support.product.brazebee_process import eventually
from tests.support.product.tenant import Subscriber
from tests.support.webhooks.receiver import Receiver

OTHERS = {f"c{number}" for number in range(30)}


@pytest.mark.long
def test_all_other_webhooks_arrive_and_the_refused_one_fails_by_its_schedule(
    subscriber: Subscriber, receiver: Receiver
) -> None:
    endpoint, _ = subscriber.add(receiver.url)

    def state() -> str:
        shown: str = subscriber.json("webhooks", "show", endpoint)["state"]
        return shown

    receiver.choose = lambda _payload: 503
    subscriber.track("refused")  # the oldest
    eventually(subscriber.deliveries)
    for company in sorted(OTHERS):
        subscriber.track(company)
    eventually(lambda: len(subscriber.deliveries("--state", "parked")) == 1 + len(OTHERS))

    answered: list[tuple[float, str, int]] = []

    def refuse_one(payload: dict[str, Any]) -> int:
        company = payload["company"]["id"]
        answered.append((time.monotonic(), company, 400 if company == "refused" else 204))
        return answered[-1][2]

    receiver.choose = refuse_one
    eventually(lambda: {company for _, company, _ in answered} >= OTHERS, seconds=20)
    arrived = [at for at, company, _ in answered if company in OTHERS]
    assert max(arrived) - answered[0][0] < 5
    assert state() == "active"

    [delivery] = eventually(lambda: subscriber.deliveries("--state", "failed"))
    assert delivery["company"] == "refused"
    shown = subscriber.json("deliveries", "show", delivery["id"])
    assert json.loads(shown["payload"])["company"]["id"] == "refused"
    statuses = [attempt["status_code"] for attempt in shown["attempts"]]
    assert statuses[-1] == 400
    assert [company for _, company, _ in answered].count("refused") <= 4
    assert state() == "active"
