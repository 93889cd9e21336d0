"""After any events, rules and overrides, the open items are the raised flags."""

import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.database import transaction
from rules.book import RuleBook
from rules.faults import RuleFileError
from services.health.overrides import (
    FlagOfCompany,
    JudgingContext,
    Justification,
    OverrideRefused,
    override,
    snooze,
)
from tests.support.companies.work_items import open_items, raised_flags
from tests.support.imports.histories import import_past
from tests.support.properties import effort
from tests.support.world import World
from tests.unit.rules.oracle.histories import BOOKS, HISTORIES
from tests.unit.rules.oracle.recount import START, Sent
from tests.unit.rules.oracle.rule_files import written

pytestmark = pytest.mark.usefixtures("settings")

ANY_BOOK = st.sampled_from(sorted(BOOKS)).flatmap(lambda kind: BOOKS[kind])
BECAUSE = Justification("on hold", "ann@example.com", "ben@example.com")


def override_a_flag(world: World, chance: random.Random, at: int) -> None:
    book = world.rulebooks.book(world.id, world.rules_version)
    target = FlagOfCompany(world.id, "acme", chance.choice(book.flags).name)
    context = JudgingContext(world.rulebooks, world.at(at), lambda *_: world.at(at))
    until = world.at(at + chance.randint(1, 40))
    try:
        with transaction():
            if chance.random() < 0.5:
                snooze(target, until, BECAUSE, context)
            else:
                override(target, chance.choice(book.statuses), until, BECAUSE, context)
    except OverrideRefused:
        pass  # it would end before the latest change


@effort(1 / 2)
@given(ANY_BOOK, ANY_BOOK, HISTORIES, st.randoms(use_true_random=False))
def test_open_items_are_the_raised_flags(
    book: RuleBook, later: RuleBook, sent: list[Sent], chance: random.Random
) -> None:
    try:
        texts = [written(each)[0] for each in (book, later)]
    except RuleFileError:
        assume(False)
    world = World.create(texts[0], start=START)
    at = -1
    for number, each in enumerate(sent):
        event = world.event(
            at=each.event.occurred_at,
            key=each.event.event_key,
            user=each.event.user and str(each.event.user),
            data=each.event.data and dict(each.event.data),
            event_id=f"e{number}",
            **each.company,
        )
        at = max(at + 1, int(world.seconds(event.occurred_at)))
        if chance.random() < 0.2:
            import_past(world, [event], at)
            at += 3
        else:
            world.store(event)
        if chance.random() < 0.7:
            world.judge(at=at)
            assert open_items(world) == raised_flags(world)
        if chance.random() < 0.2:
            override_a_flag(world, chance, at)
        if chance.random() < 0.15:
            at += 1
            world.apply_rules(chance.choice(texts), at)
    world.judge(at=at + 70)
    assert open_items(world) == raised_flags(world)
