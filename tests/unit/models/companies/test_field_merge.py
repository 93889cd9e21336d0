from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.companies.field_merge import FieldChange, Traits, digest_fields, json_bytes
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
    """Events, and an order in which they arrive, some of them more than once."""
    events = draw(events_at_distinct_times)
    repeated = draw(st.lists(st.sampled_from(events), max_size=4)) if events else []
    return events, draw(st.permutations([*events, *repeated]))


def merged(arrivals: list[Sent]) -> Traits:
    traits = Traits(dict.fromkeys(CORE))
    for at, sent in arrivals:
        traits.merge_with_history(sent, at)
    return traits


def told(arrivals: list[Sent]) -> list[list[FieldChange]]:
    """What each arrival adds to the history of the fields."""
    traits = Traits(dict.fromkeys(CORE))
    return [traits.merge_with_history(sent, at) for at, sent in arrivals]


def exactly(values: Mapping[str, Any]) -> dict[str, str]:
    """Values by their repr, since Python calls `1`, `1.0` and `True` equal."""
    return {name: repr(value) for name, value in values.items()}


@given(events_and_arrivals())
def test_each_field_is_as_the_newest_event_that_sent_it_said_in_whatever_order_events_arrive(
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


def test_a_field_that_a_newer_event_does_not_name_stays() -> None:
    traits = merged([(T0, {"plan": "Pro"}), (T0 + timedelta(seconds=1), {"seats": 5})])
    assert traits.custom == {"plan": "Pro", "seats": 5}


def test_a_newer_null_replaces_a_value() -> None:
    traits = merged([(T0, {"plan": "Pro"}), (T0 + timedelta(microseconds=1), {"plan": None})])
    assert traits.custom == {"plan": None}


def test_a_first_value_and_another_one_are_changes_and_the_same_one_again_is_none() -> None:
    later, last = T0 + timedelta(seconds=1), T0 + timedelta(seconds=2)
    assert told([(T0, {"plan": "Pro"}), (later, {"plan": "Pro"}), (last, {"plan": "Free"})]) == [
        [FieldChange("plan", T0, "Pro")],
        [],
        [FieldChange("plan", last, "Free")],
    ]


def test_a_change_of_type_or_to_null_is_a_change_as_well() -> None:
    sent = [1, True, "1", None, [], {}, False, 0]
    arrivals: list[Sent] = [
        (T0 + timedelta(seconds=n), {"seats": value}) for n, value in enumerate(sent)
    ]
    assert [[change.value for change in changes] for changes in told(arrivals)] == [
        [value] for value in sent
    ]


def test_a_value_of_the_past_holds_until_the_next_one_that_is_known() -> None:
    earlier = T0 - timedelta(days=1)
    assert told([(T0, {"plan": "Pro"}), (earlier, {"plan": "Free"})])[1] == [
        FieldChange("plan", earlier, "Free", late=True, newer=(T0, "Pro")),
    ]


def history(arrivals: list[Sent]) -> dict[str, dict[datetime, Any]]:
    """The history of each field as it is stored."""
    return stored(told(arrivals))


def stored(several: list[list[FieldChange]]) -> dict[str, dict[datetime, Any]]:
    """What changes make of the history of each field: one value at each instant."""
    fields_said: dict[str, dict[datetime, Any]] = {}
    for changes in several:
        for change in changes:
            said = fields_said.setdefault(change.field, {})
            before = [at for at in said if at <= change.at]
            if change.late and before and repr(said[max(before)]) == repr(change.value):
                continue
            said[change.at] = change.value
            if change.newer:
                said[change.newer[0]] = change.newer[1]
    return fields_said


@given(events_at_distinct_times, st.data())
def test_the_history_ends_with_what_a_field_says_now_in_whatever_order_events_arrive(
    events: list[Sent], data: st.DataObject
) -> None:
    arrivals = data.draw(st.permutations(events))
    traits = merged(arrivals)
    said = traits.custom | {name: traits.core[name] for name in traits.core}
    for name, values in history(arrivals).items():
        assert repr(values[max(values)]) == repr(said[name])


def test_a_value_that_is_sent_late_holds_until_the_next_change_that_is_recorded() -> None:
    # Each repeat of a value is not a row; only the latest one is remembered.
    first, late, again, last = (T0 + timedelta(days=days) for days in range(4))
    said = history(
        [
            (first, {"plan": "Pro"}),
            (again, {"plan": "Pro"}),
            (last, {"plan": "Free"}),
            (late, {"plan": "Trial"}),
        ]
    )["plan"]
    assert said == {first: "Pro", late: "Trial", last: "Free"}


sent_values = st.lists(
    st.tuples(times, st.integers(-1000, 1000)),
    max_size=6,
    unique_by=(lambda e: e[0], lambda e: e[1]),
)
events_that_never_repeat_a_value = sent_values.map(
    lambda sent: [(at, {"plan": value}) for at, value in sent]
)


@given(events_that_never_repeat_a_value, st.data())
def test_the_history_says_at_each_event_what_it_sent_in_whatever_order_events_arrive(
    events: list[Sent], data: st.DataObject
) -> None:
    said = history(data.draw(st.permutations(events)))
    for at, sent in events:
        for name, value in sent.items():
            until = max(instant for instant in said[name] if instant <= at)
            assert json_bytes(said[name][until]) == json_bytes(value)


def steps(said: Mapping[datetime, Any]) -> list[tuple[datetime, str]]:
    """A history without what only repeats the value before it."""
    kept: list[tuple[datetime, str]] = []
    for at, value in sorted(said.items()):
        if not kept or kept[-1][1] != repr(value):
            kept.append((at, repr(value)))
    return kept


@given(st.lists(st.tuples(times, st.sampled_from("abc")), max_size=10))
def test_what_is_not_told_of_a_repeated_value_would_have_added_nothing(
    sent: list[tuple[datetime, str]],
) -> None:
    arrivals: list[Sent] = [(at, {"plan": value}) for at, value in sent]
    everything = Traits(dict.fromkeys(CORE))
    all_told = []
    for at, fields_sent in arrivals:
        everything.changed_at.clear()  # so that it cannot know that a late repeat adds nothing
        all_told.append(everything.merge_with_history(fields_sent, at))
    briefly, fully = stored(told(arrivals)), stored(all_told)
    assert {name: steps(said) for name, said in briefly.items()} == {
        name: steps(said) for name, said in fully.items()
    }


def from_its_row(traits: Traits, newest_event_at: datetime | None) -> Traits:
    """Traits as they are stored and read again, the newest event being of that time."""
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
def test_nothing_is_lost_on_the_way_through_a_row(arrivals: list[Sent]) -> None:
    traits = merged(arrivals)
    assert from_its_row(traits, traits.newest_event_at) == traits


@effort(4)
@given(alike_and_often_at_once, few_times, st.data())
def test_what_is_said_again_only_moves_the_time_of_the_newest_event(
    arrivals: list[Sent], at: datetime, data: st.DataObject
) -> None:
    traits = merged(arrivals)
    said = data.draw(st.sampled_from([sent for _, sent in arrivals] or [{}]))
    since, newest = traits.unchanged_since, traits.newest_event_at
    if digest_fields(said) != traits.digest() or since is None or newest is None or at < since:
        return
    shortly = from_its_row(traits, max(newest, at))

    assert traits.merge_with_history(said, at) == []
    assert traits == shortly


@given(alike_and_often_at_once, st.data())
def test_without_a_history_what_is_said_again_changes_nothing_whenever_it_was(
    arrivals: list[Sent], data: st.DataObject
) -> None:
    traits = Traits(dict.fromkeys(CORE))
    for at, sent in arrivals:
        traits.merge(sent, at)
    at, said = data.draw(few_times), data.draw(st.sampled_from([s for _, s in arrivals] or [{}]))
    if digest_fields(said) == traits.digest() and traits.newest_event_at:
        shortly = from_its_row(traits, max(traits.newest_event_at, at))
        traits.merge(said, at)
        assert traits == shortly


def test_a_fingerprint_tells_apart_what_is_written_otherwise_but_not_in_another_order() -> None:
    said = {"name": "Acme", "seats": 1, "tags": {"a": 1, "b": 2}}
    again = {"tags": {"b": 2, "a": 1}, "seats": 1, "name": "Acme"}
    others = [said | {"seats": seats} for seats in (1.0, True, "1", None)]
    assert digest_fields(said) == digest_fields(again)
    assert len({digest_fields(one) for one in (said, *others, {"name": "Acme"})}) == 6
    assert digest_fields(said, 1) != digest_fields(said, 2)
