"""`brazebee import outcomes`: loads who left, renewed, grew or shrank from a CSV file."""

import hashlib
from pathlib import Path
from typing import Any

import click

from cli.commands.imports.customers import confirm_import, read_content, write_refused_rows
from cli.connection import find_organization, find_settings, report_database_errors
from cli.errors import CommandError
from cli.output import json_option, org_option, print_json, print_rows, print_text
from cli.progress import show_progress
from cli.unfinished import begin_errors_with_how_to_go_on
from models.database import connect, read_one_snapshot, transaction
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from rules.durations import pluralize
from services.accounts.audit import COMMAND_LINE, Maker
from services.imports.csv_files.decoding import UnreadableFile
from services.imports.customers.targets import LEFT_OUT
from services.imports.outcomes.columns import TARGETS
from services.imports.outcomes.file import OutcomeFile, OutcomeOptions, read_file
from services.imports.outcomes.loading import (
    OutcomeComparison,
    OutcomeSource,
    compare,
    load,
)
from services.times import utc_now

SHOWN = 5
SHOWN_REFUSALS = 10


@click.command("outcomes")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--map",
    "mapped",
    metavar="COLUMN=PART",
    multiple=True,
    help=f"What a column has: {', '.join(TARGETS)}; repeat it for several.",
)
@click.option(
    "--skip",
    "skipped",
    metavar="COLUMN",
    multiple=True,
    help="Column to leave out; repeat it for several.",
)
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in OutcomeKind]),
    help="What all rows are, if no column has it.",
)
@click.option(
    "--day-first/--month-first",
    default=None,
    help="How to read dates such as 3/4/2026 where the file does not decide it.",
)
@click.option(
    "--dry-run", is_flag=True, help="Show what would be created and changed, and write nothing."
)
@click.option("--yes", is_flag=True, help="Import without asking for confirmation.")
@org_option
@json_option
def import_outcomes(
    file: Path,
    mapped: tuple[str, ...],
    skipped: tuple[str, ...],
    kind: str | None,
    day_first: bool | None,
    dry_run: bool,
    yes: bool,
    org: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Load outcomes of companies from the CSV file FILE: who left, renewed, grew or shrank, when.

    A company is named by its id, or by its id in your CRM or payment provider. Rows that cannot be
    loaded are written into a file beside FILE.
    """
    options = OutcomeOptions(
        _targets(mapped, skipped), OutcomeKind(kind) if kind else None, day_first
    )
    settings, now = find_settings(), utc_now()
    content = read_content(file)
    connect(settings)
    with report_database_errors():
        with transaction():
            read_one_snapshot()
            organization = find_organization(org)
            read = _read(organization.id, file, content, options)
            comparison = compare(organization.id, read)
        if not as_json:
            _print_preview(file, read, comparison)
        refused = None
        if not dry_run:
            if comparison.rows:
                what = pluralize(len(comparison.rows), "outcome")
                confirm_import(what, org, yes=yes)
            refused = write_refused_rows(file, read.table, read.refused)
            digest = hashlib.sha256(content).hexdigest()
            source = OutcomeSource(file.name, digest, Maker(COMMAND_LINE))
            steps = load(organization.id, read, comparison, source, now)
            with begin_errors_with_how_to_go_on():
                show_progress(steps, length=len(comparison.rows), label="Importing outcomes")
    _print_result(read, comparison, refused, imported=not dry_run, as_json=as_json)


def _read(organization_id: int, path: Path, content: bytes, options: OutcomeOptions) -> OutcomeFile:
    try:
        file = read_file(organization_id, content, options, utc_now())
    except UnreadableFile as error:
        raise CommandError(f"{path}: {error}") from None
    if file.faults:
        raise CommandError("\n".join(f"{path}: {fault}" for fault in file.faults))
    return file


def _targets(mapped: tuple[str, ...], skipped: tuple[str, ...]) -> dict[str, str]:
    targets = dict.fromkeys(skipped, LEFT_OUT)
    for text in mapped:
        header, equals, target = text.rpartition("=")
        if not equals or not header.strip() or target.strip() not in TARGETS:
            raise click.BadParameter(
                f'`{text}` is not COLUMN=PART, such as "Account ID=company"; the parts are'
                f" {', '.join(TARGETS)}.",
                param_hint="--map",
            )
        targets[header.strip()] = target.strip()
    return targets


def _print_preview(path: Path, file: OutcomeFile, comparison: OutcomeComparison) -> None:
    number = len(file.table.rows) + len(file.table.refused)
    print_text(f"{path}: {pluralize(f'{number:,}', 'row')}\n")
    columns = [{"column": c.header, "has": c.target or "left out"} for c in file.columns.columns]
    print_rows(columns, as_json=False, empty="There are no columns.")
    for note in file.notes:
        print_text(f"\n{note}")
    click.echo(f"\nto create  {len(comparison.created):,}")
    for row in comparison.created[:SHOWN]:
        print_text(f"           line {row.line:,}: {row.company} {_describe(row.outcome)}")
    click.echo(f"to change  {len(comparison.changed):,}")
    for row, former in comparison.changed[:SHOWN]:
        print_text(
            f"           line {row.line:,}: {row.company} {_describe(former)} →"
            f" {_describe(row.outcome)}"
        )
    click.echo(f"unchanged  {comparison.unchanged:,}")
    click.echo(f"refused    {len(file.refused):,}")
    for refused in file.refused[:SHOWN_REFUSALS]:
        print_text(f"           line {refused.line:,} {refused.reason}")
    if len(file.refused) > SHOWN_REFUSALS:
        click.echo(f"           and {len(file.refused) - SHOWN_REFUSALS:,} more")


def _describe(outcome: NewOutcome) -> str:
    amount = "" if outcome.amount is None else f", {outcome.amount:,}"
    return f"{outcome.kind} on {outcome.day}{amount}"


def _print_result(
    file: OutcomeFile,
    comparison: OutcomeComparison,
    refused: Path | None,
    *,
    imported: bool,
    as_json: bool,
) -> None:
    if as_json:
        print_json(_json(file, comparison, refused, imported=imported))
        return
    if not imported:
        click.echo("\nThis was a dry run; nothing was written.")
    elif comparison.rows:
        created, changed = len(comparison.created), len(comparison.changed)
        click.echo(f"\nImported: {pluralize(created, 'outcome')} created, {changed:,} changed.")
    else:
        click.echo("\nNothing to import: everything is as the file says.")
    if refused:
        click.echo(
            f"The refused rows are in {refused}: mend them there, and import that file.", err=True
        )


def _json(
    file: OutcomeFile, comparison: OutcomeComparison, refused: Path | None, *, imported: bool
) -> dict[str, Any]:
    return {
        "imported": imported,
        "refused_file": str(refused) if refused else None,
        "columns": {column.header: column.target for column in file.columns.columns},
        "created": len(comparison.created),
        "changed": len(comparison.changed),
        "unchanged": comparison.unchanged,
        "repeated": file.repeated,
        "refused": [{"line": row.line, "reason": row.reason} for row in file.refused],
        "notes": list(file.notes),
    }
