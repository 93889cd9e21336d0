"""The events suggested to prevent a change prevent it, and fewer events do not."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from rules.book import EventSetting, RuleBook
from rules.facts import Selector
from rules.facts_in_memory import FactsInMemory, FieldChange, Occurrence
from rules.flags import Flag
from rules.judging.prevention import prevented_by
from rules.judging.review import review
from rules.judging.settlement import settle
from rules.judging.state import CompanyState, FlagChange, NewRules
from rules.language.parser import parse_condition
from tests.support.rules import at, event

STATUSES = ("Healthy", "At Risk", "Critical")
EVENTS = {"login": EventSetting("login", "Signed in")}
FIELDS = {"seats": 4, "signup": at(-30).isoformat()}
LONG_AGO = -100
UNTIL = at(1_000)


def book(*phrases: tuple[int, str], recover: str | None = None, lasting: int = 0) -> RuleBook:
    flag = Flag(
        "Logins",
        Selector("login"),
        tuple((level, parse_condition(phrase)) for level, phrase in phrases),
        recover=parse_condition(recover) if recover else None,
        lasting=timedelta(seconds=lasting),
    )
    return RuleBook(STATUSES, EVENTS, (flag,))


def upcoming(rules: RuleBook, events: Sequence[Occurrence]) -> list[FlagChange]:
    """Return the changes of the flag after second 0 if nothing but these events occurs."""
    fields = [FieldChange(at(LONG_AGO), name, value) for name, value in FIELDS.items()]
    facts = FactsInMemory(events, fields, first_seen_at=at(LONG_AGO))
    new = CompanyState("Healthy", at(LONG_AGO), None, {})
    last = max([at(0), *(occurrence.occurred_at for occurrence in events)])
    state = settle(rules, new, facts, now=last, unsettled_since=at(LONG_AGO)).state
    return list(review(rules, state, facts, now=last, until=UNTIL).changes)


FEW = (1, "less than 2 times in 10 seconds")
NONE = (2, "less than 1 time in 20 seconds")


@pytest.mark.parametrize(
    ("rules", "seconds", "needed", "expected"),
    [
        pytest.param(book(FEW), [-6, -3], 1, "1 more Signed in", id="one leaves"),
        pytest.param(book(FEW), [-6, -6], 2, "2 more Signed in", id="two leave together"),
        pytest.param(book(NONE, FEW), [-15, -15], 1, "1 more Signed in", id="the worse level"),
        pytest.param(book((1, "no activity for 9 seconds")), [-2], 1, "1 more Signed in"),
        pytest.param(
            book((1, "at least 3 times in 9 seconds")), [-5, -4, -4], 1, "1 more Signed in",
            id="what keeps it raised",
        ),
        pytest.param(
            book((1, "less than 2 times in 10 seconds and no activity for 5 seconds")),
            [-9, -9, -8], 1, "1 more Signed in", id="both phrases",
        ),
        pytest.param(
            book((1, "fewer than 1 distinct users in 8 seconds")), [-3], 1,
            "1 more distinct user of Signed in", id="users",
        ),
        pytest.param(
            book((1, "never within 40 seconds of company.signup")), [], 1, "1 Signed in",
            id="a deadline",
        ),
        pytest.param(
            book((1, "at least 2 times in 5 seconds"), recover="no activity for 9 seconds"),
            [-1, -1], 1, "1 more Signed in", id="recovery",
        ),
    ],
)  # fmt: skip
def test_exactly_that_many_events_prevent_the_change(
    rules: RuleBook, seconds: list[float], needed: int, expected: str
) -> None:
    events = [event(second, user="ann") for second in seconds]
    change = upcoming(rules, events)[0]
    assert prevented_by(rules, change) == expected
    just_before = change.at - timedelta(milliseconds=1)
    more = [Occurrence(just_before, "login", None, f"user {n}") for n in range(needed)]
    assert change not in upcoming(rules, [*events, *more])
    assert change in upcoming(rules, [*events, *more[1:]])


def test_a_missing_amount_names_its_path() -> None:
    rules = book((1, "sum of data.amount below 10 in 20 seconds"))
    change = upcoming(rules, [event(-15, 8), event(-5, 4)])[0]
    assert prevented_by(rules, change) == "6 more of data.amount"


def test_nothing_is_suggested_if_no_event_prevents_the_change() -> None:
    rules = book((1, "at least 2 times in 9 seconds"), lasting=5)
    [raised, *_] = upcoming(rules, [event(-1), event(-1)])
    assert (raised.at, prevented_by(rules, raised)) == (at(4), None)


def test_a_change_by_new_rules_cannot_be_prevented() -> None:
    facts = FactsInMemory([], [], first_seen_at=at(LONG_AGO))
    rules, previous = book(FEW), RuleBook(STATUSES, EVENTS, ())
    settled = settle(
        rules,
        CompanyState("Healthy", at(LONG_AGO), None, {}),
        facts,
        now=at(0),
        unsettled_since=None,
        new_rules=NewRules(at(0), previous),
    )
    [change] = settled.changes
    assert prevented_by(rules, change) is None
