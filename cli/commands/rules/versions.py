"""`brazebee rules apply`, `history`, `show` and `rollback`: what is in force, and was."""

import difflib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from cli.commands.rules.files import RuleFile, file_argument, load_rules, show_faults
from cli.commands.rules.prospects import make_plan, print_plan
from cli.connection import database_transaction, find_organization
from cli.errors import CommandError
from cli.option_types import current_user
from cli.output import json_option, org_option, print_json, print_rows
from cli.progress import with_progress
from models.companies import companies
from models.database import read_one_snapshot
from models.organizations import rule_versions
from models.organizations.organizations import Organization
from models.organizations.rule_versions import RuleVersion
from rules.durations import pluralize
from rules.file.rule_file import check_rules
from services.rules.apply_rules import AppliedRules, Origin, apply_rules
from services.rules.plan import Plan
from services.times import utc_now

ASK_ABOVE = 0.1
"""From this share of companies that would change on, somebody must say yes."""

SHOWN_CHANGES = 20
PATIENCE_SECONDS = 15.0
"""How long to wait for the next company to be judged before leaving it to the background."""

yes_option = click.option("--yes", is_flag=True, help="Do not ask, however many would change.")
wait_option = click.option(
    "--wait/--no-wait", default=True, show_default=True,
    help="Wait until every company is judged by the new rules.",
)  # fmt: skip


@click.command("apply")
@file_argument
@org_option
@yes_option
@wait_option
@json_option
def apply(file: Path, org: str, yes: bool, wait: bool, as_json: bool) -> None:
    """Put the health rules in FILE in force, all or nothing.

    Faults are all told at once, and what was in force stays. Shows first what would change, and
    asks when that is more than a tenth of the companies.
    """
    rules = load_rules(file)
    with database_transaction():
        organization = find_organization(org)
        in_force = rule_versions.find(organization.id, organization.rules_version)
    if in_force is not None and in_force.source == rules.source:
        if as_json:
            print_json({"version": in_force.version, "changed": False})
        else:
            _tell(AppliedRules(rules.book, in_force.version, changed=False), org, None)
        return
    _put_in_force(organization, rules, _Manner(yes, wait, as_json), brought_back=None)


@click.command("rollback")
@click.argument("version", type=int, required=False)
@org_option
@yes_option
@wait_option
@json_option
def rollback(version: int | None, org: str, yes: bool, wait: bool, as_json: bool) -> None:
    """Put VERSION in force again, by default the one before the one in force."""
    with database_transaction():
        organization = find_organization(org)
        wanted = version if version is not None else organization.rules_version - 1
        former = rule_versions.find(organization.id, wanted)
    if version is None and wanted < 1:
        raise CommandError(f"`{org}` has no version before the one in force.")
    if former is None:
        raise CommandError(f"`{org}` has no rules version {wanted}; see `brazebee rules history`.")
    checked = check_rules(former.source)
    if checked.book is None:
        place = Path(f"version {wanted}")
        raise CommandError(show_faults(place, former.source, checked.faults))
    rules = RuleFile(Path(f"version {wanted}"), former.source, checked.book)
    _put_in_force(organization, rules, _Manner(yes, wait, as_json), brought_back=wanted)


@click.command("history")
@click.argument("version", type=int, required=False)
@org_option
@json_option
def history(version: int | None, org: str, as_json: bool) -> None:
    """List the versions, the newest first; with VERSION, what it changed."""
    with database_transaction():
        organization = find_organization(org)
        versions = rule_versions.after(organization.id, 0)
    if version is None:
        rows = [
            {
                "version": one.version,
                "in_force": one.version == organization.rules_version,
                "applied_at": one.applied_at,
                "applied_by": one.applied_by,
                "brings_back": one.brought_back,
                **_size_of_change(versions, one),
            }
            for one in reversed(versions)
        ]
        print_rows(rows, as_json=as_json, empty=f"No rules were ever applied to `{org}`.")
        return
    one = _find(versions, version, org)
    difference = list(_difference(versions, one))
    if as_json:
        print_json({"version": version, "difference": "\n".join(difference)})
        return
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in difference:
        click.secho(line, fg=colours.get(line[:1]))


