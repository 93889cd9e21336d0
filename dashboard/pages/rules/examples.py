"""Starting from an example: which examples fit what is sent, and one with the events to match."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, editor, viewer
from dashboard.pages.rules.frame import Draft, blueprint
from dashboard.pages.rules.page import show_plan
from dashboard.pages.rules.sent_events import Sent, read_sent
from rules.edits import event_choices
from rules.edits.entries import RuleEditError
from rules.flags import Flag
from services.rules.event_matching import suggest_events
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
    sent = read_sent(member)
    return render_template(
        "rules/examples.html",
        matches=[_match(example, sent) for example in list_examples()],
        sent=sent,
    )


@blueprint.get("/examples/<name:example_name>")
@viewer
def example(member: Member, example_name: str) -> ResponseReturnValue:
    """Show an example with the events to match."""
    sent = read_sent(member)
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
    sent = read_sent(member)
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
