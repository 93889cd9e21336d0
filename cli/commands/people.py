"""`brazebee people`: who may use the dashboard."""

import sys
from collections.abc import Callable
from typing import TypeVar

import click

from cli.connection import database_transaction, find_organization
from cli.errors import CommandError
from cli.output import json_option, org_option, print_json, print_rows
from models.people import memberships
from models.people import people as stored_people
from models.people.people import Person
from services.accounts import people as changes
from services.accounts.audit import COMMAND_LINE, Maker
from services.accounts.passwords import Passwords, WeakPassword, check_strength, random_password
from services.accounts.people import ChangeRefused, NewMember
from services.accounts.roles import Role
from services.times import utc_now

MAKER = Maker(COMMAND_LINE)

T = TypeVar("T")

role_option = click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    required=True,
    help="What the person may do.",
)
password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@click.group("people")
def people() -> None:
    """People who sign in to the dashboard. A person may belong to several organizations."""


@people.command("add")
@click.argument("email")
@role_option
@click.option("--name", help="The name, for a new person.")
@password_option
@org_option
@json_option
def add(
    email: str, role: str, name: str | None, password_stdin: bool, org: str, as_json: bool
) -> None:
    """Add a member. A new person gets a password, which is shown only once."""
    chosen = _read_password(email) if password_stdin else None
    password = chosen or random_password()
    password_hash = Passwords().hash(password)
    with database_transaction():
        added = _try(
            lambda: changes.add(
                find_organization(org),
                NewMember(email, name, password_hash),
                Role(role),
                maker=MAKER,
                at=utc_now(),
            )
        )
    shown = password if added.is_new and chosen is None else None
    if as_json:
        print_json({"email": added.person.email, "org": org, "role": role, "password": shown})
    membership = f"{added.person.email} is now a member of `{org}`, as {role}"
    if added.is_new:
        _show(f"{membership}.", shown, as_json=as_json)
    else:
        click.echo(
            f"{membership}; the account already existed, and its password is unchanged.", err=True
        )


@people.command("list")
@org_option
@json_option
def list_people(org: str, as_json: bool) -> None:
    """List the members of an organization."""
    with database_transaction():
        rows = [
            {
                "email": member.email,
                "name": member.name,
                "role": member.role,
                "signed_in_at": member.signed_in_at,
                "disabled_at": member.disabled_at,
            }
            for member in memberships.list_for_organization(find_organization(org).id)
        ]
    print_rows(rows, as_json=as_json, empty="No members yet; add one with `brazebee people add`.")


@people.command("set-role")
@click.argument("email")
@role_option
@org_option
@json_option
def set_role(email: str, role: str, org: str, as_json: bool) -> None:
    """Change the role of a member."""
    with database_transaction():
        organization, person = find_organization(org), _find(email)
        _try(
            lambda: changes.change_role(organization, person, Role(role), maker=MAKER, at=utc_now())
        )
    if as_json:
        print_json({"email": person.email, "org": org, "role": role})
    click.echo(f"{person.email} is now {role} of `{org}`.", err=True)


@people.command("remove")
@click.argument("email")
@org_option
@json_option
def remove(email: str, org: str, as_json: bool) -> None:
    """Remove a member; memberships of other organizations stay."""
    with database_transaction():
        organization, person = find_organization(org), _find(email)
        _try(lambda: changes.remove(organization, person, maker=MAKER, at=utc_now()))
    if as_json:
        print_json({"removed": person.email, "org": org})
    click.echo(f"{person.email} is no longer a member of `{org}`.", err=True)


@people.command("set-password")
@click.argument("email")
@password_option
@json_option
def set_password(email: str, password_stdin: bool, as_json: bool) -> None:
    """Set a new password, and sign the person out everywhere."""
    chosen = _read_password(email) if password_stdin else None
    password = chosen or random_password()
    password_hash = Passwords().hash(password)
    with database_transaction():
        person = _find(email)
        changes.set_password(person, password_hash, maker=MAKER, at=utc_now())
    shown = None if chosen else password
    if as_json:
        print_json({"email": person.email, "password": shown})
    _show(f"{person.email} has a new password, and was signed out.", shown, as_json=as_json)


@people.command("disable")
@click.argument("email")
@json_option
def disable(email: str, as_json: bool) -> None:
    """Stop a person from signing in, and sign the person out everywhere."""
    with database_transaction():
        person = _find(email)
        changed = _try(lambda: changes.disable(person, maker=MAKER, at=utc_now()))
    if as_json:
        print_json({"email": person.email, "disabled": True, "changed": changed})
    state = "cannot sign in any more" if changed else "was disabled already"
    click.echo(f"{person.email} {state}.", err=True)


@people.command("enable")
@click.argument("email")
@json_option
def enable(email: str, as_json: bool) -> None:
    """Allow a person to sign in again."""
    with database_transaction():
        person = _find(email)
        changed = changes.enable(person, maker=MAKER, at=utc_now())
    if as_json:
        print_json({"email": person.email, "disabled": False, "changed": changed})
    state = "can sign in again" if changed else "was not disabled"
    click.echo(f"{person.email} {state}.", err=True)


def _find(email: str) -> Person:
    person = stored_people.find(email.strip())
    if person is None:
        raise CommandError(
            f"There is no person with the email address `{email}`; see `brazebee people list`."
        )
    return person


def _try(change: Callable[[], T]) -> T:
    try:
        return change()
    except ChangeRefused as error:
        raise CommandError(str(error)) from None


def _read_password(email: str) -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    try:
        check_strength(password, email=email)
    except WeakPassword as error:
        raise CommandError(str(error)) from None
    return password


def _show(message: str, password: str | None, *, as_json: bool) -> None:
    if password is None:
        click.echo(message, err=True)
        return
    click.echo(f"{message} Save the password now; it is not shown again:", err=True)
    if not as_json:
        click.echo(password)
