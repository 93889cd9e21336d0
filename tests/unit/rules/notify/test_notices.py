"""Which messages a health change belongs into, and how many messages a month would have had."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules.file.rule_file import read_rules
from rules.notify.entries import HealthChange, NotifyEntry, Service
from rules.notify.notices import CompanyChange, count_messages, envelopes_of
from rules.phrases.condition import Level

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def entries(*texts: str) -> tuple[NotifyEntry, ...]:
    """Return entries, each written as the lines below its dash."""
    lines = "".join(
        "  - " + "\n    ".join(text.strip().splitlines()) + "\n"
        for text in (
            "\n".join(line.strip() for line in text.strip().splitlines()) for text in texts
        )
    )
    return read_rules(
        "version: 1\nstatuses: [Healthy, At Risk, Critical]\nevents: {login: }\n"
        "team: {owner: company.csm}\nflags:\n  - flag: Logs in\n    event: login\n"
        "    when: {At Risk: no activity for 1 day, Critical: no activity for 2 days}\n"
        f"notify:\n{lines}"
    ).notify


def changed(
    before: Level, after: Level, *, at: datetime = NOON, flag: tuple[Level, Level] | None = None,
    **options: Any,
) -> CompanyChange:  # fmt: skip
    flags = {"Logs in": flag} if flag else {}
    return CompanyChange(at, HealthChange(before, after, flags), **options)


@pytest.mark.parametrize(
    ("when", "notified"),
    [
        ("status changes", {(0, 1), (0, 2), (1, 2), (2, 1), (1, 0), (2, 0)}),
        ("status becomes Critical", {(0, 2), (1, 2)}),
        ("status becomes At Risk", {(0, 1), (2, 1)}),
        ("status becomes At Risk or worse", {(0, 1), (0, 2), (1, 2)}),
        ("status becomes Healthy", {(1, 0), (2, 0)}),
        ("status recovers", {(1, 0), (2, 0)}),
        ("status becomes Critical or status recovers", {(0, 2), (1, 2), (1, 0), (2, 0)}),
    ],
)
def test_a_status_notifies_of_the_changes_that_its_phrase_names(
    when: str, notified: set[tuple[int, int]]
) -> None:
    [entry] = entries(f"to: {{email: ann@acme.com}}\nwhen: {when}")
    levels = range(3)
    assert notified == {
        (before, after)
        for before in levels
        for after in levels
        if entry.applies(HealthChange(before, after), {})
    }


@pytest.mark.parametrize(
    ("when", "notified"),
    [
        ("flag Logs in is raised", {(None, 1), (0, 2)}),
        ("flag Logs in becomes Critical", {(0, 2), (1, 2)}),
        ("flag Logs in becomes At Risk or worse", {(None, 1), (0, 2), (1, 2)}),
        ("flag Logs in recovers", {(1, 0), (2, None)}),
    ],
)
def test_a_flag_notifies_of_the_changes_that_its_phrase_names(
    when: str, notified: set[tuple[Level, Level]]
) -> None:
    [entry] = entries(f"to: {{email: ann@acme.com}}\nwhen: {when}")
    steps = [(None, 1), (0, 2), (1, 2), (1, 0), (2, None), (0, None)]
    assert notified == {
        step for step in steps if entry.applies(HealthChange(1, 1, {"Logs in": step}), {})
    }


def test_only_companies_with_the_values_of_where_cause_a_notification() -> None:
    [entry] = entries("to: {slack: cs}\nwhere: {company.plan: [Pro, Enterprise], company.seats: 5}")
    change = HealthChange(0, 2)
    assert entry.applies(change, {"plan": "enterprise", "seats": "5"})
    assert not entry.applies(change, {"plan": "Free", "seats": 5})
    assert not entry.applies(change, {"plan": "Pro"})


def test_each_owner_is_notified_of_their_own_companies_alone() -> None:
    found = entries("to: {email: [owner, head@acme.com]}")
    for owner, recipients in (
        ("Ann@Acme.com", {("ann@acme.com", True), ("head@acme.com", False)}),
        (None, {("head@acme.com", False)}),
    ):
        envelopes = envelopes_of(found, changed(0, 2, owner=owner))
        assert {(e.recipient, e.to_owner) for e in envelopes} == recipients


def test_a_change_is_once_in_a_message_that_two_entries_ask_for() -> None:
    found = entries(
        "to: {slack: cs}\nwhen: status becomes Critical",
        "to: {slack: cs}\nwhen: flag Logs in is raised",
        "to: {teams: cs}",
    )
    envelopes = envelopes_of(found, changed(0, 2, flag=(0, 2)))
    assert [envelope.service for envelope in envelopes] == [Service.SLACK, Service.TEAMS]


def test_a_change_of_rules_makes_one_message_however_long_its_evaluation_takes() -> None:
    found = entries("to: {slack: cs}")
    moved = [
        changed(0, 2, at=NOON + timedelta(seconds=second), rules_version=7) for second in range(300)
    ]
    assert count_messages(found, moved).messages == 1
    assert count_messages(found, [*moved, changed(0, 2, at=NOON)]).messages == 2


def test_messages_are_counted_as_they_would_have_been_sent() -> None:
    found = entries(
        "to: {slack: cs}\ngroup: together within 10 minutes",
        "to: {email: ann@acme.com}\ndigest: daily at 23:00 in UTC",
    )
    changes = [
        changed(0, 2, at=NOON + timedelta(minutes=minutes)) for minutes in (0, 5, 9, 10, 30, 1_000)
    ]
    counted = count_messages(found, changes)
    assert (counted.messages, counted.at_night) == (4 + 2, 1 + 2)
