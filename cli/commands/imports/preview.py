"""Shows what a file of companies or users would create and change."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from cli.output import print_rows, print_text
from rules.durations import pluralize
from services.imports.csv_files.table import DELIMITERS, RefusedRow
from services.imports.customers.comparison import Comparison, Example
from services.imports.customers.explanation import (
    advice_on_ids,
    describe_target,
    likely_id_columns,
    notes_on,
)
from services.imports.customers.file import CustomerFile
from services.imports.customers.targets import LEFT_OUT

SHOWN_COLUMNS = 60
SHOWN_EXAMPLES = 5
SHOWN_FIELDS = 6
SHOWN_REFUSALS = 10
LONGEST_VALUE = 40


def print_preview(path: Path, file: CustomerFile, comparison: Comparison) -> None:
    """Print how a file was understood and what it would do."""
    table = file.table
    number = len(table.rows) + len(table.refused)
    print_text(
        f"{path}: {pluralize(f'{number:,}', 'row')}, {table.encoding}, separated by"
        f" {DELIMITERS[table.delimiter]}"
    )
    if preset := file.mapping.preset:
        how = "Recognized as" if file.preset_detected else "Read as"
        print_text(f"{how} {preset.title} (--preset {preset.name}).")
    click.echo("")
    print_rows(list(_columns(file)), as_json=False, empty="There are no columns.")
    if len(file.mapping.columns) > SHOWN_COLUMNS:
        click.echo(f"and {len(file.mapping.columns) - SHOWN_COLUMNS:,} more columns")
    for note in (*notes_on(file, comparison), *advice_on_ids(file)):
        print_text(f"\n{note}")
    if candidates := likely_id_columns(file):
        print_text(f'Such as: --id-column "{candidates[0]}"')
    subject = file.subject
    click.echo(f"\nto create  {comparison.created:,}")
    _print_examples(comparison.created_examples, changes=False)
    click.echo(f"to change  {comparison.changed:,}")
    _print_examples(comparison.changed_examples, changes=True)
    if comparison.changed:
        fields = ", ".join(f"{name} {n:,}" for name, n in comparison.fields.most_common(12))
        print_text(f"           {subject.many} by field: {fields}")
    click.echo(f"unchanged  {comparison.unchanged:,}")
    click.echo(f"refused    {len(comparison.refused):,}")
    _print_refused(comparison.refused)


def as_json(file: CustomerFile, comparison: Comparison) -> dict[str, Any]:
    """Return what a file would do as JSON."""
    preset = file.mapping.preset
    return {
        "preset": preset and preset.name,
        "encoding": file.table.encoding,
        "rows": len(file.table.rows) + len(file.table.refused),
        "columns": [
            {
                "column": column.header,
                "field": describe_target(file, column.target),
                "type": _kind(file, column.number),
                "new": column.target in file.new_fields,
            }
            for column in file.mapping.columns
        ],
        "created": comparison.created,
        "changed": comparison.changed,
        "changed_fields": dict(comparison.fields.most_common()),
        "unchanged": comparison.unchanged,
        "repeated": file.repeated,
        "examples": [
            {
                "id": example.id,
                "line": example.line,
                "changes": {n: {"from": b, "to": a} for n, (b, a) in example.changes.items()},
            }
            for example in comparison.changed_examples
        ],
        "refused": [{"line": row.line, "reason": row.reason} for row in comparison.refused],
        "notes": [*notes_on(file, comparison), *advice_on_ids(file)],
    }


def _columns(file: CustomerFile) -> Iterator[dict[str, Any]]:
    new = set(file.new_fields)
    for column in file.mapping.columns[:SHOWN_COLUMNS]:
        left_out = column.target == LEFT_OUT
        yield {
            "column": column.header,
            "field": describe_target(file, column.target),
            "type": None if left_out else _kind(file, column.number),
            "": "new field" if column.target in new else "",
            "example": _short(next(file.table.values(column.number), "")),
        }


def _kind(file: CustomerFile, number: int) -> str:
    found = file.columns.types.get(number)
    return found.kind.value if found else "text"


def _print_examples(examples: Iterable[Example], *, changes: bool) -> None:
    for example in list(examples)[:SHOWN_EXAMPLES]:
        text = f"           line {example.line:,}: {example.id}, {_short(example.name)}"
        if changes:
            text += f": {_changes(example)}"
        print_text(text)


def _changes(example: Example) -> str:
    shown = [
        f"{name} {_short(_value(before))} → {_short(_value(after))}"
        for name, (before, after) in list(example.changes.items())[:SHOWN_FIELDS]
    ]
    more = len(example.changes) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _value(value: Any) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _print_refused(refused: Iterable[RefusedRow]) -> None:
    rows = list(refused)
    for row in rows[:SHOWN_REFUSALS]:
        print_text(f"           line {row.line:,} {row.reason}")
    if len(rows) > SHOWN_REFUSALS:
        click.echo(f"           and {len(rows) - SHOWN_REFUSALS:,} more")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_VALUE else f"{line[:LONGEST_VALUE]}…"
