"""Requests that were refused: a list, each with its reason and body, to correct, send or drop."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from dashboard.access import Member, editor, viewer
from dashboard.presentation.wording import grouped
from dashboard.web.context import app_context, now, rules_in_force
from dashboard.web.forms import normalize_line_ends
from dashboard.web.request_values import page_cursor
from ingress.again import SendingAgain, SentAgain, may_be_corrected
from ingress.client.errors import ApiError, unavailable
from models.database import transaction
from models.keys import api_keys
from queues.refused.requests import Refusal, RefusedRequest, RefusedRequests, is_id
from services.accounts.audit import Maker
from services.events import entries
from services.incoming import refusals
from services.incoming.refusals import RefusalFilter
from services.rules.rule_books import NO_RULES

blueprint = Blueprint("refused", __name__, url_prefix="/o/<name:organization>/events/refused")

PAGE = 50

LONGEST_SHOWN = 100_000
"""Characters of a body that its page shows: 32 KB and its indentation."""

ENTRY = "/<string(maxlength=41):request_id>"

NO_REDIS = "Redis does not respond, so refused requests cannot be shown or changed right now."


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the refused requests, newest first, filtered by event key and reason."""
    organization_id, arguments = member.organization.id, _arguments()
    cursor = page_cursor()
    before = cursor if cursor and is_id(cursor) else None
    found: list[RefusedRequest] | None = []
    try:
        every = _requests().every(organization_id, now(), before=before)
        found = list(islice(_filter().among(every), PAGE + 1))
        number = _requests().count(organization_id)
    except RedisError:
        found, number = None, 0
    shown = (found or [])[:PAGE]
    more = len(found or []) > PAGE
    return render_template(
        "refused/page.html",
        requests=None if found is None else shown,
        number=number,
        short=entries.short,
        arguments=arguments,
        filtered=any(arguments.values()),
        first=url_for(".page", **arguments) if before else None,
        next=url_for(".page", after=shown[-1].id, **arguments) if more else None,
        no_redis=NO_REDIS,
    )


@blueprint.get(ENTRY)
@viewer
def entry(member: Member, request_id: str) -> ResponseReturnValue:
    """Show one request: why it was refused, every fault, and its body."""
    return _show(member, _find(member, request_id))


def _show(
    member: Member, found: RefusedRequest, typed: str | None = None, wrong: ApiError | None = None
) -> str:
    """Return the page of one request; `wrong` is why the body that was typed was refused."""
    refusal = found.refusal
    with transaction():
        keys = api_keys.list_for_organization(member.organization.id)
    text = refusals.body_text(refusal.body)
    return render_template(
        "refused/entry.html",
        sent=found,
        refusal=refusal,
        faults=_faults(refusal.details),
        key=next((key for key in keys if key.id == refusal.key_id), None),
        body=text[:LONGEST_SHOWN],
        cut=found.is_cut or len(text) > LONGEST_SHOWN,
        addable=member.may("editor") and _is_unknown(member, refusal),
        correctable=member.may("editor") and may_be_corrected(found),
        to_correct=refusals.body_to_correct(refusal.body) if typed is None else typed,
        wrong=wrong,
        faults_again=_faults(wrong.details) if wrong else [],
    )


def _is_unknown(member: Member, refusal: Refusal) -> bool:
    """Whether a request was refused for an event that the rules still do not have."""
    if refusal.status != HTTPStatus.NOT_FOUND or refusal.event_key is None:
        return False
    with transaction():
        events = (rules_in_force(member.organization) or NO_RULES).events
    names = {*events, *(name for event in events.values() for name in event.called)}
    return refusal.event_key not in names


@blueprint.post(f"{ENTRY}/send")
@editor
def send(member: Member, request_id: str) -> ResponseReturnValue:
    """Send one request again."""
    results = _send(member, [_find(member, request_id)])
    for result in results:
        if result.error is None:
            return _accepted(result)
        flash(f"It was refused again: {result.reason}.", "error")
    return redirect(url_for(".entry", request_id=request_id), 303)


@blueprint.post(f"{ENTRY}/correct")
@editor
def correct(member: Member, request_id: str) -> ResponseReturnValue:
    """Send one request again with another body, or show what is wrong with that."""
    found = _find(member, request_id)
    if not may_be_corrected(found):
        abort(404)
    organization_id, at = member.organization.id, now()
    typed = normalize_line_ends(request.form.get("body")) or ""
    try:
        result = _sending().correct(organization_id, found, typed.encode())
    except ApiError as error:
        result = SentAgain(found, None, error)
    except RedisError:
        result = SentAgain(found, None, unavailable("Redis does not respond"))
    if result.error:
        status = 422 if result.error.status < 500 else 503
        return _show(member, found, typed, result.error), status
    name = result.event_id or request_id
    refusals.record_corrected(organization_id, name, maker=Maker.of(member.person), at=at)
    return _accepted(result)


