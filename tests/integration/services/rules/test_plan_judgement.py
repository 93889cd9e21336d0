"""A plan judges in full only the companies that an edit may change, and reads for many at a time.

The reference is a full judgement of every company, with a statement for each fact.
"""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.companies import companies
from models.database import transaction
from rules.book import RuleBook
from rules.faults import RuleFileError
from rules.file.rule_file import read_rules
from services.health import fact_reads
from services.health.overrides import FlagOfCompany, JudgingContext, Justification, snooze
from services.health.settlements import stored_health_of
from services.rules import plan_judgement
from services.rules.plan_judgement import PlanJudgement
from services.rules.planned_changes import PlannedChange
from services.rules.rule_books import RuleBooks
from tests.support.properties import effort
from tests.support.world import World
from tests.unit.rules.oracle.histories import BOOKS, HISTORIES, STATUSES
from tests.unit.rules.oracle.recount import START, Sent
from tests.unit.rules.oracle.rule_files import written

pytestmark = pytest.mark.usefixtures("settings")

ANY_BOOK = st.sampled_from(sorted(BOOKS)).flatmap(lambda kind: BOOKS[kind])
OTHER_STATUSES = (
    STATUSES,
    ("Healthy", "Doubtful", "Critical"),
    ("Healthy", "Critical", "At Risk"),
    ("Healthy", "At Risk", "Severe", "Critical"),
)
LIMITS: list[tuple[Any, str, list[int]]] = [
    (fact_reads, "MOST_EVENTS", [1, 4]),
    (fact_reads, "MOST_ROUNDS", [1, 3]),
    (plan_judgement, "PAGE", [1, 3]),
    (plan_judgement, "BATCH", [1]),
]
"""Small limits, beyond which companies are judged one at a time, or in further batches."""

CALL = Justification("they told us", "ann@example.com", "ann@example.com")


@st.composite
def edits(draw: st.DrawFn) -> tuple[RuleBook, str, list[str]]:
    """Draw rules, and edits of them: flags are changed, added and removed, statuses renamed."""
    while True:
        before, other = draw(ANY_BOOK), draw(ANY_BOOK)
        flags = {flag.name: flag for flag in before.flags}
        texts = []
        for flag in (None, *other.flags, *before.flags):
            edited = dict(flags)
            if flag is not None and flags.get(flag.name) == flag:
                del edited[flag.name]
            elif flag is not None:
                edited[flag.name] = flag
            statuses = STATUSES if flag is not None else draw(st.sampled_from(OTHER_STATUSES))
            try:
                texts.append(written(RuleBook(statuses, {}, tuple(edited.values())))[0])
            except RuleFileError:
                continue  # such as a reference to a flag that was removed
        try:
            return before, written(before)[0], [*texts, written(other)[0]]
        except RuleFileError:
            continue


def live(world: World, company: str, sent: Sequence[Sent], chance: random.Random) -> None:
    """Have events sent and judged as they occur; the last ones are only stored, or none is."""
    judged = chance.choice([len(sent), len(sent), chance.randrange(len(sent))])
    for number, each in enumerate(sent):
        world.store(
            world.event(
                company,
                each.event.occurred_at,
                key=each.event.event_key,
                user=each.event.user and str(each.event.user),
                data=each.event.data and dict(each.event.data),
                **each.company,
            )
        )
        if number < judged:
            world.judge(company, each.event.occurred_at)


def snoozed(world: World, company: str, flag: str, at: datetime) -> None:
    context = JudgingContext(world.rulebooks, at, lambda *_: at)
    with transaction():
        target = FlagOfCompany(world.id, company, flag)
        snooze(target, world.at(200), CALL, context)


def in_whole(judgement: PlanJudgement) -> list[PlannedChange]:
    with transaction():
        page = companies.read_page(judgement.organization_id, after_id=0, limit=1_000)
        stored = stored_health_of(judgement.organization_id, page)
        return [change for each in stored if (change := judgement.change(each))]


def planned(judgement: PlanJudgement) -> list[PlannedChange]:
    with transaction():
        changes = list(judgement.changes())
        assert len(changes) == companies.count(judgement.organization_id)
    return sorted((change for change in changes if change), key=lambda change: change.id)


@effort(1 / 3)
@given(
    edits(),
    st.lists(HISTORIES, min_size=2, max_size=4),
    st.integers(0, 130),
    st.randoms(use_true_random=False),
)
def test_a_plan_equals_the_judgement_of_each_company_in_whole(
    drawn: tuple[RuleBook, str, list[str]],
    histories: list[list[Sent]],
    later: int,
    chance: random.Random,
) -> None:
    before, text, edited = drawn
    world = World.create(text, start=START)
    now = world.at(90 + later)
    for number, sent in enumerate(histories):
        live(world, f"c{number}", sent, chance)
        if chance.random() < 0.7:
            world.judge(f"c{number}", chance.choice([now, world.at(90)]))
    if chance.random() < 0.3:
        snoozed(world, "c0", before.flags[0].name, world.at(90))
    if chance.random() < 0.3:
        world.apply_rules(chance.choice(edited), world.at(90))
    with pytest.MonkeyPatch.context() as patch:
        for module, name, values in LIMITS:
            patch.setattr(module, name, chance.choice([*values, getattr(module, name)]))
        for each in (text, *edited):
            judgement = PlanJudgement(
                world.id, world.rules_version, read_rules(each), now, RuleBooks()
            )
            assert planned(judgement) == in_whole(judgement)
