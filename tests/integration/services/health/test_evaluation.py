import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from config.settings import Settings
from models.companies import companies
from models.companies.companies import Company
from models.database import execute, query, transaction
from models.events import storage
from models.events.storage import StoredEvent
from models.health import transitions
from models.health.transitions import StoredTransition
from models.organizations import organizations
from models.webhooks import webhook_endpoints
from rules.durations import BEGINNING
from rules.facts import Path, Selector
from rules.facts_in_memory import FactsInMemory, Occurrence
from services.events.tracked_event import TrackedEvent
from services.health.stored_facts import StoredFacts
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from tests.support.in_transactions import evaluate, store

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)
MICROSECOND = 0.000001

FEW_LOGINS = """
version: 1
events: {login: , report: }
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 2 times in 10 seconds}
"""

numbers = itertools.count(1)

pytestmark = pytest.mark.usefixtures("settings")

per_example = hypothesis_settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
"""For properties whose examples share a database, each with a company of its own."""


def after(seconds: float) -> datetime:
    return T0 + timedelta(microseconds=round(seconds * 1_000_000))


def seconds_of(at: datetime) -> float:
    return (at - T0).total_seconds()


def new_organization(rules: str | None = FEW_LOGINS, *, name: str = "o") -> int:
    with transaction():
        organization_id = organizations.create(name).id
    if rules:
        put_in_force(organization_id, rules, -60)
    return organization_id


def put_in_force(organization_id: int, rules: str, at: float) -> None:
    with transaction():
        apply_rules(organization_id, rules, file="rules.yaml", applied_by="test", now=after(at))


def subscribe(organization_id: int, settings: Settings) -> UUID:
    with transaction():
        endpoint_id, _secret = webhook_endpoints.add(
            organization_id, "https://example.com/hook", secret_keys=settings.secret_keys
        )
    return endpoint_id


def track(
    organization_id: int,
    *times: float,
    key: str = "login",
    company: str = "acme",
    data: dict[str, Any] | None = None,
    received: float | None = None,
) -> int:
    """Store events that arrive as soon as they happen, or at `received`; the company's id."""
    store(
        [
            TrackedEvent(
                organization_id=organization_id,
                key_id=None,
                event_id=f"e{next(numbers)}",
                event_key=key,
                company_id=company,
                company={"name": company.title()},
                user_id=None,
                user={},
                data=data,
                occurred_at=after(at),
                received_at=after(at if received is None else received),
            )
            for at in times
        ],
        RuleBooks(),
    )
    with transaction():
        found = companies.find(organization_id, company)
    assert found is not None
    return found.id


def judge(company_id: int, at: float) -> list[UUID]:
    return evaluate([company_id], RuleBooks(), after(at)).written


def read(company_id: int) -> Company:
    with transaction():
        found = companies.lock([company_id]).get(company_id)
    assert found is not None
    return found


def history(company_id: int) -> list[StoredTransition]:
    with transaction():
        return transitions.list_for_company(company_id)


def crossings(company_id: int) -> list[tuple[float, str, str]]:
    """When the company got which status, and why."""
    return [(seconds_of(t.at), t.to_status, t.cause) for t in history(company_id)]


def payloads() -> list[dict[str, Any]]:
    with transaction():
        rows = query("select payload from deliveries order by id")
    return [json.loads(row["payload"]) for row in rows]


def rows(sql: str) -> list[dict[str, Any]]:
    with transaction():
        return query(sql)


# The instant of a crossing


def test_a_company_that_never_sent_the_event_of_a_flag_is_judged_as_zero_times() -> None:
    company_id = track(new_organization(), 0, key="report")
    judge(company_id, 0)
    assert read(company_id).health_status == "At Risk"
    assert crossings(company_id) == [(0, "At Risk", "event")]


def test_a_company_never_seen_by_this_name_is_nothing_to_judge() -> None:
    assert judge(4711, 0) == []


def test_a_flag_is_raised_at_the_second_latest_event_plus_its_window_to_the_microsecond() -> None:
    company_id = track(new_organization(), 0, 3.000001)
    judge(company_id, 3.000001)
    assert read(company_id).health_status == "Healthy"
    before = crossings(company_id)

    judge(company_id, 10 - MICROSECOND)
    assert crossings(company_id) == before
    judge(company_id, 10)
    assert crossings(company_id) == [*before, (10, "At Risk", "time")]


