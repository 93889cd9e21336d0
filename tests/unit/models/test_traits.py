from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from models.traits import Traits

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
        traits.merge(sent, at)
    return traits


def exactly(values: Mapping[str, Any]) -> dict[str, str]:
    """Values by their repr, since Python calls `1`, `1.0` and `True` equal."""
    return {name: repr(value) for name, value in values.items()}


@settings(deadline=None)
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


@settings(deadline=None)
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
