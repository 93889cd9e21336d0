"""`brazebee notify`: the Slack and Teams channels that rules can notify, and what was sent."""

import time
from typing import Any

import click

from cli.connection import database_transaction, find_organization
from cli.endpoints import require_secret_keys
from cli.errors import CommandError
from cli.option_types import current_user
from cli.output import json_option, org_option, print_json, print_rows, print_text
from models.notifications import destinations, message_log, messages
from models.notifications.destinations import Destination
from models.notifications.messages import State
from models.organizations.organizations import Organization
from rules.edits.positions import scalar
from rules.notify.entries import Service
from services.accounts.audit import Maker
from services.accounts.people import ChangeRefused, read_email
from services.notifications import destinations as changes
from services.notifications.destinations import DestinationRefused, NewDestination
from services.times import utc_now
from services.webhooks.subscriptions import InvalidSubscription, check_url

TEST_SPARE_SECONDS = 10.0
"""How much longer a test may take than one attempt."""

SHOWN_MESSAGES = 20

name_argument = click.argument("name")


@click.group("notify")
def notify() -> None:
    """Notifications to people, as `notify` in the rules describes them."""


@notify.command("add")
@click.argument(
    "service", metavar="SERVICE", type=click.Choice([Service.SLACK.value, Service.TEAMS.value])
)
@name_argument
@click.argument("url")
@org_option
@json_option
def add(service: str, name: str, url: str, org: str, as_json: bool) -> None:
    """Add a destination by which rules can name URL; it is stored encrypted."""
    with database_transaction() as settings:
        require_secret_keys(settings)
        try:
            note = check_url(url, settings.webhook_allow_nets)
            new = NewDestination(Service(service), changes.read_name(name), url)
            changes.add(
                find_organization(org).id,
                new,
                secret_keys=settings.secret_keys,
                maker=Maker(current_user()),
                at=utc_now(),
            )
        except (InvalidSubscription, DestinationRefused) as error:
            raise CommandError(str(error)) from None
    if note:
        click.echo(f"Note: {note}", err=True)
    if as_json:
        print_json({"service": service, "name": new.name})
    named = f"to: {{{service}: {scalar(new.name)}}}"
    click.echo(f"Added {new.name}; rules name it with `{named}`.", err=True)


@notify.command("list")
@org_option
@json_option
def list_destinations(org: str, as_json: bool) -> None:
    """List the destinations with their state, and the newest messages with theirs."""
    with database_transaction():
        organization_id = find_organization(org).id
        listed = destinations.list_for_organization(organization_id)
        newest = message_log.list_newest(organization_id, limit=SHOWN_MESSAGES)
    places = [
        {
            "service": destination.service,
            "name": destination.name,
            "state": changes.describe_state(destination),
            "last_success_at": destination.last_success_at,
            "error": destination.disabled_because or destination.last_error,
        }
        for destination in listed
    ]
    sent: list[dict[str, Any]] = [
        {
            "planned_at": message.planned_at,
            "to": f"{message.service} {message.recipient}",
            "state": message.state.value,
            "changes": message.number or None,
            "next_attempt_at": message.due_at,
            "error": message.last_error,
        }
        for message in newest
    ]
    if as_json:
        print_json({"destinations": places, "messages": sent})
        return
    print_rows(places, as_json=False, empty="No destinations; emails need none.")
    if sent:
        click.echo()
        print_rows(sent, as_json=False, empty="")


@notify.command("test")
@name_argument
@org_option
@json_option
def test(name: str, org: str, as_json: bool) -> None:
    """Send a test to a destination or an email address; exit code 1 if it was not accepted."""
    with database_transaction() as settings:
        organization = find_organization(org)
        service, recipient = _recipient(organization, name)
        message_id = changes.send_test(organization, service, recipient, utc_now())
    patience = settings.webhooks.timeout.total_seconds() + TEST_SPARE_SECONDS
    deadline = time.monotonic() + patience
    while True:
        with database_transaction():
            message = messages.find(organization.id, message_id)
        if message is None or message.state is not State.WAITING:
            break
        if time.monotonic() > deadline:
            reason = message.last_error or "are `clock` and `deliver` running?"
            raise CommandError(f"Not sent within {patience:g} seconds: {reason}")
        time.sleep(0.1)
    sent = message is not None and message.state is State.SENT
    error = message.last_error if message else "the message was deleted"
    if as_json:
        print_json({"sent": sent, "error": error})
    else:
        print_text("Accepted." if sent else str(error))
    if not sent:
        raise SystemExit(1)


@notify.command("replace-url")
@name_argument
@click.argument("url")
@org_option
@json_option
def replace_url(name: str, url: str, org: str, as_json: bool) -> None:
    """Replace the URL of a destination, and resume it, starting with what was kept."""
    with database_transaction() as settings:
        require_secret_keys(settings)
        destination = _find(find_organization(org), name)
        try:
            note = check_url(url, settings.webhook_allow_nets)
        except InvalidSubscription as error:
            raise CommandError(str(error)) from None
        changes.replace_url(
            destination,
            url,
            secret_keys=settings.secret_keys,
            maker=Maker(current_user()),
            at=utc_now(),
        )
    if note:
        click.echo(f"Note: {note}", err=True)
    if as_json:
        print_json({"replaced": name})
    click.echo(f"Replaced the URL of {name}.", err=True)


@notify.command("enable")
@name_argument
@org_option
@json_option
def enable(name: str, org: str, as_json: bool) -> None:
    """Resume a destination, starting with what was kept."""
    with database_transaction():
        destination = _find(find_organization(org), name)
        changes.enable(destination, maker=Maker(current_user()), at=utc_now())
    _report("enabled", name, as_json=as_json)


@notify.command("disable")
@name_argument
@org_option
@json_option
def disable(name: str, org: str, as_json: bool) -> None:
    """Pause a destination; what is recorded meanwhile is kept."""
    with database_transaction():
        destination = _find(find_organization(org), name)
        changes.disable(destination, maker=Maker(current_user()), at=utc_now())
    _report("disabled", name, as_json=as_json)


@notify.command("remove")
@name_argument
@org_option
@json_option
def remove(name: str, org: str, as_json: bool) -> None:
    """Remove a destination and its URL; waiting messages to it are cancelled."""
    with database_transaction():
        destination = _find(find_organization(org), name)
        changes.remove(destination, maker=Maker(current_user()), at=utc_now())
    _report("removed", name, as_json=as_json)


def _report(what: str, name: str, *, as_json: bool) -> None:
    if as_json:
        print_json({what: name})
    click.echo(f"{what.capitalize()} {name}.", err=True)


def _recipient(organization: Organization, name: str) -> tuple[Service, str]:
    if "@" in name:
        try:
            return Service.EMAIL, read_email(name)
        except ChangeRefused as error:
            raise CommandError(str(error)) from None
    destination = _find(organization, name)
    return Service(destination.service), destination.name


def _find(organization: Organization, name: str) -> Destination:
    """Lock and return the destination with a name, of whichever service."""
    named = [
        each
        for each in destinations.list_for_organization(organization.id)
        if name in (each.name, f"{each.service} {each.name}")
    ]
    if len(named) > 1:
        raise CommandError(f"Two services have `{name}`; write for example `slack {name}`.")
    if not named:
        raise CommandError(f"There is no destination `{name}`; see `brazebee notify list`.")
    return changes.lock(organization.id, named[0].id)
