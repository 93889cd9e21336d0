"""Changes: what differs since the reader last looked, since Friday, or since another instant."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.access.visitors import reader_zone
from dashboard.filters.field_filters import ME
from dashboard.pages.causes import describe_cause
from dashboard.pages.today.frame import recorded_reasons
from dashboard.web.context import now, rules_in_force
from models.cursors import UnreadableCursor
from models.database import transaction
from models.health import net_changes
from models.health.net_changes import ChangesFilter, NetTotal
from models.people import visits
from services.rules.rule_books import NO_RULES
from services.time_zones import start_of_day

blueprint = Blueprint("changes", __name__, url_prefix="/o/<name:organization>/changes")

PAGE = 30

SPANS = {
    "seen": "Since you last looked",
    "friday": "Since Friday",
    "1": "24 hours",
    "7": "7 days",
    "30": "30 days",
}
"""The stretches of time to choose from; numbers are days."""

STEPS = {"worse": True, "better": False}

FIRST_VISIT = timedelta(days=7)
"""How far a person looks back who has not looked before."""

FRIDAY = 4


@dataclass(frozen=True)
class Side:
    """The companies that became worse, or better: totals by status, and of all."""

    companies: int
    value: Any
    totals: Sequence[NetTotal]


@dataclass(frozen=True)
class ChangesQuery:
    """The query string: a span, whose companies, and which changes of these are listed.

    `step` is `worse` or `better`; `before` and `after` are statuses, `from` and `to` in the query
    string. An empty text is no condition.
    """

    span: str = "seen"
    owner: str = ""
    step: str = ""
    before: str = ""
    after: str = ""

    @classmethod
    def from_request(cls) -> "ChangesQuery":
        """Read the arguments of the request; what cannot be understood is ignored."""
        span, step = request.args.get("span", ""), request.args.get("step", "")
        return cls(
            span if span in SPANS else cls.span,
            ME if request.args.get("owner") == ME else "",
            step if step in STEPS else "",
            request.args.get("from", ""),
            request.args.get("to", ""),
        )

    def address(self, cursor: str | None = None, **changes: str) -> str:
        """Return the URL with other values; `cursor` is that of a page."""
        query = replace(self, **changes)
        named = {"owner": query.owner, "step": query.step, "from": query.before, "to": query.after}
        chosen: dict[str, Any] = {name: value for name, value in named.items() if value}
        return url_for("changes.page", span=query.span, **chosen, after=cursor)

    def filter(self, member: Member) -> ChangesFilter:
        """Return the filter for `models`."""
        owners = member.owners if self.owner else None
        step = STEPS.get(self.step)
        return ChangesFilter(owners, step, self.before or None, self.after or None)


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show what changed in a span: all of it, or further rows for htmx."""
    at, query = now(), ChangesQuery.from_request()
    chosen, after = query.filter(member), request.args.get("after") or None
    try:
        with transaction():
            seen = visits.note_visit(member.organization.id, member.person.id, at)
            since = since_of(query.span, seen, at, reader_zone())
            book = rules_in_force(member.organization) or NO_RULES
            found = net_changes.read(
                member.organization.id,
                since,
                book.statuses,
                chosen,
                after=after,
                limit=PAGE,
            )
    except UnreadableCursor:
        return redirect(query.address(), 303)
    worse = [total for total in found.totals if _is_worse(total, book.statuses)]
    better = [total for total in found.totals if total not in worse]
    is_fragment = after is not None and "HX-Request" in request.headers
    return render_template(
        "today/net_changes_rows.html" if is_fragment else "today/net_changes.html",
        found=found,
        worse=_side(worse),
        better=_side(better),
        spans=SPANS,
        query=query,
        listed=_count_listed(chosen, found.totals, book.statuses),
        since=since,
        is_first_visit=seen is None,
        after=after,
        statuses=book.statuses,
        team=book.team,
        reasons_of=recorded_reasons,
        describe_cause=describe_cause,
    )


def since_of(span: str, seen: datetime | None, at: datetime, zone: ZoneInfo) -> datetime:
    """Return the beginning of a span; `seen` is the end of the reader's visit before this one.

    Since Friday means since the beginning of the latest Friday before today.
    """
    if span == "seen":
        return seen or at - FIRST_VISIT
    if span == "friday":
        today = at.astimezone(zone).date()
        days = (today.weekday() - FRIDAY - 1) % 7 + 1
        return start_of_day(today - timedelta(days=days), zone)
    return at - timedelta(days=int(span))


def _is_worse(total: NetTotal, statuses: Sequence[str]) -> bool:
    def rank(status: str) -> int:
        return statuses.index(status) if status in statuses else -1

    return rank(total.after) > rank(total.before)


def _count_listed(
    chosen: ChangesFilter, totals: Sequence[NetTotal], statuses: Sequence[str]
) -> int:
    """Return how many changes the list has on all its pages, from the totals of all changes."""
    return sum(
        total.companies
        for total in totals
        if chosen.worse in (None, _is_worse(total, statuses))
        and chosen.before in (None, total.before)
        and chosen.after in (None, total.after)
    )


def _side(totals: Sequence[NetTotal]) -> Side:
    values = [total.value for total in totals if total.value is not None]
    most_first = sorted(totals, key=lambda total: (-total.companies, total.before, total.after))
    return Side(
        sum(total.companies for total in totals), sum(values) if values else None, most_first
    )