@click.command("show")
@click.argument("version", type=int, required=False)
@org_option
@json_option
def show(version: int | None, org: str, as_json: bool) -> None:
    """Print the text of VERSION, by default of the one in force."""
    with database_transaction():
        organization = find_organization(org)
        versions = rule_versions.after(organization.id, 0)
    one = _find(versions, organization.rules_version if version is None else version, org)
    if as_json:
        print_json(vars(one))
        return
    click.echo(one.source, nl=not one.source.endswith("\n"))


@dataclass(frozen=True)
class _Manner:
    """How somebody wants rules to be put in force."""

    yes: bool
    wait: bool
    as_json: bool


def _show_plan(organization: Organization, rules: RuleFile, manner: _Manner) -> Plan:
    """Show what would change, and have it confirmed where it is much.

    Raises:
        CommandError: nobody can be asked, or said no.
    """
    with database_transaction():
        read_one_snapshot()
        found = make_plan(organization, rules.book)
    moving, of = len(found.moving), found.companies
    if (of or found.refused_events) and not manner.as_json:
        print_plan(found, limit=SHOWN_CHANGES)
    if manner.yes or moving <= of * ASK_ABOVE:
        return found
    if not sys.stdin.isatty():
        raise CommandError(
            f"{moving} of {of} companies would change, more than a tenth; nothing was applied."
            " Say --yes if that is meant."
        )
    if not click.confirm("Apply?"):
        raise CommandError("Nothing was applied.")
    return found


def _put_in_force(
    organization: Organization, rules: RuleFile, manner: _Manner, *, brought_back: int | None
) -> None:
    planned = _show_plan(organization, rules, manner)
    with database_transaction():
        applied = apply_rules(
            organization.id,
            rules.source,
            file=str(rules.path),
            applied_by=current_user(),
            now=utc_now(),
            origin=Origin(brought_back=brought_back),
        )
    if manner.as_json:
        print_json(
            {
                "version": applied.version,
                "changed": applied.changed,
                "companies_changing": len(planned.moving),
                "refused_events": list(planned.refused_events),
            }
        )
    else:
        _tell(applied, organization.name, brought_back)
    if manner.wait and applied.changed:
        _wait_until_judged(organization)


def _tell(applied: AppliedRules, org: str, brought_back: int | None) -> None:
    if applied.changed:
        which = f", which brings back version {brought_back}," if brought_back else ""
        click.echo(
            f"Version {applied.version}{which} is in force for `{org}`:"
            f" {pluralize(len(applied.book.events), 'event')},"
            f" {pluralize(len(applied.book.flags), 'flag')}."
        )
    else:
        click.echo(f"Version {applied.version} of `{org}` says the same already.")


def _wait_until_judged(organization: Organization) -> None:
    """Watch the companies being judged by the new rules, which the workers do."""
    with database_transaction():
        waiting = companies.count_judged_by_older_rules(organization.id)
    if not waiting:
        return
    counting = _judged_one_by_one(organization, waiting)
    for _ in with_progress(counting, length=waiting, label="Judging companies by the new rules"):
        pass


def _judged_one_by_one(organization: Organization, waiting: int) -> Iterator[None]:
    judged_last = time.monotonic()
    while waiting:
        time.sleep(0.2)
        with database_transaction():
            left = companies.count_judged_by_older_rules(organization.id)
        if left < waiting:
            judged_last = time.monotonic()
            yield from [None] * (waiting - left)
            waiting = left
        elif time.monotonic() - judged_last > PATIENCE_SECONDS:
            click.echo(
                f"{waiting} companies are still to be judged; `clock` and `evaluate` do it as soon"
                " as they run.",
                err=True,
            )
            return


def _find(versions: list[RuleVersion], number: int, org: str) -> RuleVersion:
    for version in versions:
        if version.version == number:
            return version
    raise CommandError(f"`{org}` has no rules version {number}; see `brazebee rules history`.")


def _difference(versions: list[RuleVersion], one: RuleVersion) -> Iterator[str]:
    """What a version changed, as a unified diff."""
    before = next((v.source for v in versions if v.version == one.version - 1), "")
    return difflib.unified_diff(
        before.splitlines(),
        one.source.splitlines(),
        f"version {one.version - 1}",
        f"version {one.version}",
        lineterm="",
    )


def _size_of_change(versions: list[RuleVersion], one: RuleVersion) -> dict[str, int]:
    lines = [line for line in _difference(versions, one) if line[:3] not in ("+++", "---")]
    return {
        "lines_added": sum(1 for line in lines if line.startswith("+")),
        "lines_removed": sum(1 for line in lines if line.startswith("-")),
    }
