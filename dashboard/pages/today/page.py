"""Today: what is at risk, whose it is, what it is worth, and what changed or will change."""

from datetime import UTC, date
from functools import partial
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.filters.field_filters import ME
from dashboard.pages.companies.reasons import MOST_SHOWN
from dashboard.pages.get_started import get_started
from dashboard.pages.today import figures
from dashboard.pages.today.frame import (
    blueprint,
    find_teams,
    is_mine,
    recorded_reasons,
)
from dashboard.pages.today.recent import LAST_DAY, describe_causes
from dashboard.pages.today.upcoming_list import DAYS, prevention_of, read_upcoming, upcoming_reasons
from dashboard.pages.today.worst import read_worst
from dashboard.pages.worklist.frame import count_to_do
from dashboard.presentation.charts.shares import Share, draw_shares
from dashboard.presentation.wording import tone_of
from dashboard.web.context import now, rules_in_force
from dashboard.web.forecasts import keep_fresh
from models.companies import company_counts
from models.database import read_one_snapshot, transaction
from models.events import quiet_keys, rejected_events
from models.health import transitions
from models.health.upcoming_changes import Direction
from models.health.work_items.item_list import MOST_COUNTED
from models.portfolio.present_figures import PresentFigures
from rules.book import RuleBook
from services.rules.rule_books import NO_RULES

FIRST_CHANGES = 6
"""Recent changes on the page at first."""


@blueprint.get("/")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the start page of an organization."""
    at = now()
    organization = member.organization
    with transaction():
        read_one_snapshot()
        book = rules_in_force(organization)
        rules = book or NO_RULES
        mine = is_mine(rules.team)
        owners = member.owners if mine else None
        present = figures.read_present(member, rules, at)
        set_aside = rejected_events.count(organization.id, {}, most=rejected_events.MANY + 1)
        if not present.all.by_status and not company_counts.any_exists(organization.id):
            return get_started(member, book, set_aside)
        past = figures.read_past(member, at, present if mine else None)
        worst = read_worst(member, present, rules, at) if mine else None
        changes, next_cursor = transitions.list_recent(
            organization.id, since=at - LAST_DAY, owners=owners, limit=FIRST_CHANGES
        )
        causes = describe_causes(member, changes)
        changed = transitions.count_recent(organization.id, since=at - LAST_DAY, owners=owners)
        upcoming = read_upcoming(member, at, present.my_owners if mine else None)
        teams = find_teams(member, {change.company for change in changes})
        enabled = [key for key, event in rules.events.items() if event.enabled]
        to_do = count_to_do(member)
        quiet = quiet_keys.find_quiet_keys(organization.id, enabled, at)
    keep_fresh(organization.id, upcoming.forecast, at)
    return render_template(
        "today/page.html",
        **_shown(present, past, rules, at.astimezone(UTC).date(), mine=mine),
        whose=ME if mine else None,
        worst=worst,
        reasons=worst.reasons if worst else {},
        most_reasons=MOST_SHOWN,
        phrase=lambda raised: rules.threshold(raised["flag"], rules.level_of(raised["status"])),
        statuses=rules.statuses,
        team=rules.team,
        changes=changes,
        changed=changed,
        next_cursor=next_cursor,
        causes=causes,
        reasons_of=recorded_reasons,
        teams=teams,
        book=book,
        upcoming=upcoming,
        upcoming_reasons=upcoming_reasons,
        prevention_of=prevention_of,
        upcoming_days=DAYS,
        directions=Direction,
        to_do=to_do,
        most_counted=MOST_COUNTED,
        quiet=quiet,
        names={key: event.name for key, event in rules.events.items()},
        set_aside=set_aside,
        many=rejected_events.MANY,
    )


def _shown(
    present: PresentFigures,
    past: figures.Past | None,
    rules: RuleBook,
    today: date,
    *,
    mine: bool,
) -> dict[str, Any]:
    """Return the figures as variables of the template, of all companies or of the reader's."""
    chosen = present.mine if mine else present.all
    address = figures.my_address if mine else figures.companies_address
    unknown = sorted({*present.all.by_status} - {*rules.statuses})
    worst_first = (*reversed(rules.statuses), *unknown)
    counts = [(status, chosen.of([status])) for status in worst_first]
    return {
        "figures": figures.large_figures(chosen, past, rules, address),
        "counts": counts,
        "companies": sum(amount.companies for _, amount in counts),
        "at_risk": chosen.of(rules.statuses[1:]).companies,
        "bar": draw_shares(
            "Companies by status",
            [Share(name, n.companies, tone_of(name, rules.statuses)) for name, n in counts],
        ),
        "mine": [(name, amount) for name in worst_first if (amount := present.mine.of([name]))],
        "owners": present.owners,
        "more_owners": present.more_owners,
        "at_risk_statuses": rules.statuses[1:],
        "course": figures.draw_at_risk(past, present.all, rules, today)
        if past and not mine
        else None,
        "address": address,
        "companies_address": figures.companies_address,
        "owner_address": figures.owner_address,
        "owner_at_risk_address": partial(figures.owner_at_risk_address, best=rules.statuses[0]),
        "my_address": figures.my_address,
    }
