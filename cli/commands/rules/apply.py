"""`brazebee rules apply` and `rollback`: puts a version in force, after showing what it changes."""

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from cli.commands.rules.files import (
    RuleFile,
    file_argument,
    load_rules,
    show_faults,
    url_keeper,
)
from cli.commands.rules.planned_changes import make_plan, print_plan
from cli.connection import database_transaction, find_organization
from cli.errors import CommandError
from cli.option_types import current_user
from cli.output import json_option, org_option, print_json
from cli.progress import wait_for_zero
from models.companies import pending_evaluation
from models.database import read_one_snapshot
from models.organizations import rule_versions
from models.organizations.organizations import Organization
from rules.durations import pluralize
from rules.faults import RuleFileError
from rules.file.rule_file import check_rules
from services.accounts.audit import COMMAND_LINE
from services.rules.apply_rules import AppliedRules, Origin, apply_rules
from services.rules.plan import Plan
from services.times import utc_now

CONFIRM_ABOVE = 0.1
"""The share of companies that may change status without a confirmation."""

SHOWN_CHANGES = 20
PATIENCE_SECONDS = 15.0
"""How long to wait for the next evaluated company before leaving the rest to the background."""

yes_option = click.option("--yes", is_flag=True, help="Do not ask, however many would change.")
wait_option = click.option(
    "--wait/--no-wait", default=True, show_default=True,
    help="Wait until every company is evaluated by the new rules.",
)  # fmt: skip


@click.command("apply")
@file_argument
@org_option
@yes_option
@wait_option
@json_option
def apply(file: Path, org: str, yes: bool, wait: bool, as_json: bool) -> None:
    """Put the health rules in FILE in force, all or nothing.

    If FILE has faults, all of them are listed, and the version in force stays. Otherwise it first
    shows what would change, and asks if more than a tenth of the companies would.
    """
    rules = load_rules(file)
    with database_transaction():
        organization = find_organization(org)
        in_force = rule_versions.find(organization.id, organization.rules_version)
    if in_force is not None and in_force.source == rules.source:
        if as_json:
            print_json({"version": in_force.version, "changed": False})
        else:
            _print_applied(AppliedRules(rules.book, in_force.version, changed=False), org, None)
        return
    _put_in_force(organization, rules, _Options(yes, wait, as_json), restored=None)


@click.command("rollback")
@click.argument("version", type=int, required=False)
@org_option
@yes_option
@wait_option
@json_option
def rollback(version: int | None, org: str, yes: bool, wait: bool, as_json: bool) -> None:
    """Put VERSION in force again, by default the one before the version in force."""
    with database_transaction():
        organization = find_organization(org)
        number = version if version is not None else organization.rules_version - 1
        former = rule_versions.find(organization.id, number)
    if version is None and number < 1:
        raise CommandError(f"`{org}` has no version before the one in force.")
    if former is None:
        raise CommandError(f"`{org}` has no rules version {number}; see `brazebee rules history`.")
    name = Path(f"version {number}")
    checked = check_rules(former.source)
    if checked.book is None:
        raise CommandError(show_faults(name, former.source, checked.faults))
    rules = RuleFile(name, former.source, checked.book)
    _put_in_force(organization, rules, _Options(yes, wait, as_json), restored=number)


@dataclass(frozen=True)
class _Options:
    """The options that both commands share."""

    yes: bool
    wait: bool
    as_json: bool


def _put_in_force(
    organization: Organization, rules: RuleFile, options: _Options, *, restored: int | None
) -> None:
    planned = _confirm_plan(organization, rules, options)
    with database_transaction() as settings:
        try:
            applied = apply_rules(
                organization.id,
                rules.source,
                file=str(rules.path),
                applied_by=current_user(),
                now=utc_now(),
                origin=Origin(brought_back=restored, keeper=url_keeper(settings, COMMAND_LINE)),
            )
        except RuleFileError as error:
            raise CommandError(show_faults(rules.path, rules.source, error.faults)) from None
    for kept in applied.kept_urls:
        click.echo(f"Note: {kept}.", err=True)
    if options.as_json:
        print_json(
            {
                "version": applied.version,
                "changed": applied.changed,
                "companies_changing": len(planned.moving),
                "refused_events": list(planned.refused_events),
                "unsent_events": list(planned.unsent_events),
            }
        )
    else:
        _print_applied(applied, organization.name, restored)
    if options.wait and applied.changed:
        _wait_until_evaluated(organization)


def _confirm_plan(organization: Organization, rules: RuleFile, options: _Options) -> Plan:
    """Show what would change, and ask for confirmation above `CONFIRM_ABOVE`.

    Raises:
        CommandError: the user declined, or there is no terminal to ask at.
    """
    with database_transaction():
        read_one_snapshot()
        planned = make_plan(organization, rules.book)
    changing, total = len(planned.moving), planned.companies
    if (total or planned.refused_events or planned.unsent_events) and not options.as_json:
        print_plan(planned, limit=SHOWN_CHANGES)
    if options.yes or changing <= total * CONFIRM_ABOVE:
        return planned
    if not sys.stdin.isatty():
        raise CommandError(
            f"{changing} of {total} companies would change, more than a tenth; nothing was applied."
            " Use --yes if this is intended."
        )
    if not click.confirm("Apply?"):
        raise CommandError("Nothing was applied.")
    return planned


def _print_applied(applied: AppliedRules, org: str, restored: int | None) -> None:
    if applied.changed:
        origin = f", which restores version {restored}," if restored else ""
        click.echo(
            f"Version {applied.version}{origin} is in force for `{org}`:"
            f" {pluralize(len(applied.book.events), 'event')},"
            f" {pluralize(len(applied.book.flags), 'flag')}."
        )
    else:
        click.echo(f"Version {applied.version} of `{org}` is the same; nothing was changed.")


def _wait_until_evaluated(organization: Organization) -> None:
    """Wait until the workers have evaluated every company by the new rules."""

    def count_outdated() -> int:
        with database_transaction():
            return pending_evaluation.count_judged_by_older_rules(organization.id)

    outdated = count_outdated()
    if outdated:
        wait_for_zero(
            count_outdated,
            length=outdated,
            label="Evaluating companies by the new rules",
            patience_seconds=PATIENCE_SECONDS,
            leftover="companies are still to be evaluated; `clock` and `evaluate` do it as soon as"
            " they run.",
        )
