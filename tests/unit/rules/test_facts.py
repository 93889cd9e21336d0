from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.durations import BEGINNING
from rules.facts import Selector
from rules.facts_in_memory import FactsInMemory, Occurrence
from tests.support.properties import effort

NOON = datetime(2024, 1, 20, 12, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def where(path: str, *values: Any) -> Selector:
    return Selector(None, ((tuple(path.split(".")), values),))


@pytest.mark.parametrize(
    ("selected", "sent", "counts"),
    [
        ("login", "login", True),
        ("login", "logins", False),
        ("login", "Login", False),
        (None, "login", True),
        (None, "", True),
    ],
)
def test_a_selector_matches_events_of_its_key_or_any_key(
    *, selected: str | None, sent: str, counts: bool
) -> None:
    assert Selector(selected).matches(sent, None) is counts
    assert Selector(selected).matches(sent, {"source": "web"}) is counts


@pytest.mark.parametrize(
    ("selector", "data", "counts"),
    [
        (where("source", "web"), {"source": "web"}, True),
        (where("source", "web"), {"source": "api"}, False),
        (where("source", "web"), {"source": "Web"}, False),
        (where("source", "web"), {"other": "web"}, False),
        (where("source", "web"), {}, False),
        (where("source", "web"), None, False),
        (where("source", "web", "api"), {"source": "api"}, True),
        (where("source", "web", "api"), {"source": "mail"}, False),
        (where("source", "web"), {"source": ["web"]}, False),
        (where("source", "web"), {"source": {"web": "web"}}, False),
        (where("source"), {"source": "web"}, False),
        (where("cart.item.size", "L"), {"cart": {"item": {"size": "L"}}}, True),
        (where("cart.item.size", "L"), {"cart": {"item": {"size": "M"}}}, False),
        (where("cart.item.size", "L"), {"cart": {"item": {}}}, False),
        (where("cart.item.size", "L"), {"cart": {"item": "L"}}, False),
        (where("cart.item.size", "L"), {"cart": None}, False),
        (where("cart.item.size", "L"), {"cart.item.size": "L"}, False),
        (where("name.0", "a"), {"name": "abc"}, False),
        (where("count", 1), {"count": 1}, True),
        (where("count", 1), {"count": 1.0}, True),
        (where("count", 1), {"count": "1"}, False),
        (where("count", "1"), {"count": 1}, False),
        (where("count", 2.5), {"count": 2.5}, True),
        (where("count", 1), {"count": True}, False),
        (where("count", 0), {"count": False}, False),
        (where("trial", True), {"trial": True}, True),
        (where("trial", True), {"trial": 1}, False),
        (where("trial", True), {"trial": "true"}, False),
        (where("trial", False), {"trial": False}, True),
        (where("trial", False), {"trial": 0}, False),
        (where("trial", False), {"trial": None}, False),
        (where("trial", 1, True), {"trial": True}, True),
        (where("trial", None), {"trial": None}, True),
        (where("trial", None), {}, False),
        (where("trial", None), None, False),
        (where("trial", None), {"trial": False}, False),
        (where("trial", None), {"trial": ""}, False),
        (where("trial.end", None), {"trial": None}, False),
    ],
)
def test_where_compares_values_as_json_does(
    *, selector: Selector, data: dict[str, Any] | None, counts: bool
) -> None:
    assert selector.matches("login", data) is counts


def test_every_filter_of_where_must_match() -> None:
    selector = Selector("login", ((("source",), ("web",)), (("plan", "name"), ("Pro", "Free"))))
    assert selector.matches("login", {"source": "web", "plan": {"name": "Free"}})
    assert not selector.matches("export", {"source": "web", "plan": {"name": "Free"}})
    assert not selector.matches("login", {"source": "api", "plan": {"name": "Free"}})
    assert not selector.matches("login", {"source": "web", "plan": {"name": "Trial"}})
    assert not selector.matches("login", {"source": "web"})


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-2, 2), st.floats(allow_nan=False), st.text("ab")
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=6,
)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.text("ab", max_size=2))


