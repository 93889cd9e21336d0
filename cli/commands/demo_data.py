"""`brazebee demo-data`: an organization with customers and a year of their life."""

import time
from collections import Counter
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import click

from cli.commands.organizations import delete_with_progress
from cli.connection import find_organization, find_settings, report_database_errors
from cli.errors import CommandError
from cli.output import json_option, print_json
from cli.progress import with_progress
from config.files import DEMO_DATA_RULES
from config.settings import Settings
from demo.customers.accounts import MOST
from demo.customers.delivery_log import deliver_past, subscribe
from demo.customers.make import Task, make_all
from models.companies import companies
from models.database import connect, transaction
from models.health import flag_states, transitions
from models.organizations import organizations, rule_versions
from models.organizations.organizations import Organization
from models.people import memberships
from rules.durations import pluralize
from services.health.evaluation import evaluate
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from services.times import utc_now

APPLIED_BY = "brazebee demo-data"
"""Marks an organization as made here: no other is replaced or removed."""

BEFORE = (("less than 2 times in 14 days", "less than 4 times in 14 days"),
          ("recover: at least 3 times in 14 days", "recover: at least 5 times in 14 days"),
          ("down 55% in 30 days", "down 40% in 30 days"))  # fmt: skip
"""What the rules said before they were found too strict: phrases of now, and of then."""

YEAR = timedelta(days=366)
EDITED = timedelta(days=163)
"""How long ago the rules came to say what they say now."""


@dataclass(frozen=True)
class Summary:
    """What was made, as it is told."""

    organization: str
    companies: int
    events: int
    deliveries_attempted: int
    statuses: dict[str, int]
    changed_in_the_last_day: int
    due_in_the_next_week: int
    seconds: float


@click.command("demo-data")
@click.option("--org", default="demo", show_default=True, help="Name of the organization.")
@click.option("--companies", "number", type=click.IntRange(1, MOST), default=500,
              show_default=True, help="How many customers to make.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True,
              help="Other customers and another year for another number.")  # fmt: skip
@click.option("--replace", is_flag=True, help="Remove what was made before, and make it anew.")
@click.option("--remove", is_flag=True, help="Remove the organization with everything in it.")
@click.option("--yes", is_flag=True, help="Do not ask before removing.")
@json_option
def demo_data(
    org: str, number: int, seed: int, replace: bool, remove: bool, yes: bool, as_json: bool
) -> None:
    """Make an organization with customers and a year of their life, to see a full product.

    Nothing is sent anywhere, and other organizations are left alone.
    """
    if replace and remove:
        raise click.UsageError("--replace and --remove exclude each other.")
    settings = find_settings()
    connect(settings)
    with report_database_errors():
        if replace or remove:
            _remove(settings, org, must_exist=remove, ask=not yes)
        if remove:
            if as_json:
                print_json({"removed": org})
            return
        summary = _make(settings, org, number, seed)
    if as_json:
        print_json(vars(summary))
    else:
        _tell(summary)


def _remove(settings: Settings, org: str, *, must_exist: bool, ask: bool) -> None:
    with transaction():
        found = organizations.find(org)
        if found is None and not must_exist:
            return
        found = found or find_organization(org)
        first = rule_versions.find(found.id, 1)
    if first is None or first.applied_by != APPLIED_BY:
        raise CommandError(
            f"`{org}` was not made by `brazebee demo-data`, so it is left alone;"
            f" `brazebee org delete '{org}'` deletes any organization."
        )
    if ask:
        click.confirm(f"Remove `{org}` with everything in it?", abort=True, err=True)
    delete_with_progress(found, settings)


def _make(settings: Settings, org: str, number: int, seed: int) -> Summary:
    started, now = time.monotonic(), utc_now()
    organization = found(org, now)
    try:
        subscribed = []
        if settings.secret_keys:
            with transaction():
                subscribed = subscribe(organization.id, now - YEAR, settings.secret_keys)
        task = Task(organization.id, seed, range(number), now)
        making = with_progress(
            make_all(settings, task), length=number, label=f"Making a year of {number} companies"
        )
        events = sum(making)
        posts = with_progress(subscribed, length=len(subscribed), label="Filling the delivery log")
        chance = Random(f"{seed}/deliveries")
        attempts = sum(
            deliver_past(
                organization.id, endpoint_id, receiver, now,
                policy=settings.webhooks, chance=chance,
            )
            for endpoint_id, receiver in posts
        )  # fmt: skip
        _catch_up(organization.id)
    except BaseException as error:
        click.echo(f"Taking back what was made of `{org}` ...", err=True)
        delete_with_progress(organization, settings)
        if isinstance(error, BrokenProcessPool):
            raise CommandError("A process was killed; is there enough memory?") from None
        raise
    return _summary(organization, events, attempts, time.monotonic() - started)


def found(org: str, now: datetime) -> Organization:
    """Make the organization, with its rules of then and of now, and those who may look at it.

    Raises:
        CommandError: there is one with this name.
    """
    former, source = rules_before_and_now()
    with transaction():
        if organizations.find(org) is not None:
            raise CommandError(
                f"There is an organization `{org}` already. `--replace` makes its demo data anew,"
                " `--org NAME` makes another."
            )
        organization = organizations.create(org)
        memberships.add_first_administrators(organization.id)
        for text, ago in ((former, YEAR), (source, EDITED)):
            apply_rules(
                organization.id, text, file=str(DEMO_DATA_RULES), applied_by=APPLIED_BY,
                now=now - ago,
            )  # fmt: skip
    return organization


def rules_before_and_now() -> tuple[str, str]:
    """The text of the rules as it was in the first months, and as it ships."""
    source = former = DEMO_DATA_RULES.read_text(encoding="utf-8")
    for phrase, before in BEFORE:
        former = former.replace(phrase, before)
    return former, source


def _catch_up(organization_id: int) -> None:
    """Judge what has fallen due since `now`, as the clock has it done."""
    now = utc_now()
    with transaction():
        due = flag_states.companies_due(organization_id, until=now)
    evaluate(due, RuleBooks(), now)


def _summary(organization: Organization, events: int, attempts: int, seconds: float) -> Summary:
    now = utc_now()
    with transaction():
        found = companies.of_organization(organization.id)
        due = flag_states.companies_due(organization.id, until=now + timedelta(days=7))
        changed = transitions.count_changed(organization.id, since=now - timedelta(days=1))
    statuses = Counter(company.health_status for company in found)
    return Summary(
        organization.name, len(found), events, attempts, dict(statuses.most_common()),
        changed, len(due), round(seconds, 1),
    )  # fmt: skip


def _tell(made: Summary) -> None:
    org = made.organization
    statuses = ", ".join(f"{number} {status}" for status, number in made.statuses.items())
    click.echo(
        f"Made `{org}` in {made.seconds:.0f} s: {pluralize(made.companies, 'company', 'companies')}"
        f" with {made.events:,} events of a year; {statuses}."
    )
    click.echo(
        f"{pluralize(made.changed_in_the_last_day, 'company', 'companies')} changed in the last day."
    )
    rows: Any = (
        (f"brazebee companies --org {org} --status Critical", "who needs somebody now"),
        (f"brazebee rules forecast --org {org}", "what the next days bring if nothing happens"),
        (f"brazebee demo-data --remove --org {org}", "and it is all gone"),
    )
    for command, meaning in rows:
        click.echo(f"  {command:<52}{meaning}")
