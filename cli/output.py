"""The output of commands: tables for people, only JSON for programs."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click
import orjson
from tabulate import tabulate

from config.printable import printable
from rules.durations import format_instant
from services.health.as_json import json_value

org_option = click.option(
    "--org", default="default", show_default=True, help="The organization's name."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def print_json(value: Any) -> None:
    """Print JSON, with instants in ISO 8601 with milliseconds."""
    click.echo(orjson.dumps(json_value(value), option=orjson.OPT_INDENT_2).decode())


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows with the same columns as JSON or as a table; print `empty` if there are none."""
    if as_json:
        print_json(rows)
    elif rows:
        titles = [name.replace("_", " ").upper() for name in rows[0]]
        cells = [[_cell(value) for value in row.values()] for row in rows]
        click.echo(tabulate(cells, headers=titles, tablefmt="plain", disable_numparse=True))
    else:
        click.echo(empty)


def describe(row: Mapping[str, Any]) -> None:
    """Print one row, a line for each value."""
    width = max(map(len, row)) + 2
    for name, value in row.items():
        click.echo(f"{name.replace('_', ' '):<{width}}{_cell(value)}")


def print_text(text: str, *, err: bool = False, fg: str | None = None) -> None:
    """Print a text that quotes what comes from outside, without its control characters."""
    click.secho(printable(text, keep="\n\t"), err=err, fg=fg)


def content_json(content: bytes) -> str | dict[str, str]:
    """Return content as JSON: a text, or `{"base64": ...}` if it is none."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(content).decode()}


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return format_instant(value)
    return printable(str(value))
