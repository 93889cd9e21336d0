"""`brazebee org`: creates, lists and deletes organizations."""

import click
from marshmallow import ValidationError
from redis.exceptions import RedisError

from cli.connection import (
    database_transaction,
    find_organization,
    find_settings,
    report_database_errors,
)
from cli.errors import CommandError
from cli.output import json_option, print_json, print_rows
from cli.progress import show_progress
from config.settings import Settings, check_rate_limit
from models.database import connect, transaction
from models.organizations import organizations, removal
from models.organizations.organizations import Organization, OrganizationExists
from models.organizations.removal import OrganizationBusy
from queues.broker import build_broker
from queues.imports.uploads import Uploads
from queues.refused.requests import RefusedRequests
from queues.refused.unknown_event_keys import UnknownKeys

MAXIMUM_NAME_LENGTH = 200


@click.group("org")
def org() -> None:
    """Organizations: each has its own keys, rules, companies and webhooks."""


@org.command("create")
@click.argument("name")
@click.option("--rate-limit", metavar="RATE", help="Such as 20000/hour, instead of the default.")
@json_option
def create(name: str, rate_limit: str | None, as_json: bool) -> None:
    """Create an organization. Apply rules to it next, so that it accepts events."""
    if not name.strip() or len(name) > MAXIMUM_NAME_LENGTH or not name.isprintable():
        raise click.UsageError(f"A name has 1 to {MAXIMUM_NAME_LENGTH} printable characters.")
    if rate_limit is not None:
        try:
            check_rate_limit(rate_limit)
        except ValidationError as error:
            raise click.UsageError(str(error.messages[0])) from None
    with database_transaction():
        try:
            organizations.create(name, rate_limit=rate_limit)
        except OrganizationExists:
            raise CommandError(f"There is an organization `{name}` already.") from None
    if as_json:
        print_json({"name": name, "rate_limit": rate_limit or "default"})
    click.echo(
        f"Created the organization `{name}`. Next: brazebee rules apply FILE --org '{name}',"
        f" brazebee keys create --org '{name}',"
        f" and brazebee people add EMAIL --role administrator --org '{name}'",
        err=True,
    )


@org.command("list")
@json_option
def list_organizations(as_json: bool) -> None:
    """List organizations."""
    with database_transaction():
        rows = [
            {
                "name": organization.name,
                "rules_version": organization.rules_version or None,
                "rate_limit": organization.rate_limit or "default",
                "created_at": organization.created_at,
            }
            for organization in organizations.list_all()
        ]
    print_rows(rows, as_json=as_json, empty="There are no organizations yet.")


@org.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Delete without asking for the name.")
@json_option
def delete(name: str, yes: bool, as_json: bool) -> None:
    """Delete an organization with its keys, rules, companies, events and webhooks, for good.

    Its keys are refused from the start. Stop the clients that send its events first.
    """
    settings = find_settings()
    connect(settings)
    with report_database_errors():
        with transaction():
            organization = find_organization(name)
            rows = removal.count_rows(organization.id)
        if not yes:
            click.echo(
                f"`{name}` has {rows['companies']:,} companies with {rows['events']:,} events."
                " This cannot be undone.",
                err=True,
            )
            if click.prompt("Type its name to delete it", err=True) != name:
                raise CommandError("That is a different name; nothing was deleted.")
        delete_with_progress(organization, settings)
    if as_json:
        print_json({"deleted": name})


def delete_with_progress(organization: Organization, settings: Settings) -> None:
    """Delete an organization with everything in it, with a progress bar.

    Its data in Redis is deleted too: refused requests, their event keys, and uploaded files.

    Raises:
        CommandError: events kept arriving meanwhile.
        OperationalError: PostgreSQL cannot be reached.
    """
    with transaction():
        rows = sum(removal.count_rows(organization.id).values())
    label = f"Deleting `{organization.name}`"
    try:
        show_progress(removal.remove(organization.id), length=rows, label=label)
    except OrganizationBusy:
        raise CommandError(
            f"`{organization.name}` keeps receiving events; stop the clients that send them, and"
            " delete it again."
        ) from None
    try:
        client = build_broker(settings.redis_url).client
        for kept in (RefusedRequests(client), UnknownKeys(client), Uploads(client)):
            kept.forget_organization(organization.id)
    except RedisError as error:
        click.echo(
            "Redis keeps its refused requests for another 7 days, their event keys for 30, and"
            f" uploaded files for an hour: {error}.",
            err=True,
        )
    click.echo(f"Deleted the organization `{organization.name}`.", err=True)
