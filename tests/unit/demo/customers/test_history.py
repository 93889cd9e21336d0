"""The demo's customers are believable, and the same for the same seed and present."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from demo.customers.accounts import MAXIMUM_CUSTOMERS, Account, make_account, make_users
from demo.customers.history import DemoEvent, generate_history
from demo.customers.organization import rule_texts
from demo.customers.working_hours import OFFSETS
from rules.facts_in_memory import FactsInMemory, FieldChange, Occurrence
from rules.file.rule_file import read_rules
from rules.judging.replay import Replay, replay

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
Histories = list[tuple[Account, list[DemoEvent]]]


@pytest.fixture(scope="module")
def histories() -> Histories:
    return [generate_history(1, number, NOW) for number in range(100)]


def replayed(demo_events: list[DemoEvent], now: datetime) -> Replay:
    book = read_rules(rule_texts()[1])
    occurrences = [
        Occurrence(event.at, event.key, event.data, event.user and event.user.id)
        for event in demo_events
    ]
    fields, current = [], dict[str, object]()
    for event in demo_events:
        for name, value in event.company.items():
            if current.get(name) != value:
                fields.append(FieldChange(event.at, name, value))
        current |= event.company
    return replay(
        book, FactsInMemory(occurrences, fields), since=now - timedelta(days=400), until=now
    )


def test_the_same_seed_and_present_give_the_same_history() -> None:
    assert generate_history(3, 8, NOW) == generate_history(3, 8, NOW)
    assert generate_history(3, 8, NOW) != generate_history(4, 8, NOW)
    assert generate_history(3, 8, NOW)[0] != generate_history(3, 9, NOW)[0]


def test_the_account_is_the_same_at_any_present() -> None:
    assert generate_history(3, 8, NOW)[0] == generate_history(3, 8, NOW + timedelta(days=100))[0]


def test_every_customer_has_a_name_and_an_id_of_its_own() -> None:
    accounts = [make_account(1, number) for number in range(MAXIMUM_CUSTOMERS)]
    assert len({account.name for account in accounts}) == MAXIMUM_CUSTOMERS
    assert len({account.id for account in accounts}) == MAXIMUM_CUSTOMERS
    assert all(account.domain.endswith(".example") for account in accounts)


def test_users_have_names_and_addresses_at_their_company() -> None:
    account = make_account(1, 4)
    team = list(islice(make_users(1, 4, account), 200))
    assert len({person.email for person in team}) == len({person.id for person in team}) == 200
    assert all(person.email.endswith(f"@{account.domain}") for person in team)
    assert all(person.email.isascii() and " " not in person.email for person in team)
    assert team[0].role == "admin"


def test_events_are_in_order_and_within_the_year(histories: Histories) -> None:
    for _, events in histories:
        times = [event.at for event in events]
        assert times == sorted(times)
        assert times
        assert NOW - timedelta(days=366) < times[0]
        assert times[-1] < NOW


def test_the_year_of_500_customers_has_300000_to_500000_events(histories: Histories) -> None:
    number = sum(len(events) for _, events in histories)
    assert 300_000 < number * 500 / len(histories) < 500_000


def test_people_work_by_day_and_during_the_week(histories: Histories) -> None:
    hours, weekdays = Counter[int](), Counter[int]()
    for account, events in histories:
        for event in events:
            if event.key == "report_created":
                local = event.at + OFFSETS[account.region]
                hours[local.hour] += 1
                weekdays[local.weekday()] += 1
    assert sum(hours[hour] for hour in range(8, 18)) > 0.75 * hours.total()
    assert weekdays[5] + weekdays[6] < 0.1 * weekdays.total()


def test_every_event_carries_the_name_the_plan_and_the_seats(histories: Histories) -> None:
    for account, events in histories:
        first = events[0].company
        assert first["crm_provider_id"]
        assert first["renewal_date"]
        for event in events:
            assert event.company["name"] == account.name
            assert {"plan", "seats"} <= event.company.keys()
    bought = [h for _, events in histories for h in events if h.key == "plan_changed"]
    assert any("to" in (h.data or {}) for h in bought)


@pytest.mark.parametrize(
    "now", [NOW, pytest.param(NOW + timedelta(days=224.6), marks=pytest.mark.thorough)]
)
def test_about_seven_of_ten_are_healthy_and_one_is_critical(
    now: datetime, histories: Histories
) -> None:
    statuses = Counter[str]()
    changed = 0
    if now != NOW:
        histories = [generate_history(1, number, now) for number in range(100)]
    for _, events in histories:
        replay_of_company = replayed(events, now)
        after = [t for t in replay_of_company.transitions if t.before != t.after]
        statuses[after[-1].after if after else "Healthy"] += 1
        changed += any(t.at > now - timedelta(days=1) for t in after)
    share = {status: number / 100 for status, number in statuses.items()}
    assert 0.55 < share["Healthy"] < 0.82  # the last is in the holidays
    assert 0.10 < share["At Risk"] < 0.30
    assert 0.04 < share["Critical"] < 0.18
    assert changed >= 1


def test_the_first_customers_show_the_main_cases() -> None:
    """A demo of 20 customers has something to show, too."""
    steady, silent, back, due, gone = (
        replayed(generate_history(5, n, NOW)[1], NOW) for n in range(5)
    )
    assert not steady.transitions or steady.transitions[-1].after != "Critical"
    assert NOW - timedelta(days=1) < silent.transitions[-1].at
    assert [t for t in back.transitions if t.at > NOW - timedelta(days=1)]
    assert due
    assert gone.transitions[-1].levels["Gone quiet"] == 2
