"""The group of commands about events."""

import click

from cli.commands.events.refused import refused, resend
from cli.commands.events.tail import tail
from cli.commands.events.trace import trace_event


@click.group("events")
def events() -> None:
    """Events as they come in: a live list, those that were refused, and what became of one."""


events.add_command(refused)
events.add_command(resend)
events.add_command(tail)
events.add_command(trace_event)
