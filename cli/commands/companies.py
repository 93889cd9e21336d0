"""`brazebee companies` and `brazebee explain`: the health of companies, and the reasons."""

from collections.abc import Iterator

import click

from cli.commands.flags import describe_override
from cli.connection import database_transaction, find_organization
from cli.errors import CommandError
from cli.output import json_option, org_option, print_json, print_rows, print_text
from models.companies import companies
from models.database import read_one_snapshot
from rules.durations import format_instant
from rules.flags import Reason
from services.health.as_json import explanation_json, status_changes
from services.health.explanation import Explanation, FlagExplanation, explain
from services.times import utc_now


@click.command("companies")
@click.option("--status", help="Only companies with this status, such as 'At Risk'.")
@org_option
@json_option
def list_companies(status: str | None, org: str, as_json: bool) -> None:
    """List companies with their health, by name."""
    with database_transaction():
        every_company = companies.list_health(find_organization(org).id)
    rows = [vars(company) for company in every_company if status in (None, company.health_status)]
    empty = "No company has this status." if every_company else "No companies yet."
    print_rows(rows, as_json=as_json, empty=empty)


@click.command("explain")
@click.argument("company")
@org_option
@json_option
def explain_company(company: str, org: str, as_json: bool) -> None:
    """Explain the status of COMPANY, which is the id that its events carry."""
    with database_transaction():
        read_one_snapshot()
        organization = find_organization(org)
        explanation = explain(organization.id, company, organization.rules_version, utc_now())
    if explanation is None:
        raise CommandError(
            f"`{org}` has no company with the id `{company}`; see `brazebee companies`."
        )
    if as_json:
        print_json(explanation_json(explanation))
    else:
        _print(explanation)


def _print(explanation: Explanation) -> None:
    company = explanation.company
    since = f" since {format_instant(company.changed_at)}" if company.changed_at else ""
    score = "" if explanation.score is None else f", score {explanation.score}"
    print_text(f"{company.name} ({company.external_id}) is {explanation.status}{since}{score}.")
    for flag in explanation.flags:
        print_text(f"\n{flag.flag}: {flag.status}")
        for title, text in _lines(flag, explanation.rules_version):
            print_text(f"  {title:<9}{text}")
    if not explanation.flags:
        click.echo("\nThe rules have no flags.")
    click.echo("")
    print_rows(status_changes(explanation), as_json=False, empty="Its status has never changed.")


def _lines(flag: FlagExplanation, version: int) -> Iterator[tuple[str, str]]:
    if flag.override:
        yield describe_override(flag.override)
    judged = flag.reason not in (Reason.WAITING, Reason.DOES_NOT_APPLY)
    phrase = f": {flag.threshold}" if judged else f" ({flag.threshold})"
    yield "because", flag.reason.value + phrase
    if flag.counts and judged:
        last_at = flag.last_event_at
        received = f"last received at {format_instant(last_at)}" if last_at else "never received"
        yield "counts", f"{flag.counts}, {received}"
    if flag.evidence:
        yield "facts", flag.evidence
    if flag.recovers:
        yield "recovers", f"when {flag.recovers}"
    changes = []
    if flag.changes_at:
        unless = f", unless {flag.unless}" if flag.unless else ""
        at = format_instant(flag.changes_at)
        changes.append(f"{flag.changes_to} at {at} if nothing happens{unless}")
    if flag.changed_by:
        changes.append(f"{'also ' if changes else ''}if {flag.changed_by}")
    yield "changes", "; ".join(changes) or "not by itself"
    note = f": {flag.note}" if flag.note else ""
    yield "rule", f"version {version}, line {flag.line}{note}"
