"""The changes of the last 24 hours on Today, and more of them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.filters.field_filters import ME
from dashboard.pages.causes import describe_cause
from dashboard.pages.today.frame import (
    PAGE,
    blueprint,
    find_teams,
    is_mine,
    recorded_reasons,
    rows_or_page,
)
from dashboard.web.context import now, rules_in_force
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from models.health import transitions
from models.health.transitions import RecentTransition
from services.rules.rule_books import NO_RULES

LAST_DAY = timedelta(days=1)


@blueprint.get("/recent")
@viewer
def more_changes(member: Member) -> ResponseReturnValue:
    """Show more recent changes: rows for htmx, or a page without scripts."""
    at, after, organization_id = now(), request.args.get("after"), member.organization.id
    try:
        with transaction():
            read_one_snapshot()
            book = rules_in_force(member.organization) or NO_RULES
            whose = ME if is_mine(book.team) else None
            owners = member.owners if whose else None
            changes, next_cursor = transitions.list_recent(
                organization_id, since=at - LAST_DAY, owners=owners, after=after, limit=PAGE
            )
            changed = transitions.count_recent(organization_id, since=at - LAST_DAY, owners=owners)
            causes = describe_causes(member, changes)
            teams = find_teams(member, [change.company for change in changes])
    except UnreadableCursor:
        return redirect(url_for("today.page", owner=request.args.get("owner")), 303)
    return render_template(
        rows_or_page("changes"),
        changes=changes,
        changed=changed,
        next_cursor=next_cursor,
        causes=causes,
        teams=teams,
        whose=whose,
        statuses=book.statuses,
        reasons_of=recorded_reasons,
    )


def describe_causes(member: Member, changes: list[RecentTransition]) -> Mapping[Any, str]:
    """Describe the cause of each transition, in the current transaction."""
    makers = transitions.find_makers(member.organization.id, [change.id for change in changes])
    return {change.id: describe_cause(change.cause, makers.get(change.id)) for change in changes}
