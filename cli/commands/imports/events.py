"""`brazebee import events`: the past of companies, from files."""

import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from redis.exceptions import RedisError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cli.connection import find_organization, find_settings, report_database_errors
from cli.errors import CommandError
from cli.event_imports.folder import temporary_folder
from cli.event_imports.forms import Form, choose_reading
from cli.event_imports.importing import FirstPass, ReadFile, read_files, store_all
from cli.event_imports.partition import LEFT_OUT, Partitioned
from cli.event_imports.refused import write_refused
from cli.event_imports.sources import open_source
from cli.event_imports.storing import Stored
from cli.option_types import current_user
from cli.output import json_option, org_option, print_json, print_text
from config.settings import Settings
from models.companies.company_counts import count_by_status
from models.database import connect, transaction
from models.keys import event_keys
from models.organizations import rule_versions
from models.organizations.organizations import Organization
from queues.backlog import Backlog, StoredUntil
from queues.broker import build_broker
from queues.refused.requests import RefusedRequests
from rules.durations import format_instant, pluralize
from rules.edits.entries import RuleEditError
from rules.faults import RuleFileError
from services.rules.apply_rules import Origin, apply_rules
from services.rules.event_acceptance import accept_event
from services.rules.rule_books import RuleBooks
from services.times import utc_now

SHOWN = 20
"""The most names or reasons that are printed."""

NEW_RULES = "version: 1\nevents:\nflags: []\n"


@click.command("events")
@click.argument("files", metavar="FILE...", nargs=-1, required=True,
                type=click.Path(path_type=Path, dir_okay=False))  # fmt: skip
@org_option
@click.option("--format", "form", type=click.Choice([form.value for form in Form]),
              help="The form of the events; guessed from the first rows by default.")  # fmt: skip
@click.option("--map", "mappings", multiple=True, metavar="COLUMN=FIELD|FILE.yaml",
              help="What a column of a table is; repeat it, or name a file of them.")  # fmt: skip
@click.option("--company", metavar="NAME",
              help="The group or property with the company's id; guessed by default.")  # fmt: skip
@click.option("--timezone", default="UTC", show_default=True, metavar="ZONE",
              help="The time zone of times without an offset, such as Europe/Berlin.")  # fmt: skip
@click.option("--add-events", is_flag=True,
              help="Add event keys that are not configured to the rules.")  # fmt: skip
@click.option("--skip-unknown", is_flag=True,
              help="Leave out events whose keys are not configured.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only show what would be stored.")
