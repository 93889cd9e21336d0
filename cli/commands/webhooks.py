"""`brazebee webhooks`: where changes of health are sent, and how that goes."""

import time
from typing import Any
from uuid import UUID

import click

from cli.connection import database_transaction, find_organization, find_settings
from cli.errors import CommandError
from cli.output import json_option, org_option, print_json, print_rows
from config.settings import Settings
from models.webhooks import delivery_log, webhook_endpoints
from models.webhooks.deliveries import Request
from models.webhooks.webhook_endpoints import Endpoint, Wanted
from queues.broker import build_broker
from services.times import utc_now
from services.webhooks import endpoints
from services.webhooks.endpoints import NoSuchEndpoint
from services.webhooks.payload import EventType
from services.webhooks.subscriptions import (
    InvalidSubscription,
    check_url,
    read_fields,
    read_overlap,
)

TEST_SPARE_SECONDS = 10.0
"""How much longer than one attempt a test event may take."""

id_argument = click.argument("endpoint_id", metavar="ID", type=click.UUID)


@click.group("webhooks")
def webhooks() -> None:
    """Webhook endpoints: each gets the changes of health that it subscribes to."""


@webhooks.command("add")
@click.argument("url")
@click.option("--event", "events", multiple=True, type=click.Choice([str(e) for e in EventType]),
              help="Only this kind of change; may be given twice.")  # fmt: skip
@click.option("--status", "statuses", multiple=True, metavar="STATUS",
              help="Only changes of a company's status to this one.")  # fmt: skip
@click.option("--company", "companies", multiple=True, metavar="ID",
              help="Only this company, by the id that its events carry.")  # fmt: skip
@click.option("--where", "fields", multiple=True, metavar="FIELD=VALUE",
              help="Only companies with this field, such as plan=Enterprise.")  # fmt: skip
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
    """Subscribe URL and print the secret that signs its webhooks; it is shown only this once."""
    settings = find_settings()
    _check(url, settings)
    try:
        wanted = Wanted(events or None, statuses or None, companies or None, read_fields(fields))
    except InvalidSubscription as error:
        raise click.UsageError(f"--where: {error}") from None
    with database_transaction():
        endpoint_id, secret = webhook_endpoints.add(
            find_organization(org).id, url, secret_keys=settings.secret_keys, wanted=wanted
        )
    click.echo(f"{url} is subscribed as {endpoint_id}.", err=True)
    _show_secret({"id": str(endpoint_id), "url": url}, secret, as_json=as_json)


@webhooks.command("list")
@org_option
@json_option
def list_endpoints(org: str, as_json: bool) -> None:
    """List the subscribed endpoints and how they fare."""
    with database_transaction():
        found = webhook_endpoints.of_organization(find_organization(org).id)
    rows = [
        {
            "id": str(e.id),
            "url": e.url,
            "state": endpoints.state(e),
            "failing_since": e.failing_since,
            "created_at": e.created_at,
        }
        for e in found
    ]
    print_rows(
        rows, as_json=as_json, empty="No webhook yet; add one with `brazebee webhooks add URL`."
    )


@webhooks.command("show")
@id_argument
@org_option
@json_option
def show(endpoint_id: UUID, org: str, as_json: bool) -> None:
    """Show one endpoint: what it is subscribed to, and how it fares."""
    with database_transaction():
        endpoint = _find(org, endpoint_id)
    told = {
        "id": str(endpoint.id),
        "url": endpoint.url,
        "state": endpoints.state(endpoint),
        "disabled_because": endpoint.disabled_because,
        "failures_in_a_row": endpoint.failures,
        "failing_since": endpoint.failing_since,
        "next_probe_at": endpoint.probe_at,
        "last_success_at": endpoint.last_success_at,
        "event_types": endpoint.wanted.event_types,
        "statuses": endpoint.wanted.statuses,
        "companies": endpoint.wanted.companies,
        "company_fields": endpoint.wanted.company_fields,
        "created_at": endpoint.created_at,
    }
    if as_json:
        print_json(told)
        return
    rows = [{"what": name.replace("_", " "), "value": value} for name, value in told.items()]
    print_rows(rows, as_json=False, empty="")


@webhooks.command("remove")
@id_argument
@org_option
@json_option
def remove(endpoint_id: UUID, org: str, as_json: bool) -> None:
    """End a subscription; what still waits for it is cancelled."""
    with database_transaction():
        endpoints.remove(_find(org, endpoint_id))
    if as_json:
        print_json({"removed": str(endpoint_id)})
    click.echo(f"Removed {endpoint_id}.", err=True)


