"""`brazebee companies` and `brazebee explain`: how customers are, and why."""

from collections.abc import Iterator

import click

from cli.commands.flags import told
from cli.connection import database_transaction, find_organization
from cli.errors import CommandError
from cli.output import json_option, org_option, print_json, print_rows
from models.companies import companies
from models.database import read_one_snapshot
from rules.durations import format_instant
from rules.flags import Reason
from services.health.as_json import explanation_json, status_changes
from services.health.explanation import Explanation, FlagExplanation, explain
from services.times import utc_now


@click.command("companies")
@click.option("--status", help="Only those with this status, such as 'At Risk'.")
@org_option
@json_option
def list_companies(status: str | None, org: str, as_json: bool) -> None:
    """List companies with their health, by name."""
    with database_transaction():
        found = companies.of_organization(find_organization(org).id)
    rows = [vars(company) for company in found if status in (None, company.health_status)]
    empty = "No company has this status." if found else "No company yet: none has sent an event."
    print_rows(rows, as_json=as_json, empty=empty)


@click.command("explain")
@click.argument("company")
@org_option
@json_option
def explain_company(company: str, org: str, as_json: bool) -> None:
    """Say why COMPANY, named by the id that its events carry, has its status."""
    with database_transaction():
        read_one_snapshot()
        organization = find_organization(org)
        found = explain(organization.id, company, organization.rules_version, utc_now())
    if found is None:
        raise CommandError(
            f"`{org}` has no company with the id `{company}`; see `brazebee companies`."
        )
    if as_json:
        print_json(explanation_json(found))
    else:
        _print(found)


def _print(found: Explanation) -> None:
    company = found.company
    since = f" since {format_instant(company.changed_at)}" if company.changed_at else ""
    score = "" if found.score is None else f", score {found.score}"
    click.echo(f"{company.name} ({company.external_id}) is {found.status}{since}{score}.")
    for flag in found.flags:
        click.echo(f"\n{flag.flag}: {flag.status}")
        for title, text in _lines(flag, found.rules_version):
            click.echo(f"  {title:<9}{text}")
    if not found.flags:
        click.echo("\nThe rules have no flags.")
    click.echo("")
    print_rows(status_changes(found), as_json=False, empty="Its status has never changed.")


def _lines(flag: FlagExplanation, version: int) -> Iterator[tuple[str, str]]:
    if flag.override:
        yield told(flag.override)
    judged = flag.reason not in (Reason.WAITING, Reason.DOES_NOT_APPLY)
    phrase = f": {flag.threshold}" if judged else f" ({flag.threshold})"
    yield "because", flag.reason.value + phrase
    if flag.counts and judged:
        last = format_instant(flag.last_event_at) if flag.last_event_at else None
        yield "counts", f"{flag.counts}, {f'the last at {last}' if last else 'which never came'}"
    if flag.evidence:
        yield "facts", flag.evidence
    if flag.recovers:
        yield "recovers", f"when {flag.recovers}"
    ways = []
    if flag.changes_at:
        unless = f", unless {flag.unless}" if flag.unless else ""
        at = format_instant(flag.changes_at)
        ways.append(f"{flag.changes_to} at {at} if nothing happens{unless}")
    if flag.missing:
        ways.append(f"{flag.missing} would change it")
    yield "changes", "; ".join(ways) or "not by itself"
    note = f": {flag.note}" if flag.note else ""
    yield "rule", f"version {version}, line {flag.line}{note}"
