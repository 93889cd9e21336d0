"""What the pages of insights share: their addresses, weeks, words, and asking for answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, request

from dashboard.access import Member
from dashboard.web.context import rules_in_force
from dashboard.web.messages import enqueue_questions
from models.events.weekly_reach import Week
from rules.book import RuleBook
from services.insights import Answer, Question, cached_answers
from services.rules.rule_books import NO_RULES

blueprint = Blueprint("insights", __name__, url_prefix="/o/<name:organization>/insights")

DASH = "\N{EN DASH}"
"""Stands for a number that there is not, and between two of them."""

WEEK = timedelta(days=7)
WEEKS = 53
"""Weeks on the charts: a year, and the week at hand."""

WHOLE, WIDE, NARROW = 1120, 540, 330
"""Widths of charts in units: on a desk over the page and over a half of it, and on a phone."""

MOST_LOOKS = 15
"""How often a page that waits for a first answer looks again by itself."""


@dataclass(frozen=True)
class Answers:
    """What is known in answer to each of several questions."""

    asked: Sequence[Question]
    looked: Sequence[Answer]

    @classmethod
    def find(cls, member: Member, asked: Sequence[Question], at: datetime) -> "Answers":
        """Read them, within the transaction at hand."""
        return cls(asked, cached_answers(member.organization.id, asked, at))

    @property
    def missing(self) -> bool:
        """Whether any question has no answer at all yet."""
        return any(one.answer is None for one in self.looked)

    def renew(self, member: Member) -> None:
        """Ask for those that are missing or old; not for a page that only looks again."""
        if "HX-Request" not in request.headers:
            stale = [q for q, one in zip(self.asked, self.looked, strict=True) if one.is_stale]
            enqueue_questions(member.organization.id, stale)


def book_of(member: Member) -> RuleBook:
    """The rules in force; none where they cannot be read."""
    return rules_in_force(member.organization) or NO_RULES


def look_again() -> int | None:
    """The number of the next look of a page that waits for an answer; None after the last one."""
    looks = request.args.get("look", 0, type=int)
    return looks + 1 if 0 <= looks < MOST_LOOKS else None


def monday(at: datetime) -> date:
    """The day with which the week of an instant begins, UTC."""
    day = at.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def year_of(at: datetime) -> list[date]:
    """The Mondays of a year, oldest first, with that of the week at hand."""
    last = monday(at)
    return [last - WEEK * back for back in reversed(range(WEEKS))]


def behind_since(weeks: Sequence[Week]) -> datetime | None:
    """As of when these weeks are, where events came since; None where they are up to date."""
    return min((week.as_of for week in weeks if week.behind), default=None)


def change(now: int, before: int) -> int | None:
    """By how many percent a number changed; None where there was nothing before."""
    return round(100 * (now - before) / before) if before else None


@blueprint.app_template_filter("short_day")
def short_day(day: date) -> str:
    """A day such as `5 Jan`."""
    return f"{day.day} {day:%b}"


@blueprint.app_template_filter("long_day")
def long_day(day: date) -> str:
    """A day such as `5 Jan 2026`."""
    return f"{day.day} {day:%b %Y}"


@blueprint.app_template_filter("percent")
def percent(share: float | None) -> str:
    """A share of 1 as `43 %`; none is a dash, and little is not nothing."""
    if share is None:
        return DASH
    if 0 < share < 0.01:
        return "< 1\N{NO-BREAK SPACE}%"
    if 0.99 < share < 1:
        return "> 99\N{NO-BREAK SPACE}%"
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


@blueprint.app_template_filter("signed_percent")
def signed_percent(number: int | None) -> str:
    """A change in percent, such as `+4 %`; a dash for none."""
    if number is None:
        return DASH
    sign = "+" if number > 0 else "\N{MINUS SIGN}" if number < 0 else "\N{PLUS-MINUS SIGN}"
    return f"{sign}{abs(number):,}\N{NO-BREAK SPACE}%"
