"""`brazebee demo-data`: an organization with customers and a year of events."""

import time
from collections import Counter
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import click

from cli.commands.organizations import delete_with_progress
from cli.connection import find_organization, find_settings, report_database_errors
from cli.errors import CommandError
from cli.output import json_option, print_json
from cli.progress import with_progress
from config.settings import Settings
from demo.customers.accounts import MAXIMUM_CUSTOMERS
from demo.customers.delivery_log import deliver_history, subscribe
from demo.customers.generate import GenerationTask, generate_all
from demo.customers.notifications import send_past_messages
from demo.customers.organization import YEAR, create_organization, is_demo_organization
from demo.errors import DemoError
from demo.team.notes import remove_colleagues, write_notes
from models.companies import companies
from models.database import connect, transaction
from models.health import flag_states, forecasts, transitions
from models.organizations import organizations
from models.organizations.organizations import Organization
from rules.durations import pluralize
from services.forecasts import refreshing
from services.health.evaluation import evaluate
from services.outcomes import runs
from services.rules.rule_books import RuleBooks
from services.times import utc_now


@dataclass(frozen=True)
class Summary:
    """What was generated, with the keys of `--json`."""

    organization: str
    companies: int
    events: int
    deliveries_attempted: int
    messages_sent: int
    statuses: dict[str, int]
    changed_in_the_last_day: int
    due_in_the_next_week: int
    seconds: float


@click.command("demo-data")
@click.option("--org", default="demo", show_default=True, help="Name of the organization.")
@click.option("--companies", "number", type=click.IntRange(1, MAXIMUM_CUSTOMERS), default=500,
              show_default=True, help="How many customers to generate.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True,
              help="Another seed generates other customers and events.")  # fmt: skip
@click.option("--replace", is_flag=True, help="Remove the demo data first, and generate it again.")
@click.option("--remove", is_flag=True, help="Remove the organization with everything in it.")
@click.option("--yes", is_flag=True, help="Remove without asking for confirmation.")
@json_option
def demo_data(
    org: str, number: int, seed: int, replace: bool, remove: bool, yes: bool, as_json: bool
) -> None:
    """Generate an organization with customers and a year of events, to explore the product.

    Sends nothing, and leaves other organizations alone.
    """
    if replace and remove:
        raise click.UsageError("--replace and --remove are mutually exclusive.")
    settings = find_settings()
    connect(settings)
    with report_database_errors():
        if replace or remove:
            _remove(settings, org, must_exist=remove, ask=not yes)
        if remove:
            if as_json:
                print_json({"removed": org})
            return
        summary = _generate(settings, org, number, seed)
    if as_json:
        print_json(vars(summary))
    else:
        _print_summary(summary)


def _remove(settings: Settings, org: str, *, must_exist: bool, ask: bool) -> None:
    with transaction():
        organization = organizations.find(org)
        if organization is None and not must_exist:
            return
        organization = organization or find_organization(org)
        is_demo = is_demo_organization(organization.id)
    if not is_demo:
        raise CommandError(
            f"`{org}` was not made by `brazebee demo-data`, so it is left alone;"
            f" `brazebee org delete '{org}'` deletes any organization."
        )
    if ask:
        click.confirm(f"Remove `{org}` with everything in it?", abort=True, err=True)
    _delete(organization, settings)


def _delete(organization: Organization, settings: Settings) -> None:
    delete_with_progress(organization, settings)
    with transaction():
        remove_colleagues()


def _generate(settings: Settings, org: str, number: int, seed: int) -> Summary:
    started, now = time.monotonic(), utc_now()
    try:
        organization = create_organization(org, now, settings.secret_keys)
    except DemoError as error:
        raise CommandError(str(error)) from None
    click.echo(f"Generating a year of {number} companies ...", err=True)
    try:
        subscribed = []
        if settings.secret_keys:
            with transaction():
                subscribed = subscribe(organization.id, now - YEAR, settings.secret_keys)
        task = GenerationTask(organization.id, seed, range(number), now)
        sizes = with_progress(
            generate_all(settings, task),
            length=number,
            label=f"Generating a year of {number} companies",
        )
        events = sum(sizes)
        endpoints = with_progress(
            subscribed, length=len(subscribed), label="Filling the delivery log"
        )
        chance = Random(f"{seed}/deliveries")
        attempts = sum(
            deliver_history(
                organization.id, endpoint_id, receiver, now,
                policy=settings.webhooks, chance=chance,
            )
            for endpoint_id, receiver in endpoints
        )  # fmt: skip
        click.echo("Writing the messages to people of the last month ...", err=True)
        messages = send_past_messages(organization.id, now, settings.webhooks, chance)
        click.echo("Bringing the companies up to date ...", err=True)
        _catch_up(organization.id)
        with transaction():
            write_notes(organization.id, utc_now(), Random(f"{seed}/notes"))
        runs.refresh(RuleBooks())
        with transaction():
            forecasts.ask(organization.id, now)
        refreshing.refresh(organization.id, RuleBooks(), utc_now)
    except BaseException as error:
        click.echo(f"Removing the incomplete organization `{org}` ...", err=True)
        _delete(organization, settings)
        if isinstance(error, BrokenProcessPool):
            raise CommandError("A process was killed; is there enough memory?") from None
        raise
    return _summary(organization, events, attempts, messages, time.monotonic() - started)


def _catch_up(organization_id: int) -> None:
    """Evaluate the companies that have become due while generating, as the clock would."""
    now = utc_now()
    with transaction():
        due = flag_states.find_due_companies(organization_id, until=now)
        evaluate(organization_id, due, RuleBooks(), now)


def _summary(
    organization: Organization, events: int, attempts: int, messages: int, seconds: float
) -> Summary:
    now = utc_now()
    with transaction():
        listed = companies.list_health(organization.id)
        due = flag_states.find_due_companies(organization.id, until=now + timedelta(days=7))
        changed = transitions.count_changed(organization.id, since=now - timedelta(days=1))
    statuses = Counter(company.health_status for company in listed)
    return Summary(
        organization.name, len(listed), events, attempts, messages, dict(statuses.most_common()),
        changed, len(due), round(seconds, 1),
    )  # fmt: skip


def _print_summary(summary: Summary) -> None:
    org = summary.organization
    statuses = ", ".join(f"{number} {status}" for status, number in summary.statuses.items())
    number = pluralize(summary.companies, "company", "companies")
    changed = pluralize(summary.changed_in_the_last_day, "company", "companies")
    click.echo(
        f"Created `{org}` in {summary.seconds:.0f} s: {number} with {summary.events:,} events in a"
        f" year; {statuses}."
    )
    click.echo(f"{changed} changed in the last day.")
    commands = (
        (f"brazebee companies --org {org} --status Critical", "who needs attention now"),
        (f"brazebee rules forecast --org {org}", "the next days, if nothing happens"),
        (f"brazebee demo-data --remove --org {org}", "remove everything again"),
    )
    for command, meaning in commands:
        click.echo(f"  {command:<52}{meaning}")
