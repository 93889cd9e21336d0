from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.companies.fields.field_merge import FieldChange, Traits, digest_fields, json_bytes
from tests.support.properties import effort

CORE = ("name", "email")
T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)

Sent = tuple[datetime, dict[str, Any]]

json_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(-2, 2),
    st.text(max_size=3),
    st.lists(st.integers(0, 2), max_size=2),
    st.dictionaries(st.sampled_from("ab"), st.booleans(), max_size=2),
)
fields = st.dictionaries(st.sampled_from([*CORE, "plan", "seats", "tags"]), json_values)
times = st.integers(-(10**12), 10**12).map(lambda micros: T0 + timedelta(microseconds=micros))
events_at_distinct_times = st.lists(st.tuples(times, fields), max_size=6, unique_by=lambda e: e[0])


@st.composite
def events_and_arrivals(draw: st.DrawFn) -> tuple[list[Sent], list[Sent]]:
    """Draw events, and an order in which they arrive, some of them more than once."""
    events = draw(events_at_distinct_times)
    repeated = draw(st.lists(st.sampled_from(events), max_size=4)) if events else []
    return events, draw(st.permutations([*events, *repeated]))


def merged(arrivals: list[Sent]) -> Traits:
    traits = Traits(dict.fromkeys(CORE))
    for at, sent in arrivals:
        traits.merge_with_history(sent, at)
    return traits


def changes_of(arrivals: list[Sent]) -> list[list[FieldChange]]:
    """Return the changes that each arrival adds to the history of the fields."""
    traits = Traits(dict.fromkeys(CORE))
    return [traits.merge_with_history(sent, at) for at, sent in arrivals]


