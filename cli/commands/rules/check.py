"""`brazebee rules check` and `schema`: help in writing a rule file; they need no server."""

from pathlib import Path

import click

from cli.commands.rules.files import file_argument, read_rule_file, show_faults
from cli.errors import CommandError
from cli.output import json_option, print_json
from rules.durations import pluralize
from rules.file.json_schema import rule_schema
from rules.file.rule_file import check_rules


@click.command("check")
@file_argument
@json_option
def check(file: Path, as_json: bool) -> None:
    """Tell every fault of FILE at once, and what is legal in it but surely not meant."""
    source = read_rule_file(file)
    checked = check_rules(source)
    if as_json:
        print_json(
            {
                "file": str(file),
                "faults": [vars(fault) for fault in checked.faults],
                "doubts": [vars(doubt) for doubt in checked.warnings],
            }
        )
    if checked.book is None:
        raise CommandError("" if as_json else show_faults(file, source, checked.faults))
    if as_json:
        return
    for doubt in checked.warnings:
        click.secho(doubt.in_context(str(file), source), fg="yellow")
    flags, events = len(checked.book.flags), len(checked.book.events)
    found = f"{pluralize(len(checked.warnings), 'doubt')}" if checked.warnings else "no fault"
    click.echo(f"{file}: {pluralize(events, 'event')}, {pluralize(flags, 'flag')}, {found}.")


@click.command("schema")
def schema() -> None:
    """Print the JSON Schema of rule files, with which editors complete and underline."""
    print_json(rule_schema())
