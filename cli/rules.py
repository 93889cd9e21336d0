"""`brazebee apply`: puts a rule file in force."""

import getpass
from pathlib import Path

import click

from actors.rule_changes import apply_rules
from actors.times import utc_now
from cli.connection import database_transaction, find_organization
from cli.errors import Refused
from cli.output import json_option, org_option, print_json
from rules.book import RuleBook
from rules.faults import RuleFileError
from rules.reading import read_rules


@click.command("apply")
@click.argument("file", type=click.Path(path_type=Path))
@org_option
@json_option
def apply(file: Path, org: str, as_json: bool) -> None:
    """Put the health rules in FILE in force, all or nothing.

    Faults are all told at once, and what was in force stays.
    """
    source = read_rule_file(file)
    check(source, file)
    with database_transaction():
        applied = apply_rules(
            find_organization(org).id, source, file=str(file), applied_by=_user(), now=utc_now()
        )
    if as_json:
        print_json({"version": applied.version, "changed": applied.changed})
    elif applied.changed:
        click.echo(
            f"Version {applied.version} is in force for `{org}`:"
            f" {len(applied.book.events)} events, {len(applied.book.flags)} flags."
        )
    else:
        click.echo(f"Version {applied.version} of `{org}` says the same already.")


def read_rule_file(file: Path) -> str:
    """The text of a rule file.

    Raises:
        Refused: it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise Refused(f"{file}:{line}: this is not UTF-8 text; save the file as UTF-8.") from None


def check(source: str, file: Path) -> RuleBook:
    """Read the text of a rule file.

    Raises:
        Refused: it has faults; tells all of them.
    """
    try:
        return read_rules(source, file=str(file))
    except RuleFileError as error:
        raise Refused("\n".join(error.lines())) from None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