def test_a_flag_is_lowered_at_the_event_that_is_enough_again() -> None:
    company_id = track(new_organization(), 0, 3.000001)
    judge(company_id, 10)
    before = crossings(company_id)
    track_org = read(company_id).organization_id
    track(track_org, 12.5)
    judge(company_id, 12.7)
    assert crossings(company_id) == [*before, (12.5, "Healthy", "event")]
    judge(company_id, 13.000001 - MICROSECOND)
    assert read(company_id).health_status == "Healthy"
    judge(company_id, 13.000001)
    assert crossings(company_id)[-1] == (13.000001, "At Risk", "time")


def test_the_recorded_instant_does_not_depend_on_when_somebody_looked() -> None:
    organization_id = new_organization()
    prompt = track(organization_id, 0, 1, company="prompt")
    late = track(organization_id, 0, 1, company="late")
    for at in (1, 10, 11, 20):
        judge(prompt, at)
    judge(late, 3600)
    assert crossings(late) == crossings(prompt)
    assert crossings(late)[-1] == (10, "At Risk", "time")


def test_a_company_remembers_its_status_the_one_before_and_since_when() -> None:
    company_id = track(new_organization(), 0)
    judge(company_id, 0)
    track(read(company_id).organization_id, 4)
    judge(company_id, 60)
    company = read(company_id)
    assert (company.health_status, company.previous_status) == ("At Risk", "Healthy")
    assert company.changed_at == after(10)
    assert company.sequence == 3
    assert company.unsettled_since is None


def test_at_least_rules_are_raised_by_an_event_and_lowered_by_time() -> None:
    rules = FEW_LOGINS.replace("less than 2", "at least 2")
    company_id = track(new_organization(rules), 0, 4)
    judge(company_id, 60)
    assert crossings(company_id) == [(4, "At Risk", "event"), (10, "Healthy", "time")]


def test_the_worst_flag_decides_and_a_change_below_it_is_a_threshold_crossed(
    settings: Settings,
) -> None:
    organization_id = new_organization(
        """
version: 1
events: {login: , report: }
flags:
  - flag: Logs in
    event: login
    when: {Critical: less than 1 time in 10 seconds}
  - flag: Reports
    event: report
    when: {At Risk: less than 1 time in 5 seconds}
"""
    )
    subscribe(organization_id, settings)
    company_id = track(organization_id, 0, key="login")
    judge(company_id, 0)
    judge(company_id, 10)
    track(organization_id, 12, key="report")
    judge(company_id, 12)
    assert crossings(company_id) == [
        (0, "At Risk", "event"),
        (10, "Critical", "time"),
        (12, "Critical", "event"),
    ]
    last = payloads()[-1]
    assert last["event"] == "threshold_crossed"
    assert last["company"]["health_status"] == last["company"]["previous_status"] == "Critical"
    assert last["triggers"] == [
        {"flag": "Reports", "status": "Healthy", "threshold": "Less than 1 time in 5 seconds"}
    ]
    assert read(company_id).changed_at == after(10)


def test_flags_that_cross_at_one_instant_make_one_transition() -> None:
    rules = """
version: 1
events: {login: }
flags:
  - {flag: A, event: login, when: {At Risk: no activity for 5 seconds}}
  - {flag: B, event: any, when: {Critical: less than 1 time in 5 seconds}}
"""
    company_id = track(new_organization(rules), 0)
    judge(company_id, 60)
    [crossing] = history(company_id)
    assert crossing.to_status == "Critical"
    assert {change["flag"] for change in crossing.changes} == {"A", "B"}


def test_a_new_company_that_must_wait_is_judged_when_it_has_been_known_that_long() -> None:
    rules = FEW_LOGINS + "    new_company: wait 20 seconds\n"
    company_id = track(new_organization(rules), 0)
    judge(company_id, 20 - MICROSECOND)
    assert crossings(company_id) == []
    judge(company_id, 100)
    assert crossings(company_id) == [(20, "At Risk", "time")]


# A clock that stood still


def statuses_by_recount(times: list[float], until: float) -> list[tuple[float, str]]:
    """Crossings of `less than 2 times in 10 seconds`, recounted at every half second."""
    found, status = [], "Healthy"
    for half in range(round(min(times) * 2), round(until * 2) + 1):
        at = half / 2
        count = sum(1 for time in times if at - 10 < time <= at)
        now = "At Risk" if count < 2 else "Healthy"
        if now != status:
            found.append((at, now))
            status = now
    return found


