"""The database and the rules agree on the `where` of flags."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.database import transaction
from models.events import storage
from models.events.storage import StoredEvent
from rules.durations import BEGINNING
from rules.facts import Path, Selector
from rules.facts_in_memory import FactsInMemory, Occurrence
from services.health.stored_facts import StoredFacts
from tests.support.evaluations import FEW_LOGINS
from tests.support.properties import effort
from tests.support.world import START, World, after

pytestmark = pytest.mark.usefixtures("settings")

numbers = itertools.count(1)


def test_only_events_that_pass_where_are_counted() -> None:
    rules = FEW_LOGINS + "    where: {data.source: [web, mobile], data.user.admin: true}\n"
    world = World.create(rules)
    counted = [{"source": s, "user": {"admin": True}, "more": 1} for s in ("web", "mobile")]
    ignored: list[dict[str, Any] | None] = [
        None,
        {},
        {"source": "web"},
        {"source": "api", "user": {"admin": True}},
        {"source": "web", "user": {"admin": 1}},
        {"source": "web", "user": {"admin": "true"}},
        {"source": "web", "user": [True]},
    ]
    for at, data in enumerate([*ignored, counted[0]]):
        world.track("acme", at / 10, data=data)
    world.judge("acme", 1)
    assert world.status() == "At Risk"
    world.track("acme", 2, data=counted[1])
    world.judge("acme", 2)
    assert world.status() == "Healthy"


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, 1.0, 0.5, 1e300, "", "1", "a", "true", "null", "ä", '"', "A"])
)

names = st.sampled_from(["a", "b", "", "a.b", "ä", "{", "null"])

values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)

data_of_events = st.lists(
    st.none() | st.dictionaries(names, values, max_size=3), min_size=1, max_size=6
)

filters = st.lists(
    st.tuples(
        st.lists(names, min_size=1, max_size=3).map(tuple),
        st.lists(scalars, min_size=1, max_size=3).map(tuple),
    ),
    max_size=2,
).map(tuple)

KEYS = ("login", "report")


def assert_stored_facts_agree(
    selector: Selector, keyed: list[tuple[str, dict[str, Any] | None]], limit: int
) -> None:
    """Compare what SQL returns with the same questions about events in memory."""
    organization_id, company_id = 1, next(numbers)
    with transaction():
        storage.add(
            StoredEvent(
                organization_id=organization_id,
                event_id=f"e{next(numbers)}",
                company_id=company_id,
                user_id=None,
                event_key=key,
                occurred_at=after(n // 2),
                received_at=START,
                data=data,
            )
            for n, (key, data) in enumerate(keyed)
        )
        in_memory = FactsInMemory(
            Occurrence(after(n // 2), key, data) for n, (key, data) in enumerate(keyed)
        )
        stored = StoredFacts(organization_id, company_id, "acme", START)
        for until in (0, 1, len(keyed)):
            latest = stored.latest(selector, limit, BEGINNING, after(until))
            assert list(latest) == list(in_memory.latest(selector, limit, BEGINNING, after(until)))
        for start in (-1, 0, 1):
            following = stored.next_after(selector, after(start), after(9))
            assert following == in_memory.next_after(selector, after(start), after(9))


@effort(3)
@given(st.sampled_from([None, *KEYS]), filters, data_of_events, st.data())
def test_the_database_counts_the_same_events_as_the_rules_do(
    event_key: str | None,
    where: tuple[tuple[Path, tuple[Any, ...]], ...],
    sent: list[dict[str, Any] | None],
    draw: st.DataObject,
) -> None:
    keyed = [(draw.draw(st.sampled_from(KEYS)), data) for data in sent]
    assert_stored_facts_agree(Selector(event_key, where), keyed, draw.draw(st.integers(1, 4)))


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (("items", "0"), {"items": ["a"]}),
        (("items", "-1"), {"items": ["b", "a"]}),
        (("items", "0", "x"), {"items": [{"x": "a"}]}),
        (("0",), {"0": "a"}),
    ],
)
def test_the_database_and_the_rules_agree_on_paths_with_numbers(
    path: Path, data: dict[str, Any]
) -> None:
    assert_stored_facts_agree(Selector("login", ((path, ("a",)),)), [("login", data)], 1)
