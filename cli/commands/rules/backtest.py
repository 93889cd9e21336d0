"""`brazebee rules backtest`: what rules would have done in the last months."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import click

from cli.commands.rules.files import file_argument, load_rules
from cli.commands.rules.outcomes import known_outcomes, read_outcomes
from cli.connection import database_transaction, find_organization, report_database_errors
from cli.errors import CommandError
from cli.output import json_option, org_option, print_json, print_rows
from cli.progress import show_progress, with_progress
from config.settings import Settings
from models.companies import companies
from models.database import transaction
from models.health import flag_overrides
from rules.book import RuleBook
from rules.durations import pluralize
from rules.judging.accuracy import Accuracy, CompanyOutcomes, Loss
from rules.judging.threshold_variations import list_variations
from services.outcomes.of_companies import outcomes_of
from services.rules.backtest import ReplayPeriod, backtest
from services.rules.backtest_report import BacktestReport
from services.rules.backtest_totals import BookTotals
from services.rules.comparison import Comparison
from services.rules.rule_books import RuleBooks
from services.times import utc_now

STORED = ""
"""The value of `--outcomes` without a file."""


@dataclass(frozen=True)
class _Task:
    """What is replayed: the companies of an organization, and what is left out of it."""

    settings: Settings
    organization_id: int
    ids: Sequence[int]
    period: ReplayPeriod
    horizon: timedelta
    overrides_left_out: int


@click.command("backtest")
@file_argument
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True,
              help="How many days to replay.")  # fmt: skip
@click.option("--outcomes", is_flag=False, flag_value=STORED, metavar="[CSV]",
              help="Compare with what became of companies: with the outcomes that were entered, or"
              " with those of a file with lines of company id, date.")  # fmt: skip
@click.option("--warning-days", type=click.IntRange(1, 3650), default=60, show_default=True,
              help="How long before a company left a warning counts.")  # fmt: skip
@org_option
@json_option
def backtest_rules(
    file: Path, days: int, outcomes: str | None, warning_days: int, org: str, as_json: bool
) -> None:
    """Replay the stored events of the last days through FILE, changing nothing.

    Snoozes and overrides are ignored, so that only the rules count. With --outcomes, it also shows
    how well each flag would have warned of the companies that left, beside the rules in force; with
    those of a file, beside other thresholds. Put --outcomes without a file at the end.
    """
    book = load_rules(file).book
    task, in_force = _prepare(org, days, timedelta(days=warning_days))
    if outcomes == STORED:
        _compare(task, book, in_force, as_json=as_json)
    else:
        _report(task, book, Path(outcomes) if outcomes else None, as_json=as_json)


def _prepare(org: str, days: int, horizon: timedelta) -> tuple[_Task, RuleBook]:
    """Return what to replay, and the rules in force."""
    until = utc_now()
    period = ReplayPeriod(until - timedelta(days=days), until)
    with database_transaction() as settings:
        organization = find_organization(org)
        left_out = flag_overrides.count_between(
            organization.id, since=period.since, until=period.until
        )
        ids = companies.list_ids(organization.id)
        in_force = RuleBooks().book(organization.id, organization.rules_version)
    return _Task(settings, organization.id, ids, period, horizon, left_out), in_force


def _compare(task: _Task, book: RuleBook, in_force: RuleBook, *, as_json: bool) -> None:
    """Compare rules with those in force by the outcomes that were entered."""
    comparison = Comparison.of(book, in_force, task.period, task.horizon)
    with _explained_errors(), transaction():
        outcomes = outcomes_of(task.organization_id, task.ids)

    def steps() -> Iterator[int]:
        books = [book, in_force]
        for chunk in backtest(task.settings, task.organization_id, task.ids, books, task.period):
            comparison.add(chunk, outcomes)
            yield len(chunk)

    with _explained_errors():
        show_progress(steps(), length=len(task.ids), label="Replaying companies")
    if as_json:
        rows = {"outcomes": comparison.draft.accuracy(), "in_force": comparison.in_force.accuracy()}
        print_json(_json(task, comparison.draft) | rows)
        return
    _print_changes(task, comparison.draft)
    _print_definition(comparison.losses, task.horizon)
    click.echo("With this file:\n")
    print_rows(_with_percents(comparison.draft.accuracy()), as_json=False, empty="")
    click.echo("\nWith the rules in force:\n")
    print_rows(_with_percents(comparison.in_force.accuracy()), as_json=False, empty="")


def _report(task: _Task, book: RuleBook, path: Path | None, *, as_json: bool) -> None:
    """Report what rules would have done, and with a file of outcomes how well they warn."""
    listed = read_outcomes(path) if path else []
    variants = _variants(book) if path else []
    books = [book, *variants]
    chunks = backtest(task.settings, task.organization_id, task.ids, books, task.period)
    with _explained_errors():
        replayed = list(
            with_progress(
                chain.from_iterable(chunks), length=len(task.ids), label="Replaying companies"
            )
        )
    outcomes: dict[str, CompanyOutcomes] = {}
    if path:
        known = known_outcomes(path, listed, (each.company for each in replayed), task.period)
        outcomes = {id_: CompanyOutcomes([Loss(at.date())]) for id_, at in known.items()}
    report = BacktestReport(book, variants, replayed, task.period, outcomes, task.horizon)
    if as_json:
        rows = {
            "outcomes": report.totals.accuracy() if path else [],
            "thresholds": report.thresholds() if path else [],
            "transitions": report.transitions(),
        }
        print_json(_json(task, report.totals) | rows)
        return
    _print_changes(task, report.totals)
    if path:
        [*_, status] = report.totals.flags.values()
        _print_definition(status.accuracy, task.horizon)
        print_rows(_with_percents(report.totals.accuracy()), as_json=False, empty="")
        click.echo("\nWith other thresholds, for the mildest phrase of each flag alone:\n")
        thresholds = _with_percents(report.thresholds())
        print_rows(thresholds, as_json=False, empty="No flag has a threshold to vary.")


@contextmanager
def _explained_errors() -> Iterator[None]:
    try:
        with report_database_errors():
            yield
    except BrokenProcessPool:
        raise CommandError(
            "A process of the backtest was killed; is there enough memory?"
        ) from None


def _variants(book: RuleBook) -> list[RuleBook]:
    return [
        replace(book, flags=(variant,)) for flag in book.flags for variant in list_variations(flag)
    ]


def _json(task: _Task, totals: BookTotals) -> dict[str, Any]:
    return {
        "since": task.period.since,
        "until": task.period.until,
        "overrides_left_out": task.overrides_left_out,
        "flags": totals.changes(),
        "weeks": totals.weeks(),
    }


def _print_changes(task: _Task, totals: BookTotals) -> None:
    number = pluralize(totals.replayed, "company", "companies")
    click.echo(f"{number} over {pluralize((task.period.until - task.period.since).days, 'day')}:\n")
    print_rows(totals.changes(), as_json=False, empty="")
    click.echo("\nBy week:\n")
    print_rows(totals.weeks(), as_json=False, empty="Nothing was raised or cleared.")
    if task.overrides_left_out:
        snoozes = pluralize(task.overrides_left_out, "snooze or override", "snoozes and overrides")
        click.echo(f"\n{snoozes} of that time left out: only the rules are replayed.")


def _print_definition(losses: Accuracy, horizon: timedelta) -> None:
    number = pluralize(losses.warned + losses.missed, "outcome")
    within = f"within {pluralize(horizon.days, 'day')}"
    click.echo(
        f"\n{number}; warned means raised {within} before, and a false alarm was raised without an"
        f" outcome {within} after.\n"
    )


def _with_percents(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **row,
            **{
                name: None if row[name] is None else f"{row[name]:.0%}"
                for name in ("precision", "recall")
            },
        }
        for row in rows
    ]