def test_a_clock_stopped_for_an_hour_finds_every_crossing_at_its_own_instant_in_order(
    settings: Settings,
) -> None:
    organization_id = new_organization()
    first, second = subscribe(organization_id, settings), subscribe(organization_id, settings)
    times = [0, 3, 12.5, 20, 24, 600, 601, 602, 1800]
    company_id = track(organization_id, *times)

    delivery_ids = judge(company_id, 3600)

    expected = statuses_by_recount(times, 3600)
    assert len(expected) > 5
    assert [(at, status) for at, status, _cause in crossings(company_id)] == expected
    recorded = history(company_id)
    assert [t.sequence for t in recorded] == list(range(1, len(expected) + 1))
    assert {t.recorded_at for t in recorded} == {after(3600)}
    written = rows("select id, endpoint_id, transition_id, message_id, state from deliveries")
    assert {row["id"] for row in written} == set(delivery_ids)
    assert {(row["endpoint_id"], row["transition_id"]) for row in written} == {
        (endpoint, t.id) for endpoint in (first, second) for t in recorded
    }
    assert len({row["message_id"] for row in written}) == len(recorded)
    said = payloads()[::2]
    assert [p["sequence"] for p in said] == [t.sequence for t in recorded]
    assert [p["company"]["health_status"] for p in said] == [t.to_status for t in recorded]
    assert all(p["event"] == "health_score_changed" for p in said)


@per_example
@given(
    times=st.lists(st.integers(0, 120), min_size=1, max_size=8).map(
        lambda halves: [half / 2 for half in sorted(halves)]
    ),
    looks=st.lists(st.integers(0, 160).map(lambda half: half / 2), max_size=6),
)
def test_whoever_looks_and_whenever_the_crossings_are_those_that_a_recount_finds(
    times: list[float], looks: list[float]
) -> None:
    organization_id = new_organization(name=f"o{next(numbers)}")
    company_id = 0
    for at, kind in sorted([(time, 0) for time in times] + [(look, 1) for look in looks]):
        if kind == 0:
            company_id = track(organization_id, at)
        elif company_id:
            judge(company_id, at)
    judge(company_id, 100)
    found = [(at, status) for at, status, _cause in crossings(company_id)]
    assert found == statuses_by_recount(times, 100)


def test_events_that_arrive_out_of_order_are_counted_at_their_own_times() -> None:
    organization_id = new_organization()
    company_id = track(organization_id, 0, 1, 9)
    judge(company_id, 9)
    track(organization_id, 5, received=9.5)
    judge(company_id, 60)
    assert crossings(company_id)[-1] == (15, "At Risk", "time")


def test_an_event_of_the_past_changes_health_only_from_when_it_is_known() -> None:
    organization_id = new_organization()
    company_id = track(organization_id, 0)
    judge(company_id, 0)
    rules = FEW_LOGINS.replace("10 seconds", "1 hour")
    put_in_force(organization_id, rules, 50)
    judge(company_id, 50)
    track(organization_id, 10, received=100)
    judge(company_id, 100)
    assert crossings(company_id) == [(0, "At Risk", "event"), (100, "Healthy", "event")]


def test_an_event_of_the_past_that_makes_a_company_known_long_enough_has_it_judged_at_once() -> (
    None
):
    rules = FEW_LOGINS + "    new_company: wait 20 seconds\n"
    organization_id = new_organization(rules)
    company_id = track(organization_id, 0)
    judge(company_id, 0)
    track(organization_id, -1000, received=5)
    judge(company_id, 5)
    assert crossings(company_id) == [(5, "At Risk", "event")]


def test_an_event_ahead_of_the_clock_of_who_judges_it_is_not_forgotten() -> None:
    rules = FEW_LOGINS.replace("less than 2", "at least 2")
    organization_id = new_organization(rules)
    company_id = track(organization_id, 0)
    judge(company_id, 0)
    track(organization_id, 1)
    judge(company_id, 0.9)
    assert crossings(company_id) == []
    assert read(company_id).unsettled_since == after(1), "the clock can find it again"
    judge(company_id, 1)
    assert crossings(company_id) == [(1, "At Risk", "event")]


# Twice, and at once


def test_judging_twice_changes_nothing_more(settings: Settings) -> None:
    organization_id = new_organization()
    subscribe(organization_id, settings)
    company_id = track(organization_id, 0)
    assert len(judge(company_id, 5)) == 1
    before = rows("select * from companies"), rows("select * from flag_states")
    assert judge(company_id, 5) == []
    assert (rows("select * from companies"), rows("select * from flag_states")) == before
    assert len(history(company_id)) == len(payloads()) == 1


