"""`brazebee rules backtest`: what rules would have said of the last months."""

from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from cli.commands.rules.files import file_argument, load_rules
from cli.commands.rules.outcomes import known_outcomes, read_outcomes
from cli.connection import database_transaction, find_organization, report_database_errors
from cli.errors import CommandError
from cli.output import json_option, org_option, print_json, print_rows
from cli.progress import with_progress
from models.companies import companies
from models.health import flag_overrides
from rules.book import RuleBook
from rules.durations import pluralize
from rules.judging.threshold_variations import variations
from services.rules.backtest import ReplayPeriod, backtest
from services.rules.backtest_report import BacktestReport
from services.times import utc_now


@click.command("backtest")
@file_argument
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True,
              help="How far back to begin.")  # fmt: skip
@click.option("--outcomes", type=click.Path(path_type=Path), metavar="CSV",
              help="Who churned and when: lines of company id, date.")  # fmt: skip
@click.option("--warning-days", type=click.IntRange(1, 3650), default=60, show_default=True,
              help="How long before an outcome a warning counts.")  # fmt: skip
@org_option
@json_option
def backtest_rules(
    file: Path, days: int, outcomes: Path | None, warning_days: int, org: str, as_json: bool
) -> None:
    """Replay the stored events of the last days through FILE, changing nothing.

    Snoozed and overridden flags are replayed as they are judged: nobody's word, only the rules'.
    With --outcomes it also says how well each flag would have warned, and how well it would with
    other numbers than the written ones.
    """
    book = load_rules(file).book
    came_to = read_outcomes(outcomes) if outcomes else []
    until = utc_now()
    stretch = ReplayPeriod(until - timedelta(days=days), until)
    report = _replay(book, _variants(book) if outcomes else [], stretch, org)
    left_out = _overrides_left_out(stretch, org)
    horizon = timedelta(days=warning_days)
    judged = (
        known_outcomes(outcomes, came_to, (one.company for one in report.replayed), stretch)
        if outcomes
        else {}
    )
    if as_json:
        print_json(
            {
                "since": stretch.since,
                "until": stretch.until,
                "overrides_left_out": left_out,
                "flags": report.changes(),
                "weeks": report.weeks(),
                "outcomes": report.accuracy(judged, horizon) if outcomes else [],
                "thresholds": report.thresholds(judged, horizon) if outcomes else [],
                "transitions": report.transitions(),
            }
        )
        return
    _print_changes(report, days)
    if left_out:
        snoozes = pluralize(left_out, "snooze or override", "snoozes and overrides")
        click.echo(f"\n{snoozes} of that time left out: flags are replayed as they are judged.")
    if outcomes:
        _print_hindsight(report, judged, horizon)


def _replay(
    book: RuleBook, variants: list[RuleBook], stretch: ReplayPeriod, org: str
) -> BacktestReport:
    with database_transaction() as settings:
        ids = companies.ids_of_organization(find_organization(org).id)
    chunks = backtest(settings, ids, [book, *variants], stretch)
    flat = (one for chunk in chunks for one in chunk)
    try:
        with report_database_errors():
            replayed = list(with_progress(flat, length=len(ids), label="Replaying companies"))
    except BrokenProcessPool:
        raise CommandError(
            "A process of the backtest was killed; is there enough memory?"
        ) from None
    return BacktestReport(book, variants, replayed, stretch)


def _overrides_left_out(stretch: ReplayPeriod, org: str) -> int:
    with database_transaction():
        organization_id = find_organization(org).id
        return flag_overrides.count_between(
            organization_id, since=stretch.since, until=stretch.until
        )


def _variants(book: RuleBook) -> list[RuleBook]:
    return [replace(book, flags=(variant,)) for flag in book.flags for variant in variations(flag)]


def _print_changes(report: BacktestReport, days: int) -> None:
    of = pluralize(len(report.replayed), "company", "companies")
    click.echo(f"{of} over {pluralize(days, 'day')}:\n")
    print_rows(report.changes(), as_json=False, empty="")
    click.echo("\nBy week:\n")
    print_rows(report.weeks(), as_json=False, empty="Nothing was raised or cleared.")


def _print_hindsight(
    report: BacktestReport, outcomes: Mapping[str, datetime], horizon: timedelta
) -> None:
    warned = f"warned means raised within {pluralize(horizon.days, 'day')} before"
    click.echo(f"\n{pluralize(len(outcomes), 'outcome')}; {warned}.\n")
    rows = [_with_percents(row) for row in report.accuracy(outcomes, horizon)]
    print_rows(rows, as_json=False, empty="")
    click.echo("\nWith other thresholds, each flag's mildest phrase alone:\n")
    rows = [_with_percents(row) for row in report.thresholds(outcomes, horizon)]
    print_rows(rows, as_json=False, empty="No flag has a threshold to vary.")


def _with_percents(row: Mapping[str, Any]) -> dict[str, Any]:
    shares = {
        name: None if row[name] is None else f"{row[name]:.0%}" for name in ("precision", "recall")
    }
    return {**row, **shares}
