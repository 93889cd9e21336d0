"""Snoozes and overrides of a company's flags, made and ended by editors."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from werkzeug.exceptions import ServiceUnavailable

from dashboard.access import Member, audit, editor
from dashboard.access.visitors import reader_zone
from dashboard.pages.company.explanations import (
    current_health,
    explain_company,
    overrides_of,
    rule_address,
)
from dashboard.pages.company.frame import blueprint, book_in_force, find_company, show
from dashboard.pages.company.notes import audit_subject
from dashboard.pages.company.override_form import OverrideForm
from dashboard.presentation.wording import exact_time, with_local_times
from dashboard.web.context import app_context, now
from dashboard.web.messages import enqueue_deliveries
from models.companies.companies import Company
from models.database import transaction
from models.health.flag_overrides import StoredOverride
from queues.backlog import Backlog
from services.health.overrides import (
    FlagOfCompany,
    JudgingContext,
    Justification,
    OverrideRefused,
    OverrideResult,
    end,
    override,
    snooze,
)
from services.rules.rule_books import RulesUnreadable
from services.time_zones import DEFAULT


@blueprint.get("/flags/<name:flag>")
@editor
def flag(member: Member, company_id: str, flag: str) -> ResponseReturnValue:
    """Show a flag of a company, with the form to snooze or override it."""
    with transaction():
        company = find_company(member, company_id)
        form = _form()
        form.owner.data = member.person.email
        return _page(member, company, flag, form)


@blueprint.post("/flags/<name:flag>")
@editor
def override_flag(member: Member, company_id: str, flag: str) -> ResponseReturnValue:
    """Snooze or override a flag; an earlier snooze or override of it ends."""
    at = now()
    with transaction():
        company = find_company(member, company_id)
        form = _form(request.form)
        valid = form.validate()
        until = form.until(at, reader_zone()) if valid else None
        if not valid or form.errors:
            return _page(member, company, flag, form), 422
    target = FlagOfCompany(member.organization.id, company_id, flag)
    justification = Justification(str(form.reason.data), str(form.owner.data), member.person.email)

    def change(context: JudgingContext) -> OverrideResult:
        if form.status is None and until is not None:
            return snooze(target, until, justification, context)
        return override(target, form.status or "", until, justification, context)

    try:
        result = _change(member, at, change, "Flag overridden" if form.status else "Flag snoozed")
    except OverrideRefused as error:
        form.counts.errors = [with_local_times(str(error), reader_zone())]
        with transaction():
            return _page(member, find_company(member, company_id), flag, form), 422
    made = result.override
    counts = f"counts as {made.status}" if made.status else "is snoozed"
    until_text = exact_time(made.ends_at, reader_zone()) if made.ends_at else "ended manually"
    flash(f"{flag} {counts} until {until_text}. {_outcome(result)}")
    return redirect(url_for(".page", company_id=company_id), 303)


@blueprint.post("/flags/<name:flag>/end")
@editor
def end_override(member: Member, company_id: str, flag: str) -> ResponseReturnValue:
    """End the snooze or override of a flag."""
    with transaction():
        find_company(member, company_id)
    target = FlagOfCompany(member.organization.id, company_id, flag)
    try:
        result = _change(
            member,
            now(),
            lambda context: end(target, member.person.email, context),
            "Flag counts again",
        )
    except OverrideRefused as error:
        flash(str(error), "error")
    else:
        flash(f"{flag} is no longer snoozed or overridden. {_outcome(result)}")
    return redirect(url_for(".page", company_id=company_id), 303)


def _change(
    member: Member, at: datetime, change: Callable[[JudgingContext], OverrideResult], action: str
) -> OverrideResult:
    """Change an override, record it in the audit log, and enqueue its deliveries.

    Raises:
        OverrideRefused: the change is not possible; nothing was changed.
        ServiceUnavailable: Redis does not respond, or the rules cannot be read.
    """
    try:
        backlog = Backlog(app_context().broker, now)
        stored_until = backlog.read().of
        with transaction():
            result = change(
                JudgingContext(app_context().rulebooks, at, stored_until, backlog.oldest_unresolved)
            )
            changed = result.override
            subject = f"{changed.flag} of {audit_subject(result.company)}"
            audit.record(member, action, subject, _audit_detail(changed))
    except RedisError:
        raise ServiceUnavailable("Redis does not respond. Nothing was changed.") from None
    except RulesUnreadable as error:
        raise ServiceUnavailable(f"{error}. Nothing was changed.") from None
    enqueue_deliveries(result.deliveries)
    return result


def _audit_detail(changed: StoredOverride) -> dict[str, str]:
    if changed.ended_at is not None:
        return {}
    until = changed.ends_at and exact_time(changed.ends_at, DEFAULT)
    detail = {"counts as": changed.status, "until": until}
    return {
        **{name: text for name, text in detail.items() if text},
        "reason": changed.reason,
        "owner": changed.owner,
    }


def _outcome(result: OverrideResult) -> str:
    changed, company = result.override, result.company
    if changed.start_recorded and (changed.ended_at is None or changed.end_recorded):
        return f"{company.name} is {company.health_status}."
    return "It takes effect once the pending events are stored."


def _form(entered: Any = None) -> OverrideForm:
    book = book_in_force()
    return OverrideForm(entered).offer(book.statuses if book else ())


def _page(member: Member, company: Company, flag_name: str, form: OverrideForm) -> str:
    """Render the page of a flag in the current transaction; 404 if the rules do not have it."""
    at = now()
    try:
        explanation = explain_company(member, company, at)
    except RulesUnreadable as error:
        raise ServiceUnavailable(f"{error}.") from None
    flags = explanation.flags if explanation else []
    explained = next((flag for flag in flags if flag.flag == flag_name), None)
    if explained is None:
        abort(404)
    overrides = overrides_of(company, at)
    return show(
        "company/flag.html",
        company,
        health=current_health(company, explanation),
        flag=explained,
        form=form,
        rule_address=rule_address,
        rules_version=explanation.rules_version if explanation else 0,
        in_force=overrides.in_force.get(flag_name),
        past=[override for override in overrides.past if override.flag == flag_name],
    )
