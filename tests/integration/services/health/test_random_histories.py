"""Random rules and pasts: what an import records equals a recount, however it arrives.

The recount shares nothing with the product but the classes that describe a rule.
"""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.database import transaction
from rules.book import RuleBook
from rules.faults import RuleFileError
from services.events.tracked_event import TrackedEvent
from services.rules.backtest import ReplayPeriod, replay_chunk
from tests.support.imports.histories import import_past, past, recorded, send_live
from tests.support.properties import effort
from tests.support.world import World
from tests.unit.rules.oracle.histories import BOOKS, END, HISTORIES
from tests.unit.rules.oracle.recount import START, Crossing, Recount, Sent, crossings, second_of
from tests.unit.rules.oracle.rule_files import written

pytestmark = pytest.mark.usefixtures("settings")

ANY_BOOK = st.sampled_from(sorted(BOOKS)).flatmap(lambda kind: BOOKS[kind])
IMPORTED_AT = END + 1


def world_of(book: RuleBook) -> tuple[World, RuleBook]:
    """Return an organization with rules that a file can contain, and these as they are read."""
    try:
        text, read = written(book)
    except RuleFileError:
        assume(False)  # such as a number with too many digits
    return World.create(text, start=START), read


def events_of(world: World, sent: Sequence[Sent]) -> list[TrackedEvent]:
    return [
        world.event(
            at=each.event.occurred_at,
            key=each.event.event_key,
            user=each.event.user and str(each.event.user),
            data=each.event.data and dict(each.event.data),
            event_id=f"e{number}",
            **each.company,
        )
        for number, each in enumerate(sent)
    ]


def imported(world: World, book: RuleBook) -> list[Crossing]:
    """Return what is recorded up to the end, in the form of a recount."""
    levels = {status: level for level, status in enumerate(book.statuses)} | {"N/A": None}
    return [
        (
            second_of(t.at),
            t.from_status,
            t.to_status,
            {c["flag"]: (levels[c["from"]], levels[c["to"]]) for c in t.changes},
        )
        for t in world.transitions()
        if t.at <= START + timedelta(seconds=END)
    ]


@effort(1)
@given(ANY_BOOK, HISTORIES, st.randoms(use_true_random=False))
def test_a_past_in_any_bundles_with_repetitions_equals_a_recount_and_a_backtest(
    drawn: RuleBook, sent: list[Sent], chance: random.Random
) -> None:
    world, book = world_of(drawn)
    events = past(world, *events_of(world, sent), at=IMPORTED_AT)
    while events:
        size = chance.randint(1, 5)
        world.store(*events[:size], *(chance.choices(events[:size]) if size > 1 else ()))
        if chance.random() < 0.3:
            world.judge(at=IMPORTED_AT)
        events = events[size:]
    world.judge(at=IMPORTED_AT + 100)
    assert imported(world, book) == Recount(book, sent, END).crossings()
    period = ReplayPeriod(START - timedelta(days=1), START + timedelta(seconds=IMPORTED_AT + 100))
    [replayed] = replay_chunk(world.id, world.company_ids(), [book], period)
    assert crossings(replayed.replays[0].transitions)[: len(imported(world, book))] == imported(
        world, book
    )
    assert len(replayed.replays[0].transitions) == len(world.transitions())
    before = world.transitions(), world.company()
    import_past(world, events_of(world, sent), IMPORTED_AT + 200)
    assert (world.transitions(), world.company()) == before


@effort(1 / 2)
@given(ANY_BOOK, HISTORIES)
def test_a_past_equals_the_same_events_sent_live(drawn: RuleBook, sent: list[Sent]) -> None:
    world, _ = world_of(drawn)
    live, _ = world_of(drawn)
    send_live(live, events_of(live, sent), IMPORTED_AT)
    world.store(*past(world, *events_of(world, sent), at=IMPORTED_AT))
    world.judge(at=IMPORTED_AT + 3)
    live.judge(at=IMPORTED_AT + 3)
    assert recorded(world) == recorded(live)
    for name, flag in live.flags().items():
        rewritten = world.flags()[name]
        assert (rewritten.status, rewritten.holding) == (flag.status, flag.holding)
    ours, theirs = world.company(), live.company()
    assert (ours.changed_at, ours.recorded_until, ours.previous_status, ours.score) == (
        theirs.changed_at, theirs.recorded_until, theirs.previous_status, theirs.score
    )  # fmt: skip
    assert (ours.first_seen_at, ours.traits, ours.sequence) == (
        theirs.first_seen_at, theirs.traits, theirs.sequence
    )  # fmt: skip
    field_history = "select field, at, value from field_changes where organization_id = %(id)s"
    with transaction():
        assert sorted(map(str, world.rows(field_history))) == sorted(
            map(str, live.rows(field_history))
        )


@effort(1 / 2)
@given(ANY_BOOK, HISTORIES, st.randoms(use_true_random=False))
def test_events_of_the_past_may_arrive_in_any_order(
    drawn: RuleBook, sent: list[Sent], chance: random.Random
) -> None:
    world, book = world_of(drawn)
    sent = [sent[0], *(Sent(each.event) for each in sent[1:])]  # fields at the beginning alone
    events = past(world, *events_of(world, sent), at=IMPORTED_AT)
    chance.shuffle(events)
    for event in events:
        world.store(event)
    world.judge(at=IMPORTED_AT + 3)
    assert imported(world, book) == Recount(book, sent, END).crossings()


@effort(1 / 2)
@given(ANY_BOOK, HISTORIES, st.integers(1, 60))
def test_the_past_of_a_live_company_is_put_in_front(
    drawn: RuleBook, sent: list[Sent], live_from: int
) -> None:
    world, book = world_of(drawn)
    sent = [sent[0], *(Sent(each.event) for each in sent[1:])]
    events = events_of(world, sent)
    live = [event for event in events if event.occurred_at >= world.at(live_from)]
    send_live(world, live, IMPORTED_AT)
    import_past(world, [event for event in events if event not in live], IMPORTED_AT)
    assert imported(world, book) == Recount(book, sent, END).crossings()


@effort(1 / 2)
@given(ANY_BOOK, ANY_BOOK, HISTORIES, st.integers(1, 80))
def test_each_version_of_the_rules_judges_the_past_for_the_time_it_was_in_force(
    former: RuleBook, later: RuleBook, sent: list[Sent], changed_at: int
) -> None:
    world, _ = world_of(former)
    live, _ = world_of(former)
    try:
        text, _ = written(later)
    except RuleFileError:
        assume(False)
    for each in (world, live):
        before = [e for e in events_of(each, sent) if e.occurred_at <= each.at(changed_at)]
        if each is world:
            before = before[:1]
        send_live(each, before, changed_at)
        each.apply_rules(text, changed_at)
        each.judge(at=changed_at)
    after = [e for e in events_of(live, sent) if e.occurred_at > live.at(changed_at)]
    send_live(live, after, IMPORTED_AT)
    rest = past(world, *events_of(world, sent)[1:], at=IMPORTED_AT)
    if rest:
        world.store(*rest)
    for each in (world, live):
        each.judge(at=IMPORTED_AT + 3)
    assert recorded(world) == recorded(live)
