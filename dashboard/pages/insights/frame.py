"""What the pages of insights share: URLs, weeks, number formats, and cached answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, request

from dashboard.access import Member
from dashboard.web.context import rules_in_force
from dashboard.web.messages import enqueue_questions
from models.events.weekly_reach import Week
from rules.book import RuleBook
from services.insights.answers import Answer, cached_answers
from services.insights.questions import Question
from services.rules.rule_books import NO_RULES

blueprint = Blueprint("insights", __name__, url_prefix="/o/<name:organization>/insights")

DASH = "\N{EN DASH}"
"""Shown in place of a missing number, and between two numbers of a range."""

WEEK = timedelta(days=7)
WEEKS = 53
"""Weeks on the charts: a year and the current week."""

WHOLE, WIDE, NARROW = 1120, 540, 330
"""Widths of charts in units: whole and half of the page on a desktop, and on a phone."""

MAX_POLLS = 15
"""How often a page without an answer polls for it."""


@dataclass(frozen=True)
class Answers:
    """Questions with their cached answers."""

    questions: Sequence[Question]
    cached: Sequence[Answer]

    @classmethod
    def read(cls, member: Member, questions: Sequence[Question], at: datetime) -> "Answers":
        """Read the cached answers in the current transaction."""
        return cls(questions, cached_answers(member.organization.id, questions, at))

    @property
    def missing(self) -> bool:
        """Whether any question has no answer at all yet."""
        return any(answer.value is None for answer in self.cached)

    def enqueue_stale(self, member: Member) -> None:
        """Enqueue missing and stale answers to be computed, unless the page is only polling."""
        if "HX-Request" not in request.headers:
            stale = [
                question
                for question, answer in zip(self.questions, self.cached, strict=True)
                if answer.is_stale
            ]
            enqueue_questions(member.organization.id, stale)


def book_of(member: Member) -> RuleBook:
    """Return the current rules, or empty ones if they cannot be read."""
    return rules_in_force(member.organization) or NO_RULES


def next_poll() -> int | None:
    """Return the number of the next poll of a page without an answer; None after `MAX_POLLS`."""
    polls = request.args.get("look", 0, type=int)
    return polls + 1 if 0 <= polls < MAX_POLLS else None


def monday(at: datetime) -> date:
    """Return the Monday of the week of an instant, UTC."""
    day = at.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def year_of(at: datetime) -> list[date]:
    """Return the Mondays of a year and of the current week, oldest first."""
    last = monday(at)
    return [last - WEEK * back for back in reversed(range(WEEKS))]


def behind_since(weeks: Sequence[Week]) -> datetime | None:
    """Return the time of the oldest count if events came since; None if all are up to date."""
    return min((week.as_of for week in weeks if week.behind), default=None)


def past_behind_since(weeks: Sequence[Week], at: datetime) -> datetime | None:
    """Return the same of the weeks that are over, whose counts only events of the past change."""
    return behind_since([week for week in weeks if week.week < monday(at)])


def percent_change(now: int, before: int) -> int | None:
    """Return the change of a number in percent; None if it was 0 before."""
    return round(100 * (now - before) / before) if before else None


@blueprint.app_template_filter("short_day")
def short_day(day: date) -> str:
    """Format a day such as `5 Jan`."""
    return f"{day.day} {day:%b}"


@blueprint.app_template_filter("long_day")
def long_day(day: date) -> str:
    """Format a day such as `5 Jan 2026`."""
    return f"{day.day} {day:%b %Y}"


@blueprint.app_template_filter("percent")
def percent(share: float | None) -> str:
    """Format a share of 1 as `43 %`; None as a dash, and a small share as `< 1 %`."""
    if share is None:
        return DASH
    if 0 < share < 0.01:
        return "< 1\N{NO-BREAK SPACE}%"
    if 0.99 < share < 1:
        return "> 99\N{NO-BREAK SPACE}%"
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


@blueprint.app_template_filter("signed_percent")
def signed_percent(number: int | None) -> str:
    """Format a change in percent, such as `+4 %`; None as a dash."""
    if number is None:
        return DASH
    sign = "+" if number > 0 else "\N{MINUS SIGN}" if number < 0 else "\N{PLUS-MINUS SIGN}"
    return f"{sign}{abs(number):,}\N{NO-BREAK SPACE}%"
