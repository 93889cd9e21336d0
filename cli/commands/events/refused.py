"""`brazebee events refused` and `resend`: requests that were refused, and sending them again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import BufferedReader
from itertools import islice
from typing import Any, NamedTuple

import click
from redis.exceptions import RedisError

from cli.commands.events.servers import servers_of
from cli.errors import CommandError
from cli.option_types import Instant
from cli.output import (
    content_json,
    describe,
    json_option,
    org_option,
    print_json,
    print_rows,
    print_text,
)
from ingress.again import SendingAgain, SentAgain, may_be_corrected
from ingress.client.errors import ApiError
from queues.refused.requests import RefusedRequest, RefusedRequests
from services.accounts.audit import COMMAND_LINE, Maker
from services.events import entries
from services.incoming import refusals
from services.incoming.refusals import RefusalFilter
from services.times import utc_now

MAKER = Maker(COMMAND_LINE)

Command = Callable[..., None]


class _Kept(NamedTuple):
    """The refused requests of one organization, and what it takes to send them again."""

    organization_id: int
    requests: RefusedRequests
    sending: SendingAgain

    def chosen(self, ids: tuple[str, ...], chosen: RefusalFilter) -> list[RefusedRequest]:
        """Return the requests with these ids, or without ids those that a filter matches.

        Raises:
            CommandError: there is no request with one of the ids.
        """
        if not ids:
            return list(chosen.among(self.requests.every(self.organization_id, utc_now())))
        found = {request_id: self.find(request_id) for request_id in ids}
        return list(found.values())

    def find(self, request_id: str) -> RefusedRequest:
        """Return a request.

        Raises:
            CommandError: there is none with this id.
        """
        found = self.requests.find(self.organization_id, request_id)
        if found is None:
            raise CommandError(
                f"No refused request `{request_id}` is kept. It was sent again or dropped, or newer"
                " ones took its place; see `brazebee events refused`."
            )
        return found


@contextmanager
def _kept(org: str) -> Iterator[_Kept]:
    with servers_of(org) as servers:
        sending = SendingAgain.build(servers.settings, servers.client, utc_now)
        yield _Kept(servers.organization_id, RefusedRequests(servers.client), sending)


def _filter_options(command: Command) -> Command:
    """Add the options that choose among refused requests."""
    for option in (
        click.option("--since", type=Instant(),
                     help="Only requests refused since this time, in ISO 8601."),
        click.option("--reason", help="Only requests with this text in their reason."),
        click.option("--event", help="Only requests with this event key."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group("refused", invoke_without_command=True)
@_filter_options
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@org_option
@json_option
@click.pass_context
def refused(
    context: click.Context,
    event: str | None,
    reason: str | None,
    since: datetime | None,
    limit: int,
    org: str,
    as_json: bool,
) -> None:
    """List the requests that were refused in the last 7 days, newest first."""
    if context.invoked_subcommand:
        return
    with _kept(org) as kept:
        chosen = RefusalFilter(event, reason, since)
        every = chosen.among(kept.requests.every(kept.organization_id, utc_now()))
        found = list(islice(every, limit + 1))
    rows = [_as_row(request) if as_json else _as_text(request) for request in found[:limit]]
    print_rows(rows, as_json=as_json, empty="No refused request is kept.")
    if len(found) > limit:
        click.echo("There are more; see `--limit`.", err=True)


@refused.command("show")
@click.argument("request_id", metavar="ID")
@org_option
@json_option
def show(request_id: str, org: str, as_json: bool) -> None:
    """Show a refused request: every fault, and its body."""
    with _kept(org) as kept:
        request = kept.find(request_id)
    refusal = request.refusal
    row = {**_as_row(request), "bytes": request.size, "key_id": refusal.key_id}
    if as_json:
        print_json({**row, "details": refusal.details, "body": content_json(refusal.body)})
        return
    describe(row)
    if refusal.details:
        click.echo("\nFaults:")
        print_text("\n".join(_faults(refusal.details)))
    if request.is_cut:
        click.echo(f"\nThe beginning of its body, {len(refusal.body):,} bytes:")
    elif refusal.body:
        click.echo("\nIts body:")
    else:
        click.echo("\nIts body was not read.")
    click.echo(refusals.body_text(refusal.body))


@refused.command("drop")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@_filter_options
@click.option(
    "--all", "every", is_flag=True, help="All requests that are kept, or that the filters match."
)
@click.option("--yes", is_flag=True, help="Drop without asking for confirmation.")
@org_option
@json_option
def drop(
    ids: tuple[str, ...], every: bool, yes: bool, org: str, as_json: bool, **filters: Any
) -> None:
    """Forget refused requests, for good."""
    chosen = _selection(ids, every, filters)
    with _kept(org) as kept:
        requests = kept.chosen(ids, chosen)
        if requests and not yes:
            question = f"Drop {len(requests):,} refused requests of `{org}`?"
            click.confirm(f"{question} This cannot be undone.", abort=True, err=True)
        dropped = refusals.drop(
            kept.organization_id, kept.requests, requests, maker=MAKER, at=utc_now()
        )
    if as_json:
        print_json({"dropped": dropped})
    else:
        click.echo(f"{dropped} {'request was' if dropped == 1 else 'requests were'} dropped.")


@click.command("resend")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@_filter_options
@click.option(
    "--all", "every", is_flag=True, help="All requests that are kept, or that the filters match."
)
@click.option(
    "--body",
    type=click.File("rb"),
    metavar="FILE",
    help="Send this JSON in place of the body of one request; - is standard input.",
)
@org_option
@json_option
def resend(
    ids: tuple[str, ...],
    every: bool,
    body: BufferedReader | None,
    org: str,
    as_json: bool,
    **filters: Any,
) -> None:
    """Send refused requests again, after what they were refused for is mended.

    Each is checked as a new one, and counts at the time at which it was first sent. What is
    refused again stays in the list. With --body, one request is sent with another body.
    """
    chosen = _selection(ids, every, filters)
    if body is not None:
        if len(ids) != 1:
            raise click.UsageError("--body goes with one id.")
        _correct(ids[0], body.read(), org, as_json=as_json)
        return
    with _kept(org) as kept:
        # Oldest first: events are stored in the order in which they are appended.
        requests = sorted(kept.chosen(ids, chosen), key=lambda request: request.refusal.at)
        results, stopped = _send(kept, requests)
    sent = [result for result in results if result.error is None]
    again = [result for result in results if result.error]
    _print_results(sent, again, as_json=as_json)
    lines = [f"{r.request.id} was refused again: {r.reason}." for r in again]
    if stopped:
        lines.append(stopped)
    if lines:
        raise CommandError(entries.as_text("\n".join(lines).encode()))


def _send(kept: _Kept, requests: list[RefusedRequest]) -> tuple[list[SentAgain], str | None]:
    """Send requests again; return the results, and why it stopped before all were sent."""
    results: list[SentAgain] = []
    stopped = None
    try:
        results.extend(kept.sending.send(kept.organization_id, requests))
    except ApiError as error:
        stopped = f"Stopped: {error.error}. What is left stays in the list; try again."
    except RedisError as error:
        stopped = (
            f"Redis does not answer: {str(error).rstrip('.')}. Try again; nothing counts twice."
        )
    event_ids = [result.event_id for result in results if result.event_id]
    refusals.record_sent_again(kept.organization_id, event_ids, maker=MAKER, at=utc_now())
    return results, stopped


def _correct(request_id: str, body: bytes, org: str, *, as_json: bool) -> None:
    """Send one request again with another body.

    Raises:
        CommandError: it cannot be corrected, or was refused again.
    """
    with _kept(org) as kept:
        request = kept.find(request_id)
        if not may_be_corrected(request):
            raise CommandError(
                f"The body of `{request_id}` cannot be corrected: it is not kept as a whole, or"
                " was not what the request was refused for."
            )
        try:
            result = kept.sending.correct(kept.organization_id, request, body)
        except ApiError as error:
            raise CommandError(f"{error.error}. Nothing was changed; try again.") from None
        if result.error is None:
            name = result.event_id or request_id
            refusals.record_corrected(kept.organization_id, name, maker=MAKER, at=utc_now())
    sent, again = ([result], []) if result.error is None else ([], [result])
    _print_results(sent, again, as_json=as_json)
    if result.error:
        lines = [f"{request_id} was refused again: {result.error.error}."]
        lines += _faults(result.error.details)
        raise CommandError(entries.as_text("\n".join(lines).encode()))


def _print_results(sent: Sequence[SentAgain], again: Sequence[SentAgain], *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "accepted": [{"id": r.request.id, "event_id": r.event_id} for r in sent],
                "refused": [{"id": r.request.id, "reason": r.reason} for r in again],
            }
        )
    else:
        click.echo(f"{len(sent)} {'request was' if len(sent) == 1 else 'requests were'} accepted.")


def _faults(details: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for each fault, such as `- company.name: Required`."""
    lines = []
    for fault in details:
        path = ".".join(map(str, fault.get("path", ())))
        lines.append("- " + ": ".join(filter(None, (path, str(fault.get("message", ""))))))
    return lines


def _selection(ids: tuple[str, ...], every: bool, filters: dict[str, Any]) -> RefusalFilter:
    if bool(ids) == every:
        raise click.UsageError("Name requests by their ids, or use --all.")
    if ids and any(value is not None for value in filters.values()):
        raise click.UsageError("--event, --reason and --since go with --all.")
    return RefusalFilter(**filters)


def _as_row(request: RefusedRequest) -> dict[str, Any]:
    refusal = request.refusal
    return {
        "id": request.id,
        "at": refusal.at,
        "form": refusal.form,
        "path": refusal.path,
        "event": refusal.event_key,
        "event_id": refusal.event_id,
        "status": refusal.status,
        "reason": refusal.reason,
    }


def _as_text(request: RefusedRequest) -> dict[str, Any]:
    """Return a row for a table, in which no value is long."""
    row = {name: value for name, value in _as_row(request).items() if name != "path"}
    return {k: entries.short(v) if isinstance(v, str) else v for k, v in row.items()}
