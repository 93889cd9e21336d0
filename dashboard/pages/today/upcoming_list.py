"""The next changes of status on Today, and more of them."""

from datetime import datetime, timedelta

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.today.frame import (
    PAGE,
    blueprint,
    find_teams,
    planned_reasons,
    rows_or_page,
)
from dashboard.web.context import app_context, now, rules_in_force
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from rules.book import RuleBook
from services.health.upcoming import Span, UpcomingChanges, upcoming_changes
from services.rules.rule_books import NO_RULES

AHEAD = timedelta(days=7)

FIRST = 5
"""Changes on Today."""


@blueprint.get("/coming")
@viewer
def more_upcoming(member: Member) -> ResponseReturnValue:
    """Show more upcoming changes: rows for htmx, or a page without scripts."""
    at = now()
    try:
        with transaction():
            read_one_snapshot()
            book = rules_in_force(member.organization)
            upcoming = read_upcoming(member, book, at, request.args.get("after"), limit=PAGE)
            changes = upcoming.changes if upcoming else []
            teams = find_teams(member, [change.id for change in changes])
    except UnreadableCursor:
        return redirect(url_for("today.page"), 303)
    return render_template(
        rows_or_page("upcoming"),
        upcoming=upcoming,
        teams=teams,
        until=at + AHEAD,
        statuses=(book or NO_RULES).statuses,
        planned_reasons=planned_reasons,
    )


def read_upcoming(
    member: Member, book: RuleBook | None, at: datetime, after: str | None, *, limit: int
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
        limit=limit,
    )
