"""`brazebee webhooks`: the endpoints that health changes are sent to."""

import time
from typing import Any
from uuid import UUID

import click

from cli.connection import database_transaction, find_organization, find_settings
from cli.endpoints import enqueue_deliveries, find_endpoint, require_secret_keys
from cli.errors import CommandError
from cli.output import json_option, org_option, print_json, print_rows, print_text
from config.settings import Settings
from models.webhooks import delivery_log, webhook_endpoints
from models.webhooks.webhook_endpoints import Subscription
from services.times import utc_now
from services.webhooks import endpoints
from services.webhooks.payload import EventType
from services.webhooks.subscriptions import (
    InvalidSubscription,
    check_url,
    read_fields,
    read_overlap,
)

TEST_SPARE_SECONDS = 10.0
"""How much longer a test event may take than one attempt."""

id_argument = click.argument("endpoint_id", metavar="ID", type=click.UUID)


@click.group("webhooks")
def webhooks() -> None:
    """Webhook endpoints: each receives the health changes that it subscribes to."""


@webhooks.command("add")
@click.argument("url")
@click.option("--event", "events", multiple=True, type=click.Choice([str(e) for e in EventType]),
              help="Only this type of event; may be repeated.")  # fmt: skip
@click.option("--status", "statuses", multiple=True, metavar="STATUS",
              help="Only changes to this status; may be repeated.")  # fmt: skip
@click.option("--company", "companies", multiple=True, metavar="ID",
              help="Only this company, by its id in events; may be repeated.")  # fmt: skip
@click.option("--where", "fields", multiple=True, metavar="FIELD=VALUE",
              help="Only companies with this field, such as plan=Enterprise;"
              " may be repeated.")  # fmt: skip
@org_option
@json_option
def add(
    url: str,
    events: tuple[str, ...],
    statuses: tuple[str, ...],
    companies: tuple[str, ...],
    fields: tuple[str, ...],
    org: str,
    as_json: bool,
) -> None:
    """Subscribe URL and print the secret that signs its webhooks; it is shown only once."""
    settings = find_settings()
    _check(url, settings)
    try:
        subscription = Subscription(
            events or None, statuses or None, companies or None, read_fields(fields)
        )
    except InvalidSubscription as error:
        raise click.UsageError(f"--where: {error}") from None
    with database_transaction():
        endpoint_id, secret = webhook_endpoints.add(
            find_organization(org).id,
            url,
            secret_keys=settings.secret_keys,
            subscription=subscription,
        )
    click.echo(f"{url} is subscribed as {endpoint_id}.", err=True)
    _show_secret({"id": str(endpoint_id), "url": url}, secret, as_json=as_json)


@webhooks.command("list")
@org_option
@json_option
def list_endpoints(org: str, as_json: bool) -> None:
    """List the endpoints and their state."""
    with database_transaction():
        subscribed = webhook_endpoints.list_for_organization(find_organization(org).id)
    rows = [
        {
            "id": str(endpoint.id),
            "url": endpoint.url,
            "state": endpoints.describe_state(endpoint),
            "failing_since": endpoint.failing_since,
            "created_at": endpoint.created_at,
        }
        for endpoint in subscribed
    ]
    print_rows(
        rows, as_json=as_json, empty="No webhooks yet; add one with `brazebee webhooks add URL`."
    )


@webhooks.command("show")
@id_argument
@org_option
@json_option
def show(endpoint_id: UUID, org: str, as_json: bool) -> None:
    """Show one endpoint: its subscription and its state."""
    with database_transaction():
        endpoint = find_endpoint(find_organization(org), endpoint_id)
    details = {
        "id": str(endpoint.id),
        "url": endpoint.url,
        "state": endpoints.describe_state(endpoint),
        "disabled_because": endpoint.disabled_because,
        "failures_in_a_row": endpoint.failures,
        "failing_since": endpoint.failing_since,
        "next_probe_at": endpoint.probe_at,
        "last_success_at": endpoint.last_success_at,
        "event_types": endpoint.subscription.event_types,
        "statuses": endpoint.subscription.statuses,
        "companies": endpoint.subscription.companies,
        "company_fields": endpoint.subscription.company_fields,
        "created_at": endpoint.created_at,
    }
    if as_json:
        print_json(details)
        return
    rows = [{"what": name.replace("_", " "), "value": value} for name, value in details.items()]
    print_rows(rows, as_json=False, empty="")


