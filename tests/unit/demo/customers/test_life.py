"""What the demo's customers do is believable, and the same for the same seed and present."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from cli.commands.demo_data import rules_before_and_now
from demo.customers.accounts import MOST, Account, account, people
from demo.customers.life import Happening, life
from demo.customers.working_hours import OFFSETS
from rules.facts_in_memory import FactsInMemory, FieldChange, Occurrence
from rules.file.rule_file import read_rules
from rules.judging.replay import Replay, replay

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
Lives = list[tuple[Account, list[Happening]]]


@pytest.fixture(scope="module")
def lives() -> Lives:
    return [life(1, number, NOW) for number in range(60)]


def judged(happenings: list[Happening], now: datetime) -> Replay:
    book = read_rules(rules_before_and_now()[1])
    events = [Occurrence(h.at, h.key, h.data, h.user and h.user.id) for h in happenings]
    fields, said = [], dict[str, object]()
    for happening in happenings:
        for name, value in happening.company.items():
            if said.get(name) != value:
                fields.append(FieldChange(happening.at, name, value))
        said |= happening.company
    return replay(book, FactsInMemory(events, fields), since=now - timedelta(days=400), until=now)


def test_the_same_seed_and_present_give_the_same_life() -> None:
    assert life(3, 8, NOW) == life(3, 8, NOW)
    assert life(3, 8, NOW) != life(4, 8, NOW)
    assert life(3, 8, NOW)[0] != life(3, 9, NOW)[0]


def test_a_customer_is_the_same_whenever_the_demo_is_made() -> None:
    assert life(3, 8, NOW)[0] == life(3, 8, NOW + timedelta(days=100))[0]


def test_every_customer_has_a_name_and_an_id_of_its_own() -> None:
    many = [account(1, number) for number in range(MOST)]
    assert len({one.name for one in many}) == len({one.id for one in many}) == MOST
    assert all(one.domain.endswith(".example") for one in many)


def test_users_have_names_and_addresses_at_their_company() -> None:
    of = account(1, 4)
    team = list(islice(people(1, 4, of), 200))
    assert len({person.email for person in team}) == len({person.id for person in team}) == 200
    assert all(person.email.endswith(f"@{of.domain}") for person in team)
    assert all(person.email.isascii() and " " not in person.email for person in team)
    assert team[0].role == "admin"


def test_events_are_in_order_and_within_the_year(lives: Lives) -> None:
    for _, happenings in lives:
        times = [happening.at for happening in happenings]
        assert times == sorted(times)
        assert times
        assert NOW - timedelta(days=366) < times[0]
        assert times[-1] < NOW


def test_the_year_of_500_customers_has_300000_to_500000_events(lives: Lives) -> None:
    number = sum(len(happenings) for _, happenings in lives)
    assert 300_000 < number * 500 / len(lives) < 500_000


def test_people_work_in_the_day_and_in_the_week(lives: Lives) -> None:
    hours, weekdays = Counter[int](), Counter[int]()
    for of, happenings in lives:
        for happening in happenings:
            if happening.key == "report_created":
                local = happening.at + OFFSETS[of.region]
                hours[local.hour] += 1
                weekdays[local.weekday()] += 1
    assert sum(hours[hour] for hour in range(8, 18)) > 0.75 * hours.total()
    assert weekdays[5] + weekdays[6] < 0.1 * weekdays.total()


def test_every_event_carries_the_name_the_plan_and_the_seats(lives: Lives) -> None:
    for of, happenings in lives:
        first = happenings[0].company
        assert first["crm_provider_id"]
        assert first["renewal_date"]
        for happening in happenings:
            assert happening.company["name"] == of.name
            assert {"plan", "seats"} <= happening.company.keys()
    bought = [h for _, happenings in lives for h in happenings if h.key == "plan_changed"]
    assert any("to" in (h.data or {}) for h in bought)


@pytest.mark.parametrize("now", [NOW, NOW + timedelta(days=224.6)])
def test_about_seven_of_ten_are_healthy_and_one_is_critical(now: datetime) -> None:
    statuses = Counter[str]()
    changed = 0
    for number in range(100):
        found = judged(life(1, number, now)[1], now)
        after = [t for t in found.transitions if t.before != t.after]
        statuses[after[-1].after if after else "Healthy"] += 1
        changed += any(t.at > now - timedelta(days=1) for t in after)
    share = {status: number / 100 for status, number in statuses.items()}
    assert 0.55 < share["Healthy"] < 0.82  # the last is in the holidays
    assert 0.10 < share["At Risk"] < 0.30
    assert 0.04 < share["Critical"] < 0.18
    assert changed >= 1


def test_the_first_few_customers_show_what_there_is() -> None:
    """So that a demo of 20 has something to see, too."""
    steady, silent, back, due, gone = (judged(life(5, n, NOW)[1], NOW) for n in range(5))
    assert not steady.transitions or steady.transitions[-1].after != "Critical"
    assert NOW - timedelta(days=1) < silent.transitions[-1].at
    assert [t for t in back.transitions if t.at > NOW - timedelta(days=1)]
    assert due
    assert gone.transitions[-1].levels["Gone quiet"] == 2
