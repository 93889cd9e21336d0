"""A company or user keeps a limited number of custom fields, the first ones for good."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from models.companies.fields import field_limits
from models.companies.fields.field_limits import LONGEST_NAME, MOST_NAMES, LeftOut
from models.companies.fields.field_merge import Traits, digest_fields, to_microseconds

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field_limits, "MOST_FIELDS", 3)
    monkeypatch.setattr(field_limits, "MOST_BYTES", 200)


def merged(*events: Mapping[str, Any], history: bool = True) -> Traits:
    """Merge events, one a second."""
    traits = Traits({"name": None})
    for second, sent in enumerate(events):
        at = T0 + timedelta(seconds=second)
        if history:
            traits.merge_with_history(sent, at)
        else:
            traits.merge(sent, at)
    return traits


@pytest.mark.parametrize("history", [True, False])
def test_beyond_the_limit_new_fields_are_left_out_and_known_ones_go_on_changing(
    *,
    history: bool,
) -> None:
    traits = merged(
        {"name": "Acme", "a": 1, "b": 1},
        {"name": "Acme", "c": 1, "d": 1, "e": 1},
        {"name": "Beta", "a": 2, "f": 1, "c": 2},
        history=history,
    )
    assert traits.core == {"name": "Beta"}
    assert traits.custom == {"a": 2, "b": 1, "c": 2}
    assert traits.fields_at.keys() == {"name", "a", "b", "c"}
    assert traits.left_out == LeftOut(T0 + timedelta(seconds=1), ("d", "e", "f"))
    assert traits.newly_left_out


def test_a_field_that_is_left_out_has_no_history() -> None:
    traits = merged({"a": 1, "b": 1, "c": 1})
    changes = traits.merge_with_history({"b": 2, "d": 1}, T0 + timedelta(seconds=1))
    assert [change.field for change in changes] == ["b"]
    assert "d" not in traits.changed_at


def test_an_event_keeps_the_first_of_its_fields() -> None:
    assert merged({"z": 1, "y": 1, "x": 1, "a": 1}).custom.keys() == {"z", "y", "x"}


def test_of_events_with_old_fields_only_the_order_does_not_matter() -> None:
    first = {"a": 0, "b": 0, "c": 0}
    later = [{"a": 1, "x": 1}, {"b": 2, "y": 1}, {"c": 3, "z": 1}]
    ends = []
    for events in permutations(enumerate(later, start=1)):
        traits = merged(first)
        for second, sent in events:
            traits.merge_with_history(sent, T0 + timedelta(seconds=second))
        ends.append((traits.custom, traits.fields_at, traits.newest_at))
    assert all(end == ends[0] for end in ends)


def test_a_value_that_makes_all_fields_too_large_is_left_out_and_smaller_ones_are_kept() -> None:
    traits = merged(
        {"a": "x" * 100, "b": "y" * 50},
        {"a": "x" * 180},  # known, and too large now
        {"c": "z" * 100},  # new, and too large
        {"a": "short"},
        {"c": "z" * 100},  # now there is room
    )
    assert traits.custom == {"a": "short", "b": "y" * 50, "c": "z" * 100}
    assert traits.left_out == LeftOut(T0 + timedelta(seconds=1), ("a", "c"))
    assert traits.fields_at["a"] == to_microseconds(T0 + timedelta(seconds=3))


def test_a_row_beyond_the_limits_keeps_what_it_has_and_its_fields_go_on_changing() -> None:
    """Rows may be older than the limits."""
    custom = dict.fromkeys("abcdef", "x" * 60)
    stamps = dict.fromkeys(custom, to_microseconds(T0))
    traits = Traits({"name": None}, dict(custom), dict(stamps), dict(stamps))
    traits.merge_with_history({"a": "y" * 60, "g": 1}, T0 + timedelta(seconds=1))
    assert traits.custom == custom | {"a": "y" * 60}


def test_a_repeated_event_is_recognized_although_fields_of_it_are_left_out() -> None:
    sent = {"name": "Acme", "a": 1, "b": 1, "c": 1, "d": 1}
    traits = merged(sent)
    assert traits.digest() == digest_fields(sent)
    stored = Traits.stored(
        traits.core,
        traits.custom,
        traits.stored_fields_at,
        traits.newest_event_at,
        digest=traits.digest(),
        changed_at=traits.changed_at,
        left_out={"since": T0.isoformat(), "names": ["d"], "more": False},
    )
    stored.merge_with_history({"a": 0}, T0 - timedelta(seconds=1))
    assert stored.digest() == digest_fields(sent), "a late event changes nothing about the newest"
    assert not stored.newly_left_out


def test_some_of_the_names_are_kept_as_examples() -> None:
    long = "n" * 200
    names = (long, *(f"x{n}" for n in range(20)))
    left_out = LeftOut(T0, ("first",)).and_others(names)
    assert left_out.names[:2] == ("first", "n" * LONGEST_NAME)
    assert len(left_out.names) == MOST_NAMES
    assert left_out.more
    assert left_out.and_others(["first"]) == left_out
    assert not LeftOut(T0, ()).and_others(["a"]).more
