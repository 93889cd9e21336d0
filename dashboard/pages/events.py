"""Events: the configured keys, how often they occur, and keys that are sent but not configured."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from dashboard.access import Member, audit, editor, viewer
from dashboard.web.context import app_context, now, rules_in_force
from dashboard.web.request_values import database_integer
from models.companies.fields.field_limits import MOST_BYTES, MOST_FIELDS
from models.companies.fields.left_out_fields import list_left_out
from models.database import transaction
from models.events import event_volumes, quiet_keys, rejected_events, waiting_records
from models.events.event_volumes import Volume
from models.organizations import rule_versions
from queues.refused.requests import is_id
from queues.refused.unknown_event_keys import UnknownKey, UnknownKeys
from rules.book import EventSetting, RuleBook
from rules.edits import events as event_edits
from rules.edits.entries import RuleEditError
from rules.faults import RuleFileError, as_sentence
from services.events.waiting import LONGEST
from services.rules.apply_rules import AppliedRules, Origin, RulesChanged, apply_rules
from services.rules.event_acceptance import accept_event, key_of
from services.rules.rule_books import NO_RULES

blueprint = Blueprint("events", __name__, url_prefix="/o/<name:organization>/events")

LEFT_OUT = 20
"""The most companies, and users, that are listed because fields of them are left out."""

WAITING_USERS = 20
"""The most users that are listed because records wait for their companies."""

FIRST_TEXT = "version: 1\n"
"""The rule file that the first event is added to."""


@dataclass(frozen=True)
class Row:
    """A configured event with its volume and the flags that count it."""

    event: EventSetting
    volume: Volume | None
    flags: tuple[str, ...]


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show all configured events, rejected keys, fields left out, and what waits for a company."""
    at, organization = now(), member.organization
    with transaction():
        book = rules_in_force(organization)
        volumes = event_volumes.read_volumes(organization.id, at)
        set_aside = rejected_events.count(organization.id, {}, most=rejected_events.MANY + 1)
        quiet = {
            key.event_key: key
            for key in quiet_keys.find_quiet_keys(organization.id, book.events if book else (), at)
        }
        left_out = list_left_out(organization.id, limit=LEFT_OUT)
        waiting_users = waiting_records.list_users(organization.id, limit=WAITING_USERS + 1)
        waiting = waiting_records.count(organization.id) if waiting_users else 0
    events = book.events if book else {}
    known = {*events, *(name for event in events.values() for name in event.called)}
    unknown = _rejected_keys(organization.id, at)
    return render_template(
        "events/page.html",
        rows=[Row(event, volumes.get(key), _flags(book, key)) for key, event in events.items()],
        quiet=quiet,
        readable=book is not None,
        unknown=None if unknown is None else [key for key in unknown if key.event_key not in known],
        former=sorted(
            (volume for key, volume in volumes.items() if key not in events),
            key=lambda volume: volume.last_at,
            reverse=True,
        ),
        version=organization.rules_version,
        set_aside=set_aside,
        many=rejected_events.MANY,
        left_out=left_out,
        most_fields=MOST_FIELDS,
        most_bytes=MOST_BYTES,
        waiting=waiting,
        waiting_users=waiting_users[:WAITING_USERS],
        more_wait=len(waiting_users) > WAITING_USERS,
        longest_wait=LONGEST.days,
    )


@blueprint.post("/switch")
@editor
def switch(member: Member) -> ResponseReturnValue:
    """Enable or disable an event."""
    key, on = request.form.get("key", ""), request.form.get("enabled") == "on"
    message = f"{key} is now accepted." if on else f"{key} is now rejected."
    return _edit(
        member,
        "Event switched on" if on else "Event switched off",
        lambda text: event_edits.set_enabled(text, key, enabled=on),
        message,
    )


@blueprint.post("/rename")
@editor
def rename(member: Member) -> ResponseReturnValue:
    """Change the display name of an event."""
    key, name = request.form.get("key", ""), request.form.get("name", "").strip()
    return _edit(
        member,
        "Event renamed",
        lambda text: event_edits.rename(text, key, name),
        f"{key} was renamed to {name}.",
    )


@blueprint.post("/add")
@editor
def add(member: Member) -> ResponseReturnValue:
    """Add an event to the rules, by its key and name or by the name by which it is sent."""
    if sent := request.form.get("sent", ""):
        with transaction():
            key = key_of(rules_in_force(member.organization) or NO_RULES, sent)
        return _edit(
            member,
            "Event added",
            lambda text: accept_event(text, sent)[0],
            f"{sent} is now accepted" + ("." if key == sent else f", as {key}."),
            key=key,
            on_success=lambda: _forget(member.organization.id, sent),
        )
    key, name = request.form.get("key", "").strip(), request.form.get("name", "").strip()
    return _edit(
        member,
        "Event added",
        lambda text: event_edits.add(text, key, name or None),
        f"{key} is now accepted.",
        on_success=lambda: _forget(member.organization.id, key),
    )


def _edit(
    member: Member,
    action: str,
    change: Callable[[str], str],
    message: str,
    key: str | None = None,
    on_success: Callable[[], None] = lambda: None,
) -> ResponseReturnValue:
    """Change the text of the rule version that the page showed, and apply it.

    `key` is that of the event in the audit log; by default, that of the form.
    """
    try:
        with transaction():
            applied = _apply(member, change)
            if applied.changed:
                detail = {"rules version": applied.version}
                subject = request.form.get("key", "").strip() if key is None else key
                audit.record(member, action, subject, detail)
    except RulesChanged as error:
        flash(
            f"Nothing was changed: version {error.in_force} of the rules was applied after"
            " this page was loaded. Review it, then try again.",
            "error",
        )
    except RuleEditError as error:
        flash(str(error), "error")
    except RuleFileError as error:
        flash(f"Nothing was changed: {as_sentence(error.faults[0].message)}", "error")
    else:
        on_success()
        flash(message if applied.changed else "Nothing to change.")
    refused = request.form.get("refused", "")
    if is_id(refused):  # the page of a refused request added the event
        return redirect(url_for("refused.entry", request_id=refused), 303)
    return redirect(url_for("events.page"), 303)


def _apply(member: Member, change: Callable[[str], str]) -> AppliedRules:
    began_from = request.form.get("began_from", -1, type=database_integer)
    version = rule_versions.find(member.organization.id, began_from)
    if version is None and began_from != 0:
        raise RulesChanged(member.organization.rules_version)
    return apply_rules(
        member.organization.id,
        change(version.source if version else FIRST_TEXT),
        file="rules",
        applied_by=member.person.email,
        now=now(),
        origin=Origin(began_from, in_dashboard=True),
    )


def _flags(book: RuleBook | None, key: str) -> tuple[str, ...]:
    """Return the names of the flags that count an event by its key."""
    flags = (book or NO_RULES).flags
    return tuple(
        flag.name for flag in flags if flag.counts_events and flag.selector.event_key in (None, key)
    )


def _rejected_keys(organization_id: int, at: datetime) -> list[UnknownKey] | None:
    """Return the keys that were rejected; None while Redis does not respond."""
    try:
        return _unknown_keys().of_organization(organization_id, at)
    except RedisError:
        return None


def _unknown_keys() -> UnknownKeys:
    return UnknownKeys(app_context().broker.client)


def _forget(organization_id: int, key: str) -> None:
    try:
        _unknown_keys().forget(organization_id, key)
    except RedisError:
        return  # configured keys are not shown as unknown, and this one expires
