"""Starting from an example: which examples fit what is sent, and one with the events to match."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from dashboard.access import Member, editor, viewer
from dashboard.pages.rules.frame import Draft, blueprint
from dashboard.pages.rules.page import show_plan
from dashboard.web.context import app_context, now, rules_in_force
from models.companies.companies import CORE_FIELDS
from models.companies.fields import field_names
from models.database import read_one_snapshot, transaction
from models.events import event_volumes
from queues.unknown_event_keys import UnknownKeys
from rules.file import event_choices
from rules.file.event_edits import EventEditError
from rules.flags import Flag
from services.rules.event_matching import suggest_events
from services.rules.rule_books import NO_RULES
from services.rules.rule_examples import RuleExample, find_example, list_examples

CHOICE = "event."
"""Prefix of the fields with what an event of the example is called by the organization."""

LEAVE_OUT = ""
OWN_KEY = "own"
SENT_KEY = "sent."
"""Values of these fields: no such event, the key of the example, or a key that is sent."""

MOST_ACCEPTED = 100
"""Further keys that are listed with an example."""


@dataclass(frozen=True)
class Sent:
    """What an organization sends: event keys that are stored, others that are refused, fields.

    `refused` is empty while Redis does not respond.
    """

    stored: Sequence[str]
    refused: Sequence[str]
    fields: frozenset[str]

    @property
    def keys(self) -> list[str]:
        """All event keys that are sent, by name."""
        return sorted({*self.stored, *self.refused}, key=str.casefold)


@dataclass(frozen=True)
class Match:
    """An example, with the key that is suggested for each event and what is known of its fields."""

    example: RuleExample
    suggested: Mapping[str, str | None]
    fields: Mapping[str, bool]

    @property
    def matched(self) -> int:
        """How many of its events are sent."""
        return sum(key is not None for key in self.suggested.values())

    def flags_of(self, event_key: str) -> list[Flag]:
        """Return the flags that count an event."""
        flags = self.example.book.flags
        return [flag for flag in flags if flag.selector.event_key == event_key]

    def data_of(self, event_key: str) -> list[str]:
        """Return the fields of an event's data that its flags filter by."""
        paths = {
            f"data.{'.'.join(path)}"
            for flag in self.flags_of(event_key)
            for path, _ in flag.selector.where
        }
        return sorted(paths)


@blueprint.get("/examples")
@viewer
def examples(member: Member) -> ResponseReturnValue:
    """Show all examples, and how much of each is sent."""
    sent = _read_sent(member)
    return render_template(
        "rules/examples.html",
        matches=[_match(example, sent) for example in list_examples()],
        sent=sent,
    )


@blueprint.get("/examples/<name:example_name>")
@viewer
def example(member: Member, example_name: str) -> ResponseReturnValue:
    """Show an example with the events to match."""
    sent = _read_sent(member)
    match = _match(find_example(example_name) or abort(404), sent)
    with transaction():
        book = rules_in_force(member.organization) or NO_RULES
    taken = {key for key in match.suggested.values() if key}
    return render_template(
        "rules/example.html",
        match=match,
        example=match.example,
        sent=sent,
        others=[key for key in sent.keys if key not in taken and key not in match.suggested],
        in_force=book.flags,
    )


@blueprint.post("/examples/<name:example_name>")
@editor
def adapt(member: Member, example_name: str) -> ResponseReturnValue:
    """Show what the adapted example would change; applying it is the next step."""
    chosen = find_example(example_name) or abort(404)
    choices = {key: _choice(key) for key in chosen.book.events}
    accepted = {key for key in choices.values() if key}
    others = [key for key in _read_sent(member).keys if key not in accepted]
    also_accept = others[:MOST_ACCEPTED] if "others" in request.form else []
    try:
        adapted = event_choices.adapt(chosen.text, choices, also_accept)
    except EventEditError as error:
        flash(str(error), "error")
        return redirect(url_for("rules.example", example_name=example_name), 303)
    left_out = ", ".join(adapted.left_out)
    flash(
        f"This is the example “{chosen.title}” with your events. "
        + (f"Left out, as their events are not sent: {left_out}. " if left_out else "")
        + "Nothing changes until you apply it."
    )
    return show_plan(member, Draft(adapted.text, member.organization.rules_version))


def _choice(event_key: str) -> str | None:
    """Return the key that was chosen for an event of an example; None if it is left out."""
    chosen = request.form.get(CHOICE + event_key, OWN_KEY)
    if chosen.startswith(SENT_KEY):
        return chosen.removeprefix(SENT_KEY)
    return event_key if chosen == OWN_KEY else None


def _match(example: RuleExample, sent: Sent) -> Match:
    return Match(
        example,
        suggest_events(example.book.events, sent.keys),
        {field: field in sent.fields for field in sorted(example.book.company_fields)},
    )


def _read_sent(member: Member) -> Sent:
    organization_id, at = member.organization.id, now()
    with transaction():
        read_one_snapshot()
        stored = list(event_volumes.read_volumes(organization_id, at))
        fields = field_names.list_names(organization_id)
    try:
        unknown = UnknownKeys(app_context().broker.client).of_organization(organization_id, at)
    except RedisError:
        unknown = []
    refused = [key.event_key for key in unknown if key.event_key not in stored]
    return Sent(stored, refused, frozenset([*fields, *CORE_FIELDS]))
