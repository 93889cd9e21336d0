from datetime import UTC, datetime, timedelta

from queues.backlog import StoredUntil
from queues.lanes.lane import UNRESOLVED, Lane

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PARTITION = Lane.of_company(7, "acme")
OWN = PARTITION._replace(company="acme")
NEIGHBOUR = "c1"
ELSEWHERE = "company_123"


def test_the_companies_used_here_are_in_the_partitions_that_the_tests_need() -> None:
    neighbour, elsewhere = (Lane.of_company(7, company) for company in (NEIGHBOUR, ELSEWHERE))
    assert neighbour == PARTITION
    assert elsewhere != PARTITION


def test_without_waiting_events_everything_is_stored_up_to_now() -> None:
    reading = StoredUntil(NOW)
    assert reading.of(7, "acme") == NOW
    assert reading.longest_wait == timedelta(0)


def test_the_oldest_event_of_a_partition_bounds_its_companies_and_no_others() -> None:
    reading = StoredUntil(NOW, {PARTITION: NOW - SECOND})
    assert reading.of(7, "acme") == reading.of(7, NEIGHBOUR) == NOW - SECOND
    assert reading.of(7, ELSEWHERE) == reading.of(8, "acme") == NOW


def test_the_lane_of_a_held_company_bounds_this_company_alone() -> None:
    reading = StoredUntil(NOW, {PARTITION: NOW - SECOND, OWN: NOW - 5 * SECOND})
    assert reading.of(7, "acme") == NOW - 5 * SECOND
    assert reading.of(7, NEIGHBOUR) == NOW - SECOND
    assert reading.longest_wait == 5 * SECOND
    assert reading.partitions_behind(SECOND) == {}
    assert reading.organizations_behind(SECOND / 2) == {7}


def test_what_names_no_company_bounds_every_company_of_its_organization() -> None:
    reading = StoredUntil(NOW, {Lane(7, UNRESOLVED): NOW - SECOND, PARTITION: NOW - SECOND / 2})
    assert {reading.of(7, company) for company in ("acme", NEIGHBOUR, ELSEWHERE)} == {NOW - SECOND}
    assert reading.of(8, "acme") == NOW
    assert reading.organizations_behind(SECOND / 2) == {7}


def test_a_message_of_the_release_before_bounds_every_company() -> None:
    reading = StoredUntil(NOW, {}, former=NOW - SECOND)
    assert reading.of(7, "acme") == reading.of(8, "acme") == NOW - SECOND
    assert reading.organizations_behind(SECOND / 2) == {None}
    assert reading.organizations_behind(SECOND) == frozenset()


def test_an_event_from_the_future_bounds_nothing() -> None:
    assert StoredUntil(NOW, {PARTITION: NOW + SECOND}).of(7, "acme") == NOW
