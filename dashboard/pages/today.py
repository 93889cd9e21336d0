"""Today: companies by status, upcoming changes, recent changes, and quiet event keys."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.causes import describe_cause
from dashboard.pages.get_started import get_started
from dashboard.presentation.charts.shares import Share, draw_shares
from dashboard.presentation.wording import tone_of
from dashboard.web.context import app_context, now, rules_in_force
from models.companies import company_counts, company_list
from models.companies.company_counts import StatusCount
from models.companies.company_list import ListedCompany
from models.companies.external_ids import find_row_ids
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from models.events import quiet_keys, rejected_events
from models.health import transitions
from models.health.transitions import RecentTransition
from rules.book import RuleBook
from services.health.upcoming import Span, UpcomingChanges, upcoming_changes
from services.rules.rule_books import NO_RULES

blueprint = Blueprint("today", __name__, url_prefix="/o/<name:organization>")

PAGE = 10
"""Rows of each list at first, and rows that each "More" link adds."""

LAST_DAY = timedelta(days=1)
AHEAD = timedelta(days=7)


@dataclass(frozen=True)
class StatusRow:
    """The number of companies with one status, by how long they have had it."""

    status: str
    companies: int
    a_day: int
    a_week: int
    a_month: int
    longer: int


@blueprint.get("/")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the start page of an organization."""
    at = now()
    organization = member.organization
    with transaction():
        read_one_snapshot()
        counts = company_counts.count_recent_by_status(organization.id, at)
        set_aside = rejected_events.count(organization.id, {}, most=rejected_events.MANY + 1)
        book = rules_in_force(member.organization)
        if not counts:
            return get_started(member, book, set_aside)
        changes, next_cursor = transitions.list_recent(
            organization.id, since=at - LAST_DAY, limit=PAGE
        )
        causes = _causes(member, changes)
        changed = transitions.count_recent(organization.id, since=at - LAST_DAY)
        upcoming = _upcoming(member, book, at, None)
        coming = upcoming.changes if upcoming else []
        teams = _teams(
            member, {*(change.company for change in changes), *(change.id for change in coming)}
        )
        rules = book or NO_RULES
        enabled = [key for key, event in rules.events.items() if event.enabled]
        quiet = quiet_keys.find_quiet_keys(organization.id, enabled, at)
    status_rows = _status_rows(counts, rules.statuses)
    return render_template(
        "today/page.html",
        status_rows=status_rows,
        companies=sum(row.companies for row in status_rows),
        bar=draw_shares(
            "Companies by status",
            [
                Share(row.status, row.companies, tone_of(row.status, rules.statuses))
                for row in status_rows
            ],
        ),
        statuses=rules.statuses,
        changes=changes,
        changed=sum(changed.values()),
        next_cursor=next_cursor,
        causes=causes,
        teams=teams,
        upcoming=upcoming,
        until=at + AHEAD,
        quiet=quiet,
        names={key: event.name for key, event in rules.events.items()},
        set_aside=set_aside,
        many=rejected_events.MANY,
    )


@blueprint.get("/changes")
@viewer
def more_changes(member: Member) -> ResponseReturnValue:
    """Show more recent changes: rows for htmx, or a page without scripts."""
    at, after = now(), request.args.get("after")
    try:
        with transaction():
            read_one_snapshot()
            changes, next_cursor = transitions.list_recent(
                member.organization.id, since=at - LAST_DAY, after=after, limit=PAGE
            )
            causes = _causes(member, changes)
            teams = _teams(member, [change.company for change in changes])
            book = rules_in_force(member.organization) or NO_RULES
    except UnreadableCursor:
        return redirect(url_for("today.page"), 303)
    return render_template(
        _rows_or_page("changes"),
        changes=changes,
        next_cursor=next_cursor,
        causes=causes,
        teams=teams,
        statuses=book.statuses,
    )


@blueprint.get("/coming")
@viewer
def more_upcoming(member: Member) -> ResponseReturnValue:
    """Show more upcoming changes: rows for htmx, or a page without scripts."""
    at = now()
    try:
        with transaction():
            read_one_snapshot()
            book = rules_in_force(member.organization)
            upcoming = _upcoming(member, book, at, request.args.get("after"))
            teams = _teams(member, [change.id for change in upcoming.changes] if upcoming else [])
    except UnreadableCursor:
        return redirect(url_for("today.page"), 303)
    return render_template(
        _rows_or_page("upcoming"),
        upcoming=upcoming,
        teams=teams,
        until=at + AHEAD,
        statuses=(book or NO_RULES).statuses,
    )


def _rows_or_page(name: str) -> str:
    prefix = "" if "HX-Request" in request.headers else "more_"
    return f"today/{prefix}{name}.html"


def _upcoming(
    member: Member, book: RuleBook | None, at: datetime, after: str | None
) -> UpcomingChanges | None:
    """Return the next changes; None if the current rules cannot be read."""
    if book is None:
        return None
    organization = member.organization
    span = Span(at, at + AHEAD)
    return upcoming_changes(
        organization.id,
        organization.rules_version,
        span,
        app_context().rulebooks,
        after=after,
        limit=PAGE,
    )


def _status_rows(counts: list[StatusCount], statuses: tuple[str, ...]) -> list[StatusRow]:
    """Return a row for each status, best first, then for statuses that the rules do not have."""
    by_status = {count.status: count for count in counts}
    unknown = sorted(set(by_status) - set(statuses))
    rows = []
    for status in (*statuses, *unknown):
        count = by_status.get(status) or StatusCount(status, 0, 0, 0, 0)
        rows.append(
            StatusRow(
                status,
                count.companies,
                a_day=count.within_a_day,
                a_week=count.within_a_week - count.within_a_day,
                a_month=count.within_a_month - count.within_a_week,
                longer=count.companies - count.within_a_month,
            )
        )
    return rows


def _teams(member: Member, ids: Collection[str]) -> dict[str, ListedCompany]:
    """Return companies, whose owner and value the rows show, by the clients' own ids."""
    organization_id = member.organization.id
    row_ids = find_row_ids("companies", organization_id, ids)
    listed = company_list.read(organization_id, [*row_ids.values()])
    return {company.id: company for company in listed}


def _causes(member: Member, changes: list[RecentTransition]) -> Mapping[Any, str]:
    """Describe the cause of each transition, in the current transaction."""
    makers = transitions.find_makers(member.organization.id, [change.id for change in changes])
    return {change.id: describe_cause(change.cause, makers.get(change.id)) for change in changes}
