"""`brazebee deliveries`: what was sent, and sending it again."""

import time
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import click

from cli.commands.webhooks import enqueue_deliveries
from cli.connection import database_transaction, find_organization
from cli.errors import CommandError
from cli.option_types import Instant
from cli.output import json_option, org_option, print_json, print_rows
from cli.progress import with_progress
from models.webhooks import delivery_log
from models.webhooks.webhook_endpoints import Endpoint
from services.times import utc_now
from services.webhooks import endpoints
from services.webhooks.endpoints import NoSuchEndpoint, RecoveryRefused

PATIENCE_SECONDS = 90.0
"""A little more than a lease, after which an attempt that was lost is made again."""


@click.group("deliveries")
def deliveries() -> None:
    """Webhook deliveries: what was sent, when, and what was answered."""


@deliveries.command("list")
@click.option("--endpoint", type=click.UUID, help="Only to this endpoint.")
@click.option("--company", help="Only of this company, by the id that its events carry.")
@click.option("--state", type=click.Choice(delivery_log.STATES), help="Only in this state.")
@click.option("--since", type=Instant(), help="Only since then, in ISO 8601.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@org_option
@json_option
def list_deliveries(
    endpoint: UUID | None,
    company: str | None,
    state: str | None,
    since: datetime | None,
    limit: int,
    org: str,
    as_json: bool,
) -> None:
    """List deliveries, the newest first."""
    filters = {"endpoint": endpoint, "company": company, "state": state, "since": since}
    with database_transaction():
        found, _ = delivery_log.page(find_organization(org).id, filters, limit=limit)
    rows = [{**vars(one), "id": str(one.id), "endpoint_id": str(one.endpoint_id)} for one in found]
    if not as_json:
        rows = [{k: v for k, v in row.items() if k != "endpoint_id"} for row in rows]
    print_rows(rows, as_json=as_json, empty="No delivery.")


@deliveries.command("show")
@click.argument("delivery_id", metavar="ID", type=click.UUID)
@org_option
@json_option
def show(delivery_id: UUID, org: str, as_json: bool) -> None:
    """Show one delivery: its payload, and each attempt with what was answered."""
    with database_transaction():
        found = delivery_log.find(find_organization(org).id, delivery_id)
        attempts = delivery_log.attempts(delivery_id)
    if found is None:
        raise CommandError(
            f"`{org}` has no delivery {delivery_id}; see `brazebee deliveries list`."
        )
    delivery, payload = found
    if as_json:
        told = {**vars(delivery), "id": str(delivery.id), "endpoint_id": str(delivery.endpoint_id)}
        print_json({**told, "payload": payload, "attempts": [vars(one) for one in attempts]})
        return
    click.echo(f"{delivery.event} for {delivery.company or 'a test'} to {delivery.url}:")
    click.echo(f"{delivery.state}\n\n{payload}\n")
    print_rows([vars(one) for one in attempts], as_json=False, empty="No attempt yet.")


@deliveries.command("resend")
@click.argument("delivery_id", metavar="ID", type=click.UUID)
@org_option
@json_option
def resend(delivery_id: UUID, org: str, as_json: bool) -> None:
    """Send one delivery again now, which was accepted or given up."""
    with database_transaction() as settings:
        organization = find_organization(org)
        found = delivery_log.find(organization.id, delivery_id)
        if found is None:
            raise CommandError(
                f"`{org}` has no delivery {delivery_id}; see `brazebee deliveries list`."
            )
        endpoint = _endpoint(org, organization.id, found[0].endpoint_id)
        following = endpoints.resend(endpoint, delivery_id, utc_now())
    if not following:
        raise CommandError(f"{delivery_id} is {found[0].state}; it goes out by itself.")
    enqueue_deliveries(settings, following)
    if as_json:
        print_json({"resent": str(delivery_id)})
    click.echo(f"Sent {delivery_id} again; see `brazebee deliveries show {delivery_id}`.", err=True)


@deliveries.command("recover")
@click.argument("endpoint_id", metavar="ENDPOINT", type=click.UUID)
@click.option("--since", type=Instant(), required=True,
              help="In ISO 8601; up to 14 days back, unless set otherwise.")  # fmt: skip
@click.option("--latest", is_flag=True, help="Only the newest change of each company.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until all are sent.")
@org_option
@json_option
def recover(
    endpoint_id: UUID, since: datetime, latest: bool, wait: bool, org: str, as_json: bool
) -> None:
    """Send again all that failed for ENDPOINT since a time, in order per company."""
    with database_transaction() as settings:
        policy, now = settings.webhooks, utc_now()
        endpoint = _endpoint(org, find_organization(org).id, endpoint_id)
        try:
            number, following = endpoints.recover(
                endpoint, since=since, latest=latest, now=now, policy=policy
            )
        except RecoveryRefused as error:
            raise click.UsageError(f"--since: {error}") from None
    enqueue_deliveries(settings, following)
    if wait and number:
        waiting = _sent_one_by_one(endpoint, number)
        for _ in with_progress(waiting, length=number, label="Sending again"):
            pass
    if as_json:
        print_json({"recovering": number})
    else:
        click.echo(f"{number} deliveries {'were' if wait else 'are being'} sent again.")


def _sent_one_by_one(endpoint: Endpoint, number: int) -> Iterator[None]:
    left, sent_last = number, time.monotonic()
    while left:
        time.sleep(0.2)
        with database_transaction():
            now_left = min(left, delivery_log.count_recovering(endpoint.id))
        if now_left < left:
            sent_last = time.monotonic()
            yield from [None] * (left - now_left)
            left = now_left
        elif time.monotonic() - sent_last > PATIENCE_SECONDS:
            click.echo(f"{left} are still to be sent, and will be; this waits no longer.", err=True)
            return


def _endpoint(org: str, organization_id: int, endpoint_id: UUID) -> Endpoint:
    try:
        return endpoints.find(organization_id, endpoint_id)
    except NoSuchEndpoint:
        raise CommandError(
            f"`{org}` has no webhook {endpoint_id}; see `brazebee webhooks list`."
        ) from None
