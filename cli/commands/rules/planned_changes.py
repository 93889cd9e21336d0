"""`brazebee rules plan` and `forecast`: what a rule file or time would change."""

from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import click

from cli.commands.rules.files import file_argument, load_rules, show_faults
from cli.connection import database_transaction, find_organization
from cli.errors import CommandError
from cli.output import json_option, org_option, print_json, print_rows, print_text
from cli.progress import with_progress
from models.companies import companies
from models.database import read_one_snapshot
from models.organizations.organizations import Organization
from rules.book import RuleBook
from rules.durations import pluralize
from services.notifications.past_messages import count_past_messages, sends_otherwise
from services.notifications.rule_text import unknown_names
from services.rules.plan import Plan, collect, plan
from services.rules.planned_changes import PlannedChange, find_companies_due, forecast
from services.rules.rule_books import RuleBooks
from services.times import utc_now


@click.command("plan")
@file_argument
@org_option
@json_option
def plan_rules(file: Path, org: str, as_json: bool) -> None:
    """Show which companies FILE would change, from which status to which, and by which flag."""
    rules = load_rules(file)
    with database_transaction():
        read_one_snapshot()
        organization = find_organization(org)
        in_force = _in_force(organization)
        if faults := unknown_names(organization.id, rules.book, in_force):
            raise CommandError(show_faults(file, rules.source, tuple(faults)))
        planned = make_plan(organization, rules.book)
        messages = None
        if sends_otherwise(rules.book, in_force):
            messages = count_past_messages(organization.id, rules.book, utc_now())
    if as_json:
        print_json(
            {
                "companies": planned.companies,
                "left": planned.left,
                "changes": [_as_json(change) for change in planned.changes],
                "refused_events": list(planned.refused_events),
                "unsent_events": list(planned.unsent_events),
                "unusable_fields": [vars(unusable) for unusable in planned.unusable_fields],
                "messages_of_last_month": vars(messages) if messages else None,
            }
        )
        return
    print_plan(planned, limit=None)
    if messages:
        click.echo(
            f"{pluralize(f'{messages.messages:,}', 'message')} would have been sent in the last 30"
            f" days, {messages.at_night:,} at night."
        )


def _in_force(organization: Organization) -> RuleBook | None:
    return RuleBooks().book_if_readable(organization.id, organization.rules_version)


@click.command("forecast")
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True,
              help="How many days to forecast.")  # fmt: skip
@click.option(
    "--flags", is_flag=True, help="Include changes of flags that leave the status as it is."
)
@org_option
@json_option
def forecast_changes(days: int, flags: bool, org: str, as_json: bool) -> None:
    """Show what will change if no events arrive, by company and time."""
    now = utc_now()
    with database_transaction():
        read_one_snapshot()
        organization = find_organization(org)
        until = now + timedelta(days=days)
        due = find_companies_due(organization.id, until=until)
        by_company = with_progress(
            forecast(organization.id, due, organization.rules_version, now, until),
            length=len(due),
            label="Evaluating companies",
        )
        upcoming = sorted(chain.from_iterable(by_company), key=lambda change: change.at)
    shown = [change for change in upcoming if flags or change.before != change.after]
    if as_json:
        print_json([_as_json(change) for change in shown])
        return
    rows = [{"at": change.at, **_as_row(change)} for change in shown]
    print_rows(rows, as_json=False, empty="")
    number = pluralize(len(shown), "change") if shown else "No changes"
    flags_only = len(upcoming) - len(shown)
    click.echo(
        f"{number} of status in {pluralize(days, 'day')} if nothing happens"
        f"{f', and {flags_only} of flags alone (--flags)' if flags_only else ''}."
    )


def make_plan(organization: Organization, book: RuleBook) -> Plan:
    """Return what a rule book would change now."""
    number = companies.count(organization.id)
    now = utc_now()
    by_company = with_progress(
        plan(organization.id, organization.rules_version, book, now),
        length=number,
        label="Evaluating companies",
    )
    return collect(organization, book, by_company, now, of=number)


def print_plan(planned: Plan, *, limit: int | None) -> None:
    """Print what would change, with the first `limit` companies."""
    moving = planned.moving
    flags_only = len(planned.changes) - len(moving)
    number = pluralize(planned.companies, "company", "companies")
    if moving:
        print_rows([_as_row(change) for change in moving[:limit]], as_json=False, empty="")
    if limit is not None and len(moving) > limit:
        click.echo(f"... and {len(moving) - limit} more; `brazebee rules plan` lists all.")
    click.echo(
        f"{len(moving)} of {number} would change status"
        f"{f', {flags_only} more only flags' if flags_only else ''}."
    )
    if planned.left:
        click.echo(f"{planned.left} of all {number} have left; rules judge them as before.")
    if planned.refused_events:
        print_text(f"Sent, and would be refused: {', '.join(planned.refused_events)}.", fg="yellow")
    if planned.unsent_events:
        keys = ", ".join(planned.unsent_events)
        print_text(f"No longer accepted, and not sent in the last 30 days: {keys}.")
    for unusable in planned.unusable_fields:
        number = pluralize(unusable.companies, "company has", "companies have")
        print_text(
            f"{number} a company.{unusable.field} that cannot be used as {unusable.key}, such as"
            f" {', '.join(unusable.examples)}.",
            fg="yellow",
        )


def _as_json(change: PlannedChange) -> dict[str, Any]:
    return {
        "id": change.id,
        "name": change.name,
        "at": change.at,
        "from": change.before,
        "to": change.after,
        "flags": [
            {
                "flag": flag.flag,
                "from": flag.before,
                "to": flag.after,
                "threshold": flag.threshold,
                "unless": flag.unless,
            }
            for flag in change.flags
        ],
    }


def _as_row(change: PlannedChange) -> dict[str, str]:
    return {
        "company": f"{change.name} ({change.id})",
        "from": change.before,
        "to": change.after,
        "by": "\n".join(
            f"{flag.description}, unless {flag.unless}" if flag.unless else flag.description
            for flag in change.flags
        ),
    }