def test_four_workers_at_once_make_one_transition_and_one_delivery(settings: Settings) -> None:
    organization_id = new_organization()
    subscribe(organization_id, settings)
    company_id = track(organization_id, 0)
    start = threading.Barrier(4)

    def work() -> list[UUID]:
        start.wait(5)
        return judge(company_id, 60)

    with ThreadPoolExecutor(4) as workers:
        written = [done.result() for done in [workers.submit(work) for _ in range(4)]]
    assert sorted(len(ids) for ids in written) == [0, 0, 0, 1]
    assert len(history(company_id)) == len(payloads()) == 1


# New rules


def test_a_change_of_rules_gives_its_own_cause_and_the_instant_it_came_into_force() -> None:
    organization_id = new_organization(FEW_LOGINS)
    company_id = track(organization_id, 10, 11)
    judge(company_id, 11)
    put_in_force(organization_id, FEW_LOGINS.replace("less than 2", "less than 5"), 15)
    judge(company_id, 16)
    last = history(company_id)[-1]
    assert (last.at, last.to_status, last.cause) == (after(15), "At Risk", "rule_change")
    assert last.rules_version == 2
    assert read(company_id).judged_version == 2


def test_what_the_old_rules_said_until_then_is_recorded_though_it_is_judged_afterwards() -> None:
    organization_id = new_organization(FEW_LOGINS)
    company_id = track(organization_id, 0, 1)
    judge(company_id, 1)
    put_in_force(organization_id, FEW_LOGINS.replace("less than 2", "less than 1"), 10.5)
    judge(company_id, 60)
    recorded = [
        (seconds_of(t.at), t.to_status, t.cause, t.rules_version) for t in history(company_id)
    ]
    assert recorded == [
        (0, "At Risk", "event", 1),
        (1, "Healthy", "event", 1),
        (10, "At Risk", "time", 1),
        (10.5, "Healthy", "rule_change", 2),
        (11, "At Risk", "time", 2),
    ]


def test_a_flag_taken_out_of_the_rules_no_longer_weighs(settings: Settings) -> None:
    organization_id = new_organization(FEW_LOGINS)
    subscribe(organization_id, settings)
    company_id = track(organization_id, 0)
    judge(company_id, 0)
    put_in_force(organization_id, "version: 1\nevents: {login: }\n", 5)
    judge(company_id, 5)
    assert crossings(company_id)[-1] == (5, "Healthy", "rule_change")
    assert payloads()[-1]["triggers"] == [
        {
            "flag": "Logs in",
            "status": "N/A",
            "threshold": "The flag was removed from the rules",
        }
    ]
    assert rows("select flag from flag_states") == []


def test_rules_that_judge_the_same_change_nothing_but_the_version() -> None:
    organization_id = new_organization(FEW_LOGINS)
    company_id = track(organization_id, 0)
    judge(company_id, 0)
    put_in_force(organization_id, FEW_LOGINS + "# a remark\n", 5)
    judge(company_id, 5)
    assert crossings(company_id) == [(0, "At Risk", "event")]
    assert read(company_id).judged_version == 2


def test_the_first_rules_judge_a_company_from_when_they_came_into_force() -> None:
    organization_id = new_organization(rules=None)
    company_id = track(organization_id, 0, 1, 30, 31, 60)
    put_in_force(organization_id, FEW_LOGINS, 100)
    judge(company_id, 100.5)
    assert crossings(company_id) == [(100, "At Risk", "rule_change")]


def test_a_company_not_yet_judged_when_new_rules_come_is_judged_by_the_old_ones_until_then() -> (
    None
):
    organization_id = new_organization(FEW_LOGINS)
    company_id = track(organization_id, 0)
    put_in_force(organization_id, FEW_LOGINS.replace("less than 2", "less than 1"), 5)
    judge(company_id, 6)
    assert crossings(company_id) == [(0, "At Risk", "event"), (5, "Healthy", "rule_change")]


# The outbox


def test_every_endpoint_of_the_organization_and_no_other_gets_a_delivery(
    settings: Settings,
) -> None:
    ours, theirs = new_organization(name="ours"), new_organization(name="theirs")
    wanted = {subscribe(ours, settings), subscribe(ours, settings)}
    removed = subscribe(ours, settings)
    subscribe(theirs, settings)
    with transaction():
        webhook_endpoints.remove(removed)
    judge(track(ours, 0), 0)
    written = rows("select organization_id, endpoint_id, state from deliveries")
    assert {row["endpoint_id"] for row in written} == wanted
    assert {row["organization_id"] for row in written} == {ours}
    assert {row["state"] for row in written} == {"waiting"}


