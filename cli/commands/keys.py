"""`brazebee keys`: the API keys of clients."""

import shlex
from collections.abc import Callable

import click

from cli.connection import database_transaction, find_organization
from cli.errors import CommandError
from cli.output import json_option, org_option, print_json, print_rows
from models.keys import api_keys
from models.keys.api_keys import ApiKey
from models.keys.scopes import DEFAULT_SCOPES, Scope, in_order
from services.accounts import keys as changes
from services.accounts.audit import COMMAND_LINE, Maker
from services.accounts.keys import NoSuchKey
from services.times import utc_now

MAKER = Maker(COMMAND_LINE)

SCOPES = click.Choice([scope.value for scope in Scope])


@click.group("keys")
def keys() -> None:
    """API keys. Several may be valid at once, so that they can be rotated."""


@keys.command("create")
@org_option
@click.option("--name", default="key", show_default=True, help="Name that distinguishes keys.")
@click.option(
    "--scope",
    "scopes",
    type=SCOPES,
    multiple=True,
    default=[scope.value for scope in DEFAULT_SCOPES],
    show_default=True,
    help="What the key may do; repeat it for several scopes.",
)
@json_option
def create(org: str, name: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Create a key and print it; it is shown only once."""
    chosen = in_order(scopes)
    with database_transaction():
        organization_id = find_organization(org).id
        key = changes.create(organization_id, name, chosen, maker=MAKER, at=utc_now())
    click.echo(f"A new API key of `{org}`. Save it now; it is not shown again:", err=True)
    if as_json:
        print_json({"name": name, "scopes": chosen, "key": key})
    else:
        click.echo(key)


@keys.command("list")
@org_option
@json_option
def list_keys(org: str, as_json: bool) -> None:
    """List keys by their last four characters."""
    with database_transaction():
        listed = api_keys.list_for_organization(find_organization(org).id)
        rows = [
            {
                "id": key.id,
                "name": key.name,
                "key": key.masked,
                "scopes": key.scopes if as_json else ", ".join(key.scopes),
                "created_at": key.created_at,
                "last_used_at": key.last_used_at,
                "revoked_at": key.revoked_at,
            }
            for key in listed
        ]
    print_rows(rows, as_json=as_json, empty="No keys yet; create one with `brazebee keys create`.")
    for key in listed:
        if key.revoked_at is None and not key.scopes_chosen:
            click.echo(
                f"Key {key.id} is from before keys had scopes, so it can read all companies as well"
                f" as send events. To let it only send: brazebee keys set-scopes {key.id}"
                f" --scope send --org {shlex.quote(org)}",
                err=True,
            )


@keys.command("set-scopes")
@click.argument("key_id", metavar="ID", type=int)
@click.option(
    "--scope",
    "scopes",
    type=SCOPES,
    multiple=True,
    required=True,
    help="What the key may do from now on; repeat it for several scopes.",
)
@org_option
@json_option
def set_scopes(key_id: int, scopes: tuple[str, ...], org: str, as_json: bool) -> None:
    """Choose what the key with this ID may do. It takes effect everywhere within 5 seconds."""
    chosen = in_order(scopes)
    _change(
        org,
        key_id,
        lambda organization_id: changes.set_scopes(
            organization_id, key_id, chosen, maker=MAKER, at=utc_now()
        ),
    )
    if as_json:
        print_json({"id": key_id, "scopes": chosen})
    click.echo(f"Key {key_id} has the scopes: {', '.join(chosen)}.", err=True)


@keys.command("revoke")
@click.argument("key_id", metavar="ID", type=int)
@org_option
@json_option
def revoke(key_id: int, org: str, as_json: bool) -> None:
    """Revoke the key with this ID. It is refused everywhere within 5 seconds."""
    _change(
        org,
        key_id,
        lambda organization_id: changes.revoke(organization_id, key_id, maker=MAKER, at=utc_now()),
    )
    if as_json:
        print_json({"revoked": key_id})
    click.echo(f"Revoked key {key_id}.", err=True)


def _change(org: str, key_id: int, change: Callable[[int], ApiKey]) -> None:
    """Change a key of an organization, whose id `change` receives."""
    try:
        with database_transaction():
            change(find_organization(org).id)
    except NoSuchKey:
        raise CommandError(
            f"`{org}` has no valid key with the id {key_id}; see `brazebee keys list`."
        ) from None
