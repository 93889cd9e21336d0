"""Starting from an example: which examples fit what is sent, and one with the events to match."""

from collections.abc import Collection, Mapping, Sequence
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
from queues.refused.unknown_event_keys import UnknownKeys
from rules.book import RuleBook
from rules.edits import event_choices
from rules.edits.entries import RuleEditError
from rules.edits.event_choices import SentEvent
from rules.edits.events import key_for
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
    """What an organization sends: event keys that are stored, names that are refused, fields.

    `refused` is empty while Redis does not respond. `rules` are those in force.
    """

    stored: Sequence[str]
    refused: Sequence[str]
    fields: frozenset[str]
    rules: RuleBook

    @property
    def names(self) -> list[str]:
        """Everything that is sent, stored or refused, in alphabetical order."""
        return sorted({*self.stored, *self.refused}, key=str.casefold)

    def event(self, name: str, own_key: str | None = None) -> SentEvent:
        """Return an event by what it is sent as.

        What is stored keeps its key, and what the rules in force say about it. A name that is no
        good key gets `own_key`, or else a key that is made from it.
        """
        known = self.rules.events.get(name)
        if known is not None:
            return SentEvent(name, known.called, known.name if known.name != name else None)
        key = key_for(name, {*self.rules.events, *self.stored})
        if name in self.stored or key == name:
            return SentEvent(name)
        return SentEvent(own_key or key, (name,), name)

    def others(self, chosen: Collection[str]) -> list[str]:
        """Return what else is sent and not refused on purpose."""
        disabled = {event.key for event in self.rules.events.values() if not event.enabled}
        return [name for name in self.names if name not in disabled and name not in chosen]


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
        """Return the flags that count an event, or any event."""
        flags = self.example.book.flags_counting(event_key)
        return [flag for flag in flags if flag.counts_events]

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
    return render_template(
        "rules/example.html",
        match=match,
        example=match.example,
        sent=sent,
        others=sent.others([name for name in match.suggested.values() if name]),
        in_force=sent.rules.flags,
    )


@blueprint.post("/examples/<name:example_name>")
@editor
def adapt(member: Member, example_name: str) -> ResponseReturnValue:
    """Show what the adapted example would change; applying it is the next step."""
    chosen = find_example(example_name) or abort(404)
    sent = _read_sent(member)
    names = {key: _choice(key) for key in chosen.book.events}
    choices = {key: sent.event(name, own_key=key) if name else None for key, name in names.items()}
    others = sent.others([name for name in names.values() if name])[:MOST_ACCEPTED]
    also_accept = [sent.event(name) for name in others] if "others" in request.form else []
    try:
        adapted = event_choices.adapt(chosen.text, choices, also_accept)
    except RuleEditError as error:
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
    """Return what was chosen for an event of an example; None if it is left out."""
    chosen = request.form.get(CHOICE + event_key, OWN_KEY)
    if chosen.startswith(SENT_KEY):
        return chosen.removeprefix(SENT_KEY)
    return event_key if chosen == OWN_KEY else None


def _match(example: RuleExample, sent: Sent) -> Match:
    return Match(
        example,
        suggest_events(example.book.events, sent.names),
        {field: field in sent.fields for field in sorted(example.book.company_fields)},
    )


def _read_sent(member: Member) -> Sent:
    organization_id, at = member.organization.id, now()
    with transaction():
        read_one_snapshot()
        stored = list(event_volumes.read_volumes(organization_id, at))
        fields = field_names.list_names(organization_id)
        book = rules_in_force(member.organization) or NO_RULES
    try:
        unknown = UnknownKeys(app_context().broker.client).of_organization(organization_id, at)
    except RedisError:
        unknown = []
    known = {*stored, *book.events, *(n for event in book.events.values() for n in event.called)}
    refused = [key.event_key for key in unknown if key.event_key not in known]
    return Sent(stored, refused, frozenset([*fields, *CORE_FIELDS]), book)
