"""`brazebee rules check` and `schema`: help with writing rule files; they need no server."""

from pathlib import Path

import click

from cli.commands.rules.files import file_argument, read_rule_file, show_faults
from cli.errors import CommandError
from cli.output import json_option, print_json, print_text
from rules.durations import pluralize
from rules.file.json_schema import rule_schema
from rules.file.rule_file import check_rules


@click.command("check")
@file_argument
@json_option
def check(file: Path, as_json: bool) -> None:
    """List all faults of FILE, and warn of what is valid but probably a mistake."""
    source = read_rule_file(file)
    checked = check_rules(source)
    if as_json:
        print_json(
            {
                "file": str(file),
                "faults": [vars(fault) for fault in checked.faults],
                "doubts": [vars(warning) for warning in checked.warnings],
            }
        )
    if checked.book is None:
        raise CommandError("" if as_json else show_faults(file, source, checked.faults))
    if as_json:
        return
    for warning in checked.warnings:
        print_text(warning.in_context(str(file), source), fg="yellow")
    flags, events = len(checked.book.flags), len(checked.book.events)
    result = pluralize(len(checked.warnings), "warning") if checked.warnings else "no faults"
    click.echo(f"{file}: {pluralize(events, 'event')}, {pluralize(flags, 'flag')}, {result}.")


@click.command("schema")
def schema() -> None:
    """Print the JSON Schema of rule files, for completion and checking in editors."""
    print_json(rule_schema())
