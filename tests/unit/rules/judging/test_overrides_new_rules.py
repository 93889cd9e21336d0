"""Random overrides and changes of rules, compared with a recount of every half second."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from rules.book import RuleBook, worst_level
from rules.facts_in_memory import Occurrence
from rules.judging.state import Cause, Override
from rules.phrases.condition import Level
from tests.support.properties import effort
from tests.unit.rules.oracle.overriding import add_override
from tests.unit.rules.oracle.settlement import STATUSES, Company, at, books, recount

LAST = 60
END = 130.0

Crossing = tuple[float, str, str, dict[str, tuple[Level, Level]]]


@dataclass(frozen=True)
class Instruction:
    """An override of a flag, starting at a second, for some seconds or until further notice."""

    second: int
    flag: str
    status: str | None
    duration: int | None


NEW_STATUSES = st.sampled_from(
    [
        STATUSES,
        ("Healthy", "At Risk", "Lost"),
        ("Healthy", "Critical", "At Risk"),
        ("Healthy", "Watch", "At Risk", "Critical"),
    ]
)
NEW_BOOKS = st.builds(
    lambda book, statuses: replace(book, statuses=statuses), books(), NEW_STATUSES
)
EVENTS = st.lists(st.tuples(st.integers(1, LAST), st.sampled_from("ab")), max_size=8)
INSTRUCTIONS = st.lists(
    st.builds(
        Instruction,
        st.integers(1, LAST),
        st.sampled_from("ABC"),
        st.sampled_from([None, "Healthy", "At Risk", "Critical", "Lost"]),
        st.one_of(st.none(), st.integers(1, 60)),
    ),
    max_size=5,
).map(lambda instructions: sorted(instructions, key=lambda instruction: instruction.second))


@dataclass
class Timeline:
    """Two rule books, the second from `since` on, with events and overrides under either."""

    old: RuleBook
    new: RuleBook
    since: float
    events: list[Occurrence]
    instructions: list[Instruction]

    def __post_init__(self) -> None:
        self.instructions = [
            instruction
            for instruction in self.instructions
            if _is_supported(instruction, self.book(instruction.second))
        ]

    def book(self, at: float) -> RuleBook:
        return self.new if at >= self.since else self.old

    def play(self, evaluated_at: Sequence[float]) -> Company:
        """Play the timeline; the company is evaluated at these instants, and at the end."""
        company = Company(self.old)
        company.store([Occurrence(at(0), "a")], at(0))
        company.evaluate(at(0))
        for half in range(1, int(END * 2) + 1):
            now = half / 2
            company.store([event for event in self.events if event.occurred_at == at(now)], at(now))
            if now == self.since:
                company.apply(self.new, at(now))
            for number, instruction in enumerate(self.instructions):
                if instruction.second == now:
                    _override(company, instruction, number)
            if now in evaluated_at or now == END:
                company.evaluate(at(now))
        return company

    def levels(self, now: float) -> dict[str, Level]:
        """Return the effective level of each flag."""
        book = self.book(now)
        events = [Occurrence(at(0), "a"), *self.events]
        levels = {flag.name: recount(flag, events, at(0), at(now)) for flag in book.flags}
        for name in levels:
            applicable = [
                instruction
                for instruction in self.instructions
                if instruction.flag == name and instruction.second <= now
            ]
            if not applicable:
                continue
            instruction = applicable[-1]
            over = (
                instruction.duration is not None
                and now >= instruction.second + instruction.duration
            )
            unsupported = now >= self.since > instruction.second and not _is_supported(
                instruction, self.new
            )
            if not over and not unsupported:
                levels[name] = book.level_of(instruction.status)
        return levels

    def crossings(self) -> list[Crossing]:
        crossings: list[Crossing] = []
        status, before = self.old.statuses[0], dict[str, Level]()
        for half in range(int(END * 2) + 1):
            now = half / 2
            if now == self.since:
                before = {name: self._renumbered(level) for name, level in before.items()}
            levels = self.levels(now)
            changes = {
                name: (before.get(name), levels.get(name))
                for name in {*before, *levels}
                if (before.get(name) or 0) != (levels.get(name) or 0)
            }
            after = self.book(now).statuses[worst_level(levels.values())]
            if changes or after != status:
                crossings.append((now, status, after, changes))
            status, before = after, levels
        return crossings

    def _renumbered(self, level: Level) -> Level:
        if level is None:
            return None
        name = self.old.statuses[level]
        if name in self.new.statuses:
            return self.new.statuses.index(name)
        return min(level, len(self.new.statuses) - 1)


def _is_supported(instruction: Instruction, book: RuleBook) -> bool:
    return instruction.flag in book.flags_by_name and instruction.status in (None, *book.statuses)


def _override(company: Company, instruction: Instruction, number: int) -> None:
    assert company.state is not None
    starts_at = at(instruction.second)
    ends_at = (
        None if instruction.duration is None else at(instruction.second + instruction.duration)
    )
    override = Override(number, instruction.flag, instruction.status, starts_at, ends_at)
    company.state = add_override(company.state, override)


TIMELINES = st.builds(
    lambda old, new, since, events, instructions: Timeline(
        old, new, since + 0.5, [Occurrence(at(second), key) for second, key in events], instructions
    ),
    books(),
    NEW_BOOKS,
    st.integers(0, LAST),
    EVENTS,
    INSTRUCTIONS,
)
EVALUATION_TIMES = st.lists(st.integers(1, int(END * 2)).map(lambda half: half / 2), max_size=12)


@effort(0.6)
@given(TIMELINES, EVALUATION_TIMES)
def test_overrides_under_new_rules_match_a_recount(
    timeline: Timeline, evaluated_at: list[float]
) -> None:
    company = timeline.play([half / 2 for half in range(int(END * 2) + 1)])
    recorded = [
        (
            (t.at - at(0)).total_seconds(),
            t.before,
            t.after,
            {c.flag: (c.before, c.after) for c in t.changes},
        )
        for t in company.transitions
    ]
    assert recorded == timeline.crossings()
    since = at(timeline.since)
    assert {t.cause for t in company.transitions if t.at == since} <= {Cause.RULE_CHANGE}
    late = timeline.play(evaluated_at)
    assert late.transitions == company.transitions
    assert late.state is not None
    assert company.state is not None
    assert late.state.overrides == company.state.overrides
