"""Today: companies by status, upcoming changes, recent changes, and quiet event keys."""

from dataclasses import dataclass

from flask import render_template
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.get_started import get_started
from dashboard.pages.today.changes import LAST_DAY, describe_causes
from dashboard.pages.today.frame import PAGE, blueprint, find_teams
from dashboard.pages.today.upcoming_list import AHEAD, FIRST, read_upcoming
from dashboard.presentation.charts.shares import Share, draw_shares
from dashboard.presentation.wording import tone_of
from dashboard.web.context import now, rules_in_force
from models.companies import company_counts
from models.companies.company_counts import StatusCount
from models.database import read_one_snapshot, transaction
from models.events import quiet_keys, rejected_events
from models.health import transitions
from services.rules.rule_books import NO_RULES


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
        causes = describe_causes(member, changes)
        changed = transitions.count_recent(organization.id, since=at - LAST_DAY)
        upcoming = read_upcoming(member, book, at, None, limit=FIRST)
        coming = upcoming.changes if upcoming else []
        teams = find_teams(
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
