"""`brazebee rules plan` and `forecast`: what rules or time would change, changing nothing."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from cli.commands.rules.files import file_argument, load_rules
from cli.connection import database_transaction, find_organization
from cli.output import json_option, org_option, print_json, print_rows
from cli.progress import with_progress
from models.companies import companies
from models.database import read_one_snapshot
from models.organizations.organizations import Organization
from rules.book import RuleBook
from rules.durations import pluralize
from services.rules.plan import Plan, collect, plan
from services.rules.planned_changes import PlannedChange, companies_due, forecast
from services.times import utc_now


@click.command("plan")
@file_argument
@org_option
@json_option
def plan_rules(file: Path, org: str, as_json: bool) -> None:
    """Say which companies FILE would change, from what to what, by which flag."""
    rules = load_rules(file)
    with database_transaction():
        read_one_snapshot()
        found = make_plan(find_organization(org), rules.book)
    if as_json:
        print_json(
            {
                "companies": found.companies,
                "changes": [_as_plain(one) for one in found.changes],
                "refused_events": list(found.refused_events),
            }
        )
        return
    print_plan(found, limit=None)


@click.command("forecast")
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True,
              help="How far to look ahead.")  # fmt: skip
@click.option("--flags", is_flag=True, help="Also where only flags change and the status stays.")
@org_option
@json_option
def forecast_changes(days: int, flags: bool, org: str, as_json: bool) -> None:
    """Say what will change if nothing happens, by company and instant."""
    now = utc_now()
    with database_transaction():
        read_one_snapshot()
        organization = find_organization(org)
        until = now + timedelta(days=days)
        due = companies_due(organization.id, until=until)
        found = forecast(due, organization.rules_version, now, until)
        counting = with_progress(found, length=len(due), label="Judging companies")
        coming = sorted((one for some in counting for one in some), key=lambda one: one.at)
    told = [one for one in coming if flags or one.before != one.after]
    if as_json:
        print_json([_as_plain(one) for one in told])
        return
    rows = [{"at": one.at, **_row(one)} for one in told]
    print_rows(rows, as_json=False, empty="")
    changes = pluralize(len(told), "change") if told else "No change"
    only_flags = len(coming) - len(told)
    click.echo(
        f"{changes} of status in {pluralize(days, 'day')} if nothing happens"
        f"{f', {only_flags} more of flags alone (--flags)' if only_flags else ''}."
    )


def make_plan(organization: Organization, book: RuleBook) -> Plan:
    """What a book would change now."""
    of = companies.count(organization.id)
    planned = plan(organization.id, organization.rules_version, book, utc_now())
    counting = with_progress(planned, length=of, label="Judging companies")
    return collect(organization, book, counting, of=of)


def print_plan(found: Plan, *, limit: int | None) -> None:
    """Print what would change, the first `limit` companies of it."""
    moving = found.moving
    staying = len(found.changes) - len(moving)
    if moving:
        print_rows([_row(one) for one in moving[:limit]], as_json=False, empty="")
    if limit is not None and len(moving) > limit:
        click.echo(f"... and {len(moving) - limit} more; `brazebee rules plan` lists all.")
    click.echo(
        f"{len(moving)} of {pluralize(found.companies, 'company', 'companies')} would change status"
        f"{f', {staying} more only flags' if staying else ''}."
    )
    if found.refused_events:
        click.secho(
            f"No longer taken, but answered with an error: {', '.join(found.refused_events)}.",
            fg="yellow",
        )


def _as_plain(one: PlannedChange) -> dict[str, Any]:
    """A prospect for programs."""
    return {
        "id": one.id,
        "name": one.name,
        "at": one.at,
        "from": one.before,
        "to": one.after,
        "flags": [
            {
                "flag": f.flag,
                "from": f.before,
                "to": f.after,
                "threshold": f.threshold,
                "unless": f.unless,
            }
            for f in one.flags
        ],
    }


def _row(one: PlannedChange) -> dict[str, str]:
    return {
        "company": f"{one.name} ({one.id})",
        "from": one.before,
        "to": one.after,
        "by": "\n".join(
            f"{step.description}, unless {step.unless}" if step.unless else step.description
            for step in one.flags
        ),
    }
