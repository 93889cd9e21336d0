"""How a company stands: its status and score with their history, and each flag with its facts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.company.frame import (
    Standing,
    blueprint,
    book_in_force,
    find_company,
    show,
)
from dashboard.pages.company.notes import NoteForm, may_delete, may_edit
from dashboard.pages.company.timeline import CAUSES, event_names
from dashboard.presentation.charts import steps
from dashboard.presentation.charts.steps import Step
from dashboard.web.context import app_context, now
from models.companies import company_notes, timeline
from models.companies.companies import Company
from models.database import read_one_snapshot, transaction
from models.health import flag_overrides, transitions
from models.health.flag_overrides import StoredOverride
from models.health.transitions import StoredTransition
from rules.durations import MAX_WINDOW, shift
from services.health.explanation import Explanation, FlagExplanation, explain
from services.rules.planned_changes import PlannedChange, forecast
from services.rules.rule_books import RulesUnreadable

SPANS = {"30": "30 days", "90": "90 days", "365": "a year"}
"""How much of the past the chart shows, by the number of days."""

WIDE, NARROW = 920, 330
"""Widths of the chart in pixels, on a desk and on a phone."""

MOST_ROWS = 100
"""Rows of the table under the chart; the timeline has all."""

LATEST = 8
"""What happened last, and notes, that the page begins with."""


@dataclass(frozen=True)
class Past:
    """The history of a company's health in a span: charts for both widths, and its numbers."""

    span: str
    since: datetime
    wide: steps.StepsChart
    narrow: steps.StepsChart
    rows: Sequence[tuple[Step, StoredTransition | None]]
    left_out: int
    described: str


@blueprint.get("")
@viewer
def page(member: Member, company: str) -> ResponseReturnValue:
    """A company at a glance."""
    span = request.args.get("span", "90")
    at = now()
    with transaction():
        read_one_snapshot()
        found = find_company(member, company)
        try:
            explanation = explained(member, found, at)
            unreadable, coming = None, _coming(member, found, at)
        except RulesUnreadable as error:
            explanation, unreadable, coming = None, str(error), None
        history = explanation.transitions if explanation else transitions.of_company(found.id)
        overrides = overrides_of(found, at)
        lately, _ = timeline.page(found.id, limit=LATEST)
        notes, more_notes = company_notes.page(member.organization.id, found.id, limit=LATEST)
    standing = standing_of(found, explanation)
    past = _past(history, found, standing, span if span in SPANS else "90", at)
    return show(
        "company/page.html",
        found,
        standing=standing,
        explanation=explanation,
        unreadable=unreadable,
        coming=coming,
        past=past,
        spans=SPANS,
        flags=in_order(explanation),
        rule_address=rule_address,
        overrides=overrides,
        happenings=lately,
        names=event_names(),
        causes=CAUSES,
        notes=notes,
        more_notes=more_notes,
        form=NoteForm(),
        may_edit=may_edit,
        may_delete=may_delete,
        next=None,
    )


def explained(member: Member, company: Company, at: datetime) -> Explanation | None:
    """Why a company stands where it stands, as `brazebee explain` tells it.

    Raises:
        RulesUnreadable: the rules in force cannot be read.
    """
    organization = member.organization
    return explain(
        organization.id, company.external_id, organization.rules_version, at, app_context().rulebooks
    )


def standing_of(company: Company, explanation: Explanation | None) -> Standing:
    """How a company stands: as judged now where it can be, else as recorded."""
    since = company.changed_at or company.first_seen_at
    if explanation is None:
        return Standing(company.health_status, company.score, since)
    return Standing(explanation.status, explanation.score, since)


def in_order(explanation: Explanation | None) -> list[FlagExplanation]:
    """The flags, the worst first; those of the same status as in the rules."""
    book = book_in_force()
    if explanation is None or book is None:
        return []

    def badness(flag: FlagExplanation) -> int:
        return -(book.level_of(flag.status) or 0)

    return sorted(explanation.flags, key=badness)


def rule_address(line: int) -> str:
    """Where the page of the rules shows a line of them."""
    return url_for("rules.page", line=line)


@dataclass(frozen=True)
class Overrides:
    """The flags of a company that are snoozed or overridden, by flag, and those that were."""

    in_force: dict[str, StoredOverride]
    over: list[StoredOverride]


def overrides_of(company: Company, at: datetime) -> Overrides:
    """All that ever were, the newest first."""
    listed = flag_overrides.of_organization(
        company.organization_id, company_id=company.id, ended=True
    )
    stored = [one.override for one in listed]
    current = {
        one.flag: one
        for one in stored
        # The clock notes an end a moment after it came.
        if one.ended_at is None and (one.ends_at is None or one.ends_at > at)
    }
    return Overrides(current, [one for one in stored if current.get(one.flag) is not one])


def _coming(member: Member, company: Company, at: datetime) -> PlannedChange | None:
    """The next change of status if nothing happens, as `brazebee rules forecast` tells it."""
    version = member.organization.rules_version
    [prospects] = forecast([company.id], version, at, shift(at, MAX_WINDOW), app_context().rulebooks)
    return next((one for one in prospects if one.before != one.after), None)


def _past(
    history: Sequence[StoredTransition],
    company: Company,
    standing: Standing,
    span: str,
    at: datetime,
) -> Past:
    since = max(at - timedelta(days=int(span)), company.first_seen_at)
    since = min(since, at - timedelta(days=1))
    lived = _steps(history, company, standing, at)
    within = steps.clip([step for step, _ in lived], since, at)
    held = sum(step.at <= since for step, _ in lived[1:])  # its place: what held at the beginning
    rows = lived[held:][::-1]
    counted = sum(
        why is not None and step.at >= since and why.from_status != why.to_status
        for step, why in rows
    )
    known: dict[str, Any] = {"since": since, "until": at}
    return Past(
        span,
        since,
        steps.draw(within, **known, width=WIDE),
        steps.draw(within, **known, width=NARROW),
        rows[:MOST_ROWS],
        max(len(rows) - MOST_ROWS, 0),
        _describe(counted, standing),
    )


def _steps(
    history: Sequence[StoredTransition], company: Company, standing: Standing, at: datetime
) -> list[tuple[Step, StoredTransition | None]]:
    """How the company stood since it was first seen, each step with what made it.

    A flag that begins or ceases to apply without being raised is no transition, but may move the
    score: what it is now is a step of its own. Before its first transition no flag was raised.
    """
    found: list[tuple[Step, StoredTransition | None]] = []
    begun = min([company.first_seen_at, *(one.at for one in history[:1])])
    if history:
        first = history[0]
        found.append((Step(begun, first.from_status, 100), None))
    else:
        found.append((Step(begun, standing.status, standing.score), None))
    found += [(Step(one.at, one.to_status, one.score), one) for one in history]
    last = found[-1][0]
    if (last.status, last.score) != (standing.status, standing.score):
        found.append((Step(at, standing.status, standing.score), None))
    return found


def _describe(counted: int, standing: Standing) -> str:
    times = {0: "did not change", 1: "changed once"}.get(counted, f"changed {counted} times")
    score = "" if standing.score is None else f" with a score of {standing.score}"
    return f"Its status {times} in this time. It is {standing.status} now{score}."
