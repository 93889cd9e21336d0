"""Many events are stored at once as they are stored one by one."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bulk import copy_into
from models.database import query, transaction
from models.events import storage
from models.events.storage import MANY, NewEvents, StoredEvent
from tests.support.properties import effort

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)
numbers = itertools.count(1)

pytestmark = pytest.mark.usefixtures("settings")

texts = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
    | st.sampled_from("\\\t\n\r\"'N.,{}"),
    min_size=1,
    max_size=12,
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
instants = st.integers(-(10**15), 10**15).map(lambda n: T0 + timedelta(microseconds=n))


def new(organization_id: int = 1, **changed: Any) -> StoredEvent:
    event = StoredEvent(organization_id, f"e{next(numbers)}", 1, None, "login", T0, T0, None)
    return replace(event, **changed)


def stored(organization_id: int) -> list[dict[str, Any]]:
    with transaction():
        return query(
            "select event_id, company_id, user_id, event_key, occurred_at, received_at,"
            " data::text as data from events where organization_id = %(id)s order by event_id",
            {"id": organization_id},
        )


def add(new_events: NewEvents, some: list[StoredEvent]) -> set[str]:
    with transaction():
        return {event_id for _, event_id in new_events.add(some)}


@effort(0.5)
@given(
    st.lists(
        st.builds(
            new,
            event_id=texts,
            event_key=texts,
            user_id=st.none() | st.integers(1, 2**60),
            data=st.none() | st.dictionaries(texts, values, max_size=4),
            occurred_at=instants,
        ),
        min_size=MANY,
        max_size=MANY + 4,
        unique_by=lambda event: event.event_id,
    )
)
def test_whatever_clients_send_is_copied_as_it_is_inserted(some: list[StoredEvent]) -> None:
    copied, inserted = next(numbers), next(numbers)
    assert add(NewEvents(), [replace(one, organization_id=copied) for one in some]) == {
        one.event_id for one in some
    }
    with transaction():
        storage.add(replace(one, organization_id=inserted) for one in some)
    assert stored(copied) == stored(inserted)


def test_of_many_only_those_are_new_that_were_not_stored_before() -> None:
    new_events = NewEvents()
    first, second, third = ([new() for _ in range(MANY)] for _ in range(3))
    assert len(add(new_events, first)) == MANY
    assert add(new_events, [*second, first[3]]) == {one.event_id for one in second}
    assert add(new_events, [*third, *second]) == {one.event_id for one in third}
    assert len(stored(1)) == 3 * MANY


def test_after_a_repeat_no_more_are_copied_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[int] = []

    def counted(table: str, columns: str, rows: Any) -> None:
        copied.append(1)
        copy_into(table, columns, rows)

    monkeypatch.setattr(storage, "copy_into", counted)
    new_events, some = NewEvents(), [new() for _ in range(MANY)]
    add(new_events, some)
    add(new_events, some)
    assert len(copied) == 2
    add(new_events, [new() for _ in range(MANY)])
    assert len(copied) == 2
    monkeypatch.setattr(storage, "CAREFUL_SECONDS", 0)
    again = NewEvents()
    add(again, some)
    add(again, [new() for _ in range(MANY)])
    assert len(copied) == 4


def test_the_same_many_in_four_workers_at_once_are_stored_once() -> None:
    some = [new() for _ in range(200)]
    with ThreadPoolExecutor(4) as workers:
        found = list(workers.map(lambda _: add(NewEvents(), some), range(4)))
    assert sorted(map(len, found)) == [0, 0, 0, 200]
    assert len(stored(1)) == 200


def test_what_cannot_be_stored_fails_as_a_whole() -> None:
    faulty = new(company_id=2**70)
    with pytest.raises(Exception, match="out of range"):
        add(NewEvents(), [*(new() for _ in range(MANY)), faulty])
    with pytest.raises((ValueError, psycopg2.DataError)):
        add(NewEvents(), [*(new() for _ in range(MANY)), new(event_key="a\x00b")])
    assert stored(1) == []
