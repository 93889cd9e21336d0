"""`brazebee deliveries`: lists and resends webhook deliveries."""

from datetime import datetime
from typing import Any
from uuid import UUID

import click

from cli.connection import database_transaction, find_organization
from cli.endpoints import enqueue_deliveries, find_endpoint
from cli.errors import CommandError
from cli.option_types import Instant
from cli.output import json_option, org_option, print_json, print_rows, print_text
from cli.progress import wait_for_zero
from models.organizations.organizations import Organization
from models.webhooks import delivery_log, manual_deliveries
from models.webhooks.delivery_log import LoggedDelivery
from models.webhooks.webhook_endpoints import Endpoint
from services.times import utc_now
from services.webhooks import endpoints
from services.webhooks.endpoints import RecoveryRefused

PATIENCE_SECONDS = 90.0
"""Slightly more than a lease, after which a lost attempt is repeated."""


@click.group("deliveries")
def deliveries() -> None:
    """Webhook deliveries: what was sent, when, and the responses."""


@deliveries.command("list")
@click.option("--endpoint", type=click.UUID, help="Only deliveries to this endpoint.")
@click.option(
    "--company", help="Only deliveries about this company, by the id that its events carry."
)
@click.option(
    "--state", type=click.Choice(delivery_log.STATES), help="Only deliveries in this state."
)
@click.option("--since", type=Instant(), help="Only deliveries since this time, in ISO 8601.")
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
    """List deliveries, newest first."""
    filters = {"endpoint": endpoint, "company": company, "state": state, "since": since}
    with database_transaction():
        page, _ = delivery_log.read_page(find_organization(org).id, filters, limit=limit)
    rows = [_as_row(delivery) for delivery in page]
    if not as_json:
        rows = [{k: v for k, v in row.items() if k != "endpoint_id"} for row in rows]
    print_rows(rows, as_json=as_json, empty="No deliveries.")


@deliveries.command("show")
@click.argument("delivery_id", metavar="ID", type=click.UUID)
@org_option
@json_option
def show(delivery_id: UUID, org: str, as_json: bool) -> None:
    """Show one delivery: its payload, and each attempt with its response."""
    with database_transaction():
        organization = find_organization(org)
        delivery, payload = _find(organization, delivery_id)
        attempts = delivery_log.list_attempts(organization.id, delivery_id)
    rows = [vars(attempt) for attempt in attempts]
    if as_json:
        print_json({**_as_row(delivery), "payload": payload, "attempts": rows})
        return
    print_text(f"{delivery.event} for {delivery.company or 'a test'} to {delivery.url}:")
    print_text(f"{delivery.state}\n\n{payload}\n")
    print_rows(rows, as_json=False, empty="No attempts yet.")


@deliveries.command("resend")
@click.argument("delivery_id", metavar="ID", type=click.UUID)
@org_option
@json_option
def resend(delivery_id: UUID, org: str, as_json: bool) -> None:
    """Resend one delivery now that was accepted or given up."""
    with database_transaction() as settings:
        organization = find_organization(org)
        delivery, _ = _find(organization, delivery_id)
        endpoint = find_endpoint(organization, delivery.endpoint_id)
        requests = endpoints.resend(endpoint, delivery_id, utc_now())
    if not requests:
        raise CommandError(f"{delivery_id} is {delivery.state}; it is sent automatically.")
    enqueue_deliveries(settings, requests)
    if as_json:
        print_json({"resent": str(delivery_id)})
    click.echo(f"Sent {delivery_id} again; see `brazebee deliveries show {delivery_id}`.", err=True)


@deliveries.command("recover")
@click.argument("endpoint_id", metavar="ENDPOINT", type=click.UUID)
@click.option("--since", type=Instant(), required=True,
              help="In ISO 8601; by default at most 14 days ago.")  # fmt: skip
@click.option("--latest", is_flag=True, help="Only the latest change of each company.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until all are sent.")
@org_option
@json_option
def recover(
    endpoint_id: UUID, since: datetime, latest: bool, wait: bool, org: str, as_json: bool
) -> None:
    """Resend all failed deliveries to ENDPOINT since a time, in order for each company."""
    with database_transaction() as settings:
        policy, now = settings.webhooks, utc_now()
        endpoint = find_endpoint(find_organization(org), endpoint_id)
        try:
            number, requests = endpoints.recover(
                endpoint, since=since, latest=latest, now=now, policy=policy
            )
        except RecoveryRefused as error:
            raise click.UsageError(f"--since: {error}") from None
    enqueue_deliveries(settings, requests)
    if wait and number:
        _wait_until_sent(endpoint, number)
    if as_json:
        print_json({"recovering": number})
    else:
        click.echo(f"{number} deliveries {'were' if wait else 'are being'} sent again.")


def _wait_until_sent(endpoint: Endpoint, number: int) -> None:
    def count_waiting() -> int:
        with database_transaction():
            return manual_deliveries.count_recovering(endpoint.organization_id, endpoint.id)

    wait_for_zero(
        count_waiting,
        length=number,
        label="Sending again",
        patience_seconds=PATIENCE_SECONDS,
        leftover="are still to be sent. They will be sent, but this command stops waiting.",
    )


def _find(organization: Organization, delivery_id: UUID) -> tuple[LoggedDelivery, str]:
    delivery = delivery_log.find(organization.id, delivery_id)
    if delivery is None:
        raise CommandError(
            f"`{organization.name}` has no delivery {delivery_id}; see `brazebee deliveries list`."
        )
    return delivery


def _as_row(delivery: LoggedDelivery) -> dict[str, Any]:
    return {
        **vars(delivery),
        "id": str(delivery.id),
        "endpoint_id": str(delivery.endpoint_id),
    }
