"""`brazebee secrets`: the secrets of webhooks and destinations, and the key that encrypts them."""

import click

from cli.connection import find_settings, report_database_errors
from cli.endpoints import require_secret_keys
from cli.output import json_option, print_json, print_rows
from models.database import connect, transaction
from models.organizations import organizations
from services import secret_rotation
from services.secret_rotation import SecretsFound


@click.group("secrets")
def secrets() -> None:
    """The secrets of webhooks and destinations, which BRAZEBEE_SECRET_KEY encrypts."""


@secrets.command("rotate")
@click.option("--dry-run", is_flag=True,
              help="Change nothing; print what there is, and which keys are needed.")  # fmt: skip
@json_option
def rotate(dry_run: bool, as_json: bool) -> None:
    """Encrypt every stored secret with the first key of BRAZEBEE_SECRET_KEY.

    Run it when every process has this key. Exit code 1 if no key decrypts a secret; the others
    are encrypted nevertheless.
    """
    settings = find_settings()
    require_secret_keys(settings)
    connect(settings)
    with report_database_errors():
        with transaction():
            tenants = organizations.list_all()
        found = secret_rotation.rotate(tenants, settings.secret_keys, dry_run=dry_run)
    # The first key encrypts, so it is always needed.
    needed = sorted({0, *found.by_key}) if dry_run else [0]
    unreadable = [
        {
            "organization": secret.organization,
            "endpoint_id": str(secret.endpoint_id) if secret.endpoint_id else None,
            "destination": secret.destination,
            "secret": "former" if secret.former else "current",
        }
        for secret in found.unreadable
    ]
    if as_json:
        numbers = {
            "reencrypted": found.outdated,
            "current": found.by_key[0],
            "deleted": found.unused,
        }
        keys = [index + 1 for index in needed]
        print_json({"dry_run": dry_run, **numbers, "unreadable": unreadable, "needed_keys": keys})
    else:
        _describe(found, dry_run=dry_run)
        for index in range(1, len(settings.secret_keys)):
            is_needed = "needed" if index in needed else "not needed any more"
            click.echo(f"Key {index + 1} in BRAZEBEE_SECRET_KEY is {is_needed}.")
    if unreadable:
        if not as_json:
            print_rows(unreadable, as_json=False, empty="")
        click.echo(
            f"No key in BRAZEBEE_SECRET_KEY decrypts {_secrets(len(unreadable))}. Add the key that"
            " does, or replace the secret with `brazebee webhooks rotate-secret`, the URL of a"
            " destination with `brazebee notify replace-url`.",
            err=True,
        )
        raise SystemExit(1)


def _describe(found: SecretsFound, *, dry_run: bool) -> None:
    if dry_run:
        reencrypted, deleted = "would be encrypted again", "would be deleted"
    else:
        reencrypted, deleted = "encrypted again", "deleted"
    click.echo(f"{_secrets(found.outdated)} {reencrypted} with the first key.")
    click.echo(f"{_secrets(found.by_key[0])} already encrypted with it.")
    if found.unused:
        click.echo(f"{_secrets(found.unused)} that nothing is signed with any more {deleted}.")


def _secrets(number: int) -> str:
    return f"{number:,} secret{'' if number == 1 else 's'}"