def test_a_transition_without_endpoints_is_recorded_all_the_same() -> None:
    company_id = track(new_organization(), 0)
    assert judge(company_id, 0) == []
    assert len(history(company_id)) == 1


def test_a_webhook_says_what_the_transition_says(settings: Settings) -> None:
    organization_id = new_organization()
    subscribe(organization_id, settings)
    company_id = track(organization_id, 0.25, company="acme corp")
    judge(company_id, 0.3)
    track(organization_id, 1.5, company="acme corp")
    judge(company_id, 1.6)
    raised, lowered = payloads()
    [first, second] = history(company_id)
    assert raised == {
        "event": "health_score_changed",
        "id": f"msg_{first.id.hex}",
        "sequence": 1,
        "cause": "event",
        "company": {
            "id": "acme corp",
            "name": "Acme Corp",
            "health_status": "At Risk",
            "previous_status": "Healthy",
        },
        "timestamp": "2026-01-05T12:00:00.250Z",
        "triggers": [
            {
                "flag": "Logs in",
                "status": "At Risk",
                "threshold": "Less than 2 times in 10 seconds",
            }
        ],
    }
    assert lowered["id"] == f"msg_{second.id.hex}"
    assert lowered["sequence"] == 2
    assert lowered["company"]["previous_status"] == "At Risk"
    assert lowered["triggers"] == [
        {"flag": "Logs in", "status": "Healthy", "threshold": "Less than 2 times in 10 seconds"}
    ]


@pytest.mark.parametrize("table", ["transitions", "deliveries", "flag_states"])
def test_transition_state_and_deliveries_are_stored_all_or_none(
    settings: Settings, table: str
) -> None:
    organization_id = new_organization()
    subscribe(organization_id, settings)
    company_id = track(organization_id, 0)
    before = rows("select * from companies")
    with transaction():
        execute(f"alter table {table} add constraint fails check (false)")

    with pytest.raises(Exception, match="fails"):
        judge(company_id, 60)

    assert rows("select * from companies") == before
    for empty in ("transitions", "deliveries", "flag_states"):
        assert rows(f"select 1 from {empty}") == []
    with transaction():
        execute(f"alter table {table} drop constraint fails")
    assert len(judge(company_id, 60)) == 1
    assert [t.sequence for t in history(company_id)] == [1]


# Filters


