"""Importing the past of companies: in one transaction, whatever is known of them already."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.database import transaction
from rules.book import RuleBook
from services.events.imports import import_records
from services.events.intake import IntakeCaches
from services.events.records import FieldUpdate
from tests.integration.services.health.test_random_histories import (
    ANY_BOOK,
    IMPORTED_AT,
    events_of,
    imported,
    world_of,
)
from tests.support.imports.histories import past, send_live
from tests.support.properties import effort
from tests.support.world import World
from tests.unit.rules.oracle.histories import END, HISTORIES
from tests.unit.rules.oracle.recount import Recount, Sent

pytestmark = pytest.mark.usefixtures("settings")

FIELDS = "select field, at, value from field_changes where organization_id = %(id)s"


@effort(1 / 2)
@given(ANY_BOOK, HISTORIES, st.integers(0, 100))
def test_a_past_in_front_of_live_events_equals_a_recount_with_all_fields(
    drawn: RuleBook, sent: list[Sent], live_from: int
) -> None:
    world, book = world_of(drawn)
    live, _ = world_of(drawn)
    events = events_of(world, sent)
    later = [event for event in events if event.occurred_at >= world.at(live_from)]
    send_live(world, later, IMPORTED_AT)
    earlier = past(world, *(e for e in events if e not in later), at=IMPORTED_AT)
    with transaction():
        import_records(world.id, earlier, world.rulebooks, IntakeCaches(), world.at(IMPORTED_AT))
    send_live(live, events_of(live, sent), IMPORTED_AT)
    assert imported(world, book) == Recount(book, sent, END).crossings()
    assert sorted(map(str, world.rows(FIELDS))) == sorted(map(str, live.rows(FIELDS)))
    ours, theirs = world.company(), live.company()
    assert (ours.traits.core, ours.traits.custom, ours.first_seen_at, ours.changed_at) == (
        theirs.traits.core, theirs.traits.custom, theirs.first_seen_at, theirs.changed_at
    )  # fmt: skip
    assert ours.traits.fields_at == theirs.traits.fields_at


RULES = """
version: 1
events: {login: }
flags:
  - flag: Plan
    when: {At Risk: company.plan is Free}
"""


def test_fields_without_an_event_make_history_too() -> None:
    world = World.create(RULES)
    events = past(world, world.event(at=0), world.event(at=50), at=100)
    update = FieldUpdate(
        world.id, None, "acme", {"plan": "Free"}, None, {}, world.at(20), world.at(100)
    )
    records = [events[0], update, events[1]]
    for _ in range(2):
        with transaction():
            import_records(world.id, records, world.rulebooks, IntakeCaches(), world.at(100))
        assert world.crossings() == [(20, "At Risk", "import")]


def test_companies_with_events_that_are_not_stored_yet_are_left_to_the_workers() -> None:
    world = World.create(RULES)
    events = past(world, world.event(at=0, plan="Free"), at=100)
    with transaction():
        import_records(
            world.id, events, world.rulebooks, IntakeCaches(), world.at(100),
            judged_later={"acme"},
        )  # fmt: skip
    assert world.crossings() == []
    assert world.company().history_until == world.at(100)
    world.judge(at=104)
    assert world.crossings() == [(0, "At Risk", "import")]