def _accepted(result: SentAgain) -> ResponseReturnValue:
    named = f" as the event {result.event_id}" if result.event_id else ""
    flash(f"It was accepted{named}, and is being stored.")
    return redirect(url_for(".page"), 303)


@blueprint.post("/send")
@editor
def send_all(member: Member) -> ResponseReturnValue:
    """Send all requests that the filters match again, the oldest first."""
    results = _send(member, _matching(member)[::-1])
    accepted = sum(result.error is None for result in results)
    if accepted:
        events = "1 event was" if accepted == 1 else f"{grouped(accepted)} events were"
        flash(f"{events} accepted, and {'is' if accepted == 1 else 'are'} being stored.")
    if again := [result for result in results if result.error]:
        requests = "1 was" if len(again) == 1 else f"{grouped(len(again))} were"
        flash(f"{requests} refused again, such as for: {again[0].reason}.", "error")
    return redirect(url_for(".page", **_arguments()), 303)


@blueprint.get(f"{ENTRY}/drop")
@editor
def confirm_drop(member: Member, request_id: str) -> ResponseReturnValue:
    """Ask before one request is dropped."""
    return render_template("refused/drop.html", sent=_find(member, request_id))


@blueprint.post(f"{ENTRY}/drop")
@editor
def drop(member: Member, request_id: str) -> ResponseReturnValue:
    """Forget one request."""
    return _drop(member, [_find(member, request_id)])


@blueprint.get("/drop")
@editor
def confirm_drop_all(member: Member) -> ResponseReturnValue:
    """Ask before all requests that the filters match are dropped."""
    requests = _matching(member)
    if not requests:
        return redirect(url_for(".page", **_arguments()), 303)
    return render_template(
        "refused/drop_all.html",
        number=len(requests),
        until=requests[0].id,
        arguments=_arguments(),
    )


@blueprint.post("/drop")
@editor
def drop_all(member: Member) -> ResponseReturnValue:
    """Forget all requests that the filters match and that the question counted."""
    until = request.args.get("until", "")
    if not is_id(until):
        abort(400)
    requests = [found for found in _matching(member) if _order(found.id) <= _order(until)]
    return _drop(member, requests)


def _drop(member: Member, requests: list[RefusedRequest]) -> ResponseReturnValue:
    try:
        number = refusals.drop(
            member.organization.id,
            _requests(),
            requests,
            maker=Maker.of(member.person),
            at=now(),
        )
    except RedisError:
        flash(NO_REDIS, "error")
    else:
        dropped = "1 request was" if number == 1 else f"{grouped(number)} requests were"
        flash(f"{dropped} dropped.")
    return redirect(url_for(".page", **_arguments()), 303)


def _send(member: Member, requests: list[RefusedRequest]) -> list[SentAgain]:
    """Send requests again, write the audit log, and say so if that stops before the end."""
    organization_id = member.organization.id
    results: list[SentAgain] = []
    try:
        results.extend(_sending().send(organization_id, requests))
    except ApiError as error:
        flash(f"{error.error}: what is left stays in the list. Try again in a moment.", "error")
    except RedisError:
        flash("Redis does not respond. Try again in a moment; no event counts twice.", "error")
    refusals.record_sent_again(
        organization_id,
        [result.event_id for result in results if result.event_id],
        maker=Maker.of(member.person),
        at=now(),
    )
    return results


def _matching(member: Member) -> list[RefusedRequest]:
    """Return all requests that the filters match, newest first; none without Redis."""
    try:
        return list(_filter().among(_requests().every(member.organization.id, now())))
    except RedisError:
        flash(NO_REDIS, "error")
        return []


def _find(member: Member, request_id: str) -> RefusedRequest:
    try:
        found = _requests().find(member.organization.id, request_id)
    except RedisError:
        abort(503, NO_REDIS)
    if found is None:
        abort(404)
    return found


def _arguments() -> dict[str, Any]:
    return {name: request.args.get(name, "").strip() or None for name in ("event", "reason")}


def _filter() -> RefusalFilter:
    return RefusalFilter(**_arguments())


def _faults(details: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the path of each fault, such as `company.name`, and its message."""
    return [
        (".".join(map(str, fault.get("path", ()))), str(fault.get("message", "")))
        for fault in details
    ]


def _sending() -> SendingAgain:
    context = app_context()
    return SendingAgain.build(context.settings, context.broker.client, now)


def _requests() -> RefusedRequests:
    return RefusedRequests(app_context().broker.client)


def _order(request_id: str) -> tuple[int, int]:
    first, _, second = request_id.partition("-")
    return int(first), int(second)