def test_only_events_that_pass_where_are_counted() -> None:
    rules = FEW_LOGINS + "    where: {data.source: [web, mobile], data.user.admin: true}\n"
    organization_id = new_organization(rules)
    counted = [{"source": s, "user": {"admin": True}, "more": 1} for s in ("web", "mobile")]
    ignored: list[dict[str, Any] | None] = [
        None,
        {},
        {"source": "web"},
        {"source": "api", "user": {"admin": True}},
        {"source": "web", "user": {"admin": 1}},
        {"source": "web", "user": {"admin": "true"}},
        {"source": "web", "user": [True]},
    ]
    company_id = 0
    for at, data in enumerate([*ignored, counted[0]]):
        company_id = track(organization_id, at / 10, data=data)
    judge(company_id, 1)
    assert read(company_id).health_status == "At Risk"
    track(organization_id, 2, data=counted[1])
    judge(company_id, 2)
    assert read(company_id).health_status == "Healthy"


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, 1.0, 0.5, 1e300, "", "1", "a", "true", "null", "ä", '"', "A"])
)
names = st.sampled_from(["a", "b", "", "a.b", "ä", "{", "null"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)
data_of_events = st.lists(
    st.none() | st.dictionaries(names, values, max_size=3), min_size=1, max_size=6
)
filters = st.lists(
    st.tuples(
        st.lists(names, min_size=1, max_size=3).map(tuple),
        st.lists(scalars, min_size=1, max_size=3).map(tuple),
    ),
    max_size=2,
).map(tuple)
KEYS = ("login", "report")


def stored_facts_agree(
    selector: Selector, keyed: list[tuple[str, dict[str, Any] | None]], limit: int
) -> None:
    """Compare the SQL with the same questions asked of events in memory."""
    company_id = next(numbers)
    with transaction():
        storage.add(
            StoredEvent(
                organization_id=0,
                event_id=f"e{next(numbers)}",
                company_id=company_id,
                user_id=None,
                event_key=key,
                occurred_at=after(n // 2),
                received_at=T0,
                data=data,
            )
            for n, (key, data) in enumerate(keyed)
        )
        in_memory = FactsInMemory(
            Occurrence(after(n // 2), key, data) for n, (key, data) in enumerate(keyed)
        )
        stored = StoredFacts(company_id, "acme", T0)
        for until in (0, 1, len(keyed)):
            found = stored.latest(selector, limit, BEGINNING, after(until))
            assert list(found) == list(in_memory.latest(selector, limit, BEGINNING, after(until)))
        for start in (-1, 0, 1):
            following = stored.next_after(selector, after(start), after(9))
            assert following == in_memory.next_after(selector, after(start), after(9))


@hypothesis_settings(per_example, max_examples=150)
@given(st.sampled_from([None, *KEYS]), filters, data_of_events, st.data())
def test_the_database_counts_the_same_events_as_the_rules_do(
    event_key: str | None,
    where: tuple[tuple[Path, tuple[Any, ...]], ...],
    sent: list[dict[str, Any] | None],
    draw: st.DataObject,
) -> None:
    keyed = [(draw.draw(st.sampled_from(KEYS)), data) for data in sent]
    stored_facts_agree(Selector(event_key, where), keyed, draw.draw(st.integers(1, 4)))


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (("items", "0"), {"items": ["a"]}),
        (("items", "-1"), {"items": ["b", "a"]}),
        (("items", "0", "x"), {"items": [{"x": "a"}]}),
        (("0",), {"0": "a"}),
    ],
)
def test_the_database_and_the_rules_agree_on_paths_with_numbers(
    path: Path, data: dict[str, Any]
) -> None:
    stored_facts_agree(Selector("login", ((path, ("a",)),)), [("login", data)], 1)


# Events that come out of order


def test_an_event_past_what_is_known_is_judged_later_though_nobody_awaited_it() -> None:
    often = FEW_LOGINS.replace("less than 2", "at least 1")
    company_id = track(new_organization(often), 5)
    judge(company_id, 5)
    track(new_organization_of(company_id), 20)
    evaluate([company_id], RuleBooks(), after(21), stored_until=after(18))
    assert crossings(company_id)[-1] == (15, "Healthy", "time")
    assert read(company_id).unsettled_since == after(20)
    judge(company_id, 25)
    assert crossings(company_id)[-1] == (20, "At Risk", "event")


def test_an_event_out_of_order_is_heeded_by_a_comparison_with_the_past() -> None:
    organization_id = new_organization(FEW_LOGINS.replace("less than 2 times", "down 50%"))
    company_id = track(organization_id, 8, 21)
    judge(company_id, 24)
    assert read(company_id).health_status == "Healthy"
    track(organization_id, 11.5, 12, received=24)
    judge(company_id, 24)
    assert crossings(company_id)[-1][1] == "At Risk"


def new_organization_of(company_id: int) -> int:
    return read(company_id).organization_id


def test_rules_applied_while_events_wait_to_be_stored_judge_nothing_past_what_is_known() -> None:
    organization_id = new_organization()
    company_id = track(organization_id, 0, 1)
    judge(company_id, 1)
    before = crossings(company_id)
    put_in_force(organization_id, FEW_LOGINS.replace("10 seconds", "11 seconds"), 40)
    evaluate([company_id], RuleBooks(), after(41), stored_until=after(4))
    assert crossings(company_id) == before
    assert read(company_id).judged_version == 1
    track(organization_id, *range(5, 41))
    judge(company_id, 42)
    assert crossings(company_id) == before
    assert read(company_id).judged_version == 2


def test_another_status_in_the_list_leaves_flags_as_they_are() -> None:
    rules = FEW_LOGINS.replace("events:", "statuses: [Healthy, At Risk]\nevents:")
    rules += "    recover: at least 5 times in 10 seconds\n"
    organization_id = new_organization(rules)
    company_id = track(organization_id, 0)
    judge(company_id, 0)
    for second in range(40, 100, 4):
        track(organization_id, second)
        judge(company_id, second)
    before = crossings(company_id)
    assert before == [(0, "At Risk", "event")]
    put_in_force(organization_id, rules.replace("At Risk]", "At Risk, Lost]"), 100)
    judge(company_id, 101)
    assert crossings(company_id) == before
    assert read(company_id).judged_version == 2
