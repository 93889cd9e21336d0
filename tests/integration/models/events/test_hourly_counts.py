"""Events are counted once and at their own time, however late and however often they arrive."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.database import execute, query, transaction
from models.events import event_volumes, hourly_counts, quiet_keys, weekly_reach
from models.events.event_volumes import Volume
from models.events.weekly_reach import Week
from models.locks import AdvisoryLock, lock
from services.events.tracked_event import TrackedEvent
from services.rules.rule_books import RuleBooks
from services.totals import refresh
from tests.support.events import tracked
from tests.support.in_transactions import store
from tests.support.properties import effort
from tests.support.world import World

NOW = datetime(2026, 1, 21, 12, 30, tzinfo=UTC)  # a Wednesday
MONDAY = date(2026, 1, 19)

pytestmark = pytest.mark.usefixtures("settings")


def new_organization() -> int:
    return World.create(None).id


def event(organization_id: int, at: datetime, **changed: Any) -> TrackedEvent:
    return tracked(organization_id, "acme", at, **{"received_at": NOW, **changed})


def before(**offset: float) -> datetime:
    return NOW - timedelta(**offset)


def volumes(organization_id: int) -> dict[str, Volume]:
    with transaction():
        return event_volumes.read_volumes(organization_id, NOW)


def weeks(organization_id: int, key: str = "login") -> list[tuple[date, int, int]]:
    with transaction():
        counted = weekly_reach.read_weeks(organization_id, key, since=date(2025, 1, 1))
    return [(week.week, week.companies, week.users) for week in counted]


def days(organization_id: int, key: str) -> list[tuple[date, int]]:
    """Return the number of events of a key on each day (UTC) that has any."""
    with transaction():
        rows = query(
            "select (hour at time zone 'UTC')::date as day, sum(events)::bigint as events from"
            " (select * from event_counts union all select * from event_arrivals) counts"
            " where organization_id = %(organization_id)s and event_key = %(key)s"
            " group by 1 order by 1",
            {"organization_id": organization_id, "key": key},
        )
    return [(row["day"], row["events"]) for row in rows]


# By hour


def test_the_volume_of_a_key_is_counted_when_its_events_are_stored() -> None:
    o = new_organization()
    sent = [event(o, before(hours=hours)) for hours in (1, 23, 100, 600, 8_000)]
    store([*sent, event(o, before(days=6), event_key="report")], RuleBooks())
    expected = {
        "login": Volume("login", before(hours=1), 2, 3, 4),
        "report": Volume("report", before(days=6), 0, 1, 1),
    }
    assert volumes(o) == expected
    refresh(NOW, RuleBooks())
    assert volumes(o) == expected


def test_an_event_that_is_sent_twice_counts_once() -> None:
    o = new_organization()
    sent = event(o, before(hours=1))
    store([sent, sent], RuleBooks())
    refresh(NOW, RuleBooks())
    store([sent], RuleBooks())
    assert volumes(o)["login"].in_a_day == 1


def test_a_late_event_counts_on_its_own_day_and_not_as_the_latest() -> None:
    o = new_organization()
    store([event(o, before(hours=1))], RuleBooks())
    refresh(NOW, RuleBooks())
    store([event(o, before(days=3)), event(o, before(days=3, hours=1))], RuleBooks())
    assert days(o, "login") == [(date(2026, 1, 18), 2), (date(2026, 1, 21), 1)]
    assert volumes(o)["login"].last_at == before(hours=1)


def test_events_that_are_not_stored_are_not_counted() -> None:
    o = new_organization()
    with transaction():
        execute("alter table users add constraint nobody check (false)")
    try:
        store([event(o, NOW, user_id="ann")], RuleBooks())
    except Exception:  # noqa: BLE001 -- whatever PostgreSQL raises
        assert volumes(o) == {}
    else:
        pytest.fail("the event was stored")


def test_no_event_is_lost_or_counted_twice_while_arrivals_are_merged() -> None:
    o = new_organization()

    def send(company: int) -> None:
        for hour in range(20):
            at = before(hours=hour)
            store([event(o, at, company_id=f"c{company}", event_key="k")] * 2, RuleBooks())

    with ThreadPoolExecutor() as pool:
        sending = [pool.submit(send, company) for company in range(3)]
        while not all(task.done() for task in sending):
            refresh(NOW, RuleBooks())
        for task in sending:
            task.result()
    assert volumes(o)["k"].in_a_day == 60
    refresh(NOW, RuleBooks())
    assert volumes(o)["k"].in_a_day == 60


def test_a_recount_has_the_same_result() -> None:
    o, other = new_organization(), new_organization()
    store([event(o, before(hours=n * n), company_id=f"c{n}") for n in range(20)], RuleBooks())
    store([event(other, before(hours=1))], RuleBooks())
    refresh(NOW, RuleBooks())
    counted = volumes(o), weeks(o), volumes(other)
    with transaction():
        hourly_counts.recount(o, NOW)
    refresh(NOW + timedelta(minutes=2), RuleBooks())
    assert (volumes(o), weeks(o), volumes(other)) == counted


# Quiet keys


def quiet(organization_id: int, *keys: str) -> list[str]:
    with transaction():
        return [key.event_key for key in quiet_keys.find_quiet_keys(organization_id, keys, NOW)]


def store_every(organization_id: int, key: str, step: float, *, until: float, number: int) -> None:
    """Store events of a key every `step` hours, the latest `until` hours ago."""
    store(
        [event(organization_id, before(hours=until + n * step), event_key=key)
         for n in range(number)],
        RuleBooks(),
    )  # fmt: skip


def test_a_key_is_quiet_when_it_is_silent_for_more_than_twice_its_longest_silence() -> None:
    o = new_organization()
    store_every(o, "hourly", 1, until=7, number=40)
    store_every(o, "daily", 24, until=40, number=40)
    store_every(o, "gone", 24, until=72, number=40)
    refresh(NOW, RuleBooks())
    assert quiet(o, "hourly", "daily", "gone", "never") == ["gone", "hourly"]
    with transaction():
        [gone, _] = quiet_keys.find_quiet_keys(o, ["hourly", "gone"], NOW)
    assert gone.silent_for == timedelta(hours=72)
    assert gone.longest_before == timedelta(hours=24)


def test_a_key_with_a_short_past_or_a_short_silence_is_not_quiet() -> None:
    o = new_organization()
    store_every(o, "young", 1, until=72, number=10)
    store_every(o, "lunch", 1, until=5, number=40)
    store_every(o, "back", 1, until=72, number=40)
    refresh(NOW, RuleBooks())
    store_every(o, "back", 1, until=0, number=1)
    assert quiet(o, "young", "lunch", "back") == []


def test_only_requested_keys_are_checked_for_silence() -> None:
    o, other = new_organization(), new_organization()
    store_every(o, "gone", 1, until=72, number=40)
    refresh(NOW, RuleBooks())
    assert quiet(o) == []
    assert quiet(other, "gone") == []


# By week


def test_a_week_has_the_companies_and_users_that_were_active_in_it() -> None:
    o = new_organization()
    store(
        [
            event(o, before(hours=1), company_id="a", user_id="ann"),
            event(o, before(hours=2), company_id="a", user_id="ann"),
            event(o, before(days=2), company_id="a", user_id="ben"),
            event(o, before(days=2), company_id="b"),
            event(o, before(days=3), company_id="c", user_id="cem"),
            event(o, NOW, company_id="d", event_key="report"),
        ],
        RuleBooks(),
    )
    refresh(NOW, RuleBooks())
    assert weeks(o) == [(MONDAY - timedelta(days=7), 1, 1), (MONDAY, 2, 2)]
    with transaction():
        assert weekly_reach.read_weeks_by_key(o, None, since=MONDAY) == {
            "login": [Week(MONDAY, 2, 2, NOW)],
            "report": [Week(MONDAY, 1, 0, NOW)],
        }


def test_the_weeks_of_all_keys_are_read_at_once() -> None:
    o, other = new_organization(), new_organization()
    store(
        [
            event(o, NOW, company_id="a"),
            event(o, before(days=14), company_id="a"),
            event(o, before(days=14), company_id="b"),
            event(o, before(days=30), company_id="a"),
            event(o, NOW, event_key="report"),
            event(other, NOW, event_key="other"),
        ],
        RuleBooks(),
    )
    refresh(NOW, RuleBooks())
    since = MONDAY - timedelta(days=10)
    with transaction():
        assert weekly_reach.read_company_counts(o, since=since) == {
            "login": {0: 2, 2: 1},
            "report": {2: 1},
        }
        by_key = weekly_reach.read_weeks_by_key(o, None, since=since)
        assert [week.companies for week in by_key["login"]] == [2, 1]
        assert [*weekly_reach.read_weeks_by_key(o, ["report"], since=since)] == ["report"]


def test_a_week_begins_on_monday_at_midnight_utc() -> None:
    o = new_organization()
    midnight = datetime(2026, 1, 19, tzinfo=UTC)
    store([event(o, midnight), event(o, midnight - timedelta(microseconds=1))], RuleBooks())
    refresh(NOW, RuleBooks())
    assert [week for week, *_ in weeks(o)] == [MONDAY - timedelta(days=7), MONDAY]


def test_a_late_event_has_its_old_week_counted_again() -> None:
    o = new_organization()
    store([event(o, before(days=200), company_id="a")], RuleBooks())
    refresh(NOW, RuleBooks())
    store([event(o, before(days=200), company_id="b")], RuleBooks())
    assert [companies for _, companies, _ in weeks(o)] == [1]
    refresh(NOW + timedelta(minutes=1), RuleBooks())
    assert [companies for _, companies, _ in weeks(o)] == [2]


def test_a_week_is_counted_again_no_sooner_than_its_cost_allows() -> None:
    o = new_organization()
    store([event(o, NOW, company_id="a")], RuleBooks())
    refresh(NOW, RuleBooks())
    with transaction():
        execute("update event_weeks set took = '10 seconds'")
    store([event(o, NOW, company_id="b")], RuleBooks())
    refresh(NOW + timedelta(seconds=199), RuleBooks())
    assert [companies for _, companies, _ in weeks(o)] == [1]
    refresh(NOW + timedelta(seconds=200), RuleBooks())
    assert [companies for _, companies, _ in weeks(o)] == [2]


def test_a_week_without_new_events_is_not_counted_again() -> None:
    o = new_organization()
    store([event(o, NOW)], RuleBooks())
    refresh(NOW, RuleBooks())
    refresh(NOW + timedelta(days=1), RuleBooks())
    with transaction():
        [week] = weekly_reach.read_weeks(o, "login", since=MONDAY)
    assert week.as_of == NOW


def test_only_one_process_refreshes_at_a_time() -> None:
    o = new_organization()
    store([event(o, NOW)], RuleBooks())
    with transaction():
        lock(AdvisoryLock.TOTALS)
        with ThreadPoolExecutor() as pool:
            pool.submit(refresh, NOW, RuleBooks()).result()
    assert weeks(o) == []
    refresh(NOW, RuleBooks())
    assert len(weeks(o)) == 1


histories = st.lists(
    st.tuples(
        st.integers(0, 60),  # days ago
        st.sampled_from("ab"),  # key
        st.sampled_from("xyz"),  # company
        st.sampled_from([None, "u", "v"]),  # user
        st.booleans(),  # refresh after it
    ),
    max_size=15,
)


@effort(0.5)
@given(histories)
def test_counts_match_the_events_whatever_the_order_of_arrival(
    history: list[tuple[int, str, str, str | None, bool]],
) -> None:
    o = new_organization()
    rulebooks = RuleBooks()
    now = NOW
    for days, key, company, user, then_refresh in history:
        sent = event(o, before(days=days), event_key=key, company_id=company, user_id=user)
        store([sent, sent], rulebooks)
        if then_refresh:
            now += timedelta(hours=1)
            refresh(now, RuleBooks())
    refresh(now + timedelta(hours=1), RuleBooks())
    for key in "ab":
        of_key = [sent for sent in history if sent[1] == key]
        assert (volumes(o)[key].in_a_week if of_key else 0) == sum(d <= 7 for d, *_ in of_key)
        monday = Counter(
            before(days=days).date() - timedelta(days=before(days=days).weekday())
            for days, *_ in of_key
        )
        assert weeks(o, key) == [
            (
                week,
                len({c for d, _, c, _, _ in of_key if in_week(d, week)}),
                len({u for d, _, _, u, _ in of_key if u and in_week(d, week)}),
            )
            for week in sorted(monday)
        ]


def in_week(days: int, week: date) -> bool:
    return week <= before(days=days).date() < week + timedelta(days=7)
