"""`brazebee rules history` and `show`: the versions of an organization's rules."""

import difflib
from collections.abc import Iterator

import click

from cli.connection import database_transaction, find_organization
from cli.errors import CommandError
from cli.output import json_option, org_option, print_json, print_rows, print_text
from dashboard.presentation.differences import compare_texts
from models.organizations import rule_versions
from models.organizations.rule_versions import RuleVersion


@click.command("history")
@click.argument("version", type=int, required=False)
@org_option
@json_option
def history(version: int | None, org: str, as_json: bool) -> None:
    """List the versions, newest first; with VERSION, show what it changed."""
    with database_transaction():
        organization = find_organization(org)
        versions = rule_versions.list_after(organization.id, 0)
    if version is None:
        rows = [
            {
                "version": rules.version,
                "in_force": rules.version == organization.rules_version,
                "applied_at": rules.applied_at,
                "applied_by": rules.applied_by,
                "brings_back": rules.brought_back,
                **_size_of_change(versions, rules),
            }
            for rules in reversed(versions)
        ]
        print_rows(rows, as_json=as_json, empty=f"No rules have been applied to `{org}` yet.")
        return
    difference = list(_difference(versions, _find(versions, version, org)))
    if as_json:
        print_json({"version": version, "difference": "\n".join(difference)})
        return
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in difference:
        print_text(line, fg=colours.get(line[:1]))


@click.command("show")
@click.argument("version", type=int, required=False)
@org_option
@json_option
def show(version: int | None, org: str, as_json: bool) -> None:
    """Print the text of VERSION, by default of the version in force."""
    with database_transaction():
        organization = find_organization(org)
        versions = rule_versions.list_after(organization.id, 0)
    number = organization.rules_version if version is None else version
    rules = _find(versions, number, org)
    if as_json:
        print_json(vars(rules))
        return
    click.echo(rules.source, nl=not rules.source.endswith("\n"))


def _find(versions: list[RuleVersion], number: int, org: str) -> RuleVersion:
    for version in versions:
        if version.version == number:
            return version
    raise CommandError(f"`{org}` has no rules version {number}; see `brazebee rules history`.")


def _difference(versions: list[RuleVersion], rules: RuleVersion) -> Iterator[str]:
    """Return what a version changed, as a unified diff."""
    return difflib.unified_diff(
        _source_before(versions, rules).splitlines(),
        rules.source.splitlines(),
        f"version {rules.version - 1}",
        f"version {rules.version}",
        lineterm="",
    )


def _size_of_change(versions: list[RuleVersion], rules: RuleVersion) -> dict[str, int]:
    difference = compare_texts(_source_before(versions, rules), rules.source)
    return {"lines_added": difference.added, "lines_removed": difference.removed}


def _source_before(versions: list[RuleVersion], rules: RuleVersion) -> str:
    return next((v.source for v in versions if v.version == rules.version - 1), "")
