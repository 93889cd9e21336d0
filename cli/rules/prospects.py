"""`brazebee rules plan` and `forecast`: what rules or time would change, changing nothing."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from actors.planning import Prospect, forecast, plan
from actors.times import utc_now
from cli.connection import database_transaction, find_organization
from cli.output import json_option, org_option, print_json, print_rows
from cli.progress import with_progress
from cli.rules.files import RuleFile, file_argument, load_rules
from models import companies, flag_states
from models.organizations import Organization
from rules.durations import counted


@click.command("plan")
@file_argument
@org_option
@json_option
def plan_rules(file: Path, org: str, as_json: bool) -> None:
    """Say which companies FILE would change, from what to what, by which flag."""
    rules = load_rules(file)
    with database_transaction():
        prospects, of = find_prospects(find_organization(org), rules)
    if as_json:
        print_json({"companies": of, "changes": [as_plain(one) for one in prospects]})
        return
    print_plan(prospects, of, limit=None)


@click.command("forecast")
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True,
              help="How far to look ahead.")  # fmt: skip
@org_option
@json_option
def forecast_changes(days: int, org: str, as_json: bool) -> None:
    """Say what will change if nothing happens, by company and instant."""
    now = utc_now()
    with database_transaction():
        organization = find_organization(org)
        until = now + timedelta(days=days)
        due = flag_states.companies_due(organization.id, until=until)
        found = forecast(due, organization.rules_version, now, until)
        counting = with_progress(found, length=len(due), label="Judging companies")
        coming = sorted((one for some in counting for one in some), key=lambda one: one.at)
    if as_json:
        print_json([as_plain(one) for one in coming])
        return
    rows = [{"at": one.at, **_row(one)} for one in coming]
    print_rows(rows, as_json=False, empty=f"Nothing will change by itself in {days} days.")


def find_prospects(organization: Organization, rules: RuleFile) -> tuple[list[Prospect], int]:
    """What a rule file would change now, and among how many companies."""
    of = companies.count(organization.id)
    planned = plan(organization.id, organization.rules_version, rules.book, utc_now())
    counting = with_progress(planned, length=of, label="Judging companies")
    return [prospect for prospect in counting if prospect is not None], of


def print_plan(prospects: list[Prospect], of: int, *, limit: int | None) -> None:
    """Print which companies change, the first `limit` of them, and of how many."""
    moving = [one for one in prospects if one.before != one.after]
    staying = len(prospects) - len(moving)
    print_rows([_row(one) for one in moving[:limit]], as_json=False, empty="")
    if limit is not None and len(moving) > limit:
        click.echo(f"... and {len(moving) - limit} more; `brazebee rules plan` lists all.")
    click.echo(
        f"{len(moving)} of {counted(of, 'company', 'companies')} would change status"
        f"{f', {staying} more only flags' if staying else ''}."
    )


def as_plain(one: Prospect) -> dict[str, Any]:
    """A prospect for programs."""
    return {
        "id": one.id,
        "name": one.name,
        "at": one.at,
        "from": one.before,
        "to": one.after,
        "flags": [
            {"flag": f.flag, "from": f.before, "to": f.after, "threshold": f.threshold}
            for f in one.flags
        ],
    }


def _row(one: Prospect) -> dict[str, str]:
    return {
        "company": f"{one.name} ({one.id})",
        "from": one.before,
        "to": one.after,
        "by": _reasons(one.flags),
    }


def _reasons(steps: Iterable[Any]) -> str:
    return "; ".join(f"{step.flag}: {step.after} ({step.threshold})" for step in steps)
