"""The lists of one company's page: timeline, users, fields and deliveries, page by page."""

import itertools
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from models.companies import companies, timeline, users
from models.companies.fields import field_history
from models.companies.timeline import TimelineFilter
from models.cursors import UnreadableCursor
from models.database import query, transaction
from models.health import transitions
from models.webhooks import delivery_log, webhook_endpoints
from services.rules.rule_books import RuleBooks
from tests.support.events import tracked
from tests.support.in_transactions import evaluate, store
from tests.support.world import START, World, after

RULES = """
version: 1
events: {error: , login: }
flags:
  - {flag: Errors, event: error, when: {At Risk: at least 1 time in 10 seconds}}
"""

numbers = itertools.count(1)

pytestmark = pytest.mark.usefixtures("settings")


def new_organization() -> int:
    return World.create(RULES).id


def track(organization_id: int, seconds: float, **changed: Any) -> int:
    """Store and evaluate an event, of `acme` by default; return the id of its company's row."""
    contents = {"event_id": f"e{next(numbers):03}", "company": {"name": "Acme"}, **changed}
    sent = tracked(organization_id, "acme", after(seconds), **contents)
    for company_id in store([sent], RuleBooks()):
        evaluate([company_id], RuleBooks(), after(seconds))
    with transaction():
        company = companies.find(organization_id, sent.company_id)
    assert company is not None
    return company.id


def walk(
    page: Callable[..., tuple[list[Any], str | None]], *arguments: Any, **options: Any
) -> list[Any]:
    """Read all pages, two rows each; return their rows."""
    walked: list[Any] = []
    cursor = None
    while True:
        with transaction():
            rows, cursor = page(*arguments, after=cursor, limit=2, **options)
        walked += rows
        if cursor is None:
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
    entries = walk(timeline.read_page, o, acme)
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


def test_events_at_the_same_instant_are_each_listed_once() -> None:
    o = new_organization()
    for _ in range(7):
        acme = track(o, 5)
    events = [entry.event_id for entry in walk(timeline.read_page, o, acme)]
    assert len(set(events)) == len(events) == 7
    assert events == sorted(events, reverse=True)


def test_the_timeline_can_be_limited_to_one_event_key_or_to_health_changes() -> None:
    o = new_organization()
    track(o, 0)
    acme = track(o, 5, event_key="error")
    errors = walk(timeline.read_page, o, acme, TimelineFilter(event_key="error", transitions=False))
    assert [brief(entry) for entry in errors] == [(after(5), "error")]
    assert [
        brief(entry) for entry in walk(timeline.read_page, o, acme, TimelineFilter(events=False))
    ] == [(after(5), "At Risk")]
    assert walk(timeline.read_page, o, acme, TimelineFilter(events=False, transitions=False)) == []


def test_events_of_other_companies_are_not_in_the_timeline() -> None:
    o = new_organization()
    track(o, 0, company_id="other", event_key="error")
    acme = track(o, 0)
    assert [brief(entry) for entry in walk(timeline.read_page, o, acme)] == [(after(0), "login")]


# Recent transitions of all companies


def test_recent_changes_are_listed_newest_first_with_their_company_and_reasons() -> None:
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
    assert counted == 4


def test_transitions_of_flags_only_are_listed_on_request() -> None:
    o = new_organization()
    track(o, 1, event_key="error")
    with transaction():
        query("update transitions set from_status = to_status")
        assert transitions.list_recent(o, since=START)[0] == []
        assert len(transitions.list_recent(o, since=START, only_status=False)[0]) == 1


# Users, fields, deliveries


def test_users_are_listed_last_seen_first() -> None:
    o = new_organization()
    for n, name in enumerate(["ann", "ben", "cem", "ann", "dan"]):
        acme = track(o, n, user_id=name, user={"email": f"{name}@example.com", "role": "Admin"})
    track(o, 9, company_id="other", user_id="eve")
    listed = walk(users.read_page, o, acme)
    assert [(user.id, user.last_event_at) for user in listed] == [
        ("dan", after(4)), ("ann", after(3)), ("cem", after(2)), ("ben", after(1)),
    ]  # fmt: skip
    assert (listed[0].email, listed[0].traits) == ("dan@example.com", {"role": "Admin"})
    with transaction():
        assert users.count(o, acme) == 4


def test_the_history_of_fields_includes_the_previous_value() -> None:
    o = new_organization()
    for n, plan in enumerate(["Free", "Pro", "Pro", "Team"]):
        acme = track(o, n, company={"name": "Acme", "plan": plan})
    history = walk(field_history.read_page, o, acme)
    assert [(change.field, change.at, change.before, change.value) for change in history] == [
        ("plan", after(3), "Pro", "Team"),
        ("plan", after(1), "Free", "Pro"),
        ("plan", after(0), None, "Free"),
        ("name", after(0), None, "Acme"),
    ]
    assert len(walk(field_history.read_page, o, acme, field="name")) == 1


def test_deliveries_of_other_companies_are_not_listed() -> None:
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
    listed = walk(partial(delivery_log.read_page_for_company, o), acme)
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
        page(1, 1, after="WyJ4Il0")
