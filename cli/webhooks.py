"""`brazebee webhooks`: where changes of health are sent."""

import socket
from urllib.parse import urlsplit

import click

from actors.webhooks.addresses import AddressPolicy, AddressRefused
from cli.connection import database_transaction, find_organization, find_settings
from cli.errors import Refused
from cli.output import json_option, org_option, print_json, print_rows
from config.settings import Settings
from models import webhook_endpoints


@click.group("webhooks")
def webhooks() -> None:
    """Webhook endpoints: each gets every change of health."""


@webhooks.command("add")
@click.argument("url")
@org_option
@json_option
def add(url: str, org: str, as_json: bool) -> None:
    """Subscribe URL and print the secret that signs its webhooks; it is shown only this once."""
    settings = find_settings()
    _check(url, settings)
    with database_transaction():
        endpoint_id, secret = webhook_endpoints.add(
            find_organization(org).id, url, secret_keys=settings.secret_keys
        )
    click.echo(f"{url} is subscribed as {endpoint_id}.", err=True)
    click.echo("Its secret; keep it, it is not shown again:", err=True)
    if as_json:
        print_json({"id": str(endpoint_id), "url": url, "secret": secret})
    else:
        click.echo(secret)


@webhooks.command("list")
@org_option
@json_option
def list_endpoints(org: str, as_json: bool) -> None:
    """List the subscribed endpoints."""
    with database_transaction():
        rows = [
            {"id": str(e.id), "url": e.url, "created_at": e.created_at}
            for e in webhook_endpoints.of_organization(find_organization(org).id)
        ]
    print_rows(
        rows, as_json=as_json, empty="No webhook yet; add one with `brazebee webhooks add URL`."
    )


@webhooks.command("remove")
@click.argument("endpoint_id", metavar="ID")
@org_option
@json_option
def remove(endpoint_id: str, org: str, as_json: bool) -> None:
    """End a subscription; what still waits for it is cancelled."""
    with database_transaction():
        organization = find_organization(org)
        known = {str(e.id): e.id for e in webhook_endpoints.of_organization(organization.id)}
        if endpoint_id not in known or not webhook_endpoints.remove(
            organization.id, known[endpoint_id]
        ):
            raise Refused(f"`{org}` has no webhook {endpoint_id}; see `brazebee webhooks list`.")
    if as_json:
        print_json({"removed": endpoint_id})
    click.echo(f"Removed {endpoint_id}.", err=True)


def _check(url: str, settings: Settings) -> None:
    """Refuse at once what no attempt would be allowed to reach."""
    if not settings.secret_keys:
        raise Refused(
            "BRAZEBEE_SECRET_KEY is not set, and webhook secrets are stored encrypted. Make a key"
            ' with: python -c "from cryptography.fernet import Fernet;'
            ' print(Fernet.generate_key().decode())"'
        )
    policy = AddressPolicy(settings.webhook_allow_nets)
    try:
        policy.check_url(url)
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        policy.resolve(parts.hostname or "", parts.port or (443 if secure else 80), secure=secure)
    except AddressRefused as error:
        raise Refused(f"{error}.") from None
    except (socket.gaierror, UnicodeError):
        host = urlsplit(url).hostname
        if urlsplit(url).scheme == "http":
            raise Refused(f"{host} does not resolve; a URL elsewhere must be https.") from None
        click.echo(f"Note: {host} does not resolve at the moment.", err=True)
