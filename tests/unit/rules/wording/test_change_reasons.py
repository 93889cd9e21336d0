"""Reasons of changes: what raised a flag, or what ended it, never the opposite."""

from datetime import timedelta

import pytest

from rules.book import EventSetting, RuleBook
from rules.facts import Selector
from rules.facts_in_memory import Occurrence
from rules.flags import Flag, FlagMemory
from rules.judging.state import Cause, FlagChange, Transition
from rules.language.parser import parse_condition
from rules.statuses import DEFAULT_STATUSES
from rules.wording.change_reasons import change_reason
from tests.support.rules import at, facts_of, situation

DAY = 86_400
TWO_LEVELS = ((2, "down 60% in 30 days"), (1, "down 40% in 30 days"))


def reason_of_change(
    flag: Flag,
    before: int,
    *counts: int,
    memory: FlagMemory | None = None,
    overridden: bool = False,
) -> tuple[int | None, str | None]:
    """Return a flag's new level and why, from events in the 30 days before and in the last 30."""
    events = [
        Occurrence(at(-(start + number / 10) * DAY), "login")
        for start, count in zip((31, 1), counts, strict=True)
        for number in reversed(range(count))
    ]
    facts = facts_of(events, first_seen=-100 * DAY)
    verdict = flag.evaluate(situation(facts, 0), memory or FlagMemory(before))
    change = FlagChange(at(0), flag.name, before, verdict.level, Cause.TIME, verdict)
    book = RuleBook(DEFAULT_STATUSES, {"login": EventSetting("login", "Report created")}, (flag,))
    statuses = (book.status_name(before), book.status_name(verdict.level))
    hidden = frozenset({flag.name} if overridden else ())
    levels = {flag.name: verdict.level}
    transition = Transition(at(0), *statuses, Cause.TIME, (change,), levels, hidden)
    return verdict.level, change_reason(book, transition, change)


def usage(*levels: tuple[int, str], recover: str | None = None, days: int = 0) -> Flag:
    return Flag(
        "Usage",
        Selector("login"),
        tuple((level, parse_condition(phrase)) for level, phrase in levels),
        recover=parse_condition(recover) if recover else None,
        lasting=timedelta(days=days),
    )


@pytest.mark.parametrize(
    ("before", "counts", "level", "reason"),
    [
        (0, (13, 6), 1, "reports fell from 13 to 6"),
        (1, (13, 3), 2, "reports fell from 13 to 3"),
        (2, (13, 6), 1, "reports fell by less than 60%"),
        (1, (13, 9), 0, "reports fell by less than 40%"),
        (2, (13, 9), 0, "reports fell by less than 40%"),
        (1, (13, 13), 0, "reports stayed at 13"),
        (1, (13, 20), 0, "reports rose from 13 to 20"),
        (1, (0, 6), None, "too few reports to compare"),
    ],
)
def test_a_flag_that_got_better_is_explained_by_the_phrase_that_no_longer_holds(
    before: int, counts: tuple[int, int], level: int | None, reason: str
) -> None:
    assert reason_of_change(usage(*TWO_LEVELS), before, *counts) == (level, reason)


def test_a_rise_that_is_too_small_is_explained_likewise() -> None:
    flag = usage((1, "up 50% in 30 days"))
    assert reason_of_change(flag, 1, 10, 12) == (0, "reports rose by less than 50%")
    assert reason_of_change(flag, 1, 10, 6) == (0, "reports fell from 10 to 6")


def test_a_flag_recovers_by_its_phrase_of_recovery() -> None:
    flag = usage((1, "down 40% in 30 days"), recover="at least 9 times in 30 days")
    assert reason_of_change(flag, 1, 12, 10) == (0, "9+ reports in 30 days")


def test_a_flag_that_has_not_recovered_got_better_by_its_worse_phrase() -> None:
    flag = usage(*TWO_LEVELS, recover="at least 50 times in 30 days")
    assert reason_of_change(flag, 2, 13, 9) == (1, "reports fell by less than 60%")


def test_a_phrase_that_still_holds_explains_no_recovery() -> None:
    flag = usage((1, "down 40% in 30 days"), days=7)
    by_new_rules = FlagMemory(None)  # which ask it to hold for a week from now on
    assert reason_of_change(flag, 1, 13, 3, memory=by_new_rules) == (0, None)


def test_what_was_overridden_has_no_reason() -> None:
    assert reason_of_change(usage(*TWO_LEVELS), 1, 13, 9, overridden=True) == (0, None)