@webhooks.command("remove")
@id_argument
@org_option
@json_option
def remove(endpoint_id: UUID, org: str, as_json: bool) -> None:
    """End a subscription; waiting deliveries are cancelled."""
    with database_transaction():
        endpoints.remove(find_endpoint(find_organization(org), endpoint_id))
    if as_json:
        print_json({"removed": str(endpoint_id)})
    click.echo(f"Removed {endpoint_id}.", err=True)


@webhooks.command("disable")
@id_argument
@org_option
@json_option
def disable(endpoint_id: UUID, org: str, as_json: bool) -> None:
    """Pause an endpoint; waiting and new deliveries are kept until it is enabled."""
    with database_transaction():
        endpoints.disable(find_endpoint(find_organization(org), endpoint_id), "by hand", utc_now())
    if as_json:
        print_json({"disabled": str(endpoint_id)})
    click.echo(f"Disabled {endpoint_id}; its deliveries are kept.", err=True)


@webhooks.command("enable")
@id_argument
@org_option
@json_option
def enable(endpoint_id: UUID, org: str, as_json: bool) -> None:
    """Resume an endpoint, starting with the deliveries that were kept."""
    with database_transaction() as settings:
        requests = endpoints.enable(
            find_endpoint(find_organization(org), endpoint_id), utc_now(), settings.webhooks
        )
    enqueue_deliveries(settings, requests)
    if as_json:
        print_json({"enabled": str(endpoint_id)})
    click.echo(f"Enabled {endpoint_id}.", err=True)


@webhooks.command("rotate-secret")
@id_argument
@click.option("--overlap", default="24 hours", show_default=True,
              help="How long the former secret signs too; up to 7 days.")  # fmt: skip
@org_option
@json_option
def rotate_secret(endpoint_id: UUID, overlap: str, org: str, as_json: bool) -> None:
    """Create a new secret and print it; for a while, both secrets sign."""
    try:
        duration = read_overlap(overlap)
    except InvalidSubscription as error:
        raise click.UsageError(f"--overlap: {error}") from None
    with database_transaction() as settings:
        require_secret_keys(settings)
        endpoint = find_endpoint(find_organization(org), endpoint_id)
        secret = webhook_endpoints.rotate_secret(
            endpoint.organization_id,
            endpoint.id,
            secret_keys=settings.secret_keys,
            former_until=utc_now() + duration,
        )
    _show_secret({"id": str(endpoint_id)}, secret, as_json=as_json)


@webhooks.command("test")
@id_argument
@org_option
@json_option
def test(endpoint_id: UUID, org: str, as_json: bool) -> None:
    """Send a test event now and print the response; exit code 1 if it was not accepted."""
    with database_transaction() as settings:
        organization = find_organization(org)
        delivery_id, requests = endpoints.send_test(
            find_endpoint(organization, endpoint_id), utc_now()
        )
    enqueue_deliveries(settings, requests)
    deadline = time.monotonic() + settings.webhooks.timeout.total_seconds() + TEST_SPARE_SECONDS
    while time.monotonic() < deadline:
        with database_transaction():
            attempts = delivery_log.list_attempts(organization.id, delivery_id)
        if attempts:
            break
        time.sleep(0.1)
    else:
        raise CommandError("Nothing was sent within 25 seconds; is `deliver` running?")
    attempt = attempts[0]
    if as_json:
        print_json(vars(attempt))
    else:
        print_text(attempt.error or f"Accepted: {attempt.status_code} in {attempt.duration_ms} ms.")
        if attempt.response:
            print_text(attempt.response)
    if attempt.error:
        raise SystemExit(1)


def _show_secret(endpoint: dict[str, Any], secret: str, *, as_json: bool) -> None:
    click.echo("This is its secret. Save it now; it is not shown again:", err=True)
    if as_json:
        print_json({**endpoint, "secret": secret})
    else:
        click.echo(secret)


def _check(url: str, settings: Settings) -> None:
    """Refuse a URL that no attempt would be allowed to reach."""
    require_secret_keys(settings)
    try:
        note = check_url(url, settings.webhook_allow_nets)
    except InvalidSubscription as error:
        raise CommandError(str(error)) from None
    if note:
        click.echo(f"Note: {note}", err=True)
