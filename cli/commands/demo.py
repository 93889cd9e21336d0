"""`brazebee demo`: a company goes quiet and comes back, and real webhooks report it."""

import click

from cli.connection import find_running, find_settings, report_database_errors
from cli.errors import CommandError
from demo.errors import DemoError
from demo.story import PAYLOAD_INTRODUCTION, play
from models.database import connect


@click.command()
def demo() -> None:
    """Play a story of half a minute against a running `brazebee up`.

    It has its own organization, `demo-story`, and leaves the others alone.
    """
    base_url, settings = find_running().base_url, find_settings()
    connect(settings)
    with report_database_errors():
        try:
            play(settings, base_url, _print_line)
        except DemoError as error:
            raise CommandError(str(error)) from None


def _print_line(line: str) -> None:
    click.secho(line, fg="green" if line == PAYLOAD_INTRODUCTION else None)
