"""`brazebee rules backtest`: what rules would have done in the last months."""

from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
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
from rules.judging.threshold_variations import list_variations
from services.rules.backtest import ReplayPeriod, backtest
from services.rules.backtest_report import BacktestReport
from services.times import utc_now


@click.command("backtest")
@file_argument
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True,
              help="How many days to replay.")  # fmt: skip
@click.option("--outcomes", type=click.Path(path_type=Path), metavar="CSV",
              help="Which companies churned: lines of company id, date.")  # fmt: skip
@click.option("--warning-days", type=click.IntRange(1, 3650), default=60, show_default=True,
              help="How long before an outcome a warning counts.")  # fmt: skip
@org_option
@json_option
def backtest_rules(
    file: Path, days: int, outcomes: Path | None, warning_days: int, org: str, as_json: bool
) -> None:
    """Replay the stored events of the last days through FILE, changing nothing.

    Snoozes and overrides are ignored, so that only the rules count. With --outcomes, it also shows
    how well each flag would have warned, with its thresholds and with others.
    """
    book = load_rules(file).book
    listed = read_outcomes(outcomes) if outcomes else []
    until = utc_now()
    period = ReplayPeriod(until - timedelta(days=days), until)
    report = _replay(book, _variants(book) if outcomes else [], period, org)
    left_out = _overrides_left_out(period, org)
    horizon = timedelta(days=warning_days)
    replayed_outcomes = (
        known_outcomes(outcomes, listed, (company.company for company in report.replayed), period)
        if outcomes
        else {}
    )
    if as_json:
        print_json(
            {
                "since": period.since,
                "until": period.until,
                "overrides_left_out": left_out,
                "flags": report.changes(),
                "weeks": report.weeks(),
                "outcomes": report.accuracy(replayed_outcomes, horizon) if outcomes else [],
                "thresholds": report.thresholds(replayed_outcomes, horizon) if outcomes else [],
                "transitions": report.transitions(),
            }
        )
        return
    _print_changes(report, days)
    if left_out:
        snoozes = pluralize(left_out, "snooze or override", "snoozes and overrides")
        click.echo(f"\n{snoozes} of that time left out: only the rules are replayed.")
    if outcomes:
        _print_accuracy(report, replayed_outcomes, horizon)


def _replay(
    book: RuleBook, variants: list[RuleBook], period: ReplayPeriod, org: str
) -> BacktestReport:
    with database_transaction() as settings:
        organization = find_organization(org)
        ids = companies.list_ids(organization.id)
    chunks = backtest(settings, organization.id, ids, [book, *variants], period)
    try:
        with report_database_errors():
            replayed = list(
                with_progress(
                    chain.from_iterable(chunks), length=len(ids), label="Replaying companies"
                )
            )
    except BrokenProcessPool:
        raise CommandError(
            "A process of the backtest was killed; is there enough memory?"
        ) from None
    return BacktestReport(book, variants, replayed, period)


def _overrides_left_out(period: ReplayPeriod, org: str) -> int:
    with database_transaction():
        organization_id = find_organization(org).id
        return flag_overrides.count_between(organization_id, since=period.since, until=period.until)


def _variants(book: RuleBook) -> list[RuleBook]:
    return [
        replace(book, flags=(variant,)) for flag in book.flags for variant in list_variations(flag)
    ]


def _print_changes(report: BacktestReport, days: int) -> None:
    number = pluralize(len(report.replayed), "company", "companies")
    click.echo(f"{number} over {pluralize(days, 'day')}:\n")
    print_rows(report.changes(), as_json=False, empty="")
    click.echo("\nBy week:\n")
    print_rows(report.weeks(), as_json=False, empty="Nothing was raised or cleared.")


def _print_accuracy(
    report: BacktestReport, outcomes: Mapping[str, datetime], horizon: timedelta
) -> None:
    definition = f"warned means raised within {pluralize(horizon.days, 'day')} before"
    click.echo(f"\n{pluralize(len(outcomes), 'outcome')}; {definition}.\n")
    rows = [_with_percents(row) for row in report.accuracy(outcomes, horizon)]
    print_rows(rows, as_json=False, empty="")
    click.echo("\nWith other thresholds, for the mildest phrase of each flag alone:\n")
    rows = [_with_percents(row) for row in report.thresholds(outcomes, horizon)]
    print_rows(rows, as_json=False, empty="No flag has a threshold to vary.")


def _with_percents(row: Mapping[str, Any]) -> dict[str, Any]:
    shares = {
        name: None if row[name] is None else f"{row[name]:.0%}" for name in ("precision", "recall")
    }
    return {**row, **shares}
