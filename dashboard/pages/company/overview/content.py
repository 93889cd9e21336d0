"""What the page of a company and its report show: health, flags, activity, and notes."""

from datetime import datetime
from typing import Any

from flask import request

from dashboard.access import Member
from dashboard.pages.company.explanations import (
    current_health,
    explain_company,
    flags_worst_first,
)
from dashboard.pages.company.frame import (
    book_in_force,
    describe_score,
)
from dashboard.pages.company.overview.activity import activity_of
from dashboard.pages.company.overview.headline import (
    advice,
    headline,
    key_facts,
    next_steps,
    raised_flags,
)
from dashboard.pages.company.overview.health_history import DEFAULT_SPAN, SPANS, health_history
from dashboard.web.context import app_context
from models.companies import company_notes
from models.companies.companies import Company
from models.health import transitions
from models.health.transitions import StoredTransition
from models.health.work_items import item_list
from models.health.work_items.item_list import ListedItem
from rules.durations import MAX_WINDOW, shift
from services.health.explanation import Explanation
from services.rules.planned_changes import PlannedChange, forecast
from services.rules.rule_books import RulesUnreadable

LATEST = 8
"""Entries of the timeline, and notes, that the page shows."""


def read_overview(member: Member, company: Company, at: datetime) -> dict[str, Any]:
    """Return the values of the templates, read in the current transaction."""
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
    notes, more_notes = company_notes.read_page(company.organization_id, company.id, limit=LATEST)
    raised = raised_flags(explanation, book) if explanation and book else []
    names = {counted.flag.flag for counted in raised}
    steps = next_steps(raised, _items(company))
    return {
        "health": health,
        "headline": headline(explanation, raised, book) if explanation and book else None,
        "facts": key_facts(company, book, notes),
        "advice": advice(steps),
        "next_steps": steps,
        "raised": raised,
        "others": [flag for flag in flags_worst_first(explanation) if flag.flag not in names],
        "explanation": explanation,
        "unreadable": unreadable,
        "next_change": next_change,
        "history": history,
        "activity": activity_of(company, history, at),
        "about_score": describe_score(health, book) if book else None,
        "spans": SPANS,
        "notes": notes,
        "more_notes": more_notes,
    }


def _items(company: Company) -> dict[str, ListedItem]:
    items = item_list.list_for_company(company.organization_id, company.id)
    return {item.flag: item for item in items}


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
