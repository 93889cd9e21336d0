"""`brazebee org`: the tenants."""

from collections.abc import Iterator

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
from cli.progress import with_progress
from config.settings import Settings, check_rate_limit
from models.database import connect, transaction
from models.organizations import organizations, removal
from models.organizations.organizations import Organization, OrganizationExists
from models.organizations.removal import OrganizationBusy
from queues.broker import build_broker
from queues.unknown_event_keys import UnknownKeys

LONGEST_NAME = 200


@click.group("org")
def org() -> None:
    """Organizations: each has its own keys, rules, companies and webhooks."""


@org.command("create")
@click.argument("name")
@click.option("--rate-limit", metavar="RATE", help="Such as 20000/hour, instead of the default.")
@json_option
def create(name: str, rate_limit: str | None, as_json: bool) -> None:
    """Make an organization. Apply rules to it next, so that it takes events."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise click.UsageError(f"A name has 1 to {LONGEST_NAME} printable characters.")
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
        f"Made the organization `{name}`. Next: brazebee rules apply FILE --org '{name}',"
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
                "name": o.name,
                "rules_version": o.rules_version or None,
                "rate_limit": o.rate_limit or "default",
                "created_at": o.created_at,
            }
            for o in organizations.every()
        ]
    print_rows(rows, as_json=as_json, empty="There is no organization yet.")


@org.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask for the name again.")
@json_option
def delete(name: str, yes: bool, as_json: bool) -> None:
    """Delete an organization with its keys, rules, companies, events and webhooks, for good.

    Its keys are refused from the first moment on. Stop those who send events with them before.
    """
    settings = find_settings()
    connect(settings)
    with report_database_errors():
        with transaction():
            found = find_organization(name)
            rows = removal.count_rows(found.id)
        if not yes:
            click.echo(
                f"`{name}` has {rows['companies']:,} companies with {rows['events']:,} events."
                " This cannot be undone.",
                err=True,
            )
            if click.prompt("Type its name to delete it", err=True) != name:
                raise CommandError("That is another name; nothing was deleted.")
        delete_with_progress(found, settings)
    if as_json:
        print_json({"deleted": name})


def delete_with_progress(organization: Organization, settings: Settings) -> None:
    """Delete an organization with everything in it, while somebody waits.

    What Redis knows of it, the event keys that were refused, is deleted too.

    Raises:
        CommandError: others kept writing to it.
        OperationalError: PostgreSQL cannot be reached.
    """
    with transaction():
        rows = sum(removal.count_rows(organization.id).values())
    deleting = _row_by_row(organization.id)
    try:
        for _ in with_progress(deleting, length=rows, label=f"Deleting `{organization.name}`"):
            pass
    except OrganizationBusy:
        raise CommandError(
            f"`{organization.name}` is written to all the while; stop those who send its events,"
            " and delete it again."
        ) from None
    try:
        UnknownKeys(build_broker(settings.redis_url).client).forget_organization(organization.id)
    except RedisError as error:
        click.echo(f"Redis keeps refused event keys of it for 30 days more: {error}.", err=True)
    click.echo(f"Deleted the organization `{organization.name}`.", err=True)


def _row_by_row(organization_id: int) -> Iterator[None]:
    for deleted in removal.remove(organization_id):
        yield from [None] * deleted
