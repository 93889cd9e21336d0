"""`brazebee rejected messages`: messages whose organization is unknown."""

from typing import Any

import click

from cli.connection import database_transaction
from cli.errors import CommandError
from cli.output import content_json, describe, json_option, print_json, print_rows
from models.cursors import UnreadableCursor
from models.events import unreadable_messages
from models.events.unreadable_messages import UnreadableMessage
from services.events.entries import as_text, short

row_id = click.IntRange(1, 2**63 - 1)


@click.group("messages")
def messages() -> None:
    """Messages that could not be read, so nobody knows to which organization they belong."""


@messages.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--after", metavar="CURSOR", help="Continue a list that was longer than its limit.")
@json_option
def list_messages(limit: int, after: str | None, as_json: bool) -> None:
    """List the messages, newest first."""
    with database_transaction():
        try:
            page, cursor = unreadable_messages.read_page(after=after, limit=limit)
        except UnreadableCursor as error:
            raise click.UsageError(f"--after: {error}") from None
    rows = [_as_row(message) for message in page]
    if not as_json:
        rows = [{**row, "reason": short(row["reason"])} for row in rows]
    print_rows(rows, as_json=as_json, empty="No message is set aside.")
    if cursor:
        click.echo(f"There are more; continue with --after {cursor}", err=True)


@messages.command("show")
@click.argument("message_id", metavar="ID", type=row_id)
@json_option
def show(message_id: int, as_json: bool) -> None:
    """Show a message: the reason, and its whole content."""
    with database_transaction():
        found = unreadable_messages.find(message_id)
    if found is None:
        raise _unknown([message_id])
    message, content = found
    if as_json:
        print_json({**_as_row(message), "content": content_json(content)})
        return
    describe({**_as_row(message), "reason": as_text(message.reason.encode())})
    click.echo(f"\n{as_text(content)}")


@messages.command("drop")
@click.argument("ids", metavar="[ID]...", nargs=-1, type=row_id)
@click.option("--all", "every", is_flag=True, help="All messages.")
@click.option("--yes", is_flag=True, help="Drop without asking for confirmation.")
@json_option
def drop(ids: tuple[int, ...], every: bool, yes: bool, as_json: bool) -> None:
    """Delete messages, for good."""
    if bool(ids) == every:
        raise click.UsageError("Name messages by their ids, or use --all.")
    with database_transaction():
        number, latest_id = unreadable_messages.count()
        missing = [] if every else [id_ for id_ in ids if unreadable_messages.find(id_) is None]
    if missing:
        raise _unknown(missing)
    number = number if every else len(set(ids))
    if number and not yes:
        click.confirm(f"Drop {number:,} messages? This cannot be undone.", abort=True, err=True)
    with database_transaction():
        if every:
            dropped = unreadable_messages.delete_until(latest_id)
        else:
            dropped = unreadable_messages.delete(ids)
    if as_json:
        print_json({"dropped": dropped})
    else:
        click.echo(f"{dropped} {'message was' if dropped == 1 else 'messages were'} dropped.")


def _unknown(ids: list[int]) -> CommandError:
    return CommandError(
        f"There is no message {', '.join(map(str, ids))}; nothing was changed. See `brazebee"
        " rejected messages list`."
    )


def _as_row(message: UnreadableMessage) -> dict[str, Any]:
    return dict(vars(message))