@webhooks.command("disable")
@id_argument
@org_option
@json_option
def disable(endpoint_id: UUID, org: str, as_json: bool) -> None:
    """Send nothing more; what waits, and what comes, is kept until it is enabled."""
    with database_transaction():
        endpoints.disable(_find(org, endpoint_id), "by hand", utc_now())
    if as_json:
        print_json({"disabled": str(endpoint_id)})
    click.echo(f"Disabled {endpoint_id}; what is for it is kept.", err=True)


@webhooks.command("enable")
@id_argument
@org_option
@json_option
def enable(endpoint_id: UUID, org: str, as_json: bool) -> None:
    """Send again, with all that was kept meanwhile."""
    with database_transaction() as settings:
        following = endpoints.enable(_find(org, endpoint_id), utc_now(), settings.webhooks)
    enqueue_deliveries(settings, following)
    if as_json:
        print_json({"enabled": str(endpoint_id)})
    click.echo(f"Enabled {endpoint_id}.", err=True)


@webhooks.command("rotate-secret")
@id_argument
@click.option("--overlap", default="24 hours", show_default=True,
              help="How long the former secret signs as well; up to 7 days.")  # fmt: skip
@org_option
@json_option
def rotate_secret(endpoint_id: UUID, overlap: str, org: str, as_json: bool) -> None:
    """Make a new secret and print it; for a while both sign."""
    try:
        for_long = read_overlap(overlap)
    except InvalidSubscription as error:
        raise click.UsageError(f"--overlap: {error}") from None
    with database_transaction() as settings:
        secret = webhook_endpoints.rotate_secret(
            _find(org, endpoint_id).id,
            secret_keys=settings.secret_keys,
            former_until=utc_now() + for_long,
        )
    _show_secret({"id": str(endpoint_id)}, secret, as_json=as_json)


@webhooks.command("test")
@id_argument
@org_option
@json_option
def test(endpoint_id: UUID, org: str, as_json: bool) -> None:
    """Send a test event now and say what was answered; exit code 1 if it was not accepted."""
    with database_transaction() as settings:
        delivery_id, following = endpoints.send_test(_find(org, endpoint_id), utc_now())
    enqueue_deliveries(settings, following)
    deadline = time.monotonic() + settings.webhooks.timeout.total_seconds() + TEST_SPARE_SECONDS
    while time.monotonic() < deadline:
        with database_transaction():
            made = delivery_log.attempts(delivery_id)
        if made:
            break
        time.sleep(0.1)
    else:
        raise CommandError("Nothing was sent within 25 seconds; does `deliver` run?")
    if as_json:
        print_json(vars(made[0]))
    else:
        click.echo(made[0].error or f"Accepted: {made[0].status_code} in {made[0].duration_ms} ms.")
        if made[0].response:
            click.echo(made[0].response)
    if made[0].error:
        raise SystemExit(1)


def enqueue_deliveries(settings: Settings, following: list[Request]) -> None:
    """Ask `deliver` for what was written; should that fail, the clock does it."""
    if following:
        endpoints.enqueue_deliveries(build_broker(settings.redis_url), following)


def _find(org: str, endpoint_id: UUID) -> Endpoint:
    try:
        return endpoints.find(find_organization(org).id, endpoint_id)
    except NoSuchEndpoint:
        raise CommandError(
            f"`{org}` has no webhook {endpoint_id}; see `brazebee webhooks list`."
        ) from None


def _show_secret(told: dict[str, Any], secret: str, *, as_json: bool) -> None:
    click.echo("Its secret; keep it, it is not shown again:", err=True)
    if as_json:
        print_json({**told, "secret": secret})
    else:
        click.echo(secret)


def _check(url: str, settings: Settings) -> None:
    """Refuse at once what no attempt would be allowed to reach."""
    if not settings.secret_keys:
        raise CommandError(
            "BRAZEBEE_SECRET_KEY is not set, and webhook secrets are stored encrypted. Make a key"
            ' with: python -c "from cryptography.fernet import Fernet;'
            ' print(Fernet.generate_key().decode())"'
        )
    try:
        note = check_url(url, settings.webhook_allow_nets)
    except InvalidSubscription as error:
        raise CommandError(str(error)) from None
    if note:
        click.echo(f"Note: {note}", err=True)
