"""`brazebee keys`: the API keys of clients."""

import click

from cli.connection import database_transaction, find_organization
from cli.errors import CommandError
from cli.output import json_option, org_option, print_json, print_rows
from models.keys import api_keys


@click.group("keys")
def keys() -> None:
    """API keys. Several may be valid at once, so that they can be rotated."""


@keys.command("create")
@org_option
@click.option("--name", default="key", show_default=True, help="Name that distinguishes keys.")
@json_option
def create(org: str, name: str, as_json: bool) -> None:
    """Create a key and print it; it is shown only once."""
    with database_transaction():
        key = api_keys.create(find_organization(org).id, name)
    click.echo(f"A new API key of `{org}`. Save it now; it is not shown again:", err=True)
    if as_json:
        print_json({"name": name, "key": key})
    else:
        click.echo(key)


@keys.command("list")
@org_option
@json_option
def list_keys(org: str, as_json: bool) -> None:
    """List keys by their last four characters."""
    with database_transaction():
        rows = [
            {
                "id": key.id,
                "name": key.name,
                "key": f"{api_keys.PREFIX}...{key.last_four}",
                "created_at": key.created_at,
                "last_used_at": key.last_used_at,
                "revoked_at": key.revoked_at,
            }
            for key in api_keys.list_for_organization(find_organization(org).id)
        ]
    print_rows(rows, as_json=as_json, empty="No keys yet; create one with `brazebee keys create`.")


@keys.command("revoke")
@click.argument("key_id", metavar="ID", type=int)
@org_option
@json_option
def revoke(key_id: int, org: str, as_json: bool) -> None:
    """Revoke the key with this ID. It is refused everywhere within 5 seconds."""
    with database_transaction():
        if not api_keys.revoke(find_organization(org).id, key_id):
            raise CommandError(
                f"`{org}` has no valid key with the id {key_id}; see `brazebee keys list`."
            )
    if as_json:
        print_json({"revoked": key_id})
    click.echo(f"Revoked key {key_id}.", err=True)
