"""The messages of the demo say what its customers went through, and go nowhere."""

from collections import Counter
from datetime import UTC, datetime
from random import Random
from typing import Any

from config.settings import Settings
from demo.customers.generate import GenerationTask, generate
from demo.customers.notifications import MONTH, send_past_messages
from demo.customers.organization import create_organization
from models.database import query, transaction

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)


def test_each_change_of_the_last_month_is_in_one_weekly_message_and_nothing_is_due(
    settings: Settings,
) -> None:
    organization = create_organization("demo", NOW, settings.secret_keys)
    generate(GenerationTask(organization.id, 1, range(20, 28), NOW))

    def rows(sql: str) -> list[dict[str, Any]]:
        with transaction():
            return query(sql, {"id": organization.id, "since": NOW - MONTH})

    assert rows("select from notification_messages where organization_id = %(id)s") == []
    sent = send_past_messages(organization.id, NOW, settings.webhooks, Random(1))
    changes = rows(
        "select id from transitions where organization_id = %(id)s"
        " and recorded_at > %(since)s and from_status <> to_status"
    )
    weekly = rows(
        "select c.transition_id as id from notification_changes c join notification_messages m"
        " on m.organization_id = c.organization_id and m.id = c.message_id"
        " where c.organization_id = %(id)s and m.recipient = 'cs-weekly'"
    )
    assert Counter(row["id"] for row in weekly) == Counter(row["id"] for row in changes)
    assert len(changes) > 3
    states = rows("select state, due_at from notification_messages where organization_id = %(id)s")
    assert Counter(row["state"] for row in states)["sent"] == sent > 1
    assert all(row["due_at"] is None or row["due_at"] > NOW for row in states)
    disabled = rows(
        "select name, disabled_because from notification_destinations"
        " where organization_id = %(id)s order by name"
    )
    reason = "nothing is sent from demo data"
    assert [tuple(row.values()) for row in disabled] == [
        ("cs-alerts", reason),
        ("cs-weekly", reason),
    ]
