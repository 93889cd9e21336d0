"""`brazebee org`: the tenants."""

import click
from marshmallow import ValidationError

from cli.connection import database_transaction
from cli.errors import Refused
from cli.output import json_option, print_json, print_rows
from config.settings import check_rate_limit
from models import organizations
from models.organizations import OrganizationExists

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
            raise Refused(f"There is an organization `{name}` already.") from None
    if as_json:
        print_json({"name": name, "rate_limit": rate_limit or "default"})
    click.echo(
        f"Made the organization `{name}`. Next: brazebee rules apply FILE --org '{name}',"
        f" and brazebee keys create --org '{name}'",
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