@effort(3)
@given(
    st.dictionaries(st.sampled_from("ab"), JSON, max_size=2),
    st.lists(st.sampled_from("ab"), min_size=1, max_size=3),
    st.lists(PLAIN, max_size=3),
)
def test_matching_any_data_never_raises(
    data: dict[str, Any], path: list[str], values: list[Any]
) -> None:
    selector = Selector(None, ((tuple(path), tuple(values)),))
    assert isinstance(selector.matches("login", data), bool)
    alone = [where(".".join(path), value).matches("login", data) for value in values]
    assert selector.matches("login", data) is any(alone)


EVENTS = [
    Occurrence(at(30), "login", {"source": "web"}),
    Occurrence(at(10), "login"),
    Occurrence(at(20), "export"),
    Occurrence(at(20), "login"),
    Occurrence(at(20), "login"),
]


@pytest.mark.parametrize(
    ("selector", "limit", "since", "until", "expected"),
    [
        (Selector("login"), 9, 0, 99, [30, 20, 20, 10]),
        (Selector("login"), 2, 0, 99, [30, 20]),
        (Selector("login"), 9, 0, 30, [30, 20, 20, 10]),
        (Selector("login"), 9, 0, 29, [20, 20, 10]),
        (Selector("login"), 1, 0, 20, [20]),
        (Selector("login"), 9, 0, 9, []),
        (Selector(None), 9, 0, 20, [20, 20, 20, 10]),
        (Selector("export"), 9, 0, 99, [20]),
        (Selector("unknown"), 9, 0, 99, []),
        (Selector("login", ((("source",), ("web",)),)), 9, 0, 99, [30]),
        (Selector("login"), 9, 10, 99, [30, 20, 20]),
        (Selector("login"), 9, 20, 99, [30]),
        (Selector("login"), 1, 20, 20, []),
    ],
)
def test_the_latest_events_are_newest_first_within_a_half_open_window(
    selector: Selector, limit: int, since: int, until: int, expected: list[int]
) -> None:
    assert list(FactsInMemory(EVENTS).latest(selector, limit, at(since), at(until))) == [
        at(seconds) for seconds in expected
    ]


@pytest.mark.parametrize(
    ("after", "until", "expected"),
    [(0, 99, 10), (10, 99, 20), (20, 99, 30), (20, 30, 30), (20, 29, None), (30, 99, None)],
)
def test_the_next_event_is_within_a_half_open_window(
    after: int, until: int, expected: int | None
) -> None:
    event_at = FactsInMemory(EVENTS).next_after(Selector("login"), at(after), at(until))
    assert event_at == (None if expected is None else at(expected))


def test_selectors_that_python_considers_equal_are_distinguished() -> None:
    facts = FactsInMemory([Occurrence(at(1), "login", {"trial": True})])
    number, true = where("trial", 1), where("trial", True)
    assert number == true
    assert [list(facts.latest(selector, 9, BEGINNING, at(9))) for selector in (number, true)] == [
        [],
        [at(1)],
    ]


@effort(3)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["login", "export"])), max_size=10),
    st.sampled_from(["login", "export", None]),
    st.integers(-1, 21),
    st.integers(-1, 21),
    st.integers(1, 5),
)
def test_both_queries_agree_with_a_scan_of_all_events(
    events: list[tuple[int, str]], key: str | None, after: int, until: int, limit: int
) -> None:
    facts = FactsInMemory(Occurrence(at(seconds), sent) for seconds, sent in events)
    times = sorted(seconds for seconds, sent in events if key in (None, sent))
    newest = [at(seconds) for seconds in reversed(times) if after < seconds <= until]
    assert list(facts.latest(Selector(key), limit, at(after), at(until))) == newest[:limit]
    following = [at(seconds) for seconds in times if after < seconds <= until]
    assert facts.next_after(Selector(key), at(after), at(until)) == min(following, default=None)
