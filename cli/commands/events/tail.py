"""`brazebee events tail`: follows what comes in."""

import time
from typing import Any

import click
import orjson

from cli.commands.events.servers import servers_of
from cli.output import json_option, org_option
from queues.arrivals import WATCHED_SECONDS, Watch
from rules.durations import format_instant
from services.events import entries
from services.health.as_json import json_value
from services.incoming.live import Follower, Line, Outcome

READ_EVERY_SECONDS = 0.5

MOST_LINES = 50
"""The most lines of one reading. Nobody can read more; the others are counted."""


@click.command("tail")
@click.option("--company", help="Only events of this company, by the id that they carry.")
@click.option("--event", help="Only events with this key.")
@click.option("--refused", "only_refused", is_flag=True,
              help="Only what was refused or set aside.")  # fmt: skip
@org_option
@json_option
def tail(
    company: str | None, event: str | None, only_refused: bool, org: str, as_json: bool
) -> None:
    """Follow what comes in, one line for each event, until it is interrupted.

    An event appears once it is stored. If very many come in, only the newest are printed, with the
    number of the others.
    """
    with servers_of(org) as servers:
        watch = Watch(servers.organization_id, company, event)
        follower = Follower(
            servers.organization_id, servers.client, watch, only_refused=only_refused
        )
        click.echo(f"Following the events of `{org}`; Ctrl-C ends it.", err=True)
        watched_until = 0.0
        try:
            while True:
                if time.monotonic() > watched_until - WATCHED_SECONDS / 2:
                    follower.keep_watching()
                    watched_until = time.monotonic() + WATCHED_SECONDS
                lines, more, imported = follower.read(MOST_LINES)
                for line in lines:
                    click.echo(_as_json(line) if as_json else _as_text(line))
                if imported:
                    span = " to ".join(map(format_instant, imported[1:]))
                    click.echo(f"... {imported.number:,} imported events of {span}", err=as_json)
                if more:
                    click.echo(f"... and {more:,} more", err=as_json)
                time.sleep(READ_EVERY_SECONDS)
        except KeyboardInterrupt:
            return


def _as_text(line: Line) -> str:
    outcome = "" if line.outcome == Outcome.STORED else line.outcome.value.upper()
    parts = [
        format_instant(line.at),
        f"of {format_instant(line.occurred_at)}" if line.occurred_at and line.is_late else "",
        outcome,
        line.event_key or "-",
        f"company {line.company}" if line.company else "",
        f"user {line.user}" if line.user else "",
        f"id {line.event_id}" if line.event_id else "",
        f"{line.reason} ({line.number})" if line.reason else "",
    ]
    return entries.as_text("  ".join(filter(None, parts)).replace("\n", " ").encode())


def _as_json(line: Line) -> str:
    row: dict[str, Any] = {**vars(line), "outcome": line.outcome.value}
    return orjson.dumps(json_value(row)).decode()
