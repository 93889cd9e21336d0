"""The figures of Today: companies by status, value at risk, and renewals, each with a link."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from flask import url_for

from dashboard.access import Member
from dashboard.filters.field_filters import ME
from dashboard.presentation.charts.course import Course, Series, draw_course
from models.portfolio import contributions, daily_figures, present_figures, stale_companies
from models.portfolio.daily_figures import NOTHING, Amount, Kind
from models.portfolio.present_figures import Figures, PresentFigures
from rules.book import RuleBook

RENEWS_WITHIN = timedelta(days=60)

MOST_OWNERS = 10
"""Rows of the table of owners."""

MOST_COMPARED = 5_000
"""Companies of one reader that are compared with a week ago: each is read."""

WEEKS = 53
"""Points of the course of a year."""

WEEK = timedelta(days=7)

Address = Callable[..., str]
"""Returns the URL of a list of companies by its filters, as `companies_address` has them."""


@dataclass(frozen=True)
class Figure:
    """A large number with its link; `change` is the difference to a week ago, None if unknown."""

    title: str
    number: Decimal | int
    address: str
    is_value: bool = False
    change: Decimal | int | None = None
    about: str = ""
    value: Decimal | None = None


@dataclass(frozen=True)
class Past:
    """The figures at the end of each of some days, oldest first; the last one is a week ago."""

    days: Sequence[date]
    by_kind: dict[Kind, dict[str, list[Amount]]]

    def last_week(self, kind: Kind, name: str) -> Amount:
        """Return a figure of a week ago."""
        return self.by_kind[kind].get(name, [NOTHING])[-1]

    @property
    def at_risk(self) -> list[Amount]:
        """What was at risk, on each day."""
        return self.by_kind[Kind.AT_RISK].get("", [NOTHING] * len(self.days))


def companies_address(**filters: str) -> str:
    """Return the URL of a list of companies that have not left.

    Two underscores are the dot in the name of a filter.
    """
    named = {name.replace("__", "."): value for name, value in filters.items()}
    return url_for("companies.page", left="no", **named)  # type: ignore[arg-type]


def read_present(member: Member, book: RuleBook, at: datetime) -> PresentFigures:
    """Read the figures of now, in the current transaction."""
    return present_figures.read(
        member.organization.id,
        book.statuses[1:],
        mine=member.owners if book.team.owner else (),
        renewal=(at.astimezone(UTC).date(), RENEWS_WITHIN),
        most_owners=MOST_OWNERS if book.team.owner else 0,
    )


def read_past(member: Member, at: datetime, mine: PresentFigures | None) -> Past | None:
    """Read the figures of the weeks before, or with `mine` those of the reader's a week ago.

    None while companies are counted for the first time, or if the reader has very many. The
    reader's companies are those that they own now.
    """
    organization_id = member.organization.id
    a_week_ago = at.astimezone(UTC).date() - WEEK
    if not stale_companies.is_complete(organization_id, a_week_ago):
        return None
    if mine is None:
        days = [a_week_ago - WEEK * number for number in reversed(range(WEEKS - 1))]
        return Past(days, daily_figures.read(organization_id, days))
    if sum(amount.companies for amount in mine.mine.by_status.values()) > MOST_COMPARED:
        return None
    then = contributions.read_figures(organization_id, mine.my_owners, a_week_ago)
    by_kind = {
        kind: {name: [amount] for name, amount in by_name.items()} for kind, by_name in then.items()
    }
    return Past([a_week_ago], by_kind)


def large_figures(
    present: Figures, past: Past | None, book: RuleBook, address: Address
) -> list[Figure]:
    """Return up to four figures: the two worst statuses, the value at risk, and renewals.

    `address` returns the URL of the list of the companies that are counted.
    """
    best, worst_first = book.statuses[0], tuple(reversed(book.statuses[1:]))
    with_value = bool(book.team.value)
    figures = []
    for status in worst_first[:2]:
        amount = present.of([status])
        before = past.last_week(Kind.STATUS, status) if past else None
        figures.append(
            Figure(
                status,
                amount.companies,
                address(status=status),
                change=amount.companies - before.companies if before is not None else None,
                value=amount.value if with_value else None,
            )
        )
    at_risk = present.of(worst_first)
    if with_value:
        before = past.last_week(Kind.AT_RISK, "") if past else None
        figures.append(
            Figure(
                "Value at risk",
                at_risk.value,
                address(not__status=best, sort="-value"),
                is_value=True,
                change=at_risk.value - before.value if before is not None else None,
                about=f"of {at_risk.companies:,} that are not {best}",
            )
        )
    if book.team.renewal:
        days = str(RENEWS_WITHIN.days)
        figures.append(
            Figure(
                "Renewals in danger",
                present.renewing.companies,
                address(not__status=best, next__renewal=days, sort="renewal"),
                about=f"within {days} days, not {best}",
                value=present.renewing.value if with_value else None,
            )
        )
    return figures


def draw_at_risk(past: Past, present: Figures, book: RuleBook, today: date) -> Course:
    """Draw what was at risk in the past weeks, and is now: the value, or else the companies."""
    amounts = [*past.at_risk, present.of(book.statuses[1:])]
    numbers = [amount.value if book.team.value else amount.companies for amount in amounts]
    return draw_course([*past.days, today], [Series("At risk", numbers, "bad")])


def owner_address(owner: str | None, **filters: str) -> str:
    """Return the URL of the companies of an owner; None is no owner, `ME` the reader."""
    return companies_address(owner=owner or "", **filters)


def my_address(**filters: str) -> str:
    """Return the URL of a list of the reader's companies that have not left."""
    return owner_address(ME, **filters)


def owner_at_risk_address(owner: str | None, best: str) -> str:
    """Return the URL of the companies of an owner that do not have the best status."""
    return owner_address(owner, not__status=best, sort="-value")
