"""The account of `make faults` finds whatever is lost, invented or wrong."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from config.settings import Settings
from faults import accounts
from faults.accounts import settle_accounts
from faults.customers import RULES, Customer, Sent
from faults.recount import ERROR, REPORT
from models.database import query, transaction
from models.webhooks import webhook_endpoints
from tests.support.world import World

MOMENT = timedelta(milliseconds=1)


class Accounted:
    """A customer with six events of two companies, and the message ids of its webhooks."""

    def __init__(self, settings: Settings) -> None:
        self.world = World.create(RULES, start=datetime.now(UTC) - timedelta(seconds=60))
        with transaction():
            webhook_endpoints.add(
                self.world.id, "https://a.example/webhooks", secret_keys=settings.secret_keys
            )
            query("update webhook_endpoints set created_at = now() - interval '1 day'")
        self.world.track("c0", 0, 3, 12, key=REPORT)
        self.world.track("c1", 1, 2, 3, key=ERROR)
        self.world.judge(at=30)
        sent = [
            Sent(row["event_id"], row["company"], row["event_key"], row["at"] - MOMENT, row["at"])
            for row in self.rows(
                "select e.event_id, c.external_id as company, e.event_key, e.occurred_at as at"
                " from events e join companies c on c.id = e.company_id"
            )
        ]
        self.customer = Customer("acme", self.world.id, "key", 2, sent)
        self.received = {f"msg_{row['id'].hex}" for row in self.rows("select id from transitions")}

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with transaction():
            return query(sql)

    def differences(self) -> list[str]:
        def run(sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
            with transaction():
                return [tuple(row.values()) for row in query(sql, parameters)]

        product: Any = SimpleNamespace(query=run)
        return settle_accounts(product, [self.customer], self.received).differences


@pytest.fixture
def accounted(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Accounted:
    monkeypatch.setattr(accounts, "DRAIN_SECONDS", 0)
    monkeypatch.setattr(accounts, "LATE_SECONDS", 0)
    return Accounted(settings)


def test_nothing_is_found_where_all_is_right(accounted: Accounted) -> None:
    assert accounted.received
    assert accounted.differences() == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("delete from events where event_key = 'error'", "acme: 3 events lost"),
        ("update events set event_id = event_id || 'x' where event_key = 'report'", "invented"),
        ("update events set event_key = 'error' where event_key = 'report'", "stored wrong"),
        ("update events set occurred_at = occurred_at - interval '1 s'", "6 events stored wrong"),
        ("delete from transitions where cause = 'time'", "c0: change 1 recorded as"),
        ("update transitions set at = at + interval '1 ms' where sequence = 1", "c0: change 1"),
        ("update transitions set to_status = 'Healthy' where sequence = 1", "c1: change 1"),
    ],
)
def test_a_difference_is_found(accounted: Accounted, change: str, found: str) -> None:
    accounted.rows("delete from deliveries")
    accounted.rows(change)
    assert any(found in difference for difference in accounted.differences())


def test_a_missing_webhook_is_found(accounted: Accounted) -> None:
    accounted.received.pop()
    [difference] = accounted.differences()
    assert difference.startswith("1 webhooks were not delivered: 1 ")
