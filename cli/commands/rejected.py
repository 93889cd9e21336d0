"""`brazebee rejected`: lists, retries and drops accepted events that could not be stored."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import click
from redis.exceptions import RedisError

from cli.commands.unreadable_messages import messages
from cli.connection import (
    database_transaction,
    find_organization,
    find_settings,
    report_database_errors,
)
from cli.errors import CommandError
from cli.option_types import Instant
from cli.output import content_json, describe, json_option, org_option, print_json, print_rows
from models.cursors import UnreadableCursor
from models.database import connect, transaction
from models.events import rejected_events, unreadable_messages
from models.events.rejected_events import RejectedEvent
from queues.broker import build_broker
from queues.lanes.lane_queue import LaneQueue
from services.accounts.audit import COMMAND_LINE, Maker
from services.events import entries
from services.events import rejected as service
from services.events.records import read_entry
from services.events.rejected import NoSuchEvent, Retried
from services.events.tracked_event import UnreadableEvent
from services.times import utc_now

MAKER = Maker(COMMAND_LINE)

Command = Callable[..., None]

row_id = click.IntRange(1, 2**63 - 1)


def _filter_options(command: Command) -> Command:
    """Add the options that choose among the events that are set aside."""
    for option in (
        click.option("--since", type=Instant(),
                     help="Only events set aside since this time, in ISO 8601."),
        click.option("--reason", help="Only events with this text in their reason."),
        click.option("--company",
                     help="Only events of this company, by the id that its events carry."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group("rejected")
def rejected() -> None:
    """Accepted events that could not be stored and were set aside, with the reasons."""


rejected.add_command(messages)


@rejected.command("list")
@_filter_options
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--after", metavar="CURSOR", help="Continue a list that was longer than its limit.")
@org_option
@json_option
def list_rejected(
    company: str | None,
    reason: str | None,
    since: datetime | None,
    limit: int,
    after: str | None,
    org: str,
    as_json: bool,
) -> None:
    """List the events that are set aside, newest first."""
    filters = {"company": company, "reason": reason, "since": since}
    with database_transaction():
        organization_id = find_organization(org).id
        try:
            page, cursor = rejected_events.read_page(
                organization_id, filters, after=after, limit=limit
            )
        except UnreadableCursor as error:
            raise click.UsageError(f"--after: {error}") from None
        unreadable, _ = unreadable_messages.count()
    rows = [_as_row(event) if as_json else _as_text(event) for event in page]
    print_rows(rows, as_json=as_json, empty="No event is set aside.")
    if cursor:
        click.echo(f"There are more; continue with --after {cursor}", err=True)
    if unreadable:
        click.echo(
            f"{unreadable:,} messages belong to no organization;"
            " see `brazebee rejected messages list`.",
            err=True,
        )


@rejected.command("show")
@click.argument("entry_id", metavar="ID", type=row_id)
@org_option
@json_option
def show(entry_id: int, org: str, as_json: bool) -> None:
    """Show an event that is set aside: the reason, and its content as it was accepted."""
    with database_transaction():
        organization = find_organization(org)
        entry = rejected_events.find(organization.id, entry_id)
    if entry is None:
        raise _unknown(org, [entry_id])
    accepted_at = entries.accepted_at(entry.fields)
    obstacle = None
    try:
        read_entry(organization.id, entry.fields)
    except UnreadableEvent as error:
        obstacle = str(error)
    row = {**_as_row(entry.event), "accepted_at": accepted_at, "cannot_be_retried": obstacle}
    fields = entries.pairs(entry.fields)
    if as_json:
        shown = [{"name": content_json(n), "value": content_json(v)} for n, v in fields]
        print_json({**row, "fields": shown})
        return
    describe({**row, "reason": entries.as_text(row["reason"].encode())})
    click.echo("\nIts content, by format, and its other fields:")
    for name, value in fields:
        click.echo(f"\n{entries.as_text(name)}: {entries.as_text(value)}")


def _selection_arguments(command: Command) -> Command:
    """Add the arguments of commands that change events: ids, or all, perhaps filtered."""
    command = _filter_options(command)
    command = click.option("--all", "every", is_flag=True,
                           help="All events that are set aside, or that the filters match.")(
        command
    )  # fmt: skip
    return click.argument("ids", metavar="[ID]...", nargs=-1, type=row_id)(command)


@rejected.command("retry")
@_selection_arguments
@org_option
@json_option
def retry(ids: tuple[int, ...], every: bool, org: str, as_json: bool, **filters: Any) -> None:
    """Return events to the journal, to be stored as they were accepted.

    An event that is refused again is set aside again, with the new reason.
    """
    selection = _selection(ids, every, filters)
    settings = find_settings()
    connect(settings)
    journal = LaneQueue.of_events(build_broker(settings.redis_url).client)
    retried, obstacles = 0, dict[int, str]()
    try:
        with report_database_errors():
            for result in _retry(org, selection, journal):
                retried += result.events
                obstacles |= result.unreadable
    except RedisError as error:
        reason = str(error).rstrip(".")
        raise CommandError(
            f"Redis does not answer: {reason}. Before that, {retried} {_were(retried)} retried."
        ) from None
    if as_json:
        refused = [{"id": number, "reason": reason} for number, reason in obstacles.items()]
        print_json({"retried": retried, "cannot_be_retried": refused})
    else:
        click.echo(f"{retried} {_were(retried)} returned to the journal.")
    if obstacles:
        raise CommandError(
            "\n".join(f"{number} cannot be retried: {why}." for number, why in obstacles.items())
        )


def _retry(org: str, selection: dict[str, Any], journal: LaneQueue) -> Iterator[Retried]:
    change: dict[str, Any] = {"maker": MAKER, "at": utc_now()}
    with transaction():
        organization_id = find_organization(org).id
    if "ids" not in selection:
        yield from service.retry_all(organization_id, selection, journal, **change)
        return
    try:
        with transaction():
            retried = service.retry(organization_id, selection, journal, **change)
    except NoSuchEvent as error:
        raise _unknown(org, error.ids) from None
    yield retried


@rejected.command("drop")
@_selection_arguments
@click.option("--yes", is_flag=True, help="Drop without asking for confirmation.")
@org_option
@json_option
def drop(
    ids: tuple[int, ...], every: bool, yes: bool, org: str, as_json: bool, **filters: Any
) -> None:
    """Delete events that are set aside, for good."""
    selection = _selection(ids, every, filters)
    with database_transaction():
        organization_id = find_organization(org).id
        selection["until_id"] = rejected_events.latest_id(organization_id)
        number = rejected_events.count(organization_id, selection)
    if number and not yes:
        click.confirm(
            f"Drop {number:,} events of `{org}`? This cannot be undone.", abort=True, err=True
        )
    with database_transaction():
        try:
            dropped = service.drop(organization_id, selection, maker=MAKER, at=utc_now())
        except NoSuchEvent as error:
            raise _unknown(org, error.ids) from None
    if as_json:
        print_json({"dropped": dropped})
    else:
        click.echo(f"{dropped} {_were(dropped)} dropped.")


def _selection(ids: tuple[int, ...], every: bool, filters: dict[str, Any]) -> dict[str, Any]:
    if bool(ids) == every:
        raise click.UsageError("Name events by their ids, or use --all.")
    if ids and any(value is not None for value in filters.values()):
        raise click.UsageError("--company, --reason and --since go with --all.")
    return {"ids": list(ids)} if ids else dict(filters)


def _unknown(org: str, ids: Any) -> CommandError:
    return CommandError(
        f"`{org}` has no event {', '.join(map(str, ids))} that is set aside; nothing was changed."
        " See `brazebee rejected list`."
    )


def _were(number: int) -> str:
    return "event was" if number == 1 else "events were"


def _as_row(event: RejectedEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "set_aside_at": event.rejected_at,
        "company": event.company,
        "event_id": event.event_id,
        "reason": event.error,
    }


def _as_text(event: RejectedEvent) -> dict[str, Any]:
    """Return a row for a table, in which no value has line breaks or commands to a terminal."""
    row = _as_row(event)
    return {k: entries.short(v) if isinstance(v, str) else v for k, v in row.items()}
