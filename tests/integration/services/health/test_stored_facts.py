"""Facts read from the database agree with facts in memory."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.companies import companies, company_intake
from models.companies.company_intake import NewCompany
from models.companies.fields import field_history, field_merge
from models.companies.fields.field_history import StoredFieldChange
from models.events import storage
from models.events.storage import StoredEvent
from models.organizations import organizations
from rules.durations import BEGINNING, END
from rules.facts import USER, Path, Selector
from rules.facts_in_memory import FactsInMemory, FieldChange, Occurrence
from rules.statuses import DEFAULT_STATUSES
from services.health import stored_facts
from services.health.settlements import latest_needed
from services.health.stored_facts import READ_AHEAD, StoredFacts
from tests.support.world import START, after

LAST = 8
KEYS = ("login", "report")

numbers = itertools.count(1)

pytestmark = pytest.mark.usefixtures("in_transaction")


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from(
        [0.0, -0.0, 1.0, 0.5, 1e300, 2**53, "", "1", "a", "A", "true", "null", "ä", '"']
    )
)
names = st.sampled_from(["a", "b", "", "0", "a.b", "ä", "null"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)
data = st.none() | st.dictionaries(st.sampled_from("ab"), values, max_size=2)
paths = st.one_of(
    st.tuples(st.sampled_from("ab")),
    st.lists(st.sampled_from(["a", "b", "", "0", "a.b"]), min_size=1, max_size=3).map(tuple),
)
selectors = st.builds(
    Selector,
    st.sampled_from([None, *KEYS, "unknown"]),
    st.one_of(
        st.just(()),
        st.lists(
            st.tuples(paths, st.lists(scalars, min_size=1, max_size=4).map(tuple)), max_size=2
        ).map(tuple),
    ),
)
sent_events = st.lists(
    st.builds(
        lambda second, key, sent, user: Occurrence(after(second), key, sent, user),
        st.integers(0, LAST),
        st.sampled_from(KEYS),
        data,
        st.none() | st.integers(1, 3),
    ),
    max_size=10,
)


@dataclass(frozen=True)
class Window:
    """The window of a question: `(since, until]`."""

    since: datetime
    until: datetime


instants = st.integers(-1, LAST + 1).map(after)
windows = st.builds(
    Window, st.one_of(st.just(BEGINNING), instants), st.one_of(st.just(END), instants)
)


def stored(occurrences: Sequence[Occurrence], read: int | None = None) -> StoredFacts:
    """Return the facts of a new company with these events, a number of each key already read."""
    organization_id, company_id = 1, next(numbers)
    storage.add(
        StoredEvent(
            organization_id=organization_id,
            event_id=f"e{next(numbers)}",
            company_id=company_id,
            user_id=occurrence.user,
            event_key=occurrence.event_key,
            occurred_at=occurrence.occurred_at,
            received_at=START,
            data=occurrence.data,
        )
        for occurrence in occurrences
    )
    if read is None:
        return StoredFacts(organization_id, company_id, "acme", START)
    needed = dict.fromkeys((None, *KEYS, "unknown"), read)
    latest = latest_needed(organization_id, [company_id], needed)[company_id]
    return StoredFacts(organization_id, company_id, "acme", START, latest)


def with_history(changes: Sequence[FieldChange]) -> StoredFacts:
    """Return the facts of a new company with these field changes."""
    organization_id = organizations.create(f"o{next(numbers)}").id
    company_intake.add(
        [NewCompany(organization_id, "acme", "Acme", START, None, DEFAULT_STATUSES[0], 0)]
    )
    company = companies.find(organization_id, "acme")
    assert company is not None
    field_history.add(
        organization_id,
        (
            StoredFieldChange(
                company.id, field_merge.FieldChange(change.field, change.at, change.value)
            )
            for change in changes
        ),
    )
    return StoredFacts(company.organization_id, company.id, "acme", START)


def plain(value: Any) -> Any:
    """Return a value in which numbers compare as in JSON and booleans are not numbers."""
    if isinstance(value, dict):
        return {"object": {name: plain(item) for name, item in sorted(value.items())}}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str((Decimal(str(value)) + 0).normalize())
    return repr(value)


@given(
    sent_events,
    selectors,
    st.lists(st.tuples(windows, st.integers(1, 5)), min_size=1, max_size=4),
    st.sampled_from([0, 1, READ_AHEAD]),
    st.none() | st.integers(1, 8),
)
def test_the_latest_events_and_the_next_one_are_the_same_whatever_the_order_of_the_questions(
    sent: list[Occurrence],
    selector: Selector,
    asked: list[tuple[Window, int]],
    ahead: int,
    read: int | None,
) -> None:
    database, memory = stored(sent, read), FactsInMemory(sent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_facts, "READ_AHEAD", ahead)
        for window, limit in asked:
            since, until = window.since, window.until
            latest = list(database.latest(selector, limit, since, until))
            assert latest == list(memory.latest(selector, limit, since, until))
            following = database.next_after(selector, since, until)
            assert following == memory.next_after(selector, since, until)


@given(sent_events, selectors, st.lists(windows, min_size=1, max_size=3))
def test_the_next_event_is_the_same(
    sent: list[Occurrence], selector: Selector, asked: list[Window]
) -> None:
    database, memory = stored(sent), FactsInMemory(sent)
    for window in asked:
        expected = memory.next_after(selector, window.since, window.until)
        assert database.next_after(selector, window.since, window.until) == expected


@given(
    sent_events,
    selectors,
    st.one_of(st.just(USER), paths.map(lambda path: ("data", *path))),
    st.lists(windows, min_size=1, max_size=3),
    st.integers(1, 5),
)
def test_the_last_time_of_each_user_and_value_is_the_same(
    sent: list[Occurrence], selector: Selector, of: Path, asked: list[Window], limit: int
) -> None:
    database, memory = stored(sent), FactsInMemory(sent)
    for window in asked:
        expected = memory.latest_of_each(selector, of, limit, window.since, window.until)
        latest = database.latest_of_each(selector, of, limit, window.since, window.until)
        assert list(latest) == list(expected)


def sorted_values(values_read: Sequence[tuple[datetime, Any]]) -> list[tuple[datetime, str]]:
    """Sort values of the same instant, which have no order of their own."""
    return sorted((at, repr(plain(value))) for at, value in values_read)


@given(
    sent_events,
    selectors,
    st.one_of(st.just(()), paths.map(lambda path: ("data", *path))),
    st.lists(windows, min_size=1, max_size=4),
)
def test_the_values_of_a_window_are_the_same_whatever_the_order_of_the_windows(
    sent: list[Occurrence], selector: Selector, path: Path, asked: list[Window]
) -> None:
    database, memory = stored(sent), FactsInMemory(sent)
    for window in asked:
        expected = memory.values(selector, path, window.since, window.until)
        values_read = database.values(selector, path, window.since, window.until)
        assert [at for at, _ in values_read] == [at for at, _ in expected]
        assert sorted_values(values_read) == sorted_values(expected)


field_names = st.sampled_from(["plan", "seats", "tags"])
histories = st.lists(
    st.builds(
        lambda second, name, value: FieldChange(after(second), name, value),
        st.integers(0, LAST),
        field_names,
        values,
    ),
    max_size=8,
    unique_by=lambda change: (change.at, change.field),
)
field_paths = st.tuples(field_names, st.lists(names, max_size=2)).map(
    lambda parts: (parts[0], *parts[1])
)


@given(histories, st.lists(st.tuples(field_paths, instants), min_size=1, max_size=5))
def test_a_field_has_the_same_value_at_an_instant_whatever_the_order_of_the_questions(
    changes: list[FieldChange], asked: list[tuple[Path, datetime]]
) -> None:
    database, memory = with_history(changes), FactsInMemory([], changes)
    for path, at in asked:
        assert plain(database.field(path, at)) == plain(memory.field(path, at))


@given(
    histories,
    st.lists(
        st.tuples(st.lists(field_names, max_size=3, unique=True), windows), min_size=1, max_size=5
    ),
)
def test_the_next_change_of_a_field_is_the_same(
    changes: list[FieldChange], asked: list[tuple[list[str], Window]]
) -> None:
    database, memory = with_history(changes), FactsInMemory([], changes)
    for fields, window in asked:
        expected = memory.next_field_change(fields, window.since, window.until)
        assert database.next_field_change(fields, window.since, window.until) == expected


def test_the_id_of_a_company_is_a_field_too() -> None:
    facts = with_history([])
    assert facts.field(("id",), START) == "acme"
    assert facts.next_field_change(["id"], BEGINNING, END) is None


def test_facts_of_other_companies_are_ignored() -> None:
    stored([Occurrence(START, "login", {"a": 1}, 1)])
    other = stored([])
    anything = Selector(None)
    assert list(other.latest(anything, 9, BEGINNING, END)) == []
    assert list(other.latest_of_each(anything, USER, 9, BEGINNING, END)) == []
    assert list(other.latest_of_each(anything, ("data", "a"), 9, BEGINNING, END)) == []
    assert list(other.values(anything, ("data", "a"), BEGINNING, END)) == []
    assert other.next_after(anything, BEGINNING, END) is None
