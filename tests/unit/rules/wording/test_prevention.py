"""The events suggested to prevent a change prevent it, and fewer events do not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from rules.book import EventSetting, RuleBook
from rules.facts import Selector
from rules.facts_in_memory import FactsInMemory, FieldChange, Occurrence
from rules.flags import Flag
from rules.judging.review import review
from rules.judging.settlement import settle
from rules.judging.state import CompanyState, FlagChange, NewRules
from rules.language.parser import parse_condition
from rules.wording.event_words import event_words
from rules.wording.prevention import changed_by, prevented_by
from tests.support.rules import at, evaluate, event

STATUSES = ("Healthy", "At Risk", "Critical")
EVENTS = {"login": EventSetting("login", "Signed in")}
FIELDS = {
    "seats": 4,
    "signup": at(-30).isoformat(),
    "renewal": (at(500) + timedelta(days=60)).isoformat(),
}
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
        pytest.param(book(FEW), [-6, -3], 1, "there is one more sign-in", id="one leaves"),
        pytest.param(book(FEW), [-6, -6], 2, "there are 2 more sign-ins", id="two leave together"),
        pytest.param(
            book(NONE, FEW), [-15, -15], 1, "there is one more sign-in", id="the worse level"
        ),
        pytest.param(book((1, "no activity for 9 seconds")), [-2], 1, "there is one more sign-in"),
        pytest.param(
            book((1, "at least 3 times in 9 seconds")), [-5, -4, -4], 1,
            "there is one more sign-in", id="what keeps it raised",
        ),
        pytest.param(
            book((1, "less than 2 times in 10 seconds and no activity for 5 seconds")),
            [-9, -9, -8], 1, "there is one more sign-in", id="both phrases",
        ),
        pytest.param(
            book((1, "less than 2 times in 10 seconds or at most 0 distinct users in 10 seconds")),
            [-9, -9], 2, "there are 2 more sign-ins and there are sign-ins by one more user",
            id="either phrase",
        ),
        pytest.param(
            book((1, "not at least 2 times in 10 seconds")), [-6, -3], 1,
            "there is one more sign-in", id="a negation",
        ),
        pytest.param(
            book((1, "distinct users in 8 seconds below 25% of company.seats")), [-3], 1,
            "there are sign-ins by one more user", id="a share of users",
        ),
        pytest.param(
            book((1, "fewer than 1 distinct users in 8 seconds")), [-3], 1,
            "there are sign-ins by one more user", id="users",
        ),
        pytest.param(
            book((1, "never within 40 seconds of company.signup")), [], 1,
            "there is one more sign-in by then", id="a deadline",
        ),
        pytest.param(
            book((1, "at least 2 times in 5 seconds"), recover="no activity for 9 seconds"),
            [-1, -1], 1, "there is one more sign-in", id="recovery",
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


@pytest.mark.parametrize(
    ("phrase", "amounts", "expected"),
    [
        ("sum of data.amount below 10 in 20 seconds", (8, 4), "the total amount grows by 6"),
        ("sum of data.amount below 10.255 in 20 seconds", (8, 4), "the total amount grows by 6.26"),
        (
            "sum of data.amount at most 10 in 20 seconds", (8, 4),
            "the total amount grows by more than 6",
        ),
        ("sum of data.amount at most 4 in 20 seconds", (8, 4), "the total amount grows"),
        (
            "sum of data.amount above 10000 in 20 seconds", (9_000, 2_000),
            "the total amount grows by more than 8,000",
        ),
        ("average of data.amount below 5 in 20 seconds", (8, 4), None),
        ("highest of data.amount below 5 in 20 seconds", (8, 4), None),
        (
            "at least 2 distinct data.amount in 20 seconds", (8, 4),
            "there are sign-ins with one more amount",
        ),
    ],
)  # fmt: skip
def test_amounts_are_named_and_never_rounded_down(
    phrase: str, amounts: tuple[float, float], expected: str | None
) -> None:
    rules = book((1, phrase))
    change = upcoming(rules, [event(-15, amounts[0]), event(-5, amounts[1])])[0]
    assert prevented_by(rules, change) == expected


@pytest.mark.parametrize(
    ("phrase", "needed", "expected"),
    [
        ("less than 4 times in 9 seconds", 2, "there are 2 more sign-ins"),
        ("at least 3 times in 9 seconds", 1, "there is one more sign-in"),
        ("not less than 4 times in 9 seconds", 2, "there are 2 more sign-ins"),
        (
            "distinct users in 9 seconds below 75% of company.seats", 2,
            "there are sign-ins by 2 more users",
        ),
        ("sum of data.amount above 10 in 9 seconds", 0, "the total amount grows by more than 4"),
        ("at least 2 times in 9 seconds", 0, None),
        ("never within 10 seconds of company.signup", 0, None),
    ],
)  # fmt: skip
def test_exactly_that_many_events_change_a_finding(
    phrase: str, needed: int, expected: str | None
) -> None:
    rules, condition = book((1, phrase)), parse_condition(phrase)
    events = [event(second, 3, user="ann") for second in (-4, -3)]
    finding = evaluate(condition, events, FIELDS)
    assert changed_by(rules, rules.flags[0], condition, finding) == expected
    more = [event(0, user=f"user {number}") for number in range(needed)]
    if more:
        assert evaluate(condition, [*events, *more], FIELDS).holds is not finding.holds
        assert evaluate(condition, [*events, *more[1:]], FIELDS).holds is finding.holds


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("sum of data.amount below 10 in 9 seconds", "with a total amount of at least 10"),
        ("sum of data.amount at most 10 in 9 seconds", "with a total amount of more than 10"),
    ],
)
def test_where_there_is_no_event_an_amount_needs_events(phrase: str, expected: str) -> None:
    rules = book((1, phrase))
    [change] = upcoming(rules, [event(-5, 12)])
    assert prevented_by(rules, change) == f"there are sign-ins {expected}"


def test_no_event_prevents_what_a_date_does() -> None:
    rules = book((1, "company.renewal within 60 days"))
    [change] = upcoming(rules, [])
    assert prevented_by(rules, change) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Report created", ("one more report is created", "reports are created")),
        ("invoice_paid", ("one more invoice is paid", "invoices are paid")),
        ("login", ("there is one more login", "there are logins")),
        ("Signed in", ("there is one more sign-in", "there are sign-ins")),
        ("Отчёт", ("there is one more “Отчёт” event", "there are “Отчёт” events")),
        (
            "Sync failed",
            ("there is one more “sync failed” event", "there are “sync failed” events"),
        ),
    ],
)
def test_events_of_every_kind_of_name_occur(name: str, expected: tuple[str, str]) -> None:
    rules = RuleBook(STATUSES, {"login": EventSetting("login", name)}, ())
    words = event_words(rules, Flag("Logins", Selector("login"), ()))
    assert (words.occur(1), words.some_occur) == expected


def test_filters_are_named_and_any_event_is_activity() -> None:
    [few] = book(FEW).flags
    filtered = replace(few, selector=Selector("login", ((("kind",), ("sso", "password")),)))
    rules = RuleBook(STATUSES, EVENTS, (filtered,))
    events = [
        Occurrence(at(-6), "login", {"kind": "sso"}),
        Occurrence(at(-3), "login", {"kind": "sso"}),
    ]
    change = upcoming(rules, events)[0]
    assert prevented_by(rules, change) == "there is one more sign-in (kind: sso or password)"
    [users] = book((1, "fewer than 1 distinct users in 8 seconds")).flags
    rules = RuleBook(STATUSES, EVENTS, (replace(users, selector=Selector(None)),))
    change = upcoming(rules, [event(-3, user="ann")])[0]
    assert prevented_by(rules, change) == "one more user is active"


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
