"""`brazebee import companies` and `import users`: loads CSV files, after showing what changes."""

import hashlib
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import click

from cli.commands.imports.options import ImportTask, import_command
from cli.commands.imports.preview import as_json as preview_json
from cli.commands.imports.preview import print_preview
from cli.connection import find_organization, find_settings, report_database_errors
from cli.errors import CommandError
from cli.output import print_json
from cli.progress import show_progress
from cli.unfinished import begin_errors_with_how_to_go_on
from config.settings import Settings
from models.database import connect, read_one_snapshot, transaction
from models.organizations.organizations import Organization
from queues.broker import build_broker
from queues.evaluations import Evaluations
from services.accounts.audit import COMMAND_LINE, Maker
from services.imports.csv_files.decoding import UnreadableFile
from services.imports.csv_files.table import Bounds, CsvTable, RefusedRow
from services.imports.customers.comparison import Comparison, compare
from services.imports.customers.file import (
    CustomerFile,
    UnusableOptions,
    read_file,
)
from services.imports.customers.loading import Source, load
from services.imports.customers.refused_rows import refused_csv
from services.imports.customers.targets import COMPANIES, USERS
from services.rules.rule_books import RuleBooks
from services.times import utc_now


@import_command(COMPANIES)
def import_companies(task: ImportTask) -> None:
    """Load companies and their fields from the CSV file FILE.

    Exports of Salesforce, HubSpot and Stripe are recognized. A column sets the field of its name in
    snake case unless --map says otherwise. Rows that cannot be loaded are written into a file
    beside FILE.
    """
    _run(task)


@import_command(USERS)
def import_users(task: ImportTask) -> None:
    """Load users and their fields from the CSV file FILE.

    A column `company_id`, or one that --map names so, has the ids of their companies. Exports of
    contacts from Salesforce and HubSpot are recognized. Otherwise it is as for companies.
    """
    _run(task)


def _run(task: ImportTask) -> None:
    settings, now = find_settings(), utc_now()
    content = read_content(task.path)
    connect(settings)
    with report_database_errors():
        with transaction():
            read_one_snapshot()
            organization = find_organization(task.org)
            file = _read_as(organization, task, content, now)
            comparison = compare(organization.id, file, now)
        if not task.as_json:
            print_preview(task.path, file, comparison)
        if task.dry_run:
            if task.as_json:
                print_json({"imported": False, **preview_json(file, comparison)})
            else:
                click.echo("\nThis was a dry run; nothing was written.")
            return
        if comparison.rows:
            what = task.subject.count(len(comparison.rows))
            confirm_import(what, task.org, yes=task.yes)
        refused = write_refused_rows(task.path, file.table, comparison.refused)
        if comparison.rows:
            _load(settings, organization, task, content, file, comparison, now)
    _report(task, file, comparison, refused)


def read_content(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        CommandError: it cannot be read, or is too large.
    """
    most = Bounds().bytes
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > most:
        raise CommandError(f"{path} has more than {most:,} bytes, the most that is read. Split it.")
    return content


def _read_as(
    organization: Organization, task: ImportTask, content: bytes, now: datetime
) -> CustomerFile:
    if task.options.as_of and task.options.as_of > now:
        raise click.BadParameter("the time is in the future", param_hint="--as-of")
    try:
        file = read_file(organization.id, content, task.subject, task.options, now)
    except (UnreadableFile, UnusableOptions) as error:
        raise CommandError(f"{task.path}: {error}") from None
    if file.faults:
        raise CommandError("\n".join(f"{task.path}: {fault}" for fault in file.faults))
    return file


def confirm_import(what: str, org: str, *, yes: bool) -> None:
    """Ask before anything is written.

    Raises:
        CommandError: the user declined, or there is no terminal to ask at.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandError(
            "Nothing was imported, since nobody can be asked here. Use --yes if this is intended."
        )
    if not click.confirm(f"\nImport {what} into `{org}`?", err=True):
        raise CommandError("Nothing was imported.")


def _load(
    settings: Settings,
    organization: Organization,
    task: ImportTask,
    content: bytes,
    file: CustomerFile,
    comparison: Comparison,
    now: datetime,
) -> None:
    evaluations = Evaluations(build_broker(settings.redis_url).client)
    preset = file.mapping.preset
    source = Source(
        task.path.name,
        hashlib.sha256(content).hexdigest(),
        preset.name if preset else None,
        Maker(COMMAND_LINE),
    )
    chunks = load(organization.id, task.subject, comparison, RuleBooks(), source, now)

    def steps() -> Iterator[int]:
        for loaded in chunks:
            evaluations.enqueue_best_effort([(organization.id, id_) for id_ in loaded.to_evaluate])
            yield loaded.number

    with begin_errors_with_how_to_go_on():
        show_progress(steps(), length=len(comparison.rows), label=f"Importing {task.subject.many}")


def write_refused_rows(path: Path, table: CsvTable, refused: Sequence[RefusedRow]) -> Path | None:
    """Write the refused rows beside their file; return where, None if there are none.

    Raises:
        CommandError: they cannot be written.
    """
    if not refused:
        return None
    beside = path.with_name(f"{path.stem}.refused.csv")
    try:
        beside.write_text(refused_csv(table, refused), encoding="utf-8-sig", newline="")
    except OSError as error:
        raise CommandError(
            f"The refused rows cannot be written to {beside}: {error.strerror}. Nothing was"
            " imported."
        ) from None
    return beside


def _report(
    task: ImportTask, file: CustomerFile, comparison: Comparison, refused: Path | None
) -> None:
    if task.as_json:
        where = str(refused) if refused else None
        print_json({"imported": True, "refused_file": where, **preview_json(file, comparison)})
        return
    if comparison.rows:
        created = task.subject.count(comparison.created)
        click.echo(f"\nImported: {created} created, {comparison.changed:,} changed.")
    else:
        click.echo("\nNothing to import: everything is as the file says.")
    if refused:
        click.echo(
            f"The refused rows are in {refused}: mend them there, and import that file.", err=True
        )
