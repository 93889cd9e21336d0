"""The overview of a company: its health over time, its flags, recent activity, and notes."""

from datetime import datetime
from typing import Any

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
from dashboard.pages.company.notes import NoteForm, may_delete, may_edit
from dashboard.pages.company.overview.activity import activity_of
from dashboard.pages.company.overview.headline import advice, headline, key_facts, raised_flags
from dashboard.pages.company.overview.health_history import DEFAULT_SPAN, SPANS, health_history
from dashboard.pages.company.timeline import event_names
from dashboard.web.context import app_context, now
from models.companies import company_notes, timeline
from models.companies.companies import Company
from models.database import read_one_snapshot, transaction
from models.health import transitions
from models.health.transitions import StoredTransition
from rules.durations import MAX_WINDOW, shift
from services.health.explanation import Explanation
from services.rules.planned_changes import PlannedChange, forecast
from services.rules.rule_books import RulesUnreadable

LATEST = 8
"""Entries of the timeline, and notes, that the page shows."""

SHORT: dict[str, Any] = {"most_open": 5, "most_others": 12, "most_advice": 3, "most_steps": 3}
"""How many raised flags are open at first, other flags listed, and notes and changes of flags shown
before the rest is folded away: a page with 40 flags stays short."""


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
        book = book_in_force()
        health = current_health(company, explanation)
        history = health_history(
            _transitions(company, explanation),
            company,
            health,
            request.args.get("span", DEFAULT_SPAN),
            at,
            book,
        )
        activity = activity_of(company, history, at)
        overrides = overrides_of(company, at)
        entries, _ = timeline.read_page(company.organization_id, company.id, limit=LATEST)
        notes, more_notes = company_notes.read_page(
            member.organization.id, company.id, limit=LATEST
        )
    raised = raised_flags(explanation, book) if explanation and book else []
    names = {counted.flag.flag for counted in raised}
    return show(
        "company/page.html",
        company,
        health=health,
        headline=headline(explanation, raised, book) if explanation and book else None,
        facts=key_facts(company, book, notes),
        advice=advice(raised),
        raised=raised,
        others=[flag for flag in flags_worst_first(explanation) if flag.flag not in names],
        explanation=explanation,
        unreadable=unreadable,
        next_change=next_change,
        history=history,
        activity=activity,
        about_score=describe_score(health, book) if book else None,
        spans=SPANS,
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
        **SHORT,
    )


def _transitions(company: Company, explanation: Explanation | None) -> list[StoredTransition]:
    if explanation:
        return explanation.transitions
    return transitions.list_for_company(company.organization_id, company.id)


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
