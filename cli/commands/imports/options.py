"""The options of the commands that load companies and users."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from cli.option_types import Instant
from cli.output import json_option, org_option
from services.imports.customers.file import NO_PRESET, ImportOptions
from services.imports.customers.presets import PRESETS
from services.imports.customers.targets import LEFT_OUT, TIME, Subject


@dataclass(frozen=True)
class ImportTask:
    """What was asked for on the command line."""

    path: Path
    subject: Subject
    org: str
    options: ImportOptions
    dry_run: bool
    yes: bool
    as_json: bool


def import_command(subject: Subject) -> Callable[[Callable[[ImportTask], None]], click.Command]:
    """Turn a function of a task into the command that imports a kind of file."""
    presets = [preset.name for preset in PRESETS if preset.subject is subject]

    def decorate(run: Callable[[ImportTask], None]) -> click.Command:
        @wraps(run)
        def command(
            file: Path,
            preset: str | None,
            mapped: tuple[str, ...],
            skipped: tuple[str, ...],
            id_column: str | None,
            time_column: str | None,
            as_of: datetime | None,
            day_first: bool | None,
            change_types: bool,
            dry_run: bool,
            yes: bool,
            org: str,
            as_json: bool,
        ) -> None:
            targets = _targets(mapped, skipped, id_column, time_column)
            options = ImportOptions(preset, targets, as_of, day_first, change_types)
            run(ImportTask(file, subject, org, options, dry_run, yes, as_json))

        decorated: Any = command
        for option in (
            json_option,
            org_option,
            click.option("--yes", is_flag=True, help="Import without asking for confirmation."),
            click.option("--dry-run", is_flag=True,
                         help="Show what would be created and changed, and write nothing."),
            click.option("--change-types", is_flag=True,
                         help="Accept values of another type than a field has had so far."),
            click.option("--day-first/--month-first", default=None,
                         help="How to read dates such as 3/4/2026 where the file does not decide"
                         " it."),
            click.option("--as-of", type=Instant(),
                         help="When the values began to apply, in ISO 8601; now by default."),
            click.option("--time-column", metavar="COLUMN",
                         help="Column with the time from which the values of a row apply."),
            click.option("--id-column", metavar="COLUMN",
                         help="Column with the ids that your application sends with its events."),
            click.option("--skip", "skipped", metavar="COLUMN", multiple=True,
                         help="Column to leave out; repeat it for several."),
            click.option("--map", "mapped", metavar="COLUMN=FIELD", multiple=True,
                         help="Field that a column sets; repeat it for several."),
            click.option("--preset", type=click.Choice([*presets, NO_PRESET]),
                         help="Product that exported the file; by default it is recognized."),
            click.argument("file", type=click.Path(path_type=Path)),
        ):  # fmt: skip
            decorated = option(decorated)
        return click.command(subject.many)(decorated)

    return decorate


def _targets(
    mapped: tuple[str, ...],
    skipped: tuple[str, ...],
    id_column: str | None,
    time_column: str | None,
) -> dict[str, str]:
    targets: dict[str, str] = {}
    for text in mapped:
        header, equals, target = text.rpartition("=")
        if not equals or not header.strip() or not target.strip():
            raise click.BadParameter(
                f'`{text}` is not COLUMN=FIELD, such as "Account ID=id"; --skip leaves a column'
                " out.",
                param_hint="--map",
            )
        targets[header.strip()] = target.strip()
    targets |= dict.fromkeys(skipped, LEFT_OUT)
    if id_column:
        targets[id_column] = "id"
    if time_column:
        targets[time_column] = TIME
    return targets
