"""The transition feed has one fixed order, and a reader that continues misses nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from config.settings import Settings
from models.cursors import UnreadableCursor
from models.database import database, query, transaction
from models.health import transition_feed, transitions
from models.health.transition_feed import FeedPage, read_feed
from models.health.transitions import StoredTransition
from models.organizations import organizations
from tests.support.properties import effort

T0 = datetime(2026, 1, 20, 12, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("settings")


def organization(name: str = "o") -> int:
    with transaction():
        return organizations.create(name).id


def company(organization_id: int, name: str) -> int:
    with transaction():
        rows = query(
            "insert into companies (organization_id, external_id, name, first_seen_at,"
            " health_status) values (%(organization_id)s, %(name)s, %(name)s, %(at)s, 'Healthy')"
            " returning id",
            {"organization_id": organization_id, "name": name, "at": T0},
        )
    row_id: int = rows[0]["id"]
    return row_id


def add(organization_id: int, company_id: int, sequence: int, seconds: float = 0) -> UUID:
    """Add a transition in the current transaction."""
    transition = StoredTransition(
        id=uuid7(),
        organization_id=organization_id,
        company_id=company_id,
        sequence=sequence,
        at=T0,
        from_status="Healthy",
        to_status="At Risk",
        cause="time",
        changes=[],
        rules_version=1,
        recorded_at=T0 + timedelta(seconds=seconds),
    )
    transitions.add_all([transition])
    return transition.id


def read(organization_id: int, after: str | None = None, limit: int = 100) -> FeedPage:
    with transaction():
        return read_feed(organization_id, after=after, limit=limit)


def read_all(organization_id: int, limit: int) -> list[UUID]:
    """Read the whole feed, as a reader does."""
    ids: list[UUID] = []
    after, more = None, True
    while more:
        page = read(organization_id, after, limit)
        ids += [transition.id for transition in page.transitions]
        after, more = page.next, page.more
    return ids


def test_a_row_that_is_committed_later_is_listed_later_and_not_missed() -> None:
    o = organization()
    first, second = company(o, "a"), company(o, "b")
    written, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> UUID:
        with transaction():
            added = add(o, first, 1, seconds=0)
            written.set()
            assert may_commit.wait(20)
            return added

    with ThreadPoolExecutor(1) as slow:
        writing = slow.submit(write_slowly)
        assert written.wait(20)
        with transaction():
            quick = add(o, second, 1, seconds=5)
        seen = read(o)
        assert [transition.id for transition in seen.transitions] == [quick]
        may_commit.set()
        late = writing.result(20)
    assert [transition.id for transition in read(o, seen.next).transitions] == [late]
    assert read_all(o, 1) == [quick, late]


def test_readers_concurrent_with_writers_get_each_transition_once_in_the_same_order() -> None:
    o = organization()
    rows = [company(o, f"c{number}") for number in range(4)]
    per_company = 25

    def write(company_id: int) -> None:
        for sequence in range(1, per_company + 1):
            with transaction():
                add(o, company_id, sequence, seconds=-sequence)  # even if the clock is wrong

    def follow() -> list[tuple[str, int]]:
        read_so_far: list[tuple[str, int]] = []
        after = None
        while len(read_so_far) < len(rows) * per_company:
            page = read(o, after, 7)
            read_so_far += [(t.company, t.sequence) for t in page.transitions]
            after = page.next
        return read_so_far

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(follow) for _ in range(2)]
        for writing in [pool.submit(write, row) for row in rows]:
            writing.result(60)
        first, second = (reader.result(60) for reader in readers)
    assert first == second
    assert len(set(first)) == len(rows) * per_company
    for name in ("c0", "c1", "c2", "c3"):
        assert [s for c, s in first if c == name] == list(range(1, per_company + 1))


@effort(0.5)
@given(
    written=st.lists(st.tuples(st.integers(0, 2), st.integers(-3, 3)), max_size=12),
    limit=st.integers(1, 5),
    at_once=st.integers(1, 4),
    read_after=st.integers(0, 12),
)
def test_the_transitions_of_a_company_are_in_order_whatever_the_clocks(
    settings: Settings,
    written: list[tuple[int, int]],
    limit: int,
    at_once: int,
    read_after: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch, transaction(), database.atomic() as undone:
        patch.setattr(transition_feed, "POSITIONS_PER_STEP", at_once)
        o = organizations.create("o").id
        rows = query(
            "insert into companies (organization_id, external_id, name, first_seen_at,"
            " health_status) select %(o)s, n, n, now(), 'Healthy'"
            " from unnest(array['0', '1', '2']) n returning id",
            {"o": o},
        )
        counted = [0, 0, 0]
        for number, (place, seconds) in enumerate(written):
            counted[place] += 1
            add(o, rows[place]["id"], counted[place], seconds)
            if number == read_after:
                read_feed(o, limit=limit)
        feed: list[tuple[str, int]] = []
        after, more = None, True
        while more:
            page = read_feed(o, after=after, limit=limit)
            feed += [(t.company, t.sequence) for t in page.transitions]
            after, more = page.next, page.more
        undone.rollback()
    for place, number in enumerate(counted):
        assert [s for c, s in feed if c == str(place)] == list(range(1, number + 1))


def test_an_organization_reads_only_its_own_transitions() -> None:
    ours, theirs = organization("ours"), organization("theirs")
    with transaction():
        mine = add(ours, company(ours, "a"), 1)
        add(theirs, company(theirs, "a"), 1)
    assert read_all(ours, 10) == [mine]


def test_without_new_transitions_the_cursor_stays_and_later_ones_follow_it() -> None:
    o = organization()
    nothing = read(o)
    assert (nothing.transitions, nothing.more) == ([], False)
    with transaction():
        added = add(o, company(o, "a"), 1)
    assert [transition.id for transition in read(o, nothing.next).transitions] == [added]
    assert read(o, read(o).next) == FeedPage([], read(o).next, more=False)


@pytest.mark.parametrize("cursor", ["", "x", "WyJmZWVkIiwiYSJd", "0" * 9_000])
def test_a_text_that_is_not_a_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(UnreadableCursor):
        read(organization(), cursor)
