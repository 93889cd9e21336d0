"""An endpoint that refuses the webhook of one company for ever, after it could not be reached."""

import json
import time
from pathlib import Path
from typing import Any

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.tenant import REPORTS
from tests.support.webhooks.receiver import Receiver

OTHERS = {f"c{number}" for number in range(30)}


def test_all_other_webhooks_arrive_and_the_refused_one_fails_by_its_schedule(
    own_brazebee: Brazebee, receiver: Receiver, tmp_path: Path
) -> None:
    own_brazebee.environment |= {
        "BRAZEBEE_WEBHOOK_RETRY_DELAYS": "2s,2s,2s",
        "BRAZEBEE_WEBHOOK_PROBE_PAUSE": "2s",
    }
    rules = tmp_path / "rules.yaml"
    rules.write_text(REPORTS)
    own_brazebee.start("--rules", str(rules), dashboard=0)
    endpoint = own_brazebee.json("webhooks", "add", receiver.url)["id"]

    def state() -> str:
        shown: str = own_brazebee.json("webhooks", "show", endpoint)["state"]
        return shown

    receiver.choose = lambda _payload: 503
    for company in ("refused", *sorted(OTHERS)):
        event = {"event_key": "report", "company": {"id": company, "name": company}}
        assert own_brazebee.track(event).status_code == 200
        if company == "refused":  # the oldest
            eventually(lambda: own_brazebee.json("deliveries", "list"))
    parked = ("deliveries", "list", "--state", "parked")
    eventually(lambda: len(own_brazebee.json(*parked)) == 1 + len(OTHERS))

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

    failed = ("deliveries", "list", "--state", "failed")
    [delivery] = eventually(lambda: own_brazebee.json(*failed))
    assert delivery["company"] == "refused"
    shown = own_brazebee.json("deliveries", "show", delivery["id"])
    assert json.loads(shown["payload"])["company"]["id"] == "refused"
    statuses = [attempt["status_code"] for attempt in shown["attempts"]]
    assert statuses[-1] == 400
    assert [company for _, company, _ in answered].count("refused") <= 4
    assert state() == "active"
