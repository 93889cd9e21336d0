"""Storing many events with COPY has the same result as inserting them."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
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
from tests.support.world import START

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
instants = st.integers(-(10**15), 10**15).map(lambda n: START + timedelta(microseconds=n))


def new(organization_id: int = 1, **changed: Any) -> StoredEvent:
    event = StoredEvent(organization_id, f"e{next(numbers)}", 1, None, "login", START, START, None)
    return replace(event, **changed)


def stored(organization_id: int) -> list[dict[str, Any]]:
    with transaction():
        return query(
            "select event_id, company_id, user_id, event_key, occurred_at, received_at,"
            " data::text as data from events where organization_id = %(id)s order by event_id",
            {"id": organization_id},
        )


def add(new_events: NewEvents, events: list[StoredEvent]) -> set[str]:
    with transaction():
        return new_events.add(events)


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
def test_a_copied_event_equals_an_inserted_one(events: list[StoredEvent]) -> None:
    copied, inserted = next(numbers), next(numbers)
    assert add(NewEvents(), [replace(event, organization_id=copied) for event in events]) == {
        event.event_id for event in events
    }
    with transaction():
        storage.add(replace(event, organization_id=inserted) for event in events)
    assert stored(copied) == stored(inserted)


def test_only_events_that_were_not_stored_before_are_new() -> None:
    new_events = NewEvents()
    first, second, third = ([new() for _ in range(MANY)] for _ in range(3))
    assert len(add(new_events, first)) == MANY
    assert add(new_events, [*second, first[3]]) == {event.event_id for event in second}
    assert add(new_events, [*third, *second]) == {event.event_id for event in third}
    assert len(stored(1)) == 3 * MANY


def test_copying_pauses_after_a_repeated_event(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[int] = []

    def count_copies(table: str, columns: str, rows: Any) -> None:
        copied.append(1)
        copy_into(table, columns, rows)

    monkeypatch.setattr(storage, "copy_into", count_copies)
    new_events, events = NewEvents(), [new() for _ in range(MANY)]
    add(new_events, events)
    add(new_events, events)
    assert len(copied) == 2
    add(new_events, [new() for _ in range(MANY)])
    assert len(copied) == 2
    monkeypatch.setattr(storage, "CAREFUL_SECONDS", 0)
    fresh = NewEvents()
    add(fresh, events)
    add(fresh, [new() for _ in range(MANY)])
    assert len(copied) == 4


def test_the_same_events_in_four_concurrent_workers_are_stored_once() -> None:
    events = [new() for _ in range(200)]
    with ThreadPoolExecutor(4) as workers:
        added = list(workers.map(lambda _: add(NewEvents(), events), range(4)))
    assert sorted(map(len, added)) == [0, 0, 0, 200]
    assert len(stored(1)) == 200


def test_if_one_event_cannot_be_stored_none_is() -> None:
    faulty = new(company_id=2**70)
    with pytest.raises(Exception, match="out of range"):
        add(NewEvents(), [*(new() for _ in range(MANY)), faulty])
    with pytest.raises((ValueError, psycopg2.DataError)):
        add(NewEvents(), [*(new() for _ in range(MANY)), new(event_key="a\x00b")])
    assert stored(1) == []