def exactly(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the repr of each value, since Python considers `1`, `1.0` and `True` equal."""
    return {name: repr(value) for name, value in values.items()}


@given(events_and_arrivals())
def test_each_field_has_the_value_of_the_newest_event_whatever_the_order_of_arrival(
    given_events: tuple[list[Sent], list[Sent]],
) -> None:
    events, arrivals = given_events
    newest: dict[str, Any] = {}
    for _at, sent in sorted(events, key=lambda event: event[0]):
        newest |= sent

    traits = merged(arrivals)

    assert exactly(traits.core) == exactly({name: newest.get(name) for name in CORE})
    assert exactly(traits.custom) == exactly({k: v for k, v in newest.items() if k not in CORE})
    assert traits.fields_at.keys() == newest.keys()


@given(events_and_arrivals())
def test_the_times_of_the_fields_do_not_depend_on_the_order_either(
    given_events: tuple[list[Sent], list[Sent]],
) -> None:
    events, arrivals = given_events
    assert merged(arrivals).fields_at == merged(events).fields_at


def test_a_late_event_fills_gaps_and_overwrites_nothing_newer() -> None:
    traits = merged(
        [
            (T0, {"name": "Acme Corporation", "plan": "Enterprise"}),
            (T0 - timedelta(days=1), {"name": "Acme", "plan": "Free", "email": "a@acme.com"}),
            (T0 - timedelta(days=2), {"seats": 5}),
        ]
    )
    assert traits.core == {"name": "Acme Corporation", "email": "a@acme.com"}
    assert traits.custom == {"plan": "Enterprise", "seats": 5}


def test_a_field_that_a_newer_event_does_not_have_is_kept() -> None:
    traits = merged([(T0, {"plan": "Pro"}), (T0 + timedelta(seconds=1), {"seats": 5})])
    assert traits.custom == {"plan": "Pro", "seats": 5}


def test_a_newer_null_replaces_a_value() -> None:
    traits = merged([(T0, {"plan": "Pro"}), (T0 + timedelta(microseconds=1), {"plan": None})])
    assert traits.custom == {"plan": None}


def test_a_first_value_and_a_different_one_are_changes_and_a_repeated_one_is_not() -> None:
    later, last = T0 + timedelta(seconds=1), T0 + timedelta(seconds=2)
    assert changes_of(
        [(T0, {"plan": "Pro"}), (later, {"plan": "Pro"}), (last, {"plan": "Free"})]
    ) == [
        [FieldChange("plan", T0, "Pro")],
        [],
        [FieldChange("plan", last, "Free")],
    ]


def test_a_change_of_type_or_to_null_is_a_change_too() -> None:
    sent = [1, True, "1", None, [], {}, False, 0]
    arrivals: list[Sent] = [
        (T0 + timedelta(seconds=n), {"seats": value}) for n, value in enumerate(sent)
    ]
    assert [[change.value for change in changes] for changes in changes_of(arrivals)] == [
        [value] for value in sent
    ]


def test_a_late_value_applies_until_the_next_value() -> None:
    earlier = T0 - timedelta(days=1)
    assert changes_of([(T0, {"plan": "Pro"}), (earlier, {"plan": "Free"})])[1] == [
        FieldChange("plan", earlier, "Free", late=True, newer=(T0, "Pro")),
    ]


def history(arrivals: list[Sent]) -> dict[str, dict[datetime, Any]]:
    """Return the history of each field as it is stored."""
    return apply_changes(changes_of(arrivals))


def apply_changes(all_changes: list[list[FieldChange]]) -> dict[str, dict[datetime, Any]]:
    """Return the history of each field after changes: one value at each instant."""
    histories: dict[str, dict[datetime, Any]] = {}
    for changes in all_changes:
        for change in changes:
            values = histories.setdefault(change.field, {})
            before = [at for at in values if at <= change.at]
            if change.late and before and repr(values[max(before)]) == repr(change.value):
                continue
            values[change.at] = change.value
            if change.newer:
                values[change.newer[0]] = change.newer[1]
    return histories


@given(events_at_distinct_times, st.data())
def test_the_history_ends_with_the_current_value_whatever_the_order_of_arrival(
    events: list[Sent], data: st.DataObject
) -> None:
    arrivals = data.draw(st.permutations(events))
    traits = merged(arrivals)
    current = traits.custom | {name: traits.core[name] for name in traits.core}
    for name, values in history(arrivals).items():
        assert repr(values[max(values)]) == repr(current[name])


def test_a_late_value_applies_until_the_next_recorded_change() -> None:
    # Repeated values are not rows; only the latest repetition is known.
    first, late, again, last = (T0 + timedelta(days=days) for days in range(4))
    values = history(
        [
            (first, {"plan": "Pro"}),
            (again, {"plan": "Pro"}),
            (last, {"plan": "Free"}),
            (late, {"plan": "Trial"}),
        ]
    )["plan"]
    assert values == {first: "Pro", late: "Trial", last: "Free"}


sent_values = st.lists(
    st.tuples(times, st.integers(-1000, 1000)),
    max_size=6,
    unique_by=(lambda e: e[0], lambda e: e[1]),
)
events_that_never_repeat_a_value = sent_values.map(
    lambda sent: [(at, {"plan": value}) for at, value in sent]
)


@given(events_that_never_repeat_a_value, st.data())
def test_the_history_has_the_value_of_each_event_at_its_time_whatever_the_order_of_arrival(
    events: list[Sent], data: st.DataObject
) -> None:
    histories = history(data.draw(st.permutations(events)))
    for at, sent in events:
        for name, value in sent.items():
            until = max(instant for instant in histories[name] if instant <= at)
            assert json_bytes(histories[name][until]) == json_bytes(value)


def steps(values: Mapping[datetime, Any]) -> list[tuple[datetime, str]]:
    """Return a history without values that repeat the one before."""
    distinct: list[tuple[datetime, str]] = []
    for at, value in sorted(values.items()):
        if not distinct or distinct[-1][1] != repr(value):
            distinct.append((at, repr(value)))
    return distinct


@given(st.lists(st.tuples(times, st.sampled_from("abc")), max_size=10))
def test_changes_omitted_for_repeated_values_would_have_added_nothing(
    sent: list[tuple[datetime, str]],
) -> None:
    arrivals: list[Sent] = [(at, {"plan": value}) for at, value in sent]
    everything = Traits(dict.fromkeys(CORE))
    all_changes_of_arrivals = []
    for at, fields_sent in arrivals:
        everything.changed_at.clear()  # otherwise it would omit late repetitions
        all_changes_of_arrivals.append(everything.merge_with_history(fields_sent, at))
    briefly = apply_changes(changes_of(arrivals))
    fully = apply_changes(all_changes_of_arrivals)
    assert {name: steps(values) for name, values in briefly.items()} == {
        name: steps(values) for name, values in fully.items()
    }


def stored_and_read(traits: Traits, newest_event_at: datetime | None) -> Traits:
    """Return traits as they are after storing and reading, with this time of the newest event."""
    return Traits.stored(
        dict(traits.core),
        dict(traits.custom),
        traits.stored_fields_at,
        newest_event_at,
        digest=traits.digest(),
        changed_at=dict(traits.changed_at),
    )


few_times = st.integers(0, 8).map(lambda seconds: T0 + timedelta(seconds=seconds))
few_fields = st.dictionaries(st.sampled_from(["name", "plan"]), st.sampled_from([1, 1.0, True]))
alike_and_often_at_once = st.lists(st.tuples(few_times, few_fields), max_size=8)


@given(st.one_of(alike_and_often_at_once, st.lists(st.tuples(times, fields), max_size=6)))
def test_storing_and_reading_traits_loses_nothing(arrivals: list[Sent]) -> None:
    traits = merged(arrivals)
    read = stored_and_read(traits, traits.newest_event_at)
    assert (read, read.digest()) == (traits, traits.digest())


@effort(4)
@given(alike_and_often_at_once, few_times, st.data())
def test_repeated_values_only_move_the_time_of_the_newest_event(
    arrivals: list[Sent], at: datetime, data: st.DataObject
) -> None:
    traits = merged(arrivals)
    repeated = data.draw(st.sampled_from([sent for _, sent in arrivals] or [{}]))
    since, newest = traits.unchanged_since, traits.newest_event_at
    if digest_fields(repeated) != traits.digest() or since is None or newest is None or at < since:
        return
    without_reading = stored_and_read(traits, max(newest, at))

    assert traits.merge_with_history(repeated, at) == []
    assert (traits, traits.digest()) == (without_reading, without_reading.digest())


@given(alike_and_often_at_once, st.data())
def test_without_history_repeated_values_change_nothing_at_any_time(
    arrivals: list[Sent], data: st.DataObject
) -> None:
    traits = Traits(dict.fromkeys(CORE))
    for at, sent in arrivals:
        traits.merge(sent, at)
    at, repeated = (
        data.draw(few_times),
        data.draw(st.sampled_from([s for _, s in arrivals] or [{}])),
    )
    if digest_fields(repeated) == traits.digest() and traits.newest_event_at:
        without_reading = stored_and_read(traits, max(traits.newest_event_at, at))
        traits.merge(repeated, at)
        assert (traits, traits.digest()) == (without_reading, without_reading.digest())


def test_digests_differ_if_the_json_of_a_value_differs_but_not_by_the_order_of_fields() -> None:
    fields_sent = {"name": "Acme", "seats": 1, "tags": {"a": 1, "b": 2}}
    reordered = {"tags": {"b": 2, "a": 1}, "seats": 1, "name": "Acme"}
    others = [fields_sent | {"seats": seats} for seats in (1.0, True, "1", None)]
    assert digest_fields(fields_sent) == digest_fields(reordered)
    assert len({digest_fields(sent) for sent in (fields_sent, *others, {"name": "Acme"})}) == 6
    assert digest_fields(fields_sent, 1) != digest_fields(fields_sent, 2)