@json_option
def import_events(
    files: tuple[Path, ...], org: str, form: str | None, mappings: tuple[str, ...],
    company: str | None, timezone: str, add_events: bool, skip_unknown: bool, dry_run: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Load events of the past from files: JSON lines, CSV or Parquet, each also as .gz.

    The history of each company becomes what it would have been, and nobody is notified of it. If
    it is interrupted, run it again: it continues. Running it again changes nothing.
    """
    if add_events and skip_unknown:
        raise click.UsageError("--add-events and --skip-unknown are mutually exclusive.")
    _check_timezone(timezone)
    chosen = _read_mappings(mappings)
    started = time.monotonic()
    settings = find_settings()
    connect(settings)
    with temporary_folder() as folder, report_database_errors():
        with transaction():
            organization = find_organization(org)
            keys = _keys_of(organization)
        sources = [open_source(path, folder) for path in files]
        readings = [
            ReadFile(source, choose_reading(
                source, Form(form) if form else None, chosen, timezone=timezone, company=company
            ))
            for source in sources
        ]  # fmt: skip
        for file in readings:
            _describe_reading(file, guessed=form is None)
        now = utc_now()
        first_pass = read_files(settings, organization.id, readings, folder, keys, now)
        if first_pass.found.unknown and not skip_unknown:
            first_pass = _with_unknown(
                settings, organization, readings, folder, now,
                first_pass=first_pass, add=add_events, dry_run=dry_run,
            )  # fmt: skip
        stored = store_all(
            settings, organization.id, first_pass, folder, _read_backlog(settings),
            only_count=dry_run,
        )  # fmt: skip
        refused = _keep_refused(first_pass, folder, dry_run=dry_run)
        outlook = [] if dry_run or not stored.events else list(_outlook(organization))
    seconds = time.monotonic() - started
    if as_json:
        print_json(_as_json(first_pass.found, stored, refused, seconds, dry_run=dry_run))
    else:
        _print(organization, first_pass.found, stored, refused, seconds, dry_run=dry_run)
        for line in outlook:
            print_text(f"  {line}")


def _check_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CommandError(
            f"There is no time zone `{name}`; name one such as Europe/Berlin or UTC."
        ) from None


def _read_mappings(given: Sequence[str]) -> dict[str, str]:
    """Return the fields of columns, from files and from pairs; a pair takes precedence."""
    chosen: dict[str, str] = {}
    pairs: dict[str, str] = {}
    for mapping in given:
        column, equals, target = mapping.rpartition("=")
        if equals:
            pairs[column.strip()] = target.strip()
        else:
            chosen |= _read_mapping_file(Path(mapping))
    return chosen | pairs


def _read_mapping_file(path: Path) -> dict[str, str]:
    try:
        content: Any = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(
            f"--map {path}: it is neither COLUMN=FIELD nor a file ({error.strerror})."
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} is not YAML: {error}") from None
    if not isinstance(content, Mapping) or not all(
        isinstance(text, str) for pair in content.items() for text in pair
    ):
        raise CommandError(f"{path}: expected lines such as `Account ID: company.id`.")
    return dict(content)


def _keys_of(organization: Organization) -> dict[str, str]:
    """Return the event keys of an organization; of disabled ones, that they are left out."""
    settings = event_keys.read_settings(organization.id)
    names = {**{key: key for key in settings.enabled}, **settings.by_name}
    return {name: key if settings.enabled[key] else LEFT_OUT for name, key in names.items()}


def _read_backlog(settings: Settings) -> StoredUntil:
    try:
        return Backlog(build_broker(settings.redis_url), utc_now).read()
    except RedisError as error:
        raise CommandError(f"Redis does not answer: {error}. Check REDIS_URL.") from None


def _describe_reading(file: ReadFile, *, guessed: bool) -> None:
    reading = file.reading
    how = "guessed" if guessed else "as chosen"
    times = f"times without an offset are in {reading.timezone}"
    click.echo(f"{file.source.path}: {reading.form} ({how}); {times}.", err=True)
    if reading.form is Form.TABLE:
        pairs = ", ".join(f"{name} = {target}" for name, target in reading.columns.targets.items())
        print_text(f"  {pairs}", err=True)


def _with_unknown(
    settings: Settings,
    organization: Organization,
    readings: Sequence[ReadFile],
    folder: Path,
    now: datetime,
    *,
    first_pass: FirstPass,
    add: bool,
    dry_run: bool,
) -> FirstPass:
    """Read the files again after adding the unknown event keys.

    Raises:
        CommandError: they are not to be added, or cannot be.
    """
    unknown = first_pass.found.unknown
    if not add:
        lines = "\n".join(f"  {number:>9,}  {name}" for name, number in unknown.most_common(SHOWN))
        more = len(unknown) - SHOWN
        broker = build_broker(settings.redis_url)
        RefusedRequests(broker.client).note_unknown(organization.id, unknown, now)
        raise CommandError(
            f"{pluralize(len(unknown), 'event key is', 'event keys are')} not configured, so"
            f" nothing was imported:\n{lines}"
            + (f"\n  and {more} others" if more > 0 else "")
            + "\nThe dashboard matches them with an example of rules: Rules, Start from an example."
            " Or add them to `events` in the rule file and apply it, run this again with"
            " --add-events, which does that and takes what is spelled like a configured event for"
            " another name of it, or leave these events out with --skip-unknown. If one of them is"
            " another name that is spelled otherwise, write it there, such as"
            " `called: [Report Exported]`."
        )
    keys = {name: name for name in unknown}
    if not dry_run:
        keys = _add_events(organization, sorted(unknown))
    for path in folder.glob("bucket-*"):
        path.unlink()
    for path in folder.glob("refused-*"):
        path.unlink()
    with transaction():
        keys = _keys_of(organization) | keys
    return read_files(settings, organization.id, readings, folder, keys, now)


def _add_events(organization: Organization, names: Sequence[str]) -> dict[str, str]:
    """Accept events by a new version of the rules; return the key of each name."""
    keys: dict[str, str] = {}
    with transaction():
        in_force = rule_versions.read_current(organization.id)
        version = rule_versions.find(organization.id, in_force)
        text = version.source if version else NEW_RULES
        try:
            for name in names:
                text, keys[name] = accept_event(text, name)
            applied = apply_rules(
                organization.id, text, file="the rules in force", applied_by=current_user(),
                now=utc_now(), origin=Origin(based_on=in_force),
            )  # fmt: skip
        except (RuleEditError, RuleFileError) as error:
            raise CommandError(f"The event keys cannot be added to the rules: {error}") from None
    number = pluralize(len(names), "more event key or name", "more event keys or names")
    click.echo(f"Version {applied.version} of the rules accepts {number}.", err=True)
    return keys


def _keep_refused(first_pass: FirstPass, folder: Path, *, dry_run: bool) -> dict[Path, Path | None]:
    """Return the files with refused rows, each with the file beside it that they were kept in."""
    kept: dict[Path, Path | None] = {}
    for file in first_pass.files:
        if first_pass.refused.get(file.source.path):
            path = file.source.path
            kept[path] = None if dry_run else write_refused(file.source, folder, file.numbers)
    return kept


def _as_json(
    found: Partitioned,
    stored: Stored,
    refused: Mapping[Path, Path | None],
    seconds: float,
    *,
    dry_run: bool,
) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "rows": found.rows,
        "events": stored.events,
        "repeated": stored.repeated,
        "new_companies": stored.companies,
        "new_users": stored.users,
        "first_at": found.first_at,
        "last_at": found.last_at,
        "names": dict(found.accepted.most_common()),
        "left_out": dict((found.left_out + found.unknown).most_common()),
        "refused": dict(found.refused.most_common()),
        "refused_files": [str(path) for path in refused.values() if path],
        "seconds": round(seconds, 1),
    }


def _print(
    organization: Organization,
    found: Partitioned,
    stored: Stored,
    refused: Mapping[Path, Path | None],
    seconds: float,
    *,
    dry_run: bool,
) -> None:
    verb = "Would import" if dry_run else "Imported"
    click.echo(
        f"{verb} {stored.events:,} of {pluralize(f'{found.rows:,}', 'row')} into"
        f" `{organization.name}`: {stored.companies:,} new"
        f" {'company' if stored.companies == 1 else 'companies'}, {stored.users:,} new"
        f" {'user' if stored.users == 1 else 'users'}"
        + ("." if dry_run else f", in {seconds:.0f} s.")
    )
    if found.first_at and found.last_at:
        span = f"{format_instant(found.first_at)} to {format_instant(found.last_at)}"
        click.echo(f"  Events from {span}.")
    if stored.repeated:
        click.echo(f"  {stored.repeated:,} are stored already, or repeated in the files.")
    _print_counts("Names", found.accepted)
    _print_counts("Left out", found.left_out + found.unknown)
    _print_counts("Refused", found.refused)
    for path, kept in refused.items():
        where = f"kept in {kept}" if kept else "would be kept in a file beside it"
        click.echo(f"  Refused rows of {path} {'are ' if kept else ''}{where}.")


def _outlook(organization: Organization) -> Iterator[str]:
    """Yield how to list the companies at each status but the best, the worst first."""
    with transaction():
        version = rule_versions.read_current(organization.id)
        book = RuleBooks().book_if_readable(organization.id, version)
        numbers = count_by_status(organization.id)
    if book is None:
        return
    if not book.flags:
        yield "The rules have no flags yet; the dashboard has examples under Rules."
        return
    best, *others = book.statuses
    for status in reversed(others):
        if number := numbers.get(status):
            arguments = ["companies", "--org", organization.name, "--status", status]
            companies = pluralize(f"{number:,}", "company is", "companies are")
            yield f"{companies} {status}: {shlex.join(['brazebee', *arguments])}"
    if not any(map(numbers.get, others)):
        yield f"Every company is {best}."


def _print_counts(title: str, counts: Mapping[str, int]) -> None:
    if not counts:
        return
    click.echo(f"  {title}:")
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    for name, number in ordered[:SHOWN]:
        print_text(f"    {number:>9,}  {name}")
    if len(ordered) > SHOWN:
        click.echo(f"    and {len(ordered) - SHOWN} others")
