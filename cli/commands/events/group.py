"""The group of commands about events."""

import click

from cli.commands.events.refused import refused, resend


@click.group("events")
def events() -> None:
    """Events as they come in: a live list, those that were refused, and what became of one."""


events.add_command(refused)
events.add_command(resend)
