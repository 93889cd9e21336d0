"""The lists of one company's page: timeline, users, fields and deliveries, page by page."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from models.companies import companies, timeline, users
from models.companies.fields import field_history
from models.cursors import UnreadableCursor
from models.database import query, transaction
from models.health import transitions
from models.organizations import organizations
from models.webhooks import delivery_log, webhook_endpoints
from services.events.tracked_event import TrackedEvent
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from tests.support.in_transactions import evaluate, store

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)

RULES = """
version: 1
events: {error: , login: }
flags:
  - {flag: Errors, event: error, when: {At Risk: at least 1 time in 10 seconds}}
"""

numbers = itertools.count(1)

pytestmark = pytest.mark.usefixtures("settings")


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def new_organization() -> int:
    with transaction():
        organization_id = organizations.create(f"o{next(numbers)}").id
        apply_rules(organization_id, RULES, file="r", applied_by="test", now=after(-60))
    return organization_id


def track(organization_id: int, seconds: float, **changed: Any) -> int:
    """Store and evaluate an event of `acme`, and return the company's id."""
    contents: dict[str, Any] = {
        "organization_id": organization_id,
        "key_id": None,
        "event_id": f"e{next(numbers):03}",
        "event_key": "login",
        "company_id": "acme",
        "company": {"name": "Acme"},
        "user_id": None,
        "user": {},
        "data": None,
        "occurred_at": after(seconds),
        "received_at": after(seconds),
    }
    sent = TrackedEvent(**contents | changed)
    for company_id in store([sent], RuleBooks()):
        evaluate([company_id], RuleBooks(), after(seconds))
    with transaction():
        company = companies.find(organization_id, sent.company_id)
    assert company is not None
    return company.id


def walk(
    page: Callable[..., tuple[list[Any], str | None]], *arguments: Any, **options: Any
) -> list[Any]:
    """Concatenate all pages of two rows."""
    walked: list[Any] = []
    place = None
    while True:
        with transaction():
            rows, place = page(*arguments, after=place, limit=2, **options)
        walked += rows
        if place is None:
            return walked
        assert len(rows) == 2


def brief(entry: timeline.TimelineEntry) -> tuple[datetime, str | None]:
    return entry.at, entry.event_key if entry.is_event else entry.to_status


# The timeline


def test_events_and_transitions_are_one_list_newest_first() -> None:
    o = new_organization()
    track(o, 0, user_id="ann", user={"name": "Ann"}, data={"n": 1})
    track(o, 5, event_key="error")
    acme = track(o, 20)
    evaluate([acme], RuleBooks(), after(21))
    entries = walk(timeline.read_page, acme)
    assert [brief(entry) for entry in entries] == [
        (after(20), "login"),
        (after(15), "Healthy"),
        (after(5), "At Risk"),
        (after(5), "error"),
        (after(0), "login"),
    ]
    assert (entries[-1].user, entries[-1].user_name, entries[-1].data) == ("ann", "Ann", {"n": 1})
    assert (entries[1].cause, entries[2].cause) == ("time", "event")
    assert entries[2].changes
    assert entries[2].changes[0]["flag"] == "Errors"


def test_events_of_one_instant_come_each_once() -> None:
    o = new_organization()
    for _ in range(7):
        acme = track(o, 5)
    events = [entry.event_id for entry in walk(timeline.read_page, acme)]
    assert len(set(events)) == len(events) == 7
    assert events == sorted(events, reverse=True)


def test_the_timeline_can_be_of_one_event_key_or_of_health_only() -> None:
    o = new_organization()
    track(o, 0)
    acme = track(o, 5, event_key="error")
    of_key = walk(timeline.read_page, acme, event_key="error", transitions=False)
    assert [brief(entry) for entry in of_key] == [(after(5), "error")]
    assert [brief(entry) for entry in walk(timeline.read_page, acme, events=False)] == [
        (after(5), "At Risk")
    ]
    assert walk(timeline.read_page, acme, events=False, transitions=False) == []


