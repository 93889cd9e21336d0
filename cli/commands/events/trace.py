"""`brazebee events trace`: what became of one event."""

import click

from cli.commands.events.servers import servers_of
from cli.errors import CommandError
from cli.output import json_option, org_option, print_json, print_text
from rules.durations import format_instant
from services.incoming.trace import Step, trace
from services.rules.rule_books import RuleBooks
from services.times import utc_now

UNKNOWN = (
    "No event `{id}` is stored, waits to be stored, is set aside, or was refused in the last 7"
    " days. So it was not accepted for `{org}`: look for the answer that the application got, and"
    " whether it sent the event with a key of this organization."
)


@click.command("trace")
@click.argument("event_id", metavar="ID")
@org_option
@json_option
def trace_event(event_id: str, org: str, as_json: bool) -> None:
    """Show what became of one event, from its request to the webhooks.

    ID is the id that the answer to the event has, or the number of a refused request.
    """
    with servers_of(org) as servers:
        found = trace(servers.organization_id, event_id, servers.client, RuleBooks(), utc_now())
    if as_json:
        steps = [{**vars(step), "state": step.state.value} for step in found.steps]
        print_json({**vars(found), "steps": steps})
    if not found.steps:
        message = UNKNOWN.format(id=event_id, org=org)
        raise CommandError(message + (f" But {found.incomplete}." if found.incomplete else ""))
    if as_json:
        return
    about = [f"Event {found.event_id}", found.event_key or ""]
    about += [f"company {found.company}"] if found.company else []
    about += [f"user {found.user}"] if found.user else []
    print_text(", ".join(filter(None, about)))
    for step in found.steps:
        print_text(_line(step))
        if step.advice:
            print_text(f"{'':26}{step.advice}.")


def _line(step: Step) -> str:
    at = format_instant(step.at) if step.at else "now"
    return f"{at:<26}{step.title}: {step.text}."
