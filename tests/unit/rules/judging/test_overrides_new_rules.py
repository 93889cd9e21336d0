"""Overrides and a change of rules at random, against a recount of every half second."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.book import RuleBook, worst_level
from rules.facts_in_memory import Occurrence
from rules.judging.state import Cause, Override
from rules.phrases.condition import Level
from tests.unit.rules.oracle.settlement import STATUSES, Company, at, books, recount

LAST = 60
END = 130.0

Crossing = tuple[float, str, str, dict[str, tuple[Level, Level]]]


@dataclass(frozen=True)
class Word:
    """At a second, a flag is snoozed or overridden, for so many seconds or for good."""

    second: int
    flag: str
    status: str | None
    lasts: int | None


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
WORDS = st.lists(
    st.builds(
        Word,
        st.integers(1, LAST),
        st.sampled_from("ABC"),
        st.sampled_from([None, "Healthy", "At Risk", "Critical", "Lost"]),
        st.one_of(st.none(), st.integers(1, 60)),
    ),
    max_size=5,
).map(lambda words: sorted(words, key=lambda word: word.second))


@dataclass
class Story:
    """Two books, the second from `since` on, what happens, and what is said under either."""

    old: RuleBook
    new: RuleBook
    since: float
    events: list[Occurrence]
    words: list[Word]

    def __post_init__(self) -> None:
        self.words = [word for word in self.words if _fits(word, self.book(word.second))]

    def book(self, at: float) -> RuleBook:
        return self.new if at >= self.since else self.old

    def followed(self, judged_at: Sequence[float]) -> Company:
        """The company, judged at these instants at least, the last of which is the end."""
        told = Company(self.old)
        told.store([Occurrence(at(0), "a")], at(0))
        told.evaluate(at(0))
        for half in range(1, int(END * 2) + 1):
            now = half / 2
            told.store([one for one in self.events if one.occurred_at == at(now)], at(now))
            if now == self.since:
                told.apply(self.new, at(now))
            for number, word in enumerate(self.words):
                if word.second == now:
                    _say(told, word, number)
            if now in judged_at or now == END:
                told.evaluate(at(now))
        return told

    def levels(self, now: float) -> dict[str, Level]:
        """As which level each flag counts."""
        book = self.book(now)
        events = [Occurrence(at(0), "a"), *self.events]
        levels = {flag.name: recount(flag, events, at(0), at(now)) for flag in book.flags}
        for name in levels:
            said = [word for word in self.words if word.flag == name and word.second <= now]
            if not said:
                continue
            word = said[-1]
            over = word.lasts is not None and now >= word.second + word.lasts
            lacking = now >= self.since > word.second and not _fits(word, self.new)
            if not over and not lacking:
                levels[name] = book.level_of(word.status)
        return levels

    def crossings(self) -> list[Crossing]:
        told: list[Crossing] = []
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
                told.append((now, status, after, changes))
            status, before = after, levels
        return told

    def _renumbered(self, level: Level) -> Level:
        if level is None:
            return None
        name = self.old.statuses[level]
        if name in self.new.statuses:
            return self.new.statuses.index(name)
        return min(level, len(self.new.statuses) - 1)


def _fits(word: Word, book: RuleBook) -> bool:
    return word.flag in book.flags_by_name and word.status in (None, *book.statuses)


def _say(told: Company, word: Word, number: int) -> None:
    assert told.state is not None
    now = at(word.second)
    kept = [
        replace(one, ends_at=min(one.ends_at or now, now)) if one.flag == word.flag else one
        for one in told.state.overrides
    ]
    ends_at = None if word.lasts is None else at(word.second + word.lasts)
    new = Override(number, word.flag, word.status, now, ends_at)
    told.state = replace(told.state, overrides=(*kept, new))


STORIES = st.builds(
    lambda old, new, since, events, words: Story(
        old, new, since + 0.5, [Occurrence(at(second), key) for second, key in events], words
    ),
    books(),
    NEW_BOOKS,
    st.integers(0, LAST),
    EVENTS,
    WORDS,
)
LOOKS = st.lists(st.integers(1, int(END * 2)).map(lambda half: half / 2), max_size=12)


@settings(max_examples=30, deadline=None)
@given(STORIES, LOOKS)
def test_overrides_under_new_rules_are_recorded_as_a_recount_tells(
    story: Story, looks: list[float]
) -> None:
    told = story.followed([half / 2 for half in range(int(END * 2) + 1)])
    recorded = [
        (
            (t.at - at(0)).total_seconds(),
            t.before,
            t.after,
            {c.flag: (c.before, c.after) for c in t.changes},
        )
        for t in told.transitions
    ]
    assert recorded == story.crossings()
    since = at(story.since)
    assert {t.cause for t in told.transitions if t.at == since} <= {Cause.RULE_CHANGE}
    late = story.followed(looks)
    assert late.transitions == told.transitions
    assert late.state is not None
    assert told.state is not None
    assert late.state.overrides == told.state.overrides