def test_other_companies_have_timelines_of_their_own() -> None:
    o = new_organization()
    track(o, 0, company_id="other", event_key="error")
    acme = track(o, 0)
    assert [brief(entry) for entry in walk(timeline.read_page, acme)] == [(after(0), "login")]


# Recent transitions of all companies


def test_recent_changes_come_newest_first_with_their_company_and_reasons() -> None:
    o, other = new_organization(), new_organization()
    for n in range(5):
        track(o, n, company_id=f"c{n}", company={"name": f"C {n}"}, event_key="error")
    track(other, 3, company_id="theirs", event_key="error")
    recent = walk(transitions.list_recent, o, since=after(0))
    assert [(change.company, change.company_name, change.at) for change in recent] == [
        (f"c{n}", f"C {n}", after(n)) for n in (4, 3, 2, 1)
    ]
    assert recent[0].changes[0]["threshold"] == "At least 1 time in 10 seconds"
    with transaction():
        counted = transitions.count_recent(o, since=after(0))
    assert counted == {("Healthy", "At Risk"): 4}


def test_transitions_of_flags_only_are_listed_on_request() -> None:
    o = new_organization()
    track(o, 1, event_key="error")
    with transaction():
        query("update transitions set from_status = to_status")
        assert transitions.list_recent(o, since=T0)[0] == []
        assert len(transitions.list_recent(o, since=T0, only_status=False)[0]) == 1


# Users, fields, deliveries


def test_users_are_listed_last_seen_first() -> None:
    o = new_organization()
    for n, name in enumerate(["ann", "ben", "cem", "ann", "dan"]):
        acme = track(o, n, user_id=name, user={"email": f"{name}@example.com", "role": "Admin"})
    track(o, 9, company_id="other", user_id="eve")
    listed = walk(users.read_page, acme)
    assert [(user.id, user.last_event_at) for user in listed] == [
        ("dan", after(4)), ("ann", after(3)), ("cem", after(2)), ("ben", after(1)),
    ]  # fmt: skip
    assert (listed[0].email, listed[0].traits) == ("dan@example.com", {"role": "Admin"})
    with transaction():
        assert users.count(acme) == 4


def test_the_history_of_fields_has_the_value_before() -> None:
    o = new_organization()
    for n, plan in enumerate(["Free", "Pro", "Pro", "Team"]):
        acme = track(o, n, company={"name": "Acme", "plan": plan})
    history = walk(field_history.read_page, acme)
    assert [(change.field, change.at, change.before, change.value) for change in history] == [
        ("plan", after(3), "Pro", "Team"),
        ("plan", after(1), "Free", "Pro"),
        ("plan", after(0), None, "Free"),
        ("name", after(0), None, "Acme"),
    ]
    assert len(walk(field_history.read_page, acme, field="name")) == 1


def test_deliveries_are_of_the_company_only() -> None:
    o = new_organization()
    with transaction():
        query(
            "insert into webhook_endpoints (id, organization_id, url, encrypted_secret)"
            " values (%(id)s, %(o)s, 'https://example.com', 'x')",
            {"id": UUID(int=1), "o": o},
        )
        assert webhook_endpoints.lock_subscribed(o)
    for n in range(3):
        track(o, 20 * n, company_id="other", event_key="error")
        acme = track(o, 20 * n + 5, event_key="error")
        evaluate([acme], RuleBooks(), after(20 * n + 16))
    listed = walk(delivery_log.read_page_for_company, acme)
    assert {delivery.company for delivery in listed} == {"acme"}
    assert [delivery.created_at for delivery in listed] == sorted(
        (delivery.created_at for delivery in listed), reverse=True
    )
    assert len(listed) == len({delivery.id for delivery in listed}) == 6


@pytest.mark.parametrize(
    "page",
    [
        timeline.read_page,
        users.read_page,
        field_history.read_page,
        delivery_log.read_page_for_company,
    ],
)
def test_a_cursor_of_another_list_is_refused(page: Callable[..., Any]) -> None:
    with pytest.raises(UnreadableCursor), transaction():
        page(1, after="WyJ4Il0")
