"""`brazebee companies` and `brazebee explain`: how customers are, and why."""

from typing import Any

import click

from actors.explanation import Explanation, FlagExplanation, explain
from actors.times import utc_now
from cli.connection import database_transaction, find_organization
from cli.errors import Refused
from cli.output import json_option, org_option, print_json, print_rows
from models import companies
from rules.book import NOT_APPLICABLE


@click.command("companies")
@org_option
@json_option
def list_companies(org: str, as_json: bool) -> None:
    """List companies with their health."""
    with database_transaction():
        rows = [vars(company) for company in companies.of_organization(find_organization(org).id)]
    print_rows(rows, as_json=as_json, empty="No company yet: none has sent an event.")


@click.command("explain")
@click.argument("company")
@org_option
@json_option
def explain_company(company: str, org: str, as_json: bool) -> None:
    """Say why COMPANY, named by the id that its events carry, has its status."""
    with database_transaction():
        organization = find_organization(org)
        found = explain(organization.id, company, organization.rules_version, utc_now())
    if found is None:
        raise Refused(f"`{org}` has no company with the id `{company}`; see `brazebee companies`.")
    if as_json:
        print_json(_as_json(found))
    else:
        _print(found)


def _as_json(found: Explanation) -> dict[str, Any]:
    return {
        "id": found.company.external_id,
        "name": found.company.name,
        "health_status": found.company.health_status,
        "previous_status": found.company.previous_status,
        "changed_at": found.company.changed_at,
        "flags": [_flag(flag) for flag in found.flags],
        "transitions": _transitions(found),
    }


def _flag(flag: FlagExplanation) -> dict[str, Any]:
    return {
        "flag": flag.flag,
        "status": flag.status,
        "threshold": flag.threshold,
        "changes_at": flag.changes_at,
    }


def _transitions(found: Explanation) -> list[dict[str, Any]]:
    return [
        {
            "at": transition.at,
            "from": transition.from_status,
            "to": transition.to_status,
            "cause": transition.cause,
        }
        for transition in found.transitions
        if transition.from_status != transition.to_status
    ]


def _print(found: Explanation) -> None:
    company = found.company
    since = f" since {company.changed_at:%Y-%m-%d %H:%M:%S} UTC" if company.changed_at else ""
    click.echo(f"{company.name} ({company.external_id}) is {company.health_status}{since}.\n")
    rows = [
        {"flag": f.flag, "status": f.status, "threshold": f.threshold,
         "count": None if f.status == NOT_APPLICABLE else f.count, "changes_at": f.changes_at}
        for f in found.flags
    ]  # fmt: skip
    print_rows(rows, as_json=False, empty="The rules have no flags.")
    if any(f.status == NOT_APPLICABLE for f in found.flags):
        click.echo("\nN/A: the company is new, and the flag waits until the time given.")
    click.echo("")
    print_rows(_transitions(found), as_json=False, empty="Its status has never changed.")
