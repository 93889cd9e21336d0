"""Accepted events that could not be stored: a list, each with its content, to retry or drop."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from dashboard.access import Member, editor, viewer
from dashboard.presentation.wording import grouped
from dashboard.web.context import app_context, now
from dashboard.web.request_values import MAX_BIGINT, database_bigint, page_cursor
from models.companies import companies
from models.database import read_one_snapshot, transaction
from models.events import rejected_events
from models.events.rejected_events import MANY
from queues.lanes.lane_queue import LaneQueue
from services.accounts.audit import Maker
from services.events import entries, rejected
from services.events.records import read_entry
from services.events.rejected import NoSuchEvent
from services.events.tracked_event import UnreadableEvent
from services.incoming.refusals import body_text

blueprint = Blueprint("set_aside", __name__, url_prefix="/o/<name:organization>/events/set-aside")

PAGE = 50

LONGEST_SHOWN = 20_000
"""Characters of an event's content that its page shows."""

TRANSACTIONS = 10
"""The most transactions of a request that retries all events. What is left stays in the list."""

ENTRY = f"/<int(max={MAX_BIGINT}):id>"


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the events that are set aside, newest first, filtered by company and reason."""
    filters, organization_id = _filters(), member.organization.id
    with transaction():
        read_one_snapshot()
        events, next_cursor = rejected_events.read_page(
            organization_id, filters, after=page_cursor(), limit=PAGE
        )
        number = rejected_events.count(organization_id, filters, most=MANY + 1)
    return render_template(
        "set_aside/page.html",
        events=events,
        number=number,
        many=MANY,
        short=entries.short,
        arguments=filters,
        filtered=any(filters.values()),
        first=url_for(".page", **filters) if page_cursor() else None,
        next=url_for(".page", after=next_cursor, **filters) if next_cursor else None,
    )


@blueprint.get(ENTRY)
@viewer
def entry(member: Member, id: int) -> ResponseReturnValue:  # noqa: A002 -- as links name it
    """Show one event: why it is set aside, whether it can be retried, and its content."""
    organization_id = member.organization.id
    with transaction():
        found = rejected_events.find(organization_id, id)
        if found is None:
            abort(404)
        company = found.event.company
        known = company is not None and companies.find(organization_id, company) is not None
    obstacle = None
    try:
        read_entry(organization_id, found.fields)
    except UnreadableEvent as error:
        obstacle = str(error)
    (entry_format, content), *others = entries.pairs(found.fields)
    text = body_text(content)
    return render_template(
        "set_aside/entry.html",
        event=found.event,
        company_known=known,
        accepted_at=entries.accepted_at(found.fields),
        obstacle=obstacle,
        reason=_bounded(found.event.error.encode()),
        format=entries.as_text(entry_format),
        size=len(content),
        content=text[:LONGEST_SHOWN],
        cut=len(text) > LONGEST_SHOWN,
        others=[(entries.as_text(name), _bounded(value)) for name, value in others if name != b"t"],
    )


@blueprint.post(f"{ENTRY}/retry")
@editor
def retry(member: Member, id: int) -> ResponseReturnValue:  # noqa: A002 -- as links name it
    """Return one event to the journal."""
    try:
        with transaction():
            result = rejected.retry(
                member.organization.id,
                {"ids": [id]},
                _journal(),
                maker=Maker.of(member.person),
                at=now(),
            )
    except NoSuchEvent:
        return _gone()
    except RedisError:
        flash("Redis does not respond, so nothing was retried. Try again in a moment.", "error")
        return redirect(url_for(".entry", id=id), 303)
    if result.unreadable:
        flash(f"This event cannot be retried: {result.unreadable[id]}.", "error")
        return redirect(url_for(".entry", id=id), 303)
    _flash_retried(1)
    return redirect(url_for(".page"), 303)


@blueprint.post("/retry")
@editor
def retry_all(member: Member) -> ResponseReturnValue:
    """Return all events that the filters match to the journal."""
    filters, retried, unreadable = _filters(), 0, 0
    results = rejected.retry_all(
        member.organization.id, filters, _journal(), maker=Maker.of(member.person), at=now()
    )
    try:
        for result in islice(results, TRANSACTIONS):
            retried += result.events
            unreadable += len(result.unreadable)
    except RedisError:
        flash("Redis does not respond, so not all events were retried. Try again soon.", "error")
    if retried:
        _flash_retried(retried)
    if unreadable:
        flash(f"{grouped(unreadable)} cannot be retried; open one to see why.", "error")
    return redirect(url_for(".page", **filters), 303)


@blueprint.get(f"{ENTRY}/drop")
@editor
def confirm_drop(member: Member, id: int) -> ResponseReturnValue:  # noqa: A002 -- as links name it
    """Ask before one event is dropped."""
    with transaction():
        found = rejected_events.find(member.organization.id, id)
    if found is None:
        abort(404)
    return render_template("set_aside/drop.html", event=found.event)


@blueprint.post(f"{ENTRY}/drop")
@editor
def drop(member: Member, id: int) -> ResponseReturnValue:  # noqa: A002 -- as links name it
    """Delete one event for good."""
    try:
        return _drop(member, {"ids": [id]})
    except NoSuchEvent:
        return _gone()


@blueprint.get("/drop")
@editor
def confirm_drop_all(member: Member) -> ResponseReturnValue:
    """Ask before all events that the filters match are dropped."""
    filters, organization_id = _filters(), member.organization.id
    with transaction():
        until_id = rejected_events.latest_id(organization_id)
        number = rejected_events.count(organization_id, {**filters, "until_id": until_id})
    if not number:
        return _gone()
    return render_template(
        "set_aside/drop_all.html", number=number, until_id=until_id, arguments=filters
    )


@blueprint.post("/drop")
@editor
def drop_all(member: Member) -> ResponseReturnValue:
    """Delete all events that the filters match and that the question counted."""
    until_id = request.args.get("until", 0, type=database_bigint)
    return _drop(member, {**_filters(), "until_id": until_id})


def _drop(member: Member, filters: Mapping[str, Any]) -> ResponseReturnValue:
    with transaction():
        number = rejected.drop(
            member.organization.id, filters, maker=Maker.of(member.person), at=now()
        )
    flash("1 event was dropped." if number == 1 else f"{grouped(number)} events were dropped.")
    return redirect(url_for(".page"), 303)


def _gone() -> ResponseReturnValue:
    flash("This is no longer set aside: somebody has retried or dropped it.", "error")
    return redirect(url_for(".page"), 303)


def _flash_retried(number: int) -> None:
    events = "1 event is" if number == 1 else f"{grouped(number)} events are"
    flash(f"{events} being stored. What is refused again appears here again.")


def _filters() -> dict[str, Any]:
    return {name: request.args.get(name, "").strip() or None for name in ("company", "reason")}


def _bounded(content: bytes) -> str:
    return entries.as_text(content)[:LONGEST_SHOWN]


def _journal() -> LaneQueue:
    return LaneQueue.of_events(app_context().broker.client)
