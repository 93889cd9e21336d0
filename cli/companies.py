"""`brazebee companies` and `brazebee explain`: how customers are, and why."""

from typing import Any

import click

from actors.explanation import Explanation, FlagExplanation, explain
from actors.times import utc_now
from cli.connection import database_transaction, find_organization
from cli.errors import Refused
from cli.output import json_option, org_option, print_json, print_rows, spell_instant
from models import companies


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
        "health_status": found.status,
        "score": found.score,
        "previous_status": found.company.previous_status,
        "changed_at": found.company.changed_at,
        "rules_version": found.rules_version,
        "flags": [{**vars(flag), "reason": flag.reason.name.lower()} for flag in found.flags],
        "transitions": _transitions(found),
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
    since = f" since {spell_instant(company.changed_at)}" if company.changed_at else ""
    score = "" if found.score is None else f", score {found.score}"
    click.echo(f"{company.name} ({company.external_id}) is {found.status}{since}{score}.")
    for flag in found.flags:
        click.echo(f"\n{flag.flag}: {flag.status}")
        _print_reason(flag)
        _print_change(flag)
        note = f": {flag.note}" if flag.note else ""
        click.echo(f"  rule     version {found.rules_version}, line {flag.line}{note}")
    if not found.flags:
        click.echo("\nThe rules have no flags.")
    click.echo("")
    print_rows(_transitions(found), as_json=False, empty="Its status has never changed.")


def _print_reason(flag: FlagExplanation) -> None:
    if flag.seen is None:
        click.echo(f"  because  {flag.reason.value} ({flag.threshold})")
        return
    last = f", the last event at {spell_instant(flag.last_event_at)}" if flag.last_event_at else ""
    click.echo(f"  because  {flag.reason.value}: {flag.threshold}")
    click.echo(f"  facts    {flag.seen}{last}")


def _print_change(flag: FlagExplanation) -> None:
    ways = []
    if flag.changes_at:
        ways.append(f"{flag.changes_to} at {spell_instant(flag.changes_at)} if nothing happens")
    if flag.lacks:
        ways.append(f"{flag.lacks} would change it")
    click.echo(f"  changes  {'; '.join(ways) or 'not by itself'}")
