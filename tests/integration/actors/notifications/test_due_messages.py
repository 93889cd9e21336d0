"""Messages to people that the clock enqueues, and deletes when they are old."""

from uuid import UUID

import pytest

from actors.notifications import due_messages
from config.settings import Settings
from models.database import execute, query, transaction
from models.notifications import messages as stored
from queues import messages
from tests.support.clocks import Ticking, new_organization
from tests.support.world import MICROSECOND, after


@pytest.fixture
def organization_id(settings: Settings) -> int:
    del settings  # the database
    return new_organization()


def add_message(organization_id: int, due: float) -> UUID:
    """Add a message that is due at a time."""
    with transaction():
        return stored.add_test(organization_id, "email", "ann@acme.com", {}, after(due))


def change_message(message_id: UUID, assignments: str, at: float = 0) -> None:
    with transaction():
        execute(
            f"update notification_messages set {assignments} where id = %(id)s",
            {"id": message_id, "at": after(at)},
        )


def enqueued(organization_id: int, *message_ids: UUID) -> list[str]:
    return [str(messages.notify(organization_id, id_)) for id_ in message_ids]


def test_a_due_message_is_enqueued_once_and_again_if_its_queue_message_is_lost(
    ticking: Ticking, organization_id: int
) -> None:
    id_ = add_message(organization_id, 1)
    expected = enqueued(organization_id, id_)
    assert ticking.at(1 - MICROSECOND) == []
    assert ticking.at(1) == expected
    assert ticking.at(5.9) == []
    assert ticking.at(6) == expected


def test_a_message_with_a_new_time_is_enqueued_at_that_time(
    ticking: Ticking, organization_id: int
) -> None:
    id_ = add_message(organization_id, 1)
    assert ticking.at(1) == enqueued(organization_id, id_)
    change_message(id_, "due_at = %(at)s", at=3)
    assert ticking.at(2) == []
    assert ticking.at(3) == enqueued(organization_id, id_)


def test_messages_that_are_paused_or_finished_are_not_enqueued(
    ticking: Ticking, organization_id: int
) -> None:
    paused, sent, cancelled = (add_message(organization_id, 1) for _ in range(3))
    change_message(paused, "due_at = null")
    change_message(sent, "state = 'sent', due_at = null")
    change_message(cancelled, "state = 'cancelled'")
    assert ticking.at(2) == []


def test_those_due_longest_come_first_and_a_full_queue_gets_no_more(
    ticking: Ticking, organization_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_messages, "CHUNK", 2)
    third, second, first = (add_message(organization_id, due) for due in (3, 2, 1))
    assert ticking.at(4) == enqueued(organization_id, first, second)
    assert ticking.at(10) == []
    ticking.broker.flush(messages.NOTIFICATIONS)
    assert ticking.at(10.2) == enqueued(organization_id, first, second)
    for id_ in (first, second):
        change_message(id_, "state = 'sent', due_at = null")
    ticking.broker.flush(messages.NOTIFICATIONS)
    assert ticking.at(10.4) == enqueued(organization_id, third)


def test_finished_messages_are_deleted_after_thirty_days(
    ticking: Ticking, organization_id: int
) -> None:
    def number() -> int:
        with transaction():
            return len(query("select from notification_messages"))

    id_ = add_message(organization_id, 1)
    change_message(id_, "state = 'sent', due_at = null, finished_at = %(at)s", at=2)
    month = 30 * 24 * 3600
    ticking.at(month)
    assert number() == 1
    ticking.at(month + 3700)
    ticking.at(month + 3701)
    assert number() == 0
