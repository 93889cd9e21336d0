"""The overview of a company: its health over time, its flags, recent activity, and notes."""

from datetime import datetime

from flask import request
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.company.explanations import (
    current_health,
    explain_company,
    flags_worst_first,
    overrides_of,
    rule_address,
)
from dashboard.pages.company.frame import (
    blueprint,
    book_in_force,
    describe_score,
    find_company,
    show,
)
from dashboard.pages.company.health_history import DEFAULT_SPAN, SPANS, health_history
from dashboard.pages.company.notes import NoteForm, may_delete, may_edit
from dashboard.pages.company.timeline import event_names
from dashboard.web.context import app_context, now
from models.companies import company_notes, timeline
from models.companies.companies import Company
from models.database import read_one_snapshot, transaction
from models.health import transitions
from rules.durations import MAX_WINDOW, shift
from services.rules.planned_changes import PlannedChange, forecast
from services.rules.rule_books import RulesUnreadable

LATEST = 8
"""Entries of the timeline, and notes, that the page shows."""


@blueprint.get("")
@viewer
def page(member: Member, company_id: str) -> ResponseReturnValue:
    """Show a company at a glance."""
    at = now()
    with transaction():
        read_one_snapshot()
        company = find_company(member, company_id)
        try:
            explanation = explain_company(member, company, at)
            unreadable, next_change = None, _next_change(member, company, at)
        except RulesUnreadable as error:
            explanation, unreadable, next_change = None, str(error), None
        history = (
            explanation.transitions
            if explanation
            else transitions.list_for_company(company.organization_id, company.id)
        )
        overrides = overrides_of(company, at)
        entries, _ = timeline.read_page(company.organization_id, company.id, limit=LATEST)
        notes, more_notes = company_notes.read_page(
            member.organization.id, company.id, limit=LATEST
        )
    health = current_health(company, explanation)
    book = book_in_force()
    return show(
        "company/page.html",
        company,
        health=health,
        explanation=explanation,
        unreadable=unreadable,
        next_change=next_change,
        history=health_history(
            history, company, health, request.args.get("span", DEFAULT_SPAN), at, book
        ),
        about_score=describe_score(health, book) if book else None,
        spans=SPANS,
        flags=flags_worst_first(explanation),
        rule_address=rule_address,
        overrides=overrides,
        entries=entries,
        names=event_names(),
        notes=notes,
        more_notes=more_notes,
        form=NoteForm(),
        may_edit=may_edit,
        may_delete=may_delete,
        next=None,
    )


def _next_change(member: Member, company: Company, at: datetime) -> PlannedChange | None:
    """Return the next status change if nothing happens, as `brazebee rules forecast` does."""
    version = member.organization.rules_version
    [changes] = forecast(
        company.organization_id,
        [company.id],
        version,
        at,
        shift(at, MAX_WINDOW),
        app_context().rulebooks,
    )
    return next((change for change in changes if change.before != change.after), None)
