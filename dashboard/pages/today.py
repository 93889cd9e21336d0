"""Today: how customers stand, what changed in the last day, and what is about to change."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.presentation.charts.shares import Share, draw_shares
from dashboard.presentation.wording import tone_of
from dashboard.web.context import app_context, now, rules_in_force
from models.companies import company_counts
from models.companies.company_counts import StatusCount
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from models.events import hourly_counts
from models.health import transitions
from models.health.transitions import RecentTransition
from models.keys import api_keys
from rules.book import RuleBook
from services.health.upcoming import Span, UpcomingChanges, upcoming_changes
from services.rules.rule_books import NO_RULES

blueprint = Blueprint("today", __name__, url_prefix="/o/<name:organization>")

PAGE = 10
"""Rows of each list at first, and that come with each `more`."""

LAST_DAY = timedelta(days=1)
AHEAD = timedelta(days=7)

INGRESS = "http://127.0.0.1:8000"
"""Where `web` listens unless it is told otherwise."""


@dataclass(frozen=True)
class Standing:
    """Companies at one status, by how long they have been there."""

    status: str
    companies: int
    a_day: int
    a_week: int
    a_month: int
    longer: int


@blueprint.get("/")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """The start page of an organization."""
    at = now()
    organization = member.organization
    with transaction():
        read_one_snapshot()
        counts = company_counts.by_status(organization.id, at)
        book = rules_in_force(member.organization)
        if not counts:
            return _first_steps(member, book)
        changes, following = transitions.recent(organization.id, since=at - LAST_DAY, limit=PAGE)
        why = _why(member, changes)
        changed = transitions.count_recent(organization.id, since=at - LAST_DAY)
        coming = _coming(member, book, at, None)
        known = book or NO_RULES
        enabled = [key for key, event in known.events.items() if event.enabled]
        quiet = hourly_counts.quiet(organization.id, enabled, at)
    standings = _standings(counts, known.statuses)
    return render_template(
        "today/page.html",
        standings=standings,
        companies=sum(one.companies for one in standings),
        bar=draw_shares(
            "Companies by status",
            [Share(s.status, s.companies, tone_of(s.status, known.statuses)) for s in standings],
        ),
        statuses=known.statuses,
        changes=changes,
        changed=sum(changed.values()),
        following=following,
        why=why,
        coming=coming,
        until=at + AHEAD,
        quiet=quiet,
        names={key: event.name for key, event in known.events.items()},
    )


@blueprint.get("/changes")
@viewer
def more_changes(member: Member) -> ResponseReturnValue:
    """More of what changed in the last day: rows for htmx, or a page of its own."""
    at, after = now(), request.args.get("after")
    try:
        with transaction():
            read_one_snapshot()
            found, following = transitions.recent(
                member.organization.id, since=at - LAST_DAY, after=after, limit=PAGE
            )
            why = _why(member, found)
            book = rules_in_force(member.organization) or NO_RULES
    except UnreadableCursor:
        return redirect(url_for("today.page"), 303)
    return render_template(
        _part_or_page("changes"),
        changes=found,
        following=following,
        why=why,
        statuses=book.statuses,
    )


@blueprint.get("/coming")
@viewer
def more_coming(member: Member) -> ResponseReturnValue:
    """More of what will change: rows for htmx, or a page of its own."""
    at = now()
    try:
        with transaction():
            read_one_snapshot()
            book = rules_in_force(member.organization)
            found = _coming(member, book, at, request.args.get("after"))
    except UnreadableCursor:
        return redirect(url_for("today.page"), 303)
    return render_template(
        _part_or_page("coming"),
        coming=found,
        until=at + AHEAD,
        statuses=(book or NO_RULES).statuses,
    )


def _part_or_page(name: str) -> str:
    asks_for_part = "HX-Request" in request.headers
    return f"today/{name}.html" if asks_for_part else f"today/more_{name}.html"


def _coming(
    member: Member, book: RuleBook | None, at: datetime, after: str | None
) -> UpcomingChanges | None:
    """The next changes; None where the rules in force cannot be read."""
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


def _standings(counts: list[StatusCount], statuses: tuple[str, ...]) -> list[Standing]:
    """How many companies are where, the best status first, those that no rule knows last."""
    found = {count.status: count for count in counts}
    unknown = sorted(set(found) - set(statuses))
    standings = []
    for status in (*statuses, *unknown):
        c = found.get(status) or StatusCount(status, 0, 0, 0, 0)
        standings.append(
            Standing(
                status,
                c.companies,
                a_day=c.within_a_day,
                a_week=c.within_a_week - c.within_a_day,
                a_month=c.within_a_month - c.within_a_week,
                longer=c.companies - c.within_a_month,
            )
        )
    return standings


def _why(member: Member, found: list[RecentTransition]) -> Mapping[Any, str]:
    """What brought each transition, in words, with who it was where it was somebody.

    Within the transaction at hand.
    """
    makers = transitions.makers(member.organization.id, [one.id for one in found])
    words = {
        "time": "as time passed",
        "event": "by an event",
        "override": "by a snooze or override",
        "rule_change": "by new rules",
    }
    return {
        one.id: words.get(one.cause, one.cause)
        + (f" of {makers[one.id]}" if one.id in makers else "")
        for one in found
    }


def _first_steps(member: Member, book: RuleBook | None) -> str:
    """What to do before there is any company. Within the transaction at hand."""
    keys = [k for k in api_keys.of_organization(member.organization.id) if k.revoked_at is None]
    known = book or NO_RULES
    enabled = [key for key, event in known.events.items() if event.enabled]
    return render_template(
        "today/first_steps.html",
        keys=len(keys),
        flags=len(known.flags),
        event_key=enabled[0] if enabled else None,
        curl=_curl(enabled[0] if enabled else "my_first_event"),
        shell=shlex.quote,
        pages=current_app.view_functions,
    )


def _curl(event_key: str) -> str:
    """A command that sends an event to where `web` listens unless told otherwise."""
    event = {"event_key": event_key, "company": {"id": "company_123", "name": "Acme Corp"}}
    return (
        f"curl -X POST {INGRESS}/v1/track \\\n"
        '  -H "x-api-key: $BRAZEBEE_API_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(json.dumps(event))}"
    )
